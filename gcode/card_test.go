package gcode

import (
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestParseCardList(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		want  []CardFile
		ok    bool
	}{
		{"Marlin, plain", []string{"Begin file list", "BENCHY~1.GCO 1234", "/TOYS/CUBE.GCO 99", "End file list"},
			[]CardFile{{"BENCHY~1.GCO", "BENCHY~1.GCO", 1234, 0}, {"/TOYS/CUBE.GCO", "TOYS/CUBE.GCO", 99, 0}}, true},
		{"Marlin 2.1, long names and dates", []string{"Begin file list", "BENCHY~1.GCO 1234 0x5976643c 3D Benchy 0.2mm.gcode", "/TOYS/CUBE.GCO 99 0x00000000 Toys/Cube 20.gcode", "End file list"},
			[]CardFile{{"BENCHY~1.GCO", "3D Benchy 0.2mm.gcode", 1234, 0x5976643c}, {"/TOYS/CUBE.GCO", "Toys/Cube 20.gcode", 99, 0}}, true},
		{"Prusa, with folders", []string{"Begin file list", "A.GCO 1 0x5976643c \"a \"b\" c.gcode\"", "DIR_ENTER: /TOYS/ \"My toys\"", "/TOYS/CUBE.GCO 99 0x5976643c \"Cube.gcode\"", "DIR_EXIT", "B.GCO 2 \"b.gcode\"", "End file list"},
			[]CardFile{{"A.GCO", `a "b" c.gcode`, 1, 0x5976643c}, {"/TOYS/CUBE.GCO", "My toys/Cube.gcode", 99, 0x5976643c}, {"B.GCO", "b.gcode", 2, 0}}, true},
		{"older Prusa, the name first", []string{"Begin file list", `A.GCO "a b.gcode" 7`, "End file list"}, []CardFile{{"A.GCO", "a b.gcode", 7, 0}}, true},
		{"names with spaces, and no size", []string{"Begin file list", "My file.gcode 1234", "X.GCO", "End file list"},
			[]CardFile{{"My file.gcode", "My file.gcode", 1234, 0}, {"X.GCO", "X.GCO", -1, 0}}, true},
		{"an empty card", []string{"Begin file list", "End file list"}, nil, true},
		{"no card", []string{"echo:No media"}, nil, false},
		{"strange lines between", []string{"echo:something", "Begin file list", "", "what is this", "A.GCO -5", "A.GCO 5", "DIR_EXIT", "End file list", "B.GCO 6"}, []CardFile{{"A.GCO", "A.GCO", 5, 0}}, true},
		{"torn", []string{"Begin file list", "A.GCO 5"}, []CardFile{{"A.GCO", "A.GCO", 5, 0}}, true},
	} {
		got, ok := ParseCardList(c.lines)
		if ok != c.ok || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v, want %+v, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestCardFileChanged(t *testing.T) {
	want := time.Date(2024, 11, 22, 12, 33, 56, 0, time.UTC)
	if got := (CardFile{Stamp: 0x5976643c}).Changed(time.UTC); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, stamp := range []uint32{0, 0xffffffff, 0x59760000 | 63<<5, 0x59e0643c} {
		if got := (CardFile{Stamp: stamp}).Changed(time.UTC); !got.IsZero() {
			t.Errorf("%#x: got %v for nonsense", stamp, got)
		}
	}
}

func TestParseCardWord(t *testing.T) {
	for text, want := range map[string]CardWord{
		"SD printing byte 2134/235422":                        {Kind: CardPrinting, At: 2134, Bytes: 235422},
		"SD printing byte 2134":                               {},
		"SD printing byte -1/5":                               {},
		"SD printing byte 99999999999999999999/5":             {},
		"Not SD printing":                                     {Kind: CardStill},
		"SD print paused":                                     {Kind: CardPaused},
		"File opened: benchy~1.gco Size: 1234":                {Kind: CardOpened, Path: "benchy~1.gco", Bytes: 1234},
		"File opened:BENCHY~1.GCO Size:1234":                  {Kind: CardOpened, Path: "BENCHY~1.GCO", Bytes: 1234},
		"File opened:X.GCO":                                   {Kind: CardOpened, Path: "X.GCO", Bytes: -1},
		"open failed, File: X.GCO.":                           {Kind: CardRefused, Path: "X.GCO"},
		"Current file: BENCHY~1.GCO 3D Benchy.gcode":          {Kind: CardCurrent, Path: "BENCHY~1.GCO", Name: "3D Benchy.gcode"},
		"Current file: (no file)":                             {Kind: CardCurrent},
		"Done printing file":                                  {Kind: CardDone},
		"echo:SD card ok":                                     {Kind: CardIn},
		"echo:No media":                                       {Kind: CardOut},
		"echo:No SD card":                                     {Kind: CardOut},
		"echo:SD init fail":                                   {Kind: CardOut},
		"echo:SD card released":                               {Kind: CardOut},
		"ok":                                                  {},
		"Current file: " + strings.Repeat("x", 3*maxCardName): {Kind: CardCurrent, Path: strings.Repeat("x", maxCardName)},
	} {
		if got := ParseCardWord([]byte(text)); got != want {
			t.Errorf("%.60q: got %+v, want %+v", text, got, want)
		}
	}
}

func TestCardPathFits(t *testing.T) {
	for path, want := range map[string]bool{
		"BENCHY~1.GCO": true, "/TOYS/CUBE.GCO": true, "A-B_C.G": true, "A&B!#1.GCO": true,
		"": false, "my file.gcode": false, "A;B.GCO": false, "A*7.GCO": false, "A(B).GCO": false, "A\nM112": false, "Ä.GCO": false, "A\"B.GCO": false,
		"@A.GCO": false, "/TOYS/": false, "/../A.GCO": false, "//A.GCO": false, strings.Repeat("A", 71): false, "A\\B.GCO": false, "A%sB": false,
	} {
		if got := CardPathFits(path); got != want {
			t.Errorf("%q: got %v, want %v", path, got, want)
		}
	}
}

// Whatever a card holds, what is read from it is text within bounds.
func FuzzCard(f *testing.F) {
	for _, seed := range []string{"BENCHY~1.GCO 1234 0x5976643c 3D Benchy.gcode", "DIR_ENTER: /TOYS/ \"Toys\"\n/TOYS/A.GCO 1 \"a\nDIR_EXIT\nDIR_EXIT", "\" 5", "A \"\" 5", " 0x", "SD printing byte 1/2",
		"File opened:Size:", "Current file:", "Begin file list\nEnd file list"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		lines := strings.Split(string(printable([]byte(text[:min(len(text), MaxReply)]))), "\n")
		files, ok := ParseCardList(append([]string{"Begin file list"}, lines...))
		if !ok || len(files) > maxCardFiles {
			t.Fatalf("got %d files, %v", len(files), ok)
		}
		for _, f := range files {
			if len(f.Path) > maxCardName || len(f.Name) > maxCardName || !utf8.ValidString(f.Name) || f.Bytes < -1 {
				t.Fatalf("got %+v", f)
			}
			if CardPathFits(f.Path) && strings.ContainsAny(f.Path, " \n\r;*\"()") {
				t.Fatalf("%q may stand in a line", f.Path)
			}
			f.Changed(time.UTC)
		}
		if w := ParseCardWord([]byte(text)); len(w.Path) > maxCardName || len(w.Name) > maxCardName || w.At < 0 {
			t.Fatalf("got %+v", w)
		}
	})
}

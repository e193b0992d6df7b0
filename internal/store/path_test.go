package store

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestCleanPath(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"benchy.gcode", "benchy.gcode"},
		{"Würfel 20 mm.gcode", "Würfel 20 mm.gcode"},
		{"Wu\u0308rfel.gcode", "Würfel.gcode"},
		{"деталь/корпус.gcode", "деталь/корпус.gcode"},
		{"船.gcode", "船.gcode"},
		{`a<b>c:d"e|f?g*h\i.gcode`, "a_b_c_d_e_f_g_h_i.gcode"},
		{`..\..\etc\passwd.gcode`, "_.._etc_passwd.gcode"},
		{".hidden.gcode", "hidden.gcode"},
		{"a/.b/...c.gcode", "a/b/c.gcode"},
		{"  spaced . .gcode. ", "spaced . .gcode"},
		{"a\x00b\tc\nd\x7f.gcode", "abcd.gcode"},
		{"\u202egpj.edocg", "gpj.edocg"},           // right-to-left override
		{"zero\u200bwidth\ufeff.g", "zerowidth.g"}, // zero-width space, byte order mark
		{"nbsp\u00a0thin\u2009.g", "nbsp thin .g"},
		{"line\u2028sep.g", "linesep.g"},
		{"u\u200d\u0308.g", "ü.g"}, // what an invisible joiner kept apart composes
		{"semi\u037e.g", "semi;.g"},
		{"<img src=x onerror=alert(1)>.g", "_img src=x onerror=alert(1)_.g"},
		{"$(reboot);`id`.g", "$(reboot);`id`.g"}, // no shell ever sees a name
		{"CON.gcode", "CON.gcode"},
		{"1/2/3/4/5/6/7/8.g", "1/2/3/4/5/6/7/8.g"},
		{strings.Repeat("x", 118) + ".g", strings.Repeat("x", 118) + ".g"},
	} {
		got, err := CleanPath(c.in)
		if err != nil || got != c.want {
			t.Errorf("CleanPath(%q): got %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestCleanPathRefuses(t *testing.T) {
	for _, c := range []struct{ in, why string }{
		{"", "is empty"},
		{"/etc/passwd.gcode", "is empty"},
		{"a//b.gcode", "is empty"},
		{"a/", "is empty"},
		{"..", "leads elsewhere"},
		{"../../etc/passwd.gcode", "leads elsewhere"},
		{"a/../b.gcode", "leads elsewhere"},
		{"./b.gcode", "leads elsewhere"},
		{"...", "nothing usable"},
		{"a/ . /b.g", "nothing usable"},
		{"\u200b..\u200b/x.g", "nothing usable"}, // would be .. once the invisible is gone
		{"\x00", "nothing usable"},
		{"\xff.gcode", "UTF-8"},
		{"1/2/3/4/5/6/7/8/9.g", "deep"},
		{strings.Repeat("x", 119) + ".g", "longer than 120"},
		{strings.Repeat("ы", 61), "longer than 120"},
		{strings.Repeat("x/", 3000), "longer than 4096"},
	} {
		got, err := CleanPath(c.in)
		if !errors.Is(err, ErrName) || !strings.Contains(err.Error(), c.why) {
			t.Errorf("CleanPath(%q): got %q, %v, want ErrName with %q", c.in, got, err, c.why)
		}
	}
}

func TestExtension(t *testing.T) {
	for name, ok := range map[string]bool{
		"a.gcode": true, "a.GCODE": true, "a.gco": true, "a.g": true, "a.gc": true, "a.nc": true, "x/y.z/a.g": true,
		"a.html": false, "a.svg": false, "a.gcode.html": false, "a": false, "gcode": false, "a.gcode/b": false, "a.gcode ": false,
	} {
		if err := checkExtension(name); (err == nil) != ok || err != nil && !errors.Is(err, ErrName) {
			t.Errorf("checkExtension(%q): got %v, want ok %v", name, err, ok)
		}
	}
	if err := checkExtension("a.bgcode"); err == nil || !strings.Contains(err.Error(), ".gcode .gco .g .gc .nc") {
		t.Errorf("got %v, want what is allowed", err)
	}
}

func TestUploadPath(t *testing.T) {
	for in, want := range map[string]string{
		"a.gcode": "a.gcode", "a.GCO": "a.GCO", "x/a.nc": "x/a.nc", " .a?.g ": "a_.g", // as they are, but clean
		"a.bgcode": "a.gcode", "A.BGC": "A.gcode", "x/a.b.ufp": "x/a.b.gcode", "a.3mf": "a.gcode", "a.zip": "a.gcode", "a.gco.zip": "a.gco",
		"a.gcode.gz": "a.gcode", "a.gco.GZ": "a.gco", "a.g.gz": "a.g", "a.bgcode.gz": "a.gcode",
		"a.gcode.3mf": "a.gcode", "a.G.ufp": "a.G", "a.gcode.bgcode": "a.gcode",
		strings.Repeat("x", 113) + ".bgcode": strings.Repeat("x", 113) + ".gcode",
	} {
		if got, err := UploadPath(in); err != nil || got != want {
			t.Errorf("UploadPath(%q): got %q, %v, want %q", in, got, err, want)
		}
	}
	for in, why := range map[string]string{
		"a.stl": "sliced first", "a.rar": ".gcode .gco .g .gc .nc, or be packed: .bgcode .bgc .ufp .3mf .zip .gcode.gz", "a.html": "must end", "a": "must end",
		"a.gz": "must end", "a.tar.gz": "must end", "a.gcode.gz.gz": "must end", ".ufp": "must end", ".gcode.gz": "must end", "a.stl.gz": "sliced first",
		"../a.bgcode": "leads elsewhere", "a.ufp/b": "must end", strings.Repeat("x", 115) + ".ufp": "longer than 120",
	} {
		if got, err := UploadPath(in); !errors.Is(err, ErrName) || !strings.Contains(err.Error(), why) {
			t.Errorf("UploadPath(%q): got %q, %v, want ErrName with %q", in, got, err, why)
		}
	}
}

// What an upload's name becomes is clean, can be printed, and stays.
func FuzzUploadPath(f *testing.F) {
	for _, s := range []string{"a.gcode", "x/a.bgcode", "a.gcode.gz", "a. .ufp", ".3mf", "a..gcode.bgc", "u\u0308.G.gz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := UploadPath(in)
		if err != nil {
			if !errors.Is(err, ErrName) || got != "" {
				t.Fatalf("UploadPath(%q): got %q, %v, want ErrName alone", in, got, err)
			}
			return
		}
		clean, err := CleanPath(got)
		again, errAgain := UploadPath(got)
		if err != nil || errAgain != nil || clean != got || again != got || checkExtension(got) != nil {
			t.Fatalf("UploadPath(%q): got %q, clean %q, again %q, %v, %v", in, got, clean, again, err, errAgain)
		}
	})
}

func FuzzCleanPath(f *testing.F) {
	for _, s := range []string{"a.gcode", "../x", "a/b/c.g", "\u202eabc", "Wu\u0308/\u00e9.g", " .a. ", `\..\`, "<\u0338", "u\u200d\u0308", "\u1100\u200b\u1161\u11a8"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := CleanPath(in)
		if err != nil {
			if !errors.Is(err, ErrName) || got != "" {
				t.Fatalf("CleanPath(%q): got %q, %v, want ErrName alone", in, got, err)
			}
			return
		}
		parts := strings.Split(got, "/")
		if len(parts) > maxDepth || !utf8.ValidString(got) || !norm.NFC.IsNormalString(got) {
			t.Fatalf("CleanPath(%q): got %q", in, got)
		}
		for _, part := range parts {
			if part == "" || len(part) > maxPart || part[0] == '.' || strings.ContainsAny(part, "<>:\"|?*\\\x00") ||
				strings.ContainsFunc(part, invisible) || strings.TrimSpace(part) != part || strings.HasSuffix(part, ".") {
				t.Fatalf("CleanPath(%q): part %q of %q is not safe", in, part, got)
			}
		}
		if !reachable(got) {
			t.Fatalf("CleanPath(%q): got %q, which would not be listed", in, got)
		}
		if again, err := CleanPath(got); err != nil || again != got {
			t.Fatalf("CleanPath(%q): got %q, and from that %q, %v", in, got, again, err)
		}
	})
}

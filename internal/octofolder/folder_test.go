package octofolder

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func read(t testing.TB, name string) Found {
	t.Helper()
	f, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	found, err := f.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestReal reads what OctoPrint has written, as a folder and as a backup.
func TestReal(t *testing.T) {
	for _, name := range []string{"testdata/octoprint", "testdata/backup.zip"} {
		found := read(t, name)
		if len(found.Odd) > 0 {
			t.Errorf("%s: %q", name, found.Odd)
		}
		if found.Port != "VIRTUAL" || found.Baud != 115200 || found.Used != "big" {
			t.Errorf("%s: got port %q, %d baud, profile %q", name, found.Port, found.Baud, found.Used)
		}
		runs := map[string][]bool{}
		for _, u := range found.Uploads {
			runs[u.Path] = []bool{}
			for _, r := range u.Runs {
				runs[u.Path] = append(runs[u.Path], r.Done)
				if r.Ended.Year() != 2026 || r.Done == (r.Took == 0) || r.Profile != "big" {
					t.Errorf("%s: %s: got %+v", name, u.Path, r)
				}
			}
		}
		for path, want := range map[string][]bool{"cube.gcode": {true, true}, "long.gcode": {false}, "parts/Zahnrad groß.gcode": {true}} {
			if got := runs[path]; len(runs) != 3 || len(got) != len(want) || got[0] != want[0] {
				t.Errorf("%s: %s: got %v of %v, want %v", name, path, got, runs, want)
			}
		}
		if len(found.Profiles) != 2 {
			t.Fatalf("%s: got %+v", name, found.Profiles)
		}
		p := found.Profiles[1]
		if p.ID != "big" || p.Name != "Big one" || p.WidthMM != 310 || p.DepthMM != 305 || p.HeightMM != 400 || p.Nozzles != 2 || p.OffsetsMM[1] != [2]float64{18.5, -0.5} || p.NozzleMM != 0.6 ||
			!p.HeatedBed || !p.HeatedChamber || p.TravelMMS != 150 || p.LiftMMS != 5 || strings.Join(p.Inverted, "") != "Y" || p.Round || p.Centred || p.Custom || p.SharedNozzle {
			t.Errorf("%s: got %+v", name, p)
		}
		if c := found.Camera; c == nil || c.Stream != "/webcam/?action=stream" || c.Snapshot != "http://127.0.0.1:9/webcam/?action=snapshot" || !c.FlipH || c.FlipV || !c.Rotate90CC {
			t.Errorf("%s: got %+v", name, c)
		}
		if len(found.Presets) != 2 || found.Presets[0] != (Preset{"PLA", 205, 60, 0}) {
			t.Errorf("%s: got %+v", name, found.Presets)
		}
		if s := found.Scripts; len(s) != 2 || s[0].Name != "afterPrintDone" || !s[0].Plain || s[0].Text != "G91\nG1 Z5 F600\nG90" && s[0].Text != "G91\nG1 Z5 F600\nG90\n" || s[1].Plain {
			t.Errorf("%s: got %+v", name, s)
		}
		if p := found.People; len(p) != 2 || p[0] != (Person{"ben", false, true}) || p[1] != (Person{"mia", true, true}) {
			t.Errorf("%s: got %+v", name, p)
		}
		keys := map[string]string{}
		for _, k := range found.Keys {
			keys[k.User+"/"+k.App] = k.Secret
		}
		if len(keys) != 3 || keys["mia/"] != "MIAKEY0123456789ABCDEF0123456789" || len(keys["mia/PrusaSlicer"]) < 32 || len(keys["/"]) < 32 {
			t.Errorf("%s: got %v", name, keys)
		}
	}
}

// folder makes a folder of these files.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNotOctoPrint(t *testing.T) {
	for name, dir := range map[string]string{"an empty folder": t.TempDir(), "no zip": filepath.Join(folder(t, map[string]string{"a": "b"}), "a")} {
		if f, err := Open(dir); !errors.Is(err, ErrNotOctoPrint) {
			t.Errorf("%s: got %v, %v", name, f, err)
		}
	}
}

// TestOdd reads what is damaged or made to hurt, takes the rest, and says what it did not take.
func TestOdd(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'l'; c++ {
		last := string(c - 1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat("*"+last+",", 8) + "*" + last + "]\n"
	}
	dir := folder(t, map[string]string{
		"config.yaml":                     "serial:\n  port: AUTO\n  baudrate: fast\ntemperature:\n  profiles: 7\nprinterProfiles:\n  default: one\nfolder:\n  uploads: /media/usb\n",
		"users.yaml":                      bomb,
		"printerProfiles/bomb.profile":    bomb + "volume:\n  custom_box: *k\n",
		"printerProfiles/one.profile":     "name: \"One\\u001b[31m\"\nvolume:\n  width: 100\n  depth: wide\n  custom_box:\n    x_min: -5\n",
		"printerProfiles/two.profile":     "{{{",
		"printerProfiles/notes.txt":       "mine",
		"scripts/gcode/afterPrintDone":    "M84\n",
		"uploads/.metadata.json":          `{"a.gcode": {"history": [{"timestamp": 1e300}, {"timestamp": 1700000000.5, "printTime": -5, "success": true}, 7]}}`,
		"uploads/a.gcode":                 "G28\n",
		"uploads/deep/.metadata.json":     strings.Repeat("[", 100_000),
		"uploads/deep/b.gcode":            "G28\n",
		"data/appkeys/keys.yaml":          "mia: nothing\n",
		"timelapse/one.mp4":               "film",
		"timelapse/one-fail-snapshot.jpg": "no film",
	})
	secret := filepath.Join(t.TempDir(), "secret.gcode")
	if err := os.WriteFile(secret, []byte("SECRET"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"uploads/link.gcode", "scripts/gcode/afterPrintPaused"} {
		if err := os.Symlink(secret, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Dir(secret), filepath.Join(dir, "uploads/elsewhere")); err != nil {
		t.Fatal(err)
	}
	found := read(t, dir)
	if found.Port != "" || found.Baud != 0 || found.Used != "one" || found.People != nil || found.Keys != nil {
		t.Errorf("got %+v", found)
	}
	if p := found.Profiles; len(p) != 1 || p[0].Name != "One [31m" || p[0].WidthMM != 100 || p[0].DepthMM != 0 || !p[0].Custom || p[0].ID != "one" {
		t.Errorf("got %+v", p)
	}
	if u := found.Uploads; len(u) != 2 || u[0].Path != "a.gcode" || u[1].Path != "deep/b.gcode" || len(u[1].Runs) != 0 {
		t.Errorf("got %+v", u)
	}
	if s := found.Scripts; len(s) != 1 || s[0].Name != "afterPrintDone" {
		t.Errorf("got %+v", s)
	}
	if len(found.Films) != 1 || found.Films[0] != (Film{"one.mp4", 4}) {
		t.Errorf("got %+v", found.Films)
	}
	said := strings.Join(found.Odd, "\n")
	for _, want := range []string{"/media/usb", "bomb.profile: yaml: document contains excessive aliasing", "two.profile", "uploads/.metadata.json", "uploads/deep/.metadata.json", "uploads/link.gcode: it is no file", "uploads/elsewhere: it is no file", "keys.yaml"} {
		if !strings.Contains(said, want) {
			t.Errorf("nothing is said of %s in\n%s", want, said)
		}
	}
	f, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, path := range []string{"link.gcode", "../config.yaml", "/etc/passwd", "elsewhere/secret.gcode"} {
		if got, err := f.OpenUpload(path); err == nil {
			b, _ := io.ReadAll(got)
			t.Errorf("%s was opened: %q", path, b)
		}
	}
}

// TestKeysOfTheLockedOut takes the keys of those alone whom OctoPrint lets print.
func TestKeysOfTheLockedOut(t *testing.T) {
	secret := func(name string) string { return name + strings.Repeat("x", 32-len(name)) }
	users, apps := "_version: 2\n", "gone:\n- api_key: "+secret("gone")+"\n  app_id: Cura\n"
	for name, how := range map[string]string{"ann": "active: true\n  groups: [users]", "ben": "active: true\n  roles: [user]", "off": "active: false\n  groups: [users, admins]", "look": "active: true\n  groups: [readonly]"} {
		users += name + ":\n  " + how + "\n  apikey: " + secret(name) + "\n"
		apps += name + ":\n- api_key: " + secret(name+"app") + "\n  app_id: Cura\n"
	}
	found := read(t, folder(t, map[string]string{"config.yaml": "{}", "users.yaml": users, "data/appkeys/keys.yaml": apps}))
	var got []string
	for _, k := range found.Keys {
		got = append(got, strings.TrimRight(k.Secret, "x"))
	}
	if slices.Sort(got); !slices.Equal(got, []string{"ann", "annapp", "ben", "benapp"}) || len(found.Odd) != 5 {
		t.Errorf("got %v, %q", got, found.Odd)
	}
}

// FuzzRead gives any text for each of the files, and any bytes for a backup.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"config.yaml", "users.yaml", "printerProfiles/big.profile", "uploads/.metadata.json", "data/appkeys/keys.yaml"} {
		text, err := os.ReadFile(filepath.Join("testdata/octoprint", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	packed, err := os.ReadFile("testdata/backup.zip")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Fuzz(func(t *testing.T, b []byte) {
		text := string(b)
		found := read(t, folder(t, map[string]string{"config.yaml": text, "users.yaml": text, "printerProfiles/a.profile": text, "uploads/.metadata.json": text, "uploads/a.gcode": text, "data/appkeys/keys.yaml": text}))
		for _, said := range found.Odd {
			if strings.ContainsAny(said, "\x1b\r\n") {
				t.Errorf("it would move a terminal: %q", said)
			}
		}
		name := filepath.Join(t.TempDir(), "a.zip")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if packed, err := Open(name); err == nil {
			if _, err := packed.Read(t.Context()); err != nil {
				t.Error(err)
			}
			packed.Close()
		}
	})
}

// TestHostileZip has names that lead outside.
func TestHostileZip(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range map[string]string{"basedir/config.yaml": "{}", "basedir/uploads/../../evil.gcode": "x", "/basedir/uploads/a.gcode": "x", "basedir/uploads/good.gcode": "G28\n"} {
		to, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(to, text)
	}
	link := &zip.FileHeader{Name: "basedir/uploads/link.gcode"}
	link.SetMode(os.ModeSymlink | 0o777)
	to, err := w.CreateHeader(link)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(to, "/etc/passwd")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "a.zip")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if found := read(t, name); len(found.Uploads) != 2 || found.Uploads[0].Path != "a.gcode" || found.Uploads[1].Path != "good.gcode" {
		t.Errorf("got %+v", found.Uploads)
	}
}

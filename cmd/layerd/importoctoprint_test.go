package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layerd/camera"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// TestImportOctoPrint takes over what a real OctoPrint has left, from its folder and from its backup, twice, and looks at it through the daemon.
func TestImportOctoPrint(t *testing.T) {
	t.Parallel()
	for _, from := range []string{"../../internal/octofolder/testdata/octoprint", "../../internal/octofolder/testdata/backup.zip"} {
		data := filepath.Join(t.TempDir(), "data")
		move := func(code int, args ...string) ended {
			t.Helper()
			e := runLayerd(t, plain(t), append([]string{"import-octoprint", from, "--config", emptyConfig, "--data", data}, args...)...)
			if e.code != code {
				t.Fatalf("%s %q: got %+v", from, args, e)
			}
			return e
		}
		says := func(what string, e ended, words ...string) {
			t.Helper()
			for _, w := range words {
				if !strings.Contains(e.out, w) {
					t.Errorf("%s, %s: nothing is said of %q in\n%s", from, what, w, e.out)
				}
			}
		}
		says("dry", move(0, "--dry-run"), "Would be taken:", "3 files", "4 prints of the history", `the printer profile "Big one", which is in use now`, "how the camera hangs", "afterPrintDone", "3 keys")
		if _, err := os.Stat(data); err == nil {
			t.Errorf("%s: a dry run made %s", from, data)
		}
		first := move(0, "--with-keys")
		says("first", first, "Taken:", "3 files", "4 prints", `"PrusaSlicer of mia", as an operator's`, `"API key of mia"`, `"OctoPrint's API key"`,
			"Not taken:", `"mia", who was owner there: passwords are not taken over`, `"afterPrintPaused": it is a Jinja template`, "PLA 205/60 °C", `jogs Y the other way round`, `"VIRTUAL" at 115200 baud`)
		second := move(0, "--with-keys")
		if strings.Contains(second.out, "Taken:\n") && !strings.Contains(second.out, "Not taken:\n") || strings.Contains(second.out, "\nTaken:") || strings.HasPrefix(second.out, "Taken:") {
			t.Errorf("%s: the second time it took something:\n%s", from, second.out)
		}
		says("second", second, "3 files: there already", "4 prints of the history: there already", "the camera: one is set up already", `"afterPrintDone": there already`)

		d := startDaemon(t, data, []string{"LAYERD_PRINTER_PORT=/none", "LAYERD_PRINTER_BAUD=115200"})
		files := map[string]store.File{}
		for _, f := range d.files() {
			files[f.Path] = f
		}
		if f := files["parts/Zahnrad groß.gcode"]; len(files) != 4 || f.Prints != 1 && f.Prints != 3 || f.SHA256 == "" || files["long.gcode"].LastOutcome != "cancelled" {
			t.Errorf("%s: got %+v", from, files)
		}
		prints := d.prints()
		if len(prints) != 4 || prints[0].File != "parts/Zahnrad groß.gcode" || prints[0].Outcome != "done" || prints[0].FilamentMM < 5 || prints[1].Outcome != "cancelled" || prints[3].File != "cube.gcode" || prints[0].By != "OctoPrint" {
			t.Errorf("%s: got %+v", from, prints)
		}
		if s := d.state(); s.LastJob != nil {
			t.Errorf("%s: one of them counts as the last job of layerd: %+v", from, s.LastJob)
		}
		shelf := get[printer.Shelf](d, "/v1/profiles")
		if p := shelf.Used(); p.Name != "Big one" || p.WidthMM != 310 || p.DepthMM != 305 || p.HeightMM != 400 || p.Nozzles != 2 || len(p.Tools) != 2 || p.Tools[1].XMM != 18.5 || p.NozzleMM != 0.6 || p.TravelMMS != 150 || p.ParkYMM != 295 {
			t.Errorf("%s: got %+v", from, p)
		}
		if c := get[server.Choices](d, "/v1/choices").Setups; len(c) != 1 || c[0].Settings != (camera.Settings{FlipH: true, Rotate: 270}) {
			t.Errorf("%s: got %+v", from, c)
		}
		if status, _ := d.ask("GET", "/v1/state", "MIAKEY0123456789ABCDEF0123456789", nil); status != 200 {
			t.Errorf("%s: the slicer's old key: status %d", from, status)
		}
		if status, _ := d.ask("GET", "/v1/people", "MIAKEY0123456789ABCDEF0123456789", nil); status != 403 {
			t.Errorf("%s: the slicer's old key is an owner's: status %d", from, status)
		}
		if beside := move(1); !strings.Contains(beside.err, "stop it first") {
			t.Errorf("%s: beside a daemon: got %+v", from, beside)
		}
	}
}

// TestImportOfNothing refuses what is none.
func TestImportOfNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := runLayerd(t, plain(t), "import-octoprint", dir, "--config", emptyConfig, "--data", filepath.Join(dir, "data"))
	if e.code != 1 || !strings.Contains(e.err, "no folder of OctoPrint") {
		t.Errorf("got %+v", e)
	}
}

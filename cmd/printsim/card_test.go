package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestCardFiles(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"3D Benchy.gcode", "3D Benchmark.gcode", "CUBE.G", "notes.txt", "Ä.gcode"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("G28\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		when := time.Date(2026, 1, 10-i, 0, 0, 0, 0, time.UTC)
		if err := os.Chtimes(path, when, when); err != nil {
			t.Fatal(err)
		}
	}
	files, err := cardFiles(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range files {
		got[f.Path] = f.Long
	}
	if len(files) != 4 || files[0].Long != "3D Benchy.gcode" || got["CUBE.G"] != "CUBE.G" || got["FILE~1.GCO"] != "Ä.gcode" || got["3DBENC~1.GCO"] == "" || got["3DBENC~2.GCO"] == "" {
		t.Errorf("got %v, the first %q", got, files[0].Long)
	}
	if _, err := cardFiles(filepath.Join(dir, "none")); err == nil {
		t.Error("a folder that is not there: no error")
	}
}

package server

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"layerd/internal/guard"
	"layerd/printer"
)

// quiet is a printer of which nothing is heard.
type quiet struct{ guard.Printer }

func (quiet) Snapshots() *printer.Snapshots { return newFakePrinter().Snapshots() }

func TestRecordings(t *testing.T) {
	r := newRig(t)
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "r1"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"0001.json": "{}", "0001-0.jpg": "a picture"} {
		if err := os.WriteFile(filepath.Join(dir, "r1", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.guard.packs = guard.New(guard.Config{Printer: quiet{}, Dir: dir})

	var list RecordingList
	if w := r.do("GET", "/v1/recordings", "owner", nil); w.Code != 200 || json.Unmarshal(w.Body.Bytes(), &list) != nil || len(list.Recordings) != 2 ||
		list.Bytes != 12_300_000 || list.LimitBytes != 500_000_000 || list.LeastBytes != guard.LeastFree || list.FreeBytes <= 0 {
		t.Errorf("the list: got %d %s", w.Code, w.Body)
	}
	w := r.do("GET", "/v1/recordings/r1", "owner", nil)
	if kind, name := w.Header().Get("Content-Type"), w.Header().Get("Content-Disposition"); w.Code != 200 || kind != "application/zip" || !strings.Contains(name, `layerd-shifts-r1.zip`) {
		t.Errorf("taken away: got %d %q %q", w.Code, kind, name)
	}
	archive, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len()))
	if err != nil || len(archive.File) != 2 || archive.File[0].Name != "r1/0001-0.jpg" {
		t.Errorf("the archive: got %v, %v", archive, err)
	}
	for _, c := range []struct {
		method, path, role, code string
		status                   int
	}{
		{"GET", "/v1/recordings", "operator", "role_too_low", 403},
		{"GET", "/v1/recordings/r1", "operator", "role_too_low", 403},
		{"DELETE", "/v1/recordings/r1", "operator", "role_too_low", 403},
		{"GET", "/v1/recordings/r2", "owner", "no_recording", 404},
		{"GET", "/v1/recordings/..", "owner", "no_recording", 404},
		{"GET", "/v1/recordings/r1/0001.json", "owner", "no_recording", 404},
		{"GET", "/v1/recordings/..%2Fr1", "owner", "no_recording", 404},
		{"DELETE", "/v1/recordings/now", "owner", "guard_busy", 409},
		{"DELETE", "/v1/recordings/r2", "owner", "no_recording", 404},
	} {
		if w := r.do(c.method, c.path, c.role, nil); w.Code != c.status || errorCode(t, w.Body.Bytes()) != c.code {
			t.Errorf("%s %s as %s: got %d %s, want %d %s", c.method, c.path, c.role, w.Code, w.Body, c.status, c.code)
		}
	}
	if w := r.do("DELETE", "/v1/recordings/r1", "owner", nil); w.Code != 204 {
		t.Errorf("deleted: got %d %s", w.Code, w.Body)
	}
	if want := []string{"delete r1"}; !reflect.DeepEqual(r.guard.done, want) {
		t.Errorf("the guard was told %q, want %q", r.guard.done, want)
	}
}

package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What is named by an ID is no file that somebody chooses: nothing that is not of that kind is shown, and nothing is deleted.
func TestIDsAreNoPaths(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	data := filepath.Join(top, "data")
	d := startDaemon(t, data, port(top+"/none"))
	d.put("kept.gcode", ring(t))
	const secret = "SECRET of another program"
	for _, name := range []string{filepath.Join(top, "secret"), filepath.Join(data, "secret.jpg"), filepath.Join(data, "timelapse", "secret")} {
		if err := os.WriteFile(name, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (all []string) {
		err := filepath.WalkDir(top, func(name string, _ fs.DirEntry, err error) error {
			if !strings.Contains(filepath.Base(name), "layerd.db-") { // comes and goes
				all = append(all, name)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	before := names()
	ids := []string{"secret", "../secret", "../../secret", "../layerd.db", "../data/layerd.db", "/etc/passwd", data + "/layerd.db", "./secret.jpg", "..", ".", "*", "%", "' OR '1'='1", "kept.gcode/../../secret.jpg", "secret\x00.jpg", "../files/kept.gcode"}
	asked := 0
	for _, route := range []string{"/v1/logs/*", "/v1/curves/*", "/v1/pictures/*", "/v1/timelapses/*", "/v1/timelapses/*/video", "/v1/timelapses/*/poster", "/v1/timelapses/*/frames/0", "/v1/eeprom/copies/*", "/v1/shots/*", "/v1/thumbnails/*", "/v1/files/*",
		"/v1/neighbours/*", "/v1/people/*", "/v1/tokens/*", "/v1/sessions/*", "/assets/*", "/*"} {
		for _, id := range ids {
			for _, form := range []string{id, strings.ReplaceAll(id, "/", "%2f"), strings.ReplaceAll(strings.ReplaceAll(id, "/", "%2F"), ".", "%2e")} {
				form = strings.NewReplacer(" ", "%20", "'", "%27", "\x00", "%00").Replace(form)
				if strings.HasSuffix(form, "%") {
					form += "25"
				}
				for _, method := range []string{"GET", "DELETE"} {
					asked++
					answer := d.wire(method + " " + strings.ReplaceAll(route, "*", form) + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + d.token + "\r\nConnection: close\r\n\r\n")
					page := route == "/*" && (id == "." || id == "..")                                                                                             // which may be the page itself
					none := strings.HasPrefix(answer, "HTTP/1.1 4") || strings.HasPrefix(answer, "HTTP/1.1 503") || strings.HasSuffix(answer, `{"lines":[]}`+"\n") // no picture, no log
					if !none && !page || strings.Contains(answer, secret) || strings.Contains(answer, "SQLite format") || strings.Contains(answer, "root:") {
						t.Errorf("%s %s of %q: got %.300q, want nothing", method, route, form, answer)
					}
				}
			}
		}
	}
	if after := names(); !slices.Equal(after, before) || asked < 1000 {
		t.Errorf("after %d requests there are\n%q, want\n%q", asked, after, before)
	}
	if list := d.files(); len(list) != 1 {
		t.Errorf("there are %d files", len(list))
	}
}

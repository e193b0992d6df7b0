package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"layerd/gcode"
	"layerd/internal/store"
	"layerd/printer"
)

func TestUpload(t *testing.T) {
	r := newRig(t)
	w := r.do("PUT", "/v1/files/toys/a%20b%C3%A9.gcode", "operator", strings.NewReader("G28\n"))
	var file store.File
	if err := json.Unmarshal(w.Body.Bytes(), &file); err != nil || w.Code != 201 || file.Path != "toys/a bé.gcode" || file.Bytes != 4 {
		t.Errorf("got %d %s, want 201 and the file", w.Code, w.Body)
	}
	if got, want := w.Header().Get("Location"), "/v1/files/toys/a%20b%C3%A9.gcode"; got != want {
		t.Errorf("got Location %q, want %q", got, want)
	}
	for query, want := range map[string]int{"": 200, "?overwrite=0": 409, "?overwrite=maybe": 400, "?overwrite=1": 200} {
		if w := r.do("PUT", "/v1/files/cube.gcode"+query, "operator", strings.NewReader("G28\n")); w.Code != want {
			t.Errorf("again with %q: got %d, want %d", query, w.Code, want)
		}
	}
}

// The name that counts is the one under which a packed file is stored.
func TestUploadOfWhatIsPacked(t *testing.T) {
	r := newRig(t)
	for path, want := range map[string]string{
		"new.bgcode": "201 new.gcode", "toys/a.gco.gz": "201 toys/a.gco", "cube.ufp": "200 cube.gcode", "cube.bgcode?overwrite=0": "409 exists", "cube.gz": "400 bad_name", "cube.stl": "400 bad_name",
	} {
		w := r.do("PUT", "/v1/files/"+path, "operator", strings.NewReader("G28\n"))
		var file store.File
		json.Unmarshal(w.Body.Bytes(), &file)
		if got := fmt.Sprint(w.Code, " ", file.Path+errorCode(t, w.Body.Bytes())); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
		if at := w.Header().Get("Location"); w.Code < 300 && at != "/v1/files/"+file.Path {
			t.Errorf("%s: got Location %q", path, at)
		}
	}
}

func TestUploadErrors(t *testing.T) {
	for err, want := range map[error]string{
		store.ErrNoSpace: "507 no_space", store.ErrInUse: "409 in_use", fmt.Errorf("%w of 2 GiB", store.ErrTooBig): "413 too_big",
		fmt.Errorf("%w: %w", store.ErrNotGCode, &gcode.LineError{Line: 7, Err: gcode.ErrBinary}): "422 not_gcode",
	} {
		r := newRig(t)
		r.files.failPut = err
		w := r.do("PUT", "/v1/files/new.gcode", "operator", strings.NewReader("x"))
		if got := fmt.Sprint(w.Code, " ", errorCode(t, w.Body.Bytes())); got != want {
			t.Errorf("%v: got %s, want %s", err, got, want)
		}
		if want == "422 not_gcode" && !strings.Contains(w.Body.String(), "line 7") {
			t.Errorf("got %s, want the line named", w.Body)
		}
	}
}

// A line that the printer can never take is refused where the printer is known, and named; where none is, start refuses it later.
func TestUploadOfALineThatIsTooLong(t *testing.T) {
	for _, c := range []struct {
		dialect, line string
		want          string
	}{
		{"marlin", "SET_PIN " + strings.Repeat("A=1 ", 25), "422 line_too_long"},
		{"", "SET_PIN " + strings.Repeat("A=1 ", 25), "201"},
		{"klipper", "SET_PIN " + strings.Repeat("A=1 ", 25), "201"},
		{"marlin", "G1 " + strings.Repeat("Y0.000000 ", 12), "201"},
		{"marlin", "M117 " + strings.Repeat("x", 200), "201"},
	} {
		r := newRig(t)
		r.printer.change(func(s *printer.Snapshot) { s.Connection.Dialect = c.dialect })
		w := r.do("PUT", "/v1/files/new.gcode", "operator", strings.NewReader("G28\n"+c.line+"\nG28\n"))
		got := strings.TrimSpace(fmt.Sprint(w.Code, " ", errorCode(t, w.Body.Bytes())))
		if got != c.want {
			t.Errorf("%s, %.20s…: got %s, want %s", c.dialect, c.line, got, c.want)
		}
		if _, kept := r.files.files["new.gcode"]; kept != (c.want == "201") {
			t.Errorf("%s, %.20s…: kept %v", c.dialect, c.line, kept)
		}
		if w.Code == 422 && !strings.Contains(w.Body.String(), "Line 2 is 107 bytes long after shortening; this printer's firmware takes 81.") {
			t.Errorf("got %s", w.Body)
		}
	}
}

func TestPathsThatAreNone(t *testing.T) {
	host := newRig(t).listen(t)
	answered := 0
	for _, path := range []string{"..%2f..%2fetc%2fpasswd", "a/..%2Fb.gcode", "%2e%2e/b.gcode", "../b.gcode", "a/../b.gcode", "./b.gcode", "a//b.gcode", "a%2F%2Fb.gcode",
		"/etc/passwd", "a%00.gcode", "a%0a.gcode", "a%0d%0aX: y.gcode", "..%5cb.gcode", "%2Fb.gcode", "b.gcode/", "%7f.gcode", ".."} {
		for _, q := range []struct{ method, prefix string }{{"GET", "files"}, {"PUT", "files"}, {"DELETE", "files"}, {"GET", "thumbnails"}} {
			req, err := http.NewRequest(q.method, "http://"+host, strings.NewReader("G28\n"))
			if err != nil {
				t.Fatal(err)
			}
			req.URL.Opaque = "/v1/" + q.prefix + "/" + path // as it stands
			req.Header.Set("Authorization", "Bearer owner")
			answer, err := http.DefaultTransport.RoundTrip(req)
			if err != nil {
				continue // net/http refuses to send or to take it
			}
			answered++
			body, _ := io.ReadAll(answer.Body)
			answer.Body.Close()
			if answer.StatusCode != 400 {
				t.Errorf("%s %s: got %d %s, want 400", q.method, req.URL.Opaque, answer.StatusCode, body)
			}
		}
	}
	if answered < 60 {
		t.Errorf("only %d of the requests got to the server", answered)
	}
}

func TestEncodedSlashesAreFolders(t *testing.T) {
	r := newRig(t)
	r.files.add("toys/a.gcode", "G28\n")
	for _, target := range []string{"/v1/files/toys/a.gcode", "/v1/files/toys%2Fa.gcode"} {
		if w := r.do("GET", target, "operator", nil); w.Code != 200 || w.Body.String() != "G28\n" {
			t.Errorf("%s: got %d %s", target, w.Code, w.Body)
		}
	}
}

// Whatever is in a file, and whatever it is called, a browser only saves it.
func TestDownloadIsNeverRun(t *testing.T) {
	r := newRig(t)
	name := `x".html; filename=y.js` + "é.gcode"
	r.files.add(name, "<script>alert(1)</script>")
	w := r.do("GET", "/v1/files/"+strings.ReplaceAll(strings.ReplaceAll(name, " ", "%20"), `"`, "%22"), "operator", nil)
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "text/plain; charset=utf-8" || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("got %d %v", w.Code, h)
	}
	if d := h.Get("Content-Disposition"); !strings.HasPrefix(d, "attachment; filename*=utf-8''x%22.html%3B") {
		t.Errorf("got Content-Disposition %q, want an attachment with an escaped name", d)
	}
	ranged := r.do("GET", "/v1/files/cube.gcode", "operator", nil, func(q *http.Request) { q.Header.Set("Range", "bytes=4-5") })
	if ranged.Code != 206 || ranged.Body.String() != "G1" {
		t.Errorf("a range: got %d %q, want 206 G1", ranged.Code, ranged.Body)
	}
}

func TestThumbnail(t *testing.T) {
	r := newRig(t)
	r.files.add("evil.gcode", "G28\n")
	w := r.do("GET", "/v1/thumbnails/cube.gcode", "viewer", nil)
	if w.Code != 200 || w.Header().Get("Content-Type") != "image/png" || w.Body.String() != "\x89PNG" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
	tag := w.Header().Get("ETag")
	if w := r.do("GET", "/v1/thumbnails/cube.gcode", "viewer", nil, func(q *http.Request) { q.Header.Set("If-None-Match", tag) }); w.Code != 304 {
		t.Errorf("the same again: got %d, want 304", w.Code)
	}
	if w := r.do("GET", "/v1/thumbnails/evil.gcode", "viewer", nil); w.Code != 404 {
		t.Errorf("a picture that is a page: got %d %s, want 404", w.Code, w.Body)
	}
}

func TestListsAreLists(t *testing.T) {
	r := newRig(t)
	r.files.mu.Lock()
	clear(r.files.files)
	r.files.mu.Unlock()
	for target, want := range map[string]string{"/v1/files": `{"files":[],`, "/v1/prints": `{"prints":[]}`, "/v1/prints?limit=3&before_ms=5": `{"prints":[]}`, "/v1/prints?before=0&limit=100": `{"prints":[]}`} {
		if w := r.do("GET", target, "viewer", nil); w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: got %d %s, want %s", target, w.Code, w.Body, want)
		}
	}
	for _, query := range []string{"limit=0", "limit=501", "limit=x", "before_ms=-1", "before_ms=x"} {
		if w := r.do("GET", "/v1/prints?"+query, "viewer", nil); w.Code != 400 {
			t.Errorf("%s: got %d, want 400", query, w.Code)
		}
	}
	if state := r.do("GET", "/v1/state", "viewer", nil).Body.String(); !strings.Contains(state, `"nozzles":[]`) || !strings.Contains(state, `"ports":[]`) || !strings.Contains(state, `"locked":{}`) {
		t.Errorf("got %s, want empty lists, not null", state)
	}
}

func TestUploadsAreBounded(t *testing.T) {
	r := newRig(t)
	for range cap(r.uploads) {
		r.uploads <- struct{}{}
	}
	if w := r.do("PUT", "/v1/files/new.gcode", "operator", watchedBody{t}); w.Code != 503 {
		t.Errorf("got %d, want 503", w.Code)
	}
}

// A body may take hours as long as it moves; one that stands still or drips is ended.
func TestSlowUploads(t *testing.T) {
	for name, c := range map[string]struct {
		chunk  int
		chunks int
		every  time.Duration
		want   string // status, or how long until the end
	}{
		"4 KiB a second for an hour": {4096, 3600, time.Second, "201"},
		"a pause of 29 s":            {64 << 10, 100, 29 * time.Second, "201"},
		"a pause of 31 s":            {64 << 10, 100, 31 * time.Second, "408"},
		"a byte every 5 s":           {1, 100, 5 * time.Second, "408"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				l := newPipes()
				r.serveOn(t, l)
				conn, err := l.dial()
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				status := make(chan string, 1)
				go func() {
					head := make([]byte, 12)
					io.ReadFull(conn, head)
					status <- string(head[9:])
					io.Copy(io.Discard, conn)
				}()
				fmt.Fprintf(conn, "PUT /v1/files/slow.gcode HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer operator\r\nContent-Length: %d\r\n\r\n", c.chunk*c.chunks)
				began := time.Now()
				for range c.chunks {
					time.Sleep(c.every)
					if _, err := conn.Write(make([]byte, c.chunk)); err != nil {
						break
					}
				}
				if got := <-status; got != c.want {
					t.Errorf("got %s after %v, want %s", got, time.Since(began), c.want)
				}
				if c.want == "408" && time.Since(began) > 3*time.Minute {
					t.Errorf("it took %v to notice", time.Since(began))
				}
			})
		})
	}
}

func TestPage(t *testing.T) {
	r := newRig(t)
	w := r.do("GET", "/", "", nil)
	if w.Code != 200 || w.Body.String() != "<!doctype html>" || w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Cache-Control") != "no-cache" {
		t.Errorf("got %d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := r.do("GET", "/", "", nil, func(q *http.Request) { q.Header.Set("If-None-Match", w.Header().Get("ETag")) }); w.Code != 304 || w.Body.Len() != 0 {
		t.Errorf("the same again: got %d, want 304", w.Code)
	}
	if w := r.do("GET", "/favicon.svg", "", nil); w.Code != 200 || w.Header().Get("Content-Type") != "image/svg+xml" {
		t.Errorf("the icon: got %d %v", w.Code, w.Header())
	}
	asset := r.do("GET", "/assets/app-1234.js", "", nil, func(q *http.Request) { q.Header.Set("Accept-Encoding", "br, gzip") })
	if !strings.Contains(asset.Header().Get("Cache-Control"), "immutable") || asset.Header().Get("Content-Encoding") != "gzip" || asset.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Fatalf("an asset: got %v, want it immutable and compressed", asset.Header())
	}
	z, err := gzip.NewReader(asset.Body)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(plain, bytes.Repeat([]byte("let a = 1;\n"), 500)) {
		t.Errorf("got %d bytes, %v, want the script", len(plain), err)
	}
	if plain := r.do("GET", "/assets/app-1234.js", "", nil); plain.Header().Get("Content-Encoding") != "" || plain.Body.Len() != 5500 {
		t.Errorf("without gzip: got %v and %d bytes", plain.Header(), plain.Body.Len())
	}
}

func TestPlaceholderWhereThePageWasNotBuilt(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Page = fstest.MapFS{"placeholder.html": {Data: []byte("not built")}} })
	if w := r.do("GET", "/", "", nil); w.Code != 200 || !strings.Contains(w.Body.String(), "not built") {
		t.Errorf("got %d %s, want the placeholder", w.Code, w.Body)
	}
	none := newRig(t, func(c *Config) { c.Page = nil })
	if w := none.do("GET", "/", "", nil); w.Code != 404 {
		t.Errorf("without a page: got %d, want 404", w.Code)
	}
}

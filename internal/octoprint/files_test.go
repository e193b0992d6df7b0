package octoprint

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"layerd/internal/access"
)

func TestFiles(t *testing.T) {
	r := newRig(t, 50)
	r.get("/api/files").is(200).has(map[string]any{"files.0": "(missing)"})
	r.upload(access.Operator, part(2), "path=sub/in", "file=big.gcode", "select=true").is(201).has(map[string]any{"effectiveSelect": true, "effectivePrint": false, "files.local.path": "sub/in/big.gcode", "files.local.name": "big.gcode"})
	r.upload(access.Operator, part(1), "file=small part.gcode").is(201).has(map[string]any{"files.local.refs.resource": r.url + "/api/files/local/small%20part.gcode"})
	for range 2 { // again is as well
		r.upload(access.Operator, "", "foldername=things", "path=").is(201).has(map[string]any{"done": true, "folder.name": "things", "folder.path": "things", "folder.origin": "local", "folder.refs.resource": r.url + "/api/files/local/things"})
	}
	r.upload(access.Operator, "", "foldername=small part.gcode").refused(409)
	r.get("/api/job").has(map[string]any{"job.file.path": "sub/in/big.gcode"})

	list := r.get("/api/files?recursive=true").is(200).has(map[string]any{
		"files.0.name": "sub", "files.0.type": "folder", "files.0.typePath.0": "folder", "files.0.size": len(part(2)), "files.0.prints.success": 0, "files.0.refs.resource": r.url + "/api/files/local/sub", "files.0.refs.download": "(missing)",
		"files.0.children.0.name": "in", "files.0.children.0.children.0.path": "sub/in/big.gcode", "files.1.name": "things", "files.1.children.0": "(missing)",
		"files.2.name": "small part.gcode", "files.2.display": "small part.gcode", "files.2.origin": "local", "files.2.type": "machinecode", "files.2.typePath.1": "gcode", "files.2.size": len(part(1)), "files.2.prints": "(missing)", "files.2.children": "(missing)",
		"files.2.gcodeAnalysis.filament.tool0.length": 3, "files.2.gcodeAnalysis.dimensions.width": 20, "files.2.gcodeAnalysis.printingArea.maxX": 30, "files.2.refs.download": r.url + "/downloads/files/local/small%20part.gcode"})
	if free, total := list.at("free"), list.at("total"); free.(float64) <= 0 || total.(float64) < free.(float64) || bytes.Contains(list.body, []byte(`"children":null`)) {
		t.Errorf("got %s", list.body)
	}
	if took, _ := list.at("files.2.gcodeAnalysis.estimatedPrintTime").(float64); took <= 0 {
		t.Errorf("estimated: %v", took)
	}
	r.get("/api/files/local").has(map[string]any{"files.0.name": "sub", "files.0.children.0": "(missing)", "files.0.size": len(part(2))})
	r.get("/api/files/local/sub").has(map[string]any{"name": "sub", "children.0.name": "in", "children.0.children.0": "(missing)"})
	r.get("/api/files/local/sub?recursive=true").has(map[string]any{"children.0.children.0.name": "big.gcode"})
	r.get("/api/files/local/sub%2Fin%2Fbig.gcode").has(map[string]any{"path": "sub/in/big.gcode"})
	r.get("/api/files?filter=model").has(map[string]any{"files.1.name": "things", "files.2": "(missing)"})
	r.get("/downloads/files/local/sub/in/big.gcode").is(200)
	r.send(access.Viewer, "GET", "/downloads/files/local/sub/in/big.gcode", "", nil).refused(403)

	r.post("/api/files/local/small%20part.gcode", `{"command":"select"}`).is(204)
	r.get("/api/job").has(map[string]any{"job.file.path": "small part.gcode", "job.filament.tool0.length": 3})
	r.post("/api/files/local/other.gcode", `{"command":"unselect"}`).refused(400)
	r.post("/api/files/local/things", `{"command":"select"}`).refused(404)
	r.post("/api/files/local/current", `{"command":"unselect"}`).is(204)
	r.get("/api/job").has(map[string]any{"job.file.path": nil})
	r.post("/api/files/local/current", `{"command":"unselect"}`).refused(409)
	r.post("/api/files/local/small%20part.gcode", `{"command":"analyse"}`).is(204)
	r.post("/api/files/local/small%20part.gcode", `{"command":"slice"}`).refused(415)
	r.post("/api/files/local/small%20part.gcode", `{"command":"uploadSd"}`).refused(409)
	r.post("/api/files/local/small%20part.gcode", `{"command":"eat"}`).refused(400)

	made := r.post("/api/files/local/small%20part.gcode", `{"command":"copy","destination":"things"}`).is(201).has(map[string]any{"name": "small part.gcode", "path": "things/small part.gcode", "origin": "local"})
	if got := made.header.Get("Location"); got != r.url+"/api/files/local/things/small%20part.gcode" {
		t.Errorf("Location: got %q", got)
	}
	r.post("/api/files/local/small%20part.gcode", `{"command":"copy","destination":"/b.gcode"}`).is(201).has(map[string]any{"path": "b.gcode", "name": "small part.gcode"})
	r.post("/api/files/local/small%20part.gcode", `{"command":"copy","destination":"b.gcode"}`).refused(409)
	r.post("/api/files/local/small%20part.gcode", `{"command":"copy","destination":"b.html"}`).refused(415)
	r.post("/api/files/local/things", `{"command":"copy","destination":"other"}`).refused(400)
	r.post("/api/files/local/b.gcode", `{"command":"move","destination":"b.html"}`).refused(415)
	r.post("/api/files/local/b.gcode", `{"command":"move","destination":"../c.gcode"}`).refused(409)
	r.post("/api/files/local/b.gcode", `{"command":"move"}`).refused(400)
	r.post("/api/files/local/b.gcode", `{"command":"move","destination":"things/small part.gcode"}`).refused(409)
	r.post("/api/files/local/b.gcode", `{"command":"select"}`).is(204)
	r.post("/api/files/local/b.gcode", `{"command":"move","destination":"sub"}`).is(201).has(map[string]any{"path": "sub/b.gcode"})
	r.get("/api/job").has(map[string]any{"job.file.path": nil})
	r.post("/api/files/local/things", `{"command":"move","destination":"stuff"}`).is(201).has(map[string]any{"path": "stuff", "refs.download": "(missing)"})

	for body, want := range map[string]map[string]any{
		`{"command":"exists","storage":"local","path":"sub","filename":"b.gcode"}`:           {"exists": true, "suggestion": "b_1.gcode", "size": len(part(1))},
		`{"command":"exists","storage":"local","path":"","filename":"none.gcode"}`:           {"exists": false},
		`{"command":"sanitize","storage":"local","path":"a/../b","filename":"x:y?.gcode"}`:   {"sanitized": "b/x_y_.gcode"},
		`{"command":"sanitize","storage":"local","path":"../../etc","filename":"p.gcode"}`:   {"sanitized": "etc/p.gcode"},
		`{"command":"sanitize","storage":"local","path":"","filename":"..\\..\\boot.gcode"}`: {"sanitized": "boot.gcode"},
	} {
		r.post("/api/files/test", body).is(200).has(want)
	}
	r.post("/api/files/test", `{"command":"exists","storage":"moon","path":"","filename":"a"}`).refused(400)

	r.send(access.Operator, "DELETE", "/api/files/local/sub", "", nil).is(204)
	r.get("/api/files/local/sub").refused(404)
	r.send(access.Operator, "DELETE", "/api/files/local/sub", "", nil).refused(404)
	r.send(access.Operator, "DELETE", "/api/files/other/sub", "", nil).refused(404)
}

// Fields count in any order, and what comes after the file has the last word on its name.
func TestUploadFieldsInAnyOrder(t *testing.T) {
	r := newRig(t, 50)
	for _, c := range []struct {
		want  string
		parts []string
	}{
		{"a/x.gcode", []string{"path=a", "select=false", "file=x.gcode"}},
		{"b/x.gcode", []string{"file=x.gcode", "path=b", "print=false"}},
		{"x.gcode", []string{"path=", "file=x.gcode"}},
		{"c/y.gcode", []string{"file=c/y.gcode"}},
		{"d/y.gcode", []string{"file=c/y.gcode", "path=d"}},
		{"d/z.gcode", []string{"filename=z.gcode", "file=y.gcode", "path=d"}},
		{"e/f/x.gcode", []string{"path=/e//f/", "file=x.gcode"}},
		{"boot.gcode", []string{`file=C:\..\..\boot.gcode`}},
		{"g/x.gcode", []string{"userdata={}", "file=x.gcode", "other=1", "path=g"}},
	} {
		a := r.upload(access.Operator, part(1), c.parts...)
		a.what += strings.Join(c.parts, " ")
		if c.want == "boot.gcode" {
			if got, _ := a.is(201).at("files.local.path").(string); strings.Contains(got, "..") || !strings.HasSuffix(got, "boot.gcode") {
				t.Errorf("%s: got %q", a.what, got)
			}
			continue
		}
		a.is(201).has(map[string]any{"files.local.path": c.want})
	}
	r.upload(access.Operator, part(1), "path=../../etc", "file=x.gcode").refused(400)
	r.upload(access.Operator, part(1), "file=x.gcode", "path=a/../..").refused(400)
	r.get("/api/files/local/x.gcode").has(map[string]any{"size": len(part(1))})
	r.upload(access.Operator, part(2), "file=x.gcode", "path=b", "noOverwrite=true").refused(409)
	r.upload(access.Operator, part(2), "noOverwrite=true", "path=", "file=x.gcode").refused(409)
	r.get("/api/files/local/x.gcode").has(map[string]any{"size": len(part(1))}) // though the first had its name at first
	r.upload(access.Operator, part(2), "file=x.gcode", "select=yes").is(201).has(map[string]any{"effectiveSelect": true})
	r.get("/api/job").has(map[string]any{"job.file.path": "x.gcode", "job.file.size": len(part(2))})
	body, kind := formWith(part(1), "file=x.gcode")
	r.send(access.Operator, "POST", "/api/files/local?path=query&print=false", kind, body).is(201).has(map[string]any{"files.local.path": "query/x.gcode"})
	r.send(access.Operator, "POST", "/api/files/local", "application/x-www-form-urlencoded", strings.NewReader("foldername=plain&path=b")).is(201).has(map[string]any{"folder.path": "b/plain"})
	r.post("/api/files/local", `{"foldername":"json"}`).is(201).has(map[string]any{"folder.path": "json"})
}

// The names of files, as clients of all ages send them.
func TestUploadNames(t *testing.T) {
	r := newRig(t, 50)
	for disposition, want := range map[string]string{
		`form-data; name="file"; filename="plain.gcode"`:                                       "plain.gcode",
		`form-data; name=file; filename=bare.gcode`:                                            "bare.gcode",
		`form-data; name="file"; filename*=UTF-8''W%C3%BCrfel%20%E2%82%AC.gcode`:               "Würfel €.gcode",
		`form-data; name="file"; filename="x.gcode"; filename*=UTF-8''%C3%A4.gcode`:            "ä.gcode",
		"form-data; name=\"file\"; filename=\"W\xc3\xbcrfel.gcode\"":                           "Würfel.gcode",
		"form-data; name=\"file\"; filename=\"Latin W\xfcrfel.gcode\"":                         "Latin Würfel.gcode",
		`form-data; name="file"; filename="a;b, c.gcode"`:                                      "a;b, c.gcode",
		`form-data; name="file"; filename="q\"uote.gcode"`:                                     "q_uote.gcode",
		`form-data; name="file"; filename="` + strings.Repeat("x", 60) + `.gcode"; modified=1`: strings.Repeat("x", 60) + ".gcode",
	} {
		body := "--b\r\nContent-Disposition: " + disposition + "\r\nContent-Type: application/octet-stream\r\n\r\n" + part(1) + "\r\n--b--\r\n"
		a := r.send(access.Operator, "POST", "/api/files/local", "multipart/form-data; boundary=b", strings.NewReader(body))
		a.what += " " + disposition
		a.is(201).has(map[string]any{"files.local.name": want})
	}
}

func TestBadUploads(t *testing.T) {
	r := newRig(t, 50)
	head := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\n"
	many := strings.Repeat("--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n", 100)
	for name, c := range map[string]struct {
		kind, body string
		status     int
	}{
		"no end":               {"multipart/form-data; boundary=b", head + part(1), 400},
		"no end after a field": {"multipart/form-data; boundary=b", head + part(1) + "\r\n--b\r\nContent-Disposition: form-data; name=\"print\"\r\n\r\ntr", 400},
		"no last boundary":     {"multipart/form-data; boundary=b", head + part(1) + "\r\n--b\r\n", 400},
		"nothing":              {"multipart/form-data; boundary=b", "", 400},
		"no boundary":          {"multipart/form-data", head, 400},
		"endless boundary":     {"multipart/form-data; boundary=" + strings.Repeat("b", 3000), head, 400},
		"no form":              {"text/plain", "G28", 400},
		"JSON":                 {"application/json", `{"foldername":5}`, 400},
		"no file":              {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\nx\r\n--b--\r\n", 400},
		"another file":         {"multipart/form-data; boundary=b", strings.Replace(head, `name="file"`, `name="firmware"`, 1) + part(1) + "\r\n--b--\r\n", 400},
		"a field too long":     {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"userdata\"\r\n\r\n" + strings.Repeat("x", 20<<20) + "\r\n--b--\r\n", 400},
		"two files":            {"multipart/form-data; boundary=b", head + part(1) + "\r\n" + head + part(1) + "\r\n--b--\r\n", 400},
		"many parts":           {"multipart/form-data; boundary=b", many + head + part(1) + "\r\n--b--\r\n", 400},
		"many parts behind":    {"multipart/form-data; boundary=b", head + part(1) + "\r\n" + many + "--b--\r\n", 400},
		"a wrong kind":         {"multipart/form-data; boundary=b", strings.Replace(head, "x.gcode", "x.pdf", 1) + "%PDF\r\n--b--\r\n", 415},
		"no G-code":            {"multipart/form-data; boundary=b", head + strings.Repeat("\x00\xff\x01", 3000) + "\r\n--b--\r\n", 415},
		"a late wrong kind":    {"multipart/form-data; boundary=b", head + part(1) + "\r\n--b\r\nContent-Disposition: form-data; name=\"filename\"\r\n\r\nx.html\r\n--b--\r\n", 415},
		"no name":              {"multipart/form-data; boundary=b", strings.Replace(head, "x.gcode", "...", 1) + part(1) + "\r\n--b--\r\n", 400},
		"a folder of nothing":  {"multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"foldername\"\r\n\r\n..\r\n--b--\r\n", 400},
	} {
		a := r.send(access.Operator, "POST", "/api/files/local", c.kind, strings.NewReader(c.body))
		a.what += " " + name
		a.refused(c.status)
	}
	if a := r.get("/api/files?recursive=true").has(map[string]any{"files.0": "(missing)"}); a.t.Failed() {
		t.Errorf("left behind: %s", a.body)
	}
	r.upload(access.Operator, part(1), "file=still.gcode").is(201) // all places were given back
}

// A command line from PyPI sends the name of its file as another file. OctoPrint looks at none but that called "file".
func TestUploadBesideOtherFiles(t *testing.T) {
	r := newRig(t, 50)
	other := "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"filename\"\r\n\r\n/tmp/cube.gcode\r\n"
	file := "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\n" + part(1) + "\r\n"
	for _, body := range []string{other + file, file + other} {
		r.send(access.Operator, "POST", "/api/files/local", "multipart/form-data; boundary=b", strings.NewReader(body+"--b--\r\n")).is(201).has(map[string]any{"files.local.path": "x.gcode"})
	}
}

// A file goes through to the store as it comes: nothing of it waits in memory.
func TestUploadStreams(t *testing.T) {
	r := newRig(t, 50)
	pr, pw := io.Pipe()
	const lines = 200_000
	go func() {
		fmt.Fprint(pw, "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"long.gcode\"\r\n\r\nG28\n")
		for i := range lines {
			fmt.Fprintf(pw, "G1 X%d Y%d E0.1 ; a line of a long file\n", i%100, i%77)
		}
		fmt.Fprint(pw, "\r\n--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\nlate\r\n--b--\r\n")
		pw.Close()
	}()
	r.send(access.Operator, "POST", "/api/files/local", "multipart/form-data; boundary=b", pr, func(q *http.Request) { q.ContentLength = -1 }).is(201).has(map[string]any{"files.local.path": "late/long.gcode"})
}

func TestThumbnails(t *testing.T) {
	r := newRig(t, 50)
	r.upload(access.Operator, withPicture(), "path=in", "file=a b.gcode").is(201)
	entry := r.get("/api/files/local/in/a%20b.gcode").has(map[string]any{"thumbnail_src": "prusaslicerthumbnails"})
	thumbnail, _ := entry.at("thumbnail").(string)
	if got := entry.at("refs.thumbnail"); got != r.url+"/"+thumbnail {
		t.Errorf("got %v, want %s", got, thumbnail)
	}
	a := r.send(access.Viewer, "GET", "/"+thumbnail, "", nil).is(200)
	if got := a.header.Get("Content-Type"); got != "image/png" {
		t.Errorf("got %s", got)
	}
	// Apps show it as they show any picture, without their key: the ticket in its address is enough, for this and for nothing else.
	for name, address := range map[string]string{"as it is": "/" + thumbnail, "with two slashes": "//" + thumbnail} {
		if a := r.send(access.Nobody, "GET", address, "", nil).is(200); a.header.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
			t.Errorf("%s: the page of an app cannot show it", name)
		}
	}
	bare, ticket, _ := strings.Cut(thumbnail, "&")
	r.send(access.Nobody, "GET", "/"+bare, "", nil).refused(403)
	r.send(access.Nobody, "GET", "/"+bare+"&view=x"+ticket[len("view="):], "", nil).refused(403)
	for _, other := range []string{"/api/files/local/in/a%20b.gcode", "/downloads/files/local/in/a%20b.gcode", "/api/settings"} {
		r.send(access.Nobody, "GET", other+"?"+ticket, "", nil).refused(403)
	}
	r.get("/plugin/prusaslicerthumbnails/thumbnail/none.gcode.png").refused(404)
}

// What is asked for again and again is not sent again while it is as it was.
func TestUnchanged(t *testing.T) {
	r := newRig(t, 50)
	r.upload(access.Operator, part(1), "file=a.gcode").is(201)
	for _, path := range []string{"/api/files?recursive=true", "/api/files/local", "/api/files/local/a.gcode", "/api/settings", "/api/printerprofiles", "/api/timelapse"} {
		first := r.get(path).is(200)
		tag := first.header.Get("ETag")
		if tag == "" || first.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got no ETag, %v", path, first.header)
		}
		again := func(tags string) reply {
			t.Helper()
			return r.send(access.Owner, "GET", path, "", nil, func(q *http.Request) { q.Header.Set("If-None-Match", tags) })
		}
		if a := again(`"other", W/` + tag).is(304); len(a.body) != 0 || a.header.Get("ETag") != tag {
			t.Errorf("%s: got %q, %v", path, a.body, a.header)
		}
		again(`"other"`).is(200)
		r.send(access.Viewer, "GET", path, "", nil).is(200)
	}
	tag := r.get("/api/files").header.Get("ETag")
	r.upload(access.Operator, part(2), "file=b.gcode").is(201)
	r.send(access.Owner, "GET", "/api/files", "", nil, func(q *http.Request) { q.Header.Set("If-None-Match", tag) }).is(200)
	r.send(access.Nobody, "GET", "/api/files", "", nil, func(q *http.Request) { q.Header.Set("If-None-Match", tag) }).refused(403)
}

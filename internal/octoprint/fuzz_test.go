package octoprint

import (
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// formIn reads a form to its end, as upload does; sizes are those of its fields and its file.
func formIn(kind string, body io.Reader) (f *form, name string, file int64, err error) {
	r := httptest.NewRequest("POST", "/api/files/local", nil)
	r.Header.Set("Content-Type", kind)
	if f, err = formOf(r, body); err != nil {
		return nil, "", 0, err
	}
	part, name, err := f.next()
	if err != nil || part == nil {
		return f, "", 0, err
	}
	file, err = io.Copy(io.Discard, &tail{part, f})
	return f, name, file, err
}

// Forms that are too much are given up before they are all read.
func TestEndlessForms(t *testing.T) {
	for name, head := range map[string]string{
		"a head": "--b\r\nX: ", "a field": "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n", "before the first part": "", "a name": "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
		"a field behind the file": "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\nG28\r\n--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n",
	} {
		const far = 64 << 20
		body := &io.LimitedReader{R: io.MultiReader(strings.NewReader(head), endless{}), N: far}
		_, _, _, err := formIn("multipart/form-data; boundary=b", body)
		if err == nil {
			t.Errorf("%s: it was taken", name)
		}
		if read := far - body.N; read > 16<<20 && name != "before the first part" { // what comes before is passed over, and bounded by the time that a body may take
			t.Errorf("%s: %d bytes were read first", name, read)
		}
	}
}

// endless is text without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = "x \n"[i%3]
	}
	return len(p), nil
}

func FuzzUploadForm(f *testing.F) {
	for _, parts := range [][]string{{"path=a", "file=x.gcode", "print=true"}, {"file=x.gcode"}, {"foldername=x"}, {"file=x.gcode", "path=b"}} {
		body, kind := formWith("G28\nG1 X1 E1\n", parts...)
		f.Add(kind, body.Bytes())
		f.Add(kind, body.Bytes()[:body.Len()-9])
	}
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''..%2f..%2fx\r\n\r\nG28\r\n--b--"))
	f.Add("application/x-www-form-urlencoded", []byte("foldername=a&path=b"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		form, name, size, err := formIn(kind, strings.NewReader(string(body)))
		if form == nil {
			if err == nil {
				t.Fatal("neither a form nor an error")
			}
			return
		}
		sum := 0
		for _, v := range form.fields {
			sum += len(v)
		}
		if sum > maxFields+1 || form.count > maxParts+1 || size > int64(len(body)) {
			t.Errorf("%d bytes in fields, %d parts, %d bytes of file, of %d", sum, form.count, size, len(body))
		}
		if err == nil && form.parts != nil && !form.end.seen {
			t.Error("it has no end, and was taken")
		}
		if name == "" {
			return
		}
		if at, err := form.target(name); err == nil && (at == "" || at[0] == '/' || strings.Contains("/"+at+"/", "/../") || strings.ContainsAny(at, "\x00\\")) {
			t.Errorf("%q became %q", name, at)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, seed := range []string{`{"command":"jog","x":1,"absolute":true}`, `{"command":"target","targets":{"tool0":1e309}}`, `{"command":null}`, `[]`, `{"user":"a","pass":"b"}`, `{"a":{"b":[1]}}`, `{"command":"home","axes":"xyz"}`, "{\"command\":\"\xff\"}"} {
		f.Add("application/json", seed)
	}
	f.Fuzz(func(t *testing.T, kind, body string) {
		r := httptest.NewRequest("POST", "/api/job", strings.NewReader(body))
		r.Header.Set("Content-Type", kind)
		command, in, err := readCommand(httptest.NewRecorder(), r, map[string][]string{"jog": {"x"}, "target": {"targets"}, "home": nil})
		var said *refusal
		switch {
		case err != nil && (!errors.As(err, &said) || said.status < 400 || said.status >= 500):
			t.Errorf("got %v", err)
		case err == nil && command != "jog" && command != "target" && command != "home":
			t.Errorf("got the command %q", command)
		case err == nil && command == "jog" && !in.has("x"):
			t.Error("got a jog without x")
		}
		for key := range in {
			if v, err := in.number(key); err == nil && v != v {
				t.Errorf("%s is no number", key)
			}
			in.text(key)
			in.is(key)
		}
	})
}

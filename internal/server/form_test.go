package server

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
)

// formIn reads a form to its end, as an upload does; file is the size of its file.
func formIn(kind string, body io.Reader) (f *Form, file int64, err error) {
	r := httptest.NewRequest("POST", "/api/files/local", nil)
	r.Header.Set("Content-Type", kind)
	if f, err = ReadForm(r, body); err != nil {
		return nil, 0, err
	}
	part, err := f.Next()
	if err != nil || part == nil {
		return f, 0, err
	}
	file, err = io.Copy(io.Discard, part)
	return f, file, err
}

// Forms that are too much are given up before they are all read.
func TestEndlessForms(t *testing.T) {
	for name, head := range map[string]string{
		"a head": "--b\r\nX: ", "a field": "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n", "before the first part": "", "a name": "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"",
		"another file":            "--b\r\nContent-Disposition: form-data; name=\"filename\"; filename=\"filename\"\r\n\r\n",
		"a field behind the file": "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\nG28\r\n--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\n",
	} {
		const far = 64 << 20
		body := &io.LimitedReader{R: io.MultiReader(strings.NewReader(head), endless{}), N: far}
		_, _, err := formIn("multipart/form-data; boundary=b", body)
		if err == nil {
			t.Errorf("%s: it was taken", name)
		}
		if read := far - body.N; read > 16<<20 && name != "before the first part" { // what comes before is passed over, and bounded by the time that a body may take
			t.Errorf("%s: %d bytes were read first", name, read)
		}
	}
}

// The end of a form's file stays its end, for whoever reads on: of an empty one the store does.
func TestFormFileHasEnded(t *testing.T) {
	for _, text := range []string{"", "G28\n"} {
		r := httptest.NewRequest("POST", "/api/files/local", nil)
		r.Header.Set("Content-Type", "multipart/form-data; boundary=b")
		form, err := ReadForm(r, strings.NewReader("--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\n"+text+"\r\n--b--\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		file, err := form.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []string{text, "", ""} {
			if got, err := io.ReadAll(file); err != nil || string(got) != want {
				t.Errorf("%q, time %d: got %q, %v", text, i, got, err)
			}
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
	whole := "--b\r\nContent-Disposition: form-data; name=\"path\"\r\n\r\na\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.gcode\"\r\n\r\nG28\nG1 X1 E1\n\r\n" +
		"--b\r\nContent-Disposition: form-data; name=\"print\"\r\n\r\ntrue\r\n--b--\r\n"
	f.Add("multipart/form-data; boundary=b", []byte(whole))
	f.Add("multipart/form-data; boundary=b", []byte(whole[:len(whole)-9]))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"; filename*=UTF-8''..%2f..%2fx\r\n\r\nG28\r\n--b--"))
	f.Add("application/x-www-form-urlencoded", []byte("foldername=a&path=b"))
	f.Fuzz(func(t *testing.T, kind string, body []byte) {
		form, size, err := formIn(kind, strings.NewReader(string(body)))
		if form == nil {
			if err == nil {
				t.Fatal("neither a form nor an error")
			}
			return
		}
		sum := 0
		for _, v := range form.Fields {
			sum += len(v)
		}
		if sum > maxFields+1 || form.count > maxParts+1 || size > int64(len(body)) {
			t.Errorf("%d bytes in fields, %d parts, %d bytes of file, of %d", sum, form.count, size, len(body))
		}
		if err == nil && form.parts != nil && !form.end.seen {
			t.Error("it has no end, and was taken")
		}
	})
}

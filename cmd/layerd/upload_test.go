package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/printer"
)

// Uploads that cannot be right: each is refused with a code, a sentence and what to do, and leaves nothing behind.

func TestUploadsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := startDaemon(t, data, port(filepath.Join(data, "none"), "LAYERD_FILES_MAX_MB=16"))
	good := ring(t)
	d.put("kept.gcode", good)
	noise := make([]byte, 100<<10) // the same each time, and no text
	for i, x := 0, uint32(1); i < len(noise); i++ {
		x = x*1664525 + 1013904223
		noise[i] = byte(x >> 24)
	}
	for _, c := range []struct {
		name, path string
		body       []byte
		status     int
		code, says string
	}{
		{"not G-code", "letter.gcode", []byte(strings.Repeat("Dear printer,\nplease print me a boat.\n", 50)), 422, "not_gcode", "G-code"},
		{"a page of the web", "page.gcode", []byte("<!DOCTYPE html>\n<html><body>404</body></html>\n"), 422, "not_gcode", "G-code"},
		{"a model", "model.stl", []byte("solid cube\nfacet normal 0 0 1\n"), 400, "bad_name", ".gcode"},
		{"empty", "empty.gcode", nil, 422, "not_gcode", "empty"},
		{"comments alone", "comments.gcode", []byte("; nothing\n\n; here\n"), 422, "not_gcode", "no command"},
		{"binary rubbish", "noise.gcode", noise, 422, "not_gcode", "control bytes"},
		{"binary G-code", "binary.gcode", append([]byte("GCDE\x01\x00\x00\x00\x01\x00"), noise...), 422, "not_gcode", "binary"},
		{"an archive without G-code", "model.3mf", append([]byte("PK\x05\x06"), make([]byte, 18)...), 422, "not_gcode", "no G-code in it"},
		{"half a gzip", "half.gcode.gz", gzipped(good)[:200], 422, "not_gcode", "too early"},
		{"a line of 10 MB", "long.gcode", append([]byte("G28\nG1 X"), bytes.Repeat([]byte("1"), 10<<20)...), 422, "not_gcode", "line 2"},
		{"too big", "big.gcode", bytes.Repeat([]byte("G1 X1\n"), 3<<20), 413, "too_big", "16 MiB"},
		{"a name that is there, not to be replaced", "kept.gcode?overwrite=0", []byte("G28\n"), 409, "exists", "already"},
		{"a folder that is a file", "kept.gcode/x.gcode", []byte("G28\n"), 409, "exists", "already"},
		{"out of the folder", "../out.gcode", []byte("G28\n"), 400, "bad_name", "dots"},
		{"out of the folder, encoded", "%2e%2e%2fout.gcode", []byte("G28\n"), 400, "bad_name", "dots"},
		{"out of the folder, further down", "a/..%2f..%2f..%2fout.gcode", []byte("G28\n"), 400, "bad_name", "dots"},
		{"an absolute name", "%2fetc%2fout.gcode", []byte("G28\n"), 400, "bad_name", "empty part"},
		{"a backslash", "..%5cout.gcode", []byte("G28\n"), 400, "bad_name", "backslash"},
		{"a NUL in the name", "out%00.gcode", []byte("G28\n"), 400, "bad_name", "control"},
		{"dots alone", "...", []byte("G28\n"), 400, "bad_name", "name"},
		{"no name", "", []byte("G28\n"), 404, "no_route", "nothing here"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, announced := range []bool{true, false} {
				status, e := d.refused(t, "/v1/files/"+c.path, c.body, announced)
				if status != c.status || e.Code != c.code || !strings.Contains(e.Message, c.says) || e.Next == "" {
					t.Errorf("size announced %v: status %d, %+v; want status %d, code %s, a message with %q and what to do next",
						announced, status, e, c.status, c.code, c.says)
				}
			}
		})
	}
	if f := d.files(); len(f) != 1 || f[0].Path != "kept.gcode" || f[0].Bytes != int64(len(good)) {
		t.Errorf("afterwards the files are %+v", f)
	}
	if plain, f := d.files()[0], d.put("packed.gcode.gz", gzipped(good)); f.Path != "packed.gcode" || f.SHA256 != plain.SHA256 || f.EstimateS != plain.EstimateS {
		t.Errorf("packed it is %+v, plain %+v", f, plain)
	}
	if f := d.put(".hidden%20Größe.gcode", []byte("G28\n")); f.Path != "hidden Größe.gcode" {
		t.Errorf("a hidden name became %q", f.Path)
	}
	if status, body := d.ask("GET", "/v1/state", "", nil); status != http.StatusUnauthorized || !strings.Contains(string(body), "key_needed") {
		t.Errorf("without a key: status %d, %s", status, body)
	}
	d.end(5 * time.Second)
	nothingOutside(t, data)
}

func gzipped(content []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(content)
	w.Close()
	return out.Bytes()
}

// refused uploads and returns the error.
func (d *daemon) refused(t *testing.T, path string, body []byte, announced bool) (int, server.Error) {
	t.Helper()
	var r io.Reader = bytes.NewReader(body)
	if !announced {
		r = struct{ io.Reader }{r} // of unknown length: it is sent in chunks
	}
	status, answer := d.ask("PUT", path, d.token, r)
	var e server.ErrorAnswer
	if err := json.Unmarshal(answer, &e); err != nil {
		t.Fatalf("status %d, %q", status, answer)
	}
	return status, e.Error
}

// nothingOutside checks that uploads went nowhere but below files.
func nothingOutside(t *testing.T, data string) {
	t.Helper()
	filepath.WalkDir(filepath.Dir(data), func(path string, e fs.DirEntry, err error) error {
		if err != nil || strings.Contains(path, "out.gcode") {
			t.Errorf("%s, %v", path, err)
		}
		return nil
	})
	if _, err := os.Stat("/etc/out.gcode"); err == nil {
		t.Error("/etc/out.gcode was written")
	}
}

// An upload whose sender goes away in the middle leaves nothing.
func TestAnUploadThatIsCutOff(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	d := startDaemon(t, data, port(filepath.Join(data, "none")))
	link := d.beginUpload(1000000)
	left := func() int {
		entries, err := os.ReadDir(filepath.Join(data, "tmp"))
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	if f := d.files(); len(f) != 0 {
		t.Errorf("half of it can be seen: %+v", f)
	}
	link.Close()
	d.await("end of the upload", func() bool { return left() == 0 })
	if f := d.files(); len(f) != 0 {
		t.Errorf("half of it can be seen: %+v", f)
	}
	d.end(5 * time.Second)
}

func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	t.Run("kept free", func(t *testing.T) { // no disk has so much
		data := t.TempDir()
		d := startDaemon(t, data, port(filepath.Join(data, "none"), "LAYERD_FILES_MIN_FREE_MB=1000000"))
		status, e := d.refused(t, "/v1/files/a.gcode", ring(t), true)
		if status != http.StatusInsufficientStorage || e.Code != "no_space" || !strings.Contains(e.Message, "976 GiB of them are kept") || e.Next == "" {
			t.Errorf("status %d, %+v", status, e)
		}
	})
	t.Run("a small disk", func(t *testing.T) {
		d := startOnSmallDisk(t)
		if d == nil {
			return
		}
		d.reach(printer.Disconnected)
		content := ring(t)
		kept := d.put("kept.gcode", content)
		big := bytes.Repeat([]byte("G1 X1\n"), 1<<20) // 6 MiB
		for _, announced := range []bool{true, false} {
			status, e := d.refused(t, "/v1/files/big.gcode", big, announced)
			if status != http.StatusInsufficientStorage || e.Code != "no_space" || !strings.Contains(e.Message, "disk is full") || e.Next == "" {
				t.Errorf("size announced %v: status %d, %+v", announced, status, e)
			}
		}
		if f := d.files(); len(f) != 1 || f[0] != kept {
			t.Errorf("afterwards the files are %+v", f)
		}
		d.put("also.gcode", content) // what fits still goes
		if status, _ := d.ask("DELETE", "/v1/files/kept.gcode", d.token, nil); status != http.StatusNoContent {
			t.Errorf("delete: status %d", status)
		}
		if f := d.files(); len(f) != 1 || f[0].Path != "also.gcode" {
			t.Errorf("afterwards the files are %+v", f)
		}
	})
}

// beginUpload begins to upload half.gcode, and leaves it at that.
func (d *daemon) beginUpload(announced int) net.Conn {
	d.t.Helper()
	link, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(d.url, "http://"), "/"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { link.Close() })
	fmt.Fprintf(link, "PUT /v1/files/half.gcode HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", d.token, announced, bytes.Repeat([]byte("G1 X1\n"), 10000))
	d.await("a beginning in tmp", func() bool {
		entries, err := os.ReadDir(filepath.Join(d.data, "tmp"))
		return err == nil && len(entries) == 1
	})
	return link
}

// startOnSmallDisk starts layerd on a disk of 4 MiB, which is there for this process alone and goes with it. It returns nil, and says so, where
// none can be mounted.
func startOnSmallDisk(t *testing.T) *daemon {
	t.Helper()
	ownDisks := func(cmd *exec.Cmd) {
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
		if os.Getuid() != 0 { // root in a world of its own
			cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
			cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
			cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
		}
	}
	d := &daemon{data: t.TempDir()}
	token := filepath.Join(t.TempDir(), "token")
	const mount = `mount -t tmpfs -o size=4m tmpfs "$DATA"`
	env := append(plain(t, port(filepath.Join(d.data, "none"), "LAYERD_FILES_MIN_FREE_MB=1")...), "DATA="+d.data, "TOKEN="+token, "CONFIG="+emptyConfig, "LAYERD="+layerdProgram)
	try := exec.Command("/bin/sh", "-c", mount)
	try.Env = env
	ownDisks(try)
	if out, err := try.CombinedOutput(); err != nil {
		t.Logf("no disk can be mounted here (%v, %s): only the reserve is tested", err, out)
		return nil
	}
	d.child = beginWith(t, ownDisks, env, "/bin/sh", "-c", mount+` && "$LAYERD" token create --config "$CONFIG" --data "$DATA" --name test --role owner > "$TOKEN" &&
		exec "$LAYERD" --config "$CONFIG" --data "$DATA" --listen 127.0.0.1:0`)
	d.await("its address", d.address)
	made, err := os.ReadFile(token)
	if err != nil {
		t.Fatal(err)
	}
	d.token = ended{out: string(made)}.last()
	return d
}

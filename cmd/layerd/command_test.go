package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/printer"
)

// The command line and the configuration: what they print, where, and with which exit code.

func TestCommandLine(t *testing.T) {
	t.Parallel()
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "layerd.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	data := t.TempDir()
	frames := t.TempDir()
	var pic bytes.Buffer
	if err := jpeg.Encode(&pic, image.NewGray(image.Rect(0, 0, 1600, 1200)), nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(frames, "a.jpg"), pic.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	good := write("listen: 127.0.0.1:1234\nprinter:\n  port: /dev/ttyUSB7\n  baud: 250000\n")
	for _, c := range []struct {
		name     string
		args     []string
		env      []string
		code     int
		out, err []string // what is in standard output and in standard error; nil = it is empty
	}{
		{"version", []string{"version"}, nil, 0, []string{"v1.2.3-test\n"}, nil},
		{"version with a flag before it", []string{"--data", data, "version"}, nil, 0, []string{"v1.2.3-test\n"}, nil},
		{"help", []string{"--help"}, nil, 0, []string{"layerd check-config", "layerd token create --name NAME --role ROLE", "layerd survey [--json] FILE", "layerd version", "--config FILE", "--data DIR", "--listen ADDR", "--demo"}, nil},
		{"help of a command", []string{"token", "create", "--help"}, nil, 0, []string{"viewer", "operator", "owner"}, nil},
		{"an unknown flag", []string{"--bogus"}, nil, 2, nil, []string{"--bogus", "layerd --help"}},
		{"an unknown flag of a command", []string{"version", "--bogus"}, nil, 2, nil, []string{"--bogus"}},
		{"an unknown command", []string{"frobnicate"}, nil, 2, nil, []string{`"frobnicate"`, "layerd --help"}},
		{"half a command", []string{"token"}, nil, 2, nil, []string{`"token"`, "layerd --help"}},
		{"too many words", []string{"version", "please"}, nil, 2, nil, []string{`"version please"`}},
		{"a flag without value", []string{"--listen"}, nil, 2, nil, []string{"--listen"}},
		{"faults of a real printer", []string{"--demo-faults", "kill@1"}, nil, 2, nil, []string{"--demo-faults", "--demo"}},
		{"faults that are none", []string{"--demo", "--demo-faults", "bogus@1"}, nil, 2, nil, []string{"--demo-faults", "bogus@1"}},
		{"a role without token", []string{"--role", "owner"}, nil, 2, nil, []string{"--role", "token create"}},

		{"check-config", []string{"check-config", "--config", good}, nil, 0,
			[]string{`"127.0.0.1:1234" `, `"/dev/ttyUSB7" `, `"250000" `, "(file)", "(default)", "The configuration is right.\n"}, nil},
		{"flags before the command", []string{"--config", good, "--listen", ":99", "check-config"}, nil, 0, []string{`":99" `, "(flag)", `"/dev/ttyUSB7" `}, nil},
		{"flags after the command", []string{"check-config", "--listen=:99", "--config=" + good}, nil, 0, []string{`":99" `, "(flag)", `"/dev/ttyUSB7" `}, nil},
		{"the environment", []string{"check-config", "--config", good}, []string{"LAYERD_PRINTER_BAUD=57600"}, 0, []string{`"57600" `, "(environment)"}, nil},
		{"no such file", []string{"check-config", "--config", data + "/none.yaml"}, nil, 2, nil, []string{data + "/none.yaml", "no such file"}},
		{"an unknown key", []string{"check-config", "--config", write("printer:\n  prot: /dev/ttyUSB0\n")}, nil, 2, nil,
			[]string{"unknown key printer.prot", "layerd.yaml", "known keys: ", "zerotier.token_file\n"}},
		{"an unknown key does not start", []string{"--data", data, "--config", write("colour: blue\n")}, nil, 2, nil, []string{"unknown key colour", "known keys:"}},
		{"an unknown variable", []string{"check-config"}, []string{"LAYERD_PRINTER_PROT=x"}, 2, nil, []string{"LAYERD_PRINTER_PROT", "LAYERD_PRINTER_PORT"}},
		{"a bad value in the file", []string{"check-config", "--config", write("printer:\n  baud: fast\n")}, nil, 2, nil, []string{"printer.baud", `"fast"`, "allowed: 0 or 300 to 4000000"}},
		{"a bad value in the environment", []string{"--data", data}, []string{"LAYERD_LOG_LEVEL=loud"}, 2, nil, []string{"log.level", "LAYERD_LOG_LEVEL", `"loud"`, "debug, info, warn or error"}},
		{"a bad value of a flag", []string{"--data", data, "--listen", "8080"}, nil, 2, nil, []string{"listen in --listen", `"8080"`, "host:port"}},
		{"everything that is wrong", []string{"check-config", "--config", write("colour: blue\nfiles:\n  max_mb: 0\n")}, nil, 2, nil, []string{"colour", "files.max_mb"}},
		{"no YAML", []string{"check-config", "--config", write("{{{\n")}, nil, 2, nil, []string{"layerd.yaml"}},

		{"record", []string{"record", "--from", "frames:" + frames, "--to", data + "/frames", "--every", "0", "--frames", "3"}, nil, 0, []string{"3 pictures are in " + data + "/frames"}, []string{"camera is live"}},
		{"record what is no camera", []string{"record", "--from", "/etc/passwd", "--to", data}, nil, 2, nil, []string{`"/etc/passwd"`}},
		{"record what is pretended", []string{"record", "--from", "simulated", "--to", data}, nil, 2, nil, []string{`"simulated" is none`}},
		{"record to nowhere", []string{"record"}, nil, 2, nil, []string{"--to FOLDER"}},
		{"record without record", []string{"--frames", "3"}, nil, 2, nil, []string{"--frames belongs to layerd record"}},

		{"a token without role", []string{"token", "create", "--data", data, "--name", "x"}, nil, 2, nil, []string{"--role"}},
		{"a token without name", []string{"token", "create", "--data", data, "--role", "owner"}, nil, 2, nil, []string{"--name"}},
		{"a token with a role that is none", []string{"token", "create", "--data", data, "--name", "x", "--role", "king"}, nil, 2, nil, []string{`"king"`, "viewer, operator and owner"}},
		{"a link that does not end", []string{"token", "create", "--data", data, "--name", "x", "--link"}, nil, 2, nil, []string{"--expires"}},
		{"a link that may print", []string{"token", "create", "--data", data, "--name", "x", "--link", "--role", "operator", "--expires", "1h"}, nil, 2, nil, []string{"--role viewer"}},
		{"a link for too long", []string{"token", "create", "--data", data, "--name", "x", "--link", "--expires", "9999h"}, nil, 1, nil, []string{"90 days"}},
		{"a link", []string{"token", "create", "--data", data, "--name", "x", "--link", "--expires", "720h"}, nil, 0, []string{"Key for x, viewer, until 20", "\nld_"}, nil},
		{"a token that has ended", []string{"token", "create", "--data", data, "--name", "x", "--role", "owner", "--expires", "-1h"}, nil, 2, nil, []string{"--expires"}},
		{"an end without token", []string{"--expires", "1h"}, nil, 2, nil, []string{"--expires", "token create"}},
		{"a token of the demo", []string{"token", "create", "--demo", "--name", "x", "--role", "owner"}, nil, 2, nil, []string{"demo"}},
		{"a data directory that is a file", []string{"--data", good, "--listen", "127.0.0.1:0"}, nil, 1, nil, []string{good}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(strings.Join(c.args, " "), "--config") {
				c.args = append([]string{"--config", emptyConfig}, c.args...)
			}
			e := runLayerd(t, plain(t, c.env...), c.args...)
			if e.code != c.code {
				t.Errorf("exit code %d, want %d", e.code, c.code)
			}
			for _, s := range []struct {
				where, got string
				want       []string
			}{{"standard output", e.out, c.out}, {"standard error", e.err, c.err}} {
				if s.want == nil && s.got != "" {
					t.Errorf("on %s there is %q, want nothing", s.where, s.got)
				}
				for _, part := range s.want {
					if !strings.Contains(s.got, part) {
						t.Errorf("on %s there is %q, want %q in it", s.where, s.got, part)
					}
				}
			}
			if c.code != 0 && !strings.HasPrefix(e.err, "layerd: ") {
				t.Errorf("the message does not say who speaks: %q", e.err)
			}
		})
	}
}

func TestTwoDaemonsOnOneDataDirectory(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := startDaemon(t, data, port(filepath.Join(data, "none")))
	second := runLayerd(t, plain(t), "--config", emptyConfig, "--data", data, "--listen", "127.0.0.1:0")
	for _, want := range []string{"another layerd uses this data directory", fmt.Sprintf("(process %d)", first.cmd.Process.Pid), data} {
		if second.code != 1 || !strings.Contains(second.err, want) || second.out != "" {
			t.Errorf("exit code %d, %q, %q; want 1 and %q", second.code, second.out, second.err, want)
		}
	}
	first.put("a.gcode", ring(t)) // which does not mind
	first.end(4 * time.Second)
}

func TestAnAddressInUse(t *testing.T) {
	t.Parallel()
	first := startDaemon(t, t.TempDir(), port("/none"))
	address := strings.TrimSuffix(strings.TrimPrefix(first.url, "http://"), "/")
	second := runLayerd(t, plain(t), "--config", emptyConfig, "--data", t.TempDir(), "--listen", address)
	for _, want := range []string{address, "address already in use", "--listen"} {
		if second.code != 1 || !strings.Contains(second.err, want) || second.out != "" {
			t.Errorf("exit code %d, %q, %q; want 1 and %q", second.code, second.out, second.err, want)
		}
	}
}

func TestWhatATokenMayDo(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "100", "--heat", "100")
	d := startDaemon(t, t.TempDir(), port(m.link))
	d.put("a.gcode", ring(t))
	d.reach(printer.Idle)
	for _, c := range []struct {
		role                                string
		state, upload, start, send, connect int
	}{
		{"viewer", 200, 403, 403, 403, 403},
		{"operator", 200, 201, 200, 403, 403},
		{"owner", 200, 201, 200, 200, 409}, // the port is locked
	} {
		token := d.newToken(c.role) // it counts at once
		got := func(method, path, body string) int {
			status, _ := d.ask(method, path, token, strings.NewReader(body))
			return status
		}
		if status := got("GET", "/v1/state", ""); status != c.state {
			t.Errorf("%s: state gave %d, want %d", c.role, status, c.state)
		}
		if status := got("PUT", "/v1/files/"+c.role+".gcode", "G28\n"); status != c.upload {
			t.Errorf("%s: upload gave %d, want %d", c.role, status, c.upload)
		}
		if status := got("POST", "/v1/do", `{"do":"start","file":"a.gcode"}`); status != c.start {
			t.Errorf("%s: start gave %d, want %d", c.role, status, c.start)
		}
		if c.start == http.StatusOK {
			d.do(`{"do":"cancel"}`)
			d.reach(printer.Idle)
		}
		if status := got("POST", "/v1/do", `{"do":"send","line":"M118 x"}`); status != c.send {
			t.Errorf("%s: send gave %d, want %d", c.role, status, c.send)
		}
		if status := got("POST", "/v1/do", `{"do":"connect","port":"/dev/ttyUSB9"}`); status != c.connect {
			t.Errorf("%s: connect gave %d, want %d", c.role, status, c.connect)
		}
	}
	for _, token := range []string{"", "ld_wrong"} {
		if status, body := d.ask("POST", "/v1/do", token, strings.NewReader(`{"do":"start","file":"a.gcode"}`)); status != http.StatusUnauthorized {
			t.Errorf("with the token %q: status %d, %s", token, status, body)
		}
	}
	if rows := d.prints(); len(rows) != 2 {
		t.Errorf("the history has %+v", rows)
	}
}

func TestSettingsOfTheConfigurationAreLocked(t *testing.T) {
	t.Parallel()
	m := switchOn(t)
	config := filepath.Join(t.TempDir(), "layerd.yaml")
	if err := os.WriteFile(config, []byte("printer:\n  baud: 115200\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, t.TempDir(), []string{"LAYERD_PRINTER_PORT=" + m.link, "LAYERD_CAMERA_DEVICE=none"}, "--config", config)
	s := d.reach(printer.Idle)
	for key, want := range map[string]string{"printer.port": "environment", "printer.baud": "file", "camera.device": "environment", "listen": "flag", "camera.fps": ""} {
		if got := s.Locked[key]; got != want {
			t.Errorf("%s is locked by %q, want %q", key, got, want)
		}
	}
	if !s.Connection.Locked {
		t.Error("the connection does not say that its port is locked")
	}
	for command, says := range map[string]string{
		`{"do":"connect","port":"/dev/ttyUSB9"}`:                "printer.port is set by the environment",
		`{"do":"connect","baud":250000}`:                        "printer.baud is set by the configuration file",
		`{"do":"set_camera","camera":{"device":"/dev/video3"}}`: "camera.device is set by the environment",
	} {
		if status, a := d.try(d.token, "%s", command); status != http.StatusConflict || a.Error == nil || a.Error.Code != "locked" || !strings.Contains(a.Error.Message, says) || a.Error.Next == "" {
			t.Errorf("%s: status %d, %+v; want code locked and %q", command, status, a.Error, says)
		}
	}
	d.do(`{"do":"disconnect"}`)
	d.reach(printer.Disconnected)
	d.do(`{"do":"connect"}`) // the port of the configuration
	s = d.until("the printer again", func(s server.State) bool { return s.State == printer.Idle })
	if s.Connection.Port != m.link {
		t.Errorf("connected to %q", s.Connection.Port)
	}
}

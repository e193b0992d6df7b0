package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"layerd/internal/server"
	"layerd/printer"
)

// forgery is what somebody writes who would have the log say something of its own: a line's end, a line as ours are, and what moves a terminal's
// cursor, clears it, or turns its writing around.
const forgery = "x\r\ntime=2026-01-01T00:00:00.000Z level=ERROR msg=\"forged by\" who=root\x1b[2J\x1b]0;t\x07\u202e\u2066\u009b2J\u2028"

// logged is a line of the log: names and values, of which each that is not plain is quoted.
var logged = regexp.MustCompile(`^time=\S+ level=(DEBUG|INFO|WARN|ERROR) msg=("([^"\\]|\\.)*"|[^\s"=]+)( [a-z_.]+=("([^"\\]|\\.)*"|[^\s"=]*))*$`)

// Whatever people, programs, printers and cameras say: the daemon's log has lines of the daemon's alone, and so has the record of who did what.
func TestNobodyForgesTheLog(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--heat", "100")
	camera := forgedCamera(t)
	d := startDaemon(t, t.TempDir(), append(port(m.link), "LAYERD_CAMERA_DEVICE="+camera, "LAYERD_LOG_LEVEL=debug", "LAYERD_PROXIES=127.0.0.1"))
	d.reach(printer.Idle)
	quoted := func(text string) string {
		b, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	name := quoted(forgery[:40] + "\u202e")

	// People and keys with such names, who then do something.
	if status, body := d.ask("POST", "/v1/people", d.token, strings.NewReader(`{"name":`+name+`,"role":"operator","password":"correct horse"}`)); status != 200 {
		t.Fatalf("status %d, %s", status, body)
	}
	status, body := d.ask("POST", "/v1/tokens", d.token, strings.NewReader(`{"name":`+name+`,"role":"operator"}`))
	var made server.MadeToken
	if err := json.Unmarshal(body, &made); status != 200 || err != nil {
		t.Fatalf("status %d, %s", status, body)
	}
	d.ask("POST", "/v1/login", "", strings.NewReader(`{"name":`+name+`,"password":"correct horse"}`))
	d.ask("POST", "/v1/login", "", strings.NewReader(`{"name":`+quoted(forgery)+`,"password":"wrong"}`))
	for _, command := range []string{
		`{"do":` + quoted(forgery) + `}`, `{"id":` + name + `,"do":"dismiss"}`, `{"do":"delete_file","file":` + quoted(forgery) + `}`, `{"do":"make_folder","file":` + name + `}`, `{"do":"start","file":` + quoted(forgery) + `}`,
		`{"do":"home","axes":` + quoted(forgery) + `}`, `{"do":"set_control","name":` + quoted(forgery) + `,"value":1}`, `{` + quoted(forgery) + `:1}`,
	} {
		d.try(made.Secret, "%s", command)
	}

	// Headers, paths and methods, as they stand on the wire.
	escaped := strings.NewReplacer("\r", "%0D", "\n", "%0A", " ", "%20", "\x1b", "%1B", "\x07", "%07", `"`, "%22").Replace(forgery)
	inline := strings.NewReplacer("\r", "", "\n", "").Replace(forgery)
	printable := strings.NewReplacer("\x1b", "", "\x07", "").Replace(inline)
	for _, request := range []string{
		"DELETE /v1/files/" + escaped + ".gcode HTTP/1.1\r\nHost: x\r\n", "GET /" + escaped + " HTTP/1.1\r\nHost: x\r\n", "GET /v1/audit?before=" + escaped + " HTTP/1.1\r\nHost: x\r\n",
		"GET /v1/state HTTP/1.1\r\nHost: " + printable + "\r\n", "GET /v1/state HTTP/1.1\r\nHost: x\r\nUser-Agent: " + inline + "\r\n", inline + " / HTTP/1.1\r\nHost: x\r\n", "\x16\x03\x01" + inline + "\r\n",
		"POST /v1/login HTTP/1.1\r\nHost: x\r\nUser-Agent: " + printable + "\r\nX-Forwarded-For: " + printable + ", 192.0.2.7\r\nCookie: layerd_session=" + printable + "\r\n",
		"GET /v1/live HTTP/1.1\r\nHost: x\r\nOrigin: " + printable + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + printable + "\r\nSec-WebSocket-Protocol: " + printable + "\r\n",
	} {
		d.wire(request + "Authorization: Bearer " + made.Secret + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
	}

	// The printer says it, and then that it has failed.
	for _, line := range []string{"M118 " + printable, "M118 A1 notification " + printable, "M118 Error:Printer halted. kill() called! " + printable} {
		d.try(d.token, `{"do":"send","line":%s}`, quoted(line))
	}
	d.faulted(printer.FaultFirmware)
	d.try(d.token, `{"do":"connect","port":%s}`, quoted("/dev/"+forgery))
	d.await("the camera's words in the log", func() bool { return strings.Contains(d.err.String(), "image/forged") })

	var audit server.Audit
	d.await("what was done", func() bool {
		audit = get[server.Audit](d, "/v1/audit?limit=500")
		return len(audit.Entries) > 0 && audit.Entries[0].What == "connect"
	})
	told := 0
	for _, e := range audit.Entries {
		for _, text := range []string{e.Name, e.From, e.What, e.Detail, e.Outcome} {
			if strings.ContainsFunc(text, unseen) || len(text) > 200 {
				t.Errorf("who did what has %q", text)
			}
			if strings.Contains(text, "x"+"time=2026") {
				told++
			}
		}
		if e.What == "" || strings.ContainsFunc(e.What, func(r rune) bool { return r != '_' && !unicode.IsLower(r) }) || net.ParseIP(e.From) == nil {
			t.Errorf("who did what has %+v", e)
		}
	}
	if told < 4 { // a person, a key, a wrong name, a file
		t.Errorf("it was told of %d of these names: this test shows nothing\n%+v", told, audit.Entries)
	}
	d.end(20 * time.Second)
	lines := strings.Split(strings.TrimSuffix(d.err.String(), "\n"), "\n")
	for _, line := range lines {
		if !logged.MatchString(line) || strings.HasPrefix(line, "time=2026-01-01T00:00:00.000Z") || strings.ContainsFunc(line, unseen) {
			t.Errorf("the log has a line %q", line)
		}
	}
	if !strings.Contains(d.err.String(), `who="xtime=2026`) || strings.ContainsFunc(strings.ReplaceAll(d.out.String(), "\n", ""), unseen) {
		t.Errorf("got %d lines, and printed %q", len(lines), d.out.String())
	}
}

// The log itself, by what the daemon makes it: whatever way a text takes into it.
func TestLogLines(t *testing.T) {
	var out strings.Builder
	log := logTo(&out, slog.LevelDebug)
	log.Info(forgery, "text", forgery, "err", errors.New(forgery), "bytes", []byte(forgery), "any", struct{ Name string }{forgery}, "list", []string{forgery}, forgery, 1)
	log.WithGroup("g").With("a", forgery).Warn("b", slog.Group("c", "d", forgery))
	slog.NewLogLogger(log.Handler(), slog.LevelDebug).Print(forgery) // as net/http does
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 3 || strings.Count(out.String(), `\u202e`) != 10 {
		t.Errorf("got %d lines, %q", len(lines), lines)
	}
	for _, line := range lines {
		if strings.ContainsFunc(line, unseen) || !strings.HasPrefix(line, "time=") || strings.HasPrefix(line, "time=2026-01-01T00:00:00.000Z") {
			t.Errorf("got the line %q", line)
		}
	}
}

// unseen is what a terminal obeys, or what nobody sees.
func unseen(r rune) bool {
	return unicode.In(r, unicode.C, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar
}

// wire sends bytes as they are, and returns the answer up to its end, whatever that is.
func (d *daemon) wire(text string) (answer string) {
	d.t.Helper()
	conn, err := net.Dial("tcp", strings.Trim(strings.TrimPrefix(d.url, "http://"), "/"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, text) // it may have hung up by then
	all, _ := io.ReadAll(conn) // a broken connection is an end
	return string(all)
}

// forgedCamera is the address of a camera that says what it is in such words, each time in others.
func forgedCamera(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	inline := strings.NewReplacer("\r", "", "\n", "").Replace(forgery)
	go func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			fmt.Fprintf(conn, "HTTP/1.1 %s\r\nConnection: close\r\n\r\n", []string{"200 " + inline + "\r\nContent-Type: image/forged" + strings.NewReplacer("\x1b", "", "\x07", "").Replace(inline), "302 Found\r\nLocation: http://" + inline, "404 " + inline}[n%3])
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String() + "/"
}

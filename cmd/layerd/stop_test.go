package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"layerd/internal/config"
	"layerd/internal/server"
	"layerd/printer"
)

// What becomes of a print when the daemon does: killed, stopped, stopped while the firmware does not listen.

// stopTime is what systemd/layerd.service leaves before it kills.
const stopTime = 20 * time.Second

func TestAKillInMidPrintLosesNothingAndMovesNothing(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "15", "--heat", "100")
	data := t.TempDir()
	d := startDaemon(t, data, port(m.link))
	tiny, content := []byte("G28\nG1 X10 Y10 F3000\nG1 X20 E1\n"), ring(t)
	d.reach(printer.Idle)
	first := d.start("folder/tiny.gcode", tiny)
	d.row(first)
	second := d.start("ring.gcode", content)
	// The journal is written every few seconds; what it has is what is known after the kill.
	d.await("a line in the journal", func() bool { rows := d.prints(); return rows[0].ID == second && rows[0].Line > 0 && rows[0].Layer > 0 })
	at := d.state()
	if code, _ := d.stop(syscall.SIGKILL); code != -1 {
		t.Fatalf("after SIGKILL the exit code is %d", code)
	}
	m.mark("M118 the daemon is dead") // what was under way is executed before it

	d = startDaemon(t, data, port(m.link))
	s := d.reach(printer.Idle)
	if l := s.LastJob; l == nil || l.ID != second || l.Outcome != "interrupted" || l.Reason == "" || l.Line <= 0 || l.Layer <= 0 || l.Percent <= 0 || l.ZMM <= 0 ||
		l.Layers != 30 || l.Name != "ring.gcode" || l.Line > at.Job.Line+50 || l.EndedMS == 0 {
		t.Errorf("after the restart the last job is %+v", l)
	}
	if s.Job != nil || s.Homed {
		t.Errorf("after the restart the job is %+v, homed %v", s.Job, s.Homed)
	}
	rows := d.prints()
	if len(rows) != 2 || rows[0].ID != second || rows[0].Outcome != "interrupted" || rows[1].ID != first || rows[1].Outcome != "done" {
		t.Errorf("the history is %+v", rows)
	}
	sum := sha256.Sum256(content)
	if rows[0].SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the history says hash %s, want %x", rows[0].SHA256, sum)
	}
	var paths []string
	for _, f := range d.files() {
		paths = append(paths, f.Path)
	}
	if want := []string{"folder", "folder/tiny.gcode", "ring.gcode"}; !slices.Equal(paths, want) {
		t.Errorf("the files are %q, want %q", paths, want)
	}
	for path, want := range map[string][]byte{"folder/tiny.gcode": tiny, "ring.gcode": content} {
		if status, got := d.ask("GET", "/v1/files/"+path, d.token, nil); status != http.StatusOK || sha256.Sum256(got) != sha256.Sum256(want) {
			t.Errorf("%s is not what was uploaded: status %d, %d bytes", path, status, len(got))
		}
	}
	// It stays like that, for as long as it takes the printer to report its temperatures twice more.
	for range 2 {
		before := d.state().TempsAtMS
		s = d.until("a newer report", func(s server.State) bool { return s.TempsAtMS > before })
	}
	if s.State != printer.Idle || s.Job != nil {
		t.Errorf("later the state is %v, job %+v", s.State, s.Job)
	}
	d.end(5 * time.Second)
	all := m.switchOff()
	after := all[slices.Index(all, "M118 the daemon is dead"):]
	cold := slices.Index(after, "M104 S0") // the dead daemon left it hot, and this one has just ended
	if cold < 0 || !slices.Equal(withoutAsking(after[cold:]), []string{"M104 S0", "M140 S0"}) {
		t.Fatalf("it was told %q, want nothing but heaters off, and that at the end", after)
	}
	for _, c := range after[:cold] {
		if !slices.Contains(asks, word(c)) {
			t.Errorf("after the restart the printer was told %q", c)
		}
	}
	if !slices.Contains(after, "M115") {
		t.Errorf("after the restart the printer heard only %q", after)
	}
}

func TestAStopInMidPrintParksAndCools(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "40", "--heat", "100")
	data := t.TempDir()
	d := startDaemon(t, data, port(m.link))
	d.reach(printer.Idle)
	job := d.start("ring.gcode", ring(t))
	d.until("a second layer", func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer >= 2 })
	d.end(stopTime)
	cooled(t, m.switchOff())

	d = startDaemon(t, data, port(m.link))
	s := d.faulted(printer.FaultPortMissing)
	if l := s.LastJob; l == nil || l.ID != job || l.Outcome != "interrupted" || l.Layer < 2 {
		t.Errorf("after the restart the last job is %+v", l)
	}
	if row := d.row(job); row.Outcome != "interrupted" || row.Reason != "layerd was stopped" || row.Layer < 2 || row.EndedMS == 0 {
		t.Errorf("the history has %+v", row)
	}
	d.end(5 * time.Second)
}

func TestAStopInAPauseCools(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "40", "--heat", "100")
	d := startDaemon(t, t.TempDir(), port(m.link))
	d.reach(printer.Idle)
	d.start("ring.gcode", ring(t))
	d.until("a second layer", func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer >= 2 })
	d.do(`{"do":"pause"}`)
	d.reach(printer.Paused)
	d.end(stopTime)
	own := withoutAsking(m.switchOff())
	if last := own[len(own)-5:]; !slices.Equal(last, []string{"M104 S0", "M140 S0", "M107", "G90", "M84"}) {
		t.Errorf("the last that was executed is %q", last)
	}
}

// Without an emergency parser the firmware executes nothing while it is busy; what reaches it is executed when it comes out of that.
func TestAStopWhileTheFirmwareIsBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file, busy, speed, heat string
	}{
		{"heating", "G28\nM109 S220\nG1 X10 Y10 E1 F600\n", "M109 S220", "20", "3"}, // half a minute; M108 ends it where the firmware knows that
		{"dwelling", "M109 S220\nG4 S24\nG1 X10 Y10 E1 F600\n", "G4 S24", "1", "100"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := switchOn(t, "--firmware", "marlin2-plain", "--speed", c.speed, "--heat", c.heat)
			data := t.TempDir()
			d := startDaemon(t, data, port(m.link))
			d.reach(printer.Idle)
			job := d.start("hot.gcode", []byte(c.file))
			m.await(c.busy, func() bool { return slices.Contains(m.executed(), c.busy) })
			d.beginUpload(1000000) // and a client that hangs
			d.end(stopTime)
			m.await("heaters off", func() bool {
				return slices.Contains(m.executed(), "M104 S0") && slices.Contains(m.executed(), "M140 S0")
			})
			if all := m.switchOff(); slices.ContainsFunc(all, func(c string) bool { return strings.HasPrefix(c, "G1 X10") }) {
				t.Errorf("it went on to print: %q", all)
			}
			d = startDaemon(t, data, port(filepath.Join(data, "none")))
			if row := d.row(job); row.Outcome != "interrupted" {
				t.Errorf("the history has %+v", row)
			}
		})
	}
}

// A listener that fails is no reason to leave a hot nozzle in the print.
func TestAFailedListenerParksThePrint(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "40", "--heat", "100")
	var cfg config.Config
	cfg.Data, cfg.Log.Level, cfg.Camera.Device = t.TempDir(), "error", "none"
	cfg.Printer.Port, cfg.Printer.Baud, cfg.Files.MaxMB, cfg.Files.MinFreeMB = m.link, 115200, 10, 1
	parts, err := build(t.Context(), cfg, staged{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer parts.store.Close()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- parts.run(t.Context(), listener) }()
	if _, err := parts.store.Put(t.Context(), "ring.gcode", bytes.NewReader(ring(t)), -1, false); err != nil {
		t.Fatal(err)
	}
	snapshots := parts.printer.Snapshots()
	reach := func(ok func(*printer.Snapshot) bool) *printer.Snapshot {
		for seq := uint64(0); ; {
			s, n, err := snapshots.Next(t.Context(), seq)
			if err != nil {
				t.Fatal(err)
			}
			if seq = n; ok(s) {
				return s
			}
		}
	}
	reach(func(s *printer.Snapshot) bool { return s.State == printer.Idle })
	if _, _, err := parts.server.StartPrint(t.Context(), "ring.gcode", "test", false); err != nil {
		t.Fatal(err)
	}
	reach(func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Layer >= 2 })
	listener.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("it ended with %v, want that the listener is closed", err)
	}
	if s, _ := snapshots.Get(); s.LastJob == nil || s.LastJob.Outcome != "interrupted" {
		t.Errorf("the last job is %+v", s.LastJob)
	}
	cooled(t, m.switchOff())
}

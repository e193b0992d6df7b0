package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"layerd/internal/server"
	"layerd/printer"
)

// The printer's port: wrong, taken, silent, and one that comes and goes.

func TestPortsThatCannotBeRight(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if got, err := os.ReadFile(file); string(got) != "precious" {
			t.Errorf("the file now holds %q, %v", got, err)
		}
	})
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	busy := switchOn(t)
	held, err := os.OpenFile(busy.link, os.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, port string
		code       printer.FaultCode
		says, next string
	}{
		{"missing", "/dev/serial/by-id/usb-none", printer.FaultPortMissing, "There is no port /dev/serial/by-id/usb-none", "USB cable"},
		{"a file", file, printer.FaultPortOpen, file + " is not a serial port", "Choose"},
		{"a folder", filepath.Dir(file), printer.FaultPortOpen, filepath.Dir(file) + " is not a serial port", "Choose"},
		{"a pipe", fifo, printer.FaultPortOpen, fifo + " is not a serial port", "Choose"},
		{"/dev/null", "/dev/null", printer.FaultPortOpen, "/dev/null is not a serial port", "Choose"},
		{"held by another program", busy.link, printer.FaultPortBusy, "Another program uses " + busy.link + ": ", "Stop that program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := startDaemon(t, t.TempDir(), port(c.port))
			s := d.faulted(c.code)
			if s.State != printer.Disconnected || !strings.Contains(s.Fault.Message, c.says) || !strings.Contains(s.Fault.Next, c.next) || s.Fault.Said == "" {
				t.Errorf("state %v, fault %+v; want a message with %q and a next step with %q", s.State, s.Fault, c.says, c.next)
			}
			d.put("a.gcode", []byte("G28\n")) // all else works
			if status, a := d.try(d.token, `{"do":"start","file":"a.gcode"}`); status != 409 || a.Error.Code != "not_connected" || a.Error.Next == "" {
				t.Errorf("start: status %d, %+v", status, a.Error)
			}
			if rows := d.prints(); len(rows) != 0 {
				t.Errorf("the history has %+v", rows)
			}
			d.end(4 * time.Second)
		})
	}
}

// Two daemons with a data directory each do not share a printer; the second gets it when the first has gone.
func TestTheSecondDaemonOnAPortWaits(t *testing.T) {
	t.Parallel()
	m := switchOn(t)
	first := startDaemon(t, t.TempDir(), port(m.link))
	first.reach(printer.Idle)
	second := startDaemon(t, t.TempDir(), port(m.link))
	if s := second.faulted(printer.FaultPortBusy); !strings.Contains(s.Fault.Message, "(process ") {
		t.Errorf("the second says %+v", s.Fault)
	}
	if s := first.state(); s.State != printer.Idle {
		t.Errorf("the first is %v, fault %+v", s.State, s.Fault)
	}
	first.end(4 * time.Second)
	second.reach(printer.Idle)
}

func TestNobodyThatCanBeUnderstoodAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		sim   []string
		code  printer.FaultCode
		says  string
		wants string
	}{
		{"silent", []string{"--faults", "silent@1"}, printer.FaultSilent, "Nothing answers on ", "switched on"},
		{"rubbish", []string{"--faults", "garble"}, printer.FaultGarbled, "cannot be read", "speed is probably wrong"},
		{"another speed", []string{"--baud", "250000"}, printer.FaultGarbled, "cannot be read", "speed is probably wrong"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := switchOn(t, c.sim...)
			d := startDaemon(t, t.TempDir(), port(m.link))
			d.reach(printer.Connecting)
			s := d.faulted(c.code)
			if s.State != printer.Disconnected || !strings.Contains(s.Fault.Message, c.says) || !strings.Contains(s.Fault.Message, " at 115200 baud") ||
				!strings.Contains(s.Fault.Next, c.wants) {
				t.Errorf("state %v, fault %+v; want a message with %q and a next step with %q", s.State, s.Fault, c.says, c.wants)
			}
			d.end(4 * time.Second)
		})
	}
}

func TestTheSpeedIsDetected(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--baud", "250000", "--speed", "0", "--heat", "0")
	d := startDaemon(t, t.TempDir(), []string{"LAYERD_PRINTER_PORT=" + m.link, "LAYERD_CAMERA_DEVICE=none"})
	s := d.reach(printer.Idle)
	if c := s.Connection; c.Baud != 250000 || c.Port != m.link || c.Dialect != "marlin" || !c.Locked {
		t.Errorf("connected as %+v", c)
	}
	d.put("a.gcode", []byte("G28\nG1 X10 F3000\n"))
	job := d.do(`{"do":"start","file":"a.gcode","anyway":true}`).Job // and it stays so
	if row := d.row(job); row.Outcome != "done" {
		t.Errorf("the history has %+v", row)
	}
}

func TestAPrinterThatComesAndGoes(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "printer")
	d := startDaemon(t, t.TempDir(), port(link))
	d.faulted(printer.FaultPortMissing)

	m := switchOnAt(t, link) // switched on after the daemon
	if s := d.reach(printer.Idle); s.Fault != nil {
		t.Errorf("connected, with the fault %+v", s.Fault)
	}
	m.unplug()
	s := d.until("a lost port", func(s server.State) bool { return s.Fault != nil })
	// Two seconds later it has tried again, and says that the port is missing.
	if s.State != printer.Disconnected || s.Fault.Code != printer.FaultPortLost && s.Fault.Code != printer.FaultPortMissing {
		t.Errorf("without the printer the state is %v, fault %+v", s.State, s.Fault)
	}
	d.faulted(printer.FaultPortMissing)

	m = switchOnAt(t, link, "--speed", "40", "--heat", "100")
	if s := d.reach(printer.Idle); s.Fault != nil {
		t.Errorf("connected again, with the fault %+v", s.Fault)
	}
	job := d.start("ring.gcode", ring(t))
	d.until("a second layer", func(s server.State) bool { return s.State == printer.Printing && s.Job.Layer >= 2 })
	m.unplug()
	d.lost(job)

	// Another board comes back under its name: it has not kept the print's place, so nothing moves. A person has to look at it first; then it is
	// told nothing that moves or heats.
	m = switchOnAt(t, link)
	s = d.faulted(printer.FaultBoardReset)
	if l := s.LastJob; s.State != printer.Faulted || s.Fault.Next == "" || s.Job != nil || s.Lost != nil || l == nil || l.ID != job || l.Outcome != "interrupted" || l.Layer < 2 {
		t.Errorf("another board: state %v, fault %+v, job %+v, lost %+v, last job %+v", s.State, s.Fault, s.Job, s.Lost, l)
	}
	if row := d.row(job); row.Outcome != "interrupted" || row.Fault != string(printer.FaultBoardReset) || row.Layer < 2 || row.Percent <= 0 || row.Reason == "" {
		t.Errorf("the history has %+v", row)
	}
	d.do(`{"do":"dismiss"}`)
	d.reach(printer.Idle)
	d.end(4 * time.Second)
	if own := withoutAsking(m.switchOff()); len(own) != 0 {
		t.Errorf("the printer that came back was told %q", own)
	}
}

package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// hungUp reads to the end of an open port, and returns what still came.
func (h *tty) hungUp() (said string) {
	h.t.Helper()
	h.SetReadDeadline(time.Now().Add(30 * time.Second))
	for {
		line, err := h.r.ReadString('\n')
		said += line
		if os.IsTimeout(err) {
			h.t.Fatal("the port is still there")
		}
		if err != nil {
			if _, err := h.WriteString("M105\n"); err == nil {
				h.t.Error("a port without a cable took a line")
			}
			return said
		}
	}
}

// pluggedIn waits until printsim says that the link is there.
func (r *running) pluggedIn() {
	r.t.Helper()
	if line, err := r.out.ReadString('\n'); line != r.link+"\n" {
		r.t.Fatalf("plugged in again: %q, %v; %s", line, err, r.err.String())
	}
}

// TestPulledCable: the port hangs up, its name is gone for as long as the cable is out, and then another device has it; the board has gone on.
func TestPulledCable(t *testing.T) {
	device := filepath.Join(t.TempDir(), "ttyUSB")
	p := start(t, "--faults", "unplug@4:100ms", "--device", device+"%d", "--heat", "0")
	if to, err := filepath.EvalSymlinks(p.link); err != nil || !strings.HasPrefix(to, "/dev/pts/") {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if to, err := os.Readlink(p.link); to != device+"0" {
		t.Errorf("the link points to %q, %v", to, err)
	}
	h := p.open()
	h.send("M110 N7\nM140 S60\nG4 P50\n")
	for range 3 {
		h.until("ok")
	}
	h.send("G4 P50\n")
	if said := h.hungUp(); said != "" {
		t.Errorf("a pulled cable said %q", said)
	}
	p.pluggedIn()
	if to, err := os.Readlink(p.link); to != device+"1" {
		t.Errorf("plugged in again the link points to %q, %v", to, err)
	}
	if _, err := os.Lstat(device + "0"); !os.IsNotExist(err) {
		t.Errorf("the old device is still there: %v", err)
	}
	h.Close()
	h = p.open()
	h.send("\nN8 M105*47\n")
	if got := h.until("ok T:21.25 /0.00 B:60.00 /60.00 @:0 B@:33"); len(got) > 1 {
		t.Errorf("before line 8 was answered came %q: what was said while nobody listened is lost", got)
	}
	if out := p.stop(syscall.SIGTERM); !strings.Contains(out, "cable pulled         1 times") {
		t.Errorf("no pulled cable in\n%s", out)
	}
	if left, _ := filepath.Glob(device + "*"); len(left) > 0 {
		t.Errorf("%q are left", left)
	}
}

// TestLinkIsGoneWhileTheCableIsOut: here for ever, so that there is no hurry to look.
func TestLinkIsGoneWhileTheCableIsOut(t *testing.T) {
	p := start(t, "--faults", "unplug@1")
	h := p.open()
	h.send("M117\n")
	h.hungUp()
	if _, err := os.Lstat(p.link); !os.IsNotExist(err) {
		t.Errorf("the name of a device that is not there: %v", err)
	}
	p.stop(syscall.SIGTERM)
}

// TestPowerLoss: the board begins anew, with its first words when somebody has the new port open by then.
func TestPowerLoss(t *testing.T) {
	p := start(t, "--faults", "powerloss@2:100ms", "--heat", "0", "--firmware", "prusa") // which takes two seconds to start
	h := p.open()
	h.send("M140 S60\n")
	h.until("ok")
	h.send("N0 M110 N7*122\n")
	h.hungUp()
	p.pluggedIn()
	h.Close()
	h = p.open()
	banner := h.until("echo:SD init fail")
	if !slices.Contains(banner, "start") {
		t.Errorf("after the power came back it said %q", banner)
	}
	h.send("N1 M105*38\n")
	h.until("ok T:21.2 /0.0 B:21.2 /0.0 T0:21.2 /0.0 @:0 B@:0 P:0.0 A:28.4")
	p.stop(syscall.SIGTERM)
}

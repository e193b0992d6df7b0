package printertest

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestUnplug(t *testing.T) {
	faults, _ := ParseFaults("unplug@2:5s")
	talk(t, Config{Faults: faults}, func(h *host) {
		h.send("M117")
		h.wants("ok")
		h.send("M117")
		if !errors.Is(h.failure(), ErrUnplugged) {
			t.Errorf("Read: %v", h.failure())
		}
		if _, err := h.port.Write([]byte("x")); !errors.Is(err, ErrUnplugged) {
			t.Errorf("Write: %v", err)
		}
		if err := h.port.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		h.open()
		if !errors.Is(h.failure(), ErrUnplugged) {
			t.Errorf("Read of a port that is not there: %v", h.failure())
		}
		if h.sim.Body().Plugged {
			t.Error("still plugged in")
		}
		h.sleep(5 * time.Second)
		if _, err := h.port.Write([]byte("x")); !errors.Is(err, ErrUnplugged) {
			t.Errorf("Write to a device that was not there when it was opened: %v", err)
		}
		h.open()
		h.take()
		h.send("M117")
		h.wants("ok")
		if !h.sim.Body().Plugged {
			t.Error("not plugged in again")
		}
		h.sim.Inject(Trigger{Kind: Unplug})
		if !errors.Is(h.failure(), ErrUnplugged) {
			t.Errorf("Read: %v", h.failure())
		}
		if n := h.sim.Counters().Unplugs; n != 2 {
			t.Errorf("pulled %d times, want 2", n)
		}
	})
}

// TestBoardGoesOnWithoutTheCable: what it has is executed, the heaters stay on, and the count of lines goes on.
func TestBoardGoesOnWithoutTheCable(t *testing.T) {
	talk(t, Config{Speed: 1, Heat: 1, KeepExecuted: true}, func(h *host) {
		h.send(framed("1", "M140 S60"))
		h.send(framed("2", "G1 X100 F3000"), framed("3", "G4 S1"), framed("4", "M204 P900"))
		h.take()
		h.sim.Inject(Trigger{Kind: Unplug, For: time.Minute})
		h.sleep(time.Minute)
		h.open()
		h.wants() // what it said meanwhile is lost
		if got := h.sim.Executed(); got[len(got)-1] != "M204 P900" {
			t.Errorf("executed %q", got)
		}
		if b := h.sim.Body(); b.Believed[0] != 100 || b.BedTargetC != 60 || b.BedC < 30 || b.Booting {
			t.Errorf("after a minute without the cable: %+v", b)
		}
		h.send(framed("5", "M117"))
		h.wants("ok")
	})
}

func TestPowerLoss(t *testing.T) {
	faults, _ := ParseFaults("powerloss@5:1m")
	talk(t, Config{Speed: 1, Heat: 1, KeepExecuted: true, Faults: faults}, func(h *host) {
		h.send(framed("1", "M140 S60"))
		h.send(framed("2", "G1 X100 F3000"))
		h.sleep(time.Second)
		h.send(framed("3", "G4 S5"), framed("4", "M204 P900"), framed("5", "M204 P901"))
		h.take()
		h.sleep(time.Minute)
		h.open()
		if b := h.sim.Body(); !b.Plugged || !b.Booting || b.BedTargetC != 0 {
			t.Errorf("when the power comes back: %+v", b)
		}
		h.sleep(419 * time.Millisecond)
		h.wants()
		h.sleep(time.Millisecond)
		h.wants(marlin2().Banner...)
		if got := h.sim.Executed(); slices.Contains(got, "M204 P900") {
			t.Errorf("without power it executed %q", got)
		}
		if b := h.sim.Body(); b.True[0] < 100 || b.True[0] > 150 || b.Believed[0] != 0 {
			t.Errorf("the head stopped halfway, and the firmware does not know where: %+v", b)
		}
		h.send(framed("1", "M117"))
		h.wants("ok")
		h.sim.Inject(Trigger{Kind: PowerLoss})
		h.sleep(1000 * time.Hour)
		if b := h.sim.Body(); b.Plugged || !b.Booting {
			t.Errorf("without an end: %+v", b)
		}
	})
}

// TestPulledInMidLine: of what is on its way some gets there, up to any byte, and what comes after the cable is back is read behind it.
func TestPulledInMidLine(t *testing.T) {
	lines := []string{framed("1", "G1 X1"), framed("2", "G1 X2"), framed("3", "G1 X3")}
	ends := map[string]bool{}
	for seed := range uint64(200) {
		talk(t, Config{Baud: 115200, Seed: seed, KeepExecuted: true}, func(h *host) {
			if _, err := h.port.Write([]byte(strings.Join(lines, "\n") + "\n")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(seed%40) * 87 * time.Microsecond)
			h.sim.Inject(Trigger{Kind: Unplug, For: time.Second})
			h.sleep(time.Second)
			h.take()
			done := h.sim.Executed()
			if want := []string{"G1 X1", "G1 X2", "G1 X3"}; len(done) > 3 || !slices.Equal(done, want[:len(done)]) {
				t.Errorf("seed %d: executed %q", seed, done)
			}
			h.open()
			h.send("?")
			h.sleep(time.Second)
			got := strings.Join(h.take(), "|")
			if i := strings.IndexByte(got, '"'); i >= 0 {
				got = got[i+1 : strings.LastIndexByte(got, '"')]
			} else if got != "" && got != "ok" && !strings.HasPrefix(got, "Error:") { // "N?" is line 0 again, "*44?" a checksum
				t.Errorf("seed %d: a line behind half a line gave %q", seed, got)
			}
			ends[got] = true
		})
	}
	for _, end := range []string{"", "?", "ok", "Error:No Checksum with line number, Last Line: 0|Resend: 1|ok",
		"Error:checksum mismatch, Last Line: 1|Resend: 2|ok", "Error:No Checksum with line number, Last Line: 2|Resend: 3|ok"} {
		if !ends[end] {
			t.Errorf("no cut was such that the next line gave %q", end)
		}
	}
}

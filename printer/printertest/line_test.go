package printertest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestFlowControlHoldsBytesBack(t *testing.T) {
	talk(t, Config{Speed: 1, FlowControl: true}, func(h *host) {
		h.send("G4 S5")
		wrote := make(chan error, 1)
		go func() {
			_, err := h.port.Write([]byte(strings.Repeat("M117 1234\n", 1000))) // more than queue, ring and tty hold
			wrote <- err
		}()
		h.sleep(4 * time.Second)
		select {
		case err := <-wrote:
			t.Errorf("Write returned %v while nothing was taken", err)
		default:
		}
		h.sleep(2 * time.Second)
		if err := <-wrote; err != nil {
			t.Error(err)
		}
		if c := h.sim.Counters(); c.Overruns != 0 || c.Lines != 1001 {
			t.Errorf("%d overruns, %d lines; want none and all 1001", c.Overruns, c.Lines)
		}
	})
}

func TestDiscardEndsABlockedWrite(t *testing.T) {
	talk(t, Config{Speed: 1, FlowControl: true}, func(h *host) {
		h.send("G4 S1000")
		wrote := make(chan error, 1)
		go func() {
			_, err := h.port.Write(bytes.Repeat([]byte("M117\n"), 4000))
			wrote <- err
		}()
		synctest.Wait()
		if err := h.port.Discard(); err != nil {
			t.Error(err)
		}
		if err := <-wrote; err != nil {
			t.Errorf("Write: %v", err)
		}
		go func() {
			_, err := h.port.Write(bytes.Repeat([]byte("M117\n"), 4000))
			wrote <- err
		}()
		synctest.Wait()
		if err := h.port.Close(); err != nil {
			t.Error(err)
		}
		if err := <-wrote; !errors.Is(err, os.ErrClosed) {
			t.Errorf("Write in a port that was closed: %v", err)
		}
		if !errors.Is(h.failure(), os.ErrClosed) {
			t.Errorf("Read in a port that was closed: %v", h.failure())
		}
	})
}

func TestPacing(t *testing.T) {
	const baud = 115200
	talk(t, Config{Baud: baud}, func(h *host) {
		line := "M117 " + strings.Repeat("x", 54) + "\n" // 60 bytes
		start := time.Now()
		for range 192 { // 11520 bytes: a second of line time
			if _, err := h.port.Write([]byte(line)); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 600*time.Millisecond {
			t.Errorf("11520 bytes were written in %v: more than the tty's buffer went ahead of the line", took)
		}
		h.sleep(time.Second - time.Since(start) - time.Nanosecond)
		if n := h.sim.Counters().Lines; n > 191 {
			t.Errorf("%d lines had arrived before a second was over", n)
		}
		h.sleep(time.Nanosecond)
		if n := h.sim.Counters().Lines; n != 192 {
			t.Errorf("after a second %d lines had arrived, want 192", n)
		}
		h.sleep(time.Second)
		h.take()
		asked := time.Since(h.from)
		h.send("M105") // 5 bytes there, 40 and a line end back
		h.sleep(100 * time.Millisecond)
		reply := "ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0"
		want := asked + (time.Duration(5*10)*time.Second+baud-1)/baud + (time.Duration((len(reply)+1)*10)*time.Second+baud-1)/baud
		if got, at := h.takeTimed(); len(got) != 1 || got[0] != reply || at[0] != want {
			t.Errorf("%q at %v, want %q at %v", got, at, reply, want)
		}
	})
}

// TestSendingKeepsTheFirmwareBusy: what comes meanwhile has to fit into the ring.
func TestSendingKeepsTheFirmwareBusy(t *testing.T) {
	talk(t, Config{Baud: 115200, RxBuffer: 32, TxBuffer: 1}, func(h *host) {
		h.send("M115") // a good kilobyte, 100 ms
		h.sleep(time.Millisecond)
		h.send(strings.Repeat("M117\n", 20)) // 8 ms
		h.sleep(time.Second)
		got := h.take()
		if n := len(got) - slices.Index(got, "ok") - 1; n != 6 {
			t.Errorf("%d lines were answered after M115, want the 6 that a ring of 31 bytes holds: %q", n, got)
		}
		if c := h.sim.Counters(); c.Overruns != 101-31 || c.HostLost != 0 {
			t.Errorf("%d bytes lost by the board, %d by the host; want 70 and none", c.Overruns, c.HostLost)
		}
	})
}

func TestUSBLatency(t *testing.T) {
	talk(t, Config{USBLatency: 4 * time.Millisecond}, func(h *host) {
		h.send("M110 N0")
		h.sleep(time.Second)
		if _, at := h.takeTimed(); len(at) != 1 || at[0] != 8*time.Millisecond {
			t.Errorf("the ok came at %v, want 8 ms: 4 there, 4 back", at)
		}
	})
}

func TestWrongSpeedIsGarbage(t *testing.T) {
	talk(t, Config{Baud: 250000, ResetOnOpen: true}, func(h *host) {
		h.port.SetBaud(115200)
		for range 20 {
			h.send("M105")
			h.sleep(time.Second)
		}
		if all := strings.Join(h.take(), ""); strings.ContainsAny(all, "okT:0123456789") || all == "" {
			t.Errorf("at the wrong speed came %q", all)
		}
		h.port.SetBaud(250000)
		h.send("") // ends what the garbage began
		h.sleep(time.Second)
		h.take()
		h.send("M105")
		h.sleep(time.Second)
		h.wants("ok T:21.25 /0.00 B:21.25 /0.00 @:0 B@:0")
	})
}

func TestEndOfRun(t *testing.T) {
	var p *Port
	talk(t, Config{}, func(h *host) { p = h.port })
	if _, err := p.Write([]byte("x")); err != io.EOF {
		t.Errorf("write after the end: %v", err)
	}
}

package printertest

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestReceiveRingOverruns(t *testing.T) {
	for _, size := range []int{64, 128, 256, 1024} {
		talk(t, Config{Speed: 1, RxBuffer: size}, func(h *host) {
			h.send("G4 S5") // waits in the queue; three more lines fit there, and one byte less than size into the ring
			for range 3 {
				h.send("M117 1234")
			}
			lines := size/10 + 1
			h.send(strings.Repeat("M117 1234\n", lines) + "M117 56")
			if c, lost := h.sim.Counters(), int64(10*lines+8-(size-1)); c.Overruns != lost || c.OverrunEvents != 1 {
				t.Errorf("a ring of %d: %d bytes lost in %d events, want %d in 1", size, c.Overruns, c.OverrunEvents, lost)
			}
			h.sleep(6 * time.Second)
			if got, whole := h.take(), (size-1)/10; len(got) != 2+4+whole {
				t.Errorf("a ring of %d: %d replies, want two busy and the oks of the %d whole lines that were kept: %q", size, len(got), 4+whole, got)
			}
		})
	}
}

// TestOverrunJoinsLines: the bytes that find no room are missing in the middle, and the line before them goes on with what comes after.
func TestOverrunJoinsLines(t *testing.T) {
	talk(t, Config{Speed: 1, RxBuffer: 64, BufSize: 1, KeepExecuted: true}, func(h *host) {
		h.send(framed("1", "G4 S1"))
		var lines []string
		for n := 2; n < 9; n++ {
			lines = append(lines, framed(itoa(n), "G1 X"+itoa(n)))
		}
		h.send(lines...) // of 12 bytes each with the line end: five, and three bytes of the sixth, find room
		h.sleep(time.Second)
		h.send(framed("9", "G1 X9"))
		h.wants("ok", "ok", "ok", "ok", "ok", "ok", "Error:checksum mismatch, Last Line: 6", "Resend: 7", "ok")
		if got, want := h.sim.Executed(), []string{"G4 S1", "G1 X2", "G1 X3", "G1 X4", "G1 X5", "G1 X6"}; !slices.Equal(got, want) {
			t.Errorf("executed %q, want %q", got, want)
		}
	})
}

// TestFlushInMidLine is the hazard that no firmware protects from: a board without transmit buffer takes four milliseconds to say
// that line 1 was bad, and then throws away what came meanwhile: line 2, and the number of line 3. What is left of that has no number,
// and a checksum that nobody looks at.
func TestFlushInMidLine(t *testing.T) {
	talk(t, Config{Baud: 115200, TxBuffer: 1, KeepExecuted: true}, func(h *host) {
		bad := strings.Replace(framed("1", "G1 X1"), "X1", "X9", 1)
		said := "Error:checksum mismatch, Last Line: 0"
		second := ""
		for n := 0; len(second+"\nN3") < len(said)-1; n++ { // so that the number of line 3 comes while the error is being said
			second = framed("2", "M117 "+strings.Repeat("x", n))
		}
		h.send(bad, second, framed("3", "G1 X3"))
		h.sleep(time.Second)
		h.wants(said, "Resend: 1", "ok", "ok")
		if got := h.sim.Executed(); !slices.Equal(got, []string{"G1 X3"}) {
			t.Errorf("executed %q, want the end of line 3 alone", got)
		}
	})
}

// TestFlushAnywhere: the flush can end before any byte of what follows the bad line. The rest of a line is a command of its own; each whole
// line behind it has a wrong number, and is an error with a flush like the first.
func TestFlushAnywhere(t *testing.T) {
	bad := strings.Replace(framed("1", "G1 X1"), "X1", "X9", 1)
	third := framed("3", "G1 X3")
	began := map[string]bool{}
	for seed := range uint64(400) {
		cfg := Config{Baud: 115200, Seed: seed, AdvancedOK: true, KeepExecuted: true, Faults: Faults{FlushDelay: 5 * time.Millisecond}}
		talk(t, cfg, func(h *host) {
			h.send(bad, framed("2", "G1 X2"), third)
			h.sleep(time.Second)
			got := h.take()
			if want := []string{"Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok"}; !slices.Equal(got[:3], want) {
				t.Errorf("seed %d: a bad line gave %q", seed, got)
			}
			for i := 3; i < len(got); i++ {
				switch text, unknown := strings.CutPrefix(got[i], "echo:Unknown command: \""); {
				case unknown:
					began[strings.TrimSuffix(text, "\"")] = true
				case got[i] != "Error:Line Number is not Last Line Number+1, Last Line: 0" && got[i] != "Resend: 1" && !strings.HasPrefix(got[i], "ok"):
					t.Errorf("seed %d: said %q", seed, got)
				}
			}
			done := h.sim.Executed()
			for _, text := range done {
				if text != "G1 X2" && text != "G1 X3" {
					t.Errorf("seed %d: executed %q", seed, text)
				}
				began[text] = true
			}
			if n := h.sim.Counters().Tails; n != int64(len(done)) {
				t.Errorf("seed %d: %d commands without their number were counted, %q executed", seed, n, done)
			}
		})
	}
	for i := 1; i < len(third); i++ {
		rest := third[i:]
		text, _, _ := strings.Cut(strings.TrimSpace(rest), "*") // the firmware shows no checksum
		if !began[text] {
			t.Errorf("no flush ended before %q", rest)
		}
	}
}

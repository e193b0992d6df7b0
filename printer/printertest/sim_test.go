package printertest

import (
	"bytes"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestOKIsWithheldWhileThePlannerIsFull(t *testing.T) {
	talk(t, Config{AdvancedOK: true, Speed: 1}, func(h *host) {
		h.send("M302 P1", "G91", "M83")
		h.take()
		for i := range 15 { // each of them takes a second and more
			h.send("G1 X1 E0.1 F60")
			h.wants("ok P" + itoa(14-i) + " B3")
		}
		h.send("G1 X1 E0.1 F60")
		h.wants()
		h.sleep(1200 * time.Millisecond) // the first one is done
		h.wants("ok P0 B3")
		h.send("M105", "M114") // not held up by a full planner
		if got := h.take(); len(got) != 3 || !strings.HasPrefix(got[0], "ok T:") || !strings.HasPrefix(got[1], "X:16.00 Y:0.00 Z:0.00 E:1.60 Count X:9") {
			t.Errorf("got %q, want temperatures, and a position that says where it will be and how far it is", got)
		}
		h.send("M400")
		h.sleep(time.Minute)
		if body := h.sim.Body(); body.Believed[axisX] != 16 || body.ExtrudedMM < 1.59 || body.ExtrudedMM > 1.61 || len(body.Trail) != 16 {
			t.Errorf("after 16 moves: %.2f mm, %.2f mm of filament, %d segments", body.Believed[axisX], body.ExtrudedMM, len(body.Trail))
		}
		if n := h.sim.Counters().Underruns; n != 0 {
			t.Errorf("%d underruns, want none", n)
		}
	})
}

func TestUnderrunsAreCounted(t *testing.T) {
	talk(t, Config{Speed: 1}, func(h *host) {
		h.send("G91")
		for range 10 { // 10 mm at 100 mm/s and a wait of 100 ms for company: over in 250 ms
			h.send("G1 X10 F6000")
			h.sleep(400 * time.Millisecond)
		}
		if n := h.sim.Counters().Underruns; n != 9 {
			t.Errorf("%d underruns, want 9", n)
		}
	})
}

func TestHeating(t *testing.T) {
	talk(t, Config{Heat: 1}, func(h *host) {
		h.send("M140 S60", "M109 S200")
		h.wants("ok", " T:21.25 /200.00 B:21.25 /60.00 @:127 B@:127 W:?")
		h.sleep(2 * time.Second)
		if got := h.take(); len(got) != 3 || !strings.HasPrefix(got[0], " T:2") || got[2] != "echo:busy: processing" && got[1] != "echo:busy: processing" {
			t.Errorf("after two seconds: %q", got)
		}
		h.sleep(3 * time.Minute)
		got := h.take()
		if last := got[len(got)-1]; last != "ok" {
			t.Errorf("M109 ended with %q", last)
		}
		tail := strings.Join(got[len(got)-6:], "|")
		for _, w := range []string{"W:2|", "W:1|", "W:0|"} {
			if !strings.Contains(tail, w) {
				t.Errorf("no %s at the end of %q", w, tail)
			}
		}
		body := h.sim.Body()
		if math.Abs(body.NozzleC-200) > 0.1 || math.Abs(body.BedC-60) > 0.1 {
			t.Errorf("%.2f and %.2f °C", body.NozzleC, body.BedC)
		}
		h.send("M109 S150") // S waits for heating only
		h.wants("ok")
		h.send("M109 R100")
		h.wants(" T:200.00 /100.00 B:60.00 /60.00 @:0 B@:33 W:?")
		h.sleep(5 * time.Minute)
		if got := h.take(); got[len(got)-1] != "ok" {
			t.Errorf("M109 R ended with %q", got[len(got)-1])
		}
	})
}

func TestHomingMakesBeliefAndTruthAgree(t *testing.T) {
	talk(t, Config{Speed: 1, ResetOnOpen: false}, func(h *host) {
		if body := h.sim.Body(); body.Homed != [3]bool{} || body.True == [3]float64{} {
			t.Errorf("at first: homed %v, at %v", body.Homed, body.True)
		}
		h.send("G28")
		h.sleep(time.Second)
		moving := h.sim.Body()
		h.sleep(30 * time.Second)
		got := h.take()
		if n := len(got); n < 5 || got[n-2] != "X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0" || got[n-1] != "ok" || got[0] != "echo:busy: processing" {
			t.Errorf("G28 said %q", got)
		}
		body := h.sim.Body()
		if body.Homed != [3]bool{true, true, true} || body.True != [3]float64{} || moving.True[0] <= 0 || moving.True[0] >= 87 {
			t.Errorf("homed %v at %v, and %v on the way", body.Homed, body.True, moving.True)
		}
		h.send("G1 X10 Y10 Z5 F6000", "M400")
		h.sleep(5 * time.Second)
		h.sim.Inject(Trigger{Kind: Shift, Axis: 'x', MM: 5})
		h.send("G1 X20", "M400")
		h.sleep(5 * time.Second)
		if body = h.sim.Body(); body.True[0] != 25 || body.Believed[0] != 20 {
			t.Errorf("shifted by 5: truly at %v, believed at %v", body.True[0], body.Believed[0])
		}
		h.send("G1 X-5 Y500", "M400") // soft endstops
		h.sleep(10 * time.Second)
		if body = h.sim.Body(); body.Believed[0] != 0 || body.Believed[1] != 220 {
			t.Errorf("believed at %v, want it clipped to the bed", body.Believed)
		}
		h.take()
		h.send("M119")
		h.wants("Reporting endstop status", "x_min: open", "y_min: open", "z_min: open", "ok")
		h.send("G28 X")
		h.sleep(10 * time.Second)
		h.take()
		h.send("M119")
		h.wants("Reporting endstop status", "x_min: TRIGGERED", "y_min: open", "z_min: open", "ok")
		if body = h.sim.Body(); body.True[0] != 0 || body.True[1] != 220 {
			t.Errorf("after G28 X at %v", body.True)
		}
	})
}

func TestTheFrameStopsWhatTheFirmwareDoesNot(t *testing.T) {
	talk(t, Config{}, func(h *host) {
		h.send("G28", "M211 S0", "G1 X-10", "G1 X10", "M114")
		if body := h.sim.Body(); body.Believed[0] != 10 || body.True[0] != 10+10-slackMM {
			t.Errorf("believed %v, truly %v: want the steps lost at the frame", body.Believed[0], body.True[0])
		}
	})
}

// TestSwitchMeasuresAShift is how a host can find out by how much an axis is off: run into the switch with M120 on.
func TestSwitchMeasuresAShift(t *testing.T) {
	for name, speed := range map[string]float64{"at once": 0, "in real time": 1} {
		t.Run(name, func(t *testing.T) {
			talk(t, Config{Speed: speed}, func(h *host) {
				h.send("G28", "G1 X50 F6000", "M211 S0", "M120", "M400")
				h.sleep(time.Minute)
				h.sim.Inject(Trigger{Kind: Shift, Axis: 'x', MM: -1.6})
				h.take()
				h.send("G1 X-3 F600", "G1 X-4", "G1 X-5", "M400")
				h.sleep(time.Minute)
				got := slices.DeleteFunc(h.take(), func(s string) bool { return strings.Contains(s, "busy") })
				if !slices.Contains(got, "echo:endstops hit:  X:1.60") {
					t.Errorf("the switch gave %q", got)
				}
				body := h.sim.Body()
				if body.True[0] > 1e-9 || body.True[0] < -1e-9 && speed > 0 {
					t.Errorf("truly at %v, want it at the switch", body.True[0])
				}
				h.take()
				h.send("M119")
				if got := h.take(); !slices.Contains(got, "x_min: TRIGGERED") {
					t.Errorf("M119: %q", got)
				}
			})
		})
	}
}

func TestBoardReset(t *testing.T) {
	talk(t, Config{ResetOnOpen: true, AdvancedOK: true, Speed: 1, Heat: 1}, func(h *host) {
		banner := marlin2().Banner
		h.send("M105") // lost: the boot loader does not listen
		h.sleep(419 * time.Millisecond)
		h.wants()
		h.sleep(time.Millisecond)
		h.wants(banner...)
		h.send("M104 S200", "G1 X100 F600", framed("1", "M105"))
		h.take()
		h.sleep(5 * time.Second)
		if tried, err := h.port.Reset(); !tried || err != nil {
			t.Errorf("Reset: %v, %v", tried, err)
		}
		h.sleep(time.Second)
		h.wants(banner...)
		body := h.sim.Body()
		if body.NozzleTargetC != 0 || body.NozzleC < 25 || body.Believed[0] != 0 || body.True[0] < 100 || body.True[0] > 180 {
			t.Errorf("after a reset: %+v", body)
		}
		h.send(framed("1", "M105"))
		if got := h.take(); len(got) != 1 || !strings.HasPrefix(got[0], "ok T:") {
			t.Errorf("line 1 after a reset: %q", got)
		}
		h.send("M112")
		h.take()
		h.port.Close()
		h.send2Err()
		h.open()
		h.sleep(time.Second)
		h.wants(banner...)
		if n := h.sim.Counters().Resets; n != 3 {
			t.Errorf("%d resets, want 3", n)
		}
	})
}

// send2Err checks that a closed port says so.
func (h *host) send2Err() {
	h.t.Helper()
	if _, err := h.port.Write([]byte("M105\n")); !errors.Is(err, os.ErrClosed) {
		h.t.Errorf("write to a closed port: %v", err)
	}
}

func TestRecord(t *testing.T) {
	var record bytes.Buffer
	talk(t, Config{Speed: 1, Record: &record, KeepExecuted: true}, func(h *host) {
		h.send(framed("1", "G1 X5 ")) // first in the queue
		h.sleep(time.Second)
		h.send("G4 P500", framed("2", "M117 a b"), "BOGUS", "M105 ; comment", "T0")
		h.sleep(time.Second)
		want := "0\tG1 X5\n1000000\tG4 P500\n1500000\tM117 a b\n1500000\tM105\n1500000\tT0\n"
		if got := record.String(); got != want {
			t.Errorf("recorded %q, want %q", got, want)
		}
		if got, want := h.sim.Executed(), []string{"G1 X5", "G4 P500", "M117 a b", "M105", "T0"}; !slices.Equal(got, want) {
			t.Errorf("executed %q, want %q", got, want)
		}
	})
}

func TestCounters(t *testing.T) {
	talk(t, Config{}, func(h *host) {
		for i := range 100 {
			h.send(framed(itoa(i+1), "M105"))
			h.sleep(time.Duration(i+1) * time.Millisecond)
		}
		c := h.sim.Counters()
		if c.Lines != 100 || c.Executed != 100 || c.OKs != 100 || c.Gaps.Count != 99 {
			t.Errorf("%+v", c)
		}
		for q, want := range map[float64]time.Duration{0.5: 50 * time.Millisecond, 0.9: 90 * time.Millisecond, 1: 99 * time.Millisecond} {
			if got := c.Gaps.Quantile(q); got < want || got > want*17/16+time.Millisecond {
				t.Errorf("quantile %v is %v, want about %v", q, got, want)
			}
		}
		if c.Gaps.Max != 99*time.Millisecond {
			t.Errorf("max %v", c.Gaps.Max)
		}
		for _, word := range []string{"lines received       100", "commands executed    100", "p99.9", "planner underruns    0"} {
			if !strings.Contains(c.String(), word) {
				t.Errorf("no %q in\n%s", word, c)
			}
		}
	})
}

func TestArcs(t *testing.T) {
	talk(t, Config{}, func(h *host) {
		h.send("M302 P1", "G28", "G1 X50 Y50 F6000", "G3 X50 Y50 I10 J0 E3", "G2 X70 Y50 R10 E4", "G2 X80 Y60", "M114")
		got := h.take()
		if pos := got[len(got)-2]; !strings.HasPrefix(pos, "X:70.00 Y:50.00 Z:0.00 E:4.00 ") {
			t.Errorf("ended at %q", pos)
		}
		if !slices.Contains(got, "G2/G3 bad parameters") {
			t.Errorf("an arc without centre gave %q", got)
		}
		body := h.sim.Body()
		length := 0.0
		for _, s := range body.Trail {
			length += math.Hypot(s.To[0]-s.From[0], s.To[1]-s.From[1])
			if r := math.Hypot(s.To[0]-60, s.To[1]-50); math.Abs(r-10) > 1e-9 {
				t.Errorf("a chord ends %.4f mm from the centre, want 10", r)
			}
		}
		if math.Abs(length-3*math.Pi*10) > 0.2 {
			t.Errorf("%.2f mm of arc, want %.2f", length, 3*math.Pi*10)
		}
	})
}

func TestTrailIsBoundedAndKeepsTheWholePrint(t *testing.T) {
	var tr trail
	for i := range 100000 {
		tr.add(Segment{To: [3]float64{float64(i)}})
	}
	list := tr.list()
	if len(list) > TrailMax || len(list) < TrailMax/3 {
		t.Errorf("%d segments", len(list))
	}
	last := -1.0
	for _, s := range list {
		if s.To[0] <= last {
			t.Fatalf("%v comes after %v", s.To[0], last)
		}
		last = s.To[0]
	}
	if last != 99999 || list[0].To[0] > 1000 {
		t.Errorf("from %v to %v", list[0].To[0], last)
	}
}

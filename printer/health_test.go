package printer

import (
	"layerd/gcode"
	"math"
	"testing"
	"time"
)

// walk is a health that is told of a conversation with one line in flight.
type walk struct {
	health
	now time.Time
}

func newWalk(baud int) *walk {
	w := &walk{now: time.Unix(1e9, 0)}
	w.begin(baud, 0)
	return w
}

const unsaid = -1

// line sends a line of n bytes that the firmware answers turn later, with p places free in its planner.
func (w *walk) line(text string, n int, took, turn time.Duration, p int) {
	f := flight{text: []byte(text), lane: laneJob, frame: make([]byte, n), sent: w.now, long: takesLong([]byte(text)), pos: jobPos{took: took}}
	w.wrote(w.now, n, false)
	w.answer(&f, turn, gcode.Reply{Kind: gcode.OK, Text: []byte("ok"), Planner: p, Queue: -1})
}

func (w *walk) answer(f *flight, turn time.Duration, r gcode.Reply) {
	w.now = w.now.Add(turn)
	w.heard(w.now, r, 1)
	w.landed(w.now, f, 100)
}

// moves sends so many moves, each of 30 bytes: 2.6 ms at 115200 baud.
func (w *walk) moves(n int, took, turn time.Duration, p int) {
	for range n {
		w.line("G1 X1", 30, took, turn, p)
	}
}

// refill sends moves of which each finds one more in the planner.
func (w *walk) refill(n int, took, turn time.Duration) {
	for i := range n {
		w.moves(1, took, turn, max(0, 13-i))
	}
}

// setup is what a file begins with. The answers take as long as the way there and back does.
func (w *walk) setup(turn time.Duration, p int) {
	w.line("G28", 8, 0, 15*time.Second, p)
	for range 10 {
		w.line("M106 S0", 12, 0, turn, p)
	}
}

const ms = time.Millisecond

func TestHealthStarved(t *testing.T) {
	for _, c := range []struct {
		name string
		baud int
		do   func(w *walk)
		want float64 // seconds
		by   string
	}{
		{"a full planner holds answers back", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(500, 20*ms, 20*ms, 0) }, 0, ""},
		{"and so without P", 115200, func(w *walk) { w.setup(2*ms, unsaid); w.moves(500, 20*ms, 20*ms, unsaid) }, 0, ""},
		{"a machine slower than its file", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(500, 5*ms, 20*ms, 0) }, 0, ""},
		{"and so without P", 115200, func(w *walk) { w.setup(2*ms, unsaid); w.moves(500, 5*ms, 20*ms, unsaid) }, 0, ""},
		{"a dense file", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(1000, ms, 3*ms, 13) }, 2, "file"},
		{"and so without P", 115200, func(w *walk) { w.setup(2*ms, unsaid); w.moves(1000, ms, 3*ms, unsaid) }, 2, "file"},
		{"a P that noise has made greater", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(1, ms, ms, 150); w.moves(1000, ms, 3*ms, 13) }, 2, "file"},
		{"more than half full it does not crawl", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(1000, ms, 3*ms, 6) }, 0, ""},
		{"dense for less than a planner holds", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			for range 50 {
				w.moves(30, 50*ms, 50*ms, 0)
				w.moves(10, ms, 3*ms, 5)
			}
		}, 0, ""},
		{"a long way there and back", 115200, func(w *walk) { w.setup(15*ms, 15); w.moves(500, 5*ms, 16*ms, 13) }, 5.5, "wire"},
		{"and so without P", 115200, func(w *walk) { w.setup(15*ms, unsaid); w.moves(500, 5*ms, 16*ms, unsaid) }, 5.5, "wire"},
		{"a slow board", 115200, func(w *walk) { w.setup(2*ms, 15); w.moves(500, 5*ms, 16*ms, 13) }, 5.5, "printer"},
		{"lines sent again", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			for range 100 {
				w.refill(15, 5*ms, 3*ms)
				f := flight{lane: laneJob, frame: make([]byte, 30), sent: w.now, pos: jobPos{took: 5 * ms}}
				w.wrote(w.now, 30, false)
				w.now = w.now.Add(5 * ms)
				w.heard(w.now, gcode.ParseReply([]byte("Error:checksum mismatch, Last Line: 7")), 1)
				w.heard(w.now, gcode.ParseReply([]byte("Resend: 8")), 1)
				w.wrote(w.now, 30, true)
				w.answer(&f, 200*ms, gcode.Reply{Kind: gcode.OK, Text: []byte("ok"), Planner: 14})
			}
		}, 100 * (0.250 - 0.080), "wire"},
		{"an ok was lost", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			w.moves(100, 10*ms, 10*ms, 0)
			w.asked()
			w.moves(1, 10*ms, 5*time.Second, 14)
			w.refill(31, 10*ms, 3*ms)
		}, 4.85, "wire"},
		{"an ok was lost, and its question told", 115200, func(w *walk) {
			w.setup(2*ms, unsaid)
			w.moves(stretchLines*8, 10*ms, 10*ms, unsaid)
			f, m105 := flight{lane: laneJob, frame: make([]byte, 30), sent: w.now, pos: jobPos{took: 10 * ms}}, flight{lane: lanePoll, needs: temps, frame: make([]byte, 12)}
			w.wrote(w.now, 30, false)
			w.now = w.now.Add(5 * time.Second)
			w.asked()
			w.wrote(w.now, 12, false)
			m105.sent = w.now
			w.answer(&f, 4*ms, gcode.Reply{Kind: gcode.OK, Text: []byte("ok T:20 /0"), Planner: unsaid})
			w.landed(w.now, &m105, 100)
			w.moves(31, 10*ms, 10*ms, unsaid)
		}, 4.99, "wire"},
		{"the file was not read", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			w.moves(100, 10*ms, 10*ms, 0)
			w.unread(w.now)
			w.now = w.now.Add(time.Second)
			w.unread(w.now)
			w.now = w.now.Add(time.Second)
			w.moves(100, 10*ms, 3*ms, 10)
		}, 1.8, "host"},
		{"it waits for the file at this moment", 115200, func(w *walk) {
			w.setup(2*ms, unsaid)
			w.moves(100, 10*ms, 10*ms, unsaid)
			w.unread(w.now)
			w.now = w.now.Add(30 * time.Second)
		}, 30 - 0.2, "host"},
		{"heating and dwelling", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			for range 20 {
				w.moves(50, 10*ms, 10*ms, 0)
				w.line("M109 S200", 14, 0, time.Minute, 15)
				w.line("G92 E0", 10, 0, time.Minute, 15) // nothing moves yet
				w.moves(1, time.Second, time.Minute, 14)
			}
		}, 0, ""},
		{"busy with something of its own", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			w.moves(50, 10*ms, 10*ms, 0)
			w.heard(w.now, gcode.ParseReply([]byte("echo:busy: paused for user")), 1)
			w.moves(1, 10*ms, time.Hour, 14)
		}, 0, ""},
		{"a pause", 115200, func(w *walk) {
			w.setup(2*ms, 15)
			w.moves(50, 10*ms, 10*ms, 0)
			w.wrote(w.now, 10, false)
			w.answer(&flight{text: []byte("M83"), lane: laneScript, frame: make([]byte, 10), sent: w.now}, time.Hour, gcode.Reply{Kind: gcode.OK, Planner: 15})
			w.moves(50, 10*ms, 10*ms, 0)
		}, 0, ""},
		{"9600 baud", 9600, func(w *walk) { w.setup(10*ms, unsaid); w.moves(100, 30*ms, 34*ms, unsaid) }, 0.4, "file"},
		{"native USB has no line rate", 9600, func(w *walk) { w.setup(ms, 15); w.moves(500, ms, 2*ms, 13) }, 0.5, "wire"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWalk(c.baud)
			c.do(w)
			if got := w.status(w.now); math.Abs(got.StarvedS-c.want) > 0.05+c.want/20 || got.StarvedBy != c.by {
				t.Errorf("got %g s by %q, want %g by %q", got.StarvedS, got.StarvedBy, c.want, c.by)
			}
		})
	}
}

// M220 makes all moves slower, and lines are in time that were not.
func TestHealthKnowsTheSpeed(t *testing.T) {
	w := newWalk(115200)
	w.setup(2*ms, unsaid)
	for range 1000 {
		f := flight{lane: laneJob, frame: make([]byte, 30), sent: w.now, pos: jobPos{took: ms}}
		w.wrote(w.now, 30, false)
		w.now = w.now.Add(3 * ms)
		w.heard(w.now, gcode.Reply{Kind: gcode.OK, Text: []byte("ok"), Planner: unsaid}, 1)
		w.landed(w.now, &f, 20)
	}
	if got := w.status(w.now); got.StarvedS != 0 {
		t.Errorf("got %g s at a fifth of the speed", got.StarvedS)
	}
}

func TestHealthRates(t *testing.T) {
	w := newWalk(115200)
	w.setup(2*ms, 15)
	w.moves(1000, 2*ms, 4*ms, 13)
	w.moves(1000, 40*ms, 40*ms, 0)
	got := w.status(w.now)
	if math.Abs(got.AskedLinesPerS-500) > 5 || math.Abs(got.CarriedLinesPerS-250) > 5 {
		t.Errorf("asked for %g lines/s and got %g, want 500 and 250, whatever else is in the file", got.AskedLinesPerS, got.CarriedLinesPerS)
	}
	if math.Abs(got.WirePercent-6.5) > 1 {
		t.Errorf("it uses %g %% of the wire, want 2.6 of 40 ms", got.WirePercent)
	}
	if got := w.status(w.now.Add(time.Minute)); got.WirePercent != 0 {
		t.Errorf("a minute later it uses %g %% of the wire", got.WirePercent)
	}
	w = newWalk(9600)
	w.moves(100, 40*ms, ms, unsaid)
	if got := w.status(w.now); got.WirePercent != -1 {
		t.Errorf("over native USB %g %% of the wire, want -1", got.WirePercent)
	}
	if w.begin(9600, 0); w.status(w.now).WirePercent != -1 {
		t.Error("the next job has forgotten what the wire is")
	}
}

func TestHealthCountsErrors(t *testing.T) {
	type errs struct{ checksum, gaps, missing, overruns int64 }
	const flipped, gap = "Error:checksum mismatch, Last Line: 12", "Error:Line Number is not Last Line Number+1, Last Line: 12"
	for _, c := range []struct {
		name     string
		inFlight int
		said     []string
		want     errs
	}{
		{"marlin", 1, []string{flipped, "Resend: 13", "ok"}, errs{checksum: 1}},
		{"marlin, no checksum", 1, []string{"Error:No Checksum with line number, Last Line: 4"}, errs{missing: 1}},
		{"marlin, no number", 1, []string{"Error:No Line Number with checksum, Last Line: 0"}, errs{missing: 1}},
		{"marlin, gap", 1, []string{gap}, errs{gaps: 1}},
		{"repetier", 1, []string{"Error:expected line 4 got 5", "Error:Wrong checksum"}, errs{checksum: 1, gaps: 1}},
		{"something else", 4, []string{"Error:MINTEMP triggered", "Error: Bad command: X"}, errs{}},
		{"a line vanished among several", 4, []string{gap, "Resend: 13", gap, "Resend: 13"}, errs{gaps: 2, overruns: 1}},
		{"what was behind a damaged line vanishes", 4, []string{flipped, "Resend: 13", gap, gap}, errs{checksum: 1, gaps: 2}},
		{"twice", 4, []string{gap, "accepted", gap}, errs{gaps: 2, overruns: 2}},
		{"an ok of before says nothing of it", 4, []string{flipped, "old", gap}, errs{checksum: 1, gaps: 1}},
	} {
		w := newWalk(115200)
		for _, said := range c.said {
			w.now = w.now.Add(ms)
			switch said {
			case "accepted":
				w.landed(w.now, &flight{lane: laneTyped, sent: w.now}, 100)
			case "old":
				w.landed(w.now, &flight{lane: laneTyped, sent: w.now.Add(-time.Second)}, 100)
			default:
				w.heard(w.now, gcode.ParseReply([]byte(said)), c.inFlight)
			}
		}
		s := w.status(w.now)
		if got := (errs{s.ChecksumErrors, s.GapErrors, s.MissingErrors, s.Overruns}); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestHealthResends(t *testing.T) {
	w := newWalk(115200)
	for i := range 1000 {
		w.wrote(w.now, 30, i%40 == 0)
	}
	var o JobOutcome
	w.end(w.now, &o)
	if o.LinesAgain != 25 || o.ResendPercent != 2.5 || o.StarvedS != 0 || o.StarvedBy != "" {
		t.Errorf("got %+v", o)
	}
	if w.begin(115200, 0); w.status(w.now).ResendPercent != 0 {
		t.Error("the next job begins with the last one's")
	}
}

// Whatever file and printer say, it is numbers that JSON can hold.
func TestHealthOfNonsense(t *testing.T) {
	w := newWalk(1)
	for i := range 200 {
		w.line("G1", math.MaxInt16, time.Duration(i%3)*gcode.NewPace().Took(gcode.ParseCommand([]byte("G1 X1e9 F0.0001"))), time.Duration(i%5)*time.Hour, i*7919%1000-1)
		w.landed(w.now, &flight{lane: laneJob, sent: w.now, pos: jobPos{took: math.MaxInt64}}, 1e-9)
	}
	s := w.status(w.now)
	for _, v := range []float64{s.StarvedS, s.AskedLinesPerS, s.CarriedLinesPerS, s.WirePercent, s.ResendPercent} {
		if math.IsNaN(v) || math.IsInf(v, 0) || v < -1 {
			t.Errorf("got %+v", s)
		}
	}
}

func TestHealthDoesNotAllocate(t *testing.T) {
	w := newWalk(115200)
	f, ok := flight{lane: laneJob, frame: make([]byte, 30), pos: jobPos{took: ms}}, gcode.ParseReply([]byte("ok N7 P13 B3"))
	if n := testing.AllocsPerRun(1000, func() {
		f.sent = w.now
		w.wrote(w.now, 30, false)
		w.now = w.now.Add(3 * ms)
		w.heard(w.now, ok, 1)
		w.landed(w.now, &f, 100)
		w.status(w.now)
	}); n != 0 {
		t.Errorf("%g allocations for a line", n)
	}
}

func BenchmarkHealth(b *testing.B) {
	ok := gcode.ParseReply([]byte("ok N7 P13 B3"))
	for _, c := range []struct {
		name string
		do   func(w *walk, f *flight)
	}{
		{"wrote", func(w *walk, f *flight) { w.wrote(w.now, 30, false) }},
		{"heard", func(w *walk, f *flight) { w.heard(w.now, ok, 1) }},
		{"landed", func(w *walk, f *flight) { w.landed(w.now, f, 100) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			w := newWalk(115200)
			w.now = time.Now()
			f := flight{lane: laneJob, frame: make([]byte, 30), sent: w.now, pos: jobPos{took: ms}}
			w.heard(w.now, ok, 1)
			b.ReportAllocs()
			for b.Loop() {
				w.now = w.now.Add(3 * ms)
				c.do(w, &f)
			}
		})
	}
}

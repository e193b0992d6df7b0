package printer

import (
	"sync/atomic"
	"time"
)

// What flows here: the owner counts, for as long as layerd runs ─▶ whoever makes graphs reads, without asking the owner. Snapshots have the same of one job
// or one connection.

const turnClasses = 12

// turnBounds are the upper ends of the classes of Tally.Turns; what took longer is in the last.
func turnBounds() [turnClasses]time.Duration {
	return [...]time.Duration{time.Millisecond, 2 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond,
		100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second}
}

// tally counts since layerd was started. One goroutine writes, any may read. Counting costs some nanoseconds and no memory; a nil one counts nothing.
type tally struct {
	sent, again, resends, probes, unknown, damaged, checks atomic.Int64

	turns   [turnClasses + 1]atomic.Int64
	turnSum atomic.Int64 // ns

	starved [causes]atomic.Int64 // ns
	starts  [causes]atomic.Int64
}

func (t *tally) wrote(again bool) {
	if t == nil {
		return
	}
	t.sent.Add(1)
	if again {
		t.again.Add(1)
	}
}

// landed counts how long a line took from its last writing to its ok. What may take minutes by its nature is left out.
func (t *tally) landed(took time.Duration) {
	if t == nil {
		return
	}
	class := 0
	for _, bound := range turnBounds() {
		if took <= bound {
			break
		}
		class++
	}
	t.turns[class].Add(1)
	t.turnSum.Add(int64(max(took, 0)))
}

// short counts motion that came too late.
func (t *tally) short(c cause, d time.Duration) {
	if t != nil && d > 0 {
		t.starved[c].Add(int64(d))
		t.starts[c].Add(1)
	}
}

// checked counts a check at the endstops.
func (t *tally) checked() {
	if t != nil {
		t.checks.Add(1)
	}
}

// heard counts what went wrong on the line.
func (t *tally) heard(resends, probes, unknown, damaged int64) {
	if t == nil {
		return
	}
	for _, c := range []struct {
		to *atomic.Int64
		by int64
	}{{&t.resends, resends}, {&t.probes, probes}, {&t.unknown, unknown}, {&t.damaged, damaged}} {
		if c.by > 0 {
			c.to.Add(c.by)
		}
	}
}

// Tally is the conversation with the printer since layerd was started, whatever ports were opened and closed meanwhile.
type Tally struct {
	Sent      int64 // lines written …
	SentAgain int64 // … of them again
	Resends   int64 // requests of the firmware
	Probes    int64 // times we had to ask whether an ok was lost
	Unknown   int64 // lines of the firmware that we could not read
	Damaged   int64 // line errors that the firmware has reported
	Checks    int64 // at the endstops, for layer shifts
	Turns     []Turn
	TurnSum   time.Duration // of all
	Starved   []Starved
}

// Turn is how many lines took up to so long from being written to their ok, and no less than the class before. Those of the last class took longer than any bound;
// its UpTo is 0.
type Turn struct {
	UpTo  time.Duration
	Lines int64
}

// Starved is how long, and how often, the printer had too few moves for one cause: "wire", "file", "host", "printer". Estimated, see Health.
type Starved struct {
	By     string
	For    time.Duration
	Events int64 // stretches of some lines
}

// Tally reads the counts. Those that belong together may be a line apart.
func (p *Printer) Tally() Tally {
	t := p.tally
	out := Tally{Sent: t.sent.Load(), SentAgain: t.again.Load(), Resends: t.resends.Load(), Probes: t.probes.Load(), Unknown: t.unknown.Load(), Damaged: t.damaged.Load(), Checks: t.checks.Load(), TurnSum: time.Duration(t.turnSum.Load())}
	bounds := turnBounds()
	for i := range t.turns {
		turn := Turn{Lines: t.turns[i].Load()}
		if i < len(bounds) {
			turn.UpTo = bounds[i]
		}
		out.Turns = append(out.Turns, turn)
	}
	for c, name := range causeNames {
		out.Starved = append(out.Starved, Starved{name, time.Duration(t.starved[c].Load()), t.starts[c].Load()})
	}
	return out
}

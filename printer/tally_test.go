package printer

import (
	"context"
	"errors"
	"testing"
	"time"

	"layerd/printer/printertest"
)

func (t Tally) lines() (n int64) {
	for _, class := range t.Turns {
		n += class.Lines
	}
	return n
}

// What is counted for graphs is what the job's own health says, and goes on over another connection.
func TestTheTallyGoesOn(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Baud: 115200}, func(c *Config) { c.Baud = 115200 }, func(r *rig) {
		r.becomes(Idle)
		r.print("a", square(40, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		first, snap := r.p.Tally(), r.now()
		if first.Sent != snap.Link.Sent || first.Sent < 50 || first.Resends != 0 || first.Unknown != snap.Link.Unknown {
			t.Errorf("got %+v, the connection has %+v", first, snap.Link)
		}
		if n := first.lines(); n < 40 || n >= first.Sent || first.TurnSum <= 0 || first.TurnSum > time.Duration(snap.LastJob.ElapsedS+60)*time.Second*10 {
			t.Errorf("%d lines took %v, of %d that were sent", n, first.TurnSum, first.Sent)
		}
		if len(first.Turns) != turnClasses+1 || first.Turns[0].UpTo != time.Millisecond || first.Turns[turnClasses].UpTo != 0 {
			t.Errorf("the classes are %+v", first.Turns)
		}
		r.must(r.p.Disconnect(r.Context()))
		r.must(r.p.Connect(r.Context(), "", 0))
		r.becomes(Idle)
		if again := r.p.Tally(); again.Sent != first.Sent+r.now().Link.Sent || again.lines() <= first.lines() {
			t.Errorf("after another connection: %d lines, before %d, and %d on this one", again.Sent, first.Sent, r.now().Link.Sent)
		}
	})
}

func TestTheTallyCountsDamage(t *testing.T) {
	faults, err := printertest.ParseFaults("flip=1e-3")
	if err != nil {
		t.Fatal(err)
	}
	whole(t, printertest.Config{Speed: 20, Baud: 115200, Seed: 7, Faults: faults}, func(c *Config) { c.Baud = 115200 }, func(r *rig) {
		r.becomes(Idle)
		r.print("a", square(400, 200, true, "M83"), nil)
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		got, snap := r.p.Tally(), r.now()
		if got.Resends != snap.Link.Resends || got.Resends < 2 || got.Damaged < 2 || got.SentAgain != snap.Health.LinesAgain {
			t.Errorf("got %+v; the connection has %+v, the job %+v", got, snap.Link, snap.Health)
		}
	})
}

func TestStarvationIsTalliedByCause(t *testing.T) {
	w := newWalk(115200)
	w.tally = &tally{}
	w.setup(3*ms, unsaid)
	w.moves(2000, ms, 5*ms, unsaid) // moves that are too short for the wire
	w.still()
	var sum time.Duration
	for c := range causes {
		kept := w.starved[c]
		if c == byWire && kept < fillTime {
			kept = 0
		}
		if got := time.Duration(w.tally.starved[c].Load()); got != kept || got > 0 != (w.tally.starts[c].Load() > 0) {
			t.Errorf("%s: got %v in %d stretches, want %v", causeNames[c], got, w.tally.starts[c].Load(), kept)
		}
		sum += kept
	}
	if sum < time.Second {
		t.Errorf("it starved for %v only: this test shows nothing", sum)
	}
}

func TestTallyingDoesNotAllocate(t *testing.T) {
	c := &tally{}
	if n := testing.AllocsPerRun(1000, func() {
		c.wrote(true)
		c.landed(3 * ms)
		c.landed(time.Hour)
		c.short(byHost, ms)
		c.heard(1, 1, 1, 1)
	}); n != 0 {
		t.Errorf("%g allocations", n)
	}
	if c.turns[2].Load() == 0 || c.turns[turnClasses].Load() == 0 || c.turns[2].Load() != c.turns[turnClasses].Load() {
		t.Error("a line of 3 ms belongs to the third class, and one of an hour to the last")
	}
}

func TestAlive(t *testing.T) {
	whole(t, printertest.Config{Speed: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		rev := r.now().Rev
		for range 100 {
			if err := r.p.Alive(r.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if now := r.now().Rev; now > rev+1 {
			t.Errorf("to be asked made %d snapshots", now-rev)
		}
	})
	p := New(Config{}) // whose owner does not run, and so never answers
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Alive(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(p.ended)
	if err := p.Alive(t.Context()); !errors.Is(err, ErrNotConnected) {
		t.Errorf("got %v", err)
	}
}

func BenchmarkTally(b *testing.B) {
	c := &tally{}
	for b.Loop() {
		c.wrote(false)
		c.landed(7 * ms)
	}
}

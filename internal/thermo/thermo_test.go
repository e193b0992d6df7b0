package thermo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/latest"
	"layerd/internal/store"
	"layerd/printer"
)

// machine is a printer that says what the test sets.
type machine struct{ snaps *printer.Snapshots }

func (m machine) Snapshots() *printer.Snapshots { return m.snaps }

// say publishes a report of one nozzle and a bed, in a print when job names one.
func (m machine) say(job string, nozzleC, targetC float64) {
	snap := &printer.Snapshot{State: printer.Idle, Nozzles: []printer.Heater{{ActualC: nozzleC, TargetC: targetC}},
		Bed: &printer.Heater{ActualC: 60, TargetC: 60}, TempsAtMS: time.Now().UnixMilli()}
	if job != "" {
		snap.State, snap.Job = printer.Printing, &printer.JobStatus{ID: job}
	}
	m.snaps.Set(snap)
	synctest.Wait()
}

// disk keeps the newest curve of each print, and fails while broken is set.
type disk struct {
	mu     sync.Mutex // guards what follows
	curves map[string]store.Curve
	writes int
	broken error
}

func (d *disk) KeepCurve(_ context.Context, id string, c store.Curve) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		d.curves[id] = c
		d.writes++
	}
	return d.broken
}

func (d *disk) breakWith(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

func (d *disk) got(id string) (c store.Curve, ok bool, writes int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c, ok = d.curves[id]
	return c, ok, d.writes
}

// record runs a test with a Recorder in fake time. stop ends the Recorder and waits for it.
func record(t *testing.T, test func(t *testing.T, r *Recorder, m machine, d *disk, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		m := machine{latest.New(&printer.Snapshot{State: printer.Idle})}
		d := &disk{curves: map[string]store.Curve{}}
		r := New(m, d, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		stop := sync.OnceFunc(func() {
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: got %v, want nil", err)
			}
		})
		defer stop()
		test(t, r, m, d, stop)
	})
}

// heater is the values of one heater; nil when it is not there.
func heater(c store.Curve, name string) *store.HeaterCurve {
	for i := range c.Heaters {
		if c.Heaters[i].Name == name {
			return &c.Heaters[i]
		}
	}
	return nil
}

func TestHalfAnHourAndNoMore(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, _ *disk, _ func()) {
		for i := range 2 * 60 * 60 { // two hours, a report a second
			m.say("", float64(i%300), 200)
			time.Sleep(time.Second)
		}
		got := r.Since(0)
		if n := len(got.AfterMS); n != 1800 || !got.Whole {
			t.Fatalf("got %d samples, whole %v, want the 1800 of half an hour", n, got.Whole)
		}
		oldest, newest := got.FromMS, got.FromMS+got.AfterMS[len(got.AfterMS)-1]
		if got.NowMS-oldest > span.Milliseconds() || newest != got.NewestMS || got.NowMS-newest != 1000 {
			t.Errorf("got samples from %d to %d ms ago, newest %d, want half an hour", got.NowMS-oldest, got.NowMS-newest, got.NewestMS)
		}
		nozzle, bed := heater(got.Curve, "nozzle0"), heater(got.Curve, "bed")
		if len(got.Heaters) != 2 || nozzle == nil || bed == nil || nozzle.ActualC[1799] != store.DeciOf(7199%300) || nozzle.TargetC[0] != 2000 || bed.ActualC[5] != 600 {
			t.Errorf("got %d heaters, %+v, want nozzle0 and bed with what was said", len(got.Heaters), got.Heaters)
		}

		time.Sleep(20 * time.Minute) // nobody says anything
		if n := len(r.Since(0).AfterMS); n != 600 {
			t.Errorf("20 min later: got %d samples, want the 10 min that are younger than half an hour", n)
		}
		time.Sleep(20 * time.Minute)
		if n := len(r.Since(0).AfterMS); n != 0 {
			t.Errorf("40 min later: got %d samples, want none", n)
		}
	})
}

func TestOnlyWhatIsNew(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, _ *disk, _ func()) {
		for i := range 10 {
			m.say("", float64(20+i), 0)
			time.Sleep(time.Second)
		}
		first := r.Since(0)
		if again := r.Since(first.NewestMS); len(again.AfterMS) != 0 || again.Whole || again.NewestMS != first.NewestMS {
			t.Errorf("asked again at once: got %+v, want nothing new", again)
		}
		m.say("", 99, 0)
		next := r.Since(first.NewestMS)
		if len(next.AfterMS) != 1 || next.Whole || next.Heaters[0].ActualC[0] != 990 || next.FromMS <= first.NewestMS {
			t.Errorf("after one more: got %+v, want that one", next)
		}
		if ahead := r.Since(next.NewestMS + 1); len(ahead.AfterMS) != 11 || !ahead.Whole {
			t.Errorf("asked with a time to come: got %d samples, whole %v, want all 11", len(ahead.AfterMS), ahead.Whole)
		}
	})
}

// A report is taken once: a snapshot that brings no new one is no sample, and where none came there is a gap.
func TestStaleIsNotRepeated(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, stop func()) {
		m.say("a", 200, 200)
		for range 60 {
			time.Sleep(time.Second)
			old, _ := m.snaps.Get()
			same := *old
			same.Rev++
			m.snaps.Set(&same)
			synctest.Wait()
		}
		m.say("a", 150, 200)
		m.snaps.Set(&printer.Snapshot{State: printer.Faulted, Job: &printer.JobStatus{ID: "a"}}) // the port is gone: nothing is known
		got := r.Since(0)
		if !slices.Equal(got.AfterMS, []int64{0, 60_000}) || got.GapMS >= 60_000 {
			t.Errorf("got samples at %v ms with gaps from %d ms, want two a minute apart, and that to be a gap", got.AfterMS, got.GapMS)
		}
		stop()
		c, _, _ := d.got("a")
		if !slices.Equal(c.AfterMS, []int64{0, 60_000}) || c.GapMS >= 60_000 {
			t.Errorf("the print: got points at %v ms with gaps from %d ms, want the same", c.AfterMS, c.GapMS)
		}
	})
}

func TestClockIsSetBack(t *testing.T) {
	var g ring
	for _, s := range []int64{1000, 2000, 3000, 4000} {
		g.add(s, reading{})
	}
	g.add(2950, reading{})
	if got := g.since(0, 2950); !slices.Equal(got.AfterMS, []int64{0, 1000, 1950}) || got.NewestMS != 2950 {
		t.Errorf("got samples at %v after %d, want those of the future gone", got.AfterMS, got.FromMS)
	}
	if got := g.since(4000, 2950); len(got.AfterMS) != 3 || !got.Whole {
		t.Errorf("asked with the old clock's time: got %d samples, whole %v, want all", len(got.AfterMS), got.Whole)
	}
}

func TestCurveGoesWithThePrint(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		m.say("", 20, 0)
		time.Sleep(time.Second)
		for i := range 100 {
			m.say("a", float64(100+i), 200)
			time.Sleep(time.Second)
		}
		if now, ok := r.Curve("a"); !ok || len(now.AfterMS) != 100 {
			t.Errorf("under way: got %v, %d points, want 100", ok, len(now.AfterMS))
		}
		if _, ok := r.Curve("b"); ok {
			t.Error("got a curve of a print that is not under way")
		}
		if c, ok, writes := d.got("a"); !ok || writes != 1 || len(c.AfterMS) != 1 {
			t.Errorf("under way: got %v, %d points in %d writes, want the first point, written at once", ok, len(c.AfterMS), writes)
		}
		m.say("", 199, 0) // it ended; this report is no longer its
		c, ok, writes := d.got("a")
		if !ok || writes != 2 || len(c.AfterMS) != 100 || c.AfterMS[99] != 99_000 || heater(c, "nozzle0").ActualC[0] != 1000 || heater(c, "nozzle0").ActualC[99] != 1990 {
			t.Fatalf("at its end: got %v, %d writes, %d points, want it kept once with its 100 points", ok, writes, len(c.AfterMS))
		}
		if _, ok := r.Curve("a"); ok {
			t.Error("after its end: it still counts as under way")
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if _, _, writes := d.got("a"); writes != 2 {
			t.Errorf("an hour later: got %d writes, want still two", writes)
		}
	})
}

// The next print may begin between two snapshots that the recorder sees.
func TestPrintAfterPrint(t *testing.T) {
	record(t, func(t *testing.T, _ *Recorder, m machine, d *disk, stop func()) {
		m.say("a", 200, 200)
		time.Sleep(time.Second)
		m.say("b", 210, 210)
		if c, ok, _ := d.got("a"); !ok || len(c.AfterMS) != 1 {
			t.Errorf("the first: got %v %+v, want its one point", ok, c)
		}
		stop()
		if c, ok, _ := d.got("b"); !ok || heater(c, "nozzle0").ActualC[0] != 2100 {
			t.Errorf("layerd ends in the second: got %v %+v, want what there was", ok, c)
		}
	})
}

// A crash costs the last minutes of a curve and not all of it.
func TestCurveIsJournalled(t *testing.T) {
	record(t, func(t *testing.T, _ *Recorder, m machine, d *disk, _ func()) {
		for range 15 * 60 {
			m.say("a", 200, 200)
			time.Sleep(time.Second)
		}
		c, ok, writes := d.got("a")
		if !ok || len(c.AfterMS) < 9*60 || writes != 2 {
			t.Errorf("after 15 min: got %v, %d points in %d writes, want those of the first ten in the second", ok, len(c.AfterMS), writes)
		}
	})
}

func TestCurveIsTriedAgain(t *testing.T) {
	record(t, func(t *testing.T, _ *Recorder, m machine, d *disk, _ func()) {
		d.breakWith(errors.New("the disk is full"))
		for _, id := range []string{"a", "b", "c", "d", "e", "f"} {
			m.say(id, 200, 200)
			time.Sleep(time.Second)
		}
		m.say("", 20, 0)
		time.Sleep(time.Minute)
		d.breakWith(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		_, first, _ := d.got("a")
		_, last, _ := d.got("f")
		if _, _, writes := d.got("a"); writes != maxWaiting || first || !last {
			t.Errorf("with a disk again: got %d written, the oldest %v, the newest %v, want the newest %d", writes, first, last, maxWaiting)
		}
	})
}

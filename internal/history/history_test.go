package history

import (
	"context"
	"errors"
	"reflect"
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

// disk remembers what was written, and fails while broken is set.
type disk struct {
	mu                       sync.Mutex // guards what follows
	began, journalled, ended []store.Print
	logs                     map[string][]store.LogLine
	pictures                 map[string][]byte
	broken                   error
	noEnds                   bool // only EndPrint fails
}

func (d *disk) write(to *[]store.Print, p store.Print) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil {
		*to = append(*to, p)
	}
	return d.broken
}

func (d *disk) BeginPrint(_ context.Context, p store.Print) error { return d.write(&d.began, p) }
func (d *disk) Journal(_ context.Context, p store.Print) error    { return d.write(&d.journalled, p) }

func (d *disk) EndPrint(_ context.Context, p store.Print) error {
	if d.endsBroken() {
		return errors.New("database is locked")
	}
	return d.write(&d.ended, p)
}

func (d *disk) endsBroken() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.noEnds
}

// breakEnds leaves nothing broken but EndPrint, or that neither.
func (d *disk) breakEnds(broken bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken, d.noEnds = nil, broken
}

func (d *disk) KeepLog(_ context.Context, id string, lines []store.LogLine) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil && len(lines) > 0 {
		d.logs[id] = lines
	}
	return d.broken
}

func (d *disk) KeepPicture(_ context.Context, id string, jpeg []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken == nil && len(jpeg) > 0 {
		d.pictures[id] = jpeg
	}
	return d.broken
}

func (d *disk) picture(id string) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pictures[id]
}

func (d *disk) breakWith(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.broken = err
}

// got is what was written.
func (d *disk) got(which *[]store.Print) []store.Print {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(*which)
}

// record runs a test with a Recorder in fake time. stop ends the Recorder and waits for it.
func record(t *testing.T, test func(t *testing.T, r *Recorder, m machine, d *disk, stop func())) {
	recordWith(t, nil, test)
}

// recordWith is record with a camera.
func recordWith(t *testing.T, pictures Pictures, test func(t *testing.T, r *Recorder, m machine, d *disk, stop func())) {
	synctest.Test(t, func(t *testing.T) {
		m := machine{latest.New(&printer.Snapshot{State: printer.Idle})}
		d := &disk{logs: map[string][]store.LogLine{}, pictures: map[string][]byte{}}
		r := New(m, d, pictures, nil)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- r.Run(ctx) }()
		stopped := false
		stop := func() {
			if stopped {
				return
			}
			stopped = true
			cancel()
			if err := <-done; err != nil {
				t.Errorf("Run: got %v, want nil", err)
			}
		}
		defer stop()
		test(t, r, m, d, stop)
	})
}

func begin(t *testing.T, r *Recorder, id string) {
	t.Helper()
	if err := r.Begin(t.Context(), store.Print{ID: id, File: "a/" + id + ".gcode"}); err != nil {
		t.Fatal(err)
	}
}

func printing(id string, line int64, percent float64) *printer.Snapshot {
	return &printer.Snapshot{State: printer.Printing, Job: &printer.JobStatus{ID: id, Line: line, Offset: line * 20, Percent: percent}}
}

func TestRowFollowsThePrint(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		if len(d.got(&d.began)) != 1 || d.got(&d.began)[0].ID != "a" {
			t.Fatalf("after Begin: got rows %v, want a", d.got(&d.began))
		}
		for i := range int64(200) { // 200 s of progress
			m.snaps.Set(printing("a", i+1, float64(i+1)/4))
			time.Sleep(time.Second)
		}
		if n := len(d.got(&d.journalled)); n != 6 { // after 5, 15, 35, 75, 135 and 195 s
			t.Errorf("in 200 s: got %d journal entries, want one a minute, and sooner at first", n)
		}

		synctest.Wait()
		before := len(d.got(&d.journalled))
		pause := printing("a", 201, 91)
		pause.State = printer.Paused
		m.snaps.Set(pause)
		synctest.Wait()
		if len(d.got(&d.journalled)) != before+1 || d.got(&d.journalled)[before].Line != 201 {
			t.Errorf("at the pause: got %v, want line 201 in the journal at once", d.got(&d.journalled)[before:])
		}
		for range 2 * 60 * 60 { // its time goes on, and temperatures come
			pause = printing("a", 201, 91)
			pause.State = printer.Paused
			m.snaps.Set(pause)
			time.Sleep(time.Second)
		}
		if n := len(d.got(&d.journalled)) - before - 1; n < 11 || n > 13 {
			t.Errorf("in a pause of two hours: got %d journal entries, want one every 10 minutes", n)
		}
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "done", EndedMS: 77, Line: 200,
			LinesAgain: 9, ResendPercent: 4.5, StarvedS: 6.1, StarvedBy: "wire", FilamentMM: 1003, ToolsMM: []float64{3, 1000}}})
		synctest.Wait()
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(d.got(&d.ended)) != 1 {
			t.Fatalf("at the end: got %d ended rows, want 1", len(d.got(&d.ended)))
		}
		if e := d.got(&d.ended)[0]; e.Outcome != "done" || e.Line != 200 || e.Percent != 100 || e.FilamentMM != 1003 || !slices.Equal(e.ToolsMM, []float64{3, 1000}) || e.EndedMS != 77 {
			t.Errorf("at the end: got %+v, want done at line 200 with 1003 mm", e)
		} else if e.LinesAgain != 9 || e.ResendPercent != 4.5 || e.StarvedS != 6.1 || e.StarvedBy != "wire" {
			t.Errorf("at the end: got %+v, want 9 lines again and 6.1 s starved by the wire", e)
		}
	})
}

func TestFaultIsInTheRow(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		m.snaps.Set(&printer.Snapshot{State: printer.Faulted, Fault: &printer.Fault{Code: printer.FaultPortLost, JobID: "a"},
			LastJob: &printer.JobOutcome{ID: "a", Outcome: "failed", Reason: "The port vanished.", Percent: 25, FilamentMM: 250,
				Log: []printer.Entry{{Seq: 7, AtMS: 70, Dir: "out", Text: "G1 X1"}, {Seq: 8, AtMS: 80, Dir: "note", Text: "port_lost"}}}})
		synctest.Wait()
		if len(d.got(&d.ended)) != 1 || d.got(&d.ended)[0].Fault != "port_lost" || d.got(&d.ended)[0].Reason != "The port vanished." || d.got(&d.ended)[0].FilamentMM != 250 {
			t.Errorf("got %+v, want one failed row with port_lost, its reason and the filament that it has used", d.got(&d.ended))
		}
		if want := []store.LogLine{{AtMS: 70, Dir: "out", Text: "G1 X1"}, {AtMS: 80, Dir: "note", Text: "port_lost"}}; !slices.Equal(d.logs["a"], want) {
			t.Errorf("got the log %+v, want %+v", d.logs["a"], want)
		}
	})
}

// A print that ends and another that begins, with no chance for Run to look in between.
func TestOutcomeIsSeenBeforeTheNextBegins(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "cancelled"}})
		begin(t, r, "b")
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "b", Outcome: "done"}})
		synctest.Wait()
		var got []string
		for _, p := range d.got(&d.ended) {
			got = append(got, p.ID+" "+p.Outcome)
		}
		if want := []string{"a cancelled", "b done"}; !reflect.DeepEqual(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

func TestDropEndsARowThatNeverStarted(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		if err := r.Drop(t.Context(), "a", errors.New("busy")); err != nil {
			t.Fatal(err)
		}
		r.Drop(t.Context(), "a", errors.New("again"))
		r.Drop(t.Context(), "other", errors.New("unknown"))
		if len(d.got(&d.ended)) != 1 || d.got(&d.ended)[0].Outcome != "failed" || d.got(&d.ended)[0].Reason != "It could not be started: busy" {
			t.Errorf("got %+v, want one failed row that says why", d.got(&d.ended))
		}
	})
}

// A disk that is full for a while costs no row its end.
func TestEndIsTriedAgain(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		d.breakWith(store.ErrNoSpace)
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "done"}})
		time.Sleep(time.Minute)
		if err := r.Begin(t.Context(), store.Print{ID: "b"}); !errors.Is(err, store.ErrNoSpace) {
			t.Errorf("Begin on a full disk: got %v, want ErrNoSpace", err)
		}
		d.breakWith(nil)
		time.Sleep(retryEvery + time.Second)
		synctest.Wait()
		if len(d.got(&d.ended)) != 1 || d.got(&d.ended)[0].ID != "a" {
			t.Errorf("after there is space again: got %v, want the row of a ended once", d.got(&d.ended))
		}
	})
}

// Nothing new begins, and no spool is changed, while the print before looks as if it ran: its copy would be printed again, and what it took be
// booked on the next spool. And its end is tried at once then, not when its time has come.
func TestNothingBeginsBeforeTheEndIsWritten(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		d.breakWith(errors.New("database is locked"))
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "done"}})
		synctest.Wait()
		if err := r.Flush(t.Context()); err == nil {
			t.Error("Flush: got nil while the end cannot be written")
		}
		d.breakEnds(true)
		if err := r.Begin(t.Context(), store.Print{ID: "b"}); err == nil || len(d.got(&d.began)) != 1 {
			t.Errorf("Begin: got %v and %d rows, want an error and one", err, len(d.got(&d.began)))
		}
		d.breakEnds(false)
		if err := r.Flush(t.Context()); err != nil || len(d.got(&d.ended)) != 1 {
			t.Errorf("Flush: got %v and ends %v, want the one of a", err, d.got(&d.ended))
		}
		begin(t, r, "b")
	})
}

// A row that has its end already, or is gone, keeps nothing from beginning.
func TestEndThatIsThereAlready(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		d.breakWith(store.ErrNoPrint)
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "done"}})
		synctest.Wait()
		d.breakWith(nil)
		begin(t, r, "b")
		if len(d.got(&d.ended)) != 0 {
			t.Errorf("got ends %v, want none: it was said to have one", d.got(&d.ended))
		}
	})
}

func TestStopWritesWhatIsKnown(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, stop func()) {
		begin(t, r, "a")
		m.snaps.Set(printing("a", 42, 10))
		synctest.Wait()
		stop()
		if len(d.got(&d.journalled)) != 1 || d.got(&d.journalled)[0].Line != 42 || len(d.got(&d.ended)) != 0 {
			t.Errorf("stopped in mid-print: got journal %v and ends %v, want line 42 and an open row", d.got(&d.journalled), d.got(&d.ended))
		}
		if err := r.Begin(t.Context(), store.Print{ID: "b"}); !errors.Is(err, ErrStopped) {
			t.Errorf("Begin after the end: got %v, want ErrStopped", err)
		}
	})
}

func TestShutdownOutcomeIsWritten(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, stop func()) {
		begin(t, r, "a")
		m.snaps.Set(&printer.Snapshot{State: printer.Disconnected, LastJob: &printer.JobOutcome{ID: "a", Outcome: "interrupted", Reason: "layerd was stopped"}})
		stop()
		if len(d.got(&d.ended)) != 1 || d.got(&d.ended)[0].Outcome != "interrupted" {
			t.Errorf("got %+v, want the row ended as interrupted", d.got(&d.ended))
		}
	})
}

// rows are a history to read, the last first.
type rows []store.Print

func (r rows) LastPrint(context.Context) (store.Print, bool, error) {
	if len(r) == 0 {
		return store.Print{}, false, nil
	}
	return r[0], true, nil
}

func TestLastOutcome(t *testing.T) {
	got, err := LastOutcome(t.Context(), rows{{ID: "a", File: "x/y/cube.gcode", Outcome: "interrupted", Line: 7, LinesAgain: 2, ResendPercent: 1.5, StarvedS: 3, StarvedBy: "host"}})
	if err != nil || got == nil || got.Name != "cube.gcode" || got.Outcome != "interrupted" || got.Line != 7 ||
		got.LinesAgain != 2 || got.ResendPercent != 1.5 || got.StarvedS != 3 || got.StarvedBy != "host" {
		t.Errorf("got %+v, %v, want the interrupted cube at line 7", got, err)
	}
	for _, none := range []rows{nil, {{ID: "a"}}} {
		if got, err := LastOutcome(t.Context(), none); got != nil || err != nil {
			t.Errorf("%v: got %+v, %v, want nothing", none, got, err)
		}
	}
}

// Before a spool is changed in mid-print, what the print has used until now is written, whenever the journal was due.
func TestFlushWritesWhatWasUsed(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		for _, mm := range []float64{5, 7} {
			snap := printing("a", 2, 1)
			snap.Job.FilamentMM, snap.Job.ToolsMM = mm, []float64{mm}
			m.snaps.Set(snap)
			if err := r.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			if j := d.got(&d.journalled); len(j) == 0 || j[len(j)-1].FilamentMM != mm || j[len(j)-1].ToolsMM[0] != mm {
				t.Errorf("got %+v, want %g mm in the journal", j, mm)
			}
		}
		d.breakWith(errors.New("disk full"))
		m.snaps.Set(printing("a", 3, 1))
		if err := r.Flush(t.Context()); err == nil {
			t.Error("got nil from a broken disk")
		}
	})
}

// A board without a battery may have had the clock ahead during the print before.
func TestLastOutcomeGoesByOrder(t *testing.T) {
	s, err := store.Open(t.TempDir(), store.Limits{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, p := range []store.Print{{ID: "first", File: "a.gcode", StartedMS: 9000}, {ID: "last", File: "b.gcode", StartedMS: 1000}} {
		if err := s.BeginPrint(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		p.Outcome = "done"
		if err := s.EndPrint(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := LastOutcome(t.Context(), s); err != nil || got == nil || got.ID != "last" {
		t.Errorf("got %+v, %v, want the last", got, err)
	}
}

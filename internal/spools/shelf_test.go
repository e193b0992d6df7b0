package spools

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"layerd/internal/spoolman"
	"layerd/internal/spoolman/spoolmantest"
	"layerd/internal/store"
)

// rig is a Shelf on a real store, and a Spoolman with two spools.
type rig struct {
	*testing.T
	*Shelf
	store *store.Store
	far   *spoolmantest.Fake
	dir   string
}

func newRig(t *testing.T) *rig {
	r := &rig{T: t, dir: filepath.Join(t.TempDir(), "data"), far: spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {Name: "orange", WeightG: 1000}, 4: {Name: "green", WeightG: 10}})}
	r.open()
	t.Cleanup(func() { r.store.Close() })
	return r
}

func (r *rig) open() {
	r.Helper()
	var err error
	if r.store, err = store.Open(r.dir, store.Limits{MinFreeBytes: 1}); err != nil {
		r.Fatal(err)
	}
	r.store.SpoolsFrom(store.Spoolman)
	client, err := spoolman.New(r.far.URL)
	if err == nil {
		r.Shelf, err = New(r.Context(), r.store, client, nil)
	}
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) list() List {
	r.Helper()
	l, err := r.List(r.Context())
	r.must(err)
	return l
}

// print books mm on what is on tool 0.
func (r *rig) print(id string, mm float64) {
	r.Helper()
	r.must(r.store.BeginPrint(r.Context(), store.Print{ID: id, File: "a.gcode"}))
	r.must(r.store.EndPrint(r.Context(), store.Print{ID: id, Outcome: "done", ToolsMM: []float64{mm}}))
}

func (r *rig) used(want float64) {
	r.Helper()
	if got := r.far.UsedMM(3); got != want {
		r.Errorf("Spoolman has %v mm used, want %v", got, want)
	}
}

func TestSpoolmansList(t *testing.T) {
	r := newRig(t)
	if l := r.list(); l.Source != store.Spoolman || l.Problem == "" || l.AtMS != 0 || len(l.Spools) != 0 {
		t.Errorf("before it was asked: %+v", l)
	}
	if !r.round(t.Context()) {
		t.Fatal("it did not answer")
	}
	l := r.list()
	if len(l.Spools) != 2 || l.Spools[0].Name != "Acme orange" || math.Abs(l.Spools[0].LeftG-1000) > 1e-6 || l.Problem != "" || l.AtMS == 0 {
		t.Errorf("got %+v", l)
	}
	if err := r.PutOn(t.Context(), 0, 9); !errors.Is(err, store.ErrNoSpool) {
		t.Errorf("a spool that is not there: got %v", err)
	}
	if _, err := r.Save(t.Context(), store.SpoolEdit{}); !errors.Is(err, ErrElsewhere) {
		t.Errorf("save: got %v, want ErrElsewhere", err)
	}
	r.must(r.PutOn(t.Context(), 0, 3))

	// It goes down. Its last list is shown, less what was used meanwhile, and a spool can still be changed; a restart does not lose it either.
	r.far.Go("GET", spoolmantest.Down)
	r.print("a", 1000)
	if r.round(t.Context()) {
		t.Error("it is down and yet answered")
	}
	before := r.list()
	if s := before.Spools[0]; math.Abs(s.UsedMM-1000) > 1e-6 || math.Abs(s.LeftG-(1000-store.GPerM(1.75, 1.24))) > 1e-6 || before.Problem == "" || before.AtMS != l.AtMS {
		t.Errorf("got %+v", before)
	}
	r.must(r.PutOn(t.Context(), 0, 4))
	r.must(r.store.Close())
	r.open()
	if after := r.list(); len(after.Spools) != 2 || after.Spools[0] != before.Spools[0] || after.AtMS != l.AtMS || after.Problem == "" || after.Active[0].Spool != 4 {
		t.Errorf("after the restart: %+v, want %+v", after, before)
	}
}

// Whatever goes wrong with the telling, Spoolman has each use once in the end.
func TestEachUseIsToldOnce(t *testing.T) {
	for name, wrong := range map[string]spoolmantest.Wrong{"down": spoolmantest.Down, "deaf": spoolmantest.Deaf, "broken": spoolmantest.Broken,
		"busy": spoolmantest.Busy, "refuses": spoolmantest.Refuses, "redirect": spoolmantest.Redirect} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.round(t.Context())
			r.must(r.PutOn(t.Context(), 0, 3))
			r.print("a", 100)
			r.print("b", 250)
			r.far.Go("PUT", wrong)
			for range 3 {
				if r.round(t.Context()); r.list().Problem == "" && wrong != spoolmantest.Deaf && wrong != spoolmantest.Busy {
					t.Error("nothing was wrong")
				}
			}
			r.must(r.store.Close()) // and layerd was restarted meanwhile
			r.open()
			r.far.Go("PUT", spoolmantest.Nothing)
			for range 3 {
				if !r.round(t.Context()) {
					t.Fatalf("it still does not work: %s", r.list().Problem)
				}
				r.used(350)
			}
			if s := r.list().Spools[0]; math.Abs(s.UsedMM-350) > 0.01 {
				t.Errorf("the list has %v mm used", s.UsedMM)
			}
		})
	}
}

// Killed between the telling and the note that it was told: the next start finds out.
func TestKilledWhileTelling(t *testing.T) {
	for _, heard := range []bool{true, false} {
		r := newRig(t)
		r.round(t.Context())
		r.must(r.PutOn(t.Context(), 0, 3))
		r.print("a", 100)
		uses, err := r.store.DueUses(t.Context())
		r.must(err)
		r.must(r.store.SendingUse(t.Context(), uses[0], 0))
		if heard {
			r.must(r.client.Use(t.Context(), 3, uses[0].MM))
		}
		r.must(r.store.Close())
		r.open()
		r.round(t.Context())
		r.used(100)
	}
}

func TestASpoolThatIsGone(t *testing.T) {
	r := newRig(t)
	r.round(t.Context())
	r.must(r.PutOn(t.Context(), 0, 4))
	r.print("a", 100)
	r.must(r.PutOn(t.Context(), 0, 3))
	r.print("b", 7)
	r.far.Change(func(s map[int64]*spoolmantest.Spool) { s[4].Gone = true })
	if !r.round(t.Context()) {
		t.Error(r.list().Problem)
	}
	r.used(7) // the one after it is not held up
	if l := r.list(); len(l.Spools) != 1 {
		t.Errorf("got %+v", l)
	}
}

// What Spoolman does not take of one spool waits, and keeps nothing of the others waiting.
func TestOneOddSpoolHoldsUpNoOther(t *testing.T) {
	for name, odd := range map[string]func(*spoolmantest.Spool){"its use is refused": func(s *spoolmantest.Spool) { s.Refused = true },
		"what is said of it makes no sense": func(s *spoolmantest.Spool) { s.UsedG = -3 }} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.round(t.Context())
			for i, spool := range []int64{4, 3, 4, 3} {
				r.must(r.PutOn(t.Context(), 0, spool))
				r.print(string(rune('a'+i)), 100)
			}
			var was spoolmantest.Spool
			r.far.Change(func(s map[int64]*spoolmantest.Spool) { was = *s[4]; odd(s[4]) })
			for range 2 {
				if !r.round(t.Context()) || r.list().Problem == "" {
					t.Errorf("got problem %q, want one, of an answer", r.list().Problem)
				}
				r.used(200)
			}
			r.far.Change(func(s map[int64]*spoolmantest.Spool) { *s[4] = was })
			if !r.round(t.Context()) || r.list().Problem != "" || r.far.UsedMM(4) != 200 {
				t.Errorf("afterwards: problem %q, and %v mm told of it, want 200", r.list().Problem, r.far.UsedMM(4))
			}
		})
	}
}

func TestRunTells(t *testing.T) {
	r := newRig(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	heard := r.Changed()
	go func() { ended <- r.Shelf.Run(ctx) }()
	<-heard // the first list is there
	r.must(r.PutOn(t.Context(), 0, 3))
	r.print("a", 100)
	for { // within seconds, or the test's own time limit
		changed := r.Changed()
		if r.far.UsedMM(3) == 100 {
			break
		}
		select {
		case <-changed:
		case err := <-ended:
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	asked := strings.Join(r.far.Asked(), " ")
	if n := strings.Count(asked, "/use"); n != 1 {
		t.Errorf("it was told %d times: %s", n, asked)
	}
}

func TestOwnSpoolsNeedNoRun(t *testing.T) {
	s, err := store.Open(filepath.Join(t.TempDir(), "data"), store.Limits{MinFreeBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h, err := New(t.Context(), s, nil, nil)
	if err == nil {
		err = h.Run(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	id, err := h.Save(t.Context(), store.SpoolEdit{Name: "red", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
	if err == nil {
		err = h.PutOn(t.Context(), 0, id)
	}
	l, listErr := h.List(t.Context())
	if err != nil || listErr != nil || l.Source != store.OwnSpools || len(l.Spools) != 1 || len(l.Active) != 1 || l.Active[0].Name != "red" || l.AtMS != 0 {
		t.Errorf("got %+v, %v, %v", l, err, listErr)
	}
}

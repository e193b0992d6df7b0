package timelapse

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"layerd/printer"
)

func TestByTime(t *testing.T) {
	record(t, byTime(10), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(35500 * time.Millisecond) // frames at 1, 11, 21, 31 s
		it := r.only()
		if it.Frames != 4 || it.Video.State != VideoRecording || it.EndedMS != 0 || r.lens.lookers.Load() != 1 {
			t.Errorf("while it prints: got %+v with %d lookers, want 4 frames being recorded and one looker", it, r.lens.lookers.Load())
		}
		r.say(func(s *printer.Snapshot) { s.State = printer.Paused })
		r.shine(time.Minute)
		if it := r.only(); it.Frames != 4 {
			t.Errorf("in a pause: got %d frames, want 4", it.Frames)
		}
		r.print("job", 3)
		r.shine(1200 * time.Millisecond)
		f, err := r.Frame(it.ID, 4)
		if err != nil || f.N != 4 || f.Layer != 3 || string(f.JPEG) != string(r.jpeg) {
			t.Errorf("frame 4: got n %d, layer %d, %d bytes, %v, want the one after the pause", f.N, f.Layer, len(f.JPEG), err)
		}
		r.over("job", "done")
		it = r.only()
		if it.Frames != 6 || it.LastN != 5 || it.Outcome != "done" || it.Video.State != VideoFrames || it.Missed != 0 || r.lens.lookers.Load() != 0 {
			t.Errorf("at its end: got %+v, want 6 frames, the last of its end, and nobody looking", it)
		}
		if p, err := r.Poster(it.ID); err != nil || string(p) != string(r.jpeg) {
			t.Errorf("poster: got %d bytes, %v, want a frame", len(p), err)
		}
	})
}

func TestByLayerTakesTheFrameOfTheStill(t *testing.T) {
	record(t, byLayer(), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(5 * time.Second)
		r.none()
		shot := r.shot
		shot(1, true)
		r.flash() // of this moment: the frame is still swinging
		time.Sleep(100 * time.Millisecond)
		r.flash()
		if r.machine.taken.Load() != 0 {
			t.Error("a frame of the first 150 ms was taken")
		}
		time.Sleep(100 * time.Millisecond)
		r.flash()
		if got, it := r.machine.taken.Load(), r.only(); got != 1 || it.Frames != 1 {
			t.Errorf("after 200 ms: got shot %d taken, %d frames, want 1, 1", got, it.Frames)
		}
		shot(1, false) // it goes on
		r.shine(2 * time.Second)
		if it := r.only(); it.Frames != 1 {
			t.Errorf("one shot twice: got %d frames, want 1", it.Frames)
		}
		shot(2, true)
		time.Sleep(1500 * time.Millisecond)
		r.flash() // too late: the head moves again
		r.shine(3 * time.Second)
		l, _ := r.List().Get()
		if it := r.only(); it.Frames != 1 || l.Problem == "" || r.machine.taken.Load() != 1 {
			t.Errorf("a frame that came too late: got %d frames and problem %q, want 1 and one", it.Frames, l.Problem)
		}
		shot(3, true)
		r.shine(time.Second)
		l, _ = r.List().Get()
		if f, err := r.Frame(r.only().ID, 1); err != nil || f.Layer != 3 || l.Problem != "" {
			t.Errorf("the next shot: got layer %d, %v, problem %q, want 3, nil, none", f.Layer, err, l.Problem)
		}
		shot(4, false) // nobody here has seen it stand
		r.over("job", "done")
		if it := r.only(); it.Missed != 2 || it.Frames != 3 {
			t.Errorf("at the end: got %+v, want 2 missed, and the last frame of the print's end", it)
		}
	})
}

// Where no picture can come the printer is not kept waiting for one.
func TestPrinterDoesNotStandForNothing(t *testing.T) {
	record(t, byLayer(), func(r *rig) { r.there.Store(false) }, func(r *rig) {
		stands := func(n int, what string) {
			t.Helper()
			if r.shot(n, true); r.machine.taken.Load() != int64(n) {
				t.Errorf("%s: it stands", what)
			}
		}
		r.print("job", 1)
		stands(1, "without a camera")
		r.there.Store(true)
		time.Sleep(2 * time.Second)
		stands(2, "a camera that has shown nothing yet")
		r.shine(2 * time.Second)
		if r.shot(3, true); r.machine.taken.Load() != 2 {
			t.Error("it did not wait for a camera that is there")
		}
		r.shine(time.Second)
		time.Sleep(10 * time.Second)
		stands(4, "a camera that has failed")
		r.over("job", "done")
		if it := r.only(); it.Missed != 3 || it.Frames != 1 {
			t.Errorf("got %+v, want 3 missed and a frame", it)
		}
	})
}

// Nor for one that would be dropped at once.
func TestPrinterDoesNotStandForWhatIsDropped(t *testing.T) {
	s := byLayer()
	s.BudgetMB, s.LimitMB = 10, 20
	record(t, s, func(r *rig) { r.jpeg = make([]byte, 1_000_000) }, func(r *rig) {
		r.print("job", 1)
		r.shine(time.Second)
		stood := 0
		for n := range 40 {
			if r.shot(n+1, true); r.machine.taken.Load() != int64(n+1) {
				stood++
			}
			r.shine(time.Second)
		}
		if it := r.only(); it.Step < 4 || it.Missed != 0 || stood > 24 || it.LastN < 32 {
			t.Errorf("got %+v, and it stood %d times, want 24 at most", it, stood)
		}
	})
}

func TestChoiceOfOnePrint(t *testing.T) {
	record(t, UsualSettings(), nil, func(r *rig) {
		r.print("usual", 1)
		r.shine(20 * time.Second)
		r.over("usual", "done")
		r.none()
		r.want(r.Choose(r.t.Context(), "other", Choice{Mode: ByTime, EveryS: 5}), nil)
		r.want(r.Choose(r.t.Context(), "other", Choice{Mode: "often", EveryS: 5}), ErrSettings)
		r.print("other", 1)
		r.shine(12 * time.Second)
		if it := r.only(); it.Frames != 3 || it.JobID != "other" || it.Mode != ByTime {
			t.Errorf("got %+v, want 3 frames by time", it)
		}
		r.over("other", "done")
		r.print("third", 1)
		r.shine(12 * time.Second)
		r.only() // the third is as usual again
	})
}

// A disk that hangs hangs the recorder, and no print.
func TestChoiceWaitsForNoDisk(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		disk := make(chan struct{})
		go r.ask(r.t.Context(), func(*owner) error { <-disk; return nil })
		synctest.Wait()
		began := time.Now()
		err := r.Choose(r.t.Context(), "job", Choice{Mode: ByTime, EveryS: 5})
		if took := time.Since(began); err == nil || took > 2*time.Second {
			t.Errorf("got %v after %v, want an error within 2 s", err, took)
		}
		close(disk)
	})
}

func TestPrintFromTheCard(t *testing.T) {
	record(t, byLayer(), nil, func(r *rig) {
		r.say(func(s *printer.Snapshot) {
			s.State, s.Card = printer.Printing, &printer.CardStatus{Printing: true, ID: "card", Name: "BENCHY.GCO"}
		})
		r.shine(25 * time.Second)
		if it := r.only(); it.Frames != 3 || it.Name != "BENCHY.GCO" || it.Mode != ByTime {
			t.Errorf("got %+v, want 3 frames by time", it)
		}
		r.say(func(s *printer.Snapshot) {
			s.State, s.Card, s.LastJob = printer.Idle, &printer.CardStatus{}, &printer.JobOutcome{ID: "card", Outcome: "cancelled"}
		})
		if it := r.only(); it.Outcome != "cancelled" {
			t.Errorf("got outcome %q, want cancelled", it.Outcome)
		}
	})
}

func TestEndsOfPrints(t *testing.T) {
	for _, outcome := range []string{"done", "cancelled", "failed", "interrupted"} {
		for _, keep := range []bool{true, false} {
			s := byTime(1)
			s.KeepFailed = keep
			record(t, s, nil, func(r *rig) {
				r.print("job", 1)
				r.shine(3 * time.Second)
				r.over("job", outcome)
				if !keep && outcome != "done" {
					r.none()
				} else if it := r.only(); it.Outcome != outcome || it.Frames == 0 {
					t.Errorf("got %+v, want %s with frames", it, outcome)
				}
			})
		}
	}
}

func TestDaemonStoppedInMidPrint(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(3 * time.Second)
		r.stop()
		r.start()
		if it := r.only(); it.Outcome != "interrupted" || it.Frames < 3 {
			t.Errorf("got %+v, want it interrupted with its frames", it)
		}
	})
}

func TestNextPrintWithoutSeeingTheEnd(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		r.print("one", 1)
		r.shine(3 * time.Second)
		r.print("two", 1)
		r.shine(3 * time.Second)
		l, _ := r.List().Get()
		if len(l.Items) != 2 || l.Items[0].JobID != "two" || l.Items[1].Outcome != "interrupted" || l.Recording != l.Items[0].ID {
			t.Errorf("got %+v, want two, the newest first and under way, the other interrupted", l)
		}
	})
}

func TestNoCamera(t *testing.T) {
	record(t, byTime(5), func(r *rig) { r.there.Store(false) }, func(r *rig) {
		r.print("job", 1)
		time.Sleep(20 * time.Second)
		synctest.Wait()
		if l, _ := r.List().Get(); l.Problem == "" {
			t.Error("nothing says that no picture came")
		}
		r.none()
		r.there.Store(true) // plugged in
		r.shine(10 * time.Second)
		if l, _ := r.List().Get(); l.Problem != "" || r.only().Frames == 0 {
			t.Errorf("with a camera: got problem %q, %d frames, want none and some", l.Problem, r.only().Frames)
		}
		r.there.Store(false)
		r.over("job", "done")
	})
}

func TestCameraDiesInMidPrint(t *testing.T) {
	record(t, byTime(5), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(12 * time.Second)
		had := r.only().Frames
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if l, _ := r.List().Get(); l.Problem == "" || r.only().Frames != had {
			t.Errorf("while it is gone: got problem %q, %d frames, want one and %d", l.Problem, r.only().Frames, had)
		}
		r.over("job", "done")
		if it := r.only(); it.Frames != had || it.Missed < 4 || it.Outcome != "done" {
			t.Errorf("at the end: got %+v, want %d frames, and that some were missed", it, had)
		}
	})
}

func TestDiskFullWhileRecording(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(3 * time.Second)
		had := r.only().Frames
		r.space.Store(1 << 20)
		r.shine(5 * time.Second)
		if l, _ := r.List().Get(); l.Problem == "" || r.only().Frames != had {
			t.Errorf("disk full: got problem %q, %d frames, want one and %d", l.Problem, r.only().Frames, had)
		}
		r.space.Store(1 << 40) // something was deleted
		r.shine(3 * time.Second)
		if l, _ := r.List().Get(); l.Problem != "" || r.only().Frames <= had {
			t.Errorf("with room again: got problem %q, %d frames, want none and more than %d", l.Problem, r.only().Frames, had)
		}
		for n := range r.only().LastN + 1 {
			if f, err := r.Frame(r.only().ID, n); err != nil || f.N != n {
				t.Errorf("frame %d: got %d, %v", n, f.N, err)
			}
		}
	})
}

func TestFolderThatRefuses(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(3 * time.Second)
		it := r.only()
		if err := os.RemoveAll(filepath.Join(r.dir, it.ID)); err != nil { // behind our back
			t.Fatal(err)
		}
		r.shine(5 * time.Second)
		if _, err := r.Frame(it.ID, 0); err == nil {
			t.Error("a frame that is gone was read")
		}
		r.over("job", "done")
	})
}

func TestBudgetThinsAndCoversTheWholePrint(t *testing.T) {
	s := byTime(1)
	s.BudgetMB, s.LimitMB = 10, 20
	record(t, s, func(r *rig) { r.jpeg = make([]byte, 1_000_000) }, func(r *rig) {
		r.print("job", 1)
		began := time.Now()
		r.shine(2 * time.Second)
		for range 60 {
			r.shine(time.Second)
			if it := r.only(); it.Bytes > 10*megabyte {
				t.Fatalf("got %d bytes, want at most 10 MB", it.Bytes)
			}
		}
		it := r.only()
		if it.Step < 8 || it.Frames < 4 || it.LastN != (it.Frames-1)*it.Step {
			t.Errorf("got %+v, want every eighth frame or fewer, from the first to the last", it)
		}
		first, err := r.Frame(it.ID, 0)
		last, err2 := r.Frame(it.ID, it.LastN)
		if err != nil || err2 != nil || first.Time.Sub(began) > 3*time.Second || time.Since(last.Time) > time.Duration(it.Step+2)*time.Second {
			t.Errorf("got frames from %v to %v before now (%v, %v), want the whole print", first.Time.Sub(began), time.Since(last.Time), err, err2)
		}
	})
}

// However often frames were dropped, a second of the film is as much of the print at its end as at its beginning.
func TestThinnedFramesAreEvenlyApart(t *testing.T) {
	s := byTime(1)
	s.BudgetMB, s.LimitMB = 10, 20
	record(t, s, func(r *rig) { r.jpeg = make([]byte, 1_000_000) }, func(r *rig) {
		r.print("job", 1)
		r.shine(150 * time.Second)
		it := r.only()
		step := time.Duration(it.Step) * time.Second
		if it.Frames < 5 || it.Step > 32 || it.Missed != 0 {
			t.Fatalf("got %+v, want every sixteenth or so of 150 frames", it)
		}
		for n := it.Step; n <= it.LastN; n += it.Step {
			a, err := r.Frame(it.ID, n-it.Step)
			b, err2 := r.Frame(it.ID, n)
			if apart := b.Time.Sub(a.Time); err != nil || err2 != nil || apart < step*7/8 || apart > step*9/8 {
				t.Errorf("frames %d and %d: got %v apart (%v, %v), want about %v", a.N, b.N, apart, err, err2, step)
			}
		}
	})
}

func TestOldestMakeRoom(t *testing.T) {
	s := byTime(1)
	s.BudgetMB, s.LimitMB = 10, 20
	record(t, s, func(r *rig) { r.jpeg = make([]byte, 1_000_000) }, func(r *rig) {
		for _, id := range []string{"one", "two", "three"} {
			r.print(id, 1)
			r.shine(9 * time.Second)
			r.over(id, "done")
			if l, _ := r.List().Get(); l.Bytes > 20*megabyte {
				t.Errorf("got %d bytes, want at most 20 MB", l.Bytes)
			}
		}
		l, _ := r.List().Get()
		for _, it := range l.Items {
			if it.JobID == "one" {
				t.Error("the oldest is still there")
			}
		}
		if len(l.Items) == 0 || l.Items[0].JobID != "three" {
			t.Errorf("got %+v, want the newest kept", l.Items)
		}
	})
}

// What somebody looks at is not taken away under their eyes: the next oldest makes room, and it when they have gone.
func TestWhatIsPlayedStays(t *testing.T) {
	s := byTime(1)
	s.BudgetMB, s.LimitMB = 10, 20
	record(t, s, func(r *rig) { r.jpeg = make([]byte, 1_000_000) }, func(r *rig) {
		kept := func() (jobs string) {
			l, _ := r.List().Get()
			for _, it := range l.Items {
				jobs += it.JobID + " "
			}
			return jobs
		}
		for _, id := range []string{"one", "two"} {
			r.print(id, 1)
			r.shine(8 * time.Second)
			r.over(id, "done")
		}
		l, _ := r.List().Get()
		film, err := r.Open(l.Items[1].ID)
		if err != nil {
			t.Fatal(err)
		}
		film.Close() // a phone asks for parts
		r.print("three", 1)
		r.shine(8 * time.Second)
		if got := kept(); got != "three one " {
			t.Errorf("while one is played: got %q, want three and one", got)
		}
		if _, err := r.Frame(l.Items[1].ID, 0); err != nil {
			t.Errorf("a frame of it: %v", err)
		}
		r.over("three", "done")
		time.Sleep(time.Hour)
		r.print("four", 1)
		r.shine(8 * time.Second)
		if got := kept(); got != "four three " {
			t.Errorf("an hour later: got %q, want four and three", got)
		}
	})
}

func TestDelete(t *testing.T) {
	record(t, byTime(1), nil, func(r *rig) {
		r.print("job", 1)
		r.shine(3 * time.Second)
		id := r.only().ID
		r.want(r.Delete(r.t.Context(), id), ErrRunning)
		r.want(r.Delete(r.t.Context(), "../"+id), ErrNotFound)
		r.want(r.Delete(r.t.Context(), ""), ErrNotFound)
		r.over("job", "done")
		r.want(r.Render(r.t.Context(), id), ErrNoFFmpeg)
		r.want(r.Delete(r.t.Context(), id), nil)
		r.none()
		r.want(r.Delete(r.t.Context(), id), ErrNotFound)
		_, err := r.Frame(id, 0)
		r.want(err, ErrNotFound)
		_, err = r.Open(id)
		r.want(err, ErrNotFound)
		r.stop()
		r.want(r.Delete(r.t.Context(), id), ErrStopped)
	})
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	for name, change := range map[string]func(*Settings){
		"mode":   func(s *Settings) { s.Mode = "" },
		"every":  func(s *Settings) { s.EveryS = 0 },
		"fps":    func(s *Settings) { s.FPS = 1000 },
		"budget": func(s *Settings) { s.BudgetMB = 5000 },
		"limit":  func(s *Settings) { s.LimitMB = s.BudgetMB - 1 },
	} {
		s := UsualSettings()
		if err := s.Validate(); err != nil {
			t.Fatalf("usual settings: %v", err)
		}
		if change(&s); s.Validate() == nil {
			t.Errorf("%s: got nil, want an error", name)
		}
	}
}

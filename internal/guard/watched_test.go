package guard

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/internal/latest"
	"layerd/printer"
)

// told is a printer that keeps what it was told of the print under way.
type told struct {
	standing
	shots []printer.Shots
	watch []printer.Watch
}

func (t *told) SetShots(_ context.Context, _ string, s printer.Shots) (uint64, error) {
	t.shots = append(t.shots, s)
	return 0, nil
}

func (t *told) SetWatch(_ context.Context, _ string, w printer.Watch) (uint64, error) {
	t.watch = append(t.watch, w)
	return 0, nil
}

func (t *told) CheckNow(context.Context, string, string) (uint64, error) { return 0, nil }

func (t *told) PauseShift(context.Context, string, string) (uint64, error) { return 0, nil }

// filming is a camera whose frames are set by hand.
type filming struct{ frames *latest.Value[*camera.Frame] }

func newFilming() *filming { return &filming{latest.New[*camera.Frame](nil)} }

func (f *filming) Frames() *latest.Value[*camera.Frame] { return f.frames }
func (f *filming) Look() func()                         { return func() {} }

// desk is an owner whose goroutine is the test itself, of a guard that is set up.
type desk struct {
	*owner
	*testing.T
	printer *told
	cameras map[int]Camera
}

func newDesk(t *testing.T) *desk {
	profile := printer.Presets()[0]
	d := &desk{T: t, printer: &told{}, cameras: map[int]Camera{0: newFilming()}}
	kept := Kept{Card: &Card{XMM: 0.5, YMM: 0.5, Endstops: printer.Switches{X: printer.Switch{Usable: true, ThresholdMM: 0.35}}}, Profile: profile, Calibration: &register.Calibration{}}
	d.owner = newOwner(New(Config{Printer: d.printer, Camera: func(id int) Camera { return d.cameras[id] }, Settings: UsualSettings(), Kept: kept}))
	d.life = t.Context()
	d.snap = &printer.Snapshot{State: printer.Idle, Profile: profile}
	return d
}

// job is what the printer says of the print under way.
func (d *desk) job(state printer.State, change func(*printer.JobStatus)) {
	s := *d.snap
	s.State, s.Job = state, &printer.JobStatus{ID: "j1"}
	if change != nil {
		change(s.Job)
	}
	d.note(d.Context(), &s, time.Now())
}

// start has a print begin that is watched in that way.
func (d *desk) start(mode printer.WatchMode) {
	d.arrange(Order{Job: "j1", Mode: mode, Film: printer.Shots{Mode: printer.ShotsOff}})
	d.job(printer.Printing, nil)
}

// The frames of a camera that is chosen in mid-print come for longer than whoever has chosen it waits for the answer.
func TestAnotherCameraIsChosenInMidPrint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.settings.Camera = -1
		d.start("")
		asked, answered := context.WithCancel(t.Context())
		s := d.settings
		s.Camera = 0
		if err := d.set(asked, s); err != nil || d.print.frames == nil {
			t.Fatalf("got %v, frames %v", err, d.print.frames)
		}
		<-d.print.frames // there is none yet
		answered()
		synctest.Wait()
		want := &camera.Frame{}
		d.cameras[0].Frames().Set(want)
		if got := <-d.print.frames; got != want {
			t.Errorf("got %v, want the newest frame", got)
		}
	})
}

// A check within the first layer says nothing of a finished one; people see it beside the first all the same, for there is no layer 0.
func TestACheckInTheFirstLayer(t *testing.T) {
	d := newDesk(t)
	d.start("")
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Check = &printer.EndstopCheck{N: 1, AtMS: time.Now().UnixMilli(), Why: printer.CheckDue, Verdict: printer.CheckRight}
	})
	if l := d.state().Layers; len(l) != 1 || l[0].Layer != 1 || l[0].Check != printer.CheckRight {
		t.Errorf("got %+v", l)
	}
}

// A check that could not be made has the number of the one before: it is heard all the same, or a suspicion would wait for its answer for ever.
func TestASkippedCheckIsHeard(t *testing.T) {
	d := newDesk(t)
	d.start("")
	d.print.judge.asked = true
	skipped := func(at int64) func(*printer.JobStatus) {
		return func(j *printer.JobStatus) {
			j.Check = &printer.EndstopCheck{Layer: 3, AtMS: at, Why: printer.CheckSuspicion, Verdict: printer.CheckSkipped, Reason: "the nozzle is cold"}
		}
	}
	d.job(printer.Printing, skipped(5))
	if d.print.judge.asked || !d.print.judge.unable {
		t.Error("the suspicion still waits for its answer")
	}
	if got := d.state(); got.Endstops.Status != WitnessBlind || got.Endstops.Why != "The nozzle is cold." {
		t.Errorf("people see %+v, want that it cannot be checked now", got.Endstops)
	}
	d.job(printer.Printing, skipped(5))
	if len(d.print.layers) != 1 {
		t.Errorf("the same check again: %+v", d.print.layers)
	}
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Check = &printer.EndstopCheck{N: 1, Layer: 4, AtMS: 9, Verdict: printer.CheckRight}
	})
	if got := d.state(); got.Endstops.Status != WitnessReady {
		t.Errorf("after one that was made: %+v", got.Endstops)
	}
}

// A print that was begun unwatched is not shown as watched, and is when people say so in the middle of it; and the other way round.
func TestTheModeIsChangedInMidPrint(t *testing.T) {
	d := newDesk(t)
	d.start(printer.WatchOff)
	if got := d.state(); got.Mode != printer.WatchOff || got.Endstops.Status != WitnessOff || got.Camera.Status != WitnessOff {
		t.Errorf("unwatched: got mode %q, %+v, %+v", got.Mode, got.Endstops, got.Camera)
	}
	s := d.settings
	s.SharePercent = 2 // the mode is not what was changed
	d.set(t.Context(), s)
	if d.print != nil {
		t.Error("it is watched, and nobody asked for that")
	}
	s.Mode = printer.WatchTell
	d.set(t.Context(), s)
	if got := d.state(); got.Mode != printer.WatchTell || got.Job != "j1" || len(d.printer.shots) != 1 || d.printer.shots[0].Mode != printer.ShotsPark || len(d.printer.watch) != 1 || d.printer.watch[0].Mode != printer.WatchTell {
		t.Errorf("told to watch: mode %q of %q, the printer was told %+v, %+v", got.Mode, got.Job, d.printer.shots, d.printer.watch)
	}
	s.Mode = printer.WatchOff
	d.set(t.Context(), s)
	if got := d.state(); got.Mode != printer.WatchOff || got.Camera.Status != WitnessOff || len(d.printer.shots) != 2 || d.printer.shots[1].Mode != printer.ShotsOff || len(d.printer.watch) != 2 || d.printer.watch[1].Mode != printer.WatchOff {
		t.Errorf("told not to: mode %q, %+v, the printer was told %+v, %+v", got.Mode, got.Camera, d.printer.shots, d.printer.watch)
	}
}

// A print of which nobody asked how to watch it is not watched.
func TestAPrintThatNobodyArranged(t *testing.T) {
	d := newDesk(t)
	d.job(printer.Printing, nil)
	if got := d.state(); got.Mode != printer.WatchOff {
		t.Errorf("got mode %q", got.Mode)
	}
	d.settings.Mode = printer.WatchOff
	s := d.settings
	s.Mode = printer.WatchPause
	d.set(t.Context(), s)
	if got := d.state(); got.Mode != printer.WatchOff || d.print != nil {
		t.Errorf("got mode %q, %+v", got.Mode, d.print)
	}
	over := *d.snap
	over.State, over.Job = printer.Idle, nil
	d.note(t.Context(), &over, time.Now())
	if got := d.state(); got.Mode != printer.WatchPause {
		t.Errorf("after it: got mode %q, want that of the next print", got.Mode)
	}
}

// A camera that is gone in mid-print sees nothing, whatever it saw before, and nobody waits for it.
func TestTheCameraIsGone(t *testing.T) {
	d := newDesk(t)
	d.start("")
	d.saw(register.Look{Layer: 1, Sees: true, SeesX: true, SeesY: true, DetectsXMM: 0.5, DetectsYMM: 0.5}, time.Now())
	if got := d.state().Camera; got.Status != WitnessReady {
		t.Fatalf("before: %+v", got)
	}
	camera := d.cameras[0]
	delete(d.cameras, 0)
	d.tick(t.Context(), time.Now())
	if got := d.state().Camera; got.Status != WitnessBlind || got.DetectsXMM != 0 {
		t.Errorf("without it: %+v", got)
	}
	if n := len(d.printer.shots); n != 1 || d.printer.shots[0].Mode != printer.ShotsOff {
		t.Errorf("the printer was told %+v, want that it stands for no pictures", d.printer.shots)
	}
	d.cameras[0] = camera
	d.tick(t.Context(), time.Now())
	if n := len(d.printer.shots); n != 2 || d.printer.shots[1].Mode != printer.ShotsPark {
		t.Errorf("it is back: the printer was told %+v", d.printer.shots)
	}
}

// A camera that goes while the head stands for it leaves a shot behind, whose frames are still looked at by what they are for.
func TestTheCameraGoesWhileTheHeadStands(t *testing.T) {
	d := newDesk(t)
	d.start("")
	now := time.Now()
	d.cameras[0].Frames().Set(&camera.Frame{Time: now})
	at := *d.snap
	at.Position = &printer.Position{}
	d.snap = &at
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Shot = &printer.Shot{N: 1, Layer: 1, AtMS: now.UnixMilli(), Still: true}
	})
	if d.print.stand == nil {
		t.Fatal("it does not stand")
	}
	d.frame(t.Context(), &camera.Frame{Time: now.Add(time.Second)})
	delete(d.cameras, 0)
	d.tick(t.Context(), now)
	if d.print.stand != nil || len(d.printer.gone) != 1 {
		t.Fatalf("it still stands: %+v, the printer was let go on %v", d.print.stand, d.printer.gone)
	}
	(<-d.hand)()(d.owner)
	if d.print.seen.look.Sees {
		t.Errorf("it sees %+v", d.print.seen.look)
	}
}

// The second picture of a shift that the endstops have found is one of the paused print, and not what a dead camera has last said.
func TestThePictureOfAPause(t *testing.T) {
	d := newDesk(t)
	d.start("")
	begun := time.Now()
	d.cameras[0].Frames().Set(&camera.Frame{Time: begun.Add(-time.Hour), JPEG: []byte("old")})
	d.job(printer.Pausing, func(j *printer.JobStatus) {
		j.Check = &printer.EndstopCheck{N: 1, Layer: 3, AtMS: begun.UnixMilli(), Verdict: printer.CheckLost, X: printer.AxisFinding{Checked: true, OffMM: 1.6, Steps: 8}, Y: printer.AxisFinding{Checked: true}}
	})
	d.frame(t.Context(), &camera.Frame{Time: time.Now(), JPEG: []byte("it moves")})
	d.job(printer.Paused, nil)
	a := d.print.alarm
	if a == nil || a.after.jpeg != nil {
		t.Fatalf("got %+v, want an alarm without a second picture", a)
	}
	d.frame(t.Context(), &camera.Frame{Time: time.Now(), JPEG: []byte("it swings")})
	if a.after.jpeg != nil {
		t.Errorf("got %q", a.after.jpeg)
	}
	d.frame(t.Context(), &camera.Frame{Time: time.Now().Add(time.Second), JPEG: []byte("it stands")})
	d.frame(t.Context(), &camera.Frame{Time: time.Now().Add(2 * time.Second), JPEG: []byte("later")})
	if string(a.after.jpeg) != "it stands" {
		t.Errorf("got %q", a.after.jpeg)
	}
}

// Of a print that is over no pictures are held, and the next one begins without what was said in it.
func TestAPrintIsOver(t *testing.T) {
	d := newDesk(t)
	d.start("")
	d.print.now, d.notice = picture{jpeg: []byte("a picture")}, "The camera saw a shift."
	d.endPrint()
	if p := d.last; p.watcher != nil || p.now.jpeg != nil || p.stand != nil {
		t.Errorf("it holds %+v", p)
	}
	d.start("")
	if d.notice != "" {
		t.Errorf("the next print says %q", d.notice)
	}
}

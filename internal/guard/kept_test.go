package guard

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// grey is a picture of a size, as a camera gives it.
func grey(t *testing.T, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, h)), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// look has a print stand still after a layer, and a picture of it looked at.
func (d *desk) look(n int, jpeg []byte) {
	d.Helper()
	d.print.lastAt = time.Time{}
	now := time.Now()
	d.cameras[0].Frames().Set(&camera.Frame{Time: now, JPEG: jpeg})
	at := *d.snap
	at.Position = &printer.Position{}
	d.snap = &at
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Layer, j.Shot = n+1, &printer.Shot{N: n, Layer: n, AtMS: now.UnixMilli(), Still: true}
	})
	d.frame(d.Context(), &camera.Frame{Time: now.Add(time.Second), JPEG: jpeg})
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Layer, j.Shot = n+1, &printer.Shot{N: n, Layer: n, AtMS: now.UnixMilli()}
	})
	(<-d.hand)()(d.owner)
}

// One picture of another size is an accident. Where it stays so the set-up does not fit, and fits again when the camera gives that size again: it is not thrown away.
func TestPicturesOfAnotherSize(t *testing.T) {
	d := newDesk(t)
	d.kept.Calibration = &register.Calibration{Width: 320, Height: 240}
	d.start("")
	other, own := grey(t, 640, 480), grey(t, 320, 240)
	for i, w := range []struct {
		jpeg        []byte
		status, why string
	}{
		{other, WitnessBlind, "The picture has another size than in the set-up."}, {own, WitnessBlind, "It is too dark."},
		{other, WitnessBlind, "The picture has another size than in the set-up."}, {other, WitnessBlind, "The picture has another size than in the set-up."},
		{other, WitnessUnset, "The camera's pictures have another size than in the set-up: choose that size again, or do the set-up again."},
		{other, WitnessUnset, "The camera's pictures have another size than in the set-up: choose that size again, or do the set-up again."},
		{own, WitnessBlind, "It is too dark."},
	} {
		d.look(i+1, w.jpeg)
		if got := d.state().Camera; got.Status != w.status || got.Why != w.why || d.kept.Calibration == nil {
			t.Errorf("look %d: got %+v, want %s, %q", i+1, got, w.status, w.why)
		}
	}
}

// The picture of before is one of which it is known that nothing was lost yet: by the camera, or by the check before.
func TestThePictureOfBefore(t *testing.T) {
	sees := func(d *desk, layer int, jpeg string, lost int) {
		l := register.Look{Layer: layer, Sees: true, SeesX: true}
		if lost > 0 {
			l.Step = register.Step{Axis: "x", MM: 1.6, SinceLayer: lost, Sure: 1 + layer - lost}
		}
		f := &camera.Frame{JPEG: []byte(jpeg), Time: time.UnixMilli(int64(layer) * 1000)}
		d.looked(d.Context(), d.print, l, &stand{frames: []*camera.Frame{f}}, f, nil)
	}
	checks := func(d *desk, layer int, verdict string) {
		d.checked(d.Context(), &printer.EndstopCheck{N: layer, Layer: layer, AtMS: int64(layer)*1000 + 500, Verdict: verdict, X: printer.AxisFinding{Checked: true, OffMM: map[string]float64{printer.CheckLost: 1.6}[verdict]}})
	}
	for name, c := range map[string]struct {
		happens func(d *desk)
		before  string
		layer   int
	}{
		"the endstops alone": {func(d *desk) {
			sees(d, 1, "one", 0)
			sees(d, 2, "two", 0)
			checks(d, 2, printer.CheckRight)
			sees(d, 3, "three", 0) // it may be after the loss
			checks(d, 4, printer.CheckLost)
		}, "two", 2},
		"before any check": {func(d *desk) {
			sees(d, 1, "one", 0)
			sees(d, 2, "two", 0)
			checks(d, 2, printer.CheckLost)
		}, "one", 1},
		"a check that was unsure says nothing": {func(d *desk) {
			sees(d, 1, "one", 0)
			sees(d, 2, "two", 0)
			checks(d, 2, printer.CheckUnsure)
			checks(d, 4, printer.CheckLost)
		}, "one", 1},
		"the camera has seen it come": {func(d *desk) {
			sees(d, 1, "one", 0)
			checks(d, 1, printer.CheckRight)
			sees(d, 2, "two", 0)
			sees(d, 3, "three", 3)
			sees(d, 4, "four", 3)
			checks(d, 4, printer.CheckLost)
		}, "two", 2},
		"no picture at all": {func(d *desk) { checks(d, 4, printer.CheckLost) }, "", 0},
	} {
		d := newDesk(t)
		d.start("")
		c.happens(d)
		if a := d.print.alarm; a == nil || string(a.before.jpeg) != c.before || a.BeforeLayer != c.layer {
			t.Errorf("%s: got %+v, want %q of layer %d", name, a, c.before, c.layer)
		}
	}
}

// What is to be kept when layerd ends is kept, and what a disk takes too long for does not hold up the end.
func TestWhatIsKeptAtTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		disk time.Duration // what it takes for one
		kept int
		took time.Duration
	}{
		"a disk": {100 * time.Millisecond, 4, 400 * time.Millisecond}, "a slow one": {700 * time.Millisecond, 2, toEnd}, "one that hangs": {time.Hour, 0, toEnd},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithCancel(t.Context())
				var kept []Evidence
				g := New(Config{Printer: &standing{}, Settings: UsualSettings(), KeepEvidence: func(ctx context.Context, e Evidence) (int64, error) {
					select {
					case <-time.After(c.disk):
						kept = append(kept, e)
						return int64(len(kept)), nil
					case <-ctx.Done():
						return 0, ctx.Err()
					}
				}})
				done := make(chan error)
				go func() { done <- g.Run(ctx) }()
				if err := g.ask(ctx, func(o *owner) error {
					for i := range 2 {
						o.keepEvidence(&raised{Alarm: Alarm{Layer: i + 1}})
					}
					last := &raised{Alarm: Alarm{Layer: 3}}
					o.keepEvidence(last)
					o.keepEvidence(last) // it has changed meanwhile
					return nil
				}); err != nil {
					t.Fatal(err)
				}
				begun := time.Now()
				end()
				if err, took := <-done, time.Since(begun); err != nil || took != c.took || len(kept) != c.kept {
					t.Fatalf("got %v in %v, kept %+v; want %d in %v", err, took, kept, c.kept, c.took)
				}
				if c.kept == 4 && kept[3].Alarm.ID != 3 {
					t.Errorf("what has changed is kept beside what it was: %+v", kept[3].Alarm)
				}
			})
		})
	}
}

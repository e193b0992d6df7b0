package guard

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/internal/latest"
	"layerd/printer"
)

// standing is a printer that stands for shots, and counts how often it was let go on.
type standing struct {
	Printer
	gone []int
}

func (s *standing) ShotTaken(_ context.Context, _ string, n int) (uint64, error) {
	s.gone = append(s.gone, n)
	return 0, nil
}
func (s *standing) Snapshots() *printer.Snapshots { return latest.New(&printer.Snapshot{}) }

func TestTwoTakeOneShot(t *testing.T) {
	film := func(b *both, n int) { b.film(context.Background(), "j", n) }
	done := func(b *both, n int, filming bool) { b.done(context.Background(), "j", n, filming) }
	for name, c := range map[string]struct {
		do   func(*both)
		want int // times that the printer was let go on
	}{
		"the guard alone":                           {func(b *both) { b.hold("j", 1); done(b, 1, false) }, 1},
		"it does not want it":                       {func(b *both) { done(b, 1, false) }, 1},
		"the timelapse alone":                       {func(b *both) { done(b, 1, true); film(b, 1) }, 1},
		"the timelapse first":                       {func(b *both) { b.hold("j", 1); film(b, 1); done(b, 1, true) }, 1},
		"the guard first":                           {func(b *both) { b.hold("j", 1); done(b, 1, true); film(b, 1) }, 1},
		"only the timelapse yet":                    {func(b *both) { b.hold("j", 1); film(b, 1) }, 0},
		"only the guard yet":                        {func(b *both) { b.hold("j", 1); done(b, 1, true) }, 0},
		"the timelapse before the guard knew of it": {func(b *both) { film(b, 1); b.hold("j", 1); done(b, 1, true) }, 1},
		"an old shot":                               {func(b *both) { b.hold("j", 2); film(b, 1) }, 1}, // which the printer knows to be over
		"another print's":                           {func(b *both) { b.hold("other", 1); film(b, 1) }, 1},
	} {
		s := &standing{}
		if c.do(&both{printer: s}); len(s.gone) != c.want {
			t.Errorf("%s: got %v, want %d", name, s.gone, c.want)
		}
	}
}

func TestCrop(t *testing.T) {
	head, bed := [3][2]float64{{2, 0}}, [3][2]float64{{}, {0, 2}}
	c := &register.Calibration{Width: 480, Height: 240, Patches: []register.Patch{{X: 120, Y: 72, Move: head}, {X: 144, Y: 72, Move: head}, {X: 240, Y: 168, Move: bed}, {X: 0, Y: 0}}}
	for _, w := range []struct {
		y    bool
		turn camera.Turn
		want [4]float64
	}{
		{false, 0, [4]float64{0.2, 0.2, 0.2, 0.3}}, {true, 1, [4]float64{0.45, 0.6, 0.15, 0.3}},
		{false, 2, [4]float64{0.6, 0.2, 0.2, 0.3}}, {false, 3, [4]float64{0.6, 0.5, 0.2, 0.3}}, {false, 6, [4]float64{0.5, 0.2, 0.3, 0.2}},
	} {
		got := crop(c, w.y, w.turn)
		for i := range got {
			if d := got[i] - w.want[i]; d > 1e-9 || d < -1e-9 {
				t.Errorf("y %v, turned %d: got %v, want %v", w.y, w.turn, got, w.want)
				break
			}
		}
	}
	if got := crop(&register.Calibration{Width: 480, Height: 240}, false, 0); got != [4]float64{0, 0, 1, 1} {
		t.Errorf("nothing moves: got %v", got)
	}
}

func TestRecordings(t *testing.T) {
	dir := t.TempDir()
	s := &stand{at: register.Pose{XMM: 5}, frames: []*camera.Frame{{JPEG: make([]byte, 1000), Time: time.UnixMilli(7)}, {JPEG: make([]byte, 1000)}}}
	for _, job := range []string{"a1", "b2"} {
		for n := 1; n <= 3; n++ {
			if err := writeLook(dir, n, recordedLook{Job: job, At: s.at, Look: register.Look{Layer: n}}, s); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := makeRoom(dir, 7000); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "a1")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the older print is still there: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "b2", "0003.json"))
	var r recordedLook
	if err != nil || json.Unmarshal(text, &r) != nil || r.Look.Layer != 3 || r.At.XMM != 5 {
		t.Errorf("the newest: got %s, %v", text, err)
	}
}

// Of what was set up nothing counts that does not fit any more, and people are told why.
func TestWhatDoesNotFit(t *testing.T) {
	profile := printer.Presets()[0]
	kept := Kept{Card: &Card{XMM: 0.5, YMM: 0.5, Endstops: printer.Switches{X: printer.Switch{Usable: true, ThresholdMM: 0.35}}}, Profile: profile, Calibration: &register.Calibration{}}
	for name, c := range map[string]struct {
		change func(k *Kept, s *Settings, p *printer.Profile)
		want   string // the camera's status
		mode   printer.WatchMode
	}{
		"it fits":                  {func(*Kept, *Settings, *printer.Profile) {}, WitnessReady, printer.WatchPause},
		"another camera":           {func(_ *Kept, s *Settings, _ *printer.Profile) { s.Camera = 3 }, WitnessUnset, printer.WatchPause},
		"it parks elsewhere":       {func(_ *Kept, _ *Settings, p *printer.Profile) { p.ParkXMM += 20 }, WitnessUnset, printer.WatchPause},
		"another speed is as good": {func(_ *Kept, _ *Settings, p *printer.Profile) { p.TravelMMS++ }, WitnessReady, printer.WatchPause},
		"pictures of another size": {func(k *Kept, _ *Settings, _ *printer.Profile) { k.Calibration = nil }, WitnessUnset, printer.WatchPause},
		"no camera was of use":     {func(k *Kept, _ *Settings, _ *printer.Profile) { k.Card.CameraID, k.Card.Camera = -1, "It is dark." }, WitnessUnable, printer.WatchPause},
		"switched off":             {func(_ *Kept, s *Settings, _ *printer.Profile) { s.Mode = printer.WatchOff }, WitnessOff, printer.WatchOff},
		"never set up":             {func(k *Kept, _ *Settings, _ *printer.Profile) { *k = Kept{} }, WitnessUnset, printer.WatchOff},
	} {
		card := *kept.Card
		k, s, p := kept, UsualSettings(), profile
		k.Card = &card
		c.change(&k, &s, &p)
		o := newOwner(New(Config{Printer: &standing{}, Settings: s, Kept: k}))
		o.snap = &printer.Snapshot{Profile: p}
		got := o.state()
		if got.Camera.Status != c.want || got.Mode != c.mode || c.want == WitnessUnset && k.Card != nil && got.Camera.Why == "" {
			t.Errorf("%s: got %+v, mode %v, want %v, %v", name, got.Camera, got.Mode, c.want, c.mode)
		}
	}
}

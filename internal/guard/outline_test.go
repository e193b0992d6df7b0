package guard

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"layerd/camera/register"
	"layerd/gcode"
	"layerd/printer"
)

// endless is a file of one layer that has no end.
type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ';'
	}
	return len(b), nil
}
func (endless) Seek(int64, int) (int64, error) { return 0, nil }
func (endless) Close() error                   { return nil }

// A layer of any length is not read for ever, and nobody waits for one at the end.
func TestAnEndlessLayer(t *testing.T) {
	survey, err := gcode.SurveyFile(strings.NewReader(squares(30, 0, "WALL-OUTER")))
	if err != nil {
		t.Fatal(err)
	}
	open := func(context.Context) (io.ReadSeekCloser, error) { return endless{}, nil }
	f := newPrintFile(Order{Survey: &survey, Open: open})
	if f.read(t.Context(), 5); !errors.Is(f.why, errLayer) {
		t.Errorf("got %v", f.why)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if n, err := io.Copy(io.Discard, bounded(over, endless{}, 1<<40)); n > 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("at the end: read %d bytes, %v", n, err)
	}
}

// While there is no picture for it, it is blind, whatever it saw before.
func TestTheOutlineWithoutAPicture(t *testing.T) {
	for name, c := range map[string]struct {
		film    printer.ShotMode
		happens func(d *desk)
		want    string
	}{
		"it sees":                    {printer.ShotsOff, func(*desk) {}, WitnessReady},
		"the camera gave no picture": {printer.ShotsOff, func(d *desk) { d.saw(register.Look{Layer: 42, Why: register.NoPicture}, time.UnixMilli(9000)) }, WitnessBlind},
		"the camera is gone":         {printer.ShotsOff, func(d *desk) { delete(d.cameras, 0); d.tick(d.Context(), time.Now()) }, WitnessBlind},
		"the head is never parked":   {printer.ShotsStill, func(d *desk) { d.print.seen, d.print.outline, d.print.second = witnessed{}, Statement{}, second{} }, WitnessBlind},
	} {
		d := bedDesk(t, 0)
		if err := d.showCorners(double(cornersAt(110, 640, 480))); err != nil {
			t.Fatal(err)
		}
		survey, err := gcode.SurveyFile(strings.NewReader(squares(30, 0, "WALL-OUTER")))
		if err != nil {
			t.Fatal(err)
		}
		d.arrange(Order{Job: "j1", Film: printer.Shots{Mode: c.film}, Survey: &survey, Open: again("", new(int), new(int))})
		d.job(printer.Printing, nil)
		at := time.UnixMilli(5000)
		d.saw(register.Look{Layer: 41, Sees: true, SeesX: true, SeesY: true}, at)
		d.outlined(d.Context(), second{aside: register.Aside{Sees: true, DetectsXMM: 2, DetectsYMM: 2}}, 41, at)
		c.happens(d)
		if w := d.state().Outline; w.Status != c.want || (w.Why == "") != (c.want == WitnessReady) || (w.DetectsXMM == 0) != (c.want == WitnessBlind) {
			t.Errorf("%s: got %+v", name, w)
		}
	}
}

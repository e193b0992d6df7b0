package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/gcode"
	"layerd/printer"
)

// above is how the pretend camera sees a place of the room (camera/stage.go): x and y from the middle of the bed, which the nozzle is always over with Y, z from the bed.
func above(x, y, z float64, w, h int) [2]float64 {
	const yaw, pitch, dist, wide = -0.24, 0.42, 430, 345
	sinY, cosY, sinP, cosP := math.Sin(yaw), math.Cos(yaw), math.Sin(pitch), math.Cos(pitch)
	d := [3]float64{x - 4, y + 20, z - 24}
	dot := func(a [3]float64) float64 { return a[0]*d[0] + a[1]*d[1] + a[2]*d[2] }
	scale := float64(w) * dist / wide / (dot([3]float64{-sinY * cosP, cosY * cosP, -sinP}) + dist)
	return [2]float64{float64(w)/2 + dot([3]float64{cosY, sinY, 0})*scale, float64(h)/2 - dot([3]float64{-sinY * sinP, cosY * sinP, cosP})*scale}
}

// cornersAt are those of a bed of 220 × 220 mm that is at Y.
func cornersAt(y float64, w, h int) (seen [4][2]float64) {
	for i, c := range [4][2]float64{{0, 0}, {220, 0}, {220, 220}, {0, 220}} {
		seen[i] = above(c[0]-110, c[1]-y, 0, w, h)
	}
	return seen
}

// bedDesk is a desk whose set-up has a picture of the whole bed.
func bedDesk(t *testing.T, turn camera.Turn) *desk {
	d := newDesk(t)
	right := func(x, y float64) (m [3][2]float64) { m[0] = [2]float64{x, y}; return m }
	back := func(x, y float64) (m [3][2]float64) { m[1] = [2]float64{x, y}; return m }
	d.kept.Calibration = &register.Calibration{Width: 640, Height: 480, Kind: register.BedMoves, Park: register.Pose{XMM: 5, YMM: 110, ZMM: 5},
		Patches: []register.Patch{{Move: right(2, 0.2)}, {Move: right(1.8, 0.1)}, {Move: back(-0.3, 1.2)}, {Move: back(-0.2, 1)}}}
	d.kept.Bed = &BedPicture{JPEG: grey(t, 1280, 960), Turn: turn, AtMS: 7, At: register.Pose{XMM: 5, YMM: 110, ZMM: 5}}
	return d
}

func TestCornersOfTheBed(t *testing.T) {
	bed := cornersAt(110, 640, 480)
	for name, c := range map[string]struct {
		turn camera.Turn
		show func(w, h float64, seen [4][2]float64) [4][2]float64 // in the picture of w × h as it is to be seen
		want string
	}{
		"as it comes": {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return s }, ""},
		"the camera hangs upside down": {3, func(w, h float64, s [4][2]float64) [4][2]float64 {
			for i, p := range s {
				s[i] = [2]float64{w - p[0], h - p[1]}
			}
			return s
		}, ""},
		"on its side": {6, func(w, h float64, s [4][2]float64) [4][2]float64 {
			for i, p := range s {
				s[i] = [2]float64{w - p[1], p[0]}
			}
			return s
		}, ""},
		"on its other side, and mirrored": {5, func(w, h float64, s [4][2]float64) [4][2]float64 {
			for i, p := range s {
				s[i] = [2]float64{p[1], p[0]}
			}
			return s
		}, ""},
		"begun at the back":   {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return [4][2]float64{s[2], s[3], s[0], s[1]} }, "begin at the front left"},
		"begun at the right":  {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return [4][2]float64{s[1], s[0], s[3], s[2]} }, "begin at the front left"},
		"the other way round": {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return [4][2]float64{s[0], s[3], s[2], s[1]} }, "begin at the front left"},
		"across":              {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return [4][2]float64{s[0], s[2], s[1], s[3]} }, "go round the bed"},
		"all in one place":    {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { return [4][2]float64{s[0], s[0], s[0], s[0]} }, "too small"},
		"a small thing": {0, func(_, _ float64, s [4][2]float64) [4][2]float64 {
			return [4][2]float64{{300, 310}, {340, 310}, {335, 290}, {305, 290}}
		}, "too small"},
		"beside the picture": {0, func(w, _ float64, s [4][2]float64) [4][2]float64 { s[1][0] = w + 1; return s }, "not in the picture"},
		"nowhere":            {0, func(_, _ float64, s [4][2]float64) [4][2]float64 { s[1][0] = math.NaN(); return s }, "not in the picture"},
		"seen from straight above": {0, func(_, _ float64, s [4][2]float64) [4][2]float64 {
			return [4][2]float64{{100, 800}, {900, 800}, {900, 100}, {100, 100}}
		}, "from the side"},
	} {
		d := bedDesk(t, c.turn)
		seen := bed
		for i := range seen { // the picture is twice as wide as it is looked at
			seen[i] = [2]float64{2 * bed[i][0], 2 * bed[i][1]}
		}
		w, h := 1280.0, 960.0
		if c.turn.Sideways() {
			w, h = h, w
		}
		err := d.showCorners(c.show(w, h, seen))
		if c.want != "" {
			if !errors.Is(err, ErrCorners) || !strings.Contains(err.Error(), c.want) || d.kept.Corners != nil {
				t.Errorf("%s: got %v, want %q", name, err, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i, p := range d.kept.Corners.Seen {
			if math.Hypot(p[0]-bed[i][0], p[1]-bed[i][1]) > 0.01 {
				t.Errorf("%s: corner %d is at %v, want %v", name, i, p, bed[i])
			}
		}
		if s := d.state(); s.Corners == nil || s.BedMS != 7 || s.Outline.Status != WitnessReady {
			t.Errorf("%s: people see %v, %v, %+v", name, s.Corners, s.BedMS, s.Outline)
		}
	}
	if err := newDesk(t).showCorners(bed); !errors.Is(err, ErrNotSetUp) {
		t.Errorf("without a set-up: got %v", err)
	}
	d := bedDesk(t, 0)
	d.kept.Corners = &Corners{}
	d.endSetup(Kept{Card: d.kept.Card}, nil)
	if s := d.state(); s.Corners != nil || s.BedMS != 0 {
		t.Errorf("after another set-up there are corners: %+v", s)
	}
}

// A bed that sinks is one where what goes with the head does not move with Z.
func TestABedThatSinks(t *testing.T) {
	patch := func(x, z float64) register.Patch {
		return register.Patch{Move: [3][2]float64{{x, 0}, {}, {0, z}}}
	}
	for name, c := range map[string]struct {
		kind    register.Kind
		patches []register.Patch
		want    bool
	}{
		"CoreXY, the bed sinks":  {register.HeadMoves, []register.Patch{patch(2, 0), patch(1.5, 0.1), patch(0, 2)}, true},
		"CoreXY, the head rises": {register.HeadMoves, []register.Patch{patch(2, -1.8), patch(1.5, -1.5), patch(0, 0)}, false},
		"a bed-slinger":          {register.BedMoves, []register.Patch{patch(2, 0)}, false},
		"nothing is seen":        {register.HeadMoves, nil, false},
	} {
		if got := bedSinks(&register.Calibration{Kind: c.kind, Patches: c.patches}); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

// opened is a file that can be read again and again.
type opened struct {
	*bytes.Reader
	closed *int
}

func (o opened) Close() error { *o.closed++; return nil }

// again opens text; it counts how often, and how often it was closed.
func again(text string, times, closed *int) func(context.Context) (io.ReadSeekCloser, error) {
	return func(context.Context) (io.ReadSeekCloser, error) {
		*times++
		return opened{bytes.NewReader([]byte(text)), closed}, nil
	}
}

// squares is a file of layers with two objects, one after the other from layer turn on, if there is one.
func squares(layers, turn int, word string) string {
	var b strings.Builder
	b.WriteString("M83\n")
	for l := range layers {
		z := 0.2 * float64(l+1)
		if turn > 0 && l >= turn {
			z = 0.2 * float64(l-turn+1)
		}
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.2f\n", l, z)
		for k, x := range []int{20, 60} {
			fmt.Fprintf(&b, "M486 S%d\n;TYPE:%s\nG0 X%d Y20\nG1 X%d E1\nG1 Y40 E1\nG1 X%d E1\nG1 Y20 E1\nM486 S-1\n", k, word, x, x+20, x)
		}
	}
	return b.String()
}

func TestThePrintsFile(t *testing.T) {
	ctx := t.Context()
	file := func(text string, open func(context.Context) (io.ReadSeekCloser, error)) *printFile {
		survey, err := gcode.SurveyFile(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return newPrintFile(Order{Survey: &survey, Open: open})
	}
	times, closed := 0, 0
	text := squares(100, 0, "WALL-OUTER")
	f := file(text, again(text, &times, &closed))
	for _, layer := range []int{3, 3, 19, 20, 90} {
		f.read(ctx, layer)
		older, newest := f.lie(layer, nil)
		switch {
		case f.why != nil || f.behind:
			t.Fatalf("layer %d: %v, behind %v", layer, f.why, f.behind)
		case layer < newestLayers+leastOlder && (older != nil || newest != nil):
			t.Errorf("layer %d: there is something to compare with", layer)
		case layer == 20 && (len(newest) != 20 || len(older) != 20), layer == 90 && (len(newest) != 20 || len(older) != 100 || math.Abs(older[0].ZMM-6.2) > 1e-9 || math.Abs(newest[19].ZMM-18) > 1e-9):
			t.Errorf("layer %d: %d older ones, %d newest", layer, len(older), len(newest))
		}
	}
	if times != 4 || closed != times || len(f.layers) != newestLayers+olderLayers {
		t.Errorf("opened %d times, closed %d, holds %d layers", times, closed, len(f.layers))
	}
	if older, newest := f.lie(90, []int{1}); len(older) != 50 || len(newest) != 10 || slices.ContainsFunc(append(older, newest...), func(o register.Outline) bool { return o.Points[0][0] > 50 }) {
		t.Errorf("what is skipped is still there: %d, %d", len(older), len(newest))
	}
	for name, c := range map[string]struct {
		file *printFile
		want error
	}{
		"one after the other":  {file(squares(60, 40, "WALL-OUTER"), again(squares(60, 40, "WALL-OUTER"), &times, &closed)), errInTurn},
		"nothing is marked":    {file(squares(60, 0, "FILL"), again("", &times, &closed)), gcode.ErrNoWalls},
		"no file":              {file(text, nil), errNoFile},
		"nothing is known":     {newPrintFile(Order{}), errNoFile},
		"it cannot be opened":  {file(text, func(context.Context) (io.ReadSeekCloser, error) { return nil, io.ErrUnexpectedEOF }), errNoFile},
		"a line that is wrong": {file(text, again(strings.Repeat("G1 X1 Y1", 1000), &times, &closed)), errNoFile},
	} {
		c.file.read(ctx, 50)
		if older, newest := c.file.lie(50, nil); !errors.Is(c.file.why, c.want) || older != nil || newest != nil {
			t.Errorf("%s: got %v", name, c.file.why)
		}
	}
}

// People are told why a print is not looked at in this way.
func TestWhyThereIsNoSecondOpinion(t *testing.T) {
	d := bedDesk(t, 0)
	if err := d.showCorners(double(cornersAt(110, 640, 480))); err != nil {
		t.Fatal(err)
	}
	survey, err := gcode.SurveyFile(strings.NewReader(squares(30, 0, "FILL")))
	if err != nil {
		t.Fatal(err)
	}
	d.arrange(Order{Job: "j1", Film: printer.Shots{Mode: printer.ShotsOff}, Survey: &survey, Open: again("", new(int), new(int))})
	d.job(printer.Printing, nil)
	if w := d.state().Outline; w.Status != WitnessUnable || w.Why != "It cannot be used in this print: the file does not say which lines are outer walls." {
		t.Errorf("got %+v", w)
	}
	d.kept.Corners = nil
	if w := d.state().Outline; w.Status != WitnessUnset || w.Why == "" {
		t.Errorf("without corners: got %+v", w)
	}
}

func double(c [4][2]float64) [4][2]float64 {
	for i := range c {
		c[i] = [2]float64{2 * c[i][0], 2 * c[i][1]}
	}
	return c
}

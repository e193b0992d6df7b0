package guard

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/gcode"
	"layerd/printer"
)

// The second opinion with a real file, a camera that draws what is printed, and the judge. The printer is what the test says.

// studio draws scenes.
type studio struct {
	*testing.T
	scenes chan camera.Scene
	jpegs  chan []byte
	clock  time.Time
	w, h   int
}

func newStudio(t *testing.T, w, h int) *studio {
	s := &studio{T: t, scenes: make(chan camera.Scene), jpegs: make(chan []byte), clock: time.Unix(1e9, 0), w: w, h: h}
	next := func() camera.Scene {
		select {
		case scene := <-s.scenes:
			return scene
		case <-t.Context().Done():
			return camera.Scene{}
		}
	}
	go func() {
		if err := camera.NewSimulated(next, 5, w, h).Run(t.Context(), s); err != nil {
			t.Error(err)
		}
	}()
	return s
}

// Put and Idle make it what the camera's pictures go to.
func (s *studio) Put(jpeg []byte, _ time.Time) {
	select {
	case s.jpegs <- append([]byte(nil), jpeg...):
	case <-s.Context().Done():
	}
}
func (s *studio) Idle() bool { return false }

func (s *studio) picture(at register.Pose, trail []camera.Segment) []byte {
	s.clock = s.clock.Add(237 * time.Millisecond)
	s.scenes <- camera.Scene{X: at.XMM, Y: at.YMM, Z: at.ZMM, Clock: s.clock, BedC: 60, Trail: trail}
	return <-s.jpegs
}

// setUp is what a set-up of it comes to.
func (s *studio) setUp(p printer.Profile) Kept {
	s.Helper()
	c := register.NewCalibrator(parked(p), reach(p))
	for at, more := c.Next(); more; at, more = c.Next() {
		if err := c.Add(at, decode([]*camera.Frame{{JPEG: s.picture(at, nil)}})); err != nil {
			s.Fatal(err)
		}
	}
	cal, err := c.Result()
	if err != nil {
		s.Fatal(err)
	}
	at := parked(p)
	at.YMM = 56
	return Kept{Card: &Card{XMM: 0.5, YMM: 0.5}, Profile: p, Calibration: cal, Bed: &BedPicture{JPEG: s.picture(at, nil), AtMS: 1, At: at}}
}

// flower is a print of layers of 0.3 mm, as a slicer writes it, and the lines of each layer.
func flower(layers int) (text string, drawn [][]camera.Segment) {
	var b strings.Builder
	b.WriteString("G28\nM83\n")
	for l := range layers {
		z := 0.3 * float64(l+1)
		fmt.Fprintf(&b, ";LAYER:%d\nG0 Z%.2f\n;TYPE:WALL-OUTER\n", l, z)
		var lines []camera.Segment
		var last [2]float64
		for k := range 25 {
			a := float64(k) * math.Pi / 12
			r := 22 + 5*math.Cos(3*a+z/12)
			p := [2]float64{110 + r*math.Cos(a), 120 + r*math.Sin(a)}
			if k == 0 {
				fmt.Fprintf(&b, "G0 X%.3f Y%.3f\n", p[0], p[1])
			} else {
				fmt.Fprintf(&b, "G1 X%.3f Y%.3f E0.2\n", p[0], p[1])
				lines = append(lines, camera.Segment{X1: float32(last[0]), Y1: float32(last[1]), X2: float32(p[0]), Y2: float32(p[1]), Z: float32(z)})
			}
			last = p
		}
		drawn = append(drawn, lines)
	}
	return b.String(), drawn
}

// aside is a copy of a layer's lines that lie elsewhere.
func aside(lines []camera.Segment, x, y float32) []camera.Segment {
	out := append([]camera.Segment(nil), lines...)
	for i := range out {
		out[i].X1, out[i].X2, out[i].Y1, out[i].Y2 = out[i].X1+x, out[i].X2+x, out[i].Y1+y, out[i].Y2+y
	}
	return out
}

// TestThePartMoves has a part come loose in mid-print, with the head where it should be; and the same print without that.
func TestThePartMoves(t *testing.T) {
	const first, moves, last = 36, 54, 66
	for name, c := range map[string]struct {
		x, y     float32 // that the part goes
		checks   bool    // the endstops can be asked; they find all right
		wantX    float64
		want     string // of the alarm; "" none
		wantSaid string // by the second opinion at the end
		notice   string // that people are given
	}{
		"to the left":                      {-2.4, 0, true, 2.4, "The part may have moved: its newest layers lie", "to the right of the older ones", ""},
		"nobody can say where the head is": {-2.4, 0, false, 0, "", "The newest layers lie", "and nothing can say whether the head is where it should be"},
		"it does not move":                 {0, 0, true, 0, "", "All layers lie one above the other.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s, d := newStudio(t, 704, 396), newDesk(t)
				d.kept, d.settings.PausePart = s.setUp(d.snap.Profile), true
				if c.checks {
					d.kept.Card.Endstops.X = printer.Switch{Usable: true, ThresholdMM: 0.35}
				}
				if err := d.showCorners(cornersAt(56, s.w, s.h)); err != nil {
					t.Fatal(err)
				}
				(<-d.hand)() // they are kept
				text, drawn := flower(last)
				survey, err := gcode.SurveyFile(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				d.arrange(Order{Job: "j1", Mode: printer.WatchPause, Film: printer.Shots{Mode: printer.ShotsPark}, Survey: &survey,
					Open: func(ctx context.Context) (io.ReadSeekCloser, error) { return again(text, new(int), new(int))(ctx) }})
				d.job(printer.Printing, nil)
				checks := int64(0)
				for n := first; n <= last && (d.print.alarm == nil || c.want == ""); n++ {
					var trail []camera.Segment
					for l := range n {
						if l < moves && n > moves { // it moved then, with all that was printed until then
							trail = append(trail, aside(drawn[l], c.x, c.y)...)
						} else {
							trail = append(trail, drawn[l]...)
						}
					}
					at := parked(d.snap.Profile)
					at.ZMM = 0.3*float64(n) + 1
					d.looks(n, at, s.picture(at, trail))
					if d.print.judge.asked {
						checks++
						d.job(printer.Printing, func(j *printer.JobStatus) {
							j.Layer, j.Check = n+1, &printer.EndstopCheck{N: int(checks), Layer: n, AtMS: time.Now().UnixMilli() + checks, Verdict: printer.CheckRight, X: printer.AxisFinding{Checked: true}, Y: printer.AxisFinding{Checked: true}}
						})
					}
					if n > first+16 && d.print.second.why != "" {
						t.Errorf("layer %d: it sees nothing: %s", n, d.print.second.why)
					}
					if n <= moves && (d.print.second.aside.Step.Sure > 0 || checks > 0) {
						t.Errorf("layer %d, all is well: %+v, %d checks", n, d.print.second.aside, checks)
					}
				}
				a := d.print.alarm
				if said := d.print.outline.Said; !strings.Contains(said, c.wantSaid) {
					t.Errorf("it says %q, want %q", said, c.wantSaid)
				}
				if !strings.Contains(d.notice, c.notice) || c.notice == "" && d.notice != "" {
					t.Errorf("people are told %q, want %q", d.notice, c.notice)
				}
				if c.want == "" {
					if a != nil {
						t.Errorf("got an alarm: %+v", a.Alarm)
					}
					return
				}
				if a == nil || !a.Paused || !a.Part || a.Confirmed || !strings.HasPrefix(a.Sentence, c.want) || math.Abs(a.XMM-c.wantX) > 0.8 || a.YMM != 0 || a.before.layer < first || a.before.layer > moves || a.after.layer <= moves || a.Crop != [4]float64{0, 0, 1, 1} || len(a.Arrows) > 0 {
					t.Fatalf("got %+v, second opinion %+v", a, d.print.second)
				}
				said := map[string]bool{}
				for _, one := range a.Statements {
					said[one.Witness] = true
				}
				if !said["outline"] || !said["endstops"] {
					t.Errorf("got %+v, want what the endstops say, and the print's outline", a.Statements)
				}
			})
		})
	}
}

// looks has a print stand still at a place after a layer, and a picture of it looked at.
func (d *desk) looks(n int, at register.Pose, jpeg []byte) {
	d.Helper()
	d.print.lastAt = time.Time{}
	now := time.Now()
	d.cameras[0].Frames().Set(&camera.Frame{Time: now, JPEG: jpeg})
	there := *d.snap
	there.Position = &printer.Position{XMM: at.XMM, YMM: at.YMM, ZMM: at.ZMM}
	d.snap = &there
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Layer, j.Check, j.Shot = n+1, d.newest(), &printer.Shot{N: n, Layer: n, AtMS: now.UnixMilli(), Still: true}
	})
	d.frame(d.Context(), &camera.Frame{Time: now.Add(time.Second), JPEG: jpeg})
	d.job(printer.Printing, func(j *printer.JobStatus) {
		j.Layer, j.Check, j.Shot = n+1, d.newest(), &printer.Shot{N: n, Layer: n, AtMS: now.UnixMilli()}
	})
	(<-d.hand)()(d.owner)
	for len(d.hand) > 0 { // what is to be kept
		if then := (<-d.hand)(); then != nil {
			then(d.owner)
		}
	}
}

// newest is the job's newest check.
func (d *desk) newest() *printer.EndstopCheck {
	if d.snap.Job == nil {
		return nil
	}
	return d.snap.Job.Check
}

package printer

import (
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"strings"
	"testing"
	"time"
)

// Standing still on purpose is no starvation, and the lines flow at full speed at once after it: a dense print takes longer by what it stood, and a moment.
func TestShotsStarveNobody(t *testing.T) {
	const layers = 15
	var b strings.Builder
	for i, l := range strings.SplitAfter(circle(100*layers, 0.5, 60), "\n") {
		if i >= 9 && (i-9)%100 == 0 && i < 9+100*layers {
			fmt.Fprintf(&b, ";LAYER:%d\n", (i-9)/100)
		}
		b.WriteString(l)
	}
	text := b.String()
	for _, said := range []bool{true, false} {
		elapsed := map[ShotMode]float64{}
		for _, mode := range []ShotMode{ShotsOff, ShotsStill, ShotsPark} {
			whole(t, printertest.Config{Baud: 115200, AdvancedOK: said, Speed: 1}, nil, func(r *rig) {
				r.becomes(Idle)
				r.start(text, Shots{Mode: mode})
				snap := r.stands(layers)
				if o := snap.LastJob; o == nil || o.Outcome != "done" || o.StarvedS != 0 || snap.Health.Overruns != 0 || snap.Link.Shrinks != 0 {
					t.Fatalf("%q, P %v: got %+v, %+v", mode, said, o, snap.Health)
				}
				elapsed[mode] = snap.LastJob.ElapsedS
			})
		}
		if more := elapsed[ShotsStill] - elapsed[ShotsOff] - (layers-1)*shotHold.Seconds(); more < 0 || more > 0.2*(layers-1) {
			t.Errorf("P %v: besides the waiting, %d shots took %.2f s", said, layers-1, more)
		}
	}
}

// The estimate is what the pretend printer takes, more or less; and every distance in time makes it less.
func TestShotsTime(t *testing.T) {
	profile := Presets()[0]
	text := tower(12, 40, "M83")
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	elapsed := map[ShotMode]time.Duration{}
	for _, mode := range []ShotMode{ShotsOff, ShotsStill, ShotsPark} {
		whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 20}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
			r.becomes(Idle)
			r.start(text, Shots{Mode: mode})
			n := 0
			for {
				snap := r.stands(n)
				if snap.LastJob != nil {
					elapsed[mode] = time.Duration(snap.LastJob.ElapsedS * float64(time.Second))
					return
				}
				n++
				time.Sleep(300 * time.Millisecond) // the camera's next frame
				r.must(r.p.ShotTaken(r.Context(), "j1", n))
			}
		})
		took, estimate := elapsed[mode]-elapsed[ShotsOff], ShotsTime(profile, Shots{Mode: mode}, survey)
		if took < estimate*6/10 || took > estimate*14/10 {
			t.Errorf("%q: the shots took %v, and were estimated at %v", mode, took, estimate)
		}
	}
	each, seldom := ShotsTime(profile, Shots{Mode: ShotsPark}, survey), ShotsTime(profile, Shots{Mode: ShotsPark, EveryS: 60}, survey)
	if seldom <= 0 || seldom >= each/2 {
		t.Errorf("one in a minute takes %v, one in each layer %v", seldom, each)
	}
	tall := gcode.Survey{Layers: []gcode.Layer{{ZMM: 0.2}, {ZMM: 40}, {ZMM: 0.2}, {ZMM: 0.4}}} // one object after the other: up and down again
	flat := gcode.Survey{Layers: []gcode.Layer{{ZMM: 0.2}, {ZMM: 0.3}, {ZMM: 0.2}, {ZMM: 0.4}}}
	if more := ShotsTime(profile, Shots{Mode: ShotsPark}, tall) - ShotsTime(profile, Shots{Mode: ShotsPark}, flat); more < 9*time.Second || more > 11*time.Second {
		t.Errorf("above an object of 40 mm it takes %v more, want 10 s at 8 mm/s", more)
	}
	if got := ShotsTime(Profile{}, Shots{Mode: ShotsPark, EveryS: 3}, survey); got < 0 {
		t.Errorf("without a profile: got %v", got)
	}
}

// What cannot be is refused at the start, and the caller keeps its file.
func TestShotsRefused(t *testing.T) {
	whole(t, printertest.Config{}, nil, func(r *rig) {
		r.becomes(Idle)
		src := &paper{Reader: strings.NewReader("G1 X1\n")}
		if _, err := r.p.Start(r.Context(), JobInfo{ID: "j1", Shots: Shots{Mode: "x"}}, src); err == nil || src.closed.Load() != 0 {
			t.Errorf("got %v, and the file was closed %d times", err, src.closed.Load())
		}
		if _, err := r.p.Start(r.Context(), JobInfo{ID: "j1", Shots: Shots{Mode: ShotsPark}}, io.NopCloser(strings.NewReader("G1 X1\n"))); err != nil {
			t.Error(err)
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil }) // a file without layers has no shots
	})
}

// Where the head cannot go aside it stays, and the picture is taken all the same: not homed on this connection, not hot, or something printed before reaches up to
// where the machine ends.
func TestShotsStay(t *testing.T) {
	for name, c := range map[string]struct{ cut, put string }{
		"not homed":    {"G28\n", ""},
		"cold":         {"M109 S200\n", "M302 P1\n"},
		"motors off":   {";LAYER:1\n", "M84\n;LAYER:1\n"},
		"no way above": {";LAYER:1\n", "G1 Z300\nG1 X90 Y90 E1\nG1 Z0.3\n;LAYER:1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(tower(3, 4, "M83"), c.cut, c.put, 1)
			whole(t, printertest.Config{Speed: 1, Heat: 20}, func(c *Config) { c.Profile.HeightMM = 220 }, func(r *rig) {
				r.becomes(Idle)
				survey, err := gcode.SurveyFile(strings.NewReader(text))
				if err != nil {
					t.Fatal(err)
				}
				if name == "no way above" {
					survey.Layers[0].ZMM = 300
				}
				r.must(r.p.Start(r.Context(), JobInfo{ID: "j1", Survey: survey, Shots: Shots{Mode: ShotsPark}}, io.NopCloser(strings.NewReader(text))))
				snap := r.stands(0)
				if b := r.sim.Body(); snap.Job == nil || near(b.True[0], Presets()[0].ParkXMM, 1) {
					t.Errorf("it was at %v", b.True)
				}
				if end := r.stands(2); end.LastJob == nil || end.LastJob.Outcome != "done" {
					t.Errorf("got %+v", end.Job)
				}
			})
		})
	}
}

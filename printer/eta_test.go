package printer

import (
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// spire is a print of layers as a slicer makes them: a slow outline and a fast zigzag, of another size in each, behind heating and homing.
func spire(layers int) string {
	var b strings.Builder
	b.WriteString("M140 S60\nM104 S200\nG28\nM190 S60\nM109 S200\nM83\nG92 E0\n")
	for n := range layers {
		size := 40 + 6*math.Sin(float64(n)/9)
		fmt.Fprintf(&b, ";LAYER_CHANGE\n;Z:%.2f\nG1 Z%.2f F1200\nG1 X50 Y50 F6000\nG1 F1500\n", 0.2*float64(n+1), 0.2*float64(n+1))
		for _, at := range [][2]float64{{1, 0}, {1, 1}, {0, 1}, {0, 0}} {
			fmt.Fprintf(&b, "G1 X%.3f Y%.3f E%.4f\n", 50+size*at[0], 50+size*at[1], size*0.03)
		}
		b.WriteString("G1 F3600\n")
		for i := range int(size / 2) {
			fmt.Fprintf(&b, "G1 X%.3f Y%.3f E%.4f\n", 50+size*float64(i%2), 50+2*float64(i), size*0.03)
		}
	}
	b.WriteString("M104 S0\nM140 S0\n")
	return b.String()
}

// forecast is what was shown at a moment of a print.
type forecast struct{ atS, percent, leftS, rate float64 }

// watchSpire prints a spire, has meanwhile done to it, and returns what was shown and when it ended, in seconds from its start.
func watchSpire(t *testing.T, text string, cfg printertest.Config, before []string, meanwhile func(r *rig)) (shown []forecast, endS float64) {
	cfg.Speed, cfg.Heat, cfg.Baud = 1, 1, 250000
	whole(t, cfg, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		r.becomes(Idle)
		for _, line := range before {
			r.must(r.p.Send(r.Context(), line))
		}
		time.Sleep(time.Second)
		start := time.Now()
		r.print("j1", text, nil)
		if meanwhile != nil {
			done := make(chan struct{})
			defer func() { <-done }()
			go func() { meanwhile(r); close(done) }()
		}
		for s := r.now(); s.LastJob == nil; s = r.now() {
			if s.Job != nil {
				shown = append(shown, forecast{time.Since(start).Seconds(), s.Job.Percent, s.Job.LeftS, s.Job.Rate})
			}
			time.Sleep(time.Second)
		}
		endS = time.Since(start).Seconds()
	})
	return shown, endS
}

// After a tenth of a print its end is known within 3 %, whatever the speed factor or the machine's own limits, and it stays so.
func TestTheEndIsKnownAfterATenth(t *testing.T) {
	text := spire(60)
	speed := func(percent float64) func(*rig) {
		return func(r *rig) { r.must(r.p.SetSpeed(r.Context(), percent)) }
	}
	at := func(wanted float64, do func(*rig)) func(*rig) {
		return func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Percent >= wanted })
			do(r)
		}
	}
	for name, c := range map[string]struct {
		text      string
		before    []string
		meanwhile func(*rig)
		from      float64 // percent from which it is to be right
	}{
		"as the file says":      {text: text, from: 10},
		"M220 S80":              {text: text, before: []string{"M220 S80"}, from: 10},
		"M220 S130":             {text: text, before: []string{"M220 S130"}, from: 10},
		"M220 S250":             {text: text, before: []string{"M220 S250"}, from: 10},
		"the file's own M220":   {text: "M220 S70\n" + text, from: 10},
		"slow acceleration":     {text: text, before: []string{"M204 P150 T150 R150"}, from: 10},
		"fast acceleration":     {text: text, before: []string{"M204 P9000 T9000 R9000"}, from: 10},
		"slow and accelerated":  {text: text, before: []string{"M204 P200 T200", "M220 S60"}, from: 10},
		"changed in mid-print":  {text: text, meanwhile: at(40, speed(70)), from: 46},
		"a person at the start": {text: text, meanwhile: at(1, speed(150)), from: 10},
		"a pause": {text: text, from: 10, meanwhile: at(7, func(r *rig) {
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			time.Sleep(time.Minute)
			r.must(r.p.Resume(r.Context(), "j1"))
		})},
		"a wait for heat in mid-print": {text: strings.Replace(text, ";LAYER_CHANGE\n;Z:0.60\n", ";LAYER_CHANGE\n;Z:0.60\nM109 S230\nG4 S30\n", 1), from: 12},
	} {
		t.Run(name, func(t *testing.T) {
			shown, endS := watchSpire(t, c.text, printertest.Config{}, c.before, c.meanwhile)
			worst, n := 0.0, 0
			for _, s := range shown {
				if s.percent < c.from {
					continue
				}
				n++
				worst = max(worst, math.Abs(s.atS+s.leftS-endS)/endS)
			}
			if n < 100 || worst > 0.03 {
				t.Errorf("it ended after %.0f s; of %d forecasts the worst was wrong by %.1f %%", endS, n, 100*worst)
			}
		})
	}
}

// What is shown is a number, not negative, whatever comes, in whatever order; and what nothing has changed does not jump.
func TestTimeLeftIsAlwaysANumber(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		v := gcode.Survey{FirstOffset: 10, LastOffset: 10_000, TimeS: []float64{0, 1e-9, 60, 3600, 3e8}[r.IntN(5)], HeatS: 1e4 * r.Float64()}
		v.CruiseS = v.TimeS * r.Float64()
		for i := range r.IntN(40) {
			v.Layers = append(v.Layers, gcode.Layer{Offset: int64(20 + i*240), ElapsedS: v.TimeS * float64(i) / 40, CruiseS: v.CruiseS * float64(i) / 40})
		}
		e, ran, end := startETA(), time.Duration(0), int64(0)
		for range 200 {
			ran += time.Duration(r.ExpFloat64() * float64(time.Minute))
			end = min(max(0, end+int64(r.IntN(300)-40)), 11_000)
			if r.IntN(20) == 0 {
				e.skip(ran)
			}
			if r.IntN(20) == 0 {
				e.asked(gcode.ParseCommand(fmt.Appendf(nil, "M220 S%.1f", 300*r.Float64())))
			}
			e.landed(ran, jobPos{end: end, layer: v.LayerAt(end), took: time.Duration(r.ExpFloat64() * 1e9)}, &v, []float64{100, 0, 1, 80, 999}[r.IntN(5)])
			left := e.left(ran, &v)
			if math.IsNaN(left) || math.IsInf(left, 0) || (left < 0) != (v.TimeS == 0) || !(e.now().cruise > 0 && e.now().rest > 0) || e.at.sum() < 0 || e.at.sum() > v.TimeS*(1+1e-9) {
				t.Fatalf("%g s left at %v s of %g, rate %v, factor %g", left, e.at, v.TimeS, e.rate, e.factor)
			}
		}
	}
}

// A file that keeps a person's speed factor, sets its own for a change of tools and brings the person's back (PrusaSlicer's wipe tower) is no change of it.
func TestSpeedFactorThatIsBroughtBack(t *testing.T) {
	v, m, r := gcode.Survey{TimeS: 1000, CruiseS: 1000, LastOffset: 1000}, freshModal(Profile{}), startRun(time.Time{})
	m.apply([]byte("M220 S150"), false)
	for i, line := range []string{"G1 X1", "M220 B", "M220 S100", "G1 X2", "M220 R", "G1 X3"} {
		f := &flight{text: []byte(line), pos: jobPos{line: int64(i + 1), end: int64(i+1) * 10, layer: -1}, lane: laneJob}
		m.apply(f.text, false)
		r.landed(time.Time{}.Add(time.Second), f, &job{info: JobInfo{Survey: v}}, &m)
		if want := map[bool]float64{true: 1, false: 1.5}[i == 2 || i == 3]; r.eta.factor != want {
			t.Errorf("behind %s the factor is %g, want %g", line, r.eta.factor, want)
		}
	}
}

// Lines that are sent again, over the beginning of a layer, are no way back: how far the print is stays, and so does what was learned of its time.
func TestLinesSentAgainAreNoWayBack(t *testing.T) {
	text := spire(60)
	v, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	run := func(again int) (shares []float64, scale float64) {
		e, ran := startETA(), time.Duration(0)
		j := openJob(JobInfo{Survey: v}, io.NopCloser(strings.NewReader(text)))
		defer j.close()
		var all []jobPos
		for {
			l, err := j.next()
			if err == errStarved {
				j.feed(<-j.batches)
				continue
			}
			if err != nil {
				break
			}
			j.taken()
			if n := len(all); again > 0 && n > again && all[n-1].layer == 30 && all[n-2].layer == 29 { // what was in flight goes again
				for _, pos := range all[n-again:] {
					ran += pos.took
					e.landed(ran, pos, &v, 100)
					shares = append(shares, e.at.sum())
				}
			}
			ran += l.pos.took
			e.landed(ran, l.pos, &v, 100)
			all, shares = append(all, l.pos), append(shares, e.at.sum())
		}
		return shares, e.ownScale()
	}
	_, want := run(0)
	shares, scale := run(5)
	if !slices.IsSorted(shares) {
		t.Errorf("what was printed became less")
	}
	if math.Abs(scale/want-1) > 1e-9 {
		t.Errorf("lines are taken for %g of their own time, want %g", scale, want)
	}
}

// The same with real files, whose layers differ in how much of them M220 changes: what they ask for after a tenth, with other factors, and on machines that accelerate otherwise than is believed.
func TestTheEndOfRealFiles(t *testing.T) {
	const corpus = "../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("the corpus of real files is absent: %v", err)
	}
	speeds := []string{"M220 S100", "M220 S80", "M220 S130"}
	for name, befores := range map[string][]string{"ps_cube20.gcode": speeds, "public/mini_cube_ps2.8.1.gcode": speeds, "public/gp_plant-sign.gcode": speeds,
		"cura_cube20_rawcli.gcode": {"M204 P250 T250", "M204 P2000 T2000"}, // it sets no acceleration itself
	} {
		text := string(readAll(t, filepath.Join(corpus, name)))
		if testing.Short() && len(text) > 500_000 {
			continue
		}
		for _, before := range befores[:few(len(befores))] {
			shown, endS := watchSpire(t, text, printertest.Config{}, []string{before}, nil)
			i := slices.IndexFunc(shown, func(f forecast) bool { return f.percent >= 10 })
			if i < 0 {
				t.Fatalf("%s never came to a tenth", name)
			}
			if off := (shown[i].atS + shown[i].leftS - endS) / endS; math.Abs(off) > 0.03 {
				t.Errorf("%s with %s: after a tenth the forecast was wrong by %+.1f %% of %.0f s", name, before, 100*off, endS)
			}
		}
	}
}

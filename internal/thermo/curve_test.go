package thermo

import (
	"math"
	"slices"
	"testing"
	"time"

	"layerd/internal/store"
	"layerd/printer"
)

// reads is a report of one nozzle.
func reads(actualC, targetC float64) reading {
	return readingOf(&printer.Snapshot{Nozzles: []printer.Heater{{ActualC: actualC, TargetC: targetC}}})
}

// However long a print takes, its curve has its bound, and a spike of one report is still in it.
func TestCurveKeepsASpike(t *testing.T) {
	began := time.Now()
	for _, hours := range []int{1, 9, 100} {
		c := newCurve(began)
		n := hours * 3600
		for i := range n {
			v := 210.0
			switch i {
			case n / 3:
				v = 287.5
			case n / 2:
				v = 96.5
			}
			c.add(began.Add(time.Duration(i)*time.Second), reads(v, 210))
		}
		got := c.points()
		if len(got.AfterMS) > 2000 || len(got.AfterMS) < 400 || cap(c.bins) > 2*maxBins {
			t.Errorf("%d h: got %d points, room for %d bins, want 400 to 2000", hours, len(got.AfterMS), cap(c.bins))
		}
		nozzle := heater(got, "nozzle0")
		for _, spike := range []struct {
			c  float64
			at int
		}{{287.5, n / 3}, {96.5, n / 2}} {
			i := slices.Index(nozzle.ActualC, store.DeciOf(spike.c))
			if i < 0 {
				t.Errorf("%d h: %v °C is gone", hours, spike.c)
			} else if off := time.Duration(got.AfterMS[i])*time.Millisecond - time.Duration(spike.at)*time.Second; off.Abs() > c.every {
				t.Errorf("%d h: %v °C is %v from where it was, want at most %v", hours, spike.c, off, c.every)
			}
		}
		for i := 1; i < len(got.AfterMS); i++ {
			if got.AfterMS[i] <= got.AfterMS[i-1] {
				t.Fatalf("%d h: the times do not grow: %v", hours, got.AfterMS[i-1:i+1])
			}
			if got.AfterMS[i]-got.AfterMS[i-1] > got.GapMS {
				t.Fatalf("%d h: points %d ms apart look like a gap of more than %d ms", hours, got.AfterMS[i]-got.AfterMS[i-1], got.GapMS)
			}
		}
	}
}

// What happened first is drawn first, however often the bins were halved.
func TestCurveKeepsTheOrder(t *testing.T) {
	for name, c := range map[string]struct{ values, want []float64 }{
		"up":                  {[]float64{20, 30, 40, 50}, []float64{20, 50}},
		"down":                {[]float64{50, 40, 30, 20}, []float64{50, 20}},
		"a spike":             {[]float64{20, 90, 20, 20}, []float64{20, 90}},
		"a spike in the end":  {[]float64{21, 20, 20, 90}, []float64{20, 90}},
		"a dip":               {[]float64{60, 60, 10, 60}, []float64{60, 10}},
		"high, then low":      {[]float64{50, 90, 10, 50}, []float64{90, 10}},
		"low, then high":      {[]float64{50, 10, 90, 50}, []float64{10, 90}},
		"always the same":     {[]float64{50, 50, 50, 50}, []float64{50}},
		"the end is all gone": {[]float64{50, 20}, []float64{50, 20}},
	} {
		began := time.Now()
		cu := newCurve(began)
		for i, v := range c.values {
			cu.add(began.Add(time.Duration(i)*time.Second), reads(v, 0))
		}
		cu.halve()
		cu.halve()
		var got []float64
		for _, v := range heater(cu.points(), "nozzle0").ActualC {
			got = append(got, float64(v)/10)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestEveryHeaterHasItsLine(t *testing.T) {
	snap := &printer.Snapshot{Bed: &printer.Heater{ActualC: 60}, Chamber: &printer.Heater{ActualC: 35.04, TargetC: 40}}
	for tool := range 20 { // more than can be
		snap.Nozzles = append(snap.Nozzles, printer.Heater{ActualC: float64(100 + tool), TargetC: 200})
	}
	snap.Nozzles[3].ActualC = math.NaN()
	c := newCurve(time.Now())
	c.add(time.Now(), readingOf(snap))
	got := c.points()
	if len(got.Heaters) != 17 {
		t.Fatalf("got %d heaters, want 15 nozzles, bed and chamber", len(got.Heaters))
	}
	if h := heater(got, "nozzle15"); h == nil || h.ActualC[0] != 1150 {
		t.Errorf("nozzle15: got %+v, want 115 °C", h)
	}
	if heater(got, "nozzle3") != nil {
		t.Error("a nozzle that is not a number has a line")
	}
	if h := heater(got, "chamber"); h.ActualC[0] != 350 || h.TargetC[0] != 400 {
		t.Errorf("chamber: got %+v, want 35 of 40 °C", h)
	}
}

func BenchmarkSince(b *testing.B) {
	var g ring
	for i := range ringLen {
		g.add(int64(i)*1000, reads(200, 200))
	}
	b.ReportAllocs()
	for b.Loop() {
		g.since(0, int64(ringLen)*1000)
	}
}

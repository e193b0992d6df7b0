package printer

import (
	"fmt"
	"layerd/printer/printertest"
	"math"
	"strings"
	"testing"
	"time"
)

// fourTowers are printed by layer, or one after the other; each line has another length than its neighbours'.
func fourTowers(sequential bool) string {
	var b strings.Builder
	b.WriteString("M140 S40\nM109 S200\nG28\nM83\nG92 E0\nG1 X2 Y2 Z0.2 F3000\n")
	layer := func(n int) {
		fmt.Fprintf(&b, ";LAYER_CHANGE\n;Z:%.1f\nG1 Z%.1f F600\n", 0.2*float64(n+1), 0.2*float64(n+1))
	}
	one := func(i, n int) {
		x, size := float64(20+50*i), 16+4*float64(i)+3*math.Sin(float64(n)/7)
		fmt.Fprintf(&b, "EXCLUDE_OBJECT_START NAME=T%d\nG1 E-1 F2400\nG0 X%.3f Y20 F9000\nG1 E1 F2400\nG1 F1500\n", i, x)
		for j := range 12 {
			fmt.Fprintf(&b, "G1 X%.3f Y%d E%.3f\n", x+size*float64(j%2), 20+2*j, size*0.03)
		}
		fmt.Fprintf(&b, "EXCLUDE_OBJECT_END NAME=T%d\n", i)
	}
	if sequential {
		for i := range 4 {
			for n := range 25 {
				layer(n)
				one(i, n)
			}
		}
	} else {
		for n := range 40 {
			layer(n)
			for i := range 4 {
				one(i, n)
			}
		}
	}
	b.WriteString("M104 S0\nM140 S0\n")
	return b.String()
}

// What is skipped is not waited for: from the tap on, the time that is left has nothing of it, and is right soon.
func TestTimeLeftIsWithoutWhatIsSkipped(t *testing.T) {
	for _, c := range []struct {
		sequential bool
		skip       []int
		at, factor float64 // percent
	}{{false, []int{1}, 30, 100}, {false, []int{0, 2, 3}, 40, 100}, {true, []int{2}, 10, 100}, {true, []int{1, 3}, 15, 100}, {false, []int{3, 1}, 25, 70}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			var before, after *JobStatus
			var asked time.Time
			shown, endS := watchSpire(t, fourTowers(c.sequential), printertest.Config{}, []string{fmt.Sprintf("M220 S%g", c.factor)}, func(r *rig) {
				await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Percent >= c.at })
				asked, before = time.Now(), r.now().Job
				for _, i := range c.skip {
					r.must(r.p.SkipObject(r.Context(), "j1", i, true))
				}
				after = r.now().Job
			})
			if asked.IsZero() || !(after.LeftS < 0.9*before.LeftS) || !(after.SlicerLeftS < 0) || after.Percent < before.Percent {
				t.Fatalf("%.0f s were left at %.1f %%, and %.0f s at %.1f %% at the tap", before.LeftS, before.Percent, after.LeftS, after.Percent)
			}
			last, worst, n := 0.0, 0.0, 0
			for _, s := range shown {
				if s.percent < last {
					t.Fatalf("it went back from %.1f to %.1f %%", last, s.percent)
				}
				if last = s.percent; s.percent <= after.Percent+1 {
					continue
				}
				n++
				worst = max(worst, math.Abs(s.atS+s.leftS-endS)/endS)
			}
			if n < 60 || worst > 0.04 {
				t.Errorf("it ended after %.0f s; of %d forecasts behind the tap the worst was wrong by %.1f %%", endS, n, 100*worst)
			}
		})
	}
}

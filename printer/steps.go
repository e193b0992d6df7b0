package printer

import (
	"layerd/gcode"
	"math"
	"time"
)

// What was lost, in the words of who knows motors. How far a full step moves an axis nobody tells: firmware counts in microsteps (M92), and into how many of them its
// drivers divide a step it says nowhere. So steps are counted only where one answer is by far the likeliest:
//
//	steps per mm    80              100             160, 200                  another
//	                1.8°, 20 teeth  1.8°, 16 teeth  0.9° in 16 microsteps,    a screw, or
//	                in 16           in 16           or 1.8° in 32             other teeth
//	full step, mm   0.2             0.16            nobody knows              nobody knows
//	belt's tooth    2 mm            2 mm            2 mm                      nobody knows
//
// On CoreXY a motor moves both axes, so what one axis is off by is nobody's steps.
type drive struct {
	stepMM, toothMM float64 // 0 = nobody knows
}

// likeMM is how near what was measured must be to a multiple of something to be one.
const likeMM = 0.15

func driveOf(stepsPerMM float64, kinematics string) drive {
	like := func(v float64) bool { return math.Abs(stepsPerMM-v) <= 0.02*v } // people calibrate them
	switch {
	case kinematics == "corexy":
		return drive{}
	case like(80):
		return drive{0.2, 2}
	case like(100):
		return drive{0.16, 2}
	case like(160), like(200):
		return drive{0, 2}
	}
	return drive{}
}

// finding is what it means that an axis is off by so much. Motors lose steps by four (switches.go).
func (d drive) finding(offMM float64) AxisFinding {
	f := AxisFinding{Checked: true, OffMM: math.Round(offMM*100) / 100}
	times := func(mm float64) int {
		if n := math.Round(offMM / mm); mm > 0 && math.Abs(offMM-n*mm) <= likeMM {
			return int(n)
		}
		return 0
	}
	f.Steps, f.Teeth = 4*times(4*d.stepMM), times(d.toothMM)
	return f
}

// askSteps are the stages that ask how many steps there are to a mm. Alone, M92 answers in Marlin 2 only.
func (b *prober) askSteps() []stage {
	return []stage{func(time.Time) []scriptLine {
		if b.over() {
			return nil
		}
		b.s.hark = &hark{}
		return lines("M503")
	}, func(time.Time) []scriptLine {
		if h := b.s.hark; h != nil {
			b.steps = h.stepsPerMM()
		}
		b.s.hark = nil
		return nil
	}}
}

// stepsPerMM are those of X and Y that M503 tells; 0 it does not, or says one thing and then another.
func (h *hark) stepsPerMM() (steps [2]float64) {
	told := false
	for _, line := range gcode.ParseSettings(h.lines) {
		c := gcode.ParseCommand([]byte(line.Text))
		if !c.Is('M', 92) {
			continue
		}
		var now [2]float64
		for axis := range now {
			if v, ok := c.Float("XY"[axis]); ok && v > 0 && v < 1e6 {
				now[axis] = v
			}
		}
		if told && now != steps {
			return [2]float64{}
		}
		steps, told = now, true
	}
	return steps
}

package printertest

import (
	"errors"
	"fmt"
	"math"
	"strconv"
)

// What an axis loses, it loses without the firmware's knowledge: the true place moves, and what is believed stays. A rotor that cannot follow
// falls back by a whole period of its windings, which is four full steps.

const (
	microsteps = 16
	period     = 4 // full steps
	toothMM    = 2 // of a GT2 belt
)

// fullStep is how far a full step of its motor moves an axis, mm: 0.2 in X and Y.
func fullStep(axis int) float64 { return microsteps / stepsPerMM[axis] }

// losses is what the axes' motors have lost since they were homed, and what they go on losing.
type losses struct {
	coreXY bool
	lost   [3]float64 // mm of belt
	creep  [3]float64 // mm per layer
}

// displace moves the body by what a motor lost. On CoreXY each of both motors moves both axes, by half of that.
func (m *motion) displace(motor int, mm float64) {
	m.lost[motor] += mm
	switch {
	case !m.coreXY || motor == axisZ:
		m.reach(motor, m.real[motor]+mm)
	case motor == axisX:
		m.reach(axisX, m.real[axisX]+mm/2)
		m.reach(axisY, m.real[axisY]+mm/2)
	default:
		m.reach(axisX, m.real[axisX]+mm/2)
		m.reach(axisY, m.real[axisY]-mm/2)
	}
}

// lose makes a loss happen.
func (m *motion) lose(t Trigger) {
	i := axisOf(t.Axis)
	if i < 0 {
		return
	}
	switch t.Kind {
	case Shift:
		m.reach(i, m.real[i]+t.MM)
	case Lose:
		m.displace(i, float64(t.N)*fullStep(i))
	case Tooth:
		m.displace(i, float64(t.N)*toothMM)
	case Creep:
		m.creep[i] = t.MM
	case Revert:
		m.creep[i] = 0
		m.displace(i, -m.lost[i])
	}
}

// creeps is what a slipping pulley does at each layer.
func (m *motion) creeps() {
	for i, mm := range m.creep {
		if mm != 0 {
			m.displace(i, mm)
		}
	}
}

// forget is homing: what was lost before does not count any more.
func (m *motion) forget(axis int) {
	m.lost[axis] = 0
	if m.coreXY && axis != axisZ {
		m.lost[axisX], m.lost[axisY] = 0, 0
	}
}

// reach puts the body of an axis at a place, or as far as the frame lets it.
func (m *motion) reach(axis int, v float64) {
	m.real[axis] = m.push(axis, v)
	m.stops[axis].moved(m.inFrame(axis, m.real[axis]))
}

// slide is reach on the way of homing, which may go through what was printed.
func (m *motion) slide(axis int, v float64) {
	from := m.place()
	m.reach(axis, v)
	m.relief.pass(from, m.place())
}

// inFrame clips a true place to where the frame lets the carriage go.
func (m *motion) inFrame(axis int, v float64) float64 {
	return max(m.frame[axis][0], min(m.frame[axis][1], v))
}

// push is where a motor is that was to bring its carriage to v. At the frame it leans on it by up to two full steps, and comes back from that
// with nothing lost; behind that it falls back by a period. Z, which is slow and strong, just stops.
func (m *motion) push(axis int, v float64) float64 {
	low, high := m.frame[axis][0], m.frame[axis][1]
	if v >= low && v <= high {
		return v
	}
	if axis == axisZ {
		return m.inFrame(axis, v)
	}
	whole := period * fullStep(axis)
	low, high = low-whole/2, high+whole/2
	if v < low {
		v += whole * math.Ceil((low-v)/whole)
	} else if v > high {
		v -= whole * math.Ceil((v-high)/whole)
	}
	return v
}

// place is where the carriage truly is.
func (m *motion) place() [3]float64 {
	return [3]float64{m.inFrame(0, m.real[0]), m.inFrame(1, m.real[1]), m.inFrame(2, m.real[2])}
}

// parseLoss reads what stands behind the @ of a loss up to the line, and returns the rest.
func (t *Trigger) parseLoss(parts []string) (rest []string, err error) {
	want := map[Kind]string{Shift: "shift@AXIS:MM:LINE", Lose: "lose@AXIS:FULLSTEPS:LINE", Tooth: "tooth@AXIS:TEETH:LINE", Creep: "creep@AXIS:MM:LINE", Revert: "revert@AXIS:LINE"}[t.Kind]
	n := 3
	if t.Kind == Revert {
		n = 2
	}
	if len(parts) != n || len(parts[0]) != 1 || axisOf(parts[0][0]) < 0 {
		return nil, errors.New("want " + want + " with AXIS x, y or z")
	}
	t.Axis = parts[0][0]
	switch t.Kind {
	case Shift, Creep:
		if t.MM, err = strconv.ParseFloat(parts[1], 64); err != nil || math.IsNaN(t.MM) || math.Abs(t.MM) > 1e4 {
			return nil, fmt.Errorf("%q is no distance in mm", parts[1])
		}
	case Lose, Tooth:
		if t.N, err = strconv.Atoi(parts[1]); err != nil || t.N < -10000 || t.N > 10000 {
			return nil, fmt.Errorf("%q is no number from -10000 to 10000", parts[1])
		}
	}
	return parts[n-1:], nil
}

package printertest

// softEndstops is M211. Marlin 2.1 only answers when it is asked, on two lines; those before always do, on one (M211.cpp). The limits are told
// as G92 and M206 shift them.
func softEndstops(f *firmware) bool {
	v, set := f.cur.params.float('S')
	if set {
		f.softLimits = v != 0
	}
	var low, high [3]float64
	for i := range low {
		low[i], high[i] = zeroed(f.soft[i][0]+f.offset[i]), zeroed(f.soft[i][1]+f.offset[i])
	}
	switch {
	case f.LimitsForm == limitsMarlin1:
		word := "Off"
		if f.softLimits {
			word = "On "
		}
		f.sayf("echo:Soft endstops: %s  Min: X%.2f Y%.2f Z%.2f  Max: X%.2f Y%.2f Z%.2f", word, low[0], low[1], low[2], high[0], high[1], high[2])
	case !set:
		on, word := 0, "OFF"
		if f.softLimits {
			on, word = 1, "ON"
		}
		f.sayf("  M211 S%d ; %s", on, word)
		f.sayf("  Min:  X%.2f Y%.2f Z%.2f   Max:  X%.2f Y%.2f Z%.2f", low[0], low[1], low[2], high[0], high[1], high[2])
	}
	return true
}

type limitsForm uint8

const (
	limitsMarlin2 limitsForm = iota
	limitsMarlin1
)

// softLimit is how far the firmware lets an axis go: from where it believes the switch to be to the other end of the bed.
func (f *firmware) softLimit(axis int) [2]float64 {
	s := &f.stops[axis]
	if s.Max {
		return [2]float64{0, s.AtMM}
	}
	return [2]float64{s.AtMM, f.size[axis]}
}

// clip keeps a destination within the soft endstops. An axis that was never homed has none (motion.cpp, apply_motion_limits).
func (f *firmware) clip(to position) position {
	if f.softLimits {
		for i := range f.size {
			if f.homed[i] {
				to[i] = max(f.soft[i][0], min(f.soft[i][1], to[i]))
			}
		}
	}
	return to
}

// homeOffsets is M206: what the position is to be called when an axis is at home (M206_M428.cpp).
func homeOffsets(f *firmware) bool {
	if !f.HomeReports {
		return true
	}
	p := &f.cur.params
	if p.seen == 0 && f.LimitsForm == limitsMarlin2 {
		f.sayf("  M206 X%.2f Y%.2f Z%.2f", f.homeOffset[0], f.homeOffset[1], f.homeOffset[2])
		return true
	}
	for i, letter := range [3]byte{'X', 'Y', 'Z'} {
		if v, ok := p.float(letter); ok {
			f.offset[i] += v - f.homeOffset[i]
			f.homeOffset[i] = v
		}
	}
	f.sayPosition()
	return true
}

package gcode

import (
	"bufio"
	"bytes"
	"io"
	"math"
	"strings"
)

// Limits are what a firmware's planner keeps to, by axis X Y Z E. E is the filament.
type Limits struct {
	By          string     `json:"by"`            // where they come from: LimitsFile and so on
	SpeedMMS    [4]float64 `json:"speed_mm_s"`    // M203
	AccelMMS2   [4]float64 `json:"accel_mm_s2"`   // M201
	PrintMMS2   float64    `json:"print_mm_s2"`   // M204 P
	RetractMMS2 float64    `json:"retract_mm_s2"` // M204 R
	TravelMMS2  float64    `json:"travel_mm_s2"`  // M204 T
	JerkMMS     [4]float64 `json:"jerk_mm_s"`     // M205 X Y Z E
	VectorJerk  bool       `json:"vector_jerk"`   // the jerk of X is that of X and Y together, as in Marlin 1.0, and half of it is what one starts with
	DeviationMM float64    `json:"deviation_mm"`  // M205 J; 0 where jerk counts
	Queue       int        `json:"queue"`         // moves that the planner looks ahead

	cornerMMS float64 // Klipper's square_corner_velocity, of which DeviationMM comes; 0 it was not said
	minutes   bool    // M203 counts in mm/min, as RepRapFirmware does
}

// Where limits come from, the most trustworthy first.
const (
	LimitsPrinter = "printer" // the printer's own settings
	LimitsFile    = "file"    // M201 to M205 of the file
	LimitsConfig  = "config"  // "; machine_max_…", the slicer's settings in the file's comments
	LimitsMachine = "machine" // what the slicer has for the machine that it names
	LimitsOurs    = "ours"    // a usual bed-slinger
)

// OurLimits are those of a usual machine with a moving bed, for files that say nothing.
func OurLimits() Limits {
	return Limits{By: LimitsOurs, SpeedMMS: [4]float64{500, 500, 12, 80}, AccelMMS2: [4]float64{1000, 1000, 200, 5000},
		PrintMMS2: 1000, RetractMMS2: 1000, TravelMMS2: 1000, JerkMMS: [4]float64{8, 8, 0.4, 5}, Queue: maxDepth}
}

// curaLimits are what CuraEngine reckons with (timeEstimate.cpp), by Cura's definition of the machine that the text names, if it is a known one.
func curaLimits(text string) (l Limits, known bool) {
	l = Limits{By: LimitsMachine, AccelMMS2: [4]float64{9000, 9000, 100, 10000}, SpeedMMS: [4]float64{500, 500, 500, 500},
		PrintMMS2: 4000, RetractMMS2: 4000, TravelMMS2: 4000, JerkMMS: [4]float64{20, 20, 0.4, 5}, VectorJerk: true, Queue: maxDepth}
	text = strings.ToLower(text)
	for _, name := range [...]string{"ender", "creality", "cr-10", "cr10"} { // creality_base.def.json
		if strings.Contains(text, name) {
			l.SpeedMMS, l.AccelMMS2 = [4]float64{500, 500, 10, 50}, [4]float64{500, 500, 100, 5000}
			l.PrintMMS2, l.RetractMMS2, l.TravelMMS2, l.JerkMMS = 500, 500, 500, [4]float64{10, 10, 0.4, 5}
			return l, true
		}
	}
	return l, false
}

// What a limit may be: less is a mistake in the file, and more makes no difference.
const (
	leastLimit = 0.01
	mostLimit  = 1e6
)

func (l *Limits) put(to *float64, v float64) bool {
	if !(v >= leastLimit && v <= mostLimit) {
		return false
	}
	*to = v
	return true
}

// command takes M201, M203, M204, M205 and RepRapFirmware's M566, and reports whether it sets what one print keeps for long: M204 does not,
// for slicers change it from one line to the next.
func (l *Limits) command(number int, w *words) (lasting bool) {
	each := func(to *[4]float64, scale float64) {
		for i, letter := range [4]byte{'X', 'Y', 'Z', 'E'} {
			if v, ok := w.get(letter); ok && l.put(&to[i], v*scale) {
				lasting = true
			}
		}
	}
	take := func(to *float64, letter byte) {
		if v, ok := w.get(letter); ok {
			l.put(to, v)
		}
	}
	switch number {
	case 201:
		each(&l.AccelMMS2, 1)
	case 203:
		x, _ := w.get('X')
		y, _ := w.get('Y')
		if l.minutes = l.minutes || max(x, y) > noSpeedMMS; l.minutes {
			each(&l.SpeedMMS, 1.0/60)
		} else {
			each(&l.SpeedMMS, 1)
		}
	case 566:
		l.minutes = true // nobody else has it
		each(&l.JerkMMS, 1.0/60)
	case 205:
		each(&l.JerkMMS, 1)
		if v, ok := w.get('J'); ok {
			l.DeviationMM, l.cornerMMS = min(max(v, 0), 1), 0
			lasting = true
		}
	case 204:
		if w.has('S') { // one for all moves; with it T is the filament's, as slicers write it for old firmware
			take(&l.PrintMMS2, 'S')
			take(&l.TravelMMS2, 'S')
			take(&l.RetractMMS2, 'T')
		} else {
			take(&l.PrintMMS2, 'P')
			take(&l.RetractMMS2, 'R')
			take(&l.TravelMMS2, 'T')
		}
		l.corner()
	}
	return lasting
}

// noSpeedMMS is faster than X and Y of any machine: an M203 that says more counts in mm/min.
const noSpeedMMS = 2000

// under returns l with what is set in own instead.
func (l Limits) under(own *Limits) Limits {
	put := func(to *float64, v float64) {
		if v != 0 {
			*to = v
		}
	}
	for i := range l.SpeedMMS {
		put(&l.SpeedMMS[i], own.SpeedMMS[i])
		put(&l.AccelMMS2[i], own.AccelMMS2[i])
		put(&l.JerkMMS[i], own.JerkMMS[i])
	}
	put(&l.PrintMMS2, own.PrintMMS2)
	put(&l.RetractMMS2, own.RetractMMS2)
	put(&l.TravelMMS2, own.TravelMMS2)
	put(&l.DeviationMM, own.DeviationMM)
	if own.By != "" {
		l.By = own.By
	}
	return l
}

// whole reports whether nothing is left to be said.
func (l *Limits) whole() bool {
	none := *l
	if none.DeviationMM > 0 {
		none.JerkMMS = [4]float64{1, 1, 1, 1} // which does not count
	}
	for i := range none.SpeedMMS {
		if none.SpeedMMS[i] == 0 || none.AccelMMS2[i] == 0 || none.JerkMMS[i] == 0 {
			return false
		}
	}
	return none.PrintMMS2 > 0 && none.RetractMMS2 > 0 && none.TravelMMS2 > 0
}

// comment takes "machine_max_acceleration_x = 500,500" of PrusaSlicer and its kin (the first of several values is that of the normal mode), and
// reports whether it was one. c is trimmed.
func (l *Limits) comment(c []byte) bool {
	rest, ok := cutFold(c, "machine_max_")
	if !ok {
		return false
	}
	name, value, _ := strings.Cut(string(rest[:min(len(rest), 80)]), "=")
	v, _, ok := parseNumber(strings.TrimLeft(value, " "))
	if !ok {
		return false
	}
	name = strings.TrimRight(name, " ")
	if name == "junction_deviation" {
		l.DeviationMM = min(max(v, 0), 1)
		return v > 0
	}
	for _, group := range [...]struct {
		prefix string
		axes   *[4]float64
	}{{"acceleration_", &l.AccelMMS2}, {"feedrate_", &l.SpeedMMS}, {"speed_", &l.SpeedMMS}, {"jerk_", &l.JerkMMS}} {
		axis, ok := strings.CutPrefix(name, group.prefix)
		if !ok {
			continue
		}
		if i := strings.Index("xyze", axis); i >= 0 && len(axis) == 1 {
			return l.put(&group.axes[i], v)
		}
		switch axis {
		case "extruding":
			return l.put(&l.PrintMMS2, v)
		case "retracting":
			return l.put(&l.RetractMMS2, v)
		case "travel":
			return l.put(&l.TravelMMS2, v)
		}
	}
	return false
}

// velocity takes Klipper's "SET_VELOCITY_LIMIT ACCEL=5000 SQUARE_CORNER_VELOCITY=5". Its corners are those of a junction deviation
// (klippy/toolhead.py, _calc_junction_deviation).
func (l *Limits) velocity(text string) {
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		v, _, ok := parseNumber(value)
		switch {
		case !ok:
		case strings.EqualFold(key, "ACCEL"):
			if l.put(&l.PrintMMS2, v) {
				l.TravelMMS2 = l.PrintMMS2
			}
		case strings.EqualFold(key, "VELOCITY"):
			if l.put(&l.SpeedMMS[0], v) {
				l.SpeedMMS[1] = l.SpeedMMS[0]
			}
		case strings.EqualFold(key, "SQUARE_CORNER_VELOCITY"):
			l.cornerMMS = min(max(v, 0), 100)
		}
	}
	l.corner()
}

// corner keeps the speed round a square corner when the acceleration changes.
func (l *Limits) corner() {
	if l.cornerMMS > 0 {
		l.DeviationMM = l.cornerMMS * l.cornerMMS * (math.Sqrt2 - 1) / l.PrintMMS2
	}
}

// tailSize is where the settings are looked for that slicers write to the end of a file.
const tailSize = 128 << 10

// limitsAtEnd looks for them when r can be read from there, and goes back to where r was; otherwise where there are none.
func limitsAtEnd(r io.Reader, otherwise Limits) (Limits, error) {
	file, ok := r.(io.ReadSeeker)
	if !ok {
		return otherwise, nil
	}
	at, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return otherwise, nil // a pipe
	}
	end, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return otherwise, nil
	}
	if _, err = file.Seek(max(at, end-tailSize), io.SeekStart); err != nil {
		return otherwise, err
	}
	limits := OurLimits()
	scan := bufio.NewScanner(io.LimitReader(file, tailSize))
	scan.Buffer(make([]byte, 0, 4<<10), tailSize)
	for scan.Scan() {
		if c, ok := bytes.CutPrefix(scan.Bytes(), []byte{';'}); ok && limits.comment(trimSpaces(c)) {
			limits.By = LimitsConfig
		}
	}
	if err := scan.Err(); err != nil && err != bufio.ErrTooLong {
		return otherwise, err
	}
	if limits.By == LimitsOurs {
		limits = otherwise
	}
	_, err = file.Seek(at, io.SeekStart)
	return limits, err
}

// Late returns the limits that the file's comments tell, when they came too late to be reckoned with: SurveyWith takes them.
func (s *Survey) Late() (limits Limits, late bool) { return s.late, s.LimitsLate }

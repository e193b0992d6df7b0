package thermo

import (
	"strconv"

	"layerd/internal/store"
	"layerd/printer"
)

// Each heater has its place, so that samples need no list of their own: the nozzles by tool number, then bed and chamber.
const (
	nozzles = 16 // as many as printer knows
	bed     = nozzles
	chamber = nozzles + 1
	places  = nozzles + 2
)

func placeName(place int) string {
	switch place {
	case bed:
		return "bed"
	case chamber:
		return "chamber"
	}
	return "nozzle" + strconv.Itoa(place)
}

// reading is one report of all heaters.
type reading [places]heat

type heat struct{ actual, target store.DeciC }

var none = heat{store.UnknownC, store.UnknownC}

func readingOf(s *printer.Snapshot) (r reading) {
	for i := range r {
		r[i] = none
	}
	for tool, h := range s.Nozzles[:min(len(s.Nozzles), nozzles)] {
		r[tool] = heatOf(&h)
	}
	r[bed], r[chamber] = heatOf(s.Bed), heatOf(s.Chamber)
	return r
}

func heatOf(h *printer.Heater) heat {
	if h == nil {
		return none
	}
	return heat{store.DeciOf(h.ActualC), store.DeciOf(h.TargetC)}
}

// lines turns points into a Curve with those heaters that were ever read. point gives the i-th point's time after fromMS and its reading.
func lines(n int, fromMS, gapMS int64, point func(i int) (afterMS int64, r *reading)) store.Curve {
	c := store.Curve{FromMS: fromMS, GapMS: gapMS, AfterMS: make([]int64, n), Heaters: []store.HeaterCurve{}}
	var there [places]bool
	for i := range n {
		after, r := point(i)
		c.AfterMS[i] = after
		for place, h := range r {
			there[place] = there[place] || h.actual != store.UnknownC
		}
	}
	for place := range there {
		if !there[place] {
			continue
		}
		line := store.HeaterCurve{Name: placeName(place), ActualC: make([]store.DeciC, n), TargetC: make([]store.DeciC, n)}
		for i := range n {
			_, r := point(i)
			line.ActualC[i], line.TargetC[i] = r[place].actual, r[place].target
		}
		c.Heaters = append(c.Heaters, line)
	}
	return c
}

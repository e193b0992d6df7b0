package thermo

import (
	"time"

	"layerd/internal/store"
)

// maxBins bounds a curve. A bin gives one or two points: the lowest and the highest reading, in their order, so that a spike of one report
// is still there after a day.
const maxBins = 1000

// curve is the temperatures of a print in bins of equal length. When the bins are full their length doubles. Times are counted by the monotonic
// clock: setting the wall clock in mid-print bends nothing.
type curve struct {
	began time.Time
	every time.Duration
	bins  []bin // the i-th begins at began + i·every
}

// bin is what was read in one stretch of time.
type bin struct {
	read    bool // at least one report
	heaters [places]stretch
}

// stretch is one heater in one bin.
type stretch struct {
	low, high store.DeciC // UnknownC both, or neither
	target    store.DeciC // the last one
	highFirst bool        // the highest reading came before the lowest
}

func newCurve(now time.Time) curve { return curve{began: now, every: time.Second} }

// add takes a report.
func (c *curve) add(now time.Time, r reading) {
	i := c.place(now)
	for ; i >= maxBins; i = c.place(now) {
		c.halve()
	}
	for len(c.bins) <= i {
		c.bins = append(c.bins, bin{})
	}
	one := bin{read: true}
	for place, h := range r {
		one.heaters[place] = stretch{low: h.actual, high: h.actual, target: h.target}
	}
	c.bins[i] = c.bins[i].with(one)
}

func (c *curve) place(now time.Time) int { return int(max(now.Sub(c.began), 0) / c.every) }

// halve makes one bin of two.
func (c *curve) halve() {
	c.every *= 2
	n := (len(c.bins) + 1) / 2
	for i := range n {
		both := c.bins[2*i]
		if 2*i+1 < len(c.bins) {
			both = both.with(c.bins[2*i+1])
		}
		c.bins[i] = both
	}
	c.bins = c.bins[:n]
}

// with is b and then a later one.
func (b bin) with(later bin) bin {
	switch {
	case !later.read:
		return b
	case !b.read:
		return later
	}
	for place := range b.heaters {
		b.heaters[place] = b.heaters[place].with(later.heaters[place])
	}
	return b
}

func (s stretch) with(later stretch) stretch {
	switch {
	case later.low == store.UnknownC:
		return s
	case s.low == store.UnknownC:
		return later
	}
	both := stretch{low: min(s.low, later.low), high: max(s.high, later.high), target: later.target}
	lowIsEarly, highIsEarly := s.low <= later.low, s.high >= later.high
	switch {
	case lowIsEarly && highIsEarly:
		both.highFirst = s.highFirst
	case !lowIsEarly && !highIsEarly:
		both.highFirst = later.highFirst
	default:
		both.highFirst = highIsEarly
	}
	return both
}

// points are the curve as it is kept: at most 2·maxBins.
func (c *curve) points() store.Curve {
	type point struct {
		afterMS int64
		reading
	}
	all := make([]point, 0, 2*len(c.bins))
	for i := range c.bins {
		b := &c.bins[i]
		if !b.read {
			continue
		}
		first, second, differ := b.ends()
		at := (time.Duration(i) * c.every).Milliseconds()
		all = append(all, point{at, first})
		if differ {
			all = append(all, point{at + c.every.Milliseconds()/2, second})
		}
	}
	gap := max(gapAfter, 3*c.every)
	return lines(len(all), c.began.UnixMilli(), gap.Milliseconds(), func(i int) (int64, *reading) { return all[i].afterMS, &all[i].reading })
}

// ends are the bin's two extremes of each heater in the order in which they came; differ reports whether there are two.
func (b *bin) ends() (first, second reading, differ bool) {
	for place, s := range b.heaters {
		early, late := s.low, s.high
		if s.highFirst {
			early, late = late, early
		}
		first[place], second[place] = heat{early, s.target}, heat{late, s.target}
		differ = differ || s.low != s.high
	}
	return first, second, differ
}

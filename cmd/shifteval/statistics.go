package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// share is how many of how many.
type share struct{ of, all int }

func (s *share) add(yes bool) {
	s.all++
	if yes {
		s.of++
	}
}

func (s share) plus(o share) share { return share{s.of + o.of, s.all + o.all} }

// bounds are Clopper's and Pearson's for 95 %.
func (s share) bounds() (low, high float64) {
	low, high = 0, 1
	if s.of > 0 {
		low = bisect(0, 1, func(p float64) bool { return atLeast(s.of, s.all, p) < 0.025 })
	}
	if s.of < s.all {
		high = bisect(0, 1, func(p float64) bool { return 1-atLeast(s.of+1, s.all, p) > 0.025 })
	}
	return low, high
}

func (s share) String() string {
	if s.all == 0 {
		return "–"
	}
	low, high := s.bounds()
	return fmt.Sprintf("%s (%d of %d; %.1f–%.1f)", percent(float64(s.of)/float64(s.all)), s.of, s.all, 100*low, 100*high)
}

// percent rounds down, so that only all of them are 100 %.
func percent(v float64) string { return fmt.Sprintf("%.1f %%", math.Floor(v*1000)/10) }

// bisect is where below turns false.
func bisect(low, high float64, below func(v float64) bool) float64 {
	for range 60 {
		if mid := (low + high) / 2; below(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return (low + high) / 2
}

// atLeast is how likely k or more of n are, when each is with probability p.
func atLeast(k, n int, p float64) float64 {
	sum := 0.0
	for i := k; i <= n; i++ {
		a, _ := math.Lgamma(float64(n + 1))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(n - i + 1))
		sum += math.Exp(a - b - c + float64(i)*math.Log(max(p, 1e-300)) + float64(n-i)*math.Log(max(1-p, 1e-300)))
	}
	return sum
}

// rate is events in so many hours.
type rate struct {
	events int
	hours  float64
}

// upper is the most per 100 hours that would have shown so few events with 5 % or more: of none, three by the hours.
func (r rate) upper() float64 {
	most := bisect(0, 10*float64(r.events+3), func(mean float64) bool {
		sum, term := 0.0, math.Exp(-mean)
		for i := range r.events + 1 {
			sum += term
			term *= mean / float64(i+1)
		}
		return sum > 0.05
	})
	return 100 * most / r.hours
}

func (r rate) String() string {
	if r.hours == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f (%d in %.1f h; < %.2f)", 100*float64(r.events)/r.hours, r.events, r.hours, r.upper())
}

// clustered are the bounds of 95 % of a share whose parts come by scenes: pictures of one scene are alike, so whole scenes are drawn again, 2,000 times.
func clustered(scenes []share) (low, high float64) {
	var got []float64
	dice := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		sum := share{}
		for range scenes {
			sum = sum.plus(scenes[dice.IntN(len(scenes))])
		}
		if sum.all > 0 {
			got = append(got, float64(sum.of)/float64(sum.all))
		}
	}
	if len(got) == 0 {
		return 0, 1
	}
	slices.Sort(got)
	return got[len(got)/40], got[len(got)-1-len(got)/40]
}

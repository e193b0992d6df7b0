package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"testing"
	"time"
)

// What flows here: mechanisms, prints and losses ─▶ tables.

// mechanical is all that came of the endstops.
type mechanical struct {
	nulls  []nulled
	losses []stolen
	took   time.Duration
}

const hoursAPrint = 3

// endstops prints so many hours with nothing lost, and so many losses, shared out between the mechanisms.
func endstops(ctx context.Context, t *testing.T, hours float64, losses, atOnce int, say io.Writer) (*mechanical, error) {
	out, begun := &mechanical{}, time.Now()
	all := theMechanisms()
	good := slices.DeleteFunc(slices.Clone(all), func(m mechanism) bool { return m.refused })
	layers := theLayerings()
	prints := int(math.Ceil(hours / hoursAPrint))
	type job func() error
	var jobs []job
	var mu sync.Mutex
	try := func(m mechanism, seed int) job {
		return func() error {
			return inFakeTime(t, fmt.Sprintf("%s, print %d", m.name, seed), func(ctx context.Context) error {
				n, err := m.null(ctx, uint64(seed), hoursAPrint, layers[seed/len(good)%len(layers)])
				mu.Lock()
				defer mu.Unlock()
				out.nulls = append(out.nulls, n)
				return err
			})
		}
	}
	for i, m := range all {
		if m.refused {
			for k := range 3 {
				jobs = append(jobs, try(m, 9000+100*i+k))
			}
		}
	}
	for i := range prints {
		jobs = append(jobs, try(good[i%len(good)], i))
	}
	for i := range losses {
		m := good[i%len(good)]
		jobs = append(jobs, func() error {
			return inFakeTime(t, fmt.Sprintf("%s, loss %d", m.name, i), func(ctx context.Context) error {
				kind := i / len(good) % 6 // two in six are suspected by another witness, the others are shared out between layers of all lengths, most of them short
				s, err := m.steal(ctx, uint64(50000+i), layers[[]int{0, 1, 0, 2, 0, 0}[kind]], kind >= 4)
				mu.Lock()
				defer mu.Unlock()
				if out.losses = append(out.losses, s); !s.found && !s.refused && s.kind != lostBriefly {
					fmt.Fprintf(say, "not found: %s, %s, %s: %s\n", s.mechanism, s.what, s.layering, s.ended)
				}
				if s.found && (counts(s.kind) && !s.suspected && s.after > 8*time.Minute || s.wrongMM > 0.15) {
					fmt.Fprintf(say, "late, or told wrongly: %s, %s, %s: after %v, off by %.2f mm, %s\n", s.mechanism, s.what, s.layering, s.after, s.wrongMM, s.ended)
				}
				return err
			})
		})
	}
	err := both(len(jobs), atOnce, func(i int) error {
		if i%50 == 49 {
			fmt.Fprintf(say, "endstops: %d of %d prints\n", i+1, len(jobs))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return jobs[i]()
	})
	out.took = time.Since(begun)
	return out, err
}

func (m *mechanical) tables() string {
	p := &page{}
	p.say("The pretend printer by the real package `printer`, in time that jumps: a set-up, and then prints of %d hours with nothing lost, or of some 70 minutes in which something is lost at some moment, in layers of 32 s, 5 min or 14 min. The head is a box of 40 × 40 mm from 5 mm above the nozzle's tip.\n", hoursAPrint)
	p.head("Losses", "found", "goal", "", "until a check began: half of them", "95 %", "the longest", "that check, measuring, took: half", "the longest", "told within 0.15 mm")
	due := func(l *stolen) bool { return counts(l.kind) && !l.suspected }
	m.row(p, "**of 0.8 mm and more, by checks that are due**", due, true)
	for _, kind := range []string{lostSteps, lostTooth, lostMotor} {
		m.row(p, kind, func(l *stolen) bool { return due(l) && l.kind == kind }, true)
	}
	for _, layers := range theLayerings() {
		m.row(p, layers.name, func(l *stolen) bool { return due(l) && l.layering == layers.name }, true)
	}
	m.row(p, "**of 0.8 mm and more, after a suspicion**", func(l *stolen) bool { return l.suspected }, true)
	m.row(p, lostSlowly, func(l *stolen) bool { return l.kind == lostSlowly }, true)
	m.row(p, "apart: "+lostLittle, func(l *stolen) bool { return l.kind == lostLittle }, false)
	m.row(p, "apart: "+lostBriefly, func(l *stolen) bool { return l.kind == lostBriefly }, false)
	var back, missed int
	for _, l := range m.losses {
		if l.kind == lostBriefly && !l.refused && !l.found {
			if back++; l.missed {
				missed++
			}
		}
	}
	p.say("\nOf what comes back nothing can be found once it has: of the %d that were not found %d were back before the next check, and %d were there in a check. The last 5 columns are of those that were found.", back, back-missed, missed)
	p.say("")
	p.head("Switches", "used after the set-up", "prints with nothing lost", "false pauses in 100 h", "checks", "of the print's time", "collisions", "losses found")
	var all rate
	collided, failed := int64(0), []string{}
	for _, mech := range theMechanisms() {
		var used, found share
		var r rate
		var checks, prints int
		var shares float64
		var hits int64
		why := ""
		for _, n := range m.nulls {
			if n.mechanism != mech.name {
				continue
			}
			used.add(n.usable)
			if !n.usable {
				why = n.why
				continue
			}
			prints++
			r.hours, checks, shares, hits = r.hours+n.hours, checks+n.checks, shares+n.share, hits+n.collided
			if n.paused {
				r.events++
			}
			failed = append(failed, n.fails...)
		}
		for _, l := range m.losses {
			if l.mechanism == mech.name && !l.refused && l.kind != lostBriefly && l.kind != lostLittle {
				found.add(l.found)
			}
		}
		all, collided = rate{all.events + r.events, all.hours + r.hours}, collided+hits
		for _, l := range m.losses {
			if l.mechanism == mech.name {
				used.add(!l.refused)
			}
		}
		use := fmt.Sprintf("%d of %d", used.of, used.all)
		if why != "" {
			use += ": " + why
		}
		p.row(mech.name, use, prints, r, checks, percentOf(shares, prints), hits, brief(found))
	}
	p.say("\nFalse pauses in all: %v in 100 h. Goal: fewer than one in 100 h at 95 %%: %s. Collisions with what was printed: %d; prints that ended otherwise: %d.", all, metIf(all.upper() < 1), collided, len(failed))
	p.say("\nSwitches that cannot tell are to be refused, and are when the set-up says so in the second column. A part that has moved on the bed the endstops do not see at all.")
	return p.String()
}

// row says how losses were found.
func (m *mechanical) row(p *page, name string, of func(l *stolen) bool, goal bool) {
	var found, inTime, exact share
	var after, took []float64
	unit, limit := "min", 8.0
	for i := range m.losses {
		l := &m.losses[i]
		if l.refused || !of(l) {
			continue
		}
		v := max(l.after.Minutes(), 0)
		if l.suspected {
			unit, limit, v = "layers", 2, float64(l.layers)
		}
		found.add(l.found)
		inTime.add(l.found && v <= limit)
		if l.found {
			exact.add(l.wrongMM < 0.15)
			after, took = append(after, v), append(took, l.took.Seconds())
		}
	}
	wanted, met := "–", ""
	if goal {
		wanted, met = fmt.Sprintf("≥ 99 %% within %.0f %s", limit, unit), verdict(inTime, 0.99)+" ("+brief(inTime)+")"
	}
	if len(after) == 0 {
		p.row(name, found, wanted, met, "–", "–", "–", "–", "–", "–")
		return
	}
	slices.Sort(after)
	slices.Sort(took)
	at := func(part float64) string { return fmt.Sprintf("%.1f %s", after[int(part*float64(len(after)-1))], unit) }
	p.row(name, found, wanted, met, at(0.5), at(0.95), at(1), fmt.Sprintf("%.0f s", took[len(took)/2]), fmt.Sprintf("%.0f s", took[len(took)-1]), brief(exact))
}

func percentOf(sum float64, n int) string {
	if n == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f %%", 100*sum/float64(n))
}

func metIf(yes bool) string {
	if yes {
		return "met"
	}
	return "**missed**"
}

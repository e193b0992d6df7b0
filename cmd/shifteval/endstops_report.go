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
	prints := int(math.Ceil(hours / hoursAPrint))
	type job func() error
	var jobs []job
	var mu sync.Mutex
	try := func(m mechanism, seed int) job {
		return func() error {
			return inFakeTime(t, fmt.Sprintf("%s, print %d", m.name, seed), func(ctx context.Context) error {
				n, err := m.null(ctx, uint64(seed), hoursAPrint)
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
				s, err := m.steal(ctx, uint64(50000+i), i/len(good)%3 == 2)
				mu.Lock()
				defer mu.Unlock()
				if out.losses = append(out.losses, s); !s.found && !s.refused {
					fmt.Fprintf(say, "not found: %s, %c by %.1f mm: %s\n", s.mechanism, s.axis, s.mm, s.ended)
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
	p.say("The pretend printer by the real package `printer`, in time that jumps: a set-up, and then prints of %d hours with nothing lost, or of one hour in which steps are lost at some moment. The head is a box of 40 × 40 mm from 5 mm above the nozzle's tip.\n", hoursAPrint)
	p.head("Losses of ≥ 0.8 mm", "found", "goal", "", "until a check began: half of them", "95 %", "the longest", "that check, measuring, took: half", "the longest", "told within 0.15 mm")
	for _, suspected := range []bool{false, true} {
		var found, exact share
		var after, took []float64
		for _, l := range m.losses {
			if l.refused || l.suspected != suspected {
				continue
			}
			found.add(l.found)
			if l.found {
				exact.add(math.Abs(l.told-l.mm) < 0.15)
				took = append(took, l.took.Seconds())
				if after = append(after, (l.after - l.took).Minutes()); suspected {
					after[len(after)-1] = float64(l.layers)
				}
			}
		}
		name, unit, limit := "by checks that are due", "min", 8.0
		if suspected {
			name, unit, limit = "after a suspicion", "layers", 2
		}
		if len(after) == 0 {
			p.row(name, found, "≥ 99 %", verdict(found, 0.99), "–", "–", "–", "–", "–", "–")
			continue
		}
		slices.Sort(after)
		slices.Sort(took)
		at := func(part float64) string { return fmt.Sprintf("%.1f %s", after[int(part*float64(len(after)-1))], unit) }
		inTime := share{all: found.all}
		for _, v := range after {
			if v <= limit {
				inTime.of++
			}
		}
		p.row(name, found, fmt.Sprintf("≥ 99 %% within %.0f %s", limit, unit), verdict(inTime, 0.99)+" ("+brief(inTime)+")", at(0.5), at(0.95), at(1), fmt.Sprintf("%.0f s", took[len(took)/2]), fmt.Sprintf("%.0f s", took[len(took)-1]), brief(exact))
	}
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
			if l.mechanism == mech.name && !l.refused {
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
	p.say("\nSwitches that cannot tell are to be refused, and are when the set-up says so in the second column. A loss that comes back before the next check is not seen by the endstops at all, nor is a part that has moved on the bed.")
	return p.String()
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

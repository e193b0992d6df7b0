package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What flows here: rounds of prints, alone and beside clients → for each way its rounds, as far as others left us alone in them → a table with the goals.

// way is one way to print: alone, or beside clients.
type way struct {
	name   string
	beside bool
	apart  time.Duration // between the polls of one client and those of the next
	rounds []round
}

type round struct {
	row
	waits
}

// clients prints with the real daemon: alone, beside clients that poll each at a moment of its own, and beside clients that all poll at the same moment.
func (b *bench) clients(ctx context.Context, name string) error {
	if !b.measures("layerd") {
		return nil
	}
	set := settings{baud: 250000, latency: usb, advanced: true}
	t := task{of: name, settings: set, load: b.dense.take(len(b.dense.commands)/4, linesFor(b.dense, set, b.span, 0)), ours: true}.patient()
	b.ways = []*way{{name: "nothing"}, {name: "clients", beside: true, apart: pollEvery / pollers}, {name: "clients, all at once", beside: true}}
	for range b.rounds {
		for _, w := range b.ways {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			t.streamer.name = "daemon beside " + w.name
			var waited waits
			r := b.measureWith(ctx, t, func(ctx context.Context, r *row, dir string) error {
				return b.printing(ctx, r, t, dir, w.burden(&waited))
			})
			w.rounds = append(w.rounds, round{r, waited})
			b.rows = append(b.rows, r)
		}
	}
	return nil
}

// burden is nil for who prints alone.
func (w *way) burden(waited *waits) burden {
	if !w.beside {
		return nil
	}
	return func(ctx context.Context, d *daemon) (func() (string, error), error) {
		c, err := d.accompany(ctx, w.apart)
		if err != nil {
			return nil, err
		}
		return func() (said string, err error) {
			*waited, err = c.lift()
			return fmt.Sprintf("%d polls and %d pushes", len(waited.kept)+len(waited.fresh), len(waited.late)), err
		}, nil
	}
}

// disturbed is the part of all processors from which on others decide what a round shows.
const disturbed = 0.25

// sum is what counts of a way: of its rounds that went well those that others did not disturb, or the one that they disturbed least.
type sum struct {
	rounds int
	rows   []row
	waits
}

func (w *way) sum() (s sum) {
	well := slices.DeleteFunc(slices.Clone(w.rounds), func(r round) bool { return r.failed != "" })
	slices.SortFunc(well, func(a, b round) int { return int(1e6 * (a.others - b.others)) })
	s.rounds = len(w.rounds)
	for i, r := range well {
		if i == 0 || r.others < disturbed {
			s.rows = append(s.rows, r.row)
			s.waits.add(r.waits)
		}
	}
	return s
}

const (
	waitMost = 20 * time.Millisecond // p99 for an answer, and for a push on its way
	rateKept = 0.99                  // of the lines a second of who prints alone
)

// goals compares with who prints alone.
func (s sum) goals(alone sum) (all []goal) {
	rate, was := s.median(row.linesPerSecond), alone.median(row.linesPerSecond)
	if rate == 0 || was == 0 || len(s.kept) == 0 || len(s.fresh) == 0 || len(s.late) == 0 {
		return []goal{{want: "all of them served", got: "not measured"}}
	}
	all = append(all, atLeast("lines/s of those alone", rate/was, rateKept), none("starvation", int64(s.starved())))
	p99 := func(what string, waited []time.Duration) {
		all = append(all, within("p99 of "+what, quantile(waited, 0.99).Round(10*time.Microsecond), waitMost))
	}
	p99("polls", s.kept)
	p99("polls over new connections", s.fresh)
	p99("pushes", s.late)
	return all
}

// median is that of the rounds, 0 without one.
func (s sum) median(of func(row) float64) float64 {
	var all []float64
	for _, r := range s.rows {
		all = append(all, of(r))
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// starved is how often in all rounds.
func (s sum) starved() (n int) {
	for _, r := range s.rows {
		n += r.starved
	}
	return n
}

// quantile is that of times, 0 of none.
func quantile(times []time.Duration, part float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(times))[min(int(part*float64(len(times))), len(times)-1)]
}

var waysHeading = []string{"beside", "rounds", "others", "lines/s", "longest without a line", "starved", "ok to next line p50", "p99.9", "CPU of layerd", "polls", "p50 / p99 / max, kept connection",
	"new connection", "pushes", "gap p50 / p99 / max", "on the way p50 / p99 / max", "goal"}

// cells of a way: medians of its rounds, but for what is the worst or the sum of all.
func (w *way) cells(alone *way) []string {
	s := w.sum()
	longest := time.Duration(0)
	for _, r := range s.rows {
		longest = max(longest, r.longest)
	}
	waited := func(times []time.Duration) string {
		if len(times) == 0 {
			return "–"
		}
		brief := func(part float64) string { return short(quantile(times, part).Round(10 * time.Microsecond)) }
		return brief(0.5) + " / " + brief(0.99) + " / " + brief(1)
	}
	brief := func(of func(row) time.Duration) string {
		return short(time.Duration(s.median(func(r row) float64 { return float64(of(r)) })))
	}
	var goals []string
	if w.beside {
		for _, g := range s.goals(alone.sum()) {
			goals = append(goals, g.String())
		}
	}
	return []string{w.name, fmt.Sprintf("%d of %d", len(s.rows), s.rounds), percent(s.median(func(r row) float64 { return r.others })), fmt.Sprintf("%.1f", s.median(row.linesPerSecond)),
		short(longest), fmt.Sprint(s.starved()), brief(func(r row) time.Duration { return r.counters.p50 }), brief(func(r row) time.Duration { return r.p999 }),
		percent(s.median(func(r row) float64 { return r.cpu.Seconds() / max(r.seconds(), 1e-9) })),
		fmt.Sprint(len(s.kept) + len(s.fresh)), waited(s.kept), waited(s.fresh), fmt.Sprint(len(s.late)), waited(s.gaps), waited(s.late), strings.Join(goals, "; ")}
}

// waysTable is what clients cost and what they got, "" when that was not measured.
func (b *bench) waysTable() string {
	if len(b.ways) == 0 {
		return ""
	}
	var all [][]string
	for _, w := range b.ways {
		all = append(all, w.cells(b.ways[0]))
	}
	return fmt.Sprintf("\n%d clients poll %s each %v, every second one over new connections, and %d are pushed to; rounds in which others had less than %s of the processors, or the calmest\n\n%s",
		pollers, strings.Join(polled, " and "), pollEvery, listeners, percent(disturbed), columns(waysHeading, all, 1, 1))
}

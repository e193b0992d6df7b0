package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What flows here: measurements and goals → one table for people, which is Markdown as well.

// row is what one streamer did in one case.
type row struct {
	of       string // the case
	streamer string
	baud     int
	ours     bool // what it loses or doubles is a fault of ours
	measure
	counters
	cost
	others float64 // part of all processors that somebody else had meanwhile
	goals  []goal
	failed string // why there is nothing to measure, "" when there is
}

// goal is what was hoped for, and what came of it.
type goal struct {
	want string
	got  string
	met  bool
}

func (g goal) String() string {
	if g.met {
		return fmt.Sprintf("%s: %s, met", g.want, g.got)
	}
	return fmt.Sprintf("%s: %s, MISSED", g.want, g.got)
}

func atLeast(what string, got, want float64) goal {
	return goal{fmt.Sprintf("%s ≥ %s", what, percent(want)), percent(got), got >= want}
}

func times(what string, got, want float64) goal {
	return goal{fmt.Sprintf("%s ≥ %.1f×", what, want), fmt.Sprintf("%.2f×", got), got >= want}
}

func within(what string, got, want time.Duration) goal {
	return goal{fmt.Sprintf("%s ≤ %v", what, want), got.String(), got <= want}
}

func none(what string, got int64) goal {
	return goal{"no " + what, fmt.Sprint(got), got == 0}
}

func percent(part float64) string { return fmt.Sprintf("%.1f %%", part*100) }

// wrong names the runs of ours that lost lines, doubled them, did what nobody asked for, or did not come to their end.
func wrong(rows []row) (all []string) {
	for _, r := range rows {
		switch {
		case !r.ours:
		case r.failed != "":
			all = append(all, fmt.Sprintf("%s, %s: %s", r.of, r.streamer, r.failed))
		case !r.exact():
			all = append(all, fmt.Sprintf("%s, %s: %s", r.of, r.streamer, r.faults()))
		}
	}
	return all
}

// faults is what is wrong with a stream.
func (r row) faults() string {
	if r.exact() {
		return "exact"
	}
	return fmt.Sprintf("%d lost, %d doubled, %d out of order, %d foreign: %s", r.lost, r.doubled, r.disordered, r.foreign, r.wrong)
}

var heading = []string{"case", "streamer", "lines", "s", "bytes/s", "wire", "lines/s", "resends", "overruns", "underruns", "p50", "p99.9",
	"CPU s per M lines", "peak MiB", "others", "stream", "goal", "remark"}

func (r row) cells() []string {
	cells := []string{r.of, r.streamer}
	if r.failed != "" {
		return append(append(cells, slices.Repeat([]string{""}, len(heading)-3)...), "failed: "+r.failed)
	}
	wire := "–"
	if r.baud > 0 {
		wire = percent(r.wire(r.baud))
	}
	var goals []string
	for _, g := range r.goals {
		goals = append(goals, g.String())
	}
	return append(cells, fmt.Sprint(r.lines), fmt.Sprintf("%.1f", r.seconds()), fmt.Sprintf("%.0f", r.bytesPerSecond()), wire,
		fmt.Sprintf("%.0f", r.linesPerSecond()), fmt.Sprint(r.resends), fmt.Sprint(r.overruns), fmt.Sprint(r.underruns), short(r.p50), short(r.p999),
		fmt.Sprintf("%.0f", r.cpu.Seconds()/float64(max(r.lines, 1))*1e6), fmt.Sprintf("%.0f", float64(r.rssKiB)/1024), percent(r.others), r.faults(),
		strings.Join(goals, "; "), r.remark)
}

// short is a duration in three digits.
func short(d time.Duration) string {
	switch {
	case d >= 100*time.Millisecond:
		return d.Round(time.Millisecond).String()
	case d >= time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	}
	return d.String()
}

// table is all rows.
func table(rows []row) string {
	var all [][]string
	for _, r := range rows {
		all = append(all, r.cells())
	}
	return columns(heading, all, 2, 3)
}

// columns are cells in columns of even width. But for the first and the last so many they are numbers, which stand at the right.
func columns(heading []string, all [][]string, first, last int) string {
	all = append([][]string{heading}, all...)
	widths := make([]int, len(heading))
	for _, cells := range all {
		for i, c := range cells {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	number := func(i int) bool { return i >= first && i < len(heading)-last }
	var b strings.Builder
	for n, cells := range all {
		for i, c := range cells {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if number(i) {
				c = pad + c
			} else {
				c += pad
			}
			fmt.Fprintf(&b, "| %s ", c)
		}
		b.WriteString("|\n")
		if n == 0 {
			for i, w := range widths {
				rule := strings.Repeat("-", w+2)
				if number(i) {
					rule = strings.Repeat("-", w+1) + ":"
				}
				b.WriteString("|" + rule)
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}

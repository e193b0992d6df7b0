package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// table is one for people, which is Markdown as well: words at the left, numbers at the right.
type table struct{ rows [][]string }

func (t *table) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		row[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, row)
}

func (t *table) print() {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, c := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(c))
		}
	}
	for n, row := range t.rows {
		var line, rule strings.Builder
		for i, c := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c))
			if i == 0 {
				fmt.Fprintf(&line, "| %s%s ", c, pad)
				fmt.Fprintf(&rule, "|%s", strings.Repeat("-", widths[i]+2))
			} else {
				fmt.Fprintf(&line, "| %s%s ", pad, c)
				fmt.Fprintf(&rule, "|%s:", strings.Repeat("-", widths[i]+1))
			}
		}
		fmt.Println(line.String() + "|")
		if n == 0 {
			fmt.Println(rule.String() + "|")
		}
	}
}

// goal prints what was hoped for, and what came of it.
func goal(want, got string, met bool) {
	word := "met"
	if !met {
		word = "MISSED"
	}
	fmt.Printf("goal: %s: %s, %s\n", want, got, word)
}

// offs are relative errors; those of files that cannot be compared are not among them.
type offs []float64

// judge prints goals for the median and the worst, without signs.
func (o offs) judge(of string, median, worst float64) {
	if len(o) == 0 {
		fmt.Printf("goal: %s: nothing to compare\n", of)
		return
	}
	for i := range o {
		o[i] = math.Abs(o[i])
	}
	slices.Sort(o)
	middle := (o[(len(o)-1)/2] + o[len(o)/2]) / 2
	if median > 0 {
		goal(fmt.Sprintf("%s, median ≤ %.0f %%", of, 100*median), fmt.Sprintf("%.2f %%", 100*middle), middle <= median)
	}
	goal(fmt.Sprintf("%s, worst ≤ %.0f %%", of, 100*worst), fmt.Sprintf("%.2f %%", 100*o[len(o)-1]), o[len(o)-1] <= worst)
}

func percent(part float64) string { return fmt.Sprintf("%+.2f %%", 100*part) }

func whole(v float64) string { return fmt.Sprintf("%.0f", v) }

package main

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"layerd/camera/register"
)

// What flows here: what was seen ─▶ tables ─▶ docs/LAYER_SHIFT.md, between the marks of each part.

// page is Markdown in the making.
type page struct{ strings.Builder }

func (p *page) say(form string, args ...any) { fmt.Fprintf(p, form+"\n", args...) }

func (p *page) row(cells ...any) {
	p.WriteString("|")
	for _, c := range cells {
		fmt.Fprintf(p, " %v |", c)
	}
	p.WriteString("\n")
}

func (p *page) head(cells ...any) {
	p.row(cells...)
	p.WriteString("|---|" + strings.Repeat("---:|", len(cells)-1) + "\n")
}

// verdict says whether a goal was met by what was found: by the share itself, and whether its bound is beyond the goal too.
func verdict(s share, goal float64) string {
	low, _ := s.bounds()
	switch got := float64(s.of) / float64(max(s.all, 1)); {
	case s.all == 0:
		return "nothing to judge by"
	case got < goal:
		return "**missed**"
	case low < goal:
		return "met, but not beyond doubt"
	}
	return "met"
}

// tally counts losses by what was found of them.
func (o *seen) tally(of func(l *lost) bool, found func(l *lost) bool) (all share, low, high float64) {
	by := map[*set]share{}
	for i := range o.losses {
		if l := &o.losses[i]; of(l) {
			s := by[l.scene]
			s.add(found(l))
			by[l.scene] = s
		}
	}
	var list []share
	for _, s := range o.scenes {
		if by[s].all > 0 {
			list, all = append(list, by[s]), all.plus(by[s])
		}
	}
	low, high = clustered(list)
	return all, low, high
}

func within3(look int) bool { return look > 0 && look <= afterwards }

// rated reports whether the look before the loss said that it would be seen.
func (l *lost) rated() bool { return l.claimed && l.detects <= math.Abs(l.loss.mm)+0.001 }

func atLeastMM(mm float64) func(l *lost) bool {
	return func(l *lost) bool { return math.Abs(l.loss.mm) >= mm-0.001 }
}

func ratedAtLeast(mm float64) func(l *lost) bool {
	return func(l *lost) bool { return l.rated() && math.Abs(l.loss.mm) >= mm-0.001 }
}

func exactly(mm float64) func(l *lost) bool {
	return func(l *lost) bool { return math.Abs(math.Abs(l.loss.mm)-mm) < 0.001 }
}

func asked(l *lost) bool  { return within3(l.asked) }
func paused(l *lost) bool { return within3(l.paused) }

// larger reports whether a baseline would have found the loss.
func (o *seen) larger(k int) func(l *lost) bool {
	most := o.largest()[k]
	return func(l *lost) bool { return l.stats[k] > most }
}

// tables is the part of one half.
func (o *seen) tables(sources string) string {
	p := &page{}
	p.say("%d rendered scenes, %d prints that go well with %d looks (%.0f h), %d losses. `camera/register` as of `%s`. In brackets: how many, and 95 %% by Clopper and Pearson; then 95 %% where whole scenes are drawn again.\n",
		len(o.scenes), len(o.passes), o.looks(), o.hours(), len(o.losses), sources)
	p.head("Losses that were found within three looks", "asks for an endstop check", "pauses by the camera alone", "goal", "", "frame difference", "phase correlation")
	for _, row := range []struct {
		name string
		of   func(l *lost) bool
		goal float64
	}{
		{"≥ 0.8 mm, rated visible before it and in the three looks after", func(l *lost) bool { return l.stays && ratedAtLeast(0.8)(l) }, 0.95},
		{"≥ 0.8 mm, rated visible before it", ratedAtLeast(0.8), 0.95},
		{"≥ 2 mm, rated visible before it and in the three looks after", func(l *lost) bool { return l.stays && ratedAtLeast(2)(l) }, 0.99},
		{"≥ 2 mm, rated visible before it", ratedAtLeast(2), 0.99},
		{"0.4 mm, rated visible before it and in the three looks after", func(l *lost) bool { return l.stays && l.rated() && exactly(0.4)(l) }, 0},
		{"0.4 mm, rated visible before it", func(l *lost) bool { return l.rated() && exactly(0.4)(l) }, 0},
		{"≥ 0.8 mm, blind looks being misses", atLeastMM(0.8), 0},
		{"≥ 2 mm, blind looks being misses", atLeastMM(2), 0},
		{"0.4 mm, blind looks being misses", exactly(0.4), 0},
	} {
		ask, _, _ := o.tally(row.of, asked)
		pause, low, high := o.tally(row.of, paused)
		goal, met := "–", ""
		if row.goal > 0 {
			goal, met = fmt.Sprintf("≥ %.0f %%", 100*row.goal), verdict(pause, row.goal)
		}
		difference, _, _ := o.tally(row.of, o.larger(byDifference))
		correlation, _, _ := o.tally(row.of, o.larger(byPhase))
		p.row(row.name, ask, fmt.Sprintf("%v; %.0f–%.0f", pause, 100*low, 100*high), goal, met, brief(difference), brief(correlation))
	}
	most := o.largest()
	p.say("\nThe baselines alarm when a picture differs from the one before by more than any does in the first of these prints with each nuisance, so that none of those has a false alarm: by %.2f of a standard deviation, or %.1f pixels of 256.\n", most[byDifference], most[byPhase])
	o.byNuisance(p)
	o.byScene(p)
	o.delays(p)
	return p.String()
}

func brief(s share) string {
	if s.all == 0 {
		return "–"
	}
	return percent(float64(s.of) / float64(s.all))
}

func (o *seen) looks() (n int) {
	for _, p := range o.passes {
		n += p.looks
	}
	return n
}

func (o *seen) hours() float64 { return float64(o.looks()) * secondsALook / 3600 }

// byNuisance is what happened while nothing was lost, and what was found, by what was the matter.
func (o *seen) byNuisance(p *page) {
	p.head("Nothing is lost, but:", "false pauses by the camera alone in 100 h", "checks asked for in 100 h", "looks that claim to see X", "Y", "≥ 0.8 mm found, blind being misses")
	var total [2]rate
	row := func(name string, of func(n string) bool) {
		var pauses, asks rate
		var claims [2]share
		for _, q := range o.passes {
			if !of(q.nuisance) {
				continue
			}
			h := float64(q.looks) * secondsALook / 3600
			pauses, asks = rate{pauses.events + q.paused, pauses.hours + h}, rate{asks.events + q.suspected, asks.hours + h}
			for k, c := range q.claims {
				claims[k] = claims[k].plus(share{c, q.looks})
			}
		}
		found, _, _ := o.tally(func(l *lost) bool { return of(l.nuisance) && atLeastMM(0.8)(l) }, paused)
		p.row(name, pauses, asks, brief(claims[0]), brief(claims[1]), brief(found))
		total = [2]rate{pauses, asks}
	}
	for _, n := range theNuisances() {
		row(n.name, func(of string) bool { return of == n.name })
	}
	row("**all**", func(string) bool { return true })
	met := "met"
	if total[0].upper() >= 1 {
		met = "**missed**"
	}
	p.say("\nGoal: fewer than one false pause in 100 h at 95 %%: at most %.2f: %s.\n", total[0].upper(), met)
}

func (o *seen) byScene(p *page) {
	p.head("Scene", "printer", "plastic, bed", "px/mm X, Y", "contrast", "set-up: detects X, Y mm", "looks that claim X, Y", "blind because", "≥ 0.8 mm found, rated visible", "blind being misses", "told wrong by, half and 95 %")
	for _, s := range o.scenes {
		kind := "bed-slinger"
		if s.CoreXY {
			kind = "CoreXY"
		}
		if err := o.refused[s]; err != nil {
			p.row(s.Name, kind, s.Plastic.Name+", "+s.Bed, "–", "–", err, "0", "no set-up", "–", "0", "–")
			continue
		}
		cal, why, claims, looks := o.cals[s], map[register.Blind]int{}, [2]int{}, 0
		for _, q := range o.passes {
			if q.scene == s {
				looks += q.looks
				claims[0], claims[1] = claims[0]+q.claims[0], claims[1]+q.claims[1]
				for k, n := range q.why {
					why[k] += n
				}
			}
		}
		var because []string
		for _, k := range slices.SortedFunc(maps.Keys(why), func(a, b register.Blind) int { return cmp.Or(why[b]-why[a], cmp.Compare(a, b)) }) {
			because = append(because, fmt.Sprintf("%s %d", k, why[k]))
		}
		mine := func(of func(l *lost) bool) func(l *lost) bool {
			return func(l *lost) bool { return l.scene == s && of(l) }
		}
		visible, _, _ := o.tally(mine(ratedAtLeast(0.8)), paused)
		all, _, _ := o.tally(mine(atLeastMM(0.8)), paused)
		p.row(s.Name, kind, s.Plastic.Name+", "+s.Bed, fmt.Sprintf("%.1f, %.1f", cal.PxPerMMX, cal.PxPerMMY), fmt.Sprintf("%.0f", cal.Contrast), detects(cal.SeesX, cal.DetectsXMM, cal.WhyX)+", "+detects(cal.SeesY, cal.DetectsYMM, cal.WhyY),
			fmt.Sprintf("%s, %s", brief(share{claims[0], looks}), brief(share{claims[1], looks})), strings.Join(because, ", "), brief(visible), brief(all), o.wrong(func(l *lost) bool { return l.scene == s }))
	}
	p.say("")
}

func detects(sees bool, mm float64, why string) string {
	if !sees {
		return "blind: " + why
	}
	return fmt.Sprintf("%.2f", mm)
}

// delays is how soon, and how exactly.
func (o *seen) delays(p *page) {
	var ask, pause [afterwards + 1]int
	n := 0
	for i := range o.losses {
		l := &o.losses[i]
		if !ratedAtLeast(0.8)(l) {
			continue
		}
		n++
		ask[l.asked]++
		pause[l.paused]++
	}
	if n == 0 {
		return
	}
	p.say("Of %d losses of ≥ 0.8 mm that were rated visible the first look after them asked for a check in %d, the second in %d, the third in %d; by the camera alone there was a pause after the second in %d and after the third in %d.", n, ask[1], ask[2], ask[3], pause[2], pause[3])
	if o.cost.measures > 0 {
		p.say("\nCost: %v.", o.cost)
	}
}

// wrong is by how much what was told of losses was off.
func (o *seen) wrong(of func(l *lost) bool) string {
	var off []float64
	for i := range o.losses {
		if l := &o.losses[i]; l.paused > 0 && of(l) {
			off = append(off, math.Abs(l.found-l.loss.mm))
		}
	}
	if len(off) == 0 {
		return "–"
	}
	slices.Sort(off)
	return fmt.Sprintf("%.2f, %.2f mm", off[len(off)/2], off[len(off)*95/100])
}

// sourcesHash names a version of the package in dir: what those of its files say that the tables are of. The second opinion is not in them.
func sourcesHash(dir string) (string, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(names) == 0 {
		return "", errors.Join(err, fmt.Errorf("there is no source in %s: run this in the repository's root", dir))
	}
	h := sha256.New()
	for _, name := range names {
		switch base := filepath.Base(name); {
		case strings.HasSuffix(base, "_test.go"), base == "silhouette.go", base == "projection.go":
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", filepath.Base(name), len(text), text)
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16], nil
}

// put replaces what stands between the marks of a part.
func put(doc []byte, part, text string) ([]byte, error) {
	open, end := fmt.Sprintf("<!-- shifteval: %s -->\n", part), fmt.Sprintf("<!-- end of %s -->", part)
	before, rest, ok := strings.Cut(string(doc), open)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return nil, fmt.Errorf("there are no marks for %q", part)
	}
	return []byte(before + open + text + end + after), nil
}

// between is what put has put.
func between(doc []byte, part string) string {
	_, rest, _ := strings.Cut(string(doc), fmt.Sprintf("<!-- shifteval: %s -->\n", part))
	text, _, _ := strings.Cut(rest, fmt.Sprintf("<!-- end of %s -->", part))
	return text
}

package main

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What flows here: starts and prints → a table of each, and one of the goals.

// piTables are all of them, and what is in packages.
func (b *bench) piTables(starts []*piStart, cases []*piCase) string {
	var rows [][]string
	for _, s := range starts {
		rows = append(rows, []string{s.name, map[bool]string{false: "in memory", true: "on the disk"}[s.cold], fmt.Sprint(len(s.page)), brief(middle(s.page)), brief(slices.Max(s.page)), brief(middle(s.api)), brief(middle(s.cpu)),
			fmt.Sprintf("%.1f", float64(middle(s.read))/1e6)})
	}
	var out strings.Builder
	if len(rows) > 0 {
		out.WriteString(columns([]string{"start of", "files", "starts", "first page, median", "longest", "first answer of the API, median", "CPU, median", "MB read from the disk"}, rows, 2, 0) + "\n")
	}
	rows = nil
	for _, c := range cases {
		if len(c.rounds) > 0 {
			rows = append(rows, c.cells())
		}
	}
	if len(rows) > 0 {
		out.WriteString(columns([]string{"print by", "rounds", "others", "lines", "s", "lines/s", "CPU, s", "CPU of one", "CPU ms per 1,000 lines", "memory, mean", "peak", "of it not of files", "pushes/s", "pictures/s", "stream"}, rows, 1, 1) + "\n")
	}
	rows = nil
	for _, g := range append(piGoals(starts, cases), b.sizes()...) {
		met := "met"
		if !g.met {
			met = "**missed**"
		}
		rows = append(rows, []string{g.want, g.got, met})
	}
	return out.String() + columns([]string{"goal", "measured", ""}, rows, 0, 3)
}

func brief(d time.Duration) string { return short(d.Round(100 * time.Microsecond)) }

// of is the median of the rounds that went well.
func (c *piCase) of(what func(piRound) float64) float64 {
	var all []float64
	for _, r := range c.rounds {
		if r.failed == "" {
			all = append(all, what(r))
		}
	}
	return middle(all)
}

// perThousand is the processor's time for 1,000 lines, in ms.
func (r piRound) perThousand() float64 { return r.cpu.Seconds() * 1e6 / float64(max(r.lines, 1)) }

func (c *piCase) cells() []string {
	num := func(format string, what func(piRound) float64) string { return fmt.Sprintf(format, c.of(what)) }
	stream := "exact"
	for _, r := range c.rounds {
		if r.failed != "" || !r.exact() {
			stream = r.failed + r.faults()
		}
	}
	return []string{c.name, fmt.Sprint(len(c.rounds)), num("%.0f %%", func(r piRound) float64 { return 100 * r.others }), num("%.0f", func(r piRound) float64 { return float64(r.lines) }),
		num("%.1f", func(r piRound) float64 { return r.seconds() }), num("%.0f", func(r piRound) float64 { return r.linesPerSecond() }), num("%.2f", func(r piRound) float64 { return r.cpu.Seconds() }),
		num("%.1f %%", func(r piRound) float64 { return 100 * r.cpu.Seconds() / max(r.watched.Seconds(), 1e-9) }), num("%.0f", piRound.perThousand), num("%.1f", func(r piRound) float64 { return r.mean }), fmt.Sprintf("%.1f", c.most()),
		num("%.1f", func(r piRound) float64 { return r.anonymous }), num("%.1f", func(r piRound) float64 { return float64(r.pushes) / max(r.watched.Seconds(), 1e-9) }),
		num("%.1f", func(r piRound) float64 { return float64(r.frames) / max(r.watched.Seconds(), 1e-9) }), stream}
}

// most is the peak of all rounds.
func (c *piCase) most() (peak float64) {
	for _, r := range c.rounds {
		peak = max(peak, r.peak)
	}
	return peak
}

// piGoals are those of which there is anything to say.
func piGoals(starts []*piStart, cases []*piCase) (all []goal) {
	start := map[string]*piStart{}
	for _, s := range starts {
		start[fmt.Sprint(s.name, s.cold)] = s
	}
	if ours := start["layerdfalse"]; ours != nil {
		all = append(all, within("first page", middle(ours.page).Round(100*time.Microsecond), 100*time.Millisecond))
	}
	for _, cold := range []bool{false, true} {
		if ours, theirs := start[fmt.Sprint("layerd", cold)], start[fmt.Sprint("OctoPrint", cold)]; ours != nil && theirs != nil {
			all = append(all, times(fmt.Sprintf("first page sooner than OctoPrint's, files in memory %v:", !cold), float64(middle(theirs.page))/float64(middle(ours.page)), 20))
		}
	}
	by := map[string]*piCase{}
	for _, c := range cases {
		if len(c.rounds) > 0 {
			by[c.name] = c
		}
	}
	for _, m := range []struct {
		name string
		most float64
	}{{"layerd, camera", 40}, {"layerd, camera, tailnet", 64}} {
		if c := by[m.name]; c != nil {
			all = append(all, goal{fmt.Sprintf("memory of %s ≤ %.0f MB", m.name, m.most), fmt.Sprintf("%.1f MB", c.most()), c.most() > 0 && c.most() <= m.most})
		}
	}
	for _, suffix := range []string{"", ", real motion"} {
		if ours, theirs := by["layerd"+suffix], by["OctoPrint"+suffix]; ours != nil && theirs != nil {
			all = append(all, times("CPU for the same lines, less than OctoPrint"+suffix, theirs.of(piRound.perThousand)/ours.of(piRound.perThousand), 5))
		}
	}
	return all
}

// installedMost is how large a package may be when it is installed.
const installedMost = 35e6

// sizes are of the packages that were built, or else of the program for this machine.
func (b *bench) sizes() (all []goal) {
	add := func(what string, bytes int64) {
		all = append(all, goal{fmt.Sprintf("size of %s ≤ %.0f MB", what, installedMost/1e6), fmt.Sprintf("%.1f MB", float64(bytes)/1e6), bytes <= installedMost})
	}
	packages, _ := filepath.Glob(b.packages) // a pattern that is none finds none
	for _, p := range packages {
		said, err := exec.Command("dpkg-deb", "--field", p, "Installed-Size").Output()
		kib, notNumber := strconv.ParseInt(strings.TrimSpace(string(said)), 10, 64)
		if err := errors.Join(err, notNumber); err != nil {
			b.say("size of %s: %v", p, err)
			continue
		}
		add(filepath.Base(p)+", installed", kib<<10)
	}
	if len(all) == 0 {
		if n, err := fileSize(b.layerd()); err == nil {
			add("layerd alone, for this machine,", n)
		}
	}
	return all
}

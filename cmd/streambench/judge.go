package main

import (
	"fmt"
	"slices"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: the record of what was executed, and the job → what is missing or too much, and when it began and ended.

// measure is what the record tells of a job.
type measure struct {
	lost, doubled, disordered, foreign int    // lines
	wrong                              string // the first of them
	lines                              int    // of the cut that were executed
	bytes                              int    // on the wire, of those behind the first, each counted once
	from, to                           time.Duration
	longest                            time.Duration // without a line of the cut
	starved                            int           // times that it was more than starvedAfter
}

// starvedAfter is how long a planner of 16 short moves lasts: half a millimetre each, at 80 mm/s.
const starvedAfter = 100 * time.Millisecond

func (m measure) exact() bool { return m.lost+m.doubled+m.disordered+m.foreign == 0 }

// seconds is from the execution of the first line of the cut to that of the last.
func (m measure) seconds() float64 { return (m.to - m.from).Seconds() }

func (m measure) bytesPerSecond() float64 {
	if m.to <= m.from {
		return 0
	}
	return float64(m.bytes) / m.seconds()
}

func (m measure) linesPerSecond() float64 {
	if m.to <= m.from {
		return 0
	}
	return float64(m.lines-1) / m.seconds()
}

// wire is the part of the wire that the job used, at ten bits a byte; 0 where the wire has no rate.
func (m measure) wire(baud int) float64 {
	if baud == 0 {
		return 0
	}
	return m.bytesPerSecond() / (float64(baud) / 10)
}

// judge compares what was executed with what the job says.
func judge(record []benchrun.Executed, w workload) (m measure) {
	record = slices.DeleteFunc(slices.Clone(record), func(e benchrun.Executed) bool { return hostsOwn(e.Command) })
	want := slices.Concat(w.head, w.cut)
	a := align(record, want)
	a.sort(&m, want, record)
	for i, j := range a.match[len(w.head):] {
		if j < 0 {
			continue
		}
		at := record[j].At
		if m.lines == 0 {
			m.from = at
		} else {
			m.bytes += w.framed(i)
			m.longest = max(m.longest, at-m.to)
			if at-m.to > starvedAfter {
				m.starved++
			}
		}
		m.to = at
		m.lines++
	}
	return m
}

// alignment says which line of the job each executed command was.
type alignment struct {
	match []int // of each wanted line: its place in the record, -1 when it is missing
	extra []int // places in the record that are no wanted line's
	after []int // for each extra one, how many wanted lines came before it
}

// sameRun is how many lines in a row must agree before two texts count as running side by side again; lookAhead how far apart they may be.
const (
	sameRun   = 4
	lookAhead = 300
)

// align walks record and job side by side. Where they differ it looks for the nearest place where they run side by side again.
func align(record []benchrun.Executed, want []string) (a alignment) {
	a.match = slices.Repeat([]int{-1}, len(want))
	i, j := 0, 0
	surplus := func(n int) {
		for range n {
			a.extra, a.after = append(a.extra, j), append(a.after, i)
			j++
		}
	}
	for i < len(want) && j < len(record) {
		if want[i] == record[j].Command {
			a.match[i] = j
			i, j = i+1, j+1
			continue
		}
		skip, more := meet(want[i:], record[j:])
		surplus(more)
		i += skip
	}
	surplus(len(record) - j)
	return a
}

// meet returns how many lines of each to leave out, the fewest, so that both go on alike. Where they never do it leaves out one of the record.
func meet(want []string, record []benchrun.Executed) (skip, more int) {
	for apart := 1; apart <= lookAhead; apart++ {
		for skip := max(0, apart-len(record)); skip <= min(apart, len(want)); skip++ {
			if alike(want[skip:], record[apart-skip:]) {
				return skip, apart - skip
			}
		}
	}
	return 0, 1
}

func alike(want []string, record []benchrun.Executed) bool {
	n := min(sameRun, len(want), len(record))
	for i := range n {
		if want[i] != record[i].Command {
			return false
		}
	}
	return n > 0
}

// nearby is how far from its place a line that came out of order, or twice, is looked for.
const nearby = 400

// sort tells what is missing or too much by kinds: a line that is missing in its place and came elsewhere is out of order; one that
// came once more is doubled; what the job does not have is foreign.
func (a alignment) sort(m *measure, want []string, record []benchrun.Executed) {
	missing := make(map[int]bool)
	for i, j := range a.match {
		if j < 0 {
			missing[i] = true
		}
	}
	for k, j := range a.extra {
		if a.after[k] == len(want) && (record[j].Command == "M104 S0" || record[j].Command == "M140 S0") {
			continue // a host that ends leaves nothing hot
		}
		text, from, to := record[j].Command, max(0, a.after[k]-nearby), min(len(want), a.after[k]+nearby)
		elsewhere := func(which func(i int) bool) int {
			for i := from; i < to; i++ {
				if want[i] == text && which(i) {
					return i
				}
			}
			return -1
		}
		if m.wrong == "" {
			m.wrong = fmt.Sprintf("%q after line %d", text, a.after[k])
		}
		if i := elsewhere(func(i int) bool { return missing[i] }); i >= 0 {
			m.disordered++
			delete(missing, i)
		} else if elsewhere(func(i int) bool { return a.match[i] >= 0 && a.match[i] < j }) >= 0 {
			m.doubled++
		} else {
			m.foreign++
		}
	}
	m.lost = len(missing)
	if first := slices.Index(a.match, -1); m.wrong == "" && first >= 0 {
		m.wrong = fmt.Sprintf("line %d, %q, is missing", first+1, want[first])
	}
}

package thermo

import "time"

const (
	span    = 30 * time.Minute
	spacing = 900 * time.Millisecond // reports come once a second, and not to the millisecond
	ringLen = int(span/spacing) + 1
)

// ring holds the samples of the last half hour. Its zero value is empty; it never grows.
type ring struct {
	samples []sample // ringLen, once there is one
	oldest  int      // index of the oldest
	n       int
}

type sample struct {
	atMS int64
	reading
}

// at is the i-th sample, from 0 for the oldest.
func (g *ring) at(i int) *sample { return &g.samples[(g.oldest+i)%ringLen] }

// add takes a report, unless the last one is less than spacing before it.
func (g *ring) add(atMS int64, r reading) {
	if g.samples == nil {
		g.samples = make([]sample, ringLen)
	}
	for g.n > 0 && g.at(g.n-1).atMS > atMS { // the clock was set back: what seems to be of the future cannot be placed
		g.n--
	}
	if g.n > 0 && atMS-g.at(g.n-1).atMS < spacing.Milliseconds() {
		return
	}
	if g.n == ringLen {
		g.oldest = (g.oldest + 1) % ringLen
		g.n--
	}
	g.n++
	*g.at(g.n - 1) = sample{atMS, r}
}

// since is the samples later than sinceMS that are not older than span.
func (g *ring) since(sinceMS, nowMS int64) Recent {
	out := Recent{NowMS: nowMS, Whole: sinceMS == 0}
	if g.n > 0 {
		out.NewestMS = g.at(g.n - 1).atMS
		if sinceMS > out.NewestMS {
			sinceMS, out.Whole = 0, true
		}
	}
	sinceMS = max(sinceMS, nowMS-span.Milliseconds()-1)
	first := g.n
	for first > 0 && g.at(first-1).atMS > sinceMS {
		first--
	}
	from := int64(0)
	if first < g.n {
		from = g.at(first).atMS
	}
	out.Curve = lines(g.n-first, from, gapAfter.Milliseconds(), func(i int) (int64, *reading) {
		s := g.at(first + i)
		return s.atMS - from, &s.reading
	})
	return out
}

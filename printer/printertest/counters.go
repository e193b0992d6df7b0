package printertest

import (
	"fmt"
	"math/bits"
	"strings"
	"time"
)

// Counters is what the pretend printer has counted since it was made; board resets do not clear it.
type Counters struct {
	BytesIn, BytesOut int64 // at the board: what arrived (ring overruns included) and what it said
	Lines             int64 // complete lines that were not empty
	Executed          int64 // known commands taken from the queue
	Unknown           int64 // and unknown ones
	OKs               int64 // that answered a line; lost ones included
	Resends           int64 // asked for, duplicates included
	Tails             int64 // commands executed with a checksum and without a number: nobody looked whether they were whole
	Duplicates        int64 // lines dropped because their number was one of the last
	Dropped           int64 // damaged lines that the firmware dropped without a word
	Overruns          int64 // bytes that found the receive ring full
	OverrunEvents     int64 // and how often that began
	Ignored           int64 // bytes that arrived while the board was booting or halted
	Underruns         int64 // the planner ran empty amid moves: the next one came less than 500 ms later
	Collisions        int64 // moves of Config.Head through what was printed, as far as cells of a millimetre tell
	Resets            int64
	Unplugs           int64 // how often the cable was pulled
	FaultBytes        int64 // flipped or dropped, both ways
	LostOKs           int64
	DoubledOKs        int64
	HostLost          int64 // bytes that the host did not fetch in time, and those said while nobody had the port open

	// Gaps is how long the firmware waited from saying ok to having the next complete line; 0 when it was there already.
	Gaps Histogram
}

// String is several readable lines.
func (c Counters) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "lines received       %d (%d bytes in, %d out)\n", c.Lines, c.BytesIn, c.BytesOut)
	fmt.Fprintf(&b, "commands executed    %d (%d unknown, %d duplicate lines dropped)\n", c.Executed, c.Unknown, c.Duplicates)
	fmt.Fprintf(&b, "receive overruns     %d bytes in %d events\n", c.Overruns, c.OverrunEvents)
	fmt.Fprintf(&b, "resends asked        %d (%d commands without the number that they had, %d lines dropped without a word)\n", c.Resends, c.Tails, c.Dropped)
	fmt.Fprintf(&b, "planner underruns    %d\n", c.Underruns)
	fmt.Fprintf(&b, "collisions           %d moves through what was printed\n", c.Collisions)
	fmt.Fprintf(&b, "board resets         %d\n", c.Resets)
	fmt.Fprintf(&b, "cable pulled         %d times\n", c.Unplugs)
	fmt.Fprintf(&b, "faults injected      %d bytes, %d lost oks, %d doubled oks\n", c.FaultBytes, c.LostOKs, c.DoubledOKs)
	fmt.Fprintf(&b, "bytes not received   %d by the board (booting or halted), %d by the host\n", c.Ignored, c.HostLost)
	g := &c.Gaps
	fmt.Fprintf(&b, "ok to next line      p50 %v  p90 %v  p99 %v  p99.9 %v  max %v  (%d)\n",
		g.Quantile(0.5), g.Quantile(0.9), g.Quantile(0.99), g.Quantile(0.999), g.Max, g.Count)
	return b.String()
}

// gap measures the time from an ok to the next line.
type gap struct {
	from time.Duration // when the last ok was said and nothing has come since; never = not measuring
	hist Histogram
}

func (g *gap) arrived(now time.Duration) {
	if g.from != never {
		g.hist.Add(now - g.from)
		g.from = never
	}
}

func (g *gap) answered(now time.Duration, nextIsHere bool) {
	if nextIsHere {
		g.hist.Add(0)
		return
	}
	g.from = now
}

// Histogram counts durations in buckets of microseconds, 16 for each doubling: quantiles are right within 1/16.
type Histogram struct {
	Count   int64
	Max     time.Duration
	buckets [16 * 40]int64
}

// Add counts d.
func (h *Histogram) Add(d time.Duration) {
	h.Count++
	h.Max = max(h.Max, d)
	h.buckets[bucketOf(d)]++
}

func bucketOf(d time.Duration) int {
	us := uint64(max(0, d.Microseconds()))
	if us < 16 {
		return int(us)
	}
	shift := bits.Len64(us) - 5
	return min(16*40-1, (shift+1)*16+int(us>>shift)-16)
}

// Quantile is the upper edge of the bucket that the q-th part of all durations (0 to 1) falls into, and never more than Max.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := int64(q * float64(h.Count))
	var seen int64
	for i, n := range h.buckets {
		if seen += n; seen > rank {
			if i < 16 {
				return min(h.Max, time.Duration(i)*time.Microsecond)
			}
			shift := i/16 - 1
			return min(h.Max, time.Duration(uint64(i%16+17)<<shift-1)*time.Microsecond)
		}
	}
	return h.Max
}

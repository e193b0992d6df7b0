package main

import (
	"context"
	"fmt"
	"time"
)

// What flows here: the table of what is measured → tasks → rows with their goals.

// wireCase is a line to a printer that moves and heats instantly, so that nothing but the line and the streamer takes time.
type wireCase struct {
	name     string
	settings settings
	wire     float64 // the goal: layerd's use of the wire
	than     string  // the goal is a part of what layerd reached in this case, and not of the wire
	longer   int     // times longer than the others
	over     float64 // how many times faster than other programs layerd should be; 0 = nothing was expected
}

const (
	slow    = 115200
	usb     = time.Millisecond
	plainly = "115200, 1 ms, advanced ok"
)

var wireCases = []wireCase{
	{name: plainly, settings: settings{baud: slow, latency: usb, advanced: true}, wire: 0.97, over: 1.8},
	{name: "250000, 1 ms, advanced ok", settings: settings{baud: 250000, latency: usb, advanced: true}, wire: 0.95, over: 2.7},
	{name: "115200, 1 ms, plain ok", settings: settings{baud: slow, latency: usb}, wire: 0.90},
	{name: "115200, 8 ms, advanced ok", settings: settings{baud: slow, latency: 8 * time.Millisecond, advanced: true}, wire: 0.90, over: 5.5},
	{name: "1000000, 1 ms, advanced ok", settings: settings{baud: 1_000_000, latency: usb, advanced: true}, wire: 0.75},
	// Few bytes are hit in the usual time.
	{name: "115200, 1 ms, flips 1e-5", settings: settings{baud: slow, latency: usb, advanced: true, faults: "flip=1e-5"}, wire: 0.90, than: plainly, longer: 3},
}

// The other cases.
const (
	turnAround  = "turn-around, one line"
	realMotion  = "250000, 1 ms, real motion"
	underLoad   = "115200, 1 ms, daemon"
	withClients = "250000, 1 ms, clients"
)

// patient gives the print twice the time of whoever waits for each answer.
func (t task) patient() task {
	waits := time.Duration(len(t.load.cut)) * (t.settings.oneInFlight(60) + 10*time.Millisecond)
	t.limit = 2*waits + time.Minute
	return t
}

// wireCase measures all streamers in one case.
func (b *bench) wireCase(ctx context.Context, c wireCase) {
	span := b.span * time.Duration(max(c.longer, 1))
	cut := func(slack time.Duration) workload {
		longest := linesFor(b.dense, c.settings, span, 0)
		if slack > 0 {
			longest = min(longest, linesFor(b.dense, c.settings, span/2, slack))
		}
		return b.dense.take(len(b.dense.commands)/4, longest)
	}
	run := func(s streamer, ours bool, slack time.Duration) row {
		return b.measure(ctx, task{of: c.name, streamer: s, settings: c.settings, load: cut(slack), ours: ours}.patient())
	}
	best := row{}
	for _, name := range []string{"layerd", "one-line", "crude"} {
		if !b.measures(name) || ctx.Err() != nil {
			continue
		}
		slack := time.Duration(0)
		if name == "one-line" {
			slack = 300 * time.Microsecond
		}
		r := run(b.own(name), true, slack)
		if name == "layerd" {
			best = r
			r.goals = b.wireGoals(c, r)
		}
		b.rows = append(b.rows, r)
	}
	for _, s := range b.others {
		if ctx.Err() != nil {
			return
		}
		r := run(s, false, 3*time.Millisecond)
		if rate := r.bytesPerSecond(); rate > 0 && best.bytesPerSecond() > 0 {
			over := best.bytesPerSecond() / rate
			if c.over > 0 {
				r.goals = []goal{times("layerd", over, c.over)}
			} else {
				r.remark = fmt.Sprintf("layerd is %.2f× as fast", over)
			}
		}
		b.rows = append(b.rows, r)
	}
}

// wireGoals are layerd's.
func (b *bench) wireGoals(c wireCase, r row) []goal {
	if c.than == "" {
		return []goal{atLeast("wire", r.wire(r.baud), c.wire)}
	}
	goals := []goal{none("line lost or doubled", int64(r.lost+r.doubled))}
	for _, other := range b.rows {
		if other.of == c.than && other.streamer == r.streamer && other.bytesPerSecond() > 0 {
			goals = append(goals, atLeast("of the rate without flips", r.bytesPerSecond()/other.bytesPerSecond(), c.wire))
		}
	}
	return goals
}

// turnAroundLines are enough for a quantile of 99.9 %.
const turnAroundLines = 40000

// turnAround measures how long layerd takes from an ok to the next line where nothing else takes time: on a line without speed or latency, to
// firmware that gets one line at a time whatever it says.
func (b *bench) turnAround(ctx context.Context, name string) error {
	set := settings{firmware: "smoothie"}
	for _, s := range []string{"layerd", "one-line"} {
		if !b.measures(s) {
			continue
		}
		r := b.measure(ctx, task{of: name, streamer: b.own(s), settings: set, load: b.dense.take(len(b.dense.commands)/4, turnAroundLines), ours: true}.patient())
		if s == "layerd" {
			r.goals = []goal{within("p50", r.p50, 50*time.Microsecond), within("p99.9", r.p999, 2*time.Millisecond)}
		}
		b.rows = append(b.rows, r)
	}
	return nil
}

// movingFor is how much of nominal motion is printed to a printer that really moves.
const movingFor = 60.0

// realMotion measures whether the planner ever runs empty amid moves, with the densest file at its real speed.
func (b *bench) realMotion(ctx context.Context, name string) error {
	set := settings{baud: 250000, latency: usb, advanced: true, motion: 1}
	load := b.fast.take(len(b.fast.commands)/2, 100_000).lasting(movingFor)
	seconds, densest := load.demand()
	asked := float64(densest) / (float64(set.baud) / 10)
	for _, s := range []string{"layerd", "one-line"} {
		if !b.measures(s) {
			continue
		}
		t := task{of: name, streamer: b.own(s), settings: set, load: load, ours: true}.patient()
		t.limit += time.Duration(5 * seconds * float64(time.Second))
		r := b.measure(ctx, t)
		if s == "layerd" && asked < 1 {
			r.goals = []goal{none("underruns", r.underruns)}
		}
		r.remark += fmt.Sprintf(", %.0f s at nominal speed; the densest second asks for %s of the wire", seconds, percent(asked))
		b.rows = append(b.rows, r)
	}
	return nil
}

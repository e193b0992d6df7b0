package printertest

import (
	"math"
	"testing"
	"time"
)

// run streams n moves of length mm along X as fast as the planner has room, and returns how long the motion took.
func streamed(t *testing.T, p *planner, n int, length, speed float64) time.Duration {
	t.Helper()
	now := time.Duration(0)
	at := position{}
	for range n {
		for p.full() {
			now = p.next()
			p.advance(now)
		}
		to := at
		to[axisX] += length
		p.push(now, at, to, speed)
		at = to
	}
	for p.count > 0 {
		now = p.next()
		p.advance(now)
	}
	return now
}

func TestPlannerTimes(t *testing.T) {
	for name, c := range map[string]struct {
		n             int
		length, speed float64
		accel         float64
		least, most   time.Duration
	}{
		// Observed 6.04 s with real firmware. 100/3000 s to get going and as much to stop, and the first move's wait.
		"600 mm at 100 mm/s": {600, 1, 100, 3000, 6020 * time.Millisecond, 6200 * time.Millisecond},
		// 15 blocks of 0.1 mm are 1.5 mm of way to stop: √(2·3000·1.5) = 95 mm/s, whatever the host asks for.
		"look-ahead limits short moves": {3000, 0.1, 150, 3000, 3100 * time.Millisecond, 6000 * time.Millisecond},
		"with acceleration it does not": {3000, 0.1, 150, 50000, 2000 * time.Millisecond, 2300 * time.Millisecond},
		// One move: √(2·10/3000)… it never reaches full speed: 2·√(10/3000) = 115 ms, and 100 ms of waiting for company.
		"a single move": {1, 10, 300, 3000, 214 * time.Millisecond, 217 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			moved := position{}
			p := newPlanner(1, 15, func(b *block, part float64) { moved = b.to })
			p.travelAccel, p.maxAccel = c.accel, position{c.accel, c.accel, c.accel, c.accel}
			p.minSegment = 0
			took := streamed(t, &p, c.n, c.length, c.speed)
			t.Log(took)
			if took < c.least || took > c.most {
				t.Errorf("took %v, want %v to %v", took, c.least, c.most)
			}
			if want := float64(c.n) * c.length; math.Abs(moved[axisX]-want) > 1e-6 {
				t.Errorf("ended at %v mm, want %v", moved[axisX], want)
			}
		})
	}
}

// TestPlannerNeverExceedsItsLimits checks speeds, acceleration and continuity of a crooked path, block by block.
func TestPlannerNeverExceedsItsLimits(t *testing.T) {
	last := minSpeed // mm/s at which the last block ended
	p := newPlanner(1, 15, nil)
	blocks := 0
	p.done = func(b *block, part float64) {
		blocks++
		if math.Abs(b.entry-last) > 1e-6 {
			t.Errorf("block %d begins at %.3f mm/s, the one before ended at %.3f", blocks, b.entry, last)
		}
		if b.peak > b.nominal+1e-6 || b.entry > b.junction+1e-6 {
			t.Errorf("block %d: peak %.3f of %.3f, entry %.3f of %.3f", blocks, b.peak, b.nominal, b.entry, b.junction)
		}
		way := (b.entry+b.peak)/2*b.ramp[0] + b.peak*b.ramp[1] + (b.peak+b.exit)/2*b.ramp[2]
		if math.Abs(way-b.length) > 1e-3*b.length+1e-6 {
			t.Errorf("block %d: its trapezoid covers %.5f mm of %.5f", blocks, way, b.length)
		}
		last = b.exit
	}
	now, at := time.Duration(0), position{}
	for i := range 500 {
		for p.full() {
			now = p.next()
			p.advance(now)
		}
		to := at
		to[axisX] += math.Sin(float64(i)*0.7) * float64(1+i%7)
		to[axisY] += math.Cos(float64(i)*1.3) * float64(1+i%5)
		to[axisE] += float64(i%3) * 0.1
		p.push(now, at, to, 20+float64(i*37%200))
		at = to
	}
	for p.count > 0 {
		now = p.next()
		p.advance(now)
	}
	if blocks != 500 {
		t.Errorf("%d blocks were executed, want 500", blocks)
	}
	if last > minSpeed {
		t.Errorf("the last block ends at %.3f mm/s, want a stop", last)
	}
}

func TestPlannerCountsUnderruns(t *testing.T) {
	p := newPlanner(1, 15, func(*block, float64) {})
	move := func(now time.Duration, x float64) {
		p.push(now, position{x}, position{x + 1}, 100)
	}
	move(0, 0)
	p.advance(time.Second)
	move(time.Second+100*time.Millisecond, 1) // it stood still for 0.9 s: no series of moves
	if p.underruns != 0 {
		t.Errorf("after a long rest: %d underruns, want 0", p.underruns)
	}
	end := p.next()
	p.advance(end)
	for p.count > 0 {
		end = p.next()
		p.advance(end)
	}
	move(end+499*time.Millisecond, 2)
	if p.underruns != 1 {
		t.Errorf("next move after 499 ms: %d underruns, want 1", p.underruns)
	}
	for p.count > 0 {
		end = p.next()
		p.advance(end)
	}
	p.settle() // M400
	move(end+time.Millisecond, 3)
	if p.underruns != 1 {
		t.Errorf("after a wanted stop: %d underruns, want still 1", p.underruns)
	}
}

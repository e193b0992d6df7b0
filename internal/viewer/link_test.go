package viewer

import (
	"bytes"
	"slices"
	"testing"
	"time"
)

// line is a link and a phone at its end, in a time of its own: messages wait for those before them at the link's rate, and arrive after the delay.
type line struct {
	now    time.Time
	rate   float64 // bytes a second
	delay  time.Duration
	paints time.Duration

	flow   Flow
	ladder Ladder
	free   time.Time // when the link has sent what it has
	events []event   // in the order of their times

	taken     time.Time // of the picture that is being sent
	size      Size
	rest      int
	unpainted int

	ages  []time.Duration
	sizes map[Size]int
	queue []time.Duration // how long each message waited for the link
}

type event struct {
	at time.Time
	do func()
}

func newLine(rate float64, delay time.Duration) *line {
	return &line{now: time.Unix(0, 0), rate: rate, delay: delay, paints: 20 * time.Millisecond, sizes: map[Size]int{}}
}

func (l *line) after(d time.Duration, do func()) {
	e := event{l.now.Add(d), do}
	i, _ := slices.BinarySearchFunc(l.events, e, func(a, b event) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1
	})
	l.events = slices.Insert(l.events, i, e)
}

// lengths are the pictures' in bytes.
var lengths = [sizes]int{Full: 90_000, Small: 18_000, Stills: 6_000}

// run lets d pass. A new picture is there every 66 ms.
func (l *line) run(d time.Duration) {
	end := l.now.Add(d)
	tick := 66 * time.Millisecond
	for l.now.Before(end) {
		l.advance()
		next := l.now.Add(tick - l.now.Sub(time.Unix(0, 0))%tick)
		if len(l.events) > 0 && !l.events[0].at.After(next) {
			e := l.events[0]
			l.events = l.events[1:]
			l.now = e.at
			e.do()
			continue
		}
		l.now = next
	}
}

func (l *line) advance() {
	for {
		if l.rest == 0 {
			if wait, may := l.ladder.Wait(l.unpainted, &l.flow, l.now); !may || wait > 0 {
				return
			}
			l.size = l.ladder.Size()
			l.rest = lengths[l.size]
			l.taken = l.now.Add(-l.now.Sub(time.Unix(0, 0)) % (66 * time.Millisecond))
			l.ladder.Saw(Full, lengths[Full])
			l.ladder.Saw(l.size, l.rest)
			l.ladder.Began(l.now)
			l.unpainted++
			l.sizes[l.size]++
		}
		room, wait := l.flow.Room(l.now)
		if n := min(room, l.rest); n == 0 {
			if wait > 0 {
				l.after(wait, func() {})
			}
			return
		}
		n := min(room, l.rest)
		l.rest -= n
		l.flow.Sent(n, l.now)
		l.send(n, l.rest == 0)
	}
}

func (l *line) send(n int, last bool) {
	if l.free.Before(l.now) {
		l.free = l.now
	}
	l.queue = append(l.queue, l.free.Sub(l.now))
	l.free = l.free.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
	total, taken := l.flow.Total(), l.taken
	l.after(l.free.Sub(l.now)+l.delay, func() {
		here := l.now
		l.after(l.delay, func() { l.flow.Got(total, l.now) })
		if last {
			l.after(l.paints, func() {
				l.ages = append(l.ages, l.now.Sub(taken))
				l.after(l.delay, func() {
					l.unpainted--
					l.ladder.Painted(l.now.Sub(taken)-l.delay, l.now.Sub(here)-l.delay, &l.flow, l.now)
				})
			})
		}
	})
}

func p95(values []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)*95/100]
}

func (l *line) forget() { l.ages, l.queue, l.sizes = nil, nil, map[Size]int{} }

func TestLinks(t *testing.T) {
	for _, c := range []struct {
		name     string
		bitsPerS float64
		delay    time.Duration // one way
		size     Size
		perS     float64 // pictures a second, at least
		age      time.Duration
		queue    time.Duration
	}{
		{"the same room", 50e6, time.Millisecond, Full, 14, 150 * time.Millisecond, 40 * time.Millisecond},
		{"home from far away", 10e6, 75 * time.Millisecond, Full, 6, 400 * time.Millisecond, 90 * time.Millisecond},
		{"a mobile phone", 3e6, 40 * time.Millisecond, Full, 2.5, 900 * time.Millisecond, 90 * time.Millisecond},
		{"the edge of the network", 500e3, 75 * time.Millisecond, Small, 1.5, 900 * time.Millisecond, 90 * time.Millisecond},
		{"hardly anything", 64e3, 200 * time.Millisecond, Stills, 0.3, 2500 * time.Millisecond, 600 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLine(c.bitsPerS/8, c.delay)
			l.run(20 * time.Second) // to find out
			l.forget()
			l.run(time.Minute)
			if got := l.sizes[c.size]; got < len(l.ages)*9/10 {
				t.Errorf("got sizes %v, want nearly all of %d", l.sizes, c.size)
			}
			if perS := float64(len(l.ages)) / 60; perS < c.perS {
				t.Errorf("%.2f pictures a second, want at least %.2f", perS, c.perS)
			}
			if age := p95(l.ages); age > c.age {
				t.Errorf("p95 of the ages is %v, want at most %v", age, c.age)
			}
			if queue := p95(l.queue); queue > c.queue {
				t.Errorf("p95 of what stands in the link is %v, want at most %v", queue, c.queue)
			}
		})
	}
}

// A train goes into a tunnel and comes out again.
func TestLinkThatChanges(t *testing.T) {
	l := newLine(10e6/8, 30*time.Millisecond)
	l.run(20 * time.Second)
	if l.ladder.Size() != Full {
		t.Fatalf("on 10 Mbit/s: size %d", l.ladder.Size())
	}
	l.rate = 300e3 / 8
	l.run(15 * time.Second)
	l.forget()
	l.run(30 * time.Second)
	if age := p95(l.ages); l.ladder.Size() == Full || age > 2*time.Second || p95(l.queue) > 150*time.Millisecond {
		t.Errorf("on 300 kbit/s: size %d, ages %v, queue %v", l.ladder.Size(), age, p95(l.queue))
	}
	l.rate = 10e6 / 8
	l.run(20 * time.Second)
	l.forget()
	l.run(10 * time.Second)
	if age := p95(l.ages); l.ladder.Size() != Full || age > 300*time.Millisecond {
		t.Errorf("on 10 Mbit/s again: size %d, ages %v", l.ladder.Size(), age)
	}
}

// The longest tunnel: on so slow a link messages are so far apart that each is alone on its way when the link is fast again.
func TestLinkThatWasHardlyAnything(t *testing.T) {
	l := newLine(10e6/8, 30*time.Millisecond)
	l.run(20 * time.Second)
	l.rate = 64e3 / 8
	l.run(time.Minute)
	l.rate = 10e6 / 8
	l.run(time.Minute)
	if l.ladder.Size() != Full {
		t.Errorf("a minute after the tunnel: size %d at %.0f bytes a second", l.ladder.Size(), l.flow.Rate())
	}
}

// A first message that was lost for seconds makes the link look like nothing at all.
func TestFirstArrivalIsLate(t *testing.T) {
	var f Flow
	now := time.Unix(0, 0)
	f.Sent(1200, now)
	f.Sent(1, now)
	now = now.Add(19 * time.Second)
	f.Got(1200, now)
	f.Got(1201, now)
	for range 20 {
		if room, wait := f.Room(now); room == 0 || wait > 0 {
			t.Fatalf("all has arrived: room for %d bytes in %v", room, wait)
		}
		f.Sent(1200, now)
		now = now.Add(5 * time.Millisecond)
		f.Got(f.Total(), now)
	}
	if f.Rate() < 100_000 {
		t.Errorf("got %.0f bytes a second, want the 240 000 that arrive", f.Rate())
	}
}

// A phone that decodes slowly gets fewer pictures, not older ones.
func TestSlowPhone(t *testing.T) {
	l := newLine(50e6/8, time.Millisecond)
	l.paints = 600 * time.Millisecond
	l.run(30 * time.Second)
	if age := p95(l.ages); age > 800*time.Millisecond {
		t.Errorf("p95 of the ages is %v, want what painting takes", age)
	}
}

func TestSaveData(t *testing.T) {
	l := newLine(50e6/8, time.Millisecond)
	l.ladder.Save = true
	l.run(time.Minute)
	if l.sizes[Full] > 0 || len(l.ages) > 31 || len(l.ages) < 28 {
		t.Errorf("got sizes %v, want small ones every 2 s", l.sizes)
	}
}

func TestGotRefusesWhatCannotBe(t *testing.T) {
	var f Flow
	now := time.Unix(0, 0)
	f.Sent(1000, now)
	if f.Got(1001, now) || f.Got(-1, now) || !f.Got(400, now) || f.Got(399, now) || !f.Got(1000, now.Add(time.Second)) {
		t.Error("a viewer may say only what has been sent, and more than before")
	}
	if f.Base() != time.Second {
		t.Errorf("base is %v, want a second", f.Base())
	}
	f.Sent(1000, now.Add(time.Minute))
	f.Got(2000, now.Add(time.Hour)) // the phone slept
	if f.Base() != time.Second {
		t.Errorf("after a sleep base is %v, want a second", f.Base())
	}
}

// Somebody switches "save data" on while looking at full pictures.
func TestSaveDataLater(t *testing.T) {
	l := newLine(50e6/8, time.Millisecond)
	l.run(20 * time.Second)
	l.ladder.Save = true
	l.run(time.Second)
	l.forget()
	l.run(time.Minute)
	if l.sizes[Small] != len(l.ages) || len(l.ages) < 28 {
		t.Errorf("got sizes %v, want small ones every 2 s", l.sizes)
	}
}

// One that was hidden for an hour is not slow.
func TestPaintedAfterAnHour(t *testing.T) {
	l := newLine(3e6/8, 150*time.Millisecond)
	l.run(20 * time.Second)
	l.ladder.Painted(time.Hour, time.Hour, &l.flow, l.now)
	lag := l.ladder.lag
	for range 8 {
		l.ladder.Painted(100*time.Millisecond, 20*time.Millisecond, &l.flow, l.now)
	}
	if l.ladder.lag > promptly {
		t.Errorf("8 pictures later the lag is %v after %v, want less than %v", l.ladder.lag, lag, promptly)
	}
}

// Whatever a viewer says and whenever, the size is one, waiting ends, and there is room when all has arrived.
func FuzzViewer(f *testing.F) {
	f.Add([]byte("\x00\xff\x01\x10\x02\x80\x03\x40\x04\x01\x00\x01\x01\xff\x02\xff"))
	f.Add(bytes.Repeat([]byte("\x00\x05\x02\xff\x01\x02\x03\x00"), 200))
	f.Fuzz(func(t *testing.T, steps []byte) {
		var flow Flow
		var ladder Ladder
		now := time.Unix(0, 0)
		for ; len(steps) >= 2; steps = steps[2:] {
			n := int(steps[1])
			switch steps[0] % 6 {
			case 0:
				if room, wait := flow.Room(now); room > 0 {
					flow.Sent(min(room, 1+n*n), now)
				} else if wait < 0 || flow.Total() == flow.got {
					t.Fatalf("nothing is on its way, but there is room only in %v", wait)
				}
			case 1:
				flow.Got(flow.got+(flow.sent-flow.got)*int64(n)/255, now)
			case 2:
				now = now.Add(time.Duration(n*n*n) * time.Millisecond)
			case 3:
				ladder.Saw(ladder.Size(), n*n*n)
				ladder.Began(now)
			case 4:
				ladder.Painted(time.Duration(n*n)*time.Millisecond, time.Duration(n)*time.Second, &flow, now)
			case 5:
				ladder.Save = ladder.Save || n > 250
			}
			if wait, _ := ladder.Wait(n%3, &flow, now); wait < 0 || wait > stillsEvery || ladder.Size() >= sizes || ladder.takes(ladder.Size(), &flow) < 0 {
				t.Fatalf("wait %v, size %d, takes %v", wait, ladder.Size(), ladder.takes(ladder.Size(), &flow))
			}
		}
	})
}

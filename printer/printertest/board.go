package printertest

import (
	"math/rand/v2"
	"time"
)

// board is the firmware with the line to the host and its faults. It is pure, as the firmware is: advance tells it the time.
type board struct {
	cfg  Config
	fw   *firmware
	now  time.Duration
	in   lane // host → board
	back lane // board → host

	noiseIn, noiseBack noise
	garble             *rand.Rand
	garbled            bool // by a fault
	hostBaud           int  // 0 = whatever the board has
	open               int  // how often the host has the port open
	unplugged          bool
	plugAt             time.Duration // when it is plugged in again
	unplugs            int64
	cut                *rand.Rand
	lastBytes          int // so many still get to the board when the cable is out
	inHand             int // bytes of chunk that deliver has not handed over
	hostLost           int64
	sentAt             time.Duration // when the firmware will have sent all that it said
	chunk              [256]byte
	recordErr          error
}

// Sizes of the host's side of the line, in bytes.
const (
	ttyOut = 4096      // what Write can leave in the tty before it blocks
	ttyIn  = 64 * 1024 // what is kept for a host that does not read
)

func newBoard(cfg Config, fw Firmware) *board {
	d := newDice(cfg.Faults, cfg.Seed)
	r := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(cfg.Seed, stream)) }
	b := &board{cfg: cfg, plugAt: never, garble: r(8), cut: r(9),
		in:        lane{baud: cfg.Baud, before: cfg.USBLatency},
		back:      lane{baud: cfg.Baud, after: cfg.USBLatency},
		noiseIn:   newNoise(cfg.Faults.Flip, cfg.Faults.Drop, true, r(6)),
		noiseBack: newNoise(cfg.Faults.FlipBack, cfg.Faults.DropBack, false, r(7)),
	}
	opt := options{advancedOK: cfg.AdvancedOK, meatPack: cfg.MeatPack, unprotected: cfg.Protection, leveling: cfg.Leveling, paced: cfg.Baud > 0 && cfg.TxBuffer > 0, emergency: fw.Emergency, flow: cfg.FlowControl || fw.FlowControl,
		stops: [2]Switch{cfg.X, cfg.Y}, homing: cfg.Homing, coreXY: cfg.CoreXY, head: cfg.Head, seed: cfg.Seed, speed: cfg.Speed, heat: cfg.Heat, size: [3]float64{cfg.WidthMM, cfg.DepthMM, cfg.HeightMM},
		record: cfg.Record != nil, keep: cfg.KeepExecuted, faults: cfg.Faults, card: cfg.Card, cardOut: cfg.CardOut}
	if cfg.EmergencyParser != nil {
		opt.emergency = *cfg.EmergencyParser
	}
	b.fw = newFirmware(fw, opt, cfg.RxBuffer, cfg.BufSize, d)
	b.fw.tell = b.lineFault
	for _, t := range cfg.Faults.At {
		if t.Line == 0 {
			b.fw.trigger(t)
		}
	}
	b.fw.out = b.fw.out[:0] // nobody was there to hear it
	return b
}

// wrongSpeed reports whether bytes turn into garbage.
func (b *board) wrongSpeed() bool {
	return b.garbled || b.cfg.Baud > 0 && b.hostBaud > 0 && b.hostBaud != b.cfg.Baud
}

// space is how much the host can write at this moment.
func (b *board) space() int { return max(0, ttyOut-b.in.pending()) }

// write takes bytes from the host.
func (b *board) write(now time.Duration, p []byte) {
	if !b.unplugged {
		b.in.put(now, p)
	}
}

// next is when advance has to be called.
func (b *board) next() time.Duration {
	return min(b.fw.next(), b.nextIn(), b.plugAt)
}

// nextIn is when a byte arrives at the board that makes a difference: a line end, or one that fills the ring. With flow
// control a full ring holds the bytes back.
func (b *board) nextIn() time.Duration {
	if b.held() {
		return never
	}
	if b.in.released > 0 {
		return b.now
	}
	w := b.in.waiting()
	if len(w) == 0 {
		return never
	}
	k := b.fw.lineEnd(w) + 1
	if room := len(b.fw.rx.buf) - b.fw.rx.n; k == 0 || k > room+1 {
		k = min(len(w), max(1, room))
	}
	return b.in.wireAt(k)
}

func (b *board) held() bool { return b.fw.opt.flow && b.fw.rx.full() }

// advance lets everything happen that is due up to now, in its order.
func (b *board) advance(now time.Duration) {
	for {
		t := b.next()
		if t > now {
			break
		}
		b.now = max(b.now, t)
		b.deliver()
		b.fw.advance(b.now)
		b.run()
		if b.plugAt <= b.now {
			b.plugIn()
		}
	}
	b.now = max(b.now, now)
	b.fw.advance(b.now)
	b.back.release(b.now)
	b.flushRecord()
}

// deliver hands what has arrived to the firmware's interrupt. A full ring makes the main loop run first: it is faster than
// any line, unless it waits.
func (b *board) deliver() {
	b.fw.advance(b.now - 1)
	b.fw.now = b.now
	for !b.held() {
		room := len(b.chunk)
		if b.fw.opt.flow {
			room = min(room, len(b.fw.rx.buf)-b.fw.rx.n)
		}
		n := b.in.take(b.now, b.chunk[:room])
		if n == 0 {
			return
		}
		wrong := b.wrongSpeed()
		for i, c := range b.chunk[:n] {
			if b.inHand = n - i - 1; !b.through() {
				b.in.drop()
				break
			}
			if wrong {
				c = garbage(b.garble)
			}
			c, ok := b.noiseIn.pass(c)
			if !ok {
				continue
			}
			if b.fw.rx.full() {
				b.run()
			}
			b.fw.receive(c)
		}
		b.inHand = 0
	}
}

// run lets the firmware's main loop run as far as it gets at this moment.
func (b *board) run() {
	b.fw.run()
	for b.fetch() {
		b.fw.run()
	}
}

// fetch moves what the firmware said onto the line, and reports whether there was something.
func (b *board) fetch() bool {
	out := b.fw.out
	if len(out) == 0 {
		return false
	}
	b.fw.out = out[:0]
	b.fw.count.BytesOut += int64(len(out))
	if b.fw.opt.paced {
		b.sentAt = max(b.sentAt, b.now) + wireTime(int64(len(out)), b.cfg.Baud)
		if free := b.sentAt - wireTime(int64(b.cfg.TxBuffer), b.cfg.Baud); free > b.now {
			b.fw.busy(free)
		}
	}
	if b.unplugged || b.open == 0 {
		b.hostLost += int64(len(out))
		return true
	}
	kept := out[:0]
	wrong := b.wrongSpeed()
	for _, c := range out {
		if wrong {
			c = garbage(b.garble)
		}
		if c, ok := b.noiseBack.pass(c); ok {
			kept = append(kept, c)
		}
	}
	if room := ttyIn - b.back.pending(); len(kept) > room {
		b.hostLost += int64(len(kept) - room)
		kept = kept[:max(0, room)]
	}
	b.back.put(b.now, kept)
	return true
}

// flushRecord hands the recorded commands on.
func (b *board) flushRecord() {
	if len(b.fw.recorded) == 0 {
		return
	}
	if _, err := b.cfg.Record.Write(b.fw.recorded); err != nil && b.recordErr == nil {
		b.recordErr = err
	}
	b.fw.recorded = b.fw.recorded[:0]
}

// opened and closed follow the host's opens and closes.
func (b *board) opened(reset bool) {
	b.open++
	if b.open == 1 {
		b.hostBaud = 0
		if reset {
			b.reset()
		} else if b.fw.Greets && b.fw.bootAt == never && !b.fw.killed {
			b.fw.boot()
			b.run()
		}
	}
}

func (b *board) closed() {
	b.open = max(0, b.open-1)
	if b.open == 0 {
		b.back.drop()
	}
}

func (b *board) reset() {
	b.fw.count.Resets++
	b.fw.restart(b.fw.Firmware.Boot)
}

func (b *board) counters() Counters {
	c := b.fw.count
	c.Underruns, c.Collisions = b.fw.planner.underruns, b.fw.relief.hits
	c.FaultBytes = b.noiseIn.hits + b.noiseBack.hits
	c.HostLost, c.Unplugs = b.hostLost, b.unplugs
	c.Gaps = b.fw.gap.hist
	return c
}

package printertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Config is what a pretend printer is made of. The zero value is a Marlin 2.1 with a bed of 220 × 220 × 250 mm on a line
// without speed, which moves and heats in no time.
type Config struct {
	Firmware   string        // one of Firmwares(); "" = "marlin2"
	Baud       int           // the line's speed, which paces both directions; 0 = unpaced, and any speed of the host's will do
	USBLatency time.Duration // each direction delivers in batches, so much later, as a USB adapter does
	RxBuffer   int           // bytes of the receive ring, one of which stays free; 0 = the firmware's own, 128 in Marlin
	BufSize    int           // places in the command queue; 0 = the firmware's own, 4 in Marlin
	TxBuffer   int           // bytes that the board can say ahead of a line with a speed before its main loop waits; 0 = any number, -1 = the firmware's own
	AdvancedOK bool          // oks say line number, planner room and queue room
	Leveling   string        // how it was built to level its bed: "" not, "bilinear", "ubl"; with a probe. Klipper has a bed_mesh then
	MeatPack   bool          // it was built to unpack lines that are sent packed, and M115 says so

	Protection      string  // what M115 says of its thermal protection: "0", "1", "none" for not a word; "" = as the firmware was built
	EmergencyParser *bool   // nil = as the firmware was built
	FlowControl     bool    // a full ring holds bytes back, as native USB does, where a UART would lose them
	Speed           float64 // how many times faster than real motion and dwelling run: 1 = real, 0 = instant
	Heat            float64 // how many times faster than real it heats and cools: 1 = real, 0 = instant
	ResetOnOpen     bool    // the wiring restarts the board when the port is opened (DTR)
	Faults          Faults
	Seed            uint64 // of the faults: the same seed gives the same faults

	Card    []CardFile // what is on the memory card; nil = the printer has no reader (only Marlin and Prusa have one here)
	CardOut bool       // and no card is in it

	// Record gets every executed command, in execution order, one per line: microseconds since the beginning, a tab,
	// the command without number and checksum. It is written from whichever goroutine makes a command happen, one at a time.
	Record       io.Writer
	KeepExecuted bool // keep them for Executed as well

	WidthMM, DepthMM, HeightMM float64 // 0 = 220, 220, 250

	X, Y   Switch // what they home to
	Homing Homing
	Head   Head // what collides, see Counters.Collisions
	CoreXY bool // a lost motor step moves both axes
}

// Sim is a pretend printer. Run (or Step) makes its time pass; all methods may be called from any goroutine. It must be made in
// the testing/synctest bubble in which it is used.
type Sim struct {
	start time.Time
	nudge chan struct{} // room for one: something happened that Run has to look at

	mu      sync.Mutex // guards all below; never held while blocked
	changed *sync.Cond // on mu: bytes to read, room to write, a port that closed
	board   *board
	ended   bool
	readers int           // blocked in Read
	writers int           // blocked in Write
	epoch   int           // grows with each Discard
	armed   time.Duration // when Run will look by itself
}

// New checks cfg and makes a printer that has been switched on long ago, or, with ResetOnOpen, boots when it is opened.
func New(cfg Config) (*Sim, error) {
	if cfg.Firmware == "" {
		cfg.Firmware = "marlin2"
	}
	fw, ok := dialectNamed(cfg.Firmware)
	if !ok {
		return nil, fmt.Errorf("unknown firmware %q, known are %q", cfg.Firmware, Firmwares())
	}
	or := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	or(&cfg.RxBuffer, fw.RxBuffer)
	or(&cfg.BufSize, fw.BufSize)
	if cfg.TxBuffer == -1 {
		cfg.TxBuffer = fw.TxBuffer
	}
	for v, d := range map[*float64]float64{&cfg.WidthMM: 220, &cfg.DepthMM: 220, &cfg.HeightMM: 250} {
		if *v == 0 {
			*v = d
		}
	}
	switch {
	case cfg.Leveling != "" && cfg.Leveling != "bilinear" && cfg.Leveling != "ubl":
		return nil, fmt.Errorf("leveling %q: want bilinear or ubl", cfg.Leveling)
	case cfg.Baud < 0 || cfg.Baud > 10_000_000:
		return nil, fmt.Errorf("baud %d: want 0 to 10000000", cfg.Baud)
	case cfg.USBLatency < 0 || cfg.USBLatency > time.Minute:
		return nil, fmt.Errorf("usb latency %v: want 0 to a minute", cfg.USBLatency)
	case cfg.RxBuffer < 4 || cfg.RxBuffer > 1<<20:
		return nil, fmt.Errorf("receive buffer of %d bytes: want 4 to 1048576", cfg.RxBuffer)
	case cfg.TxBuffer < 0 || cfg.TxBuffer > 1<<20:
		return nil, fmt.Errorf("transmit buffer of %d bytes: want -1 to 1048576", cfg.TxBuffer)
	case cfg.BufSize < 1 || cfg.BufSize > 1024:
		return nil, fmt.Errorf("command queue of %d: want 1 to 1024", cfg.BufSize)
	case !(cfg.Speed >= 0 && cfg.Speed <= 1e6):
		return nil, fmt.Errorf("speed %g: want 0 to 1e6", cfg.Speed)
	case !(cfg.Heat >= 0 && cfg.Heat <= 1e6):
		return nil, fmt.Errorf("heat %g: want 0 to 1e6", cfg.Heat)
	}
	for _, mm := range []float64{cfg.WidthMM, cfg.DepthMM, cfg.HeightMM} {
		if !(mm >= 10 && mm <= 5000) {
			return nil, fmt.Errorf("size %g mm: want 10 to 5000", mm)
		}
	}
	for name, err := range map[string]error{"x": cfg.X.check(), "y": cfg.Y.check(), "homing": cfg.Homing.check(), "head": cfg.Head.check()} {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	s := &Sim{start: time.Now(), nudge: make(chan struct{}, 1), board: newBoard(cfg, fw)}
	s.changed = sync.NewCond(&s.mu)
	return s, nil
}

// ErrUnplugged is what a Port says when its cable was pulled.
var ErrUnplugged = errors.New("the pretend printer was unplugged")

// Run drives the printer in real (or the bubble's) time until ctx ends, and then returns an error only if Record failed.
// Ports then read io.EOF.
func (s *Sim) Run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		s.mu.Lock()
		now := s.now()
		s.advance(now)
		next := min(s.board.next(), s.wakePorts(now))
		s.armed = next
		s.mu.Unlock()
		if next == never {
			timer.Stop()
		} else {
			timer.Reset(next - now)
		}
		select {
		case <-ctx.Done():
			s.mu.Lock()
			defer s.mu.Unlock()
			s.ended = true
			s.changed.Broadcast()
			return s.board.recordErr
		case <-s.nudge:
		case <-timer.C:
		}
	}
}

func (s *Sim) now() time.Duration { return time.Since(s.start) }

// advance lets the board catch up with now. mu is held.
func (s *Sim) advance(now time.Duration) {
	unplugs := s.board.unplugs
	s.board.advance(now)
	if s.board.unplugs != unplugs {
		s.changed.Broadcast()
	}
}

// wakePorts wakes those who wait in Read and Write when there is something for them, and says when there will be. mu is held.
func (s *Sim) wakePorts(now time.Duration) time.Duration {
	b, next := s.board, never
	if s.readers > 0 {
		if b.back.released > 0 {
			s.changed.Broadcast()
		}
		next = b.back.nextUseful()
	}
	if s.writers > 0 {
		if b.space() > 0 {
			s.changed.Broadcast()
		} else if !b.held() {
			next = min(next, b.in.wireAt(min(256, b.in.queued())))
		}
	}
	return max(next, now)
}

// settle lets the board catch up with now, and wakes Run if there is something to do before it looks by itself. mu is held.
func (s *Sim) settle(now time.Duration) {
	s.advance(now)
	if min(s.board.next(), s.wakePorts(now)) < s.armed {
		s.poke()
	}
}

func (s *Sim) poke() {
	select {
	case s.nudge <- struct{}{}:
	default:
	}
}

// Body is a consistent copy of the machine at this moment.
func (s *Sim) Body() Body {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.now())
	body := s.board.fw.body()
	body.Plugged = !s.board.unplugged
	return body
}

// Counters is what was counted so far.
func (s *Sim) Counters() Counters {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board.counters()
}

// Executed is every executed command in execution order, if Config.KeepExecuted asked for it.
func (s *Sim) Executed() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.board.fw.executed...)
}

// Inject makes faults happen now.
func (s *Sim) Inject(faults ...Trigger) {
	s.mu.Lock()
	s.advance(s.now())
	for _, t := range faults {
		s.board.fw.trigger(t)
	}
	s.board.run()
	s.changed.Broadcast()
	s.settle(s.now())
	s.mu.Unlock()
}

package printertest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// firmware is the program on the board together with the body that it moves. It is pure: receive gives it bytes,
// advance tells it the time, next says when it wants to be told again, and what it says gathers in out.
//
// Its main loop (run) is that of Marlin: read the ring into the command queue while there is room, execute the
// oldest command, which keeps its place in the queue until it is done, and again. A command that has to wait leaves its
// handler with false, and the handler is called again at the next event, as Marlin's idle() loops do. Executing takes no time.
type firmware struct {
	Firmware
	opt  options
	now  time.Duration
	out  []byte
	tell func(Trigger) // faults of the line, which the board handles
	dice *dice

	// Receiving.
	rx          ring
	meat        unpacker
	overrunning bool
	line        []byte // being assembled
	lineState   lineState
	lineAt      time.Duration // when a line that does not go on is given up
	deaf        bool          // the receive ring is not read
	lastN       int64
	parser      emergencyParser

	// The command queue; the command under way is the oldest one.
	queue    [][]byte // slots
	fromCard []bool   // and which of them the card filled
	oldest   int
	queued   int
	cur      command
	active   bool
	stage    int           // how far the handler of cur is
	wake     time.Duration // when the handler wants to be called; never = only at other events
	begun    time.Duration

	bootAt    time.Duration // the board is starting until then; never = it runs
	killed    bool
	stalled   time.Duration // nothing runs until then; never = not stalled
	killLater bool          // an M112 came during that time
	cleaning  time.Duration // after a quick stop nothing runs until then
	printing  time.Duration // the main loop is busy sending what it said until then; never = it is not
	busyEvery time.Duration
	busyAt    time.Duration
	paused    bool // waits for a person
	userGo    bool
	asked     bool // and M876 would do
	heatGo    bool
	idleAt    time.Duration // when to say "wait" next

	tempEvery, posEvery time.Duration
	tempAt, posAt       time.Duration

	motion
	nozzle, bed heater
	fan         [8]int // 0 to 255
	handlers    *handlers
	count       Counters
	gap         gap
	recorded    []byte
	executed    []string
	executedN   []int64       // and their numbers
	injected    string        // a command of the firmware's own, ahead of the queue; "" = none
	inserted    bool          // the command under way is one
	hostRunout  bool          // M412 H1
	sensorOff   bool          // M412 S0
	quiet       bool          // its first words are lost
	killPressed bool          // by a wire that is shorted
	down        string        // Klipper's reason of a shutdown; "" = it is ready
	skipLeft    int           // wrong lines still to be skipped (SkipWindow)
	resendAt    time.Duration // when to ask again (ResendAgain)
	wanted      int64         // the line to be asked for
	sumSeen     bool          // a line with a checksum has come
	wordErrors  int           // lines in a row that are no command
	flushDue    bool          // an error was said; flush and Resend follow
	settings    settings
	card        card
}

// options are what a Config says that the firmware itself needs.
type options struct {
	advancedOK, emergency, flow bool
	meatPack                    bool
	unprotected                 string // what M115 says of its thermal protection; "" = as it was built
	leveling                    string
	paced                       bool // the line has a speed, and sending can keep the main loop busy
	speed, heat                 float64
	size                        [3]float64
	stops                       [2]Switch
	homing                      Homing
	coreXY                      bool
	head                        Head
	seed                        uint64
	record, keep                bool
	faults                      Faults
	card                        []CardFile
	cardOut                     bool
}

func newFirmware(fw Firmware, opt options, rxBuffer, bufSize int, d *dice) *firmware {
	opt.advancedOK = opt.advancedOK || fw.Advanced
	f := &firmware{Firmware: fw, opt: opt, dice: d, handlers: fw.handlers(), gap: gap{from: never}}
	if opt.meatPack {
		f.Info = withCapability(f.Info, "MEATPACK", "1")
	}
	if opt.unprotected != "" {
		f.Info = withCapability(f.Info, "THERMAL_PROTECTION", opt.unprotected)
	}
	if opt.leveling != "" {
		f.Info = withLeveling(f.Info)
	}
	f.rx = newRing(rxBuffer)
	f.line = make([]byte, 0, fw.MaxLine)
	if opt.card != nil && fw.Card != noCard {
		f.card = card{form: fw.Card, files: opt.card, in: !opt.cardOut}
		f.Info = withCard(f.Info, fw.Card)
		if f.card.in {
			f.Banner = strings.Split(strings.ReplaceAll(strings.Join(fw.Banner, "\n"), "echo:SD init fail", "echo:SD card ok"), "\n")
		}
		for code, do := range cardCommands(fw.Card) {
			f.handlers.m[code] = do
		}
	}
	f.queue, f.fromCard = make([][]byte, bufSize), make([]bool, bufSize)
	for i := range f.queue {
		f.queue[i] = make([]byte, 0, min(fw.MaxLine, 96))
	}
	f.nozzle, f.bed = hotend(opt.heat), bed(opt.heat)
	f.motion.size, f.motion.coreXY = opt.size, opt.coreXY
	for i := range f.stops {
		var s Switch
		if i < len(opt.stops) {
			s = opt.stops[i]
		}
		f.stops[i], f.frame[i] = newStop(s, opt.size[i], rand.New(rand.NewPCG(opt.seed, uint64(10+i))))
		f.soft[i] = f.softLimit(i)
	}
	f.relief = newRelief(opt.head, f.frame)
	// Nobody knows where the head was left before the power came.
	for i, at := range [3]float64{opt.size[0] * 0.4, opt.size[1] * 0.55, min(30, opt.size[2]/2)} {
		f.reach(i, at)
	}
	f.tell = func(Trigger) {}
	f.settings.init()
	f.restart(0)
	f.bootAt = never
	return f
}

// restart is the reset pin: all that was in RAM is gone, the heaters are off, and the program starts in a while.
func (f *firmware) restart(boot time.Duration) {
	f.motion.freeze(f.now)
	f.rx.flush()
	f.meat = unpacker{}
	f.line, f.lineState, f.lineAt, f.deaf, f.lastN, f.parser = f.line[:0], lineNormal, never, false, 0, emergencyParser{}
	f.oldest, f.queued, f.active, f.wake = 0, 0, false, never
	f.killed, f.stalled, f.killLater, f.cleaning, f.paused = false, never, false, never, false
	f.busyEvery, f.busyAt, f.idleAt = f.Firmware.BusyEvery, never, never
	f.tempEvery, f.posEvery, f.tempAt, f.posAt = 0, 0, never, never
	f.nozzle.set(f.now, 0)
	f.bed.set(f.now, 0)
	f.fan = [8]int{}
	f.card.restart()
	clear(f.fromCard)
	f.motion.restart(f)
	f.recall()
	f.bootAt = f.now + boot
	f.gap.from = never
	f.injected, f.inserted, f.asked, f.hostRunout, f.sensorOff = "", false, false, false, false
	f.sumSeen, f.wordErrors = false, 0
	f.down, f.skipLeft, f.resendAt, f.printing, f.flushDue = "", 0, never, never, false
}

// powerOff lets the board restart when the power comes back, after d; 0 is never.
func (f *firmware) powerOff(d time.Duration) {
	f.restart(d + f.Firmware.Boot)
	if d == 0 {
		f.bootAt = endOfTime
	}
}

// boot is the program's first words.
func (f *firmware) boot() {
	f.bootAt = never
	for _, line := range f.Banner {
		if !f.quiet {
			f.say(line)
		}
	}
	f.quiet = false
	f.idleAt = f.idleFrom()
	if f.killPressed {
		f.pressKill()
	}
}

// next is when the firmware wants advance to be called, if nothing is received before.
func (f *firmware) next() time.Duration {
	if f.bootAt != never {
		return f.bootAt
	}
	if f.killed {
		return never
	}
	if f.stalled != never {
		return f.stalled
	}
	if f.printing != never {
		return min(f.planner.next(), f.printing)
	}
	t := min(f.planner.next(), f.busyAt, f.tempAt, f.posAt, f.cleaning, f.idleAt, f.resendAt, f.lineAt, f.card.reports)
	if f.active {
		t = min(t, f.wake)
	}
	return t
}

// advance lets everything happen that is due up to now, in its order.
func (f *firmware) advance(now time.Duration) {
	for t := f.next(); t <= now; t = f.next() {
		f.now = max(f.now, t)
		f.tick()
	}
	f.now = max(f.now, now)
}

// tick handles what is due at f.now.
func (f *firmware) tick() {
	if f.bootAt <= f.now {
		f.boot()
		return
	}
	if f.stalled <= f.now {
		f.stalled = never
		if f.killLater {
			f.kill(f.KillWords)
			return
		}
	}
	f.planner.advance(f.now)
	if f.printing > f.now && f.printing != never {
		return
	}
	f.printing = never
	f.checkStops()
	if f.cleaning <= f.now {
		f.cleaning = never
	}
	if f.tempAt <= f.now {
		f.tempAt = f.now + f.tempEvery
		f.sayTemps(f.AutoPrefix, "")
	}
	if f.posAt <= f.now {
		f.posAt = f.now + f.posEvery
		f.sayPosition()
	}
	if f.card.reports <= f.now {
		f.card.reports = f.now + f.card.every
		f.sayCardStatus(false)
	}
	if f.busyAt <= f.now {
		f.sayBusy()
	}
	if f.lineAt <= f.now {
		f.dropLine()
	}
	if f.resendAt <= f.now {
		f.wanted = f.lastN + 1
		f.askResend()
	}
	if f.wake <= f.now {
		f.wake = never // the handler sets it anew; meanwhile a quick stop may keep run from calling it
	}
	if f.idleAt <= f.now {
		f.idleAt = f.now + f.Wait
		f.say("wait")
	}
	f.run()
}

func (f *firmware) sayBusy() {
	f.busyAt = f.now + f.busyEvery
	if f.paused {
		f.say(f.BusyPaused)
		return
	}
	f.say(f.Busy)
}

// run is the main loop: until there is nothing to do at this moment.
func (f *firmware) run() {
	for {
		if !f.free() {
			return
		}
		if f.flushDue {
			f.endLineError()
		}
		f.readCommands()
		f.readCard()
		if !f.free() || f.cleaning != never || f.queued == 0 && f.injected == "" && !f.active {
			return
		}
		if !f.active {
			f.begin()
		}
		f.wake = never
		done := f.cur.handle(f)
		f.checkStops()
		if !done {
			return
		}
		if !f.active { // a reset or a kill ended it
			continue
		}
		f.finish()
	}
}

// free reports whether the main loop gets to run. With a small transmit buffer, or none, it waits until what it said is sent;
// so what it has just said goes to the board first.
func (f *firmware) free() bool {
	return f.bootAt == never && !f.killed && f.stalled == never && f.printing == never && !(f.opt.paced && len(f.out) > 0)
}

// busy keeps the main loop from running until then.
func (f *firmware) busy(until time.Duration) {
	if f.printing == never || f.printing < until {
		f.printing = until
	}
}

// kill is the end: heaters off, and nothing more until a reset. Klipper goes on answering.
func (f *firmware) kill(words []string) {
	switch {
	case f.ShutdownHelp != "":
		f.shutdown(words[0])
		return
	case f.HaltWord != "":
		f.halt(words)
		return
	}
	for _, w := range words {
		f.say(w)
	}
	f.motion.freeze(f.now)
	f.nozzle.set(f.now, 0)
	f.bed.set(f.now, 0)
	f.rx.flush()
	f.killed, f.active, f.queued = true, false, 0
}

// say sends a line, or, where the answer to the command under way stands on the ok line, that line.
func (f *firmware) say(text string) {
	if f.active && f.cur.onOK && !f.cur.quiet {
		f.cur.quiet = true
		f.answer(append([]byte{' '}, text...))
		return
	}
	f.out = append(f.out, text...)
	f.out = append(f.out, f.LineEnd...)
}

func (f *firmware) sayf(format string, args ...any) { f.say(fmt.Sprintf(format, args...)) }

// endOfTime is later than any run, and earlier than never.
const endOfTime = never - 1

// idleFrom is when an idle firmware that says "wait" does so next.
func (f *firmware) idleFrom() time.Duration {
	if f.Wait <= 0 {
		return never
	}
	return f.now + f.Wait
}

package printertest

import (
	"bytes"
	"fmt"
	"time"
)

func setNozzle(f *firmware) bool {
	f.heat(&f.nozzle)
	f.sayTarget("TargetExtr0", &f.nozzle)
	return true
}
func setBed(f *firmware) bool { f.heat(&f.bed); f.sayTarget("TargetBed", &f.bed); return true }

func (f *firmware) sayTarget(name string, h *heater) {
	if f.TargetReports {
		f.sayf("%s:%.0f", name, h.targetC)
	}
}

func (f *firmware) heat(h *heater) {
	if v, ok := f.cur.params.float('S'); ok {
		h.set(f.now, v)
	}
}

func waitNozzle(f *firmware) bool { return f.waitHeat(&f.nozzle, 1) }
func waitBed(f *firmware) bool    { return f.waitHeat(&f.bed, 1) }

// residence is how long a temperature has to hold before M109 and M190 are content.
const residence = 3 * time.Second

// waitHeat is M109 and M190: S waits for heating only, R for cooling too. The temperature is told each second.
func (f *firmware) waitHeat(h *heater, windowC float64) bool {
	p := &f.cur.params
	if f.stage == 0 {
		v, heatOnly := p.float('S')
		if !heatOnly {
			var ok bool
			if v, ok = p.float('R'); !ok {
				v = h.targetC
			}
		}
		h.set(f.now, v)
		f.heatGo = false
		if (heatOnly || !p.has('R')) && h.reading(f.now) >= h.targetC-1e-9 {
			return true
		}
		f.stage, f.begun = 1, f.now // begun: the next report
	}
	if f.heatGo {
		return true
	}
	there := h.reaches(windowC)
	hold := residence
	if h.scale <= 0 {
		hold = 0
	} else if h.scale > 1 {
		hold = time.Duration(float64(residence) / h.scale)
	}
	end := never
	if there < endOfTime-hold {
		end = there + hold
	}
	if f.now >= end {
		return true
	}
	if f.begun <= f.now {
		wait := "?"
		if there <= f.now {
			wait = fmt.Sprint(int((end - f.now) / time.Second))
		}
		f.sayTemps(f.WaitPrefix, wait)
		f.begun = f.now + time.Second
	}
	f.wake = min(end, f.begun)
	return false
}

func sayTemperatures(f *firmware) bool {
	if f.cur.card {
		f.sayTemps("", "")
		return true
	}
	f.cur.quiet = true
	if f.TempsBeforeOK { // the ok is a line of its own
		f.sayTemps("", "")
		f.cur.quiet = false
		return true
	}
	f.count.OKs++
	f.gap.answered(f.now, f.waits())
	if f.dice.lostOK() {
		f.count.LostOKs++
		return true
	}
	f.sayTemps("ok ", "")
	if f.dice.doubleOK() {
		f.count.DoubledOKs++
		f.sayTemps("ok ", "")
	}
	return true
}

// sayTemps reports all temperatures in the firmware's own form; wait is the W: of a heating command, "" for none.
func (f *firmware) sayTemps(prefix, wait string) {
	n, b := f.nozzle.reading(f.now), f.bed.reading(f.now)
	nt, bt := f.nozzle.targetC, f.bed.targetC
	f.out = append(f.out, prefix...)
	switch f.Temps {
	case tempsKlipper:
		f.out = fmt.Appendf(f.out, "B:%.1f /%.1f T0:%.1f /%.1f", b, bt, n, nt)
	case tempsPrusa:
		if wait != "" {
			f.out = fmt.Appendf(f.out, "T:%.1f E:0 W:%s", n, wait)
			break
		}
		f.out = fmt.Appendf(f.out, "T:%.1f /%.1f B:%.1f /%.1f T0:%.1f /%.1f @:%d B@:%d P:0.0 A:28.4", n, nt, b, bt, n, nt,
			f.nozzle.duty(f.now), f.bed.duty(f.now))
	case tempsRepetier:
		f.out = fmt.Appendf(f.out, "T:%.2f /%.0f B:%.2f /%.0f B@:%d @:%d", n, nt, b, bt, f.bed.duty(f.now)*2, f.nozzle.duty(f.now)*2)
	case tempsSmoothie:
		f.out = fmt.Appendf(f.out, "T:%.1f /%.1f @%d B:%.1f /%.1f @%d ", n, nt, f.nozzle.duty(f.now)*2, b, bt, f.bed.duty(f.now)*2)
	case tempsBare:
		f.out = fmt.Appendf(f.out, "T:%.0f B:%.0f", n, b)
	case tempsRepRap:
		f.out = fmt.Appendf(f.out, "T:%.1f /%.1f T0:%.1f /%.1f B:%.1f /%.1f", n, nt, n, nt, b, bt)
	default:
		f.out = fmt.Appendf(f.out, "T:%.2f /%.2f B:%.2f /%.2f @:%d B@:%d", n, nt, b, bt, f.nozzle.duty(f.now), f.bed.duty(f.now))
		if wait != "" {
			f.out = append(append(f.out, " W:"...), wait...)
		}
	}
	f.out = append(f.out, f.LineEnd...)
}

func setFan(f *firmware) bool {
	p := &f.cur.params
	i := int(max(0, min(float64(len(f.fan)-1), p.or('P', 0))))
	v := 0
	if f.cur.code == 106 {
		v = int(max(0, min(255, p.or('S', 255))))
	}
	f.fan[i] = v
	if f.FanReports {
		f.sayf("M106 P%d S%d", i, v)
	}
	return true
}

func autoTemps(f *firmware) bool {
	f.tempEvery, f.tempAt = f.autoReport()
	return true
}

func autoPosition(f *firmware) bool {
	f.posEvery, f.posAt = f.autoReport()
	return true
}

// autoReport reads S, in whole seconds up to a minute; 0 is off.
func (f *firmware) autoReport() (every, at time.Duration) {
	s := int(max(0, min(60, f.cur.params.or('S', 0))))
	if s == 0 {
		return 0, never
	}
	every = time.Duration(s) * time.Second
	return every, f.now + every
}

func keepAlive(f *firmware) bool {
	v, ok := f.cur.params.float('S')
	if !ok {
		f.sayf("echo:M113 S%d", int(f.busyEvery/time.Second))
		return true
	}
	f.busyEvery = time.Duration(max(0, min(60, v))) * time.Second
	return true
}

// letGo is M108 taken from the queue: with an emergency parser it has acted before.
func letGo(f *firmware) bool { return true }

// letAnswer is M876 taken from the queue, which says the same: nothing that asks waits for the queue.
func letAnswer(f *firmware) bool {
	f.answered()
	return true
}

// stopAll is M112 taken from the queue.
func stopAll(f *firmware) bool {
	if f.down != "" {
		return true
	}
	if f.KillWords == nil { // it stops, and lives on
		f.motion.freeze(f.now)
		f.nozzle.set(f.now, 0)
		f.bed.set(f.now, 0)
		return true
	}
	f.kill(f.KillWords)
	f.cur.quiet = f.HaltWord != "" // its words begin with the ok
	return f.cur.quiet
}

func stopMoves(f *firmware) bool {
	if f.stage == 0 && !f.opt.emergency && !f.Early {
		f.quickStop()
		f.stage = 1
		return false
	}
	return true
}

// resume is M999: firmware that was not stopped at all asks for the next line all the same (observed).
func resume(f *firmware) bool {
	f.endHalt()
	if f.ResumeAsks {
		f.rx.flush()
		f.wanted = f.lastN + 1
		f.askResend()
	}
	return true
}

func setLine(f *firmware) bool {
	if f.OKEarly { // it took effect when it was received
		return true
	}
	if v, ok := f.cur.params.float('N'); ok {
		f.lastN = int64(v)
	} else if f.Checks {
		f.sayf("Line: %d", f.lastN)
	}
	return true
}

func sayInfo(f *firmware) bool {
	for _, line := range f.Info {
		f.say(line)
	}
	if f.AreaReport {
		area := fmt.Sprintf("{min:{x:0.00,y:0.00,z:0.00},max:{x:%.2f,y:%.2f,z:%.2f}}", f.size[0], f.size[1], f.size[2])
		f.sayf("area:{full:%s,work:%s}", area, area)
	}
	return true
}

// sayText is M118: A1 makes it an action comment, E1 an echo, P chooses a port.
func sayText(f *firmware) bool {
	text, prefix := f.cur.args, ""
	for len(text) >= 2 && (text[0] == 'A' || text[0] == 'E' || text[0] == 'P') && isDigit(text[1]) {
		switch {
		case text[0] == 'A' && text[1] == '1':
			prefix = "//"
		case text[0] == 'E' && text[1] == '1':
			prefix = "echo:"
		}
		text = bytes.TrimLeft(text[2:], " ")
	}
	f.sayf("%s%s", prefix, text)
	return true
}

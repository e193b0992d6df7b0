package power

import (
	"context"
	"slices"
	"sync"
	"time"

	"layerd/printer"
)

// Run does what happens by itself until ctx ends: it asks the switches while somebody looks or a print runs, and switches off by the rules. It returns nil. What
// is switched stays as it is.
func (b *Board) Run(ctx context.Context) error {
	var helpers sync.WaitGroup
	defer b.lamp.close()
	defer b.power.close()
	defer helpers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	snaps := b.cfg.Printer.Snapshots()
	fresh := make(chan struct{}, 1)
	helpers.Go(func() {
		for range snaps.Each(ctx) {
			select {
			case fresh <- struct{}{}:
			default:
			}
		}
	})
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	var last past
	last.asked = map[*outlet]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-fresh:
		case <-b.kick:
		case <-due.C:
		case <-look.C:
		case <-b.cut:
			helpers.Go(func() { b.cutOff(ctx) })
		}
		snap, _ := snaps.Get()
		now := time.Now()
		if last.stopped(snap) {
			helpers.Go(func() { b.cutOff(ctx) })
		}
		gone := last.went(snap)
		for _, o := range []*outlet{b.power, b.lamp} {
			if b.mustAsk(o, snap, now, last.asked[o], gone) {
				last.asked[o] = now
				helpers.Go(func() { b.ask(ctx, o) })
			}
		}
		if b.see(snap, now) {
			helpers.Go(func() { b.offByItself(ctx) })
		}
		due.Stop()
		if at := b.dueAt(); !at.IsZero() {
			due.Reset(max(0, at.Sub(now)))
		}
	}
}

// past is what Run has seen before.
type past struct {
	asked   map[*outlet]time.Time
	askedMS int64         // of the newest halt
	began   bool          // snapshots were seen before
	state   printer.State // of the newest
}

// stopped reports whether somebody has stopped the printer in an emergency, since the last look.
func (p *past) stopped(snap *printer.Snapshot) bool {
	if snap == nil || snap.Halt == nil || snap.Halt.AskedMS == p.askedMS {
		return false
	}
	p.askedMS = snap.Halt.AskedMS
	return p.began
}

// went reports whether the printer has gone away, since the last look.
func (p *past) went(snap *printer.Snapshot) bool {
	if snap == nil {
		return false
	}
	was, began := p.state, p.began
	p.state, p.began = snap.State, true
	return began && was != snap.State && (snap.State == printer.Disconnected || snap.Lost != nil)
}

// mustAsk reports whether a switch is to be asked now: every askEvery while somebody looks or a print runs, and when the printer has gone away.
func (b *Board) mustAsk(o *outlet, snap *printer.Snapshot, now, asked time.Time, gone bool) bool {
	if way, _ := o.get(); way.Kind == None || way.Kind == Lines {
		return false
	}
	if asked.IsZero() || gone && o == b.power {
		return true
	}
	wanted := snap != nil && snap.State.HasJob() || b.cfg.Watched != nil && b.cfg.Watched()
	b.mu.Lock()
	wanted = wanted || b.after.phase == Cooling || b.after.phase == Counting
	b.mu.Unlock()
	return wanted && now.Sub(asked) >= askEvery
}

// ask asks a switch. What was switched on by hand is connected again, where we had hung up.
func (b *Board) ask(ctx context.Context, o *outlet) {
	done, err := o.alone(ctx)
	if err != nil {
		return
	}
	defer done()
	if err := o.note(ctx); err != nil && ctx.Err() == nil {
		b.log.Debug("a switch does not tell how it stands", "err", err)
	}
	if _, seen := o.get(); o == b.power && seen.State == On && b.hang(false) {
		b.redial(ctx)
	}
	b.changed()
}

// see asks the rules.
func (b *Board) see(snap *printer.Snapshot, now time.Time) bool {
	way, seen := b.power.get()
	alarm := b.cfg.Alarm != nil && b.cfg.Alarm()
	b.mu.Lock()
	if snap != nil && len(snap.Nozzles) > 0 {
		b.hotAt = time.Time{}
		if slices.ContainsFunc(snap.Nozzles, func(n printer.Heater) bool { return n.ActualC > hotC || n.TargetC > hotC }) {
			b.hotAt = now
		}
	}
	off := b.after.see(sight{now: now, snap: snap, power: seen.State, alarm: alarm, rules: b.rules})
	if way.Kind == None {
		b.after.keep("")
		off = false
	}
	b.mu.Unlock()
	b.publish()
	return off
}

func (b *Board) dueAt() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.after.at
}

func (b *Board) offByItself(ctx context.Context) {
	rules, _ := b.Settings()
	if err := b.turn(ctx, false, max(hotC, rules.CoolC), false); err != nil {
		b.log.Error("the power was to go off by itself", "err", err)
		b.rule(func(a *after) { a.keep(err.Error()) })
		return
	}
	b.log.Info("the power went off by itself: all is cool")
}

// cutOff takes the power away after an emergency stop, where that is wanted. What goes through the printer would not be heard.
func (b *Board) cutOff(ctx context.Context) {
	rules, _ := b.Settings()
	if !rules.CutOnStop || rules.Power.Kind == None || rules.Power.Kind == Lines {
		return
	}
	err := b.power.put(ctx, false)
	if err != nil {
		b.log.Error("an emergency stop did not take the power away", "err", err)
	} else {
		b.log.Warn("an emergency stop took the power away")
	}
	b.changed()
}

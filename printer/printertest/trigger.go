package printertest

// trigger makes a fault happen now.
func (f *firmware) trigger(t Trigger) {
	switch t.Kind {
	case BoardReset:
		f.restart(f.Firmware.Boot)
		f.quiet = t.Quiet
	case Kill:
		if !f.killed && f.down == "" {
			f.kill(f.RunawayWords)
		}
	case Silent:
		f.stalled = endOfTime
	case Stall:
		f.stalled = f.now + t.For
	case KillPin:
		f.pressKill()
	case Runout:
		f.runout(t.Host)
	case Crash:
		f.crash(t.Back)
	case Shift, Lose, Tooth, Creep, Revert:
		f.motion.lose(t)
	case Heat:
		h := &f.nozzle
		if t.Bed {
			h = &f.bed
		}
		h.fail(f.now, t.How)
	case PanelPrint:
		f.panel("print", t.File)
	default:
		f.tell(t)
	}
}

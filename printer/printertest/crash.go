package printertest

// What Prusa's firmware does when its motor drivers feel that the head has hit something, in a print from a host (Prusa-Firmware,
// crashdet_detected, stop_and_save_print_to_ram, restore_print_from_ram_and_continue; the lines are those of logs that people posted, their
// order was not observed here). All that is planned or queued is thrown away, the queue with an ok for each command; the receive ring is not
// read any more; X and Y are homed. Then it takes up the count of lines where the first move was that is missing, and asks for that one: tens
// of lines back. No action is sent, and nothing is said that names the lines.

// crashSeconds is how long the homing takes.
const crashSeconds = 10

// crash throws everything away, and puts the homing ahead of what may come.
func (f *firmware) crash(back int64) {
	if !f.CrashDetect || f.deaf || f.killed || f.bootAt != never {
		return
	}
	f.motion.freeze(f.now)
	for range f.queued {
		f.okNow(nil)
	}
	f.oldest, f.queued, f.active, f.paused, f.busyAt = 0, 0, false, false, never
	f.deaf, f.injected = true, "CRASH_DETECTEDX"
	f.lastN = max(0, f.lastN-back)
	f.unexecute(f.lastN)
	f.say(`echo:enqueing "CRASH_DETECTEDX"`)
}

// unexecute takes the lines after n out of the list of what was executed.
func (f *firmware) unexecute(n int64) {
	from := len(f.executed)
	for from > 0 && (f.executedN[from-1] < 0 || f.executedN[from-1] > n) {
		from--
	}
	kept := from
	for i := from; i < len(f.executed); i++ {
		if f.executedN[i] < 0 { // without number it will not be asked for
			f.executed[kept], f.executedN[kept] = f.executed[i], f.executedN[i]
			kept++
		}
	}
	f.executed, f.executedN = f.executed[:kept], f.executedN[:kept]
}

// crashDetected is the command that the firmware gives itself: it homes.
func crashDetected(f *firmware) bool {
	if f.stage == 0 {
		f.stage, f.begun = 1, f.now+f.motionTime(crashSeconds)
		f.say("LCD status changed")
		f.say("tmc2130_home_enter(axes_mask=0x01)")
	}
	if !f.until(f.begun) {
		return false
	}
	f.say("  0 step=45 mscnt= 731")
	f.say("tmc2130_goto_step 0 61 2 1000")
	f.say("tmc2130_home_exit tmc2130_sg_homing_axes_mask=0x01")
	f.say(`echo:enqueing "CRASH_RECOVER"`)
	for axis := range 2 {
		f.homed[axis] = true
	}
	f.deaf, f.lineAt = false, never
	f.rx.flush()
	f.line, f.lineState = f.line[:0], lineNormal
	f.wanted = f.lastN + 1
	f.askResend()
	return true
}

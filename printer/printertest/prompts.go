package printertest

// What the firmware asks of a person, and of the host in its place (feature/host_actions.cpp, pause.cpp, runout.cpp of Marlin 2.1). M0 and
// the beginning of M600 were observed; the rest was read.

// waitForUser is M0 and M1: with host prompts it asks, and waits until M108 or M876 lets it go, or for S seconds.
func waitForUser(f *firmware) bool {
	p := &f.cur.params
	if f.stage == 0 {
		if !f.synced() {
			return false
		}
		f.stage, f.userGo, f.paused = 1, false, true
		text := f.cur.args
		s := 0.0
		if len(text) > 1 && (text[0] == 'S' || text[0] == 'P') && isDigit(text[1]) {
			s = p.or('S', 0) + p.or('P', 0)/1000
		}
		if len(text) == 0 || s > 0 {
			text = []byte("M0/1 Break Called")
		} else {
			f.sayf("echo:%s", text)
		}
		f.question(string(text))
		f.begun = endOfTime
		if s > 0 {
			f.begun = f.now + seconds(s)
		}
	}
	return f.userGo || f.until(f.begun)
}

// prompt shows text and buttons on a host's screen. The answer to it, if there is one, means nothing.
func (f *firmware) prompt(text string, buttons ...string) {
	f.say("//action:prompt_end")
	f.sayf("//action:prompt_begin %s", text)
	for _, b := range buttons {
		f.sayf("//action:prompt_button %s", b)
	}
	f.say("//action:prompt_show")
	f.asked, f.card.asks = false, false
}

// question is a prompt whose answer lets the firmware go on.
func (f *firmware) question(text string) {
	f.prompt(text, "Continue")
	f.asked = true
}

// answered is M876, the press of a button: it counts once, and only for a question that waits.
func (f *firmware) answered() {
	f.userGo = f.userGo || f.asked
	if f.asked && f.card.asks && f.card.open != nil && !f.card.reading {
		f.injected = "M24" // host_response_handler, PROMPT_PAUSE_RESUME
	}
	f.card.asks = false
	f.asked = false
}

// How long M600 takes to push the old filament out, and to pull the new one in. The moves themselves, away from the print and back, are
// not made here: nobody can ask meanwhile where the head is.
const (
	unloadSeconds = 12
	loadSeconds   = 20
)

// changeFilament is M600. M108 and M876 end nothing but the wait for the new filament: not the unloading before it.
func changeFilament(f *firmware) bool {
	switch f.stage {
	case 0:
		f.say("//action:paused")
		f.prompt("Pause", "Dismiss")
		f.stage = 1
		fallthrough
	case 1:
		if !f.synced() {
			return false
		}
		f.stage, f.begun = 2, f.now+f.motionTime(unloadSeconds)
		fallthrough
	case 2:
		if !f.until(f.begun) {
			return false
		}
		f.say("echo:Insert filament and send M108")
		f.question("Nozzle Parked")
		f.stage, f.userGo, f.paused = 3, false, true
		fallthrough
	case 3:
		if !f.userGo {
			return false
		}
		f.stage, f.paused, f.begun = 4, false, f.now+f.motionTime(loadSeconds)
	}
	if !f.until(f.begun) {
		return false
	}
	f.prompt("Paused", "PurgeMore", "Continue") // nobody waits for the answer: this build has no menu
	f.say("//action:prompt_end")
	f.say("//action:resumed")
	f.prompt("Resuming", "Dismiss")
	return true
}

// runout is the filament's end at the sensor. The firmware changes the filament by itself, ahead of all that is queued, unless the host has
// said that it will see to it (M412 H1).
func (f *firmware) runout(host bool) {
	if f.handlers.m[600] == nil || f.sensorOff || f.killed || f.active && f.cur.letter == 'M' && f.cur.code == 600 {
		return
	}
	f.prompt("FilamentRunout T0")
	if host || f.hostRunout {
		f.say("//action:out_of_filament T0")
		f.say("//action:pause filament_runout 0")
		return
	}
	f.say("//action:paused filament_runout 0")
	f.injected = "M600"
}

// runoutSensor is M412.
func runoutSensor(f *firmware) bool {
	p := &f.cur.params
	if v, ok := p.float('S'); ok {
		f.sensorOff = v == 0
	}
	if v, ok := p.float('H'); ok {
		f.hostRunout = v != 0
	}
	if !p.has('S') && !p.has('H') && !p.has('R') {
		word := map[bool]string{true: "ON", false: "OFF"}
		f.sayf("echo:Filament runout %s ; Host handling %s", word[!f.sensorOff], word[f.hostRunout])
	}
	return true
}

// pressKill is the kill button, or its wire shorted: with that the board dies at each start, after it has introduced itself (observed).
func (f *firmware) pressKill() {
	if f.killPressed = len(f.KillPinWords) > 0; f.killPressed && !f.killed && f.bootAt == never {
		f.kill(f.KillPinWords)
	}
}

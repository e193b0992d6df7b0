package printertest

import "strings"

// What a person does at the printer itself: at its panel, and with its memory card.

// ejectCard takes the card out. Marlin has nothing to say about it, but some builds tell the host.
func (f *firmware) ejectCard() {
	c := &f.card
	if !c.in {
		return
	}
	c.in = false
	switch c.form {
	case cardMarlin2:
		if c.reading {
			f.abortCard()
		}
		c.closeFile()
		if f.hostActions() {
			f.say("//action:sd_ejected") // an action that OctoPrint lists, and builds for hosts say
		}
	case cardPrusa:
		c.closeFile()
		f.say("echo:SD card released")
	default:
		c.reading = false // the file stays open, and M24 does nothing without a card
	}
}

func (f *firmware) insertCard() {
	f.card.in = true
	f.sayMounted()
	if f.hostActions() {
		f.say("//action:sd_inserted")
	}
}

// panelPrint is a print that a person chooses at the panel. Marlin 1.1 and Prusa's echo what that puts into the queue.
func (f *firmware) panelPrint(path string) {
	if f.card.form == noCard || f.bootAt != never || f.killed {
		return
	}
	if path == "" && len(f.card.files) > 0 {
		path = f.card.files[0].Path
	}
	path = strings.ToLower(path)
	switch f.card.form {
	case cardMarlin1:
		f.sayf("echo:enqueueing \"M23 %s\"", path)
		f.say("echo:enqueueing \"M24\"")
	case cardPrusa:
		f.sayf("echo:enqueing \"M23 %s\"", path)
		f.say("echo:enqueing \"M24\"")
	}
	if f.openFile(path) {
		f.startCard()
	}
}

// panel are the things that a person does at the printer.
func (f *firmware) panel(do string, path string) {
	if f.card.form == noCard {
		return
	}
	switch do {
	case "print":
		f.panelPrint(path)
	case "pause":
		f.stillCard()
	case "resume":
		f.startCard()
	case "stop":
		if f.card.open != nil {
			f.abortCard()
			if f.hostActions() {
				f.say("//action:cancel")
			}
		}
	case "eject":
		f.ejectCard()
	case "insert":
		f.insertCard()
	}
}

// Panel is what a person does at the printer: "print" (of the file at path, "" = the first), "pause", "resume" or "stop" of a print from the card,
// "eject" and "insert" of the card.
func (s *Sim) Panel(do, path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.now())
	s.board.fw.panel(do, path)
	s.board.run()
	s.changed.Broadcast()
	s.settle(s.now())
}

package printertest

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// The memory card in the printer, and prints from it: the main loop reads the file's lines into the same queue as the host's, which come first
// (Marlin: queue.cpp, get_available_commands), and answers none of them. Words and forms are those of sd/cardreader.cpp, gcode/sd/M20.cpp …
// M27.cpp, M524.cpp and core/language.h of Marlin 2, of cardreader.cpp of Marlin 1.1, and of Prusa-Firmware's cardreader.cpp; read, not observed.

// CardFile is a file on the card.
type CardFile struct {
	Path string    // DOS names in capitals: "BENCHY~1.GCO"; in a folder "/TOYS/CUBE.GCO"
	Long string    // its long name, "" = none. In a folder without that: "Cube.gcode"
	Text string    // its G-code
	Date time.Time // of its last change; zero = unknown
}

// cardForm is how a firmware speaks of its card.
type cardForm uint8

const (
	noCard      cardForm = iota // it has no reader
	cardMarlin2                 // M20 L T, M27 S and C, M524, "No media"
	cardMarlin1                 // M20 alone, "SD init fail"
	cardPrusa                   // M20 L T in its own form, M27 P, M603, "SD print paused"
)

type card struct {
	form    cardForm
	files   []CardFile
	in      bool // a card is in
	open    *CardFile
	at      int  // bytes read of it
	reading bool // it is printed
	paused  bool // Prusa
	ending  bool // its end is in the queue
	every   time.Duration
	reports time.Duration // when it reports by itself next
	asks    bool          // the question that was asked last is whether to go on
}

// cardCommands are what a firmware with a reader knows besides.
func cardCommands(form cardForm) map[int]handler {
	m := map[int]handler{20: listCard, 21: mountCard, 22: releaseCard, 23: openCard, 24: printCard, 25: pauseCard, 26: seekCard, 27: sayCard, 30: deleteCard}
	switch form {
	case cardMarlin2:
		m[524] = stopCard
	case cardPrusa:
		m[603] = stopCard
	}
	return m
}

// withCard is M115's answer of a firmware with a reader. Marlin 1.1 and Prusa's say nothing of it.
func withCard(info []string, form cardForm) []string {
	if form != cardMarlin2 {
		return info
	}
	on := strings.NewReplacer("Cap:SDCARD:0", "Cap:SDCARD:1", "Cap:LONG_FILENAME:0", "Cap:LONG_FILENAME:1", "Cap:EXTENDED_M20:0", "Cap:EXTENDED_M20:1")
	out := make([]string, len(info))
	for i, line := range info {
		out[i] = on.Replace(line)
		if strings.Contains(strings.Join(info, "\n"), "AUTOREPORT_TEMP:1") { // plain builds have no automatic reports
			out[i] = strings.Replace(out[i], "Cap:AUTOREPORT_SD_STATUS:0", "Cap:AUTOREPORT_SD_STATUS:1", 1)
		}
	}
	return out
}

func (c *card) restart() {
	c.open, c.at, c.reading, c.paused, c.ending, c.every, c.reports, c.asks = nil, 0, false, false, false, 0, never, false
}

// find looks a path up as FAT does, whatever the case.
func (c *card) find(path string) *CardFile {
	for i := range c.files {
		if strings.EqualFold(strings.TrimPrefix(c.files[i].Path, "/"), strings.TrimPrefix(path, "/")) {
			return &c.files[i]
		}
	}
	return nil
}

func baseName(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// readCard puts lines of the open file into the queue while there is room, and behind the last one the end.
func (f *firmware) readCard() {
	c := &f.card
	for c.reading && !c.ending && f.queued < len(f.queue) {
		if c.at >= len(c.open.Text) {
			c.ending = true
			f.enqueueCard([]byte("M1001"))
			return
		}
		line := c.open.Text[c.at:]
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line = line[:i+1]
		}
		c.at += len(line)
		if i := strings.IndexByte(line, ';'); i >= 0 {
			line = line[:i]
		}
		if line = strings.TrimSpace(line); line != "" {
			f.enqueueCard([]byte(line[:min(len(line), f.MaxLine-1)]))
		}
	}
}

func (f *firmware) enqueueCard(line []byte) {
	i := (f.oldest + f.queued) % len(f.queue)
	f.queue[i] = append(f.queue[i][:0], line...)
	f.fromCard[i] = true
	f.queued++
	f.idleAt = never
}

// cardDone is M1001: the file's last line was executed. (M1001.cpp; in Marlin 1.1 printingHasFinished does the same.)
func cardDone(f *firmware) bool {
	if !f.synced() {
		return false
	}
	f.card.closeFile()
	f.say("Done printing file")
	return true
}

func (c *card) closeFile() { c.open, c.at, c.reading, c.paused, c.ending = nil, 0, false, false, false }

func listCard(f *firmware) bool {
	c := &f.card
	if !c.in && c.form == cardMarlin2 {
		f.say("echo:No media")
		return true
	}
	f.say("Begin file list")
	long, stamp := f.cur.params.has('L') && c.form != cardMarlin1, f.cur.params.has('T') && c.form != cardMarlin1
	folder := ""
	for _, file := range c.files {
		if !c.in {
			break
		}
		folder = f.cardFolder(folder, file.Path, long)
		line := fmt.Sprintf("%s %d", file.Path, len(file.Text))
		if stamp {
			line += fmt.Sprintf(" 0x%08x", dosStamp(file.Date))
		}
		if name := file.Long; long {
			if name == "" {
				name = baseName(file.Path)
			}
			switch {
			case c.form == cardPrusa:
				line += fmt.Sprintf(" %q", name)
			case folder != "":
				line += " " + longFolder(folder) + "/" + name
			default:
				line += " " + name
			}
		}
		f.say(line)
	}
	f.cardFolder(folder, "", long)
	f.say("End file list")
	return true
}

// cardFolder says where folders begin and end, as Prusa's does when it lists long names.
func (f *firmware) cardFolder(was, path string, long bool) (is string) {
	if i := strings.LastIndexByte(path, '/'); i > 0 {
		is = path[:i+1]
	}
	if f.card.form != cardPrusa || !long || is == was {
		return is
	}
	if was != "" {
		f.say("DIR_EXIT")
	}
	if is != "" {
		f.sayf("DIR_ENTER: %s %q", is, longFolder(is))
	}
	return is
}

func longFolder(path string) string {
	name := strings.Trim(path, "/")
	return name[:1] + strings.ToLower(name[1:])
}

func dosStamp(t time.Time) uint32 {
	if t.IsZero() {
		return 0
	}
	return uint32(t.Year()-1980)<<25 | uint32(t.Month())<<21 | uint32(t.Day())<<16 | uint32(t.Hour())<<11 | uint32(t.Minute())<<5 | uint32(t.Second()/2)
}

func mountCard(f *firmware) bool {
	f.sayMounted()
	return true
}

func (f *firmware) sayMounted() {
	switch {
	case f.card.in:
		f.say("echo:SD card ok")
	case f.card.form == cardMarlin2:
		f.say("echo:No SD card")
	default:
		f.say("echo:SD init fail")
	}
}

// releaseCard is M22: a print from it is over (2.1: release aborts it; before, it only reads no further).
func releaseCard(f *firmware) bool {
	f.ejectCard()
	return true
}

func openCard(f *firmware) bool {
	path, _, _ := bytes.Cut(f.cur.args, []byte(" "))
	f.openFile(string(path))
	return true
}

func (f *firmware) openFile(path string) bool {
	c := &f.card
	if !c.in {
		return false // not a word (openFileRead)
	}
	f.sayf("echo:Now fresh file: %s", path)
	c.closeFile()
	file := c.find(path)
	if file == nil {
		f.sayf("open failed, File: %s.", baseName(path))
		return false
	}
	c.open = file
	f.sayf("File opened: %s Size: %d", baseName(path), len(file.Text))
	f.say("File selected")
	return true
}

func printCard(f *firmware) bool {
	f.startCard()
	return true
}

// startCard is M24: begin, or go on. With host actions it says that it resumes in both cases (M24_M25.cpp).
func (f *firmware) startCard() {
	if c := &f.card; c.open != nil && c.in {
		c.reading, c.paused = true, false
	}
	if f.hostActions() {
		f.say("//action:resume")
		f.prompt("Resuming SD", "Dismiss")
	}
}

func (f *firmware) hostActions() bool { return f.card.form == cardMarlin2 && f.handlers.m[876] != nil }

func pauseCard(f *firmware) bool {
	f.stillCard()
	return true
}

func (f *firmware) stillCard() {
	c := &f.card
	was := c.reading
	c.reading = false
	switch {
	case c.form == cardPrusa && was:
		c.paused = true
		f.say("// action:paused")
	case f.hostActions():
		f.prompt("Pause SD", "Resume")
		f.asked, c.asks = true, true
		f.say("//action:pause")
	}
}

func seekCard(f *firmware) bool {
	if v, ok := f.cur.params.float('S'); ok && f.card.open != nil {
		f.card.at = max(0, min(len(f.card.open.Text), int(v)))
	}
	return true
}

// sayCard is M27.
func sayCard(f *firmware) bool {
	c, p := &f.card, &f.cur.params
	switch {
	case c.form == cardMarlin2 && p.has('C'):
		if c.open == nil {
			f.say("Current file: (no file)")
		} else {
			f.say(strings.TrimSpace("Current file: " + baseName(c.open.Path) + " " + c.open.Long))
		}
	case c.form == cardMarlin2 && p.has('S') && f.autoCard():
		c.every = time.Duration(max(0, min(60, p.or('S', 0)))) * time.Second
		if c.reports = never; c.every > 0 {
			c.reports = f.now + c.every
		}
	default:
		f.sayCardStatus(p.has('P'))
	}
	return true
}

func (f *firmware) autoCard() bool { return f.handlers.m[155] != nil }

func (f *firmware) sayCardStatus(path bool) {
	c := &f.card
	switch {
	case c.paused:
		f.say("SD print paused")
	case !c.reading:
		f.say("Not SD printing")
	default:
		if c.form == cardPrusa {
			if name := c.open.Long; path || name == "" {
				f.say("/" + strings.TrimPrefix(c.open.Path, "/"))
			} else {
				f.say(name)
			}
		}
		f.sayf("SD printing byte %d/%d", c.at, len(c.open.Text))
		if c.form == cardPrusa {
			f.say("00:01")
		}
	}
}

func deleteCard(f *firmware) bool {
	c := &f.card
	for i := range c.files {
		if &c.files[i] == c.find(string(f.cur.args)) {
			c.files = append(c.files[:i:i], c.files[i+1:]...)
			f.sayf("File deleted:%s", f.cur.args)
			return true
		}
	}
	f.sayf("Deletion failed, File: %s.", f.cur.args)
	return true
}

// stopCard is M524, which does nothing while the print stands still (M524.cpp), and Prusa's M603.
func stopCard(f *firmware) bool {
	if f.card.reading || f.card.form == cardPrusa {
		f.abortCard()
	}
	return true
}

// abortCard is abortSDPrinting: the queue is emptied, motion ends at once, heaters and fans are off, and (EVENT_GCODE_SD_ABORT) X and Y go home.
func (f *firmware) abortCard() {
	f.card.closeFile()
	keep := 0
	if f.active && !f.inserted {
		keep = 1
	}
	for i := keep; i < f.queued; i++ {
		f.fromCard[(f.oldest+i)%len(f.queue)] = false
	}
	f.queued = min(f.queued, keep)
	f.motion.freeze(f.now)
	f.nozzle.set(f.now, 0)
	f.bed.set(f.now, 0)
	f.fan = [8]int{}
	f.heatGo = true
	if f.card.form == cardMarlin2 {
		f.injected = "G28 X Y"
	}
}

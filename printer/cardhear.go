package printer

import (
	"layerd/gcode"
	"strconv"
	"strings"
	"time"
)

// What the firmware says of its card, from a line to what is known of the print (card.go shows the way).

// regardCard takes in what the firmware says of its card.
func (s *session) regardCard(now time.Time, r gcode.Reply) {
	if s.d.cardAsk == "" {
		return
	}
	c := &s.card
	switch {
	case r.Kind == gcode.Unknown && len(r.Text) > 1 && r.Text[0] == '/' && s.cardAsked():
		c.opened = gcode.CardWord{Path: cut(string(r.Text))} // the path of M27 P
		return
	case r.Kind == gcode.Echo || r.Kind == gcode.Unknown:
		if text := strings.ToLower(string(r.Text)); strings.Contains(text, "unknown") && strings.Contains(text, "m27") {
			c.knows, c.has = true, c.has && c.knows
		}
		return
	case r.Kind != gcode.SD && r.Kind != gcode.Error:
		return
	}
	text := r.Text
	if r.Kind == gcode.Error {
		text = r.Message
	}
	switch w := gcode.ParseCardWord(text); w.Kind {
	case gcode.CardPrinting:
		s.cardSaid(now)
		c.out = false
		s.cardPrinting(now, w.At, w.Bytes)
	case gcode.CardStill:
		s.cardSaid(now)
		c.noFile = c.noFile || !c.auto && len(s.aloft) > 0 && s.d.cardFile != "" && string(s.stream.at(0).text) == s.d.cardFile
		s.cardStill(now)
	case gcode.CardPaused:
		s.cardSaid(now)
		s.cardPrinting(now, -1, -1)
		if c.run != nil {
			s.cardPaused(now)
		}
	case gcode.CardOpened:
		c.opened = w
		s.cardGuessed(now)
		s.cardSoon()
	case gcode.CardCurrent:
		s.cardCurrent(now, w)
	case gcode.CardDone:
		if c.run != nil && !c.run.lost {
			s.cardOver(now, "done", "")
		}
	case gcode.CardIn, gcode.CardOut:
		if out := w.Kind == gcode.CardOut; out != c.out || !out {
			c.out = out
			c.rev++
		}
		if !s.cardAsked() {
			s.cardSoon()
		}
	}
}

// cardAsked reports whether the firmware is at our question.
func (s *session) cardAsked() bool {
	return len(s.aloft) > 0 && strings.HasPrefix(string(s.stream.at(0).text), "M27")
}

func (s *session) cardSaid(now time.Time) {
	s.card.knows, s.card.has, s.card.heard, s.card.asks = true, true, now, 0
}

// cardPrinting takes in that a print from the card is at a byte of so many; -1 is not known. Some firmware says "byte 0/0" or the last byte of all
// when nothing is printed, so a print that nobody has asked for begins in between.
func (s *session) cardPrinting(now time.Time, at, size int64) {
	c := &s.card
	if s.state != Idle && !s.onCard() {
		return
	}
	if r := c.run; r != nil && r.lost {
		if at >= 0 && (size != r.size || at < r.at) {
			s.cardOver(now, "interrupted", endUnseen)
		} else {
			r.lost = false
			s.goOnCard()
		}
	}
	if c.run == nil {
		if at == 0 || at >= size && at >= 0 {
			return
		}
		s.cardBegins(now)
	}
	r := c.run
	if r.guessed = false; at >= 0 {
		r.cancelled = r.cancelled && at <= r.at
		r.at, r.size, r.still = at, size, false
	}
	if r.path == "" && c.opened.Path != "" {
		s.cardNamed(c.opened.Path, "")
	}
	if r.wanted == "start" || r.wanted == "resume" {
		r.wanted = ""
	}
	if r.wanted != "pause" && r.wanted != "cancel" && at >= 0 {
		r.paused = false
		r.jobRun.start(now)
	}
}

// cardGuessed takes in that a file of the card was opened. At the panel that is the beginning of its print, which may heat for minutes before our
// question is answered.
func (s *session) cardGuessed(now time.Time) {
	w := s.card.opened
	if s.state != Idle || s.script != nil || len(s.aloft) > 0 && gcode.ParseCommand(s.stream.at(0).text).Is('M', 23) {
		return
	}
	r := s.cardBegins(now)
	r.guessed, r.size = true, max(w.Bytes, 0)
	s.cardNamed(w.Path, "")
}

// endUnseen is why nobody can say how a print ended.
const endUnseen = "its end was not seen"

// cardBegins is a print from the card of which nothing was known.
func (s *session) cardBegins(now time.Time) *cardRun {
	c := &s.card
	c.lastID = max(now.UnixMilli(), c.lastID+1)
	c.run = &cardRun{jobRun: startRun(now), id: "card-" + strconv.FormatInt(c.lastID, 36)}
	s.goOnCard()
	if s.d.cardFile != "" {
		s.cardSoon() // for its name
	}
	return c.run
}

// goOnCard is the state from now on. What layerd has followed of the machine's modes and place is no longer true.
func (s *session) goOnCard() {
	s.state = fromCard
	s.seen.homed, s.seen.moved, s.seen.jogTo = [3]bool{}, true, nil
}

// cardNamed notes which file is printed. The long name may be in the last listing.
func (s *session) cardNamed(path, name string) {
	r := s.card.run
	r.path, r.name = words(path), words(name)
	for _, f := range s.card.files {
		if r.name == "" && (strings.EqualFold(trimRoot(f.Path), trimRoot(path)) || !strings.Contains(trimRoot(path), "/") && strings.EqualFold(lastPart(f.Path), path)) {
			r.name = words(f.Name)
		}
	}
}

func trimRoot(path string) string { return strings.TrimPrefix(path, "/") }
func lastPart(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// cardStill takes in that no byte of the card is printed: the print has paused, or it is over.
func (s *session) cardStill(now time.Time) {
	c, r := &s.card, s.card.run
	switch {
	case r == nil || s.state != Idle && !s.onCard():
		return
	case r.lost:
		s.cardOver(now, "interrupted", "the connection was lost, and "+endUnseen)
		return
	case r.guessed && r.wanted == "": // it was only looked at
		s.cardLeft()
		return
	}
	r.still = true
	switch {
	case r.wanted == "cancel", r.wanted == "start", r.wanted == "resume": // the procedure looks at it
	case r.cancelled:
		s.cardOver(now, "cancelled", "stopped at the printer")
	case c.out:
		s.cardOver(now, "failed", "the card was taken out")
	case r.wanted == "pause":
		s.cardPaused(now)
	case s.d.cardFile != "" && !c.noFile: // that tells whether it is over
		if !r.paused && !c.askedFile {
			s.cardSoon()
		}
	case s.heaterOn(): // nobody can say; heaters that stay on mean that somebody wants to go on
		s.cardPaused(now)
	default:
		s.cardOver(now, "interrupted", endUnseen)
	}
}

// heaterOn reports whether a heater is on.
func (s *session) heaterOn() bool {
	for _, h := range s.seen.nozzles {
		if h.TargetC > 0 {
			return true
		}
	}
	return s.seen.bed != nil && s.seen.bed.TargetC > 0
}

// cardCurrent takes in which file is open: none when a print that stands still is over.
func (s *session) cardCurrent(now time.Time, w gcode.CardWord) {
	r := s.card.run
	switch {
	case r == nil || !s.onCard():
	case w.Path != "":
		s.cardNamed(w.Path, w.Name)
		if r.still && r.wanted == "" && !r.cancelled {
			s.cardPaused(now)
		}
	case r.still && r.wanted == "":
		s.cardOver(now, "interrupted", endUnseen)
	}
}

func (s *session) cardPaused(now time.Time) {
	r := s.card.run
	r.paused, r.still = true, true
	if r.wanted == "pause" {
		r.wanted = ""
	}
	r.jobRun.stop(now)
}

// cardAction takes in what a firmware tells the host while it prints from its card, or when it may have begun to. It reports false for what is
// meant for somebody else.
func (s *session) cardAction(now time.Time, text string) bool {
	if s.d.cardAsk == "" {
		return false
	}
	word, _, _ := strings.Cut(text, " ")
	switch word {
	case "sd_inserted", "sd_ejected", "sd_updated":
		s.card.out = word == "sd_ejected"
		s.card.rev++
		s.cardSoon()
		return true
	}
	if s.state == Idle && (word == "resume" || word == "resumed") {
		s.cardSoon() // M24 says so
	}
	if !s.onCard() || strings.HasPrefix(word, "prompt_") || word == "notification" {
		return false
	}
	r := s.card.run
	switch word {
	case "pause", "paused", "out_of_filament", "filament_runout":
		s.cardPaused(now)
	case "resume", "resumed":
		if r.wanted != "cancel" {
			r.paused, r.still = false, false
			r.jobRun.start(now)
		}
	case "cancel":
		r.cancelled = true
	}
	if s.script == nil { // which asks by itself
		s.cardSoon()
	}
	return true
}

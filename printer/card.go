package printer

import (
	"layerd/gcode"
	"math"
	"strconv"
	"strings"
	"time"
)

// The printer's own memory card, and prints from it. Such a print is the firmware's: it reads the lines and layerd sends none of them. It is seen by
// what the firmware says when it is asked (M27), or by itself:
//
//	"SD printing byte a/b" ─▶ cardPrinting ─▶ state onCard, as which only what a print bears is allowed
//	"//action:…"           ─▶ cardAction   ─▶ paused, going on, cancelled; and it is asked at once
//	"Not SD printing"      ─▶ cardStill    ─▶ paused, or over: M27 C tells, where the firmware knows it
//	"Done printing file"   ─▶ cardOver     ─▶ Idle
//
// What people may do with it is in cardplay.go.

// CardStatus is the printer's own memory card, as far as the firmware has told.
type CardStatus struct {
	Present  bool    `json:"present"`  // false only when the firmware has said that no card is in
	Printing bool    `json:"printing"` // a print from the card is under way; the snapshot's state says how, and its job is null
	Paused   bool    `json:"paused"`
	ID       string  `json:"id"`   // of that print; commands name it. "" without one, as all that follows is empty
	File     string  `json:"file"` // as the firmware calls it; "" when it has not said
	Name     string  `json:"name"` // for people; "" likewise
	Bytes    int64   `json:"bytes"`
	Size     int64   `json:"size"`
	Percent  float64 `json:"percent"` // of the bytes that the firmware has read
	SinceMS  int64   `json:"since_ms"`
	ElapsedS float64 `json:"elapsed_s"` // since it was seen, without pauses
	Rev      int64   `json:"rev"`       // grows when what is on the card may have changed
}

// card is what is known of it.
type card struct {
	knows, has bool // the firmware has told whether it has a reader
	out        bool // it has said that no card is in
	auto       bool // it reports by itself
	asked      time.Time
	heard      time.Time // when it last said how far a print is, or that there is none
	asks       int       // without an answer
	askedFile  bool      // the last question was for the file's name
	noFile     bool      // which this firmware does not tell
	opened     gcode.CardWord
	files      []gcode.CardFile // of the last listing
	listed     time.Time
	rev        int64
	lastID     int64
	run        *cardRun // the print; kept while the connection is lost
}

// cardRun is a print from the card.
type cardRun struct {
	jobRun
	id, path, name string
	at, size       int64
	paused         bool
	wanted         string // "pause", "resume", "cancel", "start": asked for, and not seen yet
	still          bool   // the last answer was that nothing is printed
	cancelled      bool   // the firmware has said so
	lost           bool   // its connection was lost since it was seen
	nameAsked      bool
}

// onCard reports whether the printer prints from its card.
func (s *session) onCard() bool { return s.state == fromCard }

const (
	cardEvery  = 5 * time.Second // how often it is asked while idle
	cardBusy   = 3 * time.Second // and during a print from the card
	cardSilent = 15 * time.Second
	cardTries  = 3 // questions that a firmware may ignore before it counts as one without a card
)

// cardAt is when the firmware is to be asked about its card; zero for never.
func (s *session) cardAt() time.Time {
	c := &s.card
	if s.d.cardAsk == "" || c.knows && !c.has || s.script != nil || s.state != Idle && !s.onCard() {
		return time.Time{}
	}
	if told, ok := s.seen.conn.Capabilities["SDCARD"]; ok && !told {
		return time.Time{}
	}
	every := cardEvery
	switch {
	case s.onCard():
		every = cardBusy
	case !c.knows && !s.seen.conn.Capabilities["SDCARD"] && c.asked.IsZero():
		since := s.seen.conn.SinceMS
		if s.last != nil {
			since = max(since, s.last.EndedMS)
		}
		return time.UnixMilli(since).Add(every)
	}
	newest := c.asked
	if c.auto {
		every = cardSilent
		if c.heard.After(newest) && !newest.IsZero() {
			newest = c.heard
		}
	}
	if newest.IsZero() {
		return time.UnixMilli(s.seen.conn.SinceMS)
	}
	return newest.Add(every)
}

func (s *session) cardDue(now time.Time) bool {
	at := s.cardAt()
	return !at.IsZero() && !now.Before(at)
}

// cardSoon has it asked at once.
func (s *session) cardSoon() { s.card.asked = time.Time{} }

// askCard is the question for the card's state, or for the name of its file.
func (s *session) askCard(now time.Time) []byte {
	c := &s.card
	c.asked = now
	if c.asks++; !c.knows && c.asks > cardTries {
		c.knows = true
		return nil
	}
	text, r := s.d.cardAsk, c.run
	c.askedFile = r != nil && s.d.cardFile != "" && !c.noFile && (r.still && !c.askedFile || r.name == "" && !r.nameAsked)
	if c.askedFile {
		text, r.nameAsked = s.d.cardFile, true
	}
	return s.say(now, []byte(text), lanePoll, nothing, jobPos{layer: -1})
}

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
		s.cardSoon()
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
	if at >= 0 {
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

// endUnseen is why nobody can say how a print ended.
const endUnseen = "its end was not seen"

// cardBegins is a print from the card of which nothing was known.
func (s *session) cardBegins(now time.Time) *cardRun {
	c := &s.card
	c.lastID = max(now.UnixMilli(), c.lastID+1)
	c.run = &cardRun{jobRun: startRun(now), id: "card-" + strconv.FormatInt(c.lastID, 36)}
	s.goOnCard()
	s.cardSoon() // for its name
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
	}
	r.still = true
	switch {
	case r.wanted == "cancel", r.wanted == "start", r.wanted == "resume": // the procedure looks at it
	case r.cancelled:
		s.cardOver(now, "cancelled", "stopped at the printer")
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
	s.cardSoon()
	return true
}

// cardOver ends the print from the card, if there is one.
func (s *session) cardOver(now time.Time, outcome, reason string) {
	r := s.card.run
	if r == nil {
		return
	}
	r.jobRun.stop(now)
	percent := r.percent()
	if outcome == "done" {
		percent = 100
	}
	name := r.name
	if name == "" {
		name = r.path
	}
	s.last = &JobOutcome{ID: r.id, Name: name, Outcome: outcome, Reason: reason, EndedMS: unixMS(now), ElapsedS: r.elapsed(now).Seconds(), Percent: percent, Card: true}
	s.card.run, s.card.opened, s.dialog.shown, s.dialog.draft = nil, gcode.CardWord{}, nil, nil // its questions are over with it
	if s.onCard() {
		s.state, s.script = Idle, nil
		if r.wanted == "cancel" {
			_ = s.queue(append(s.heatersOff(), "M107")...) // whatever has ended it meanwhile
		}
		s.modal = freshModal() // the file has left what nobody has followed
		s.seen.homed, s.seen.moved, s.seen.jogTo = [3]bool{}, true, nil
	}
}

func (r *cardRun) percent() float64 {
	if r.size <= 0 {
		return 0
	}
	return math.Round(1000*min(1, float64(r.at)/float64(r.size))) / 10
}

// cardLost keeps the print in mind when its connection is gone: the printer goes on by itself.
func (s *session) cardLost(now time.Time) {
	c := &s.card
	if c.run != nil {
		c.run.lost, c.run.wanted, c.run.still = true, "", false
		c.run.jobRun.stop(now)
	}
	s.card = card{run: c.run, lastID: c.lastID, files: c.files, listed: c.listed, rev: c.rev}
}

// shown is the state as others see it: a print from the card looks as any print does, but that it has no job.
func (s *session) shown() State {
	if !s.onCard() {
		return s.state
	}
	switch r := s.card.run; {
	case r.wanted == "start":
		return Starting
	case r.wanted == "cancel":
		return Cancelling
	case r.wanted == "resume":
		return Resuming
	case r.wanted == "pause":
		return Pausing
	case r.paused:
		return Paused
	}
	return Printing
}

// cardStatus is what others see of the card; nil where there is none, or nobody knows.
func (s *session) cardStatus(now time.Time) *CardStatus {
	c := &s.card
	if !c.has || !s.open {
		return nil
	}
	st := &CardStatus{Present: !c.out, Rev: c.rev}
	if r := c.run; r != nil && s.onCard() {
		st.Printing, st.Paused, st.ID, st.File, st.Name, st.Bytes, st.Size = true, r.paused, r.id, r.path, r.name, r.at, r.size
		st.Percent, st.SinceMS, st.ElapsedS = r.percent(), unixMS(r.started), math.Round(r.elapsed(now).Seconds())
	}
	return st
}

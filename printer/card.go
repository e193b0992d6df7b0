package printer

import (
	"layerd/gcode"
	"math"
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
// What the firmware says is understood in cardhear.go, and what people may do is in cardplay.go.

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
	guessed        bool // a file was opened, and not by us: so somebody begins to print it; the firmware has not said so yet
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
	s.last = &JobOutcome{ID: r.id, File: r.path, Name: name, Outcome: outcome, Reason: reason, EndedMS: unixMS(now), ElapsedS: r.elapsed(now).Seconds(), Percent: percent, Card: true, ToolsMM: []float64{}}
	s.dialog.shown, s.dialog.draft = nil, nil // its questions are over with it
	cancelling := r.wanted == "cancel" && s.onCard()
	s.cardLeft()
	if cancelling {
		_ = s.queue(append(s.heatersOff(), "M107")...) // whatever has ended it meanwhile
	}
}

// cardLeft leaves the print from the card, and Idle it is. The file has left modes and a place that nobody has followed.
func (s *session) cardLeft() {
	s.card.run, s.card.opened = nil, gcode.CardWord{}
	if s.onCard() {
		s.state, s.script, s.modal = Idle, nil, freshModal(s.profile)
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

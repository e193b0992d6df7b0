package printer

import (
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"slices"
	"time"
)

// What people do with the printer's card: list it, start a file of it, and pause, resume or stop what it prints.

// Errors of the card's own.
var (
	ErrNoCard   = errors.New("no memory card is in the printer")
	ErrCardFile = errors.New("the printer cannot print this file of its card") // wrapped with why
)

// CardList is what is on the card.
type CardList struct {
	Files    []gcode.CardFile
	ListedMS int64 // when; 0 never
}

// ListCard asks the printer for what is on its card. While a print is under way nothing is asked, and the list is the last one. ErrNoCard means
// that no card is in, or the printer has no reader.
func (p *Printer) ListCard(ctx context.Context) (CardList, error) {
	var list CardList
	ask, busy := "M20", false
	_, err := p.ask(ctx, func(o *owner, _ time.Time) error {
		if !o.card.has {
			return o.noCard()
		}
		if o.seen.conn.Capabilities["EXTENDED_M20"] {
			ask = "M20 L T"
		}
		busy = o.state != Idle
		list = o.cardList()
		return nil
	})
	if err != nil || busy {
		return list, err
	}
	for _, mount := range []bool{false, true} {
		if mount { // boards without a switch in the slot do not see that a card was put in
			if _, err := p.Query(ctx, "M21"); err != nil {
				return list, err
			}
		}
		lines, err := p.Query(ctx, ask)
		if err != nil {
			return list, err
		}
		if files, ok := gcode.ParseCardList(lines); ok && (len(files) > 0 || mount) {
			_, err := p.ask(ctx, func(o *owner, now time.Time) error {
				o.card.files, o.card.listed = files, now
				list = o.cardList()
				return nil
			})
			return list, err
		}
	}
	return list, ErrNoCard
}

// noCard is why a card cannot be listed.
func (s *session) noCard() error {
	if !s.open || s.state == Connecting {
		return ErrNotConnected
	}
	return ErrNoCard
}

func (s *session) cardList() CardList {
	return CardList{Files: slices.Clone(s.card.files), ListedMS: unixMS(s.card.listed)}
}

// StartCard begins to print a file of the card, by its path in the last listing. id is the print's, as in CardStatus. It blocks until the printer
// has opened the file; ErrCardFile says why it cannot.
func (p *Printer) StartCard(ctx context.Context, path string) (id string, rev uint64, err error) {
	var file gcode.CardFile
	if _, err = p.ask(ctx, func(o *owner, _ time.Time) error { file, err = o.cardReady(path); return err }); err != nil {
		return "", 0, err
	}
	lines, err := p.Query(ctx, "M23 "+file.Path)
	if err != nil {
		return "", 0, err
	}
	if err := cardOpens(lines); err != nil {
		return "", 0, err
	}
	rev, err = p.ask(ctx, func(o *owner, now time.Time) error {
		if _, err := o.cardReady(path); err != nil {
			return err
		}
		id = o.startCard(now, file)
		return nil
	})
	return id, rev, err
}

// cardReady finds a file of the last listing that can be printed now.
func (s *session) cardReady(path string) (gcode.CardFile, error) {
	switch {
	case !s.open || s.state == Connecting:
		return gcode.CardFile{}, ErrNotConnected
	case s.state != Idle:
		return gcode.CardFile{}, fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	case !s.card.has || s.card.out:
		return gcode.CardFile{}, ErrNoCard
	}
	for _, f := range s.card.files {
		if f.Path != path {
			continue
		}
		if !gcode.CardPathFits(path) {
			return f, fmt.Errorf("%w: its name has characters that cannot be sent safely", ErrCardFile)
		}
		return f, nil
	}
	return gcode.CardFile{}, fmt.Errorf("%w: it is not in the card's list", ErrCardFile)
}

// cardOpens reads the answer to M23. Marlin says nothing at all when it sees no card (cardreader.cpp, openFileRead).
func cardOpens(lines []string) error {
	for _, l := range lines {
		switch w := gcode.ParseCardWord([]byte(l)); w.Kind {
		case gcode.CardOpened:
			return nil
		case gcode.CardRefused:
			return fmt.Errorf("%w: it could not be opened, and may be gone", ErrCardFile)
		}
	}
	return fmt.Errorf("%w: the printer did not open it; the card may be out", ErrCardFile)
}

// startCard begins the file that is open. What was typed before goes first.
func (s *session) startCard(now time.Time, file gcode.CardFile) string {
	r := s.cardBegins(now)
	r.wanted, r.size, r.nameAsked = "start", max(file.Bytes, 0), true
	s.cardNamed(file.Path, file.Name)
	s.fault = nil
	s.play(now, func(now time.Time) {
		if s.card.run == r && r.wanted == "start" {
			s.cardOver(now, "failed", "the printer did not begin to print it")
		}
	}, s.first(), always("M24"), always(s.d.cardAsk))
	return r.id
}

// inPrint is inJob for what can be done to a print from the card as well.
func (p *Printer) inPrint(ctx context.Context, id string, card func(o *owner, now time.Time) error, do func(o *owner, now time.Time) error, allowed ...State) (uint64, error) {
	onCard := false
	rev, err := p.ask(ctx, func(o *owner, now time.Time) error {
		switch {
		case !o.onCard():
			return nil
		case id != "" && id != o.session.card.run.id:
			return ErrOtherJob
		}
		onCard = true
		return card(o, now)
	})
	if err != nil || onCard {
		return rev, err
	}
	return p.inJob(ctx, id, do, allowed...)
}

// cardFree refuses what cannot be done while something else was asked for.
func (s *session) cardFree(paused bool) error {
	if r := s.card.run; r.wanted != "" || r.paused != paused {
		return fmt.Errorf("%w: the print from the card is %v", ErrWrongState, s.shown())
	}
	return nil
}

// pauseCard stops the reading of the card. Whether the head moves away is the firmware's affair.
func (s *session) pauseCard(now time.Time) error {
	if err := s.cardFree(false); err != nil {
		return err
	}
	s.cardPlay(now, "pause", "M25")
	return nil
}

func (s *session) resumeCard(now time.Time) error {
	if err := s.cardFree(true); err != nil {
		return err
	}
	s.cardPlay(now, "resume", "M24")
	return nil
}

// cardPlay says a line, and then asks what became of it.
func (s *session) cardPlay(now time.Time, wanted, text string) {
	r := s.card.run
	r.wanted = wanted
	s.play(now, func(now time.Time) {
		if s.card.run == r && r.wanted == wanted {
			r.wanted = ""
			s.dialog.notice = "The printer did not " + wanted + " the print from its card."
		}
	}, s.first(), always(text), always(s.d.cardAsk))
}

// cancelCard ends the print from the card. A firmware that knows a word for that stops at once and cools down by itself (Marlin's M524: only while it
// reads the card); where the card is still read after it, or may be, the reading is stopped and put back to the beginning. Heaters and fans are
// switched off in any case, and the motors at the end.
func (s *session) cancelCard(now time.Time) error {
	r := s.card.run
	if r.wanted == "cancel" {
		return fmt.Errorf("%w: the print from the card is %v", ErrWrongState, s.shown())
	}
	r.wanted, r.still = "cancel", false
	s.typed = nil
	if s.seen.waiting != "" {
		s.typed = [][]byte{[]byte("M108")} // else nothing is heard before it is hot
	}
	off := append(s.heatersOff(), "M107")
	s.play(now, func(now time.Time) {
		switch {
		case s.card.run != r:
		case r.still:
			r.wanted = "" // the heaters are off
			s.cardOver(now, "cancelled", "stopped by hand")
		default:
			r.wanted = ""
			s.dialog.notice = "The printer did not stop the print from its card. Use its panel, or the emergency stop."
		}
	},
		always(s.d.cardStop),
		always(off...),
		always(s.d.cardAsk),
		func(time.Time) []scriptLine {
			switch {
			case !r.still:
				return lines(slices.Concat([]string{"M25", "M26 S0"}, off, []string{s.d.cardAsk})...)
			case r.paused: // the file may still be open, and must not go on where it was
				return lines("M26 S0")
			}
			return nil
		},
		always("M84"))
	return nil
}

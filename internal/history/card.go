package history

import (
	"context"
	"strings"
	"time"

	"layerd/internal/store"
	"layerd/printer"
)

// A print from the printer's own card has a row as well. Nobody asks for it beforehand: it begins when the printer is seen to print.

// cardPrefix begins the file of such a row, which is no path in the store: none begins like that, because ':' cannot be in one's folder.
const cardPrefix = "card:"

// noteCard opens the row of a print from the card that is not known yet, and follows one that is.
func (r *Recorder) noteCard(card *printer.CardStatus) {
	if card == nil || !card.Printing || card.Bytes == 0 { // chosen, and not yet printed
		return
	}
	for _, row := range r.rows {
		if p := &row.print; p.ID == card.ID {
			if !row.ended {
				p.Percent, p.ElapsedS, p.Offset, row.dirty = card.Percent, card.ElapsedS, card.Bytes, true
			}
			return
		}
	}
	name := card.Name
	if name == "" {
		name = strings.TrimPrefix(card.File, "/")
	}
	if name == "" {
		name = "?"
	}
	r.rows = append(r.rows, &row{unborn: true, print: store.Print{ID: card.ID, File: cardPrefix + name, By: "printer", StartedMS: card.SinceMS, Offset: card.Bytes, Percent: card.Percent}})
}

// beginCard writes such a row. Its end, if it has come meanwhile, is written after it.
func (r *Recorder) beginCard(ctx context.Context, row *row) {
	p := row.print
	p.Outcome, p.Reason, p.Fault, p.EndedMS = "", "", "", 0
	if err := r.store.BeginPrint(ctx, p); err != nil {
		r.failed("begin a print from the card in the history", p.ID, err)
		row.nextTryAt = time.Now().Add(retryEvery)
		return
	}
	row.unborn, r.failures = false, 0
}

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

// nameWithin is how long the printer may take to say what the file is called: the row keeps the name that it begins with.
const nameWithin = 15 * time.Second

// noteCard opens the row of a print from the card that is not known yet, and follows one that is.
func (r *Recorder) noteCard(card *printer.CardStatus) {
	if card == nil || !card.Printing || card.Bytes == 0 { // chosen, and not yet printed
		return
	}
	var of *row
	for _, row := range r.rows {
		if row.print.ID == card.ID {
			of = row
		}
	}
	if of == nil {
		of = &row{unborn: true, nextTryAt: time.Now().Add(nameWithin), print: store.Print{ID: card.ID, By: "printer", StartedMS: card.SinceMS}}
		r.rows = append(r.rows, of)
	}
	if of.ended {
		return
	}
	p := &of.print
	of.moved = of.moved || p.Offset != card.Bytes
	p.Percent, p.ElapsedS, p.Offset, of.dirty = card.Percent, card.ElapsedS, card.Bytes, true
	if !of.unborn {
		return
	}
	switch known := cardPrefix + card.Name; {
	case card.Name != "" && p.File != known:
		p.File, of.nextTryAt = known, time.Time{}
	case card.Name == "" && card.File != "":
		p.File = cardPrefix + strings.TrimPrefix(card.File, "/")
	case p.File == "":
		p.File = cardPrefix + "?"
	}
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
	row.unborn, r.failures, r.every = false, 0, journalFirst
}

package spools

import (
	"context"
	"errors"
	"time"

	"layerd/internal/spoolman"
	"layerd/internal/store"
)

// What prints use is told to Spoolman like this, one use after another:
//
//	DueUses ─▶ how much does Spoolman say is used? ─▶ SendingUse, on the disk ─▶ PUT ─▶ SentUse
//
// Its API has nothing that makes a repeat harmless. So when an answer is lost, or layerd is killed before it comes, the next round asks how much is
// used now: nearer to before, and the use is told again; nearer to after, and it counts as told. That goes wrong only if somebody else changes
// the same spool in between, by half the use or more.

const (
	everyUp   = time.Minute      // how often the list is read again
	everyDown = 15 * time.Second // how often a Spoolman that does not answer is tried
	settle    = 2 * time.Second  // changes come in bunches
)

// Run keeps the list up to date and tells Spoolman of what was used, until ctx ends; it returns nil. Without a Spoolman it has nothing to do.
func (h *Shelf) Run(ctx context.Context) error {
	if h.client == nil {
		return nil
	}
	for {
		changed := h.store.SpoolsChanged()
		again := everyUp
		if !h.round(ctx) {
			changed, again = nil, everyDown
		}
		timer := time.NewTimer(again)
		select {
		case <-timer.C:
		case <-changed:
			timer.Reset(settle)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return nil
		}
	}
}

// round reads the list and tells what is due; false when Spoolman does not answer as it should. What it refuses of one spool waits, and is shown.
func (h *Shelf) round(ctx context.Context) bool {
	list, err := h.client.Spools(ctx)
	if err != nil {
		h.trouble(ctx, nil, err)
		return false
	}
	uses, err := h.store.DueUses(ctx)
	if err != nil {
		h.log.Error("what Spoolman is to be told cannot be read", "err", err)
	}
	told, problem, odd := 0, "", map[int64]bool{}
	for _, u := range uses {
		if odd[u.Spool] {
			continue
		}
		err := h.tell(ctx, u)
		if errors.Is(err, spoolman.ErrRefused) || errors.Is(err, spoolman.ErrGone) { // of this spool; the others can still be told
			odd[u.Spool] = true
			if problem == "" {
				problem = err.Error()
			}
			continue
		}
		if err != nil {
			h.trouble(ctx, list, err)
			return false
		}
		told++
	}
	if told > 0 {
		if list, err = h.client.Spools(ctx); err != nil {
			h.trouble(ctx, nil, err)
			return false
		}
	}
	h.learn(ctx, list, problem)
	return true
}

func (h *Shelf) trouble(ctx context.Context, list []spoolman.Spool, err error) {
	if ctx.Err() == nil {
		h.learn(ctx, list, err.Error())
	}
}

// tell tells one use, or finds out whether it was told.
func (h *Shelf) tell(ctx context.Context, u store.Use) error {
	now, err := h.client.Spool(ctx, u.Spool)
	if errors.Is(err, spoolman.ErrGone) { // its list was just read, so it is Spoolman that says so
		h.log.Warn("a spool is no longer in Spoolman: what was used of it is told to nobody", "spool", u.Spool, "job", u.Print, "mm", u.MM)
		return h.store.LostUse(ctx, u)
	}
	if err != nil {
		return err
	}
	if u.SendingMM > 0 {
		if now.UsedMM-u.SeenMM >= u.SendingMM/2 {
			return h.store.SentUse(ctx, u)
		}
		return errors.Join(h.store.UnsentUse(ctx, u), h.send(ctx, u, now.UsedMM))
	}
	return h.send(ctx, u, now.UsedMM)
}

func (h *Shelf) send(ctx context.Context, u store.Use, seenMM float64) error {
	if err := h.store.SendingUse(ctx, u, seenMM); err != nil {
		return err
	}
	err := h.client.Use(ctx, u.Spool, u.MM)
	switch {
	case err == nil:
		return h.store.SentUse(ctx, u)
	case errors.Is(err, spoolman.ErrUnheard): // the next round finds out
		return err
	}
	return errors.Join(err, h.store.UnsentUse(ctx, u))
}

// Package spools is the shelf of filament spools: our own, kept in the store, or those of the user's Spoolman.
//
//	prints ─▶ store (what they have used, by spool) ─▶ Shelf.List: what is left
//	                     └─▶ Shelf.Run ─▶ Spoolman, once each part of a print has ended (told.go)
//
// A Spoolman that is down delays nothing: its last list is shown with its age, and what prints use waits in the store.
package spools

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"layerd/internal/spoolman"
	"layerd/internal/store"
)

// ErrElsewhere is returned for what is to be done in Spoolman.
var ErrElsewhere = errors.New("the spools are kept in Spoolman")

// Store is where spools and uses are kept; *store.Store is one.
type Store interface {
	Spools(ctx context.Context) ([]store.Spool, error)
	SaveSpool(ctx context.Context, e store.SpoolEdit) (int64, error)
	ActiveSpools(ctx context.Context) ([]store.ActiveSpool, error)
	PutOn(ctx context.Context, a store.ActiveSpool) error
	SpoolsChanged() <-chan struct{}
	SpoolsAreNew()
	DueUses(ctx context.Context) ([]store.Use, error)
	SendingUse(ctx context.Context, u store.Use, seenMM float64) error
	SentUse(ctx context.Context, u store.Use) error
	UnsentUse(ctx context.Context, u store.Use) error
	LostUse(ctx context.Context, u store.Use) error
	UntoldMM(ctx context.Context) (map[int64]float64, error)
	Setting(ctx context.Context, key string, v any) (bool, error)
	SetSetting(ctx context.Context, key string, v any) error
}

// List is what there is, as the page shows it.
type List struct {
	Source  string              `json:"source"` // "layerd" or "spoolman"
	Spools  []store.Spool       `json:"spools"`
	Active  []store.ActiveSpool `json:"active"`
	AtMS    int64               `json:"at_ms"`   // when Spoolman said so; 0 never, and for our own
	Problem string              `json:"problem"` // why Spoolman does not answer, "" when it does
}

// Shelf has the spools. Its methods may be called from any goroutine, and wait for nothing but the database.
type Shelf struct {
	store  Store
	client *spoolman.Client // nil: our own spools
	log    *slog.Logger

	mu    sync.Mutex // guards known
	known known
}

// known is the last that Spoolman said. It is kept in the settings, so that a restart without Spoolman has it.
type known struct {
	Spools  []spoolman.Spool `json:"spools"`
	AtMS    int64            `json:"at_ms"`
	Problem string           `json:"-"`
}

const knownKey = "spoolman"

// New returns a shelf of the spools of client, or of our own (nil). log nil = nothing is logged.
func New(ctx context.Context, s Store, client *spoolman.Client, log *slog.Logger) (*Shelf, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	h := &Shelf{store: s, client: client, log: log}
	if client == nil {
		return h, nil
	}
	if _, err := s.Setting(ctx, knownKey, &h.known); err != nil {
		return nil, fmt.Errorf("read Spoolman's last list: %w", err)
	}
	h.known.Problem = "It was not asked yet."
	return h, nil
}

// List returns the spools with what is left on them.
func (h *Shelf) List(ctx context.Context) (List, error) {
	active, err := h.store.ActiveSpools(ctx)
	if err != nil {
		return List{}, err
	}
	if h.client == nil {
		own, err := h.store.Spools(ctx)
		return List{Source: store.OwnSpools, Spools: own, Active: active}, err
	}
	untold, err := h.store.UntoldMM(ctx)
	if err != nil {
		return List{}, err
	}
	h.mu.Lock()
	now := h.known
	h.mu.Unlock()
	l := List{Source: store.Spoolman, Spools: make([]store.Spool, 0, len(now.Spools)), Active: active, AtMS: now.AtMS, Problem: now.Problem}
	for _, s := range now.Spools {
		l.Spools = append(l.Spools, ours(s, untold[s.ID]))
	}
	return l, nil
}

// ours is a spool of Spoolman's, of which it has not been told some of the use.
func ours(s spoolman.Spool, untoldMM float64) store.Spool {
	p := store.Spool{ID: s.ID, Name: s.Name, Material: s.Material, Colour: s.Colour, DiameterMM: s.DiameterMM, DensityGCM3: s.DensityGCM3,
		WeightG: s.WeightG, SpoolG: s.SpoolG, Cost: s.Cost, Archived: s.Archived, UsedMM: s.UsedMM + untoldMM, LeftMM: -1, LeftG: -1}
	if s.LeftMM >= 0 {
		p.LeftMM = max(s.LeftMM-untoldMM, 0)
		p.LeftG = p.LeftMM / 1000 * store.GPerM(s.DiameterMM, s.DensityGCM3)
	}
	return p
}

// Changed is closed when the list, or which spool is on, has changed since the call.
func (h *Shelf) Changed() <-chan struct{} { return h.store.SpoolsChanged() }

// Save adds or changes one of our own spools and returns its ID.
func (h *Shelf) Save(ctx context.Context, e store.SpoolEdit) (int64, error) {
	if h.client != nil {
		return 0, ErrElsewhere
	}
	return h.store.SaveSpool(ctx, e)
}

// PutOn puts a spool on a tool; 0 takes the one there off.
func (h *Shelf) PutOn(ctx context.Context, tool int, id int64) error {
	a := store.ActiveSpool{Tool: tool, Spool: id}
	if id != 0 {
		l, err := h.List(ctx)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(l.Spools, func(s store.Spool) bool { return s.ID == id && !s.Archived })
		if i < 0 {
			return fmt.Errorf("put spool %d on: %w", id, store.ErrNoSpool)
		}
		a.Name, a.GPerM = l.Spools[i].Name, store.GPerM(l.Spools[i].DiameterMM, l.Spools[i].DensityGCM3)
	}
	return h.store.PutOn(ctx, a)
}

// learn takes over what Spoolman says (nil: nothing), and what is wrong with it.
func (h *Shelf) learn(ctx context.Context, spools []spoolman.Spool, problem string) {
	h.mu.Lock()
	was := h.known
	now := known{Spools: spools, AtMS: time.Now().UnixMilli(), Problem: problem}
	if spools == nil {
		now.Spools, now.AtMS = was.Spools, was.AtMS
	}
	h.known = now
	h.mu.Unlock()
	changed := !slices.Equal(was.Spools, now.Spools)
	if changed || was.AtMS == 0 && now.AtMS > 0 {
		if err := h.store.SetSetting(ctx, knownKey, now); err != nil {
			h.log.Error("Spoolman's list cannot be kept", "err", err)
		}
	}
	if changed || was.Problem != now.Problem {
		h.store.SpoolsAreNew()
	}
	if problem != "" && was.Problem != problem {
		h.log.Warn("Spoolman cannot be used", "why", problem)
	}
}

package server

import (
	"context"
	"sync"

	"layerd/internal/latest"
	"layerd/internal/overlay"
)

// fakeOverlay is a network without one: tests set its status.
type fakeOverlay struct {
	statuses *overlay.Statuses

	mu         sync.Mutex // guards the rest
	settings   overlay.Settings
	secrets    []string
	left       int
	leaving    error // what Leave says
	neighbours []overlay.Neighbour
}

func newFakeOverlay() *fakeOverlay {
	return &fakeOverlay{statuses: latest.New(overlay.Status{Kind: overlay.None, State: overlay.Off})}
}

func (o *fakeOverlay) Statuses() *overlay.Statuses { return o.statuses }

func (o *fakeOverlay) Settings() (overlay.Settings, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settings, len(o.secrets) > 0
}

func (o *fakeOverlay) Set(s overlay.Settings, secret string) error {
	if err := s.Validate(); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settings = s
	if secret != "" {
		o.secrets = append(o.secrets, secret)
	}
	return nil
}

func (o *fakeOverlay) Login(_ context.Context, secret string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.secrets = append(o.secrets, secret)
	return nil
}

func (o *fakeOverlay) Leave(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.left++
	return o.leaving
}

func (o *fakeOverlay) Neighbours(context.Context) ([]overlay.Neighbour, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.neighbours, nil
}

func (o *fakeOverlay) NeighbourPicture(_ context.Context, name string) ([]byte, error) {
	if name != "voron" {
		return nil, overlay.ErrNotHere
	}
	return []byte("\xff\xd8 picture"), nil
}

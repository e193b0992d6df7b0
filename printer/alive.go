package printer

import (
	"context"
	"errors"
	"time"
)

// errHere is an answer that changes nothing, and so makes no snapshot.
var errHere = errors.New("here")

// Alive returns nil once the goroutine of Run has answered. It blocks until then, or until ctx ends.
func (p *Printer) Alive(ctx context.Context) error {
	_, err := p.ask(ctx, func(*owner, time.Time) error { return errHere })
	if errors.Is(err, errHere) {
		return nil
	}
	return err
}

package printer

import (
	"context"
	"errors"
)

// ErrEnded means that Run has returned.
var ErrEnded = errors.New("the printer's goroutine has ended")

// Alive returns when the owner has come round, which it does many times a second, or when ctx ends. It asks for nothing and costs the owner one turn, so
// who asks it shall not do so all the time. It may be called from any goroutine.
func (p *Printer) Alive(ctx context.Context) error {
	select {
	case p.knocks <- struct{}{}:
		return nil
	case <-p.ended:
		return ErrEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

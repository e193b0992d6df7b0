package printer

import (
	"context"
	"io"
)

// Port is an open line to a printer. One goroutine reads, one writes; Close may come from a third, but not while a Write
// is under way: Discard ends such a Write first.
type Port interface {
	// Read blocks until at least one byte is there. After Close, or when the device is gone, it returns an error.
	Read([]byte) (int, error)
	// Write blocks until the bytes are handed to the system. A device that takes nothing can block it for ever.
	Write([]byte) (int, error)
	io.Closer
	// SetBaud changes the line speed of the open port; ports without one ignore it.
	SetBaud(baud int) error
	// Discard throws away what was written and not yet sent, which ends a blocked Write.
	Discard() error
	// Reset restarts the board where the wiring allows it (a DTR pulse), and reports whether it was tried.
	Reset() (tried bool, err error)
}

// eager is a Port that may take bytes at once. The owner then writes most lines itself: waking another goroutine for it takes longer, and the
// machine waits for it.
type eager interface {
	// TryWrite hands over what the system takes without waiting, and returns how much that is. It is not called during a Write.
	TryWrite([]byte) int
}

// Opener opens the port at path. Errors are *Fault with a FaultPort… code.
type Opener func(ctx context.Context, path string, baud int) (Port, error)

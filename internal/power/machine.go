package power

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Deed is what is done to the machine that we run on.
type Deed string

const (
	Reboot   Deed = "reboot"
	Shutdown Deed = "poweroff"
)

// ErrMachine is wrapped when that cannot be done from here.
var ErrMachine = errors.New("layerd cannot do that to this machine")

// Machine restarts the machine that we run on, and switches it off. layerd may do neither: it makes a file, and a unit of systemd that sees it there
// (systemd/layerd-reboot.path, layerd-poweroff.path) does the rest, first of all removing it. systemd then ends layerd, which parks and cools what is hot.
type Machine struct {
	Dir   string   // $RUNTIME_DIRECTORY; "" = layerd was not started by systemd
	Units []string // patterns of where an enabled unit is linked
}

// EnabledUnits is where systemd looks for what is to be started.
func EnabledUnits() []string {
	return []string{"/etc/systemd/system/*.wants", "/run/systemd/system/*.wants", "/usr/lib/systemd/system/*.wants", "/lib/systemd/system/*.wants"}
}

// Can reports whether somebody would hear of it.
func (m Machine) Can(d Deed) bool {
	if m.Dir == "" || d != Reboot && d != Shutdown {
		return false
	}
	for _, wants := range m.Units {
		if found, err := filepath.Glob(filepath.Join(wants, "layerd-"+string(d)+".path")); err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

const (
	heardWithin = 5 * time.Second
	heardEvery  = 50 * time.Millisecond
)

// Do has it done, and returns when it has begun: a few seconds at most. The error wraps ErrMachine when nobody does it.
func (m Machine) Do(ctx context.Context, d Deed) error {
	if !m.Can(d) {
		return ErrMachine
	}
	path := filepath.Join(m.Dir, string(d))
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMachine, err)
	}
	f.Close()
	ctx, cancel := context.WithTimeout(ctx, heardWithin)
	defer cancel()
	for {
		if _, err := os.Lstat(path); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		select {
		case <-time.After(heardEvery):
		case <-ctx.Done():
			os.Remove(path) // so that nobody does it later, to everyone's surprise
			return fmt.Errorf("%w: layerd-%s.path did not hear of it", ErrMachine, d)
		}
	}
}

package health

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"layerd/internal/latest"
)

// Reports is where the newest Report is; nil before the first.
type Reports = latest.Value[*Report]

// Watch looks at the machine now and then.
type Watch struct {
	machine *Machine
	reports *Reports
	log     *slog.Logger
	seen    atomic.Uint32 // bits of the firmware that were set at any look: the kernel has it forget those since the start
}

// A look takes some milliseconds on a Pi, and what it finds is rarely news. At the start cameras and networks are not there yet, so the second is early.
const (
	lookEvery  = time.Minute
	secondLook = 25 * time.Second
)

// NewWatch returns a Watch of a machine that nobody else uses.
func NewWatch(m *Machine, log *slog.Logger) *Watch {
	w := &Watch{machine: m, reports: latest.New[*Report](nil), log: log}
	if ask := m.Kernel.Firmware; ask != nil {
		m.Kernel.Firmware = func() (uint32, error) {
			bits, err := ask()
			if err == nil {
				w.seen.Or(bits&0xf<<sinceStart | bits&(0xf<<sinceStart))
			}
			return bits | w.seen.Load(), err
		}
	}
	return w
}

// Reports is where the newest is.
func (w *Watch) Reports() *Reports { return w.reports }

// Run looks until ctx ends, and returns nil.
func (w *Watch) Run(ctx context.Context) error {
	next := time.NewTimer(secondLook)
	defer next.Stop()
	for {
		r := w.machine.Look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		w.tell(r)
		w.reports.Set(r)
		select {
		case <-next.C:
			next.Reset(lookEvery)
		case <-ctx.Done():
			return nil
		}
	}
}

// tell logs what has become bad, and what is well again, once.
func (w *Watch) tell(r *Report) {
	before := map[string]Level{}
	if last, _ := w.reports.Get(); last != nil {
		for _, c := range last.Checks {
			before[c.ID] = c.Level
		}
	}
	for _, c := range r.Checks {
		switch was := before[c.ID]; {
		case c.Level == Bad && was != Bad:
			w.log.Warn("this machine needs attention", "what", c.Name, "found", c.Found, "do", c.Do)
		case was == Bad && c.Level != Bad:
			w.log.Info("this machine is better", "what", c.Name, "found", c.Found)
		}
	}
}

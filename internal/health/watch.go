package health

import (
	"context"
	"log/slog"
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
}

// A look takes some milliseconds on a Pi, and what it finds is rarely news. At the start cameras and networks are not there yet, so the second is early.
const (
	lookEvery   = time.Minute
	secondLook  = 25 * time.Second
	glanceEvery = 5 * time.Second // at the power alone: the alarm of the kernel's driver lasts for some seconds
)

// NewWatch returns a Watch of a machine that nobody else uses.
func NewWatch(m *Machine, log *slog.Logger) *Watch {
	return &Watch{machine: m, reports: latest.New[*Report](nil), log: log}
}

// Reports is where the newest is.
func (w *Watch) Reports() *Reports { return w.reports }

// Run looks until ctx ends, and returns nil.
func (w *Watch) Run(ctx context.Context) error {
	next := time.NewTimer(secondLook)
	defer next.Stop()
	glances := time.NewTicker(glanceEvery)
	defer glances.Stop()
	for {
		r := w.machine.Look(ctx)
		if ctx.Err() != nil {
			return nil
		}
		w.tell(r)
		w.reports.Set(r)
		for due := false; !due; {
			select {
			case <-next.C:
				next.Reset(lookEvery)
				due = true
			case <-glances.C:
				due = w.powerChanged(ctx, r)
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// powerChanged glances at the power supply, and reports whether it is another level than in r.
func (w *Watch) powerChanged(ctx context.Context, r *Report) bool {
	now := w.machine.within(ctx, "glance", func() answer { return answer{check: Check{Level: w.machine.power().level}} })
	if now == nil {
		return false
	}
	for _, c := range r.Checks {
		if c.ID == "power" {
			return c.Level != now.check.Level && c.Level != Unknown
		}
	}
	return false
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

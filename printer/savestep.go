package printer

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// SaveBabystep has the firmware keep the sum of the babysteps beyond this print: as part of its probe's offset (M851), which it then saves (M500). It does
// so only while nothing is printed, and only what was not kept before. A firmware that keeps it in another way, or not, is refused with words.
func (p *Printer) SaveBabystep(ctx context.Context) (uint64, error) {
	var sum float64
	answer, err := p.query(ctx, func(o *owner) ([]byte, error) {
		sum = o.modal.tuned.unsaved()
		return []byte("M851"), o.savable()
	})
	if err != nil {
		return 0, err
	}
	now, ok := said(saysOffset, answer)
	if !ok {
		return 0, fmt.Errorf("%w: this printer has no Z probe whose offset could keep it (it does not answer M851); move its endstop, or babystep in each print", ErrBadCommand)
	}
	// M290's own way with BABYSTEP_ZPROBE_OFFSET is to add the step to the offset (M290.cpp, mod_probe_offset), so the signs are the same.
	answer, err = p.query(ctx, func(o *owner) ([]byte, error) {
		if err := o.savable(); err != nil {
			return nil, err
		}
		if o.modal.tuned.unsaved() != sum {
			return nil, fmt.Errorf("%w: the babysteps have changed meanwhile", ErrWrongState)
		}
		return []byte(word("M851 Z", round(now+sum))), nil
	})
	if err != nil {
		return 0, err
	}
	for _, line := range answer {
		if strings.Contains(strings.ToLower(line), "out of range") {
			return 0, fmt.Errorf("%w: the probe's offset would be %g mm: %.100s", ErrLimit, round(now+sum), line)
		}
	}
	// From here on a second try must not add it again.
	if _, err := p.ask(ctx, func(o *owner, _ time.Time) error {
		o.modal.tuned.savedMM = round(o.modal.tuned.savedMM + sum)
		return nil
	}); err != nil {
		return 0, err
	}
	if _, err := p.QueryIdle(ctx, "M500"); err != nil {
		return 0, fmt.Errorf("the probe's offset is %g mm now, but was not saved for when the printer is switched off: %w", round(now+sum), err)
	}
	return p.ask(ctx, func(*owner, time.Time) error { return nil })
}

// unsaved is the sum of babysteps that SaveBabystep would keep, in mm.
func (t *tuned) unsaved() float64 { return round(t.babystepMM - t.savedMM) }

// savable refuses to keep babysteps when there are none, or they cannot be kept now or by this firmware.
func (s *session) savable() error {
	switch {
	case s.state != Idle:
		if err := s.tunable(); err != nil {
			return err
		}
		return fmt.Errorf("%w: the printer is %v; what is kept counts from the next homing on, so it waits for the end of the print", ErrWrongState, s.state)
	case s.noBabystep() != "":
		return fmt.Errorf("%w: %s", ErrBadCommand, s.noBabystep())
	case s.d.tunes.noSave != "":
		return fmt.Errorf("%w: this firmware keeps it in another way. %s", ErrBadCommand, s.d.tunes.noSave)
	case s.modal.tuned.unsaved() == 0:
		return fmt.Errorf("%w: there is nothing to keep", ErrWrongState)
	}
	return nil
}

// MeshCommands says what makes the firmware of a dialect (Connection.Dialect) tell the mesh of its bed, to be tried in turn, and what makes it measure
// one, in order; none when nobody knows.
func MeshCommands(name string) (read, probe []string) {
	for i := range dialects {
		if dialects[i].name == name {
			return dialects[i].tunes.mesh, dialects[i].tunes.probe
		}
	}
	return nil, nil
}

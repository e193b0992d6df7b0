package server

import (
	"context"

	"layerd/internal/power"
)

// What flows here: on or off → the board, which sends the lines that the owner has written for it as a button's are, or switches a GPIO line or a plug → what is
// known of the lamp, which all pages show. A printer does not tell whether its lamp is lit: of lines that is what was asked last.

const lampKey = "lamp"

// Lamp are the lines that switch the lamp at the printer, where lines do.
type Lamp struct {
	OnLines  string `json:"on_lines"`
	OffLines string `json:"off_lines"`
}

// doSetLamp sets up another way to the lamp: lines, or any other; with none at all there is no lamp any more.
func (s *Server) doSetLamp(ctx context.Context, c *call) (uint64, error) {
	if c.Way == nil && (c.OnLines == nil || c.OffLines == nil) {
		return 0, badCommand("This command needs on_lines and off_lines, or way.")
	}
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		refuse := func(err error) (Custom, string, any, uint64, error) { return now, "", nil, 0, err }
		var lamp power.Way
		if c.Way != nil {
			if !c.me.Confirmed { // it makes layerd call an address
				return refuse(errConfirm)
			}
			lamp = c.Way.Tidy().WithSecretOf(now.Lamp)
		} else {
			lamp = power.Way{OnLines: *c.OnLines, OffLines: *c.OffLines}.Tidy()
		}
		if err := s.checkLines(ctx, "Lamp", lamp); err != nil {
			return refuse(err)
		}
		rules, _ := s.cfg.Power.Settings()
		if err := apart(rules.Power, lamp); err != nil {
			return refuse(err)
		}
		if err := s.cfg.Power.SetLamp(ctx, lamp); err != nil {
			return refuse(err)
		}
		now.Lamp = lamp
		return now, lampKey, lamp, s.rev(), nil
	})
}

// doLamp switches the lamp.
func (s *Server) doLamp(ctx context.Context, c *call) (uint64, error) {
	if c.On == nil {
		return 0, badCommand("This command needs on.")
	}
	if s.custom.get().Lamp.Kind == power.None {
		return 0, &refusal{code: "no_lamp"}
	}
	return s.rev(), s.cfg.Power.Lamp(ctx, *c.On)
}

// lampStatus is what the pages show of the lamp, nil without one.
func (s *Server) lampStatus() *LampStatus {
	now, _ := s.cfg.Power.Statuses().Get()
	if now.Lamp.Kind == power.None {
		return nil
	}
	return &LampStatus{On: now.Lamp.State == power.On}
}

package server

import (
	"context"
	"strings"

	"layerd/printer"
)

// What flows here: on or off → the lines that the owner has written for it → sent as a button's are → what was asked last, which all pages show. The
// printer does not tell whether its lamp is lit.

const lampKey = "lamp"

// Lamp is how the lamp at the printer is switched: G-code, as in a button. Without lines there is no lamp.
type Lamp struct {
	OnLines  string `json:"on_lines"`
	OffLines string `json:"off_lines"`
}

// button is what stands for one way of switching it.
func (l Lamp) button(on bool) printer.Button {
	if on {
		return printer.Button{Label: "Lamp on", Lines: l.OnLines}
	}
	return printer.Button{Label: "Lamp off", Lines: l.OffLines}
}

// doSetLamp replaces the lines that switch the lamp; with none at all there is no lamp any more.
func (s *Server) doSetLamp(ctx context.Context, c *call) (uint64, error) {
	if c.OnLines == nil || c.OffLines == nil {
		return 0, badCommand("This command needs on_lines and off_lines.")
	}
	lamp := Lamp{OnLines: strings.TrimSpace(*c.OnLines), OffLines: strings.TrimSpace(*c.OffLines)}
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		if lamp != (Lamp{}) {
			both := []printer.Button{lamp.button(true), lamp.button(false)}
			if err := s.cfg.Printer.CheckButtons(ctx, []printer.ButtonGroup{{Name: "Lamp", Buttons: both}}); err != nil {
				return now, "", nil, 0, err
			}
		}
		if lamp != now.Lamp {
			s.lampOn.Store(false) // another lamp: nobody knows of it
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
	done, err := s.custom.alone(ctx) // so that what is shown is what the printer was asked last
	if err != nil {
		return 0, err
	}
	defer done()
	lamp := s.custom.get().Lamp
	if lamp == (Lamp{}) {
		return 0, &refusal{code: "no_lamp"}
	}
	rev, err := s.cfg.Printer.Press(ctx, lamp.button(*c.On), 0)
	if err != nil {
		return 0, err
	}
	s.lampOn.Store(*c.On)
	s.custom.tell()
	return rev, nil
}

// lampStatus is what the pages show of the lamp, nil without one.
func (s *Server) lampStatus() *LampStatus {
	if s.custom.get().Lamp == (Lamp{}) {
		return nil
	}
	return &LampStatus{On: s.lampOn.Load()}
}

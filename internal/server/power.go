package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/internal/power"
	"layerd/printer"
)

// What flows here: the printer's power and its lamp. How they are reached goes to the board, and then into the store; what is known of them goes to the pages.

// Power switches the printer's power and lamp; *power.Board is one. What switches or asks waits for a plug, some seconds at most.
type Power interface {
	Statuses() *latest.Value[power.Status]
	Settings() (s power.Settings, lamp power.Way)
	Set(ctx context.Context, s power.Settings) error
	SetLamp(ctx context.Context, w power.Way) error
	Try(ctx context.Context, w power.Way) (now power.State, said string, err error)
	Chips() ([]power.Chip, error)
	Lamp(ctx context.Context, on bool) error
	Power(ctx context.Context, on, anyway bool) error
	Choose(job string, off bool)
	OffAfter(off bool) error
	Touched()
	Stopped()
}

// Machine is the one that we run on; power.Machine is one.
type Machine interface {
	Can(d power.Deed) bool
	Do(ctx context.Context, d power.Deed) error
}

const powerKey = "power"

// touches are the commands after which nothing goes off by itself: somebody uses the printer.
var touches = []string{"home", "jog", "extrude", "motors_off", "set_nozzle", "set_bed", "set_chamber", "set_fan", "keep_warm", "babystep", "save_babystep", "press", "send",
	"guard_setup", "guard_drill", "start", "start_card", "start_next", "connect"}

// touched tells the board of a command that was done.
func (s *Server) touched(do string) {
	if slices.Contains(touches, do) {
		s.cfg.Power.Touched()
	}
}

// Watched reports whether somebody has a page of ours open, or one like it.
func (s *Server) Watched() bool { return len(s.liveSockets) > 0 }

// powerState is what the pages show of the power, nil without a switch.
func (s *Server) powerState() *PowerState {
	now, _ := s.cfg.Power.Statuses().Get()
	if now.Power.Kind == power.None {
		return nil
	}
	rules, _ := s.cfg.Power.Settings()
	return &PowerState{On: now.Power.State, Told: now.Power.Kind == power.Lines, Problem: now.Power.Problem, After: now.Phase, OffMS: now.OffMS, Why: now.Why, AfterPrint: rules.AfterPrint, CoolC: rules.CoolC}
}

// servePower answers GET /v1/power.
func (s *Server) servePower(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	rules, lamp := s.cfg.Power.Settings()
	a := PowerAnswer{Settings: rules, Chips: []power.Chip{}, Machine: MachineCan{Reboot: s.cfg.Machine.Can(power.Reboot), Shutdown: s.cfg.Machine.Can(power.Shutdown), Restart: s.CanRestart()}}
	a.Settings.Power, a.HasPassword = rules.Power.Shown()
	a.Lamp, a.LampHasPassword = lamp.Shown()
	chips, err := s.cfg.Power.Chips()
	if err != nil {
		a.ChipsProblem = sentence(err.Error())
	}
	a.Chips = append(a.Chips, chips...)
	s.writeJSON(w, http.StatusOK, a)
	return nil
}

// serveTryPower answers POST /v1/power/try: how a switch stands that is not set up yet, and what it said. It switches nothing.
func (s *Server) serveTryPower(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	body, err := ReadSmall(w, r, maxCommand)
	if err != nil {
		return err
	}
	var way power.Way
	if err := decode(body, &way); err != nil {
		return &refusal{code: "bad_message", message: sentence(err.Error())}
	}
	rules, lamp := s.cfg.Power.Settings()
	way = way.Tidy()
	way = way.WithSecretOf(rules.Power).WithSecretOf(lamp)
	now, said, err := s.cfg.Power.Try(r.Context(), way)
	if errors.Is(err, power.ErrSetup) {
		return err
	}
	a := PowerTried{On: now, Said: said}
	if err != nil {
		a.Problem = sentence(err.Error())
	}
	s.writeJSON(w, http.StatusOK, a)
	return nil
}

// checkLines asks the printer whether it takes the lines of a switch.
func (s *Server) checkLines(ctx context.Context, name string, w power.Way) error {
	if w.OnLines == "" && w.OffLines == "" {
		return nil
	}
	return s.cfg.Printer.CheckButtons(ctx, []printer.ButtonGroup{{Name: name, Buttons: []printer.Button{{Label: name + " on", Lines: w.OnLines}, {Label: name + " off", Lines: w.OffLines}}}})
}

// doSetPower hands the settings to their owner first, as doSetCooling does.
func (s *Server) doSetPower(ctx context.Context, c *call) (uint64, error) {
	if c.Power == nil {
		return 0, badCommand("This command needs power.")
	}
	done, err := s.custom.alone(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	had, lamp := s.cfg.Power.Settings()
	next := *c.Power
	next.Power = next.Power.Tidy().WithSecretOf(had.Power)
	if err := next.Validate(); err != nil {
		return 0, err
	}
	if err := apart(next.Power, lamp); err != nil {
		return 0, err
	}
	if err := s.checkLines(ctx, "Power", next.Power); err != nil {
		return 0, err
	}
	if err := s.cfg.Power.Set(ctx, next); err != nil {
		return 0, err
	}
	if err := s.cfg.Files.SetSetting(ctx, powerKey, next); err != nil {
		if back := s.cfg.Power.Set(ctx, had); back != nil {
			s.log.Error("the power has settings that are not kept", "err", back)
		}
		return 0, fmt.Errorf("keep the settings of the power: %w", err)
	}
	return s.rev(), nil
}

// apart is an error when two switches would be one line.
func apart(a, b power.Way) error {
	if a.Kind == power.GPIO && a.Kind == b.Kind && a.Chip == b.Chip && a.Line == b.Line {
		return fmt.Errorf("%w: the lamp and the power cannot have the same line", power.ErrSetup)
	}
	return nil
}

// doPower switches the power. A file that is made ready for a print counts as that.
func (s *Server) doPower(ctx context.Context, c *call) (uint64, error) {
	if c.On == nil {
		return 0, badCommand("This command needs on.")
	}
	if !*c.On && len(s.starting) > 0 {
		return 0, power.ErrPrinting
	}
	return s.rev(), s.cfg.Power.Power(ctx, *c.On, c.Anyway)
}

// doPowerAfter says whether the power goes off by itself once all is cool.
func (s *Server) doPowerAfter(_ context.Context, c *call) (uint64, error) {
	if c.On == nil {
		return 0, badCommand("This command needs on.")
	}
	return s.rev(), s.cfg.Power.OffAfter(*c.On)
}

// powerBeforeConnect switches on what is off, where that is wanted.
func (s *Server) powerBeforeConnect(ctx context.Context) error {
	rules, _ := s.cfg.Power.Settings()
	now, _ := s.cfg.Power.Statuses().Get()
	if !rules.OnConnect || rules.Power.Kind == power.None || rules.Power.Kind == power.Lines || now.Power.State == power.On {
		return nil
	}
	return s.cfg.Power.Power(ctx, true, false)
}

// machine does something to the machine that we run on: not in mid-print.
func machine(deed power.Deed) runFunc {
	return func(s *Server, ctx context.Context, c *call) (uint64, error) {
		snap, _ := s.cfg.Printer.Snapshots().Get()
		if len(s.starting) > 0 || snap != nil && (snap.State.HasJob() || snap.Lost != nil) {
			return 0, power.ErrPrinting
		}
		s.log.Warn("asked for by a person", "deed", deed, "who", c.me.Name)
		return s.rev(), s.cfg.Machine.Do(ctx, deed)
	}
}

// ReadPower reads the settings of the power that were kept. Those that make no sense any more are as in a new installation, and told of.
func ReadPower(ctx context.Context, settings Settings) (power.Settings, error) {
	s := power.UsualSettings()
	var raw json.RawMessage
	if found, err := settings.Setting(ctx, powerKey, &raw); err != nil || !found {
		return s, err
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return power.UsualSettings(), nil
	}
	if s.Power = s.Power.Tidy(); s.Validate() != nil {
		return power.UsualSettings(), nil
	}
	return s, nil
}

package server

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/printer"
)

// What flows here: a Command from the live socket or POST /v1/do → the table → role → once → the printer or the store → an Answer.

// commandTime is how long a command may take to be accepted; a start may have to read through a big file that was copied in by
// hand. What the machine then does may take hours.
const commandTime = 2 * time.Minute

// call is one command under way, and who gave it.
type call struct {
	Command
	me      access.Identity
	started string // start, start_card: the new print's ID
	about   string // press: the button's name, for the audit log; the button may be gone when that is read
}

// command is one thing that can be done. Without a role it could not be written down here.
type command struct {
	name  string
	least access.Role
	asks  asks
	run   func(s *Server, ctx context.Context, c *call) (rev uint64, err error)
}

// emergencyStop waits for nothing: see perform and socket.command.
const emergencyStop = "emergency_stop"

var commands = []command{
	{"start", access.Operator, free, (*Server).doStart},
	{"pause", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.Pause(ctx, c.Job) }},
	{"resume", access.Operator, free, (*Server).doResume},
	{"cancel", access.Operator, free, (*Server).doCancel},
	{"set_stop", access.Operator, free, (*Server).doSetStop},
	{"remove_stop", access.Operator, free, (*Server).doRemoveStop},
	{"skip_object", access.Operator, free, skipObject(true)},
	{"keep_object", access.Operator, free, skipObject(false)},
	{"start_card", access.Operator, free, (*Server).doStartCard},
	{"answer", access.Operator, free, (*Server).doAnswer},
	{emergencyStop, access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		defer s.cfg.Power.Stopped()
		return s.cfg.Printer.EmergencyStop(ctx)
	}},
	{"dismiss", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.Dismiss(ctx) }},

	{"home", access.Operator, free, (*Server).doHome},
	{"jog", access.Operator, free, (*Server).doJog},
	{"extrude", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.ExtrudeAt(ctx, c.ByMM, c.MMS)
	}},
	{"motors_off", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.MotorsOff(ctx) }},
	{"set_nozzle", access.Operator, free, target(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetNozzle(ctx, c.Tool, *c.TargetC)
	})},
	{"set_bed", access.Operator, free, target(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetBed(ctx, *c.TargetC)
	})},
	{"set_chamber", access.Operator, free, target(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetChamber(ctx, *c.TargetC)
	})},
	{"set_fan", access.Operator, free, percent(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetFan(ctx, *c.Percent)
	})},
	{"set_speed", access.Operator, free, percent(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetSpeed(ctx, *c.Percent)
	})},
	{"set_flow", access.Operator, free, percent(func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.SetFlow(ctx, *c.Percent)
	})},

	{"keep_warm", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.KeepWarm(ctx) }},
	{"babystep", access.Operator, free, (*Server).doBabystep},
	{"set_advance", access.Operator, free, (*Server).doSetAdvance},
	{"set_acceleration", access.Operator, free, (*Server).doSetAcceleration},
	{"read_tuning", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.ReadTuning(ctx) }},
	{"save_babystep", access.Owner, free, (*Server).doSaveBabystep}, // what is kept in the printer is the owner's
	{"change_setting", access.Owner, free, (*Server).doChangeSetting},
	{"save_settings", access.Owner, free, (*Server).doSaveSettings},
	{"restore_settings", access.Owner, free, (*Server).doRestoreSettings},

	{"press", access.Operator, free, (*Server).doPress}, // what an owner has written
	{"lamp", access.Operator, free, (*Server).doLamp},   // the same
	{"power", access.Operator, free, (*Server).doPower},
	{"power_after", access.Operator, free, (*Server).doPowerAfter},
	{"send", access.Owner, free, (*Server).doSend}, // the raw console is the owner's alone
	{"connect", access.Owner, free, (*Server).doConnect},
	{"disconnect", access.Owner, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.Disconnect(ctx) }},
	{"set_profile", access.Owner, free, (*Server).doSetProfile},
	{"save_profile", access.Owner, free, (*Server).doSaveProfile},
	{"choose_profile", access.Owner, free, (*Server).doChooseProfile},
	{"rename_profile", access.Owner, free, (*Server).doRenameProfile},
	{"delete_profile", access.Owner, free, (*Server).doDeleteProfile},
	{"set_scripts", access.Owner, free, (*Server).doSetScripts},
	{"set_buttons", access.Owner, free, (*Server).doSetButtons},
	{"set_camera", access.Owner, free, (*Server).doSetCamera},
	{"remove_camera", access.Owner, free, (*Server).doRemoveCamera},
	{"set_control", access.Owner, free, (*Server).doSetControl},
	{"set_lamp", access.Owner, free, (*Server).doSetLamp},
	{"set_power", access.Owner, again, (*Server).doSetPower}, // it makes layerd call an address
	{"reboot", access.Owner, again, machine(power.Reboot)},
	{"shutdown", access.Owner, again, machine(power.Shutdown)},
	{"set_fit_arcs", access.Owner, free, (*Server).doSetFitArcs},
	{"set_cooling", access.Owner, free, (*Server).doSetCooling},
	{"set_timelapse", access.Owner, free, (*Server).doSetTimelapse},
	{"guard_check", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.cfg.Printer.CheckNow(ctx, c.Job, printer.CheckAsked)
	}},
	{"rehome", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) { return s.cfg.Printer.Rehome(ctx, c.Job) }},
	{"set_guard", access.Owner, free, (*Server).doSetGuard},
	{"guard_setup", access.Operator, free, (*Server).doGuardSetup},
	{"guard_drill", access.Operator, free, (*Server).doGuardDrill},
	{"guard_corners", access.Owner, free, (*Server).doGuardCorners},
	{"guard_cancel", access.Operator, free, doGuard(func(g Guard, ctx context.Context, _ *call) error { return g.Cancel(ctx) })},
	{"false_alarm", access.Operator, free, doGuard(func(g Guard, ctx context.Context, c *call) error { return g.FalseAlarm(ctx, c.Job) })},
	{"guard_seen", access.Operator, free, doGuard(func(g Guard, ctx context.Context, c *call) error { return g.Seen(ctx, c.Job) })},
	{"set_overlay", access.Owner, again, (*Server).doSetOverlay},
	{"overlay_login", access.Owner, again, (*Server).doOverlayLogin},
	{"overlay_leave", access.Owner, again, (*Server).doOverlayLeave},

	{"restart", access.Owner, free, (*Server).doRestart},
	{"allow_app", access.Owner, again, (*Server).doAllowApp},
	{"deny_app", access.Owner, free, (*Server).doDenyApp},

	{"save_spool", access.Operator, free, (*Server).doSaveSpool},
	{"set_spool", access.Operator, free, (*Server).doSetSpool},
	{"queue_add", access.Operator, free, (*Server).doQueueAdd},
	{"queue_move", access.Operator, free, (*Server).doQueueMove},
	{"queue_copies", access.Operator, free, (*Server).doQueueCopies},
	{"queue_remove", access.Operator, free, (*Server).doQueueRemove},
	{"start_next", access.Operator, free, (*Server).doStartNext},

	{"delete_file", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.rev(), s.onceFree(ctx, c.File, func(ctx context.Context) error { return s.cfg.Files.Delete(ctx, c.File) })
	}},
	{"rename_file", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		return s.rev(), s.onceFree(ctx, c.File, func(ctx context.Context) error {
			_, err := s.cfg.Files.Rename(ctx, c.File, c.To)
			return err
		})
	}},
	{"make_folder", access.Operator, free, func(s *Server, ctx context.Context, c *call) (uint64, error) {
		_, err := s.cfg.Files.MakeFolder(ctx, c.File)
		return s.rev(), err
	}},
}

// perform does a command for me and answers it. It returns early when ctx ends, but a command that was begun goes on:
// a phone that lost its link asks again and gets the answer.
func (s *Server) perform(ctx context.Context, me access.Identity, cmd Command) Answer {
	answer := Answer{Type: "answer", ID: cmd.ID}
	found := commandNamed(cmd.Do)
	if found == nil {
		answer.Error = s.answerError(&refusal{code: "unknown_command", message: fmt.Sprintf("There is no command %.40q.", cmd.Do)})
		return answer
	}
	if err := found.admit(me); err != nil {
		answer.Error = s.answerError(err)
		s.note(me, cmd.Do, "", answer.Error.Code)
		return answer
	}
	run := func() Answer { return s.run(found, me, cmd) }
	if cmd.ID == "" {
		return run()
	}
	given, err := s.done.do(ctx, me.ID, cmd, run)
	if err == errReused && cmd.Do == emergencyStop {
		return run() // an id is no reason to let it burn
	}
	if err != nil {
		answer.Error = s.answerError(err)
		return answer
	}
	return given
}

func commandNamed(name string) *command {
	for i := range commands {
		if commands[i].name == name {
			return &commands[i]
		}
	}
	return nil
}

// admit is why me may not give a command.
func (c *command) admit(me access.Identity) error {
	if me.Role < c.least {
		return roleTooLow(c.least)
	}
	if c.asks == again && !me.Confirmed {
		return errConfirm
	}
	return nil
}

// run does a command, once. A panic in it is this command's failure and nobody else's.
func (s *Server) run(found *command, me access.Identity, cmd Command) (answer Answer) {
	answer = Answer{Type: "answer", ID: cmd.ID}
	c := &call{Command: cmd, me: me}
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a command went wrong", "do", cmd.Do, "panic", p, "stack", string(debug.Stack()))
			e, _ := explain(errBroken)
			answer = Answer{Type: "answer", ID: cmd.ID, Error: &e}
		}
		outcome := "ok"
		if answer.Error != nil {
			outcome = answer.Error.Code
		}
		s.note(me, cmd.Do, detailOf(c), outcome)
	}()
	ctx, cancel := context.WithTimeout(s.life, commandTime)
	defer cancel()
	rev, err := found.run(s, ctx, c)
	if err != nil {
		answer.Error = s.answerError(err)
		s.log.Info("command refused", "do", cmd.Do, "who", me.Name, "code", answer.Error.Code)
		return answer
	}
	answer.Rev, answer.Job = rev, c.started
	s.touched(cmd.Do)
	s.log.Info("command", "do", cmd.Do, "who", me.Name, "rev", rev)
	return answer
}

// rev is the newest snapshot's revision: what has nothing to do with the printer takes effect in any.
func (s *Server) rev() uint64 {
	if snap, _ := s.cfg.Printer.Snapshots().Get(); snap != nil {
		return snap.Rev
	}
	return 0
}

type runFunc = func(s *Server, ctx context.Context, c *call) (uint64, error)

func target(run runFunc) runFunc {
	return func(s *Server, ctx context.Context, c *call) (uint64, error) {
		if c.TargetC == nil {
			return 0, badCommand("This command needs target_c.")
		}
		return run(s, ctx, c)
	}
}

func percent(run runFunc) runFunc {
	return func(s *Server, ctx context.Context, c *call) (uint64, error) {
		if c.Percent == nil {
			return 0, badCommand("This command needs percent.")
		}
		return run(s, ctx, c)
	}
}

func (s *Server) doAnswer(ctx context.Context, c *call) (uint64, error) {
	if c.Prompt == 0 || c.Button == nil {
		return 0, badCommand("This command needs prompt and button.")
	}
	return s.cfg.Printer.Answer(ctx, c.Prompt, *c.Button)
}

func (s *Server) doHome(ctx context.Context, c *call) (uint64, error) {
	axes := strings.ToLower(c.Axes)
	for i, axis := range axes {
		if !strings.ContainsRune("xyz", axis) || strings.ContainsRune(axes[:i], axis) {
			return 0, badCommand("axes may hold x, y and z, each once.")
		}
	}
	return s.cfg.Printer.Home(ctx, axes)
}

func (s *Server) doJog(ctx context.Context, c *call) (uint64, error) {
	axis := strings.ToLower(c.Axes)
	if len(axis) != 1 || !strings.Contains("xyz", axis) {
		return 0, badCommand("axes must be one of x, y and z.")
	}
	if c.ToMM != nil {
		if c.ByMM != 0 {
			return 0, badCommand("A jog goes by_mm or to_mm.")
		}
		return s.cfg.Printer.JogTo(ctx, axis[0], *c.ToMM)
	}
	if c.ByMM == 0 || math.Abs(c.ByMM) > 5000 {
		return 0, badCommand("by_mm must be a distance of at most 5000 mm, and not 0.")
	}
	return s.cfg.Printer.Jog(ctx, axis[0], c.ByMM)
}

func (s *Server) doSend(ctx context.Context, c *call) (uint64, error) {
	var lines []string
	for line := range strings.Lines(c.Line) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 || len(lines) > 100 {
		return 0, badCommand("line must hold 1 to 100 lines.")
	}
	return s.cfg.Printer.Send(ctx, lines...)
}

func (s *Server) doConnect(ctx context.Context, c *call) (uint64, error) {
	var at printer.Connection
	if now, _ := s.cfg.Printer.Snapshots().Get(); now != nil {
		at = now.Connection
	}
	if c.Port != "" && c.Port != at.Port && c.Port != at.WantPort {
		if err := s.unlocked("printer.port"); err != nil {
			return 0, err
		}
	}
	if c.Baud != 0 && c.Baud != at.Baud && c.Baud != at.WantBaud {
		if err := s.unlocked("printer.baud"); err != nil {
			return 0, err
		}
	}
	if c.Baud < 0 || c.Baud > 4_000_000 || len(c.Port) > 512 || strings.ContainsRune(c.Port, 0) {
		return 0, badCommand("port must be the path of a serial port, and baud its speed or 0.")
	}
	if err := s.powerBeforeConnect(ctx); err != nil {
		return 0, err
	}
	return s.cfg.Printer.Connect(ctx, c.Port, c.Baud)
}

// doSetCooling hands the times to their owner first, as doSetProfile does.
func (s *Server) doSetCooling(ctx context.Context, c *call) (uint64, error) {
	if c.Cooling == nil {
		return 0, badCommand("This command needs cooling.")
	}
	rev, err := s.cfg.Printer.SetCooling(ctx, *c.Cooling)
	if err != nil {
		return 0, err
	}
	if err := s.cfg.Files.SetSetting(ctx, "cooling", *c.Cooling); err != nil {
		return 0, fmt.Errorf("keep the times of cooling: %w", err)
	}
	return rev, nil
}

// unlocked is an error when the configuration holds the setting.
func (s *Server) unlocked(key string) error {
	from, locked := s.cfg.Locked[key]
	if !locked {
		return nil
	}
	where := map[string]string{"file": "the configuration file", "environment": "the environment", "flag": "the command line"}[from]
	if where == "" {
		where = "the configuration"
	}
	return &refusal{code: "locked", message: fmt.Sprintf("%s is set by %s and cannot be changed here.", key, where)}
}

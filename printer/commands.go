package printer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"time"
)

// Errors that commands return, besides *Fault and ctx's. Test with errors.Is.
var (
	ErrNotConnected = errors.New("the printer is not connected")
	ErrWrongState   = errors.New("not possible in this state") // wrapped with the state's name
	ErrOtherJob     = errors.New("that job is no longer the one under way")
	ErrLimit        = errors.New("outside the printer's limits") // wrapped with the limit
	ErrBadCommand   = errors.New("this cannot be sent to the printer")
	ErrNotHomed     = errors.New("the printer has not been homed on this connection")
	ErrBusyQueue    = errors.New("too many typed commands are waiting")
)

// The commands below ask the owner and wait for its answer: the revision of the Snapshot in which they took effect. They return
// when the command is accepted, not when the machine has done it.

// Connect opens the port at path ("" = the configured or detected one) at baud (0 = detect), in place of the one that is open.
// A path that a person names is remembered by its USB identity.
func (p *Printer) Connect(ctx context.Context, path string, baud int) (rev uint64, err error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if o.state.HasJob() {
			return fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state)
		}
		o.hangUp(now)
		o.dial.choice(now, path, baud)
		return nil
	})
}

// Disconnect closes the port and leaves it closed until Connect.
func (p *Printer) Disconnect(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if o.state.HasJob() {
			return fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state)
		}
		o.hangUp(now)
		return nil
	})
}

// Redial opens the port again that Disconnect has closed, as if it had not: by itself, once it is there. Where one is open it does nothing.
func (p *Printer) Redial(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if o.line == nil && !o.state.HasJob() {
			o.dial.auto, o.dial.next = true, now
		}
		return nil
	})
}

// Start begins to print src, which the printer closes when the job has ended, however that happens. On error the caller keeps src.
func (p *Printer) Start(ctx context.Context, info JobInfo, src io.ReadCloser) (uint64, error) {
	if err := info.Shots.Validate(); err != nil {
		return 0, fmt.Errorf("%w: shots: %w", ErrLimit, err)
	}
	if err := info.Watch.Validate(); err != nil {
		return 0, fmt.Errorf("%w: watch: %w", ErrLimit, err)
	}
	placed, err := placeAll(&info.Survey, info.Stops)
	if err != nil {
		return 0, err
	}
	return p.ask(ctx, func(o *owner, now time.Time) error {
		switch o.state {
		case Idle:
			if err := o.free(); err != nil {
				return err
			}
		case Disconnected, Connecting:
			return ErrNotConnected
		default:
			return fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state)
		}
		o.start(now, openJob(info, src))
		o.run.stops = placed.stops
		return nil
	})
}

// inJob runs do if the job named id is the one under way (any, when id is "") and the state is one of those allowed.
func (p *Printer) inJob(ctx context.Context, id string, do func(o *owner, now time.Time) error, allowed ...State) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if o.job == nil {
			if id != "" && o.last != nil && o.last.ID == id {
				return ErrOtherJob
			}
			return fmt.Errorf("%w: no print is under way", ErrWrongState)
		}
		if id != "" && o.job.info.ID != id {
			return ErrOtherJob
		}
		for _, s := range allowed {
			if o.state == s {
				return do(o, now)
			}
		}
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state)
	})
}

// Pause lets the moves under way end, then retracts, lifts and parks. job is the ID of the one that is meant, "" for the one under way.
func (p *Printer) Pause(ctx context.Context, job string) (uint64, error) {
	return p.inPrint(ctx, job, func(o *owner, now time.Time) error { return o.pauseCard(now) },
		func(o *owner, now time.Time) error { o.pause(now); return nil }, Starting, Printing)
}

// Resume heats again, goes back to where the pause found the print, and goes on. The error is ErrRehome where a Rehome in this pause did not end well.
func (p *Printer) Resume(ctx context.Context, job string) (uint64, error) {
	return p.goOn(ctx, job, false)
}

// ResumeAsItIs is Resume, also where a Rehome in this pause did not end well: where the head is found then is taken for right.
func (p *Printer) ResumeAsItIs(ctx context.Context, job string) (uint64, error) {
	return p.goOn(ctx, job, true)
}

func (p *Printer) goOn(ctx context.Context, job string, anyway bool) (uint64, error) {
	return p.inPrint(ctx, job, func(o *owner, now time.Time) error { return o.resumeCard(now) },
		func(o *owner, now time.Time) error { return o.resume(now, anyway) }, Paused)
}

// Cancel ends the job: heaters off, lift, park, motors off.
func (p *Printer) Cancel(ctx context.Context, job string) (uint64, error) {
	return p.inPrint(ctx, job, func(o *owner, now time.Time) error { return o.cancelCard(now) },
		func(o *owner, now time.Time) error { o.cancel(now, "cancelled", "stopped by hand"); return nil },
		Starting, Printing, Pausing, Paused, Resuming)
}

// Shutdown ends a job under way as interrupted, heaters off and parked, without a script, and switches off what is hot without one. It returns when the
// firmware has accepted that, or with ctx's error; then heaters off has at least been written ahead of everything that waits. When nothing is hot it returns at once.
func (p *Printer) Shutdown(ctx context.Context) error {
	if _, err := p.ask(ctx, func(o *owner, _ time.Time) error { o.ending, o.calib.stop = true, true; return nil }); err != nil {
		return err
	}
	_, err := p.inJob(ctx, "", func(o *owner, now time.Time) error {
		o.cancel(now, "interrupted", "layerd was stopped")
		return nil
	}, Starting, Printing, Pausing, Paused, Resuming)
	cooling := false
	if err != nil && errors.Is(err, ErrWrongState) { // no job, or one that is ending
		_, err = p.ask(ctx, func(o *owner, _ time.Time) error {
			if cooling = o.session.open && (o.state == Idle || o.state == Faulted) && o.kept().Heated; cooling {
				o.typed = nil // that comes first
				if o.queue(o.heatersOff()...) != nil {
					o.coolNow()
				}
			}
			return nil
		})
	}
	if err != nil {
		return err
	}
	for seq := uint64(0); ; {
		snap, at, err := p.snaps.Next(ctx, seq)
		if err != nil {
			late, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			_, _ = p.ask(late, func(o *owner, _ time.Time) error { o.coolNow(); return nil })
			return err
		}
		if seq = at; snap.Calibration != nil && snap.Calibration.Running { // it has switched the soft limits off
			continue
		}
		if (!snap.State.HasJob() || snap.Job == nil) && !(cooling && snap.Keeper.Heated && (snap.State == Idle || snap.State == Faulted)) { // a print from the card is the printer's own
			return nil
		}
	}
}

// Send queues lines that a person typed; in mid-print they interleave with the job.
func (p *Printer) Send(ctx context.Context, lines ...string) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		var texts []string
		for _, l := range lines {
			text, err := o.typedLine(l)
			if err != nil {
				return err
			}
			if gcode.ParseCommand(text).Is('M', 112) {
				return o.halted(now)
			}
			texts = append(texts, string(text))
		}
		return o.queue(texts...)
	})
}

// EmergencyStop sends M112 at once, ahead of everything.
func (p *Printer) EmergencyStop(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error { return o.halted(now) })
}

func (o *owner) halted(now time.Time) error {
	if o.line == nil {
		return ErrNotConnected
	}
	o.emergencyStop(now)
	return nil
}

// Dismiss leaves Faulted, Halting or Halted: it says hello again, after a reset where the firmware had stopped. It moves and heats nothing.
func (p *Printer) Dismiss(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		switch o.state {
		case Faulted, Halted, Halting:
			o.dismiss(now)
			o.dial.next = now
		}
		return nil
	})
}

// Home homes axes, such as "xyz" or "z"; "" means all.
func (p *Printer) Home(ctx context.Context, axes string) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		if o.profile.Kinematics == "delta" { // whichever axis is asked for, its firmware homes them all
			if axes = ""; o.state == Paused {
				return fmt.Errorf("%w: a delta homes all axes at once, and not in the middle of a print", ErrBadCommand)
			}
		}
		return o.home(axes)
	})
}

// Jog moves axis ('x', 'y' or 'z') by byMM, and not beyond the profile's volume where the head's place is known.
func (p *Printer) Jog(ctx context.Context, axis byte, byMM float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.jog(axis, byMM) })
}

// JogTo moves axis to a place, in mm; ErrNotHomed when nobody knows where it is.
func (p *Printer) JogTo(ctx context.Context, axis byte, toMM float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.jogTo(axis, toMM) })
}

// Extrude pushes byMM of filament, or pulls it back when negative; the nozzle must be hot.
func (p *Printer) Extrude(ctx context.Context, byMM float64) (uint64, error) {
	return p.ExtrudeAt(ctx, byMM, 0)
}

// ExtrudeAt is Extrude at a speed, in mm/s; 0 = the profile's.
func (p *Printer) ExtrudeAt(ctx context.Context, byMM, mmS float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.extrude(byMM, mmS) })
}

// SetNozzle sets the target of a tool's nozzle in °C; 0 is off, which is allowed in every state.
func (p *Printer) SetNozzle(ctx context.Context, tool int, targetC float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		if tool < 0 || tool >= max(o.profile.Nozzles, len(o.seen.nozzles)) {
			return fmt.Errorf("%w: there is no nozzle %d", ErrLimit, tool)
		}
		command := "M104"
		if !o.modal.oneNozzle && (tool != o.modal.tool || o.profile.Nozzles > 1) {
			command = word("M104 T", float64(tool))
		}
		return o.heat(command, targetC, o.profile.MaxNozzleC)
	})
}

// SetBed sets the bed's target in °C.
func (p *Printer) SetBed(ctx context.Context, targetC float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.heat("M140", targetC, o.profile.MaxBedC) })
}

// SetChamber sets the chamber's target in °C.
func (p *Printer) SetChamber(ctx context.Context, targetC float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.heat("M141", targetC, o.profile.MaxChamberC) })
}

// SetFan sets the part fan.
func (p *Printer) SetFan(ctx context.Context, percent float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.fan(percent) })
}

// SetSpeed sets the factor on all feed rates.
func (p *Printer) SetSpeed(ctx context.Context, percent float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.factor("M220", "a speed of", percent) })
}

// SetFlow sets the factor on extrusion.
func (p *Printer) SetFlow(ctx context.Context, percent float64) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error { return o.factor("M221", "a flow of", percent) })
}

// MotorsOff lets go of the motors; nobody knows then where the head is.
func (p *Printer) MotorsOff(ctx context.Context) (uint64, error) {
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		if o.state != Idle {
			return cmp.Or(o.free(), fmt.Errorf("%w: the print would lose its place", ErrWrongState))
		}
		return o.queue("M84")
	})
}

// SetProfile replaces the profile; it counts from the next command on. Not while a print is under way: what the print has heated, and where it parks,
// was told by the profile of before.
func (p *Printer) SetProfile(ctx context.Context, profile Profile) (uint64, error) {
	if err := profile.Check(); err != nil {
		return 0, fmt.Errorf("%w: %w", ErrLimit, err)
	}
	return p.ask(ctx, func(o *owner, _ time.Time) error {
		if o.state.HasJob() || o.lost != nil {
			return fmt.Errorf("%w: a print is under way", ErrWrongState)
		}
		before := o.profile
		o.profile = profile.Whole()
		o.profileChanged(before)
		o.modal.oneNozzle = o.profile.shares()
		return nil
	})
}

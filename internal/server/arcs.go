package server

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"layerd/gcode"
	"layerd/internal/store"
	"layerd/printer"
)

// What flows here: a file that is to be printed, where the owner wants arcs and the firmware knows them ─▶ its copy with arcs (store.Fit), which is what the
// printer gets. Whatever speaks against that is no reason not to print: then the file itself is, and the console says why.

const (
	arcsKey     = "fit_arcs"
	prepareTime = 90 * time.Second       // then the file is printed as it is
	prepareShow = 400 * time.Millisecond // before pages say so
)

var errNotStarted = &refusal{code: "not_started"}

// Preparing is a print whose file is being made ready; what is asked of the printer meanwhile is not held up. Cancel without a job ends it.
type Preparing struct {
	File string `json:"file"`
	Name string `json:"name"` // for people
	By   string `json:"by"`   // who starts it
}

// preparation is one under way.
type preparation struct {
	Preparing
	shown atomic.Bool
	stop  context.CancelCauseFunc
}

// doSetFitArcs switches the copies with arcs on or off, for prints to come.
func (s *Server) doSetFitArcs(ctx context.Context, c *call) (uint64, error) {
	if c.On == nil {
		return 0, badCommand("This command needs on.")
	}
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		now.FitArcs = *c.On
		return now, arcsKey, *c.On, s.rev(), nil
	})
}

// doResume has the print go on.
func (s *Server) doResume(ctx context.Context, c *call) (uint64, error) {
	if c.Anyway {
		return s.cfg.Printer.ResumeAsItIs(ctx, c.Job)
	}
	return s.cfg.Printer.Resume(ctx, c.Job)
}

// doCancel ends the print under way, or the one that is being prepared.
func (s *Server) doCancel(ctx context.Context, c *call) (uint64, error) {
	if p := s.preparing.Load(); p != nil && c.Job == "" {
		p.stop(errNotStarted)
		return s.rev(), nil
	}
	return s.cfg.Printer.Cancel(ctx, c.Job)
}

// instead is what goes to the printer in place of a file: its copy with arcs, or with src nil the file itself. note is for the console.
type instead struct {
	src  *os.File
	copy store.Fitted
	note string
}

func (p *instead) close() {
	if p.src != nil {
		p.src.Close()
	}
}

// prepare makes the copy with arcs of a file, where that is wanted. It blocks until it is made, and fails only where the start was called off.
func (s *Server) prepare(ctx context.Context, w *wanted, file store.File, survey *gcode.Survey, snap *printer.Snapshot, heated bool) (instead, error) {
	if !s.custom.get().FitArcs || !printer.KnowsArcs(snap.Connection) {
		return instead{}, nil
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	bounded, done := context.WithTimeout(ctx, prepareTime)
	defer done()
	p := &preparation{Preparing: Preparing{File: file.Path, Name: file.Name, By: w.by}, stop: stop}
	s.preparing.Store(p)
	show := time.AfterFunc(prepareShow, func() { p.shown.Store(true); s.custom.tell() })
	src, made, err := s.cfg.Files.Fit(bounded, file.Path)
	show.Stop()
	s.preparing.Store(nil)
	s.custom.tell()
	switch {
	case ctx.Err() != nil:
		if src != nil {
			src.Close()
		}
		return instead{}, context.Cause(ctx)
	case err == nil:
		return s.likewise(instead{src, made, fmt.Sprintf("printed from a copy with %d arcs: %d lines in place of %d", made.Arcs, made.Survey.Lines, survey.Lines)}, survey, snap, heated, w.overLimits), nil
	}
	why := made.Why
	switch {
	case errors.Is(err, store.ErrNotFitted) && why != "":
	case bounded.Err() != nil:
		why = "making the copy with arcs takes too long on this machine"
	default:
		why = "the copy with arcs could not be made"
		s.log.Error("a file is printed without arcs", "file", file.Path, "err", err)
	}
	s.log.Info("printed without arcs", "file", file.Path, "why", why)
	return instead{note: "printed as it is: " + why}, nil
}

// likewise takes a copy only where a careful person would say of it what he says of the file.
func (s *Server) likewise(p instead, survey *gcode.Survey, snap *printer.Snapshot, heated, overLimits bool) instead {
	copied, file := p.copy.Survey, *survey
	file.Wire = copied.Wire
	if heated {
		copied.TrustHeat()
	}
	mine, errMine := checkFile(&copied, snap, overLimits)
	theirs, errTheirs := checkFile(&file, snap, overLimits)
	if errMine == nil && errTheirs == nil && len(mine) == len(theirs) {
		return p
	}
	p.close()
	return instead{note: "printed as it is: the copy with arcs is not as safe"}
}

// preparingNow is what the pages show; nil for what is done in a moment.
func (s *Server) preparingNow() *Preparing {
	if p := s.preparing.Load(); p != nil && p.shown.Load() {
		return &p.Preparing
	}
	return nil
}

// surveyOfJob is the survey of what a job sends.
func (s *Server) surveyOfJob(ctx context.Context, job *printer.JobStatus) (gcode.Survey, error) {
	if job.Arcs == 0 {
		return s.cfg.Files.Survey(ctx, job.File)
	}
	f, made, err := s.cfg.Files.OpenFitted(ctx, job.File)
	if err != nil {
		return gcode.Survey{}, err
	}
	f.Close()
	return made.Survey, nil
}

package server

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/store"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// What flows here: a file's path → open file and survey → checks.go → a row in the history → the printer.

// doStart is the start command.
func (s *Server) doStart(ctx context.Context, c *call) (uint64, error) {
	if c.File == "" {
		return 0, badCommand("This command needs file.")
	}
	if c.OverLimits && c.me.Role < access.Owner {
		return 0, roleTooLow(access.Owner)
	}
	id, rev, err := s.startPrint(ctx, wanted{path: c.File, by: c.me.Name, anyway: c.Anyway, overLimits: c.OverLimits, record: c.Record, watch: c.Watch, stops: c.Stops, powerOff: c.PowerOff})
	c.started = id
	return rev, err
}

// StartPrint begins to print the file at path for by, a person or program. anyway overrides warnings about the file, never
// limits. It returns the job's ID and the revision of the snapshot that shows it. One print is started at a time.
func (s *Server) StartPrint(ctx context.Context, path, by string, anyway bool) (id string, rev uint64, err error) {
	return s.startPrint(ctx, wanted{path: path, by: by, anyway: anyway})
}

// wanted is a print that is to be started.
type wanted struct {
	path, by   string
	anyway     bool              // in spite of warnings
	overLimits bool              // of temperature
	record     *timelapse.Choice // nil = as usual
	watch      printer.WatchMode // "" = as usual
	stops      []printer.StopAt  // where it pauses by itself
	powerOff   *bool             // after it; nil = as usual
	next       bool              // the queue's first entry, in place of path …
	entry      int64             // … which must be this one; 0 = any. Set to it
}

func (s *Server) startPrint(ctx context.Context, w wanted) (id string, rev uint64, err error) {
	select {
	case s.starting <- struct{}{}:
		defer func() { <-s.starting }()
	case <-ctx.Done():
		return "", 0, ctx.Err()
	}
	if w.record != nil {
		if err := w.record.Validate(); err != nil {
			return "", 0, err
		}
	}
	if w.watch != "" {
		if err := (guard.Settings{Mode: w.watch, SharePercent: 1, RecordMB: 10}).Validate(); err != nil {
			return "", 0, err
		}
	}
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if err := ready(snap); err != nil {
		return "", 0, err
	}
	s.cfg.Power.Touched() // not only when it has begun: the copy with arcs may take longer than the power stays on
	if w.next {
		if err := s.takeNext(ctx, &w); err != nil {
			return "", 0, err
		}
	}
	path := w.path
	src, opened, err := s.cfg.Files.OpenFile(ctx, path)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			src.Close() // the printer closes it when it has taken it
		}
	}()
	survey, err := s.cfg.Files.Survey(ctx, path) // a file that was copied in by hand is read through now, and has a hash only then
	if err != nil {
		return "", 0, err
	}
	if err := printer.CheckStops(&survey, w.stops); err != nil {
		return "", 0, err
	}
	file, err := s.cfg.Files.Stat(ctx, path)
	if err != nil {
		return "", 0, err
	}
	judged := survey
	heated := heatedBefore(snap, s.custom.get().Scripts)
	if heated {
		judged.TrustHeat()
	}
	if _, err := checkFile(&judged, snap, w.overLimits); err != nil {
		return "", 0, err
	}
	prepared, err := s.prepare(ctx, &w, file, &judged, snap, heated)
	if err != nil {
		return "", 0, err
	}
	defer func() {
		if err != nil {
			prepared.close()
		}
	}()
	snap, _ = s.cfg.Printer.Snapshots().Get() // that may have taken a while
	if err := ready(snap); err != nil {
		return "", 0, err
	}
	job := printer.JobInfo{File: file.Path, Name: file.Name, By: w.by, Size: file.Bytes, Survey: survey, OverLimits: w.overLimits, Stops: w.stops, Note: prepared.note}
	if prepared.src != nil {
		judged.Wire = prepared.copy.Survey.Wire
		job.Size, job.Survey, job.Arcs = prepared.copy.Bytes, prepared.copy.Survey, prepared.copy.Arcs
	}
	warnings, err := checkFile(&judged, snap, w.overLimits)
	if err != nil {
		return "", 0, err
	}
	free, err := s.cfg.Files.Free()
	if err != nil {
		free = -1
	}
	warnings = append(warnings, checkMachine(snap, free)...)
	warnings = append(warnings, s.checkSpools(ctx, &survey)...)
	if len(warnings) > 0 && !w.anyway {
		return "", 0, &refusal{code: "warning", warnings: warnings}
	}

	now := time.Now()
	s.lastJob = newJobID(now, s.lastJob)
	id = s.lastJob
	job.ID = id
	row := store.Print{ID: id, File: file.Path, SHA256: file.SHA256, By: w.by, StartedMS: now.UnixMilli(), Layers: len(survey.Layers), Entry: w.entry}
	if err := s.cfg.History.Begin(ctx, row); err != nil {
		return "", 0, err
	}
	// From here on the file cannot change. It may have, between being opened and now.
	again, err := s.cfg.Files.Stat(ctx, path)
	if err == nil && (!sameFile(opened, file) || !sameFile(file, again)) {
		err = &refusal{code: "in_use", message: "The file is being changed at this moment."}
	}
	printed := file.SHA256
	if prepared.src != nil {
		printed = prepared.copy.SHA256
	}
	if err == nil {
		job.Shots, job.Watch, err = s.arrangeWatch(ctx, guard.Order{Job: id, Mode: w.watch, Film: s.chooseTimelapse(ctx, id, w.record), Survey: &job.Survey, Open: s.printed(path, printed, prepared.src != nil)})
	}
	if err == nil && w.powerOff != nil {
		s.cfg.Power.Choose(id, *w.powerOff)
	}
	if err == nil {
		from := src
		if prepared.src != nil {
			from = prepared.src
		}
		if rev, err = s.cfg.Printer.Start(ctx, job, from); err == nil && from != src {
			src.Close()
		}
	}
	if err != nil {
		// The row must end even when it was ctx that ran out.
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if dropErr := s.cfg.History.Drop(ending, id, err); dropErr != nil {
			s.log.Error("a print that was not started stays open in the history", "job", id, "err", dropErr)
		}
		return "", 0, err
	}
	s.Select(file.Path) // what is started is what is meant from now on
	return id, rev, nil
}

func sameFile(a, b store.File) bool {
	return a.Path == b.Path && a.Bytes == b.Bytes && a.ModifiedMS == b.ModifiedMS && (a.SHA256 == "" || a.SHA256 == b.SHA256)
}

// ready says whether a print can be started at all.
func ready(snap *printer.Snapshot) error {
	switch {
	case snap == nil || snap.State == printer.Disconnected || snap.State == printer.Connecting:
		return printer.ErrNotConnected
	case snap.State == printer.Idle:
		return nil
	case snap.Card != nil && snap.Card.Printing:
		return fmt.Errorf("%w: %s", printer.ErrWrongState, "the printer is printing from its card")
	case snap.State.HasJob():
		return fmt.Errorf("%w: %s", printer.ErrWrongState, "another print is under way")
	case snap.Fault != nil:
		return snap.Fault
	}
	return fmt.Errorf("%w: %s", printer.ErrWrongState, snap.State)
}

// newJobID makes an ID of ten characters that sorts by time: 38 bits of hundredths of a second since 2025, and 12 bits of chance.
// It is greater than last.
func newJobID(now time.Time, last string) string {
	const digits = "0123456789abcdefghjkmnpqrstvwxyz" // no i, l, o, u: it is read aloud
	var chance [2]byte
	rand.Read(chance[:]) // never fails
	since := now.UnixMilli() - time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	n := uint64(max(since, 0)/10)<<12 | uint64(binary.BigEndian.Uint16(chance[:])&0xfff)
	if len(last) == 10 {
		var before uint64
		for i := range last {
			before = before<<5 | uint64(max(strings.IndexByte(digits, last[i]), 0))
		}
		n = max(n, before+1) // the clock was set back, or two in one hundredth
	}
	id := make([]byte, 10)
	for i := range id {
		id[len(id)-1-i] = digits[n&31]
		n >>= 5
	}
	return string(id)
}

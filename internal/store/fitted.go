package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"layerd/gcode"
)

// Copies with arcs: a file ─▶ gcode.FitArcs ─▶ tmp ─▶ checked against the file, surveyed ─▶ arcs/HASH of the file. A print is of the copy then, with the
// copy's own survey, so that places in it mean what they say. A copy belongs to a content, not to a name: it outlives a new name, and goes when no file has that
// content any more, or when others were used since.

// Fitted is what became of a content.
type Fitted struct {
	Why    string       `json:"why"`    // it is printed as it is; "" there is a copy
	SHA256 string       `json:"sha256"` // of the copy, hex
	Bytes  int64        `json:"bytes"`
	Arcs   int64        `json:"arcs"`
	Survey gcode.Survey `json:"survey"`
}

const (
	fittedRevision = 1 // of how copies are made
	fittedKept     = 6 // copies, and the bytes of all
	fittedBytes    = 2 << 30
	leastGain      = 0.05 // of the commands that a copy must save …
	mostLonger     = 0.01 // … and what it may take longer
	factsEnding    = ".json"
	copyEnding     = ".gcode"
)

// ErrNotFitted is returned where there is no copy with arcs.
var ErrNotFitted = errors.New("there is no copy with arcs")

// fittedName is how a content's copy and what is known of it are called, without ending. An older layerd's are not found, and swept.
func fittedName(sha256 string) string {
	return fmt.Sprintf("%s-%d-%d", sha256, fittedRevision, surveyRevision)
}

// Fit returns the copy with arcs of the file at path, and opens it; made once, which takes some 0.1 s for each MB on a fast machine. Where arcs gain
// nothing, or something is not as it must be, there is none: ErrNotFitted, and Fitted says why. It ends when ctx does; of other errors nothing is kept.
// Two at a time make the same copy twice.
func (s *Store) Fit(ctx context.Context, path string) (*os.File, Fitted, error) {
	f, had, err := s.OpenFitted(ctx, path)
	switch {
	case err == nil && s.outdated(&had.Survey): // its times are those of other limits
		f.Close()
	case err == nil || !errors.Is(err, ErrNotFitted) || had.Why != "":
		return f, had, err
	}
	if _, err := s.Survey(ctx, path); err != nil { // which gives a file that was copied in by hand a hash
		return nil, Fitted{}, err
	}
	if err := s.fit(ctx, path); err != nil {
		return nil, Fitted{}, fmt.Errorf("fit arcs of %s: %w", path, noSpace(err))
	}
	s.sweepFitted(context.WithoutCancel(ctx))
	return s.OpenFitted(ctx, path)
}

// OpenFitted opens the copy with arcs that was made of the file at path; ErrNotFitted where there is none.
func (s *Store) OpenFitted(ctx context.Context, path string) (*os.File, Fitted, error) {
	file, err := s.Stat(ctx, path)
	if err != nil {
		return nil, Fitted{}, err
	}
	name := fittedName(file.SHA256)
	text, err := s.arcs.ReadFile(name + factsEnding)
	var had Fitted
	if err != nil || json.Unmarshal(text, &had) != nil {
		return nil, Fitted{}, ErrNotFitted
	}
	now := time.Now()
	s.arcs.Chtimes(name+factsEnding, now, now) // used last; see sweepFitted
	if had.Why != "" {
		return nil, had, ErrNotFitted
	}
	f, err := s.arcs.Open(name + copyEnding)
	if err != nil {
		return nil, Fitted{}, ErrNotFitted
	}
	if info, err := f.Stat(); err != nil || info.Size() != had.Bytes {
		f.Close()
		return nil, Fitted{}, ErrNotFitted
	}
	return f, had, nil
}

// fit makes the copy of a file, or notes why there is none.
func (s *Store) fit(ctx context.Context, path string) (err error) {
	defer func() { // a file must not be able to end the daemon
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	src, file, err := s.OpenFile(ctx, path)
	if err != nil {
		return err
	}
	defer src.Close()
	before, err := s.Survey(ctx, path)
	switch {
	case err != nil:
		return err
	case file.SHA256 == "":
		return ErrNotFitted // it was changed by hand a moment ago
	}
	if err := s.room(file.Bytes); err != nil {
		return err
	}
	temp := "arcs-" + newID()
	to, err := s.tmp.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer s.tmp.Remove(temp) // by then it has another name
	defer to.Close()
	fit, err := gcode.FitArcs(to, cancelled{src, ctx, nil}, gcode.ArcTolerance)
	if err != nil {
		return err
	}
	made := Fitted{Arcs: fit.Arcs}
	if made.Why = worthwhile(fit, &before); made.Why == "" {
		if made.Why, err = s.checkFitted(ctx, cancelled{src, ctx, nil}, cancelled{to, ctx, nil}, &before, &made); err != nil {
			return err
		}
	}
	if made.Why != "" {
		return s.noteFitted(file.SHA256, Fitted{Why: made.Why})
	}
	if err := to.Sync(); err != nil {
		return err
	}
	if err := s.noteFitted(file.SHA256, made); err != nil { // first: a copy of which nothing is known is swept
		return err
	}
	return s.moveIn(temp, s.arcs, fittedName(file.SHA256)+copyEnding)
}

// worthwhile says why arcs are not: "" they save enough.
func worthwhile(fit gcode.ArcsFitted, before *gcode.Survey) string {
	if float64(fit.Moves-fit.Arcs) < leastGain*float64(before.Commands) {
		return "arcs would save hardly any of its lines"
	}
	return ""
}

// checkFitted surveys a copy, compares it with the file that it is of, and says what is wrong with it; "" nothing.
func (s *Store) checkFitted(ctx context.Context, src, to cancelled, before *gcode.Survey, made *Fitted) (why string, err error) {
	for _, f := range []cancelled{src, to} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return "", err
		}
	}
	found, err := gcode.CheckArcs(src, to, gcode.ArcTolerance)
	switch wrong := (*gcode.LineError)(nil); {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case errors.As(err, &wrong):
		return "the copy with arcs is not right: " + wrong.Error(), nil
	case err != nil:
		return "", err
	case found.Arcs != made.Arcs:
		return "the copy with arcs has others than were made", nil
	}
	if _, err := to.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	c, bytes, err := s.read(ctx, to, nil, nil)
	if err == nil {
		err = s.reckonAgain(ctx, &c, to.File, nil)
	}
	if err != nil {
		return "", err
	}
	after := &c.survey
	after.Thumbnails = nil
	made.SHA256, made.Bytes, made.Survey = c.sha256, bytes, c.survey
	switch {
	case after.TimeS > (1+mostLonger)*before.TimeS:
		return "it would take longer with arcs", nil
	case len(after.Layers) != len(before.Layers), len(after.Pauses) != len(before.Pauses), len(after.Objects) != len(before.Objects),
		math.Abs(after.Filament()-before.Filament()) > 1e-3*(1+before.Filament()):
		return "the copy with arcs has other layers, pauses, objects or filament", nil
	}
	return "", nil
}

// noteFitted keeps what became of a content.
func (s *Store) noteFitted(sha256 string, made Fitted) error {
	text, err := json.Marshal(made)
	if err != nil {
		return err
	}
	temp := "arcs-" + newID()
	defer s.tmp.Remove(temp)
	if err := s.tmp.WriteFile(temp, text, 0o600); err != nil {
		return err
	}
	return s.moveIn(temp, s.arcs, fittedName(sha256)+factsEnding)
}

// sweepFitted removes what belongs to no file any more, or was not used for longest. What stays behind after an error goes the next time.
func (s *Store) sweepFitted(ctx context.Context) { s.keepFitted(ctx, fittedKept) }

// keepFitted is sweepFitted that keeps at most so many.
func (s *Store) keepFitted(ctx context.Context, most int) {
	entries, err := readDir(s.arcs, ".") // first: of what is made meanwhile the file is known
	if err != nil || len(entries) == 0 {
		return
	}
	known, err := s.known(ctx)
	if err != nil {
		return
	}
	wanted := map[string]bool{}
	for _, f := range known {
		wanted[fittedName(f.sha256)] = true
	}
	type one struct {
		name string
		used time.Time
		size int64
	}
	var kept []one
	copies := map[string]fs.FileInfo{}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			continue
		}
		name, facts := strings.CutSuffix(e.Name(), factsEnding)
		copyOf, isCopy := strings.CutSuffix(e.Name(), copyEnding)
		switch {
		case facts && wanted[name]:
			kept = append(kept, one{name: name, used: info.ModTime()})
		case isCopy && wanted[copyOf]:
			copies[copyOf] = info
		default:
			s.arcs.RemoveAll(e.Name())
		}
	}
	slices.SortFunc(kept, func(a, b one) int { return cmp.Compare(b.used.UnixNano(), a.used.UnixNano()) })
	var bytes int64
	for i, k := range kept {
		if info := copies[k.name]; info != nil {
			bytes += info.Size()
		}
		if i > 0 && (i >= most || bytes > fittedBytes) { // the newest is being printed, perhaps
			s.arcs.Remove(k.name + factsEnding)
			s.arcs.Remove(k.name + copyEnding)
		}
		delete(copies, k.name)
	}
	for name := range copies { // the daemon was killed before it had noted them
		s.arcs.Remove(name + copyEnding)
	}
}

// Package renew lets a new version of layerd take over when that hurts nobody.
//
//	snapshots ─▶ would a restart hurt? ─▶ RUNTIME_DIRECTORY/busy, at which the package's scripts look
//	the program's file is another one than the one that runs ─▶ Waits ─▶ nothing hurt for a minute ─▶ Run returns ErrAgain, and main ends with AgainCode
package renew

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"layerd/internal/latest"
	"layerd/printer"
)

// ErrAgain is what Run returns to have layerd started again.
var ErrAgain = errors.New("layerd is to be started again")

// ErrNobody says that nothing here would start layerd again.
var ErrNobody = errors.New("nothing on this machine would start layerd again: it does not run as a service of systemd")

// AgainCode is the exit code with which the daemon asks to be started again: EX_TEMPFAIL of sysexits(3). layerd.service takes it for a good end. It is not 0, because
// other supervisors, gokrazy's for one, take that for the last word.
const AgainCode = 75

const (
	lookEach = 15 * time.Second // at the program's file
	calm     = time.Minute      // without anything that a restart would hurt. The package's own scripts restart an idle layerd sooner
	hotC     = 50.0             // from here on a heater is hot
)

// Config is what a Renewer is made of.
type Config struct {
	Snapshots *printer.Snapshots
	Dir       string        // holds "busy"; "" = nobody looks, and nothing is kept
	Again     bool          // whoever started layerd starts it again when it ends
	Besides   func() string // what else a restart would break off, in words; "" nothing. nil = nothing ever does
	Replaced  func() bool   // whether the program's file is another one than the one that runs
	Log       *slog.Logger
}

// Renewer is made by New. Run is its goroutine.
type Renewer struct {
	cfg   Config
	waits *latest.Value[bool]
	now   chan struct{} // holds one token when a person wants it
}

// New returns a Renewer that does nothing until Run.
func New(cfg Config) *Renewer {
	return &Renewer{cfg: cfg, waits: latest.New(false), now: make(chan struct{}, 1)}
}

// Waits says whether a new version waits for its turn.
func (r *Renewer) Waits() *latest.Value[bool] { return r.waits }

// Again reports whether layerd would be started again when it ends.
func (r *Renewer) Again() bool { return r.cfg.Again }

// Restart has layerd started again at once. It wraps printer.ErrWrongState in mid-print, and returns ErrNobody where it would not come back. Heat does not matter:
// it is switched off, as whenever layerd ends.
func (r *Renewer) Restart() error {
	if !r.cfg.Again {
		return ErrNobody
	}
	if s, _ := r.cfg.Snapshots.Get(); printing(s) {
		return fmt.Errorf("%w: a restart would end the print", printer.ErrWrongState)
	}
	select {
	case r.now <- struct{}{}:
	default:
	}
	return nil
}

// Run keeps "busy" true, and looks out for a new version, until ctx ends: then it returns nil. It returns ErrAgain when layerd is to be started again.
func (r *Renewer) Run(ctx context.Context) error {
	r.keep("") // that of a layerd that was killed, where nobody has tidied up
	defer r.keep("")
	look := time.NewTicker(lookEach)
	defer look.Stop()
	news := make(chan struct{}, 1)
	var follower sync.WaitGroup
	defer follower.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	follower.Go(func() { r.follow(ctx, news) })
	var why string
	calmSince := time.Now()
	for {
		if is := r.hurts(); is != why {
			r.keep(is)
			if why = is; why == "" {
				calmSince = time.Now()
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-r.now:
			r.cfg.Log.Info("layerd is started again, as somebody asked")
			return ErrAgain
		case <-news:
			continue
		case <-look.C:
		}
		if !r.cfg.Again {
			continue
		}
		waits := r.cfg.Replaced()
		if was, _ := r.waits.Get(); was != waits {
			r.waits.Set(waits)
			r.cfg.Log.Info("the program on the disk has changed", "a_new_version_waits", waits, "for", why)
		}
		if waits && why == "" && r.hurts() == "" && time.Since(calmSince) >= calm {
			r.cfg.Log.Info("layerd is started again, as the new version")
			return ErrAgain
		}
	}
}

// follow tells of new snapshots, without a queue.
func (r *Renewer) follow(ctx context.Context, news chan<- struct{}) {
	for seq := uint64(0); ; {
		var err error
		if _, seq, err = r.cfg.Snapshots.Next(ctx, seq); err != nil {
			return
		}
		select {
		case news <- struct{}{}:
		default:
		}
	}
}

// keep has "busy" there while why is not "".
func (r *Renewer) keep(why string) {
	if r.cfg.Dir == "" {
		return
	}
	file := filepath.Join(r.cfg.Dir, "busy")
	var err error
	if why != "" {
		err = os.WriteFile(file, []byte(why+"\n"), 0o644)
	} else if err = os.Remove(file); errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	if err != nil {
		r.cfg.Log.Error("say whether a restart would hurt", "err", err)
	}
}

// hurts is why a restart would hurt now; what is besides the printer is looked at no rarer than lookEach.
func (r *Renewer) hurts() string {
	s, _ := r.cfg.Snapshots.Get()
	if why := Hurts(s); why != "" || r.cfg.Besides == nil {
		return why
	}
	return r.cfg.Besides()
}

// Hurts is why a restart would hurt now, in words; "" when it would not.
func Hurts(s *printer.Snapshot) string {
	switch {
	case printing(s):
		return "a print is under way"
	case s.State == printer.Disconnected:
		return "" // what was hot when the cable was pulled is no longer known
	case s.Keeper.Heated:
		return "the printer is heated"
	}
	heaters := s.Nozzles
	for _, h := range []*printer.Heater{s.Bed, s.Chamber} {
		if h != nil {
			heaters = append(heaters[:len(heaters):len(heaters)], *h)
		}
	}
	for _, h := range heaters {
		if h.ActualC >= hotC {
			return "the printer is hot"
		}
	}
	return ""
}

// printing reports whether a print is under way, or waits for its cable.
func printing(s *printer.Snapshot) bool {
	return s.State.HasJob() || s.State == printer.Halting || s.Job != nil || s.Lost != nil
}

// Itself returns what Config.Replaced is for this process. A program that was deleted without another in its place counts as the same.
func Itself() (func() bool, error) {
	path, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's file: %w", err)
	}
	runs, err := os.Stat("/proc/self/exe") // the file itself, whatever has become of its name
	if err != nil {
		return nil, fmt.Errorf("look at the program that runs: %w", err)
	}
	return func() bool {
		there, err := os.Stat(path)
		return err == nil && !os.SameFile(there, runs)
	}, nil
}

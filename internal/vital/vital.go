// Package vital tells systemd how layerd is, and only for as long as its vital parts answer.
//
//	every beat: each part is asked ─▶ all have answered ─▶ WATCHDOG=1, and READY=1 the first time
//	                               └▶ one is stuck      ─▶ its name in the log and in STATUS=, and WATCHDOG=trigger: systemd ends layerd and starts it anew
//
// Where nobody supervises by sd_notify(3) the parts are asked all the same, and a stuck one is named in the log.
package vital

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mdlayher/sdnotify"
)

// Part is something without which layerd is of no use.
type Part struct {
	Name string
	// Patience is how long it may leave a question without a good answer. A restart ends a print, so it is longer than whatever passes by itself.
	Patience time.Duration
	// Ask returns nil when the part answers. It may hang in spite of ctx, and is not called again before it returns.
	Ask func(ctx context.Context) error
}

// Watch asks the parts. Run is its goroutine.
type Watch struct {
	Parts  []Part
	Status func() string                // what layerd does, in words; called at each beat
	Notify func(states ...string) error // tells the supervisor; nil = there is none
	Every  time.Duration                // from beat to beat
	Log    *slog.Logger
}

// beat is the rhythm where no supervisor asks for another.
const beat = 10 * time.Second

// FromSystemd sets Notify and Every as systemd wants it by the environment; without systemd it leaves Notify nil. env is os.Getenv.
func (w *Watch) FromSystemd(env func(string) string) error {
	w.Every = beat
	path := env(sdnotify.Socket)
	if path == "" {
		return nil
	}
	socket, err := sdnotify.Open(path)
	if err != nil {
		return fmt.Errorf("reach systemd by %s: %w", sdnotify.Socket, err)
	}
	w.Notify = socket.Notify
	if pid := env("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return nil // another process's
	}
	limit, err := strconv.ParseInt(env("WATCHDOG_USEC"), 10, 64)
	if err == nil && limit > 0 {
		w.Every = min(beat, time.Duration(limit)*time.Microsecond/3)
	}
	return nil
}

// asked is how it is with one part.
type asked struct {
	open  bool      // a question is under way
	since time.Time // of the first question that had no good answer; zero = the last one had
	stuck bool
	err   error // the last answer, when it was not good
}

// answer is what part number i said.
type answer struct {
	i   int
	err error
}

// Stopping says that layerd ends from now on. Run goes on meanwhile: parking a print takes its time.
func (w *Watch) Stopping() { w.tell(sdnotify.Stopping) }

// Run asks until ctx ends, and then returns nil.
func (w *Watch) Run(ctx context.Context) error {
	parts := make([]asked, len(w.Parts))
	answers := make(chan answer)
	ready, said := false, ""
	ticker := time.NewTicker(w.Every)
	defer ticker.Stop()
	last := time.Now() // of the beats
	w.ask(ctx, parts, answers)
	for {
		select {
		case <-ctx.Done():
			return nil
		case a := <-answers:
			w.heard(&parts[a.i], w.Parts[a.i], a.err)
			if ready || !fresh(parts) {
				continue
			}
			ready = true
			w.tell(sdnotify.Ready)
		case now := <-ticker.C:
			if late := now.Sub(last) - w.Every; late > w.Every { // the whole process stood still: no part could answer meanwhile
				forgive(parts, late)
			}
			last = now
			w.judge(parts, now)
			w.ask(ctx, parts, answers)
		}
		status, healthy := w.status(parts)
		if status != said {
			said = status
			w.tell("STATUS=" + status)
		}
		if healthy {
			w.tell("WATCHDOG=1")
		} else {
			w.tell("WATCHDOG=trigger") // at once, whatever WatchdogSec says
		}
	}
}

// ask asks every part that does not owe an answer.
func (w *Watch) ask(ctx context.Context, parts []asked, answers chan<- answer) {
	for i := range parts {
		p := &parts[i]
		if p.open {
			continue
		}
		p.open = true
		if p.since.IsZero() {
			p.since = time.Now()
		}
		go func() {
			patience, cancel := context.WithTimeout(ctx, w.Parts[i].Patience)
			defer cancel()
			err := w.Parts[i].Ask(patience)
			select {
			case answers <- answer{i, err}:
			case <-ctx.Done():
			}
		}()
	}
}

// heard takes an answer.
func (w *Watch) heard(p *asked, part Part, err error) {
	p.open, p.err = false, err
	if err != nil {
		return
	}
	if p.stuck {
		w.Log.Warn("a vital part answers again", "part", part.Name, "after", time.Since(p.since).Round(time.Millisecond))
	}
	p.since, p.stuck = time.Time{}, false
}

// judge finds parts that have run out of patience.
func (w *Watch) judge(parts []asked, now time.Time) {
	for i := range parts {
		p, part := &parts[i], w.Parts[i]
		if p.stuck || p.since.IsZero() || now.Sub(p.since) < part.Patience {
			continue
		}
		p.stuck = true
		err := p.err
		if p.open {
			err = errors.New("no answer")
		}
		w.Log.Error("a vital part is stuck; systemd will start layerd again, if it watches", "part", part.Name, "for", now.Sub(p.since).Round(time.Millisecond), "err", err)
	}
}

// forgive takes away a time for which no part was to blame.
func forgive(parts []asked, late time.Duration) {
	for i := range parts {
		if p := &parts[i]; !p.since.IsZero() {
			p.since = p.since.Add(late)
		}
	}
}

// status is layerd in words, and whether all parts are well.
func (w *Watch) status(parts []asked) (words string, healthy bool) {
	var stuck []string
	for i, p := range parts {
		if p.stuck {
			stuck = append(stuck, w.Parts[i].Name)
		}
	}
	if len(stuck) > 0 {
		return "stuck: " + strings.Join(stuck, ", "), false
	}
	return oneLine(w.Status()), true
}

// fresh reports whether every part has given a good answer.
func fresh(parts []asked) bool {
	for _, p := range parts {
		if !p.since.IsZero() {
			return false
		}
	}
	return true
}

// tell passes states on. A supervisor that is gone does not matter to a print.
func (w *Watch) tell(states ...string) {
	if w.Notify == nil {
		return
	}
	if err := w.Notify(states...); err != nil && !errors.Is(err, fs.ErrClosed) {
		w.Log.Debug("tell systemd", "err", err)
	}
}

// oneLine keeps a file's name from being a state of its own: states are lines.
func oneLine(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	if runes := []rune(text); len(runes) > 200 {
		return string(runes[:200]) + "…"
	}
	return text
}

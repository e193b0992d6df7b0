package camera

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
	"unicode"
)

// child is a program whose output we read. It dies with ctx, and with us; nothing that it does or leaves out can hold up whoever reads.
//
//	ctx ends ─▶ SIGTERM to its group ─▶ grace ─▶ SIGKILL to its group, its output closed ─▶ Read fails ─▶ end
type child struct {
	cmd      *exec.Cmd
	out      *os.File
	said     lastWords
	grace    time.Duration
	dontStop func() bool // the watch over ctx
	hard     *time.Timer // SIGKILL
}

// begin starts a program with arguments; no shell is between. The calling goroutine must be locked to its thread until end has returned: Linux
// kills the child when the thread that started it ends.
func begin(ctx context.Context, command, env []string, grace time.Duration) (*child, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer write.Close()
	c := &child{cmd: exec.Command(command[0], command[1:]...), out: read, grace: grace}
	c.cmd.Env, c.cmd.Stdout, c.cmd.Stderr, c.cmd.SysProcAttr = env, write, &c.said, apart()
	c.cmd.WaitDelay = grace // for those who inherited its stderr
	if err := c.cmd.Start(); err != nil {
		read.Close()
		return nil, fmt.Errorf("start %s: %w", command[0], err)
	}
	c.hard = time.AfterFunc(time.Hour, func() {
		signalGroup(c.cmd.Process, true)
		c.out.Close()
	})
	c.hard.Stop()
	c.dontStop = context.AfterFunc(ctx, func() {
		c.hard.Reset(grace)
		signalGroup(c.cmd.Process, false)
	})
	return c, nil
}

// Read reads its output.
func (c *child) Read(p []byte) (int, error) { return c.out.Read(p) }

// end stops the program, if it runs, and returns why it ended: what it said last. nil: it ended as if all was well. It takes no longer than three
// times the grace.
func (c *child) end() error {
	if c.dontStop() { // ctx lasts
		c.hard.Reset(c.grace)
		c.out.Close() // its next word is its last, if it has not ended by itself
	}
	err := c.cmd.Wait()
	c.hard.Stop()
	c.out.Close()
	if said := c.said.last(); err != nil && said != "" {
		return &childError{said, errors.Join(meaning(c.said.all()), err)}
	}
	return err
}

// childError is a program's last words.
type childError struct {
	said string
	err  error
}

func (e *childError) Error() string { return fmt.Sprintf("%s: %v", e.said, e.err) }

func (e *childError) Unwrap() error { return e.err }

// lastWords keeps the end of what is written to it.
type lastWords struct {
	mu   sync.Mutex // guards text
	text []byte
}

const maxWords = 4 << 10 // bytes

// Write never fails.
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p[max(0, len(p)-maxWords):]...)
	if over := len(w.text) - maxWords; over > 0 {
		w.text = append(w.text[:0], w.text[over:]...)
	}
	return len(p), nil
}

func (w *lastWords) all() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return string(w.text)
}

// last is the last line that speaks of an error, else the last, fit for a page; "" when nothing was said.
func (w *lastWords) last() string {
	said := ""
	wrong := false
	for line := range strings.Lines(w.all()) {
		line = untimed(tidyLine(line))
		bad := strings.Contains(line, "ERROR")
		if line != "" && (bad || !wrong) {
			said, wrong = line, bad
		}
	}
	return said
}

// untimed is a line without the time and the number of the thread, in brackets, that libcamera puts before each: they differ where the words do not.
func untimed(line string) string {
	for strings.HasPrefix(line, "[") {
		inside, rest, ok := strings.Cut(line[1:], "]")
		if !ok || strings.Trim(inside, "0123456789:.") != "" {
			break
		}
		line = strings.TrimSpace(rest)
	}
	return line
}

// tidyLine makes what a device or a program said fit to be shown.
func tidyLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) { // nor what turns the writing around
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 160 {
		s = string(r[:160]) + "…"
	}
	return strings.TrimSpace(s)
}

// outputOf runs a program that shall end by itself, and returns what it wrote, of which there may be no more than limit bytes.
func outputOf(ctx context.Context, command, env []string, limit int64) ([]byte, error) {
	c, err := begin(ctx, command, env, childGrace)
	if err != nil {
		return nil, err
	}
	text, readErr := io.ReadAll(io.LimitReader(c, limit+1))
	err = c.end()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("run %s: %w", command[0], context.Cause(ctx))
	case int64(len(text)) > limit:
		return nil, fmt.Errorf("run %s: more than %d bytes of output", command[0], limit)
	case readErr != nil:
		return nil, fmt.Errorf("run %s: %w", command[0], readErr)
	}
	return text, err
}

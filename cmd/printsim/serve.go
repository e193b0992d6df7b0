package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"layerd/printer/printertest"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// line carries bytes between the pseudo-terminal and the pretend printer:
//
//	host ─▶ pty ─▶ read ─▶ Sim.Step ─▶ write ─▶ pty ─▶ host
//
// One goroutine on its own OS thread does it all. When each byte arrives is computed inside Step, from a schedule that does not
// depend on when we look; we only have to look in time. Go's own timers overshoot by up to a millisecond, so the thread sleeps
// in ppoll, which waits on the same high-resolution timer as nanosleep, with the thread's slack set to a nanosecond, and which
// also ends when the host writes.
type line struct {
	sim    *printertest.Sim
	link   string
	device string // form of a name that changes with each plugging in; "" = none
	baud   int
	record *bufio.Writer
	out    io.Writer

	pty     *pty
	pulled  int64  // how often the cable was, when the pty was made
	hosts   int    // how many have the port open
	dtr     bool   // and whether DTR stayed up since the last one closed
	reply   []byte // for the host, not yet taken by the terminal
	buf     [ahead]byte
	flushed time.Time
}

// ahead is how many bytes we take out of the terminal before they have passed the wire; the terminal's own buffer is the host's.
const ahead = 256

// serve runs until a signal comes.
func (l *line) serve(signals <-chan os.Signal) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// A sleep may end this much late, in ns. If that cannot be set, 50 µs of slack do little harm.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	var wake [2]int
	if err := unix.Pipe2(wake[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return fmt.Errorf("pipe: %w", err)
	}
	defer unix.Close(wake[0])
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer unix.Close(wake[1])
		select {
		case <-signals:
		case <-done:
		}
	}()
	if err := l.plugIn(); err != nil {
		return err
	}
	defer func() { l.plugOut() }()
	for {
		wait, err := l.turn()
		if err != nil {
			return err
		}
		stop, err := l.sleep(wake[0], wait)
		if stop || err != nil {
			return err
		}
	}
}

func (l *line) plugIn() error {
	links := []string{l.link}
	_, l.pulled = l.sim.Unplugged()
	if l.device != "" {
		links = []string{fmt.Sprintf(l.device, l.pulled), l.link}
	}
	p, err := openPTY(l.baud, links...)
	if err != nil {
		return err
	}
	l.pty, l.hosts, l.dtr, l.reply = p, 0, false, nil
	_, err = fmt.Fprintln(l.out, l.link)
	return err
}

func (l *line) plugOut() {
	if l.pty == nil {
		return
	}
	for ; l.hosts > 0; l.hosts-- {
		l.sim.HostClosed()
	}
	l.pty.close()
	l.pty, l.reply = nil, nil
}

// turn moves what can be moved now, and says how long nothing will happen (negative for ever).
func (l *line) turn() (wait time.Duration, err error) {
	var got []byte
	if l.pty != nil {
		if got, err = l.read(); err != nil {
			return 0, err
		}
		l.watchHosts() // after the bytes: whoever wrote them has opened the port before, and must not count as gone when they are answered
		if baud, ok := l.pty.speed(); ok && l.baud > 0 {
			l.sim.HostBaud(baud)
		}
	}
	l.reply, wait = l.sim.Step(got, l.reply)
	gone, times := l.sim.Unplugged()
	if gone || times != l.pulled {
		l.plugOut()
	}
	if !gone && l.pty == nil {
		if err := l.plugIn(); err != nil {
			return 0, err
		}
	}
	if l.pty != nil {
		l.write()
	}
	if len(got) == ahead {
		wait = 0
	}
	return l.flush(wait), nil
}

// watchHosts follows the hosts' opens and closes. The first open raises DTR, unless the last close left it up.
func (l *line) watchHosts() {
	closed := false
	l.pty.hosts(func(by int) {
		switch {
		case by > 0:
			l.hosts++
			l.sim.HostOpened(l.hosts == 1 && !l.dtr)
			l.dtr = true
		case l.hosts > 0:
			l.hosts--
			l.sim.HostClosed()
			if l.hosts == 0 {
				l.dtr, closed = !l.pty.dropsDTR(), true
			}
		}
	})
	if !closed {
		return
	}
	l.reply = l.reply[:0]
	if l.hosts > 0 {
		return // the next one is here already, and may have set the port up
	}
	l.pty.forget()
	if !l.dtr {
		_ = l.pty.restore(l.baud) // as it was before the first host; the next one sets what it needs
	}
}

// read takes what the host wrote, as long as little of it is still under way.
func (l *line) read() ([]byte, error) {
	room := ahead - l.sim.Queued()
	if room <= 0 {
		return nil, nil
	}
	n, err := unix.Read(l.pty.master, l.buf[:room])
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the pseudo-terminal: %w", err)
	}
	return l.buf[:n], nil
}

// write hands the terminal what has reached the host. What it does not take is tried again later.
func (l *line) write() {
	for len(l.reply) > 0 {
		n, err := unix.Write(l.pty.master, l.reply)
		if err != nil {
			break
		}
		l.reply = l.reply[:copy(l.reply, l.reply[n:])]
	}
	if len(l.reply) > 64<<10 { // nobody reads: the oldest is lost
		l.reply = l.reply[:copy(l.reply, l.reply[len(l.reply)-64<<10:])]
	}
}

// flush writes the record to its file from time to time, and shortens wait so that it gets its turn.
func (l *line) flush(wait time.Duration) time.Duration {
	if l.record == nil || l.record.Buffered() == 0 {
		l.flushed = time.Now()
		return wait
	}
	left := flushEvery - time.Since(l.flushed)
	if left <= 0 {
		_ = l.record.Flush() // an error stays in the writer and is told at the end
		l.flushed = time.Now()
		return wait
	}
	if wait < 0 || wait > left {
		return left
	}
	return wait
}

// sleep waits until wait has passed (negative: without limit), the host did something, or a signal came (stop).
func (l *line) sleep(signal int, wait time.Duration) (stop bool, err error) {
	fds := []unix.PollFd{{Fd: int32(signal), Events: unix.POLLIN}}
	if l.pty != nil {
		events := int16(0)
		if l.sim.Queued() < ahead/2 {
			events = unix.POLLIN
		}
		if len(l.reply) > 0 {
			events |= unix.POLLOUT
		}
		fds = append(fds, unix.PollFd{Fd: int32(l.pty.master), Events: events}, unix.PollFd{Fd: int32(l.pty.watch), Events: unix.POLLIN})
	}
	var timeout *unix.Timespec
	if wait >= 0 {
		ts := unix.NsecToTimespec(wait.Nanoseconds())
		timeout = &ts
	}
	if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("wait: %w", err)
	}
	return fds[0].Revents != 0, nil
}

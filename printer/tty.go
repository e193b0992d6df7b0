package printer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"go.bug.st/serial"
	"golang.org/x/sys/unix"
)

// tty is a Port on a real serial line. Beside the library's descriptor, which sets the line up, it has one of its own, opened first, for the rest:
// the library takes no lock that holds against root, leaves HUPCL set, its Write can hang for ever, and its Read needs two calls and some memory
// each time. Ours does not block, so a Write on it can be ended.
type tty struct {
	serial.Port
	own    *os.File
	come   *ready // tells that there is something to read
	mode   serial.Mode
	native bool
	raw    syscall.RawConn // of own
	ended  atomic.Bool     // Discard was called, and no Rearm since
	take   func(uintptr) bool
	fill   func(fd uintptr)
	room   []byte // that Read fills
	got    int    // of it
	failed error
	offer  func(fd uintptr) bool
	bytes  []byte // that TryWrite offers
	taken  int    // of them
}

// OpenTTY is the Opener for real ports. What it sets beside raw mode and the speed:
//   - flock, which holds against everybody who asks for it, and TIOCEXCL, which makes every other open but root's fail with EBUSY
//     (ioctl_tty(2)). Neither alone keeps out another program that runs as root;
//   - no HUPCL, so that closing the port does not drop DTR (termios(3)), and the next opening does not reset the board. The first opening after
//     the board was plugged in still may;
//   - ASYNC_LOW_LATENCY (askLowLatency), where the driver knows it.
func OpenTTY(_ context.Context, path string, baud int) (Port, error) {
	own, err := openUnwatched(path)
	if err != nil {
		return nil, openFault(path, err)
	}
	t := &tty{own: own, mode: serial.Mode{BaudRate: baud, DataBits: 8}}
	t.take, t.fill, t.offer = t.taking, t.filling, t.offered
	if t.raw, err = own.SyscallConn(); err == nil {
		err = t.claim()
	}
	if err == nil {
		err = t.control(func(fd int) (err error) {
			t.come, err = listenAt(fd)
			return err
		})
	}
	if err != nil {
		own.Close()
		return nil, openFault(path, err)
	}
	if t.Port, err = t.openPrivate(path); err != nil {
		t.come.Close()
		own.Close()
		return nil, openFault(path, err)
	}
	t.settle()
	if device, err := filepath.EvalSymlinks(path); err == nil {
		info, _ := describeTTY("/", filepath.Base(device))
		t.native = info.Native()
	}
	return t, nil
}

// openPrivate is the library's Open, whose descriptor a child of ours would inherit, and hold the port open after we have closed it. None is
// started before that is set right.
func (t *tty) openPrivate(path string) (serial.Port, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	port, err := serial.Open(path, &t.mode)
	if err != nil {
		return nil, err
	}
	var device unix.Stat_t
	fds, readErr := os.ReadDir("/proc/self/fd")
	if readErr != nil || unix.Stat(path, &device) != nil {
		return port, nil // nothing worse than before
	}
	for _, entry := range fds {
		var is unix.Stat_t
		if fd, err := strconv.Atoi(entry.Name()); err == nil && unix.Fstat(fd, &is) == nil && is.Rdev == device.Rdev && is.Mode == device.Mode {
			unix.CloseOnExec(fd)
		}
	}
	return port, nil
}

// claim locks the device and keeps it from hanging up when it is closed.
func (t *tty) claim() error {
	return t.control(func(fd int) error {
		if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
			return err
		}
		term, err := unix.IoctlGetTermios(fd, unix.TCGETS2)
		if err != nil {
			return err
		}
		term.Cflag &^= unix.HUPCL
		return unix.IoctlSetTermios(fd, unix.TCSETS2, term)
	})
}

// settle does what must come after the library's open, which TIOCEXCL would refuse, and what a port can do without. The library sets
// TIOCEXCL too, but hides whether that worked.
func (t *tty) settle() {
	_ = t.control(func(fd int) error {
		return errors.Join(unix.IoctlSetInt(fd, unix.TIOCEXCL, 0), askLowLatency(func(request uint, s *serialStruct) error {
			return ioctlSerial(fd, request, s)
		}))
	})
}

// control does something to our own descriptor.
func (t *tty) control(do func(fd int) error) error {
	var failed error
	err := t.raw.Control(func(fd uintptr) { failed = do(int(fd)) })
	return errors.Join(err, failed)
}

// openFault names why a port cannot be opened.
func openFault(path string, err error) *Fault {
	f := &Fault{Code: FaultPortOpen, Message: fmt.Sprintf("%s cannot be opened as a serial port.", path), Next: "Check the name of the port and the speed.", Said: err.Error()}
	var port *serial.PortError
	code := serial.PortErrorCode(-1)
	if errors.As(err, &port) {
		code = port.Code()
	}
	switch {
	case errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) || code == serial.PortNotFound:
		f.Code, f.Message = FaultPortMissing, fmt.Sprintf("There is no port %s.", path)
		f.Next = "Connect the printer's USB cable and switch the printer on."
	case errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EWOULDBLOCK) || code == serial.PortBusy:
		taken(f, path)
	case errors.Is(err, os.ErrPermission) || code == serial.PermissionDenied:
		denied(f, path, err)
	case errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL) || errors.Is(err, unix.EISDIR):
		f.Message, f.Next = fmt.Sprintf("%s is not a serial port.", path), "Choose the printer's port."
	}
	return f
}

// roomEvery is how long a Write that waits for room does not look whether it shall end.
const roomEvery = 20 * time.Millisecond

// Write hands over all of b. It blocks for as long as the device takes nothing; Discard ends that with an error, also of a Write that comes later, until Rearm.
func (t *tty) Write(b []byte) (n int, err error) {
	for n < len(b) {
		if t.ended.Load() {
			return n, os.ErrDeadlineExceeded
		}
		err = t.control(func(fd int) error {
			some, err := unix.Write(fd, b[n:])
			n += max(some, 0)
			if err == unix.EAGAIN {
				_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, int(roomEvery.Milliseconds()))
			}
			return err
		})
		if err != nil && !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
	return n, nil
}

// Rearm lets writes through again after a Discard.
func (t *tty) Rearm() { t.ended.Store(false) }

// TryWrite hands over what the driver has room for now. After a Discard, and when the device is gone, that is nothing, and Write tells.
func (t *tty) TryWrite(b []byte) int {
	t.bytes, t.taken = b, 0
	if t.ended.Load() || t.raw.Write(t.offer) != nil {
		return 0
	}
	return t.taken
}

func (t *tty) offered(fd uintptr) bool {
	t.taken, _ = atOnce(unix.SYS_WRITE, fd, t.bytes)
	return true // not again when there is room: this was all
}

// Read blocks for the next bytes. Close ends it.
func (t *tty) Read(b []byte) (int, error) {
	t.room, t.got, t.failed = b, 0, nil
	if err := t.come.wait(t.take); err != nil {
		return 0, err
	}
	if t.failed == nil && t.got == 0 {
		return 0, io.EOF
	}
	return t.got, t.failed
}

// taking is one try to read; false: there is nothing yet.
func (t *tty) taking(uintptr) bool {
	if err := t.raw.Control(t.fill); err != nil {
		t.failed = err
	}
	return t.failed != unix.EAGAIN
}

func (t *tty) filling(fd uintptr) {
	for {
		if t.got, t.failed = atOnce(unix.SYS_READ, fd, t.room); t.failed != unix.EINTR {
			return
		}
	}
}

// SetBaud changes the line speed of the open port.
func (t *tty) SetBaud(baud int) error {
	t.mode.BaudRate = baud
	return t.SetMode(&t.mode)
}

// Discard throws away what is written and not yet sent, and ends a Write that is waiting, or is about to.
func (t *tty) Discard() error {
	t.ended.Store(true)
	return t.ResetOutputBuffer()
}

// Native reports whether the board holds bytes back that it has no room for, as PortInfo.Native does.
func (t *tty) Native() bool { return t.native }

// resetPulse is how long DTR is low. AVR boards and CH340 or FTDI adapters reset at its falling edge.
const resetPulse = 50 * time.Millisecond

// Reset drops DTR for a moment. It blocks for resetPulse. Lines without DTR (pseudo terminals, most native USB) say that it was not tried.
func (t *tty) Reset() (tried bool, err error) {
	if err := t.SetDTR(false); err != nil {
		return false, nil // there is no such line
	}
	time.Sleep(resetPulse)
	return true, t.SetDTR(true)
}

// Close closes both descriptors; the lock goes with ours.
func (t *tty) Close() error {
	t.ended.Store(true)
	return errors.Join(t.Port.Close(), t.come.Close(), t.own.Close())
}

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// pty is a pseudo-terminal: we hold the master, hosts open the slave's path. We keep the slave open as well, so that a host's
// close does not hang the master up, and watch who opens and closes it.
type pty struct {
	master, slave int
	watch         int // inotify
	mark          int // its watch descriptor for the slave's path
	path          string
	links         []string // the first points to path, each other one to the one before
}

// openPTY makes a raw pseudo-terminal at speed baud, and links that lead to it: the first one directly, each other one by the one before.
// Only a symbolic link is ever replaced.
func openPTY(baud int, links ...string) (_ *pty, err error) {
	p := &pty{master: -1, slave: -1, watch: -1, links: links}
	defer func() {
		if err != nil {
			p.close()
		}
	}()
	if p.master, err = unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
		return nil, fmt.Errorf("open /dev/ptmx: %w", err)
	}
	if err = unix.IoctlSetPointerInt(p.master, unix.TIOCSPTLCK, 0); err != nil {
		return nil, fmt.Errorf("unlock the pseudo-terminal: %w", err)
	}
	n, err := unix.IoctlGetInt(p.master, unix.TIOCGPTN)
	if err != nil {
		return nil, fmt.Errorf("number of the pseudo-terminal: %w", err)
	}
	p.path = "/dev/pts/" + strconv.Itoa(n)
	if p.slave, err = unix.Open(p.path, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0); err != nil {
		return nil, fmt.Errorf("open %s: %w", p.path, err)
	}
	if err = p.restore(baud); err != nil {
		return nil, err
	}
	if p.watch, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK); err != nil {
		return nil, fmt.Errorf("inotify: %w", err)
	}
	// The kernel folds equal events that follow each other into one, which would spoil the count of hosts. The directory's
	// own event, which comes with each of ours, keeps them apart.
	for _, path := range []string{filepath.Dir(p.path), p.path} {
		if p.mark, err = unix.InotifyAddWatch(p.watch, path, unix.IN_OPEN|unix.IN_CLOSE_WRITE|unix.IN_CLOSE_NOWRITE); err != nil {
			return nil, fmt.Errorf("watch %s: %w", path, err)
		}
	}
	return p, p.makeLinks()
}

// hosts tells opens (+1) and closes (-1) of the slave by others, in their order, since the last call.
func (p *pty) hosts(change func(by int)) {
	var buf [4096]byte
	for {
		n, err := unix.Read(p.watch, buf[:])
		if err != nil || n < unix.SizeofInotifyEvent {
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mark, mask := int(int32(binary.NativeEndian.Uint32(b))), binary.NativeEndian.Uint32(b[4:])
			b = b[min(len(b), unix.SizeofInotifyEvent+int(binary.NativeEndian.Uint32(b[12:]))):]
			switch {
			case mark != p.mark:
			case mask&unix.IN_OPEN != 0:
				change(+1)
			case mask&(unix.IN_CLOSE_WRITE|unix.IN_CLOSE_NOWRITE) != 0:
				change(-1)
			}
		}
	}
}

// restore makes the terminal raw, at speed baud (0 = leave it), and with HUPCL, as a serial port is when nobody has set it up.
func (p *pty) restore(baud int) error {
	t, err := unix.IoctlGetTermios(p.slave, unix.TCGETS2)
	if err != nil {
		return fmt.Errorf("read the terminal's settings: %w", err)
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = t.Cflag&^(unix.CSIZE|unix.PARENB|unix.CSTOPB) | unix.CS8 | unix.CREAD | unix.CLOCAL | unix.HUPCL
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	if baud > 0 {
		t.Cflag = t.Cflag&^unix.CBAUD | unix.BOTHER
		t.Ispeed, t.Ospeed = uint32(baud), uint32(baud)
	}
	if err := unix.IoctlSetTermios(p.slave, unix.TCSETS2, t); err != nil {
		return fmt.Errorf("set the terminal up: %w", err)
	}
	return nil
}

// speed is what the host has set. ok is false when that cannot be told.
func (p *pty) speed() (baud int, ok bool) {
	t, err := unix.IoctlGetTermios(p.slave, unix.TCGETS2)
	if err != nil || t.Ospeed == 0 {
		return 0, false
	}
	return int(t.Ospeed), true
}

// dropsDTR reports whether DTR falls when the last host closes (HUPCL), so that the next open raises it again.
func (p *pty) dropsDTR() bool {
	t, err := unix.IoctlGetTermios(p.slave, unix.TCGETS2)
	return err != nil || t.Cflag&unix.HUPCL != 0
}

// forget throws away what no host has read.
func (p *pty) forget() { _ = unix.IoctlSetInt(p.slave, unix.TCFLSH, unix.TCIFLUSH) }

func (p *pty) makeLinks() error {
	to := p.path
	for _, link := range p.links {
		if err := makeLink(link, to); err != nil {
			return err
		}
		to = link
	}
	return nil
}

// makeLink makes or replaces a symbolic link. One that is there always leads somewhere.
func makeLink(link, to string) error {
	if info, err := os.Lstat(link); err == nil && info.Mode()&os.ModeSymlink == 0 {
		return fmt.Errorf("%s exists and is no symbolic link", link)
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	next := filepath.Join(filepath.Dir(link), fmt.Sprintf(".%s.%d", filepath.Base(link), os.Getpid()))
	if err := os.Symlink(to, next); err != nil {
		return err
	}
	if err := os.Rename(next, link); err != nil {
		os.Remove(next)
		return err
	}
	return nil
}

// close removes the links that are still ours, the one that hosts know first, and hangs up on all hosts.
func (p *pty) close() {
	for i := len(p.links) - 1; i >= 0 && p.path != ""; i-- {
		ours := p.path
		if i > 0 {
			ours = p.links[i-1]
		}
		if to, err := os.Readlink(p.links[i]); err == nil && to == ours {
			os.Remove(p.links[i])
		}
	}
	for _, fd := range []int{p.watch, p.slave, p.master} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
	p.master, p.slave, p.watch = -1, -1, -1
}

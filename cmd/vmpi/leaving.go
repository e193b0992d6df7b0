package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// lookBack asks systemd and the journal how it was.
func (l *life) lookBack() error {
	return l.all(steps{
		{"how exposed the unit is (systemd-analyze)", func() (string, error) {
			text, err := l.hand.run("systemd-analyze", "security", "--no-pager", "layerd.service")
			if err != nil {
				return "", err
			}
			verdict := text[strings.LastIndex(text, "\n")+1:]
			_, number, _ := strings.Cut(verdict, ": ")
			exposure, err := strconv.ParseFloat(strings.Fields(number + " ?")[0], 64)
			if err != nil || exposure > 2 {
				err = fmt.Errorf("want at most 2.0: %q", verdict)
			}
			return strings.TrimLeft(verdict, "→ "), err
		}},
		{"nothing was denied", l.denials},
		{"without the drivers a cable is refused, in words", l.trap},
	})
}

// tooEarly is how often a device that was just plugged in may be denied: the kernel makes its node, udev gives that its group a moment later, and layerd, which
// may come in between, tries again.
const tooEarly = 4

// denials are words of the journal since the machine was switched on.
func (l *life) denials() (string, error) {
	got, err := l.hand.try("sh", "-c", "journalctl --unit=layerd --boot --no-pager --output=cat | grep -iE 'not permitted|permission denied|EPERM|EACCES|SIGSYS'")
	if err != nil {
		return "", err
	}
	early := 0
	for line := range strings.Lines(got.Out) {
		if !strings.Contains(line, "retry_ms=") || !strings.Contains(line, "open /dev/") || strings.Contains(line, "not permitted") {
			return "", errors.New(got.Out)
		}
		early++
	}
	if early > tooEarly {
		return "", errors.New(got.Out)
	}
	lines, err := l.hand.run("sh", "-c", "journalctl --unit=layerd --boot --no-pager --output=cat | wc -l")
	return fmt.Sprintf("%s lines of the journal; %d times a node had no group yet, and was open at the next try", lines, early), err
}

// trap shows that modules-load.d is needed: the unit is started without the drivers, and then the cable is plugged in.
func (l *life) trap() (string, error) {
	l.board.unplug()
	if _, err := l.hand.run("sh", "-c", "systemctl stop layerd; udevadm settle; rmmod ftdi_sio usbserial && systemctl start layerd"); err != nil {
		return "", err
	}
	if err := l.board.plugIn(l.machine); err != nil {
		return "", err
	}
	said := ""
	if _, err := l.reach("the refusal", time.Minute, func(s state) bool {
		if s.Fault != nil && s.Fault.Code == "port_denied" {
			said = s.Fault.Message
		}
		return said != ""
	}); err != nil {
		return "", err
	}
	if _, err := l.hand.run("systemctl", "restart", "layerd"); err != nil {
		return "", err
	}
	_, err := l.reach("the printer", time.Minute, idle)
	return fmt.Sprintf("%q; a restart mends it", said), err
}

// remove takes the package away, and then all that it and people have left.
func (l *life) remove() error {
	return l.all(steps{
		{"removed, it stops, and keeps what people have", func() (string, error) {
			if _, err := l.hand.run("dpkg", "--remove", "layerd"); err != nil {
				return "", err
			}
			if got, err := l.hand.try("systemctl", "is-active", "layerd"); err != nil || got.Code == 0 {
				return "", fmt.Errorf("it is %s (%v)", got.Out, err)
			}
			return l.hand.run("sh", "-c", "du -sh /var/lib/private/layerd")
		}},
		{"purged, it leaves nothing", func() (string, error) {
			if _, err := l.hand.run("dpkg", "--purge", "layerd"); err != nil {
				return "", err
			}
			left, err := l.hand.run("find", "/etc", "/usr", "/var", "/root", "/home", "/opt", "/srv", "/tmp", "/run/systemd", "-xdev", "-iname", "*layerd*", "-not", "-path", "/var/log/*")
			if err == nil && left != "" {
				err = fmt.Errorf("left: %s", left)
			}
			if got, e := l.hand.try("getent", "passwd", "layerd"); err == nil && (e != nil || got.Code == 0) {
				err = fmt.Errorf("the user is still there: %s (%v)", got.Out, e)
			}
			return "no file by its name in /etc, /usr, /var, /tmp; no user", err
		}},
	})
}

package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"time"
)

// A person has a Pi, and types one command.

const (
	owner    = "Robin"
	password = "a long enough password"
)

func (l *life) install() error {
	return l.all(steps{
		{"switched on: Debian, arm64, emulated", l.boot},
		{"systemd is the first process", func() (string, error) {
			first, err := l.hand.run("cat", "/proc/1/comm")
			if err == nil && first != "systemd" {
				err = fmt.Errorf("it is %q", first)
			}
			version, e := l.hand.run("systemctl", "--version")
			if err == nil {
				err = e
			}
			version, _, _ = strings.Cut(version, "\n")
			return version, err
		}},
		{"it has come up", func() (string, error) {
			got, err := l.hand.try("systemctl", "is-system-running", "--wait")
			if err == nil && strings.TrimSpace(got.Out) != "running" {
				err = fmt.Errorf("it is %q", got.Out)
			}
			if err != nil {
				return "", err
			}
			return l.sinceBoot()
		}},
		{"the drivers are not loaded yet", func() (string, error) {
			loaded, err := l.hand.run("cat", "/proc/devices")
			for _, name := range []string{"ttyUSB", "video4linux"} {
				if err == nil && strings.Contains(loaded, name) {
					err = fmt.Errorf("%s is there: the next steps would show nothing", name)
				}
			}
			return "neither ttyUSB nor video4linux", err
		}},
		{"dpkg installs the package", func() (string, error) { return l.dpkg(0) }},
		{"the unit has started (Type=notify)", func() (string, error) {
			kind, err := l.property("Type")
			if err != nil {
				return "", err
			}
			took, err := l.within("the unit", time.Minute, func() error {
				state, err := l.property("ActiveState")
				if err == nil && state != "active" {
					err = fmt.Errorf("it is %q", state)
				}
				return err
			})
			if err == nil && kind != "notify" {
				err = fmt.Errorf("its type is %q", kind)
			}
			return fmt.Sprintf("active after %v", took), err
		}},
		{"the page is served", l.served},
		{"the link makes the owner", l.becomeOwner},
		{"a printer is plugged in, and found", func() (string, error) {
			if err := l.board.plugIn(l.machine); err != nil {
				return "", err
			}
			took, err := l.reach("the printer", time.Minute, idle)
			if err != nil {
				return "", err
			}
			s, err := l.state()
			return fmt.Sprintf("%s after %v", s.Connection.Port, took), err
		}},
		{"a camera is plugged in, and seen (raw: vivid)", func() (string, error) {
			if _, err := l.hand.run("modprobe", "vivid", "n_devs=1"); err != nil {
				return "", err
			}
			return l.live1(-1)
		}},
	})
}

// boot switches the machine on.
func (l *life) boot() (string, error) {
	l.began = time.Now()
	if err := l.switchOn(); err != nil {
		return "", err
	}
	return l.sinceBoot()
}

// dpkg installs one of the packages.
func (l *life) dpkg(n int) (string, error) {
	name := filepath.Base(l.packages[n])
	if err := l.hand.put(l.packages[n], "/run/vm/"+name); err != nil {
		return "", err
	}
	if _, err := l.hand.run("dpkg", "--install", "/run/vm/"+name); err != nil {
		return "", err
	}
	version, err := l.hand.run("dpkg-query", "--show", "layerd")
	return strings.ReplaceAll(version, "\t", " "), err
}

// becomeOwner opens the link that the journal has, as a person would.
func (l *life) becomeOwner() (string, error) {
	words, err := l.hand.run("journalctl", "--unit=layerd", "--output=cat", "--no-pager")
	if err != nil {
		return "", err
	}
	at := strings.LastIndex(words, "#setup=")
	if at < 0 {
		return "", fmt.Errorf("no link in\n%s", words)
	}
	secret := strings.Fields(words[at+len("#setup="):])[0]
	if err := l.ask("POST", "/v1/setup", strings.NewReader(fmt.Sprintf(`{"secret":%q,"name":%q,"password":%q}`, secret, owner, password)), http.StatusOK, nil); err != nil {
		return "", err
	}
	s, err := l.state()
	return "layerd " + s.Version, err
}

// live1 waits until a camera is live (-1: the first), and takes a picture of it.
func (l *life) live1(id int) (string, error) {
	var device string
	took, err := l.reach("the camera", time.Minute, func(s state) bool {
		for _, c := range s.Cameras {
			if id == -1 || c.ID == id {
				device = c.Device
				return c.Live
			}
		}
		return false
	})
	if err != nil {
		return "", err
	}
	path := "/webcam/?action=snapshot"
	if id >= 0 {
		path += fmt.Sprintf("&id=%d", id)
	}
	var picture []byte
	if err := l.ask("GET", path, nil, http.StatusOK, &picture); err != nil {
		return "", err
	}
	if !strings.HasPrefix(string(picture), "\xff\xd8\xff") {
		return "", fmt.Errorf("no JPEG: %.20q", picture)
	}
	return fmt.Sprintf("%s after %v, a picture of %d bytes", device, took, len(picture)), nil
}

// Package power switches the printer's power and its lamp: by lines of G-code, by a GPIO line of this machine, or by a plug with an HTTP API of its own.
//
//	Way, as its owner has set it up ─▶ a reach (lines.go, gpio.go, plug.go) ─▶ on, off, or unknown
//	snapshots ─▶ after.go: when the power goes off by itself ─▶ Board ─▶ Status, which all pages show
//
// What a plug answers is hostile: bounded in size and time, and its text is cleaned. Nothing is switched because layerd starts or ends.
package power

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Kind is how a switch is reached.
type Kind string

const (
	None    Kind = ""
	Lines   Kind = "lines"   // G-code through the printer
	GPIO    Kind = "gpio"    // a line of a /dev/gpiochip of this machine
	Tasmota Kind = "tasmota" // a plug with Tasmota
	Shelly  Kind = "shelly"  // a Shelly plug of the first generation
	Shelly2 Kind = "shelly2" // one of the second, or later
	Web     Kind = "http"    // two addresses, and a third that tells the state
)

// Way is how one switch is reached, as its owner has set it up. The zero Way is no switch. What its Kind has no use for is empty after Tidy.
type Way struct {
	Kind      Kind   `json:"kind"`
	OnLines   string `json:"on_lines"` // lines: as of a button
	OffLines  string `json:"off_lines"`
	Chip      string `json:"chip"` // gpio: the chip's label or name, "pinctrl-bcm2711" or "gpiochip0"
	Line      int    `json:"line"` // gpio: from 0; on a Pi, the number of the GPIO, not of the pin
	ActiveLow bool   `json:"active_low"`
	Address   string `json:"address"` // tasmota, shelly: "http://192.168.1.7"
	Channel   int    `json:"channel"` // tasmota: from 1, 0 = the first; shelly: from 0
	User      string `json:"user"`
	Password  string `json:"password"` // shown to nobody: see Shown
	OnURL     string `json:"on_url"`   // http
	OffURL    string `json:"off_url"`
	StateURL  string `json:"state_url"` // "" = it does not tell
	OnText    string `json:"on_text"`   // what the answer of StateURL holds while it is on
	Post      bool   `json:"post"`      // OnURL and OffURL are POSTed
}

// State is what is known of a switch.
type State string

const (
	Unknown State = "unknown"
	On      State = "on"
	Off     State = "off"
)

func stateOf(on bool) State {
	if on {
		return On
	}
	return Off
}

// ErrSetup is wrapped when a Way or Settings make no sense.
var ErrSetup = errors.New("power")

const maxText = 300 // bytes of an address, a name, a password

// Validate says what is wrong with w, wrapped in ErrSetup. Lines are the printer's to judge.
func (w Way) Validate() error {
	wrong := func(why string) error { return fmt.Errorf("%w: %s", ErrSetup, why) }
	for _, text := range []string{w.Chip, w.Address, w.User, w.Password, w.OnURL, w.OffURL, w.StateURL, w.OnText} {
		if len(text) > maxText || strings.ContainsAny(text, "\r\n\x00") {
			return wrong("an address, a name and a password have at most 300 characters, in one line")
		}
	}
	switch w.Kind {
	case None:
		return nil
	case Lines:
		if w.OnLines == "" || w.OffLines == "" {
			return wrong("lines are needed for on and for off")
		}
		return nil
	case GPIO:
		if w.Chip == "" || w.Line < 0 || w.Line > 1023 {
			return wrong("a chip is needed, and a line from 0 on")
		}
		return nil
	case Tasmota, Shelly, Shelly2:
		if w.Channel < 0 || w.Channel > 32 {
			return wrong("a plug has at most 32 channels")
		}
		if u, err := web(w.Address); err != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
			return wrong("the address of the plug is like http://192.168.1.7")
		}
		return nil
	case Web:
		for _, address := range []string{w.OnURL, w.OffURL} {
			if _, err := web(address); err != nil {
				return wrong("an address to switch by begins with http:// or https://, and has no password in it")
			}
		}
		if _, err := web(w.StateURL); w.StateURL != "" && (err != nil || w.OnText == "") {
			return wrong("an address to ask needs the text that its answer holds while it is on")
		}
		return nil
	}
	return wrong(fmt.Sprintf("there is no kind %.20q", w.Kind))
}

var errAddress = errors.New("no address of a web server")

// web reads an address of a web server, without a name and password in it: those have fields of their own, which are not shown.
func web(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errAddress
	}
	return u, nil
}

// Tidy returns w as it is kept: without spaces around it, and without what its Kind has no use for. Lines without a Kind are those of an older layerd's lamp.
func (w Way) Tidy() Way {
	for _, text := range []*string{&w.OnLines, &w.OffLines, &w.Chip, &w.Address, &w.User, &w.OnURL, &w.OffURL, &w.StateURL} {
		*text = strings.TrimSpace(*text)
	}
	if w.Kind == None && (w.OnLines != "" || w.OffLines != "") {
		w.Kind = Lines
	}
	kept := Way{Kind: w.Kind}
	switch w.Kind {
	case Lines:
		kept.OnLines, kept.OffLines = w.OnLines, w.OffLines
	case GPIO:
		kept.Chip, kept.Line, kept.ActiveLow = strings.TrimPrefix(w.Chip, "/dev/"), w.Line, w.ActiveLow
	case Tasmota, Shelly, Shelly2:
		if w.Address != "" && !strings.Contains(w.Address, "://") {
			w.Address = "http://" + w.Address
		}
		kept.Address, kept.Channel, kept.User, kept.Password = strings.TrimRight(w.Address, "/"), w.Channel, w.User, w.Password
	case Web:
		kept.OnURL, kept.OffURL, kept.StateURL, kept.OnText, kept.Post = w.OnURL, w.OffURL, w.StateURL, w.OnText, w.Post
		kept.User, kept.Password = w.User, w.Password
	}
	return kept
}

// Shown is w as people see it, and whether it has a password.
func (w Way) Shown() (Way, bool) {
	has := w.Password != ""
	w.Password = ""
	return w, has
}

// WithSecretOf is w with the password of old, where w has none of its own and everything that it would be sent to is as before: a password goes nowhere
// but where its owner has sent it.
func (w Way) WithSecretOf(old Way) Way {
	same := w.Kind == old.Kind && w.User == old.User && w.Address == old.Address && w.OnURL == old.OnURL && w.OffURL == old.OffURL && w.StateURL == old.StateURL
	if w.Password == "" && same {
		w.Password = old.Password
	}
	return w
}

// reach does what a Way says. Its methods wait for the network, the kernel or the printer, as long as ctx lets them, and are called one at a time.
type reach interface {
	set(ctx context.Context, on bool) error
	// get asks. said is what was answered, for people; "" when nobody answers in words.
	get(ctx context.Context) (now State, said string, err error)
	close()
}

// open makes what does as w says. It waits for nothing.
func (w Way) open(press press, chips chips) reach {
	switch w.Kind {
	case Lines:
		return &lines{way: w, press: press, asked: Unknown}
	case GPIO:
		return &gpio{way: w, chips: chips}
	case Tasmota, Shelly, Shelly2, Web:
		return newPlug(w)
	}
	return nothing{}
}

// nothing is no switch.
type nothing struct{}

func (nothing) set(context.Context, bool) error            { return ErrNone }
func (nothing) get(context.Context) (State, string, error) { return Unknown, "", nil }
func (nothing) close()                                     {}

// press sends lines to the printer as a button's are.
type press func(ctx context.Context, label, lines string) error

// lines is a switch behind the printer, which does not tell how it stands.
type lines struct {
	way   Way
	press press
	asked State // last
}

func (l *lines) set(ctx context.Context, on bool) error {
	label, text := "off", l.way.OffLines
	if on {
		label, text = "on", l.way.OnLines
	}
	if err := l.press(ctx, label, text); err != nil {
		return err
	}
	l.asked = stateOf(on)
	return nil
}

func (l *lines) get(context.Context) (State, string, error) { return l.asked, "", nil }
func (l *lines) close()                                     {}

package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"rsc.io/qr"

	"layerd/internal/access"
	"layerd/internal/people"
)

// Who comes in: the gate, and the link with which the first owner is made.

// gate asks the store, the configuration, and what is set for people of the tailnet whom nobody names.
func (d *parts) gate(ctx context.Context) (*access.Gate, error) {
	seal, err := d.kept(ctx, "view_secret", rand.Text)
	if err != nil {
		return nil, err
	}
	named := make(map[string]access.Role, len(d.cfg.People))
	for login, name := range d.cfg.People {
		role, err := access.ParseRole(name)
		if err != nil {
			return nil, fmt.Errorf("people in the configuration: %w", err)
		}
		named[login] = role
	}
	return access.NewGate(access.Config{Book: people.Book{Store: d.store}, Demo: d.secret, ViewSecret: []byte(seal), People: named, Proxies: d.cfg.Proxies, DefaultRole: func() access.Role {
		settings, _ := d.overlay.Settings()
		if settings.Tailnet.DefaultRole == access.Nobody.String() {
			return access.Nobody
		}
		return access.Viewer // also when nothing is said
	}}), nil
}

// kept is a setting that is made up once, and then stays.
func (d *parts) kept(ctx context.Context, key string, make func() string) (value string, err error) {
	found, err := d.store.Setting(ctx, key, &value)
	if err == nil && (!found || value == "") {
		value = make()
		err = d.store.SetSetting(ctx, key, value)
	}
	if err != nil {
		return "", fmt.Errorf("read the settings: %w", err)
	}
	return value, nil
}

// newUUID is one of version 4: 122 random bits.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// offerSetup prints the link with which the first owner is made, while there is none. address ends with a slash.
func (d *parts) offerSetup(ctx context.Context, out io.Writer, address string) error {
	secret := d.doorman.OpenSetup()
	open, err := d.doorman.SetupOpen(ctx)
	if err != nil || !open {
		return err
	}
	link := address + "#setup=" + secret
	d.log.Info("nobody owns this layerd yet: open the link to become its owner; it is good once, until layerd ends", "link", link)
	fmt.Fprintf(out, "Nobody owns this layerd yet. Open this link to become its owner; it is good once, until layerd ends:\n%s\n", link)
	if isTerminal(out) {
		code, err := qr.Encode(link, qr.L)
		if err != nil {
			return fmt.Errorf("draw the set-up link: %w", err)
		}
		io.WriteString(out, blocks(code))
	}
	return nil
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// blocks draws a QR code with half blocks, two rows in a line. Light is drawn and dark is left out, as most terminals are dark; phones read it either way.
func blocks(code *qr.Code) string {
	const border = 2
	light := func(x, y int) bool { return !code.Black(x, y) } // beyond its edge nothing is black
	var b strings.Builder
	for y := -border; y < code.Size+border; y += 2 {
		for x := -border; x < code.Size+border; x++ {
			b.WriteString(map[[2]bool]string{{true, true}: "█", {true, false}: "▀", {false, true}: "▄", {false, false}: " "}[[2]bool{light(x, y), light(x, y+1)}])
		}
		b.WriteString("\n")
	}
	return b.String()
}

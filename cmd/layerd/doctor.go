package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/config"
	"layerd/internal/health"
)

// What flows here: the configuration says what is to be looked at ─▶ package health looks ─▶ a table for people, or JSON. A daemon need not run; one
// that does is asked whether it is well, and left alone.

// doctor is the command line of layerd doctor.
type doctor struct{ json bool }

func (d *doctor) flags(f *pflag.FlagSet) {
	f.BoolVar(&d.json, "json", false, "print JSON")
}

// run says how this machine does. Its error is that something is bad.
func (d *doctor) run(ctx context.Context, a *invocation) error {
	cfg, wrong := a.config()
	m := &health.Machine{Root: "/", Data: dataOf(cfg, wrong), Port: cfg.Printer.Port, Kernel: health.ThisKernel()}
	if wrong == nil {
		m.Page = pageOf(cfg)
	}
	r := m.Look(ctx)
	if wrong != nil {
		r.Level = health.Bad
		r.Checks = slices.Insert(r.Checks, 0, health.Check{ID: "config", Name: "Configuration", Level: health.Bad, Found: wrong.Error(), Do: "Put it right; layerd check-config says when it is."})
	}
	if err := d.print(r, a.stdout); err != nil {
		return err
	}
	if r.Level == health.Bad {
		return errors.New("something on this machine is bad; see above")
	}
	return nil
}

// systemData is where the service keeps its data; a person who asks has another default.
const systemData = "/var/lib/layerd"

func dataOf(cfg config.Config, wrong error) string {
	if wrong != nil {
		return ""
	}
	if _, err := os.Lstat(systemData); err == nil && cfg.Locked["data"] == "" && os.Getenv("STATE_DIRECTORY") == "" {
		return systemData
	}
	if dir, err := filepath.Abs(cfg.Data); err == nil {
		return dir
	}
	return cfg.Data
}

// pageOf asks the layerd of the configuration whether it is well.
func pageOf(cfg config.Config) func() (string, error) {
	host, port, err := net.SplitHostPort(cfg.Listen)
	if err != nil {
		return nil
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	address := "http://" + net.JoinHostPort(host, port) + "/healthz"
	// Whose certificate it is does not matter: one word is read, and nothing is told.
	client := &http.Client{Timeout: 1500 * time.Millisecond, Transport: &http.Transport{Proxy: nil, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	if cfg.TLS.Cert != "" {
		address = "https" + strings.TrimPrefix(address, "http")
	}
	return func() (string, error) {
		answer, err := client.Get(address)
		if err != nil {
			return "", err
		}
		defer answer.Body.Close()
		word, err := io.ReadAll(io.LimitReader(answer.Body, 200))
		return strings.TrimSpace(string(word)), err
	}
}

func (d *doctor) print(r *health.Report, out io.Writer) error {
	if d.json {
		write := json.NewEncoder(out)
		write.SetEscapeHTML(false)
		write.SetIndent("", " ")
		return write.Encode(r)
	}
	var b strings.Builder
	words := map[health.Level]string{health.OK: "ok", health.Note: "note", health.Unknown: "not known", health.Warn: "warning", health.Bad: "BAD"}
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-9s  %-24s  %s\n", words[c.Level], c.Name, indented(c.Found))
		if c.Do != "" {
			fmt.Fprintf(&b, "%37s→ %s\n", "", indented(c.Do))
		}
	}
	switch r.Level {
	case health.Bad:
		b.WriteString("\nSomething is bad: begin at the top.\n")
	case health.Warn:
		b.WriteString("\nNothing is bad, but look at the warnings.\n")
	default:
		b.WriteString("\nAll is well.\n")
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// indented is text of several lines below the column in which it stands.
func indented(s string) string {
	const column = 37
	return strings.ReplaceAll(strings.TrimSpace(s), "\n", "\n"+strings.Repeat(" ", column))
}

// Package health looks at the machine that layerd runs on, and says in words what is wrong and what to do about it.
//
//	files of /proc, /sys, /dev, /etc and a few system calls (Machine) ─▶ checks, each within its time ─▶ Report, worst first ─▶ layerd doctor
//	                                                      each minute, by Watch ─▶ latest.Value ─▶ page, /metrics
//
// It opens no serial port and no camera, needs no privilege, and believes nothing that it reads: everything is bounded, and what cannot be known is said to
// be unknown.
package health

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"layerd/camera"
	"layerd/internal/overlay"
)

// Level is how much a person should care.
type Level string

const (
	OK      Level = "ok"
	Note    Level = "note"    // nothing is wrong; somebody may want to know
	Unknown Level = "unknown" // this machine does not tell
	Warn    Level = "warn"    // it may cost a print one day
	Bad     Level = "bad"     // it costs prints now
)

// rank orders levels, the worst first.
func rank(l Level) int { return slices.Index([]Level{Bad, Warn, Note, Unknown, OK}, l) }

// Check is what was found of one thing.
type Check struct {
	ID    string `json:"id"`
	Name  string `json:"name"` // for people
	Level Level  `json:"level"`
	Found string `json:"found"` // a sentence or a few, with units; plain text that may hold a stranger's words
	Do    string `json:"do"`    // what to do about it; "" nothing
}

// Report is all that was found at one time. It is immutable.
type Report struct {
	AtMS    int64   `json:"at_ms"`
	Level   Level   `json:"level"`  // of the worst check; ok where none is worse than a note
	Checks  []Check `json:"checks"` // the worst first
	Numbers Numbers `json:"-"`
}

// Worst is the first of the checks; the zero Check when there are none.
func (r *Report) Worst() Check {
	if len(r.Checks) == 0 {
		return Check{}
	}
	return r.Checks[0]
}

// Numbers are what was measured, for graphs. A nil one is not known.
type Numbers struct {
	TemperatureC   *float64
	Throttled      *uint32 // the bits of the Pi's firmware; see power.go
	UnderVoltage   *bool   // in the last seconds
	SignalDBm      *float64
	Load1          *float64
	AvailableBytes *int64 // memory
	SwapBytes      *int64 // of it in use
	OOMKills       *int64 // since the machine started
	DiskFree       *int64 // bytes, where the data is
	DiskTotal      *int64
}

// Machine is what is looked at. One goroutine uses it at a time.
type Machine struct {
	Root string // "/", or a tree that looks like it
	Data string // layerd's data directory; "" unknown
	Port string // the configured serial port; "" none

	Page    func() (string, error) // what /healthz of the layerd that runs beside us says; nil = it is not asked
	Daemon  bool                   // it is layerd itself that looks, not a person at a terminal
	Cameras func() []camera.Status // how layerd's cameras do; nil when it does not run here
	Overlay func() overlay.Status  // how the network does by which phones come from elsewhere; nil likewise

	Kernel Kernel

	hangs map[string]<-chan answer // checks that have not come back
	seen  atomic.Uint32            // lasting bits of power.go that were found at any look
}

// Kernel is what no file tells.
type Kernel struct {
	Now      func() time.Time
	Disk     func(dir string) (Disk, error)
	MayOpen  func(path string) error                  // may we read and write it, by its permissions; it is not opened
	Owner    func(path string) (group int, err error) // the group of a file
	Synced   func() (bool, error)                     // somebody keeps the clock right
	Firmware func() (uint32, error)                   // the Pi's GET_THROTTLED; an error elsewhere
	Sleeps   func(radio string) (bool, error)         // a radio saves power between packets
	PID      int                                      // our own process
}

// Disk is a file system's room, in bytes and files.
type Disk struct {
	Free, Total           int64
	FreeInodes, AllInodes int64 // 0, 0: it has no such limit
}

// check is one of the things that are looked at.
type check struct {
	id, name string
	look     func(m *Machine) finding
}

// finding is a Check without its name. One without a level is left out: there is nothing to say here.
type finding struct {
	level     Level
	found, do string
}

// answer is what a look comes back with.
type answer struct {
	check   Check
	numbers Numbers
}

func checks() []check {
	return []check{
		{"daemon", "layerd", (*Machine).daemon},
		{"power", "Power supply", (*Machine).power},
		{"throttling", "Processor speed", (*Machine).throttling},
		{"temperature", "Temperature", (*Machine).temperature},
		{"disk", "Disk", (*Machine).disk},
		{"card", "Wear of the card", (*Machine).wear},
		{"memory", "Memory", (*Machine).memory},
		{"clock", "Clock", (*Machine).clock},
		{"port", "Printer's port", (*Machine).ports},
		{"grabbers", "Programs that take ports", (*Machine).grabbers},
		{"usb", "USB power saving", (*Machine).usbSleep},
		{"camera", "Camera", (*Machine).cameras},
		{"wifi", "Wi-Fi", (*Machine).wifi},
		{"away", "Away from home", (*Machine).away},
		{"load", "Load", (*Machine).load},
		{"machine", "Machine", (*Machine).about},
	}
}

// patience is how long one check may take. A driver, or a disk that dies, may never answer.
const patience = 2 * time.Second

const mostText = 600 // bytes of what is said of a check

// Look makes all checks. It blocks for two seconds at most for each check that hangs, and not at all for one that did so before and still does.
func (m *Machine) Look(ctx context.Context) *Report {
	r := &Report{AtMS: m.Kernel.Now().UnixMilli(), Level: OK, Checks: []Check{}}
	for _, c := range checks() {
		a := m.within(ctx, c.id, func() answer {
			f := c.look(m)
			return answer{check: Check{ID: c.id, Name: c.name, Level: f.level, Found: plain(f.found, mostText), Do: plain(f.do, mostText)}}
		})
		if a == nil {
			a = &answer{check: Check{ID: c.id, Name: c.name, Level: Unknown, Found: "It did not answer in time."}}
		}
		if a.check.Level != "" {
			r.Checks = append(r.Checks, a.check)
		}
	}
	slices.SortStableFunc(r.Checks, func(a, b Check) int { return rank(a.Level) - rank(b.Level) })
	if worst := r.Worst().Level; worst == Bad || worst == Warn {
		r.Level = worst
	}
	if a := m.within(ctx, "numbers", func() answer { return answer{numbers: m.measure()} }); a != nil {
		r.Numbers = a.numbers
	}
	return r
}

// within makes a look in its time; nil: it has not come back yet. One that hangs is not begun again until it has.
func (m *Machine) within(ctx context.Context, id string, look func() answer) *answer {
	done, hung := m.hangs[id]
	if !hung {
		back := make(chan answer, 1)
		done = back
		go func() { back <- look() }()
	}
	var late <-chan time.Time
	if !hung {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		late = timer.C
	} else if len(done) == 0 {
		return nil
	}
	select {
	case a := <-done:
		delete(m.hangs, id)
		return &a
	case <-late:
	case <-ctx.Done():
	}
	if m.hangs == nil {
		m.hangs = map[string]<-chan answer{}
	}
	m.hangs[id] = done
	return nil
}

func ok(format string, args ...any) finding {
	return finding{level: OK, found: fmt.Sprintf(format, args...)}
}

func unknown(format string, args ...any) finding {
	return finding{level: Unknown, found: fmt.Sprintf(format, args...)}
}

// plain is text without what moves a terminal's cursor or makes a line of its own, of at most so many bytes.
func plain(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// size is a number of bytes for people, in the units of the page.
func size(n int64) string {
	switch v := float64(n); {
	case v >= 1e9:
		return fmt.Sprintf("%.1f GB", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.0f MB", v/1e6)
	default:
		return fmt.Sprintf("%.0f kB", v/1e3)
	}
}

// and joins words for people.
func and(words []string) string {
	if n := len(words); n > 1 {
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
	return strings.Join(words, "")
}

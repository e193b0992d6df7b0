package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestPlan(t *testing.T) {
	p, err := parsePlan("rounds=2,span=5s,fps=7,viewers=0+3")
	if err != nil || p.rounds != 2 || p.span != 5*time.Second || p.fps != 7 || !slices.Equal(p.viewers, []int{0, 3}) {
		t.Errorf("got %+v, %v", p, err)
	}
	if p, err := parsePlan(""); err != nil || p.rounds != 3 || len(p.viewers) != 4 {
		t.Errorf("of nothing: got %+v, %v", p, err)
	}
	for _, wrong := range []string{"rounds=0", "rounds=x", "fps=0", "span=1", "viewers=1+x", "speed=2"} {
		if p, err := parsePlan(wrong); err == nil {
			t.Errorf("%s: got %+v, want an error", wrong, p)
		}
	}
}

func TestUsage(t *testing.T) {
	u, err := parseMemory("Name:\tlayerd\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n")
	if err != nil || u.rss != 10 || u.peak != 20 {
		t.Errorf("memory: got %+v, %v", u, err)
	}
	if ran, err := parseSchedule("1500000 20 3\n"); err != nil || ran != 1500*time.Microsecond {
		t.Errorf("schedule: got %v, %v", ran, err)
	}
	if _, err := parseSchedule("\n"); err == nil {
		t.Error("schedule: nothing was taken for a number")
	}
}

// TestViewerReadsParts reads what both servers send: a boundary before each part, and in one case a second one at once behind it.
func TestViewerReadsParts(t *testing.T) {
	picture := make([]byte, 3000)
	var stream bytes.Buffer
	stream.WriteString("--x\r\n")
	for n := range uint32(3) {
		stamp(picture, n+1, time.Unix(0, int64(n)))
		fmt.Fprintf(&stream, "Content-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n--x\r\n", len(picture), picture)
	}
	v := &viewer{}
	if err := readParts(&stream, v.take); !errors.Is(err, io.EOF) {
		t.Errorf("at its end: %v", err)
	}
	if v.frames != 3 || v.first != 1 || v.last != 3 {
		t.Errorf("got %d parts, %d to %d", v.frames, v.first, v.last)
	}
	c := crowd{all: []*viewer{{frames: 8, first: 1, last: 10}, {frames: 10, first: 1, last: 10, ages: []time.Duration{1}}}}
	if s := c.seen(time.Second); s.fps != 9 || s.least != 8 || s.dropped != 0.1 {
		t.Errorf("of 18 in 20: got %+v", s)
	}
	for _, wrong := range []string{"--x\r\n\r\n", "--x\r\nContent-Length: 3\r\n\r\nabc"} {
		if err := readParts(strings.NewReader(wrong), v.take); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// TestPicturesAreChecked shows that the checks of the virtual machine can fail.
func TestPicturesAreChecked(t *testing.T) {
	from, err := base(feedW, feedH, 75, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := &fed{}
	whole, plain, part := f.make(from, good), f.make(from, bare), f.make(from, cut)
	if k, err := f.check(whole); err != nil || k != good {
		t.Errorf("as it was written: %v, kind %d", err, k)
	}
	if without, err := withoutTables(whole); err != nil || len(without) >= len(whole) || len(without) != len(plain) {
		t.Errorf("without tables: %d of %d bytes, %v", len(without), len(whole), err)
	}
	other := bytes.Clone(whole)
	other[len(other)/2] ^= 1
	stranger := bytes.Clone(whole)
	stranger[9] = 99
	for name, wrong := range map[string][]byte{"one bit": other, "no tables put in": plain, "cut off": part, "another number": stranger, "short": whole[:5]} {
		if _, err := f.check(wrong); err == nil {
			t.Errorf("%s was let pass", name)
		}
	}
}

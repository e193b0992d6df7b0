package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"layerd/gcode"
)

// What flows here: a slicer's file → its commands → a cut of them → the file that every streamer prints.

// workload is one job: what brings a printer to where the cut begins, and the cut. Only the cut is measured.
type workload struct {
	from string // which file, for people
	head []string
	cut  []string
}

// source is all commands of a file.
type source struct {
	name     string
	commands []string
}

// readSource reads the commands of a G-code file; one whose name ends in .gz is unpacked.
func readSource(path string) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return source{}, err
	}
	defer f.Close()
	s := source{name: filepath.Base(path)}
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return source{}, fmt.Errorf("read %s: %w", path, err)
		}
		s.name = strings.TrimSuffix(s.name, ".gz")
	}
	scan := gcode.NewScanner(r)
	for scan.Scan() {
		s.commands = append(s.commands, string(scan.Line().Text))
	}
	if err := scan.Err(); err != nil {
		return source{}, fmt.Errorf("read %s: %w", path, err)
	}
	return s, nil
}

// openSource is a file of the corpus, or, where there is no corpus, rings of our own; said tells that.
func openSource(corpus, name string) (s source, said string, err error) {
	s, err = readSource(filepath.Join(corpus, name))
	if errors.Is(err, os.ErrNotExist) {
		return rings(), fmt.Sprintf("no %s in %s: streaming rings that are made here, of short lines and arcs, in its place", name, corpus), nil
	}
	return s, "", err
}

// rings is a vase as slicers write curves: 120 short lines a round, and one arc, so that no two of its lines are the same.
func rings() source {
	s := source{name: "generated rings", commands: []string{"G21", "G90", "M82", "G92 E0", "G1 F3000"}}
	const perRound, rounds = 120, 800
	e := 0.0
	for round := range rounds {
		z := 0.2 + 0.1*float64(round)
		radius := 30 + 8*math.Sin(float64(round)/90)
		at := func(step int) (x, y float64) {
			turn := 2 * math.Pi * float64(step) / perRound
			return 110 + radius*math.Cos(turn), 110 + radius*math.Sin(turn)
		}
		for step := range perRound {
			x, y := at(step)
			e += 2 * math.Pi * radius / perRound * 0.033
			s.commands = append(s.commands, fmt.Sprintf("G1 X%.3f Y%.3f Z%.3f E%.5f", x, y, z+0.1*float64(step)/perRound, e))
		}
		x, y := at(0)
		lastX, lastY := at(perRound - 1)
		e += 0.05
		s.commands = append(s.commands, fmt.Sprintf("G3 X%.3f Y%.3f I%.3f J%.3f E%.5f", x, y, 110-lastX, 110-lastY, e))
	}
	return s
}

// text is the whole source as a file.
func (s source) text() []byte { return []byte(strings.Join(s.commands, "\n") + "\n") }

// hostsOwn are commands that hosts send by themselves, in mid-print too, so they cannot tell whether a job's line came through.
func hostsOwn(command string) bool {
	word, _, _ := strings.Cut(command, " ")
	switch word {
	case "M20", "M21", "M27", "M105", "M108", "M110", "M113", "M114", "M115", "M118", "M154", "M155", "M400", "M876":
		return true
	}
	return false
}

// take cuts n commands out of the source, from the from-th on, fewer where it ends. What a host may send by itself is left out.
// The head homes, heats, and goes to where the head of the printer was before the cut, in the modes that it was in.
func (s source) take(from, n int) workload {
	at := state{e: 1}
	from = max(0, min(from, len(s.commands)-n))
	for _, c := range s.commands[:from] {
		at.follow(c)
	}
	w := workload{from: s.name, head: append([]string{"G28", "M109 S210"}, at.reach()...)}
	for _, c := range s.commands[from:] {
		if len(w.cut) == n {
			break
		}
		if !hostsOwn(c) {
			w.cut = append(w.cut, c)
		}
	}
	return w
}

// bytes is the file that is streamed.
func (w workload) bytes() []byte {
	var b bytes.Buffer
	for _, part := range [][]string{w.head, w.cut} {
		for _, c := range part {
			b.WriteString(c)
			b.WriteByte('\n')
		}
	}
	return b.Bytes()
}

// framed is how many bytes the i-th line of the cut (from 0) has on the wire: number, text, checksum and line end. The job's
// first line is taken for number 1, as hosts number them, give or take a few.
func (w workload) framed(i int) int {
	return len(gcode.AppendFrame(nil, int64(len(w.head)+i+1), []byte(w.cut[i])))
}

// wireBytes is how many bytes the whole cut has on the wire.
func (w workload) wireBytes() (sum int) {
	for i := range w.cut {
		sum += w.framed(i)
	}
	return sum
}

// state is what a program knows of the machine when it has read a file up to some line.
type state struct {
	x, y, z, e, feed float64
	relative, relE   bool
}

// follow takes one command in. Arcs are followed to their ends.
func (s *state) follow(command string) {
	c := gcode.ParseCommand([]byte(command))
	switch {
	case c.Is('G', 90):
		s.relative, s.relE = false, false
	case c.Is('G', 91):
		s.relative, s.relE = true, true
	case c.Is('M', 82):
		s.relE = false
	case c.Is('M', 83):
		s.relE = true
	case c.Is('G', 92):
		s.set(command, false, false)
	case c.Letter == 'G' && c.Number <= 3:
		s.set(command, s.relative, s.relE)
	}
}

// set takes the words of a move. Relative E needs no place: only the last command can ask for it.
func (s *state) set(command string, relative, relE bool) {
	for _, word := range strings.Fields(command)[1:] {
		v, err := strconv.ParseFloat(word[1:], 64)
		if err != nil {
			continue
		}
		to := map[byte]*float64{'X': &s.x, 'Y': &s.y, 'Z': &s.z, 'E': &s.e, 'F': &s.feed}[word[0]]
		switch {
		case to == nil:
		case relative && strings.IndexByte("XYZ", word[0]) >= 0, relE && word[0] == 'E':
			*to += v
		default:
			*to = v
		}
	}
}

// reach is how to get there from home.
func (s *state) reach() []string {
	head := []string{"G21", "G90", fmt.Sprintf("G1 Z%.3f F600", s.z), fmt.Sprintf("G1 X%.3f Y%.3f F6000", s.x, s.y), fmt.Sprintf("G92 E%.5f", s.e)}
	if s.feed > 0 {
		head = append(head, fmt.Sprintf("G1 F%.0f", s.feed))
	}
	if s.relative {
		head = append(head, "G91")
	}
	if s.relE {
		return append(head, "M83")
	}
	return append(head, "M82")
}

// span is how far and at what speed a move goes.
func (s *state) span(command string) (seconds float64) {
	before := *s
	s.follow(command)
	mm := math.Sqrt(sq(s.x-before.x) + sq(s.y-before.y) + sq(s.z-before.z))
	if mm < 1e-6 {
		mm = math.Abs(s.e - before.e)
	}
	if c := gcode.ParseCommand([]byte(command)); s.feed <= 0 || c.Letter != 'G' || c.Number > 3 {
		return 0
	}
	return mm / (s.feed / 60)
}

func sq(v float64) float64 { return v * v }

// demand is what the cut asks of the wire at nominal speed, without acceleration: how long it takes, and the bytes of its densest
// second. More than the line rate there, and no streamer can keep the planner full.
func (w workload) demand() (seconds float64, densest int) {
	var at state
	for _, c := range w.head {
		at.follow(c)
	}
	ends := make([]float64, len(w.cut)) // when each line's move ends
	first, sum := 0, 0
	for i, c := range w.cut {
		seconds += at.span(c)
		ends[i] = seconds
		sum += w.framed(i)
		for ends[first] < seconds-1 {
			sum -= w.framed(first)
			first++
		}
		densest = max(densest, sum)
	}
	return seconds, densest
}

// lasting is the cut's beginning that takes so many seconds at nominal speed.
func (w workload) lasting(seconds float64) workload {
	var at state
	for _, c := range w.head {
		at.follow(c)
	}
	sum := 0.0
	for i, c := range w.cut {
		if sum += at.span(c); sum > seconds {
			w.cut = w.cut[:i]
			break
		}
	}
	return w
}

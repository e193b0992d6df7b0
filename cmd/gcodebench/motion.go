package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/printer/printertest"
)

// The pretend printer really moves, by a planner of its own, in fake time. It gets the whole file, a line whenever it has taken the last, so that
// its planner is as full as it can be. Heating takes no time; homing is measured and taken off.

// queue is how many moves the pretend Marlin's planner holds, 16 places of which one stays free.
const queue = 15

// besideMotion compares the time model with the pretend printer's motion. Both are told the file's own limits, by M201 to M205 before it. The pretend
// planner knows junction deviation only, so the jerk is given as what Marlin has for it (0.4 × jerk² / acceleration).
func (b *bench) besideMotion() error {
	fmt.Println("\n## Time model beside the pretend printer's motion, both with the file's limits and 15 moves ahead")
	var t table
	t.add("file", "moved s", "model s", "off", "took s")
	var off offs
	for _, f := range b.files {
		own, err := f.surveyed()
		if err != nil {
			return err
		}
		text, err := f.withSettings(own.Limits)
		if err != nil {
			return err
		}
		limits := gcode.OurLimits()
		limits.Queue = queue
		model, err := gcode.SurveyWith(bytes.NewReader(text), limits)
		if err != nil {
			return err
		}
		began := time.Now()
		moved := 0.0
		if err := b.inFakeTime(func(ctx context.Context) (err error) {
			moved, err = drive(ctx, text)
			return err
		}); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
		t.add(f.name, whole(moved), whole(model.TimeS), percent(model.TimeS/moved-1), whole(time.Since(began).Seconds()))
		off = append(off, model.TimeS/moved-1)
		if b.ctx.Err() != nil {
			return nil
		}
	}
	t.print()
	off.judge("time model beside motion", medianGoal, worstGoal)
	return nil
}

// withSettings is the file's text behind commands that set limits.
func (f file) withSettings(l gcode.Limits) ([]byte, error) {
	text, err := os.ReadFile(f.path)
	return append([]byte(settings(l)), text...), err
}

// settings are limits as commands.
func settings(l gcode.Limits) string {
	jerk := min(l.JerkMMS[0], l.JerkMMS[1])
	deviation := l.DeviationMM
	if deviation == 0 {
		deviation = 0.4 * jerk * jerk / l.PrintMMS2
	}
	axes := func(v [4]float64) string { return fmt.Sprintf("X%.2f Y%.2f Z%.2f E%.2f", v[0], v[1], v[2], v[3]) }
	return fmt.Sprintf("M201 %s\nM203 %s\nM204 P%.2f R%.2f T%.2f\nM205 J%.4f\n", axes(l.AccelMMS2), axes(l.SpeedMMS), l.PrintMMS2, l.RetractMMS2, l.TravelMMS2, deviation)
}

// drive has a pretend printer execute a file, and returns how many seconds it moved and dwelt.
func drive(ctx context.Context, text []byte) (seconds float64, err error) {
	sim, err := printertest.New(printertest.Config{Speed: 1, WidthMM: 400, DepthMM: 400, HeightMM: 400}) // wide, so that nothing is cut off at its walls
	if err != nil {
		return 0, err
	}
	ctx, end := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- sim.Run(ctx) }()
	defer func() {
		end()
		<-ended
	}()
	port := sim.Open()
	defer port.Close()
	in := bufio.NewReader(port)
	say := func(line []byte) error {
		if _, err := port.Write(append(line, '\n')); err != nil {
			return err
		}
		for {
			answer, err := in.ReadString('\n')
			if err != nil || strings.HasPrefix(answer, "ok") {
				return err
			}
		}
	}
	if err := say([]byte("M302 P1")); err != nil {
		return 0, err
	}
	began, apart := time.Now(), time.Duration(0)
	lines := gcode.NewScanner(bytes.NewReader(text))
	var room []byte
	for lines.Scan() {
		l := lines.Line().Text
		if l[0] == '@' {
			continue
		}
		c := gcode.ParseCommand(l)
		before := time.Now()
		if c.Is('G', 28) || c.Is('G', 29) {
			if err := say([]byte("M400")); err != nil {
				return 0, err
			}
			before = time.Now()
		}
		room = append(room[:0], l...)
		if err := say(room); err != nil {
			return 0, fmt.Errorf("line %d: %w", lines.Line().Number, err)
		}
		if c.Is('G', 28) || c.Is('G', 29) {
			apart += time.Since(before)
		}
	}
	if err := lines.Err(); err != nil && err != io.EOF {
		return 0, err
	}
	if err := say([]byte("M400")); err != nil {
		return 0, err
	}
	return (time.Since(began) - apart).Seconds(), nil
}

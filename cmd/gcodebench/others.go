package main

import (
	"bytes"
	"context"
	"fmt"
	"os"

	"layerd/gcode"
)

// Machines accelerate otherwise than a file, or layerd for want of a word, believes: the firmware caps it, ignores M201, or was tuned. Here the pretend printer does so,
// and the file says nothing: its own M201 to M205 and the slicer's settings are blotted out, and the printer is told by hand.

// another is how a machine differs from what is believed of it.
type another struct {
	name        string
	accel, jerk float64 // times what is believed
}

func anothers() []another {
	return []another{{"half the acceleration", 0.5, 1}, {"a quarter of it", 0.25, 1}, {"double", 2, 1}, {"fourfold", 4, 1}, {"half the jerk", 1, 0.5}, {"double acceleration and jerk", 2, 2}}
}

// leftElsewhere is left on such machines, at the file's own speed and at another.
func (b *bench) leftElsewhere() error {
	fmt.Println("\n## Time left at a tenth of a print on a machine that accelerates otherwise than it is believed to")
	var t table
	t.add("file", "machine", "speed", "model off", "left s, shown", "left s, really", "off")
	var off offs
	for _, f := range b.named(printedFiles()...) {
		for _, machine := range anothers() {
			for _, speed := range []float64{100, 130} {
				var p printed
				var model float64
				if err := b.inFakeTime(func(ctx context.Context) (err error) {
					p, model, err = f.printOn(ctx, machine, speed)
					return err
				}); err != nil {
					return fmt.Errorf("%s: %w", f.name, err)
				}
				apart := p.left/p.really - 1
				off = append(off, apart)
				t.add(f.name, machine.name, whole(speed)+" %", percent(0.9*model/p.really-1), whole(p.left), whole(p.really), percent(apart))
			}
		}
	}
	t.print()
	off.judge("time left elsewhere", 0, leftGoal)
	return nil
}

// printOn prints a file on another machine than is believed. model is how long the whole takes by what is believed.
func (f file) printOn(ctx context.Context, machine another, speed float64) (p printed, model float64, err error) {
	own, err := f.surveyed()
	if err != nil {
		return p, 0, err
	}
	believed, real := own.Limits, own.Limits
	for i := range 3 {
		real.AccelMMS2[i] *= machine.accel
		real.JerkMMS[i] *= machine.jerk
	}
	real.PrintMMS2, real.TravelMMS2, real.DeviationMM = real.PrintMMS2*machine.accel, real.TravelMMS2*machine.accel, real.DeviationMM*machine.jerk*machine.jerk/machine.accel
	text, err := os.ReadFile(f.path)
	if err != nil {
		return p, 0, err
	}
	text = blotted(text)
	survey, err := gcode.SurveyWith(bytes.NewReader(text), believed)
	if err != nil {
		return p, 0, err
	}
	p, err = f.printAs(ctx, text, survey, settings(real), speed)
	return p, survey.TimeS, err
}

// blotted is a file that says nothing of limits.
func blotted(text []byte) []byte {
	for _, command := range []string{"\nM201 ", "\nM203 ", "\nM204 ", "\nM205 "} {
		text = bytes.ReplaceAll(text, []byte(command), []byte("\n;"+command[2:]))
	}
	return bytes.ReplaceAll(text, []byte("; machine_max_"), []byte("; machine-max-"))
}

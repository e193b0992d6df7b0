package main

import (
	"fmt"
	"os"

	"layerd/gcode"
)

// Goals for the time model: of the errors without signs.
const (
	medianGoal = 0.02
	worstGoal  = 0.05
)

// besideSlicers compares the time model with what each slicer says of its own file.
func (b *bench) besideSlicers() error {
	fmt.Println("\n## Time model beside the slicers' own estimates")
	var t table
	t.add("file", "slicer", "slicer s", "model s", "off", "heating and homing s", "limits by")
	var off offs
	for _, f := range b.files {
		s, err := f.surveyed()
		if err != nil {
			return err
		}
		said, apart := "–", "–"
		if s.SlicerTimeS > 0 {
			said, apart = whole(s.SlicerTimeS), percent(s.TimeS/s.SlicerTimeS-1)
			off = append(off, s.TimeS/s.SlicerTimeS-1)
		}
		t.add(f.name, s.Slicer, said, whole(s.TimeS), apart, whole(s.HeatS), s.Limits.By)
	}
	t.print()
	off.judge("time model beside slicers", medianGoal, worstGoal)
	return nil
}

func (f file) surveyed() (gcode.Survey, error) {
	in, err := os.Open(f.path)
	if err != nil {
		return gcode.Survey{}, err
	}
	defer in.Close()
	s, err := gcode.SurveyFile(in)
	if err != nil {
		return s, fmt.Errorf("survey %s: %w", f.name, err)
	}
	return s, nil
}

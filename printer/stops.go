package printer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"slices"
	"time"
)

// A print pauses by itself where a person has said so, always between two layers:
//
//	StopAt: a layer, a height, the end of this layer ─▶ place: the layer that it stands before ─▶ jobRun.stops, by layer
//	prepare: that layer's first line ─▶ its picture (shots.go), if one is wanted ─▶ stopHere ─▶ pauseFor, or change where the firmware changes filament itself
//
// The picture comes first, because it is of the layer that is finished. The line itself is sent when the print goes on.

// MaxStops is how many pauses may be set for a print at once.
const MaxStops = 32

// ErrStop is why a pause cannot be set, or taken back; it is wrapped with the reason, for people.
var ErrStop = errors.New("pause at a layer")

// StopAt says where a print is to pause: exactly one of Layer, ZMM and ThisLayer.
type StopAt struct {
	Layer     int     `json:"layer,omitempty"`      // from 1: before its first line, when those before it are done
	ZMM       float64 `json:"z_mm,omitempty"`       // before the first layer to come that reaches this height from below
	ThisLayer bool    `json:"this_layer,omitempty"` // at the end of the layer under way; before the first layer: of the first
	Change    bool    `json:"change,omitempty"`     // the filament is to be changed there
	Note      string  `json:"note,omitempty"`       // shown while it stands
}

// Stop is a pause that is set. Its layer names it: there is one at most before each.
type Stop struct {
	Layer   int     `json:"layer"` // from 1: it pauses before the first line of this layer
	ZMM     float64 `json:"z_mm"`  // of that layer; 0 unknown
	Change  bool    `json:"change"`
	Note    string  `json:"note"`
	Percent float64 `json:"percent"` // of the job that is done there, as in JobStatus
	Passed  bool    `json:"passed"`  // it has been made, or is being made
}

// place finds the layer that the pause stands before. begun is the newest layer whose lines were let through, as an index, -1 for none.
func (at StopAt) place(v *gcode.Survey, begun int) (Stop, error) {
	i, said := at.Layer-1, 0
	for _, given := range []bool{at.Layer != 0, at.ZMM != 0, at.ThisLayer} {
		if given {
			said++
		}
	}
	switch {
	case len(v.Layers) == 0:
		return Stop{}, fmt.Errorf("%w: layerd finds no layers in this file", ErrStop)
	case said != 1:
		return Stop{}, fmt.Errorf("%w: it takes a layer, a height or the end of this layer, and one of them only", ErrStop)
	case at.ThisLayer:
		if i = max(begun, 0) + 1; i >= len(v.Layers) {
			return Stop{}, fmt.Errorf("%w: this is the last layer", ErrStop)
		}
	case at.ZMM != 0:
		if i = reaches(v.Layers, begun, at.ZMM); i < 0 {
			return Stop{}, fmt.Errorf("%w: no layer to come reaches %g mm from below", ErrStop, at.ZMM)
		}
	case i < 0 || i >= len(v.Layers):
		return Stop{}, fmt.Errorf("%w: there is no layer %d, the last one is %d", ErrStop, at.Layer, len(v.Layers))
	case i <= begun:
		return Stop{}, fmt.Errorf("%w: layer %d has begun already", ErrStop, at.Layer)
	}
	return Stop{Layer: i + 1, ZMM: v.Layers[i].ZMM, Change: at.Change, Note: words(at.Note)}, nil
}

// reaches is the first layer after begun at z mm or above whose predecessor is below, -1 for none. Where objects are printed one after the other each of
// them reaches it.
func reaches(layers []gcode.Layer, begun int, z float64) int {
	const rounding = 0.0005 // of a height that was shown
	below, bottom := true, 0.0
	for i, l := range layers {
		if l.ZMM == 0 { // nothing is extruded in it
			continue
		}
		if bottom == 0 {
			bottom = l.ZMM
		}
		reached := l.ZMM >= z-rounding
		if i > begun && reached && (below || l.ZMM <= bottom+rounding) { // the bottom is where the next object begins
			return i
		}
		below = !reached
	}
	return -1
}

// placeAll places the pauses of a print that has not begun.
func placeAll(v *gcode.Survey, all []StopAt) (r jobRun, err error) {
	r.begun = -1
	for _, at := range all {
		if err := r.setStop(v, at); err != nil {
			return r, err
		}
	}
	return r, nil
}

// CheckStops says why a file cannot be started with these pauses; the error is ErrStop.
func CheckStops(v *gcode.Survey, all []StopAt) error {
	_, err := placeAll(v, all)
	return err
}

// setStop adds a pause, or changes the one before the same layer. What is in snapshots stays as it is.
func (r *jobRun) setStop(v *gcode.Survey, at StopAt) error {
	st, err := at.place(v, r.begun)
	if err != nil {
		return err
	}
	stops := slices.Clone(r.stops)
	i, there := r.stopBefore(st.Layer)
	switch {
	case there:
		stops[i] = st
	case len(stops) < MaxStops:
		stops = slices.Insert(stops, i, st)
	case r.passed(stops[0]): // its mark is worth less than the new one
		stops = slices.Insert(stops[1:], i-1, st)
	default:
		return fmt.Errorf("%w: %d are set, and no more are possible", ErrStop, MaxStops)
	}
	r.stops = stops
	return nil
}

func (r *jobRun) removeStop(layer int) error {
	i, there := r.stopBefore(layer)
	if !there || r.passed(r.stops[i]) {
		return fmt.Errorf("%w: none is set before layer %d", ErrStop, layer)
	}
	r.stops = slices.Delete(slices.Clone(r.stops), i, i+1)
	return nil
}

func (r *jobRun) stopBefore(layer int) (i int, there bool) {
	return slices.BinarySearchFunc(r.stops, layer, func(st Stop, layer int) int { return cmp.Compare(st.Layer, layer) })
}

func (r *jobRun) passed(st Stop) bool { return st.Layer <= r.begun+1 }

// shownStops are they all, as snapshots have them.
func (r *jobRun) shownStops(info *JobInfo) []Stop {
	out := make([]Stop, len(r.stops))
	for i, st := range r.stops {
		st.Percent, st.Passed = percent(doneAt(r.survey(info), info.Size, info.Survey.Layers[st.Layer-1].Offset)), r.passed(st)
		out[i] = st
	}
	return out
}

// stopHere pauses before the first line of a layer if that is wanted, and reports whether it did. Layers without a line of their own begin with the next.
func (s *session) stopHere(now time.Time, layer int) bool {
	r := &s.run
	if layer <= r.begun {
		return false
	}
	from, _ := r.stopBefore(r.begun + 2)
	r.begun = layer
	to, _ := r.stopBefore(layer + 2)
	if from == to {
		return false
	}
	why := PauseInfo{By: "stop", Layer: layer + 1}
	for _, st := range r.stops[from:to] {
		why.Filament = why.Filament || st.Change
		why.Message = cmp.Or(why.Message, st.Note)
	}
	if why.Filament && s.d.changes {
		s.change(now, jobLine{text: []byte("M600")}, why)
	} else {
		s.pauseFor(now, why, jobPos{})
	}
	return true
}

// SetStop has the job under way ("" for any) pause between two layers to come. A second one before the same layer takes the place of the first. The error
// is ErrStop where it cannot pause.
func (p *Printer) SetStop(ctx context.Context, job string, at StopAt) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error { return o.run.setStop(&o.job.info.Survey, at) },
		Starting, Printing, Pausing, Paused, Resuming)
}

// RemoveStop takes back the pause before a layer, from 1, of the job under way ("" for any). The error is ErrStop where none is to come.
func (p *Printer) RemoveStop(ctx context.Context, job string, layer int) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error { return o.run.removeStop(layer) },
		Starting, Printing, Pausing, Paused, Resuming)
}

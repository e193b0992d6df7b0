package gcode

import (
	"bytes"
	"cmp"
	"math"
	"slices"
)

// layers finds where layers begin: at the slicer's marks when it leaves any, else where extrusion takes up a new height.
type layers struct {
	marked  []Layer
	kind    mark
	pending bool // the last mark has had no extrusion yet

	byZ   []Layer
	z     float64 // of the layer under way
	stepZ float64 // how far the last one rose
}

// mark is a way in which slicers mark layers, the more trustworthy the greater. A file may have several at once.
type mark uint8

const (
	noMark          mark = iota
	layerWord            // "layer 12, Z = 2.4"   Simplify3D
	afterChange          // "AFTER_LAYER_CHANGE"
	beginObject          // "BEGIN_LAYER_OBJECT z=0.2"   KISSlicer
	beforeChange         // "BEFORE_LAYER_CHANGE"
	layerNumber          // "LAYER:12"   Cura, ideaMaker
	changeLayer          // "CHANGE_LAYER"   Bambu Studio
	layerChangeMark      // "LAYER_CHANGE"   PrusaSlicer, SuperSlicer, OrcaSlicer
)

// layerMark tells whether a comment (trimmed) marks the beginning of a layer.
func layerMark(c []byte) mark {
	switch c[0] {
	case 'L', 'l':
		if string(c) == "LAYER_CHANGE" {
			return layerChangeMark
		}
		if rest, ok := bytes.CutPrefix(c, []byte("LAYER:")); ok {
			if _, n := parseInt(trimSpaces(rest)); n > 0 {
				return layerNumber
			}
		}
		if rest, ok := bytes.CutPrefix(c, []byte("layer ")); ok {
			_, n := parseInt(rest)
			if n > 0 && (n == len(rest) || rest[n] == ',' || rest[n] == ':') {
				return layerWord
			}
		}
	case 'C':
		if string(c) == "CHANGE_LAYER" {
			return changeLayer
		}
	case 'B':
		if isWord(c, "BEFORE_LAYER_CHANGE") {
			return beforeChange
		}
		if isWord(c, "BEGIN_LAYER_OBJECT") {
			return beginObject
		}
	case 'A':
		if isWord(c, "AFTER_LAYER_CHANGE") {
			return afterChange
		}
	}
	return noMark
}

// isWord reports whether c is the word, alone or before a space: people put the layer's number behind it.
func isWord(c []byte, w string) bool {
	return len(c) >= len(w) && string(c[:len(w)]) == w && (len(c) == len(w) || isSpace(c[len(w)]))
}

// counts tells whether a slicer's mark is one to take. One kind counts in a file: the first seen, unless a more trustworthy one turns up before it has
// come twice.
func (l *layers) counts(kind mark) bool {
	if kind > l.kind && len(l.marked) <= 1 {
		l.kind, l.marked = kind, l.marked[:0]
	}
	return kind == l.kind && len(l.marked) < MaxLayers
}

// mark takes a mark that counts.
func (l *layers) mark(at Layer) {
	l.byZ = nil
	l.marked = append(l.marked, at)
	l.pending = true
}

// extrude takes an extruding move that has not been planned yet.
func (l *layers) extrude(m *moved, line Line, plan *planner) {
	if l.kind != noMark {
		if l.pending {
			l.pending = false
			l.marked[len(l.marked)-1].ZMM = m.toZ
		}
		return
	}
	rise := m.toZ - l.z
	if len(l.byZ) == 0 {
		// The height of a purge line or of the first layer says little about the next, so it is bounded.
		l.stepZ = min(max(m.toZ, leastStep), mostFirstStep)
	} else {
		if rise <= sameZ && rise >= -sameZ {
			return
		}
		// What rises while it extrudes, as a spiral does, begins a layer when it is a layer's height up. It never does by sinking.
		if m.sloped && rise < l.stepZ-spiralSlack {
			return
		}
		if !m.sloped && rise > 0 {
			l.stepZ = min(rise, mostStep)
		}
	}
	l.z = m.toZ
	if len(l.byZ) < MaxLayers {
		at, cruise := plan.soFar()
		l.byZ = append(l.byZ, Layer{Offset: line.Offset, Line: line.Number, ZMM: m.toZ, ElapsedS: at, CruiseS: cruise})
	}
}

// Heights in mm.
const (
	sameZ         = 0.02 // layers are thicker
	leastStep     = 0.05
	mostFirstStep = 0.3
	mostStep      = 1.5
	spiralSlack   = 0.001 // files round to this
)

// count is how many have begun.
func (l *layers) count() int {
	if l.kind != noMark {
		return len(l.marked)
	}
	return len(l.byZ)
}

// list returns what was found, never nil.
func (l *layers) list() []Layer {
	if l.kind != noMark {
		return l.marked
	}
	if l.byZ == nil {
		return []Layer{}
	}
	return l.byZ
}

// usualStep is the median height of a layer in mm, 0 when there are too few to say.
func usualStep(layers []Layer) float64 {
	var steps []float64
	for i := 1; i < len(layers); i++ {
		if d := layers[i].ZMM - layers[i-1].ZMM; layers[i-1].ZMM > 0 && d > sameZ {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.SortFunc(steps, cmp.Compare[float64])
	return math.Round(steps[len(steps)/2]*1000) / 1000
}

package gcode

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
)

// What flows here: a file from the beginning of some layer → motion (motion.go) → the layers that are wanted, as they are drawn (toolpath_write.go).
// What a line means depends on all lines before it, so how each layer begins is kept as it is passed: the next look at it begins there.

// Toolpath gives out the layers of one file as they are drawn. Its memory grows by some 100 bytes a layer. It may be used by several goroutines.
type Toolpath struct {
	layers []Layer // the first begins with the file
	bytes  int64
	lines  int64
	extent Box
	height float64 // mm of a usual layer

	mu     sync.Mutex
	starts []pathStart // how each layer begins, as far as somebody has read the file
}

// pathStart is all that a line's meaning takes from those before it.
type pathStart struct {
	at                     [4]float64
	moved                  [3]float64 // what to add to at for the place where the head really is, since G92 gave it another name
	known                  [3]bool
	inch, relative, pushes bool
	upright                bool
	feed, factor           float64
	feature                Feature
}

// NewToolpath needs what SurveyFile found in the file. What comes before the first layer belongs to it; a file without layers is one.
func NewToolpath(s *Survey) *Toolpath {
	t := &Toolpath{layers: slices.Clone(s.Layers), bytes: s.Bytes, lines: s.Lines, height: s.LayerHeightMM}
	if len(t.layers) == 0 {
		t.layers = []Layer{{}}
	}
	t.layers[0].Offset, t.layers[0].Line = 0, 1
	if s.Extent != nil {
		t.extent = *s.Extent
	}
	var m motion
	m.reset()
	t.starts = []pathStart{startOf(&m)}
	return t
}

// Layers is how many there are, at least one.
func (t *Toolpath) Layers() int { return len(t.layers) }

// AppendLayers appends the layers from, from+step, … below to, in the form of docs/PROTOCOL.md, until they are limit bytes or more; next is where
// to go on, to when nothing is left. It fails when there is no such layer. open reads the file from an offset; its errors are returned as they are, with what a line of the
// file makes impossible. It reads from the nearest layer before that anybody has read, so the first look at the last layer reads the whole file.
func (t *Toolpath) AppendLayers(dst []byte, open func(offset int64) io.Reader, from, to, step, limit int) (out []byte, next int, err error) {
	to = min(to, len(t.layers))
	if from < 0 || step < 1 || from >= to {
		return nil, 0, errNoLayers
	}
	dst = append(dst, ToolpathVersion, 'L')
	w := &pathWalk{path: t, dst: dst, next: from, to: to, step: step, limit: len(dst) + min(limit, math.MaxInt-len(dst))}
	w.begin(open)
	for !w.done && w.scan.Scan() && !w.done {
		w.command(w.scan.Line())
	}
	if !w.done {
		if err := w.scan.Err(); err != nil {
			return nil, 0, err
		}
		w.enter(len(t.layers))
	}
	return binary.AppendUvarint(append(w.dst, 0), uint64(w.next)), w.next, nil
}

var errNoLayers = errors.New("there are no such layers")

// pathWalk is one way through a part of the file.
type pathWalk struct {
	path    *Toolpath
	scan    *Scanner
	motion  motion
	moved   [3]float64
	feature Feature
	words   words
	layer   int // under way

	pen   pathPen // draws the layer under way, when drawing
	draws bool
	dst   []byte
	next  int // the next layer that is wanted
	to    int
	step  int
	limit int // bytes of dst
	done  bool
}

func (w *pathWalk) begin(open func(offset int64) io.Reader) {
	t := w.path
	t.mu.Lock()
	at := min(w.next, len(t.starts)-1)
	start := t.starts[at]
	t.mu.Unlock()
	w.motion.reset()
	w.motion.at, w.motion.known, w.motion.feed, w.motion.factor = start.at, start.known, start.feed, start.factor
	w.motion.inch, w.motion.relative, w.motion.pushes, w.motion.upright = start.inch, start.relative, start.pushes, start.upright
	w.moved, w.feature = start.moved, start.feature
	first := t.layers[at]
	w.scan = NewScanner(open(first.Offset))
	w.scan.base, w.scan.number = first.Offset, first.Line-1
	w.scan.OnComment(w.comment)
	w.enter(at)
}

func startOf(m *motion) pathStart {
	return pathStart{at: m.at, known: m.known, inch: m.inch, relative: m.relative, pushes: m.pushes, upright: m.upright, feed: m.feed, factor: m.factor}
}

// place is where the head is, in mm.
func (w *pathWalk) place() [3]float64 {
	return [3]float64{w.motion.at[0] + w.moved[0], w.motion.at[1] + w.moved[1], w.motion.at[2] + w.moved[2]}
}

// enter ends the layer under way, and begins another, or none behind the last.
func (w *pathWalk) enter(layer int) {
	if w.draws {
		w.dst, w.draws = w.pen.appendLayer(w.dst), false
		w.next = min(w.next+w.step, w.to)
		w.done = len(w.dst) >= w.limit
	}
	w.layer = layer
	if layer == len(w.path.layers) {
		w.done = true
		return
	}
	start := startOf(&w.motion)
	start.moved, start.feature = w.moved, w.feature
	w.path.keep(layer, start)
	if w.next >= w.to {
		w.done = true
	}
	if layer == w.next && !w.done {
		w.draws = true
		w.pen.begin(layer, w.path.layers[layer].Line, w.place())
	}
}

func (t *Toolpath) keep(layer int, s pathStart) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if layer == len(t.starts) {
		t.starts = append(t.starts, s)
	}
}

// reach enters the layers that begin up to an offset.
func (w *pathWalk) reach(offset int64) {
	for !w.done && w.layer+1 < len(w.path.layers) && offset >= w.path.layers[w.layer+1].Offset {
		w.enter(w.layer + 1)
	}
}

func (w *pathWalk) comment(c []byte, _, offset int64) {
	w.reach(offset)
	if c = trimSpaces(c); len(c) == 0 || w.done {
		return
	}
	if f, ok := featureOf(c); ok {
		w.feature = drawnAs[f]
	}
}

func (w *pathWalk) command(line Line) {
	w.reach(line.Offset)
	if w.done || line.Text[0] == '@' {
		return
	}
	switch c := ParseCommand(line.Text); c.Letter {
	case 'G':
		switch c.Number {
		case 0, 1, 2, 3:
			w.words.read(c.Args)
			from := w.place()
			m := w.motion.move(c.Number, &w.words)
			if w.draws {
				w.draw(from, m, line.Number)
			}
		case 17, 18, 19, 20, 21, 28, 90, 91, 92:
			w.words.read(c.Args)
			before := w.motion.at
			w.motion.other(c, &w.words)
			w.put(before, c.Number, line.Number)
		}
	case 'M':
		switch c.Number {
		case 82, 83, 220:
			w.words.read(c.Args)
			w.motion.other(c, &w.words)
		}
	}
}

// put looks whether the head is elsewhere now. Homing takes it to the end of its axes, and their names are the true ones again (Marlin: set_axis_is_at_home).
func (w *pathWalk) put(before [4]float64, g int, line int64) {
	for i := range w.moved {
		if g == 92 {
			w.moved[i] = min(max(w.moved[i]+before[i]-w.motion.at[i], -maxCoordinate), maxCoordinate)
		} else if !w.motion.known[i] {
			w.moved[i] = 0
		}
	}
	if w.draws {
		w.pen.to(w.place(), uint8(FeatureOther), w.pen.run.speed, line)
	}
}

// draw draws a move; a curve in pieces that are as near to it as can be seen.
func (w *pathWalk) draw(from [3]float64, m *moved, line int64) {
	kind := uint8(w.feature)
	if m.extrudes {
		kind |= pathExtrudes
	}
	speed := uint32(math.Round(min(m.speed, maxPathSpeed)))
	if c := &m.curve; c.length > 0 {
		n := arcPieces(c)
		cx, cy := from[0]-c.radius*math.Cos(c.begin), from[1]-c.radius*math.Sin(c.begin)
		for i := 1; i < n; i++ {
			part := float64(i) / float64(n)
			angle := c.begin + c.sweep*part
			w.pen.to([3]float64{cx + c.radius*math.Cos(angle), cy + c.radius*math.Sin(angle), from[2] + m.by[2]*part}, kind, speed, line)
		}
	}
	w.pen.to(w.place(), kind, speed, line)
}

// arcPieces is in how many straight pieces a curve is drawn, so that none is further from it than arcSag.
func arcPieces(c *arc) int {
	if c.radius <= arcSag {
		return 1
	}
	turn := 2 * math.Acos(1-arcSag/c.radius)
	return int(min(max(math.Ceil(math.Abs(c.sweep)/turn), 1), maxArcPieces))
}

const (
	arcSag       = 0.02 // mm
	maxPathSpeed = 1e6  // mm/s
)

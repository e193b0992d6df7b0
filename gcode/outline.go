package gcode

import (
	"errors"
	"io"
	"math"
	"slices"
)

// What flows here: a file from the beginning of some layer → motion (motion.go) → loops that the slicer calls outer walls → the outlines of a layer.
// As in toolpath.go a line means what those before it make of it; so a file is read in order, with pauses of any length, and how the next layer begins is kept.

// Wall is an outer wall of a layer, closed: its last point is near its first.
type Wall struct {
	Object int // whose it is, from 0 as in the survey; -1 none
	ZMM    float64
	Points [][2]float64 // mm, true places on the bed; at least three
}

// Outlines reads the outer walls of a file's layers, one after the other. It is not for several goroutines. Between readings it keeps some bytes for each layer, and nothing of what it has read.
type Outlines struct {
	offsets []int64 // where layers begin, the first with the file
	next    int     // the layer that is read next
	start   wallState
	objects ObjectMarks
}

// wallState is what a layer takes from those before it.
type wallState struct {
	motion  motion
	moved   [3]float64
	feature int
	object  int
}

// ErrNoWalls: the file does not say which of its lines are outer walls.
var ErrNoWalls = errors.New("the file does not say which lines are outer walls")

// NewOutlines needs what SurveyFile found in the file. It fails with ErrNoWalls for a file without layers or without the slicer's word for outer walls.
func NewOutlines(s *Survey) (*Outlines, error) {
	if len(s.Layers) == 0 || !slices.ContainsFunc(s.Features, func(f Spent) bool { return f.Name == featureName(outerWall) }) {
		return nil, ErrNoWalls
	}
	o := &Outlines{offsets: make([]int64, len(s.Layers)), objects: FollowObjects(s.ObjectsBy)}
	for i, l := range s.Layers[1:] {
		o.offsets[i+1] = l.Offset
	}
	o.start.motion.reset()
	return o, nil
}

// Next is the layer that is read next, from 1, and the byte where it begins.
func (o *Outlines) Next() (layer int, offset int64) {
	if o.next == len(o.offsets) {
		return o.next + 1, 0
	}
	return o.next + 1, o.offsets[o.next]
}

// Limits of what one layer may take, and how its curves are simplified.
const (
	maxWallPoints = 2000 // of a layer; where there are more all are made coarser
	wallStep      = 0.3  // mm between points, at least; an edge in a picture is not known better
	wallSag       = 0.1  // mm that a curve may be off
	seamMM        = 2.0  // between the ends of a loop: slicers leave a gap, and end early for what still oozes
)

// Read reads on from r, which begins where Next says, and gives each layer's walls to each, up to layer upTo. It ends sooner when it has read some most bytes, at the end of a layer. The error is r's, or
// that of a line that cannot be; what was read before stays read.
func (o *Outlines) Read(r io.Reader, upTo int, most int64, each func(layer int, walls []Wall)) error {
	if o.next >= min(upTo, len(o.offsets)) {
		return nil
	}
	w := &wallReader{o: o, wallState: o.start, upTo: min(upTo, len(o.offsets)), until: o.offsets[o.next] + most, each: each}
	o.objects.now = o.start.object
	w.scan = NewScanner(r)
	w.scan.base = o.offsets[o.next]
	w.scan.OnComment(w.comment)
	for !w.done && w.scan.Scan() {
		w.command(w.scan.Line())
	}
	if w.done {
		return nil
	}
	if err := w.scan.Err(); err != nil {
		return err
	}
	w.leave(w.scan.base + int64(w.scan.pos))
	return nil
}

// wallReader is one reading.
type wallReader struct {
	o    *Outlines
	scan *Scanner
	wallState
	words words
	upTo  int
	until int64
	each  func(layer int, walls []Wall)
	done  bool

	walls  []Wall // of the layer under way
	points int
	step   float64 // between points
	run    Wall    // the loop under way
	begin  [2]float64
	last   [2]float64
	outer  bool // some of it is said to be outer wall
}

// leave ends the layer under way at an offset.
func (w *wallReader) leave(offset int64) {
	w.end()
	w.o.next++
	w.o.start = w.wallState
	w.o.start.object = w.o.objects.now
	w.each(w.o.next, w.walls)
	w.walls, w.points, w.step = nil, 0, 0
	w.done = w.o.next >= w.upTo || offset >= w.until
}

// reach leaves the layers that end at or before an offset.
func (w *wallReader) reach(offset int64) {
	for !w.done && w.o.next+1 < len(w.o.offsets) && offset >= w.o.offsets[w.o.next+1] {
		w.leave(offset)
	}
}

func (w *wallReader) comment(c []byte, number, offset int64) {
	if w.reach(offset); w.done {
		return
	}
	if w.o.objects.Comment(c, number, offset) {
		w.end()
		return
	}
	if c = trimSpaces(c); len(c) == 0 {
		return
	}
	if f, ok := featureOf(c); ok {
		if w.feature = f; !isWall(f) {
			w.end()
		}
	}
}

// isWall: where an outer wall hangs over, slicers call it so and not by its name, as they do with inner ones.
func isWall(feature int) bool { return feature == outerWall || feature == overhangWall }

func (w *wallReader) command(line Line) {
	if w.reach(line.Offset); w.done || line.Text[0] == '@' {
		return
	}
	c := ParseCommand(line.Text)
	switch c.Letter {
	case 'G':
		switch c.Number {
		case 0, 1, 2, 3:
			w.words.read(c.Args)
			from := w.place()
			w.move(from, w.motion.move(c.Number, &w.words))
		case 17, 18, 19, 20, 21, 28, 90, 91, 92:
			w.words.read(c.Args)
			before := w.motion.at
			w.motion.other(c, &w.words)
			w.put(before, c.Number)
		}
	case 'M':
		switch c.Number {
		case 82, 83, 200:
			w.words.read(c.Args)
			w.motion.other(c, &w.words)
		}
	}
	if w.o.objects.Command(c, line.Number, line.Offset) {
		w.end()
	}
}

func (w *wallReader) place() [3]float64 {
	return [3]float64{w.motion.at[0] + w.moved[0], w.motion.at[1] + w.moved[1], w.motion.at[2] + w.moved[2]}
}

// put looks whether places have other names now, as pathWalk.put does.
func (w *wallReader) put(before [4]float64, g int) {
	for i := range w.moved {
		if g == 92 {
			w.moved[i] = min(max(w.moved[i]+before[i]-w.motion.at[i], -maxCoordinate), maxCoordinate)
		} else if !w.motion.known[i] {
			w.moved[i] = 0
		}
	}
}

// move draws a wall on, or ends it: a loop ends where the head goes on without pushing.
func (w *wallReader) move(from [3]float64, m *moved) {
	if m.by[0] == 0 && m.by[1] == 0 && m.curve.length == 0 {
		return
	}
	if !m.extrudes || !isWall(w.feature) {
		w.end()
		return
	}
	w.outer = w.outer || w.feature == outerWall
	if len(w.run.Points) == 0 {
		w.run.Object, w.begin = w.o.objects.Current()-1, [2]float64{from[0], from[1]}
		w.run.Points = append(w.run.Points, w.begin)
	}
	to := w.place()
	if c := &m.curve; c.length > 0 && c.radius > wallSag {
		n := int(min(max(math.Ceil(math.Abs(c.sweep)/(2*math.Acos(1-wallSag/c.radius))), 1), maxArcPieces))
		cx, cy := from[0]-c.radius*math.Cos(c.begin), from[1]-c.radius*math.Sin(c.begin)
		for i := 1; i < n; i++ {
			angle := c.begin + c.sweep*float64(i)/float64(n)
			w.to(cx+c.radius*math.Cos(angle), cy+c.radius*math.Sin(angle))
		}
	}
	w.to(to[0], to[1])
	w.run.ZMM, w.last = to[2], [2]float64{to[0], to[1]}
}

func (w *wallReader) to(x, y float64) {
	w.run.Points = append(w.run.Points, [2]float64{x, y})
	if w.points+len(w.run.Points) > 4*maxWallPoints {
		w.coarser()
	}
}

// end takes the loop under way, if it is one.
func (w *wallReader) end() {
	run, outer := w.run, w.outer
	w.run, w.outer = Wall{}, false
	if !outer || math.Hypot(w.last[0]-w.begin[0], w.last[1]-w.begin[1]) > seamMM {
		return
	}
	if run.Points = spaced(run.Points, max(w.step, wallStep)); len(run.Points) < 3 {
		return
	}
	w.walls, w.points = append(w.walls, run), w.points+len(run.Points)
	for w.points > maxWallPoints {
		w.coarser()
	}
}

// coarser leaves out points of all walls, so that a layer of any size fits.
func (w *wallReader) coarser() {
	w.step = 2 * max(w.step, wallStep)
	w.run.Points = spaced(w.run.Points, w.step)
	kept := w.walls[:0]
	w.points = 0
	for _, one := range w.walls {
		if one.Points = spaced(one.Points, w.step); len(one.Points) >= 3 {
			kept, w.points = append(kept, one), w.points+len(one.Points)
		}
	}
	w.walls = kept
}

// spaced keeps those points that are so far from the one before that was kept. The slice is used again.
func spaced(points [][2]float64, mm float64) [][2]float64 {
	kept := points[:min(len(points), 1)]
	for _, p := range points[len(kept):] {
		if last := kept[len(kept)-1]; math.Hypot(p[0]-last[0], p[1]-last[1]) >= mm {
			kept = append(kept, p)
		}
	}
	return kept
}

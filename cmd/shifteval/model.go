package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"layerd/gcode"
)

// What flows here: a slicer's file ─▶ layers of paths, as far as they can be seen.

// point is a place on the bed, mm.
type point struct{ x, y float64 }

// path is one line of plastic. outer: it is of an outer wall, which is what is seen of a layer that has others above it.
type path struct {
	outer  bool
	points []point
}

// layer is what is printed at one height.
type layer struct {
	top    float64 // mm
	height float64
	paths  []path
}

// readModel reads a file of a slicer, gzipped or not.
func readModel(name string) ([]layer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
	}
	layers, err := layersOf(r)
	if err == nil && len(layers) < 3 {
		err = fmt.Errorf("it has %d layers", len(layers))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return layers, nil
}

// follower follows a file's moves.
type follower struct {
	at       [4]float64 // X, Y, Z, E
	relE     bool
	relXYZ   bool
	outer    bool
	typed    bool // the file says what its lines are
	layers   []layer
	extrudes bool // the move before did
}

// leastLayer is how much higher a move must be to be of another layer: a spiral vase rises all the time.
const leastLayer = 0.15

func layersOf(r io.Reader) ([]layer, error) {
	var w follower
	scan := gcode.NewScanner(r)
	scan.OnComment(func(comment []byte, _, _ int64) {
		if kind, ok := bytes.CutPrefix(comment, []byte("TYPE:")); ok {
			kind := strings.ToLower(string(kind))
			w.typed, w.outer = true, strings.Contains(kind, "outer") || strings.Contains(kind, "external") || strings.Contains(kind, "overhang")
			w.extrudes = false
		}
	})
	for scan.Scan() {
		c := gcode.ParseCommand(scan.Line().Text)
		switch {
		case c.Is('G', 0), c.Is('G', 1):
			w.move(c, nil)
		case c.Is('G', 2), c.Is('G', 3):
			w.move(c, w.arc(c))
		case c.Is('G', 90), c.Is('G', 91):
			w.relXYZ, w.relE = c.Number == 91, c.Number == 91
		case c.Is('M', 82), c.Is('M', 83):
			w.relE = c.Number == 83
		case c.Is('G', 92):
			if e, ok := c.Float('E'); ok {
				w.at[3] = e
			}
		}
	}
	if !w.typed {
		for i := range w.layers {
			for j := range w.layers[i].paths {
				w.layers[i].paths[j].outer = true
			}
		}
	}
	return w.layers, scan.Err()
}

func (w *follower) target(c gcode.Command) (to [4]float64) {
	to = w.at
	for i, letter := range []byte("XYZE") {
		v, ok := c.Float(letter)
		switch {
		case !ok:
		case i == 3 && w.relE, i < 3 && w.relXYZ:
			to[i] += v
		default:
			to[i] = v
		}
	}
	return to
}

// arc is the points between the ends of a G2 or G3 with a centre.
func (w *follower) arc(c gcode.Command) (list []point) {
	i, okI := c.Float('I')
	j, okJ := c.Float('J')
	if !okI && !okJ {
		return nil
	}
	to := w.target(c)
	cx, cy := w.at[0]+i, w.at[1]+j
	from, end := math.Atan2(-j, -i), math.Atan2(to[1]-cy, to[0]-cx)
	turn := end - from
	switch {
	case c.Number == 2 && turn >= 0:
		turn -= 2 * math.Pi
	case c.Number == 3 && turn <= 0:
		turn += 2 * math.Pi
	}
	n := int(math.Abs(turn)/0.2) + 1
	for k := 1; k < n; k++ {
		a := from + turn*float64(k)/float64(n)
		list = append(list, point{cx + math.Hypot(i, j)*math.Cos(a), cy + math.Hypot(i, j)*math.Sin(a)})
	}
	return list
}

func (w *follower) move(c gcode.Command, between []point) {
	from, to := w.at, w.target(c)
	w.at = to
	if to[3] <= from[3] || to[0] == from[0] && to[1] == from[1] && between == nil {
		w.extrudes = false
		return
	}
	n := len(w.layers)
	if n == 0 || math.Abs(to[2]-w.layers[n-1].top) > leastLayer {
		below := 0.0
		if n > 0 {
			below = w.layers[n-1].top
		}
		if to[2] < below { // another object, or the next of a sequence: not for these scenes
			return
		}
		w.layers = append(w.layers, layer{top: to[2], height: min(to[2]-below, 0.4)})
		w.extrudes = false
	}
	l := &w.layers[len(w.layers)-1]
	if !w.extrudes {
		l.paths = append(l.paths, path{outer: w.outer, points: []point{{from[0], from[1]}}})
	}
	p := &l.paths[len(l.paths)-1]
	p.points = append(append(p.points, between...), point{to[0], to[1]})
	w.extrudes = true
}

// middle is the middle of what is printed, and half its size.
func middle(layers []layer) (at point, half point) {
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, l := range layers[1:] { // the first has the line with which the nozzle is primed
		for _, p := range l.paths {
			for _, q := range p.points {
				lo, hi = point{min(lo.x, q.x), min(lo.y, q.y)}, point{max(hi.x, q.x), max(hi.y, q.y)}
			}
		}
	}
	return point{(lo.x + hi.x) / 2, (lo.y + hi.y) / 2}, point{(hi.x - lo.x) / 2, (hi.y - lo.y) / 2}
}

// thinned leaves out points that lie within so many mm of the line between those that stay.
func thinned(points []point, mm float64) []point {
	if len(points) < 3 {
		return points
	}
	a, b := points[0], points[len(points)-1]
	far, at := 0.0, 0
	length := math.Hypot(b.x-a.x, b.y-a.y)
	for i, p := range points[1 : len(points)-1] {
		d := math.Hypot(p.x-a.x, p.y-a.y)
		if length > 1e-6 {
			d = math.Abs((b.x-a.x)*(p.y-a.y)-(b.y-a.y)*(p.x-a.x)) / length
		}
		if d > far {
			far, at = d, i+1
		}
	}
	if far <= mm {
		return []point{a, b}
	}
	return append(thinned(points[:at+1], mm), thinned(points[at:], mm)[1:]...)
}

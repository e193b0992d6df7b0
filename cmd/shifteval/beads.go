package main

import "math"

// What flows here: printed layers ─▶ lines of plastic, and for POV-Ray a mesh of six-sided bars. Of layers under others only the outer walls are drawn, and where a layer is
// less than a pixel high several are one, but never over the place where a shift begins.

const (
	lineWidth = 0.45 // mm
	thinBy    = 0.12 // mm by which paths may be simplified; less than half a pixel
	single    = 6    // newest layers, each drawn as itself
	merged    = 3    // of the others so many are one in POV-Ray
	leastHigh = 0.3  // mm that a line reaches down in Blender, where each is drawn: one turn of a spiral vase is read as several layers
)

// mesh is vertices and the triangles between them.
type mesh struct {
	vertices [][3]float64
	faces    [][3]int
}

// bar adds one straight line from a to b, z being its middle.
func (m *mesh) bar(a, b point, z, height float64) {
	length := math.Hypot(b.x-a.x, b.y-a.y)
	if length < 1e-6 {
		return
	}
	nx, ny := -(b.y-a.y)/length, (b.x-a.x)/length
	n := len(m.vertices)
	section := [6][2]float64{{-lineWidth / 4, -height / 2}, {-lineWidth / 2, 0}, {-lineWidth / 4, height / 2}, {lineWidth / 4, height / 2}, {lineWidth / 2, 0}, {lineWidth / 4, -height / 2}}
	for _, end := range [2]point{a, b} {
		for _, s := range section {
			m.vertices = append(m.vertices, [3]float64{end.x + nx*s[0], end.y + ny*s[0], z + s[1]})
		}
	}
	for k := range 5 { // from below nothing is seen
		m.faces = append(m.faces, [3]int{n + k, n + k + 1, n + 6 + k}, [3]int{n + k + 1, n + 7 + k, n + 6 + k})
	}
}

// bead is one line of plastic.
type bead struct {
	Bottom, Top float64
	Points      []point
}

// beads are those of a layer that are seen.
func (l *layer) beads(by point, bottom float64, all bool) (list []bead) {
	for _, p := range l.paths {
		if !p.outer && !all {
			continue
		}
		b := bead{Bottom: bottom, Top: l.top}
		for _, q := range thinned(p.points, thinBy) {
			b.Points = append(b.Points, point{q.x + by.x, q.y + by.y})
		}
		list = append(list, b)
	}
	return list
}

// print draws what is printed, where it is on the bed.
func (w *stage) print(layers []layer, st state) {
	swap := len(layers) + 1
	if w.s.Swaps {
		swap = len(layers) / 2
	}
	var below, above []bead
	bottom := 0.0
	for i := 0; i < st.printed; {
		last := i
		if w.s.Drawn == byPOV && i+merged <= st.printed-single {
			last = i + merged - 1
		}
		for _, edge := range []int{st.from, swap} {
			if i < edge && last >= edge {
				last = edge - 1
			}
		}
		list, by := &below, point{}
		if i >= swap {
			list = &above
		}
		if st.lost != [2]float64{} && i >= st.from {
			by = point{st.lost[0], st.lost[1]}
		}
		if w.s.Drawn == byBlender {
			bottom = max(min(bottom, layers[last].top-leastHigh), 0)
		}
		*list = append(*list, layers[last].beads(by, bottom, last >= st.printed-2)...)
		bottom = layers[last].top
		i = last + 1
	}
	p := material{"plastic", w.s.Plastic.Grey, w.s.Plastic.Gloss}
	w.add(thing{Kind: "beads", Of: p, Beads: below})
	p.Grey = 0.95 - p.Grey
	w.add(thing{Kind: "beads", Of: p, Beads: above})
}

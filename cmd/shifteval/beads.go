package main

import (
	"fmt"
	"math"
)

// What flows here: printed layers ─▶ a mesh. A line of plastic is a six-sided bar. Of layers under others only the outer walls are drawn, and where a layer is less than
// a pixel high several are one, but never over the place where a shift begins.

const (
	lineWidth = 0.45 // mm
	thinBy    = 0.12 // mm by which paths may be simplified; less than half a pixel
	single    = 6    // newest layers, each drawn as itself
	merged    = 3    // of the others so many are one
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

func (m *mesh) layer(l *layer, by point, bottom float64, all bool) {
	for _, p := range l.paths {
		if !p.outer && !all {
			continue
		}
		points := thinned(p.points, thinBy)
		for i := range points[1:] {
			a, b := points[i], points[i+1]
			m.bar(point{a.x + by.x, a.y + by.y}, point{b.x + by.x, b.y + by.y}, (bottom+l.top)/2, l.top-bottom)
		}
	}
}

// print draws what is printed, where it is on the bed.
func (w *writer) print(layers []layer, st state) {
	swap := len(layers) + 1
	if w.s.Swaps {
		swap = len(layers) / 2
	}
	below, above := &mesh{}, &mesh{}
	bottom := 0.0
	for i := 0; i < st.printed; {
		last := i
		if i+merged <= st.printed-single {
			last = i + merged - 1
		}
		for _, edge := range []int{st.from, swap} {
			if i < edge && last >= edge {
				last = edge - 1
			}
		}
		m, by := below, point{}
		if i >= swap {
			m = above
		}
		if st.lost != [2]float64{} && i >= st.from {
			by = point{st.lost[0], st.lost[1]}
		}
		m.layer(&layers[last], by, bottom, last >= st.printed-2)
		bottom = layers[last].top
		i = last + 1
	}
	p := w.s.Plastic
	w.mesh(below, p)
	p.Grey = 0.95 - p.Grey
	w.mesh(above, p)
}

func (w *writer) mesh(m *mesh, p plastic) {
	if len(m.faces) == 0 {
		return
	}
	b := make([]byte, 0, 40*len(m.vertices))
	b = fmt.Appendf(b, "mesh2 { vertex_vectors { %d", len(m.vertices))
	for _, v := range m.vertices {
		b = fmt.Appendf(b, ",<%.2f,%.2f,%.2f>", v[0], v[1], v[2])
	}
	b = fmt.Appendf(b, " } face_indices { %d", len(m.faces))
	for _, f := range m.faces {
		b = fmt.Appendf(b, ",<%d,%d,%d>", f[0], f[1], f[2])
	}
	w.f("%s } pigment { rgb %.3f } finish { ambient 0.1 diffuse 0.7 specular %.2f roughness 0.02 } }", b, p.Grey, p.Gloss)
}

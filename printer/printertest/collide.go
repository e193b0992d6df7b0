package printertest

import (
	"fmt"
	"math"
)

// Head is what must not touch what was printed: the tip of the nozzle, and a box that begins somewhat higher. The zero value is the tip alone.
type Head struct {
	WidthMM, DepthMM float64 // of the box in X and Y, around the nozzle
	ClearMM          float64 // it begins so high above the tip
}

// ParseHead reads the form WIDTHxDEPTHxCLEAR, in mm, such as 60x40x8.
func ParseHead(spec string) (h Head, err error) {
	var rest string
	if n, err := fmt.Sscanf(spec+"\n", "%gx%gx%g%s", &h.WidthMM, &h.DepthMM, &h.ClearMM, &rest); n != 3 || err == nil {
		return Head{}, fmt.Errorf("head %q: want WIDTHxDEPTHxCLEAR in mm, such as 60x40x8", spec)
	}
	return h, h.check()
}

func (h Head) check() error {
	if !(min(h.WidthMM, h.DepthMM, h.ClearMM) >= 0 && max(h.WidthMM, h.DepthMM, h.ClearMM) <= 1000) {
		return fmt.Errorf("head of %g x %g mm, %g above the tip: want 0 to 1000", h.WidthMM, h.DepthMM, h.ClearMM)
	}
	return nil
}

// relief is how high the bed is covered, in cells of a millimetre; on a large bed of more, so that there are never more than cellsMax².
type relief struct {
	head     Head
	low      [2]float64 // true place of the first cell's corner
	cell     float64
	across   [2]int
	top      []float32 // of each cell, row by row; nil until something is printed
	highest  float64
	hits     int64 // moves through what was printed
	heatings int   // how often the nozzle had been switched off when the bed was cleared
}

const (
	cellsMax = 256
	scrape   = 0.1 // mm: so much below the top of a line is no collision yet
)

func newRelief(head Head, frame [3][2]float64) relief {
	r := relief{head: head, low: [2]float64{frame[0][0], frame[1][0]}, heatings: -1}
	wide, deep := frame[0][1]-frame[0][0], frame[1][1]-frame[1][0]
	r.cell = max(1, max(wide, deep)/(cellsMax-2))
	r.across = [2]int{int(wide/r.cell) + 2, int(deep/r.cell) + 2} // one more than there are, for rounding
	return r
}

// clear is somebody taking away what was printed.
func (r *relief) clear() {
	clear(r.top)
	r.highest = 0
}

// at is the cell of a true place, which is within the frame.
func (r *relief) at(x, y float64) (int, int) {
	return int((x - r.low[0]) / r.cell), int((y - r.low[1]) / r.cell)
}

// along calls visit for points of the way from a to b, at most step mm apart, until it returns false.
func along(a, b [3]float64, step float64, visit func(p [3]float64) bool) {
	d := [3]float64{b[0] - a[0], b[1] - a[1], b[2] - a[2]}
	n := int(max(math.Abs(d[0]), math.Abs(d[1]))/step) + 1
	for i := range n + 1 {
		part := float64(i) / float64(n)
		if !visit([3]float64{a[0] + d[0]*part, a[1] + d[1]*part, a[2] + d[2]*part}) {
			return
		}
	}
}

// lay covers the cells under an extruded line. It is in the way of every move, and so kept cheap.
func (r *relief) lay(a, b [3]float64) {
	if r.top == nil {
		r.top = make([]float32, r.across[0]*r.across[1])
	}
	z := max(a[2], b[2])
	r.highest = max(r.highest, z)
	x, y := (a[0]-r.low[0])/r.cell, (a[1]-r.low[1])/r.cell
	dx, dy := (b[0]-a[0])/r.cell, (b[1]-a[1])/r.cell
	n := int(max(math.Abs(dx), math.Abs(dy))*1.5) + 1
	dx, dy = dx/float64(n), dy/float64(n)
	high := float32(z)
	for range n + 1 {
		if c := &r.top[int(y)*r.across[0]+int(x)]; *c < high {
			*c = high
		}
		x, y = x+dx, y+dy
	}
}

// higher reports whether something was printed in a cell that rises above z.
func (r *relief) higher(x, y int, z float64) bool {
	return float64(r.top[y*r.across[0]+x]) > max(0, z+scrape)
}

// pass counts a move of the head that goes through what was printed.
func (r *relief) pass(a, b [3]float64) {
	low := min(a[2], b[2])
	if low+scrape >= r.highest || r.highest <= 0 {
		return
	}
	hit := false
	along(a, b, r.cell/2, func(p [3]float64) bool {
		x, y := r.at(p[0], p[1])
		hit = r.higher(x, y, p[2])
		return !hit
	})
	if h := r.head; !hit && h.WidthMM > 0 && h.DepthMM > 0 && low+h.ClearMM+scrape < r.highest {
		along(a, b, max(r.cell, min(h.WidthMM, h.DepthMM)/2), func(p [3]float64) bool {
			hit = r.boxed(p)
			return !hit
		})
	}
	if hit {
		r.hits++
	}
}

// boxed reports whether the head's box stands in what was printed.
func (r *relief) boxed(p [3]float64) bool {
	x0, y0 := r.at(p[0]-r.head.WidthMM/2, p[1]-r.head.DepthMM/2)
	x1, y1 := r.at(p[0]+r.head.WidthMM/2, p[1]+r.head.DepthMM/2)
	for y := max(0, y0); y <= min(y1, r.across[1]-1); y++ {
		for x := max(0, x0); x <= min(x1, r.across[0]-1); x++ {
			if r.higher(x, y, p[2]+r.head.ClearMM) {
				return true
			}
		}
	}
	return false
}

// cleared is the beginning of a print: whoever starts one has taken away the last one's part, if its nozzle was switched off since then.
// Homing in mid-print leaves what stands there.
func (f *firmware) cleared() {
	if f.relief.heatings != f.nozzle.offs {
		f.relief.clear()
		f.relief.heatings = f.nozzle.offs
	}
}

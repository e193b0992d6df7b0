package camera

import (
	"fmt"
	"image"
	"math"
)

// stage draws scenes; it keeps what does not change from one to the next. Not for several goroutines.
type stage struct {
	*canvas
	back   *backdrop
	film   *film
	set    []byte  // pixels of what does not move …
	setFor float64 // … while the camera is raised this far
	view   view
	scale  float64 // room millimetres for one of the scene: beds of any size are drawn 220 mm wide
	built  heights
	trail  []Segment
	pts    []point
}

func newStage(w, h int) *stage {
	return &stage{canvas: newCanvas(w, h), back: newBackdrop(w, h), film: newFilm(w, h)}
}

// Sizes of the printer, mm in a room where the bed is 220 wide.
const (
	bench   = -52  // height of the bench
	halfBed = 110  // half the bed's width
	plateZ  = -9   // the bed's underside
	post    = 142  // the uprights' distance from the middle
	postY   = 26   // they and the gantry stand a little behind the nozzle
	railUp  = 40   // the gantry above the nozzle
	riseAt  = 62.0 // above this height of the nozzle the camera rises with it
)

var (
	metal  = rgb{92, 94, 100}
	black  = rgb{34, 35, 39}
	accent = rgb{214, 92, 30}
	brass  = rgb{196, 150, 70}
	steel  = rgb{170, 174, 180}
)

// draw returns the picture of a scene, which is valid until the next call.
func (st *stage) draw(s Scene) image.Image {
	s = s.clean()
	st.scale = 220 / s.WidthMM
	nozzle := vec{(s.X - s.WidthMM/2) * st.scale, 0, s.Z * st.scale}
	rise := max(0, nozzle.z-riseAt)
	st.view = newView(vec{4, -20, 24 + rise}, 430, -0.24, 0.42, 345, st.w, st.h)
	if st.set == nil || st.setFor != rise {
		edge, _ := st.view.at(vec{0, 300, bench})
		st.back.show(st.canvas, int(edge.y))
		st.controlBox()
		st.base()
		st.set, st.setFor = append(st.set[:0], st.Pix...), rise
	} else {
		copy(st.Pix, st.set)
	}
	st.display(&s)
	st.bed(&s)
	st.nozzleShadow(nozzle)
	st.part(&s)
	st.gantry(&s, nozzle)
	st.head(&s, nozzle)
	st.caption(&s)
	st.film.expose(st.canvas, s.Clock)
	return st.film.YCbCr
}

// bedPlace is where a place on the bed is in the room: the bed moves, so that the nozzle is over s.Y.
func (st *stage) bedPlace(s *Scene, x, y, z float32) vec {
	return vec{(float64(x) - s.WidthMM/2) * st.scale, (float64(y) - s.Y) * st.scale, float64(z) * st.scale}
}

// quad is four corners in the room.
func (st *stage) quad(a, b, c, d vec, top, bottom rgb, alpha float32) {
	st.pts = st.pts[:0]
	for _, p := range [...]vec{a, b, c, d} {
		q, _ := st.view.at(p)
		st.pts = append(st.pts, q)
	}
	st.polygon(st.pts, top, bottom, alpha)
}

// box draws the sides of a block that face the camera, darker towards the bench.
func (st *stage) box(a, b vec, col rgb) { st.block(a, b, col, 0.72) }

// block is a box whose sides have this much of their light left at the bottom.
func (st *stage) block(a, b vec, col rgb, fade float32) {
	if st.view.eye.z > b.z {
		c := lit(col, vec{0, 0, 1})
		st.quad(vec{a.x, a.y, b.z}, vec{b.x, a.y, b.z}, vec{b.x, b.y, b.z}, vec{a.x, b.y, b.z}, c.times(0.9), c, 1)
	}
	if st.view.eye.x > b.x {
		c := lit(col, vec{1, 0, 0})
		st.quad(vec{b.x, a.y, a.z}, vec{b.x, b.y, a.z}, vec{b.x, b.y, b.z}, vec{b.x, a.y, b.z}, c, c.times(fade), 1)
	}
	if st.view.eye.x < a.x {
		c := lit(col, vec{-1, 0, 0})
		st.quad(vec{a.x, a.y, a.z}, vec{a.x, b.y, a.z}, vec{a.x, b.y, b.z}, vec{a.x, a.y, b.z}, c, c.times(fade), 1)
	}
	if st.view.eye.y < a.y {
		c := lit(col, vec{0, -1, 0})
		st.quad(vec{a.x, a.y, a.z}, vec{b.x, a.y, a.z}, vec{b.x, a.y, b.z}, vec{a.x, a.y, b.z}, c, c.times(fade), 1)
	}
}

// rod is a thin round bar: bright along its upper side.
func (st *stage) rod(a, b vec, thick float32, col rgb) {
	p, scale := st.view.at(a)
	q, _ := st.view.at(b)
	t := thick * scale
	st.line(p, q, t, col.times(0.55), 1)
	st.line(point{p.x, p.y - t*0.2}, point{q.x, q.y - t*0.2}, t*0.35, col.times(1.25), 0.9)
}

// base is the frame on the bench, with its shadow.
func (st *stage) base() {
	mid, scale := st.view.at(vec{10, -20, bench})
	st.shade(mid, 215*scale, 105*scale, 0.72)
	st.box(vec{-post - 12, postY - 12, bench}, vec{post + 12, postY + 12, bench + 22}, metal)
	st.box(vec{-92, 150, bench}, vec{92, 168, bench + 22}, metal)
	for _, x := range [...]float64{-62, 62} {
		st.box(vec{x - 9, -190, bench + 4}, vec{x + 9, 190, bench + 24}, metal)
		st.rod(vec{x, -190, bench + 27}, vec{x, 190, bench + 27}, 5, steel)
	}
	st.box(vec{-92, -196, bench}, vec{92, -178, bench + 22}, metal)
	p, _ := st.view.at(vec{-92, -196, bench + 11})
	q, qs := st.view.at(vec{92, -196, bench + 11})
	st.line(p, q, 3*qs, rgb{14, 14, 16}, 0.7)
	st.posts(bench+22, plateZ)
}

// posts draws the uprights and their screws between two heights. What is lower than the bed is painted before it.
func (st *stage) posts(from, to float64) {
	for _, side := range [...]float64{-1, 1} {
		x := side * post
		st.rod(vec{x - side*20, postY, from}, vec{x - side*20, postY, to}, 5, steel)
		st.block(vec{x - 11, postY - 11, from}, vec{x + 11, postY + 11, to}, metal.times(0.9), 1)
		p, _ := st.view.at(vec{x, postY - 11, from})
		q, scale := st.view.at(vec{x, postY - 11, to})
		st.line(p, q, 4.5*scale, rgb{14, 14, 17}, 0.75)
	}
}

// bed draws the plate on its carriage, with a grid and the lamp's shine on it.
func (st *stage) bed(s *Scene) {
	depth := s.DepthMM * st.scale
	y0 := -s.Y * st.scale
	st.box(vec{-84, y0 + depth*0.2, -22}, vec{84, y0 + depth*0.8, -15}, black)
	for _, x := range [...]float64{-84, 84} {
		for _, y := range [...]float64{y0 + 12, y0 + depth - 12} {
			st.box(vec{x - 5, y - 5, -18}, vec{x + 5, y + 5, -7}, accent)
		}
	}
	warm := float32(min(max(s.BedC-30, 0)/80, 1))
	plate := rgb{50, 49, 53}.mix(rgb{86, 50, 42}, warm*0.5)
	st.box(vec{-halfBed - 3, y0 - 3, plateZ}, vec{halfBed + 3, y0 + depth + 3, 0}, plate)
	top := lit(plate, vec{0, 0, 1})
	st.quad(vec{-halfBed, y0, 0}, vec{halfBed, y0, 0}, vec{halfBed, y0 + depth, 0}, vec{-halfBed, y0 + depth, 0}, top.times(0.72), top.times(1.08), 1)
	for x := 0.0; x <= s.WidthMM+0.1; x += 10 {
		st.gridLine(s, x, 0, x, s.DepthMM, int(math.Round(x))%50 == 0)
	}
	for y := 0.0; y <= s.DepthMM+0.1; y += 10 {
		st.gridLine(s, 0, y, s.WidthMM, y, int(math.Round(y))%50 == 0)
	}
	at, scale := st.view.at(vec{-40, max(min(y0+depth*0.55, 90), -60), 0})
	st.glow(at, 78*scale, 30*scale, rgb{58, 42, 26})
	a, _ := st.view.at(vec{-halfBed - 3, y0 - 3, 0})
	b, bs := st.view.at(vec{halfBed + 3, y0 - 3, 0})
	st.line(a, b, 0.8*bs, rgb{190, 170, 150}, 0.55)
}

func (st *stage) gridLine(s *Scene, x1, y1, x2, y2 float64, strong bool) {
	p, scale := st.view.at(st.bedPlace(s, float32(x1), float32(y1), 0))
	q, _ := st.view.at(st.bedPlace(s, float32(x2), float32(y2), 0))
	alpha := float32(0.10)
	if strong {
		alpha = 0.26
	}
	st.line(p, q, max(0.35*scale, 0.8), rgb{208, 200, 190}, alpha)
}

// nozzleShadow is the head's shadow on what is under it.
func (st *stage) nozzleShadow(n vec) {
	at, scale := st.view.at(vec{n.x + 10 + n.z*0.3, 6, 0})
	soft := float32(1 + n.z/60)
	st.shade(at, 40*scale*soft, 17*scale*soft, 0.5/soft)
}

// gantry draws the uprights and the rail that the head hangs on.
func (st *stage) gantry(s *Scene, n vec) {
	top := max(s.HeightMM*st.scale+110, n.z+140)
	st.posts(plateZ, top)
	for _, side := range [...]float64{-1, 1} {
		x := side * (post - 20)
		st.box(vec{x - 12, postY - 9, n.z + railUp - 16}, vec{x + 12, postY + 9, n.z + railUp + 16}, black)
	}
	for _, z := range [...]float64{n.z + railUp - 9, n.z + railUp + 9} {
		st.rod(vec{-post + 20, postY, z}, vec{post - 20, postY, z}, 5.5, steel)
	}
	p, _ := st.view.at(vec{-post + 20, postY - 3, n.z + railUp})
	q, scale := st.view.at(vec{post - 20, postY - 3, n.z + railUp})
	st.line(p, q, 3*scale, rgb{17, 17, 19}, 0.95)
}

// Where the control box stands, mm.
const boxLeft, boxRight, boxFront = 174, 236, 48

// controlBox stands beside the printer.
func (st *stage) controlBox() {
	mid, scale := st.view.at(vec{(boxLeft + boxRight) / 2, boxFront + 14, bench})
	st.shade(mid, 50*scale, 24*scale, 0.6)
	st.box(vec{boxLeft, boxFront, bench}, vec{boxRight, boxFront + 40, bench + 50}, rgb{60, 60, 66})
	st.quad(vec{boxLeft + 5, boxFront, bench + 12}, vec{boxRight - 5, boxFront, bench + 12},
		vec{boxRight - 5, boxFront, bench + 45}, vec{boxLeft + 5, boxFront, bench + 45}, rgb{9, 40, 62}, rgb{12, 52, 80}, 1)
	lcd, scale := st.view.at(vec{(boxLeft + boxRight) / 2, boxFront, bench + 28})
	st.glow(lcd, 46*scale, 38*scale, rgb{8, 26, 40})
}

// display shows the temperatures on it.
func (st *stage) display(s *Scene) {
	for row, c := range [...]float64{s.NozzleC, s.BedC} {
		at, scale := st.view.at(vec{boxLeft + 13, boxFront, bench + 42 - float64(row)*15})
		st.text(at, fmt.Sprintf("%3.0f°", c), 1.5*scale, rgb{138, 230, 255}, 0.95-0.25*float32(row))
	}
}

package main

import (
	"math"
	"math/rand/v2"
)

// What flows here: a scene and the state of its print ─▶ the things that stand in it, which povray.go and blender.go draw. Lengths are mm; x goes to the right, y to the back,
// z up.

// scene is a printer in a room, with a camera and a print.
type scene struct {
	Name    string
	HeldOut bool       // not one of those by which anything was chosen
	Model   string     // file of the corpus
	CoreXY  bool       // else the bed goes to and fro
	Eye, At [3]float64 // where the camera is, and what it looks at
	Angle   float64    // of what it sees, degrees across
	Plastic plastic
	Bed     string // "grid", "speckled", "glass", "rough"
	Flexes  bool   // the bed bends by some tenths of a mm as it is warm
	Swaps   bool   // the filament is changed for another half way
	Seed    uint64 // of what stands in the room
	W, H    int    // the camera's pixels
	Park    point

	Drawn           string // by which renderer: byPOV or byBlender
	Ceiling, Window vec    // where their lamps are, for Blender
}

// plastic is how grey it is and how it shines.
type plastic struct {
	Name  string
	Grey  float64
	Gloss float64
}

// state is what changes from picture to picture.
type state struct {
	printed int        // layers
	pose    [3]float64 // where the head is believed to be
	lost    [2]float64 // how much further along it is
	from    int        // the first layer that was printed displaced by that
	seed    uint64     // of what swings and turns
}

const (
	bedSize   = 220.0
	blades    = 5  // of the fan
	byPOV     = "" // renderers
	byBlender = "blender"
)

// vec is a place or a way, mm.
type vec [3]float64

// material is what something is made of: what it is, how grey, and how it shines.
type material struct {
	Kind  string  `json:"kind"`
	Grey  float64 `json:"grey,omitempty"`
	Gloss float64 `json:"gloss,omitempty"`
}

// thing is one body, or some that are moved together.
type thing struct {
	Kind  string    `json:"kind"` // "box", "rod", "cone", "fan", "floor", "wall", "cable", "beads", "group"
	A     vec       `json:"a"`    // a box's corner, a rod's end, how high a floor is, how far a group is moved
	B     vec       `json:"b"`    // the other corner or end
	R     []float64 `json:"r,omitempty"`
	Turn  float64   `json:"turn,omitempty"` // of a fan, degrees
	Of    material  `json:"of"`
	Way   []vec     `json:"way,omitempty"` // a cable's control points
	Beads []bead    `json:"beads,omitempty"`
	Has   []thing   `json:"has,omitempty"` // of a group
}

// stage is a scene in the making.
type stage struct {
	s    *scene
	has  []thing
	room *rand.Rand // always the same
	now  *rand.Rand // other in each picture
}

func (w *stage) add(t thing) { w.has = append(w.has, t) }

// group is what is made by make, moved.
func (w *stage) group(by vec, makes ...func()) {
	before := w.has
	w.has = nil
	for _, f := range makes {
		f()
	}
	w.has = append(before, thing{Kind: "group", A: by, Has: w.has})
}

// text is the scene for its renderer.
func (s *scene) text(layers []layer, st state) string {
	if s.Drawn == byBlender {
		return s.blender(s.stage(layers, st))
	}
	return s.pov(s.stage(layers, st))
}

// stage is all that stands in the scene.
func (s *scene) stage(layers []layer, st state) []thing {
	w := &stage{s: s, room: rand.New(rand.NewPCG(s.Seed, 1)), now: rand.New(rand.NewPCG(s.Seed, st.seed+2))}
	w.theRoom()
	trueX, trueY := st.pose[0]+st.lost[0], st.pose[1]+st.lost[1]
	sag := 0.0
	if s.Flexes {
		sag = 0.3 * math.Sin(float64(st.printed)/25)
	}
	// Where the bed's corner, and where the nozzle is.
	bed, nozzle := vec{0, bedSize/2 - trueY + sag/2, sag}, vec{trueX, bedSize / 2, st.pose[2]}
	if s.CoreXY {
		bed, nozzle = vec{0, 0, -st.pose[2] + sag}, vec{trueX, trueY, 0}
	}
	w.frame(nozzle)
	w.group(bed, w.bed, func() { w.print(layers, st) })
	w.group(nozzle, w.head)
	w.cable(nozzle)
	return w.has
}

func lampY(s *scene) float64 {
	if s.CoreXY {
		return 5
	}
	return bedSize/2 - 60
}

func lampZ(s *scene) float64 {
	if s.CoreXY {
		return 60
	}
	return 420
}

func (w *stage) box(x0, y0, z0, x1, y1, z1 float64, of material) {
	w.add(thing{Kind: "box", A: vec{x0, y0, z0}, B: vec{x1, y1, z1}, Of: of})
}

func (w *stage) rod(x0, y0, z0, x1, y1, z1, r float64, of material) {
	w.add(thing{Kind: "rod", A: vec{x0, y0, z0}, B: vec{x1, y1, z1}, R: []float64{r}, Of: of})
}

func grey(v float64) material { return material{Kind: "matte", Grey: v} }

func metal(v float64) material { return material{Kind: "metal", Grey: v} }

// theRoom is a table, a wall, and things that stand before it.
func (w *stage) theRoom() {
	floor := -70.0
	if w.s.CoreXY {
		floor = -330
	}
	w.add(thing{Kind: "floor", A: vec{0, 0, floor}})
	w.add(thing{Kind: "wall", A: vec{0, 520, 0}})
	if w.s.CoreXY {
		return // its own walls hide them
	}
	for range 26 {
		x, width, height := -450+1100*w.room.Float64(), 12+60*w.room.Float64(), 40+220*w.room.Float64()
		y := 330 + 150*w.room.Float64()
		w.box(x, y, floor, x+width, y+30, floor+height, grey(0.08+0.7*w.room.Float64()))
	}
}

// frame is what stands still, and the beam that the head rides on.
func (w *stage) frame(nozzle vec) {
	const mid = bedSize / 2
	dark := metal(0.12)
	if w.s.CoreXY {
		for _, x := range []float64{-45, bedSize + 45} {
			for _, y := range []float64{-45, bedSize + 45} {
				w.box(x-10, y-10, -320, x+10, y+10, 70, dark)
			}
			w.box(x-10, -45, 50, x+10, bedSize+45, 70, dark)
			w.rod(x+15*sign(mid-x), -40, 38, x+15*sign(mid-x), bedSize+40, 38, 4, metal(0.6))
		}
		w.box(-45, bedSize+35, 50, bedSize+45, bedSize+55, 70, dark)
		w.box(-55, bedSize+56, -320, bedSize+55, bedSize+58, 70, grey(0.3))
		w.box(-57, -45, -320, -55, bedSize+55, 70, grey(0.25))
		for range 22 { // screws, labels, a cable channel
			x, z, r := -40+300*w.room.Float64(), -300+350*w.room.Float64(), 3+8*w.room.Float64()
			w.box(x, bedSize+53, z, x+r*2, bedSize+56, z+r, grey(0.05+0.8*w.room.Float64()))
			y := -30 + 270*w.room.Float64()
			w.box(-56, y, z, -53, y+r, z+r, grey(0.05+0.8*w.room.Float64()))
		}
		w.rod(-30, nozzle[1]+22, 38, bedSize+30, nozzle[1]+22, 38, 5, metal(0.6))
		w.rod(-30, nozzle[1]+22, 18, bedSize+30, nozzle[1]+22, 18, 5, metal(0.6))
		w.box(-38, nozzle[1]+12, 10, -22, nozzle[1]+32, 48, dark)
		w.box(bedSize+22, nozzle[1]+12, 10, bedSize+38, nozzle[1]+32, 48, dark)
		return
	}
	for _, x := range []float64{-40, bedSize + 40} {
		w.box(x-10, mid+20, -60, x+10, mid+60, 330, dark)
		w.rod(x+14*sign(mid-x), mid+30, -40, x+14*sign(mid-x), mid+30, 330, 4, metal(0.55))
		w.box(x-18, mid+15, -60, x+18, mid+65, -30, metal(0.2))
	}
	w.box(-50, mid+25, 320, bedSize+50, mid+55, 340, dark)
	w.box(mid-12, -80, -58, mid+12, bedSize+80, -38, dark) // rail of the bed
	w.box(-40, mid-20, -68, bedSize+40, mid+20, -58, dark)
	w.box(bedSize+60, -10, -70, bedSize+150, 120, -20, grey(0.25)) // the board's case, with a display
	w.box(bedSize+75, -11, -60, bedSize+135, -10, -30, grey(0.75))
	w.box(-35, mid+20, nozzle[2]+28, bedSize+35, mid+40, nozzle[2]+48, metal(0.3)) // the beam
	w.box(-62, mid+15, nozzle[2]+20, -30, mid+45, nozzle[2]+56, metal(0.18))
}

func sign(v float64) float64 { return math.Copysign(1, v) }

// head stands with its nozzle at the origin.
func (w *stage) head() {
	w.add(thing{Kind: "cone", B: vec{0, 0, 4}, R: []float64{0.5, 3.5}, Of: metal(0.7)})
	w.box(-8, -9, 4, 8, 9, 14, metal(0.5))
	for z := 16.0; z < 40; z += 3.5 {
		w.rod(0, 0, z, 0, 0, z+1.6, 11, metal(0.75))
	}
	w.box(-22, -6, 12, 22, 14, 58, grey(0.1)) // carriage
	w.box(-19, -22, 14, 19, -10, 50, grey(0.16))
	w.rod(0, -22.5, 32, 0, -21.5, 32, 16, grey(0.5)) // its fan
	w.rod(0, -23, 32, 0, -22, 32, 5, grey(0.85))
	w.add(thing{Kind: "fan", A: vec{0, 0, 32}, Turn: 360 * w.now.Float64(), Of: grey(0.06)})
	w.box(-30, -14, 6, -20, 6, 30, grey(0.2)) // duct, and a second fan
	w.rod(-31, -4, 20, -30, -4, 20, 8, grey(0.6))
	w.box(20, -14, 18, 31, 4, 40, grey(0.22)) // sensor
	w.box(21, -14.3, 24, 29, -14, 32, grey(0.9))
	for _, p := range []point{{-16, 17}, {16, 17}, {-16, 47}, {16, 47}} {
		w.rod(p.x, -23, p.y, p.x, -22, p.y, 1.8, metal(0.9))
	}
	for k := range 4 {
		w.box(-12+float64(k)*7, -6.3, 52, -8+float64(k)*7, -6, 57, grey(0.8))
	}
}

// cable swings from picture to picture.
func (w *stage) cable(nozzle vec) {
	x, y, z := nozzle[0], nozzle[1], nozzle[2]
	sx, sy, sz := 9*w.now.NormFloat64(), 9*w.now.NormFloat64(), 6*w.now.NormFloat64()
	end := vec{bedSize + 40, bedSize/2 + 40, 335}
	if w.s.CoreXY {
		end = vec{bedSize + 40, bedSize + 45, 70}
	}
	w.add(thing{Kind: "cable", R: []float64{3}, Of: grey(0.07), Way: []vec{{x, y + 8, z + 40}, {x, y + 8, z + 60}, {x + 15 + sx/3, y + 15 + sy/3, z + 95 + sz/3},
		{(x+end[0])/2 + sx, (y+end[1])/2 + sy, max(z+110, end[2]) + sz}, end, {end[0], end[1], end[2] - 30}}})
}

// bed stands with its corner at the origin and its surface at 0.
func (w *stage) bed() {
	w.box(-8, -8, -8, bedSize+8, bedSize+8, -4, metal(0.35))
	w.box(-4, -4, -4, bedSize+4, bedSize+4, 0, material{Kind: w.s.Bed})
	if w.s.Bed == "grid" {
		for v := 20.0; v < bedSize; v += 40 {
			w.box(v, 5, 0, v+0.8, bedSize-5, 0.02, grey(0.5))
			w.box(5, v, 0, bedSize-5, v+0.8, 0.02, grey(0.5))
		}
	}
	for range 14 { // a maker's words, warnings
		x, y := 10+150*w.room.Float64(), 2+12*w.room.Float64()
		w.box(x, y, 0, x+2+8*w.room.Float64(), y+2+3*w.room.Float64(), 0.03, grey(0.75))
	}
	for _, p := range [][2]float64{{15, -8}, {bedSize - 30, -8}, {15, bedSize - 2}, {bedSize - 30, bedSize - 2}} { // clips
		w.box(p[0], p[1], -9, p[0]+15, p[1]+10, 2.5, metal(0.6))
		w.rod(p[0]+7, p[1]+5, 2.5, p[0]+7, p[1]+5, 4, 2, metal(0.1))
	}
	for _, x := range []float64{0, bedSize} { // knobs
		w.rod(x, 0, -30, x, 0, -18, 9, grey(0.55))
		w.rod(x, bedSize, -30, x, bedSize, -18, 9, grey(0.55))
	}
}

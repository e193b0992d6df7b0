package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// What flows here: a scene and the state of its print ─▶ text for POV-Ray. Lengths are mm; x goes to the right, y to the back, z up.
//
// One rendering has the light of three lamps in its three colours, and all things are grey: red is what the ceiling lamp lights, green the printer's own lamp, blue the
// window. So how bright each is, which changes as a print goes on, is decided later, in the camera.

// scene is a printer in a room, with a camera and a print.
type scene struct {
	Name    string
	HeldOut bool       // not one of those by which anything was chosen
	Model   string     // file of the corpus
	CoreXY  bool       // else the bed goes to and fro
	Eye, At [3]float64 // where the camera is, and what it looks at
	Angle   float64    // of what it sees, degrees across
	Plastic plastic
	Bed     string // "grid", "speckled", "glass"
	Flexes  bool   // the bed bends by some tenths of a mm as it is warm
	Swaps   bool   // the filament is changed for another half way
	Seed    uint64 // of what stands in the room
	W, H    int    // the camera's pixels
	Park    point
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

const bedSize = 220.0

// writer writes one scene.
type writer struct {
	strings.Builder
	s    *scene
	room *rand.Rand // always the same
	now  *rand.Rand // other in each picture
}

func (w *writer) f(form string, args ...any) { fmt.Fprintf(&w.Builder, form+"\n", args...) }

// text is the scene for POV-Ray.
func (s *scene) text(layers []layer, st state) string {
	w := &writer{s: s, room: rand.New(rand.NewPCG(s.Seed, 1)), now: rand.New(rand.NewPCG(s.Seed, st.seed+2))}
	aspect := float64(s.W) / float64(s.H)
	w.f(`#version 3.7;
global_settings { assumed_gamma 1.0 ambient_light rgb <0.9, 0.35, 0.8> max_trace_level 4 }
background { rgb <0.05, 0.01, 0.08> }
camera { perspective location <%.2f,%.2f,%.2f> sky z direction y up z right %.5f*x angle %.3f look_at <%.2f,%.2f,%.2f> }
light_source { <-250,-350,900> rgb <0.95,0,0> }
light_source { <%.1f,%.1f,%.1f> rgb <0,0.8,0> }
light_source { <1400,-500,600> rgb <0,0,0.95> }
#macro G(Grey) pigment { rgb Grey } finish { ambient 0.12 diffuse 0.75 } #end
#macro M(Grey) pigment { rgb Grey } finish { ambient 0.08 diffuse 0.55 specular 0.5 roughness 0.03 } #end`,
		s.Eye[0], s.Eye[1], s.Eye[2], aspect, s.Angle, s.At[0], s.At[1], s.At[2], bedSize/2, lampY(s), lampZ(s))
	w.theRoom()
	trueX, trueY := st.pose[0]+st.lost[0], st.pose[1]+st.lost[1]
	sag := 0.0
	if s.Flexes {
		sag = 0.3 * math.Sin(float64(st.printed)/25)
	}
	// Where the bed's corner, and where the nozzle is.
	bed, nozzle := [3]float64{0, bedSize/2 - trueY + sag/2, sag}, [3]float64{trueX, bedSize / 2, st.pose[2]}
	if s.CoreXY {
		bed, nozzle = [3]float64{0, 0, -st.pose[2] + sag}, [3]float64{trueX, trueY, 0}
	}
	w.frame(nozzle)
	w.f("union {")
	w.bed()
	w.print(layers, st)
	w.f("translate <%.4f,%.4f,%.4f> }", bed[0], bed[1], bed[2])
	w.f("union {")
	w.head()
	w.f("translate <%.4f,%.4f,%.4f> }", nozzle[0], nozzle[1], nozzle[2])
	w.cable(nozzle)
	return w.String()
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

func (w *writer) box(x0, y0, z0, x1, y1, z1 float64, finish string) {
	w.f("box { <%.3f,%.3f,%.3f>,<%.3f,%.3f,%.3f> %s }", x0, y0, z0, x1, y1, z1, finish)
}

func (w *writer) rod(x0, y0, z0, x1, y1, z1, r float64, finish string) {
	w.f("cylinder { <%.3f,%.3f,%.3f>,<%.3f,%.3f,%.3f>,%.3f %s }", x0, y0, z0, x1, y1, z1, r, finish)
}

func grey(v float64) string { return fmt.Sprintf("G(%.3f)", v) }

func metal(v float64) string { return fmt.Sprintf("M(%.3f)", v) }

// theRoom is a table, a wall, and things that stand before it.
func (w *writer) theRoom() {
	floor := -70.0
	if w.s.CoreXY {
		floor = -330
	}
	w.f("plane { z, %.1f pigment { wood color_map { [0 rgb 0.22] [0.6 rgb 0.35] [1 rgb 0.28] } turbulence 0.1 scale 25 rotate x*90 } finish { ambient 0.12 diffuse 0.7 } }", floor)
	w.f("plane { -y, -%.1f pigment { granite color_map { [0 rgb 0.45] [1 rgb 0.6] } scale 120 } finish { ambient 0.12 diffuse 0.7 } }", 520.0)
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
func (w *writer) frame(nozzle [3]float64) {
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
func (w *writer) head() {
	w.f("cone { <0,0,0>,0.5,<0,0,4>,3.5 %s }", metal(0.7))
	w.box(-8, -9, 4, 8, 9, 14, metal(0.5))
	for z := 16.0; z < 40; z += 3.5 {
		w.rod(0, 0, z, 0, 0, z+1.6, 11, metal(0.75))
	}
	w.box(-22, -6, 12, 22, 14, 58, grey(0.1)) // carriage
	w.box(-19, -22, 14, 19, -10, 50, grey(0.16))
	w.rod(0, -22.5, 32, 0, -21.5, 32, 16, grey(0.5)) // its fan
	w.rod(0, -23, 32, 0, -22, 32, 5, grey(0.85))
	turn := 360 * w.now.Float64()
	w.f("union {")
	for k := range 5 {
		w.f("box { <-1.5,-23,5>,<1.5,-22.4,15> %s rotate y*%d }", grey(0.06), k*72)
	}
	w.f("rotate y*%.1f translate <0,0,32> }", turn)
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
func (w *writer) cable(nozzle [3]float64) {
	x, y, z := nozzle[0], nozzle[1], nozzle[2]
	sx, sy, sz := 9*w.now.NormFloat64(), 9*w.now.NormFloat64(), 6*w.now.NormFloat64()
	end := [3]float64{bedSize + 40, bedSize/2 + 40, 335}
	if w.s.CoreXY {
		end = [3]float64{bedSize + 40, bedSize + 45, 70}
	}
	w.f("sphere_sweep { b_spline 6 <%.2f,%.2f,%.2f>,3 <%.2f,%.2f,%.2f>,3 <%.2f,%.2f,%.2f>,3 <%.2f,%.2f,%.2f>,3 <%.2f,%.2f,%.2f>,3 <%.2f,%.2f,%.2f>,3 tolerance 0.1 %s }",
		x, y+8, z+40, x, y+8, z+60, x+15+sx/3, y+15+sy/3, z+95+sz/3, (x+end[0])/2+sx, (y+end[1])/2+sy, max(z+110, end[2])+sz, end[0], end[1], end[2], end[0], end[1], end[2]-30, grey(0.07))
}

// bed stands with its corner at the origin and its surface at 0.
func (w *writer) bed() {
	w.box(-8, -8, -8, bedSize+8, bedSize+8, -4, metal(0.35))
	switch w.s.Bed {
	case "glass":
		w.f("box { <-4,-4,-4>,<%.0f,%.0f,0> pigment { rgb 0.07 } finish { ambient 0.05 diffuse 0.4 specular 0.8 roughness 0.005 reflection 0.12 } }", bedSize+4, bedSize+4)
	case "speckled":
		w.f("box { <-4,-4,-4>,<%.0f,%.0f,0> pigment { granite color_map { [0 rgb 0.2] [0.5 rgb 0.32] [1 rgb 0.5] } scale 9 } finish { ambient 0.1 diffuse 0.6 specular 0.15 roughness 0.08 } }", bedSize+4, bedSize+4)
	default:
		w.f("box { <-4,-4,-4>,<%.0f,%.0f,0> pigment { rgb 0.16 } finish { ambient 0.1 diffuse 0.65 specular 0.1 roughness 0.1 } }", bedSize+4, bedSize+4)
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

package main

import (
	"math"
	"math/rand/v2"
)

// The scenes, and what happens in them. The two halves share no model, no place of a camera, no plastic and no printer of the same measures; by the second nothing was chosen.

var (
	white   = plastic{"white", 0.85, 0.15}
	midGrey = plastic{"grey", 0.45, 0.2}
	glossy  = plastic{"glossy", 0.6, 0.9}
	silk    = plastic{"silk", 0.35, 0.7}
	ivory   = plastic{"ivory", 0.7, 0.1}
	black   = plastic{"black", 0.04, 0.3}
	satin   = plastic{"satin", 0.5, 0.85}
	coal    = plastic{"coal", 0.03, 0.4}
	slate   = plastic{"slate", 0.2, 0.5}
)

func theScenes() []scene {
	return []scene{
		{Name: "cube, from the left", Model: "ps_cube20.gcode", Eye: [3]float64{-90, -330, 330}, At: [3]float64{110, 110, 30}, Angle: 45, Plastic: white, Bed: "grid", Seed: 1, Park: point{5, 210}},
		{Name: "boat, from the right", Model: "ps_benchy_m73.gcode.gz", Eye: [3]float64{330, -260, 260}, At: [3]float64{110, 120, 45}, Angle: 42, Plastic: midGrey, Bed: "speckled", Swaps: true, Seed: 2, Park: point{5, 210}},
		{Name: "case, CoreXY", Model: "ps_bpcase_verbose.gcode", CoreXY: true, Eye: [3]float64{110, -260, 200}, At: [3]float64{110, 130, -5}, Angle: 52, Plastic: glossy, Bed: "grid", Seed: 3, Park: point{200, 190}},
		{Name: "vase, black, glass", Model: "ps_vase_fast.gcode.gz", Eye: [3]float64{20, -380, 190}, At: [3]float64{110, 110, 60}, Angle: 44, Plastic: black, Bed: "glass", Flexes: true, Seed: 4, Park: point{205, 200}},

		{Name: "tower, from high left", HeldOut: true, Model: "cura_ringing_tower_crlf.gcode.gz", Eye: [3]float64{-160, -250, 420}, At: [3]float64{110, 115, 40}, Angle: 43, Plastic: silk, Bed: "grid", Flexes: true, Seed: 11, Park: point{10, 215}},
		{Name: "ring of arcs, CoreXY", HeldOut: true, Model: "aw_ring_arcs.gcode", CoreXY: true, Eye: [3]float64{230, -230, 230}, At: [3]float64{120, 120, -10}, Angle: 55, Plastic: ivory, Bed: "speckled", Seed: 12, Park: point{30, 180}},
		{Name: "five parts, low", HeldOut: true, Model: "ps_plate_multi.gcode", Eye: [3]float64{260, -340, 150}, At: [3]float64{105, 105, 40}, Angle: 46, Plastic: black, Bed: "speckled", Seed: 13, Park: point{15, 205}},
		{Name: "calibration piece, glass", HeldOut: true, Model: "s3_calibrate.gcode", Eye: [3]float64{60, -300, 380}, At: [3]float64{115, 120, 20}, Angle: 47, Plastic: silk, Bed: "glass", Swaps: true, Seed: 14, Park: point{200, 210}},

		{Name: "twisted vase", HeldOut: true, Drawn: byBlender, Model: "public/gp_vase.gcode", Eye: vec{-20, -370, 290}, At: vec{115, 110, 55}, Angle: 43, Plastic: satin, Bed: "grid", Flexes: true, Seed: 21, Park: point{200, 205}, Ceiling: vec{300, -200, 1100}, Window: vec{-1300, -700, 500}},
		{Name: "case, black on black, CoreXY", HeldOut: true, Drawn: byBlender, Model: "public/op_bp_case.gcode", CoreXY: true, Eye: vec{40, -250, 240}, At: vec{115, 125, -8}, Angle: 54, Plastic: coal, Bed: "rough", Seed: 22, Park: point{25, 195}, Ceiling: vec{-100, -500, 1000}, Window: vec{1100, -900, 700}},
		{Name: "boat of arcs, high", HeldOut: true, Drawn: byBlender, Model: "public/gp_benchy_arcs.gcode", Eye: vec{300, -220, 400}, At: vec{115, 115, 35}, Angle: 41, Plastic: slate, Bed: "speckled", Swaps: true, Seed: 23, Park: point{10, 205}, Ceiling: vec{500, -400, 1000}, Window: vec{-900, -1200, 800}},
	}
}

// dice are the scene's own.
func (s *scene) dice(use uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, use)) }

// optics are those of the camera that the scene has.
func (s *scene) optics() optics {
	dice := s.dice(3)
	return optics{bend: 0.06 * dice.Float64(), blur: 0.6 + 0.4*dice.Float64(), noise: 2 + 2*dice.Float64(), quality: 60 + dice.IntN(21)}
}

// nuisance is what happens while nothing is lost.
type nuisance struct {
	name     string
	pictures int // of each look
	at       func(i, n int, dice *rand.Rand) (m moment, picture func(k int, m *moment))
}

// simple is a nuisance of which each look has one picture.
func simple(name string, change func(m *moment, i, n int, dice *rand.Rand)) nuisance {
	return nuisance{name, 1, func(i, n int, dice *rand.Rand) (moment, func(int, *moment)) {
		m := usual()
		change(&m, i, n, dice)
		return m, nil
	}}
}

func theNuisances() []nuisance {
	return []nuisance{
		simple("nothing", func(*moment, int, int, *rand.Rand) {}),
		simple("lamp on and off", func(m *moment, i, n int, _ *rand.Rand) {
			if i/7%2 == 1 {
				m.lamps = [3]float64{0.03, 0.5, 0.1}
			}
		}),
		simple("all lamps off", func(m *moment, i, n int, _ *rand.Rand) {
			if i/9%2 == 1 {
				m.lamps, m.bright, m.grained = [3]float64{0.004, 0, 0.004}, 0.03, 2
			}
		}),
		simple("sun sets", func(m *moment, i, n int, _ *rand.Rand) {
			m.lamps[2] = 1.6 * math.Pow(0.02, float64(i)/float64(n))
			m.tint = 1 - 2*float64(i)/float64(n)
		}),
		simple("exposure and colour hunt", func(m *moment, _, _ int, dice *rand.Rand) {
			m.bright, m.tint = 0.25+0.3*dice.Float64(), dice.Float64()*2-1
		}),
		simple("noise", func(m *moment, _, _ int, _ *rand.Rand) { m.grained = 3 }),
		simple("shadow of a person", func(m *moment, i, _ int, dice *rand.Rand) {
			if i%9 > 5 {
				m.shadow = 0.1 + dice.Float64()
			}
		}),
		simple("person before it", func(m *moment, i, _ int, dice *rand.Rand) {
			if i%11 > 8 {
				m.person = 0.5 * dice.Float64()
			}
		}),
		simple("camera shakes", func(m *moment, _, _ int, dice *rand.Rand) {
			m.nudge[0], m.nudge[1], m.shaken = 0.7*dice.NormFloat64(), 0.7*dice.NormFloat64(), 1.5*dice.Float64()
		}),
		simple("camera nudged", func(m *moment, i, n int, _ *rand.Rand) {
			if i > n/2 {
				m.nudge = [4]float64{3, -2, 1.5, 0.7}
			}
		}),
		simple("camera knocked", func(m *moment, i, n int, _ *rand.Rand) {
			if i > n*2/3 {
				m.nudge = [4]float64{-14, 9, 3, 0}
			}
		}),
		{"torn pictures", 3, func(_, _ int, dice *rand.Rand) (moment, func(int, *moment)) {
			bad := dice.IntN(4)
			return usual(), func(k int, m *moment) { m.torn = k == bad }
		}},
		simple("some of all", func(m *moment, i, n int, dice *rand.Rand) {
			m.lamps = [3]float64{0.4 + 0.3*dice.Float64(), 0.5, 0.8 * (1 - float64(i)/float64(n))}
			m.bright, m.grained = 0.3+0.15*dice.Float64(), 1.5
			m.nudge = [4]float64{0.4 * dice.NormFloat64(), 0.4 * dice.NormFloat64(), float64(i) / 40, 0}
			if i%13 > 10 {
				m.shadow = dice.Float64()
			}
		}),
	}
}

package camera

import (
	"math"
)

// head draws the carriage with fan, heater block and nozzle; n is the nozzle's tip.
func (st *stage) head(s *Scene, n vec) {
	at := func(x, y, z float64) vec { return vec{n.x + x, n.y + y, n.z + z} }
	heat := float32(min(max(s.NozzleC-40, 0)/180, 1.3))

	// The cable and the filament's tube go up and out of the picture.
	st.hose(at(8, 14, 66), at(60, 40, 190), vec{post - 30, 60, n.z + 150}, 5.5, rgb{20, 20, 23})
	st.hose(at(0, 2, 70), at(-14, 20, 150), vec{n.x*0.4 - 40, 60, n.z + 260}, 3.4, rgb{206, 210, 214})
	st.hose(at(0, 2, 70), at(-14, 20, 150), vec{n.x*0.4 - 40, 60, n.z + 260}, 1.5, plastic)

	// What glows is painted before what hides it.
	tip, scale := st.view.at(n)
	if heat > 0 {
		st.glow(tip, 46*scale, 34*scale, rgb{90, 40, 10}.times(heat))
	}
	st.box(at(-9, -7, 6), at(9, 9, 17), rgb{150, 152, 156}.mix(rgb{235, 120, 60}, min(heat, 1)*0.35))
	st.nozzleTip(n, heat)
	// A silicone sock, the heat sink, and the body with its fan.
	for i := range 4 {
		z := 18.5 + float64(i)*3.4
		st.box(at(-10, -9, z), at(10, 9, z+1.9), steel.times(0.75))
	}
	st.box(at(-23, -15, 32), at(23, 18, 72), black)
	st.box(at(-23, -16, 66), at(23, -14.5, 72), accent)
	st.fan(s, at(0, -16, 49))
	// The duct leads the fan's air to the nozzle.
	st.quad(at(-9, -16, 33), at(9, -16, 33), at(5, -13, 11), at(-5, -13, 11), lit(black, vec{0, -1, 0}).times(1.5), lit(black, vec{0, -0.8, -0.6}), 1)
	led := rgb{60, 255, 120}
	if s.NozzleTargetC > 0 && s.NozzleC < s.NozzleTargetC-3 {
		led = rgb{255, 70, 40} // heating
	}
	spot, scale := st.view.at(at(17.5, -16.5, 62))
	st.glow(spot, 5*scale, 5*scale, led.times(0.5))
	st.glow(spot, 1.8*scale, 1.8*scale, led)
	if heat > 0 {
		st.glow(tip, 9*scale, 7*scale, rgb{255, 150, 50}.times(heat*0.8))
	}
}

// nozzleTip is a cone of brass, which is red to orange when hot.
func (st *stage) nozzleTip(n vec, heat float32) {
	col := brass.mix(rgb{255, 112, 34}, min(heat, 1)*0.8)
	st.pts = st.pts[:0]
	for _, c := range [...][2]float64{{-5, 7}, {5, 7}, {1.3, 0}, {-1.3, 0}} {
		p, _ := st.view.at(vec{n.x + c[0], n.y, n.z + c[1]})
		st.pts = append(st.pts, p)
	}
	st.polygon(st.pts, col.times(0.8), col.times(1.25), 1)
}

// fan draws the part's fan, which turns as fast as it is told to.
func (st *stage) fan(s *Scene, mid vec) {
	const r = 14.5
	at, scale := st.view.at(mid)
	rx, ry := r*scale*float32(math.Cos(0.24)), r*scale*float32(math.Cos(0.42))
	st.pts = circle(st.pts, at, rx*1.12, ry*1.12)
	st.polygon(st.pts, rgb{66, 67, 72}, rgb{30, 31, 34}, 1)
	st.pts = circle(st.pts, at, rx, ry)
	st.polygon(st.pts, rgb{12, 12, 14}, rgb{20, 20, 23}, 1)
	speed := s.FanPercent / 100
	turn := math.Mod(float64(s.Clock.UnixNano()%1e12)/1e9*speed*31, 2*math.Pi)
	smear := 1 + int(speed*5) // a fast blade is seen in several places at once
	for blade := range 7 {
		for k := range smear {
			a := turn + float64(blade)*2*math.Pi/7 + float64(k)*0.11
			spoke := func(f float64, off float64) point {
				return point{at.x + rx*float32(f*math.Cos(a+off)), at.y + ry*float32(f*math.Sin(a+off))}
			}
			st.polygon([]point{spoke(0.25, 0), spoke(0.94, 0.18), spoke(0.94, 0.62), spoke(0.25, 0.5)}, rgb{104, 106, 114}, rgb{62, 64, 70}, 0.9/float32(smear))
		}
	}
	st.pts = circle(st.pts, at, rx*0.32, ry*0.32)
	st.polygon(st.pts, rgb{84, 86, 92}, rgb{40, 41, 45}, 1)
}

// hose bends from a to b past the middle.
func (st *stage) hose(a, middle, b vec, thick float32, col rgb) {
	const parts = 18
	last, scale := st.view.at(a)
	for i := 1; i <= parts; i++ {
		t := float64(i) / parts
		f, g, h := (1-t)*(1-t), 2*t*(1-t), t*t
		p, next := st.view.at(vec{a.x*f + middle.x*g + b.x*h, a.y*f + middle.y*g + b.y*h, a.z*f + middle.z*g + b.z*h})
		st.line(last, p, thick*scale, col.times(0.7), 1)
		st.line(point{last.x - thick*scale*0.2, last.y}, point{p.x - thick*scale*0.2, p.y}, thick*scale*0.3, col.times(1.2), 0.5)
		last, scale = p, next
	}
}

// circle appends the corners of an ellipse to pts[:0].
func circle(pts []point, at point, rx, ry float32) []point {
	const corners = 28
	pts = pts[:0]
	for i := range corners {
		sin, cos := math.Sincos(float64(i) * 2 * math.Pi / corners)
		pts = append(pts, point{at.x + rx*float32(cos), at.y + ry*float32(sin)})
	}
	return pts
}

// caption burns date, time and what this is into the corners.
func (st *stage) caption(s *Scene) {
	dot := max(float32(st.w)/400, 1)
	stamp := s.Clock.Format("2006-01-02 15:04:05")
	low := float32(st.h) - 13*dot
	white, dark := rgb{255, 252, 246}, rgb{0, 0, 0}
	for _, t := range []struct {
		at   point
		text string
	}{
		{point{8 * dot, low}, stamp},
		{point{float32(st.w) - 8*dot - textWidth("DEMO", dot), low}, "DEMO"},
	} {
		st.text(point{t.at.x + dot*0.8, t.at.y + dot*0.8}, t.text, dot, dark, 0.7)
		st.text(t.at, t.text, dot, white, 0.9)
	}
}

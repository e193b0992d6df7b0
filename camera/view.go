package camera

import "math"

// vec is a place or direction in the room: x to the right, y away from the camera, z up, millimetres. The nozzle is always
// at y = 0, and x = 0 is the middle of the bed.
type vec struct{ x, y, z float64 }

func (a vec) minus(b vec) vec     { return vec{a.x - b.x, a.y - b.y, a.z - b.z} }
func (a vec) times(f float64) vec { return vec{a.x * f, a.y * f, a.z * f} }
func (a vec) dot(b vec) float64   { return a.x*b.x + a.y*b.y + a.z*b.z }
func (a vec) unit() vec           { return a.times(1 / math.Sqrt(a.dot(a))) }
func (a vec) cross(b vec) vec     { return vec{a.y*b.z - a.z*b.y, a.z*b.x - a.x*b.z, a.x*b.y - a.y*b.x} }

// view is the pretend camera's lens and place.
type view struct {
	eye                vec
	right, up, forward vec
	focal, midX, midY  float64 // pixels
}

// newView looks at target from dist away, turned by yaw to the right and raised by pitch (radians). So much of the target's plane as
// wide says fits across the picture.
func newView(target vec, dist, yaw, pitch, wide float64, w, h int) view {
	back := vec{math.Sin(yaw) * math.Cos(pitch), -math.Cos(yaw) * math.Cos(pitch), math.Sin(pitch)}
	v := view{eye: vec{target.x + back.x*dist, target.y + back.y*dist, target.z + back.z*dist}}
	v.forward = back.times(-1)
	v.right = v.forward.cross(vec{0, 0, 1}).unit()
	v.up = v.right.cross(v.forward)
	v.focal, v.midX, v.midY = float64(w)*dist/wide, float64(w)/2, float64(h)/2
	return v
}

// nearest that anything is drawn to the lens, mm. What is nearer is pushed back, which nobody sees at the picture's edge.
const nearPlane = 60

// at is where p is seen, and how many pixels a millimetre is there.
func (v *view) at(p vec) (point, float32) {
	d := p.minus(v.eye)
	scale := v.focal / max(d.dot(v.forward), nearPlane)
	return point{float32(v.midX + d.dot(v.right)*scale), float32(v.midY - d.dot(v.up)*scale)}, float32(scale)
}

// The lights: a warm lamp from the upper left in front, and what little comes through the window from the right.
var (
	lamp   = vec{-0.55, -0.55, 0.75}.unit()
	window = vec{0.8, -0.2, 0.3}.unit()
)

// lit is a matt surface's colour when its outside points to n.
func lit(c rgb, n vec) rgb {
	warm, cool := float32(max(n.dot(lamp), 0)), float32(max(n.dot(window), 0))
	return rgb{
		c.r * (0.27 + 1.08*warm + 0.12*cool),
		c.g * (0.27 + 0.95*warm + 0.18*cool),
		c.b * (0.31 + 0.76*warm + 0.30*cool),
	}
}

package guard

import (
	"math"

	"layerd/camera"
	"layerd/camera/register"
)

// Arrow is where in the pictures of an alarm a loss shows, and to which side: for each axis that has lost steps and moves something that the camera knows.
type Arrow struct {
	Axis string     `json:"axis"` // "x" or "y"
	MM   float64    `json:"mm"`
	At   [2]float64 `json:"at"` // the middle of what moves with it: from the left and the top, as parts of the picture as it is to be seen
	By   [2]float64 `json:"by"` // how far it has gone: to the right and down, likewise; true to scale, so it is short
}

// arrows are those of a loss of so many mm. Never nil.
func arrows(c *register.Calibration, offMM [2]float64, turn camera.Turn) []Arrow {
	all := []Arrow{}
	for axis, mm := range offMM {
		if mm == 0 {
			continue
		}
		var at, per [2]float64
		n := 0.0
		for _, p := range c.Patches {
			m := p.Move[axis]
			if math.Hypot(m[0], m[1]) < moves {
				continue
			}
			at[0], at[1] = at[0]+float64(p.X+patchSide/2), at[1]+float64(p.Y+patchSide/2)
			per[0], per[1] = per[0]+m[0], per[1]+m[1]
			n++
		}
		if n == 0 {
			continue
		}
		w, h := float64(c.Width), float64(c.Height)
		a := Arrow{Axis: [2]string{"x", "y"}[axis], MM: mm, At: [2]float64{at[0] / n / w, at[1] / n / h}, By: [2]float64{per[0] / n * mm / w, per[1] / n * mm / h}}
		clockwise, mirrored := turn.Apart()
		if mirrored {
			a.At[0], a.By[0] = 1-a.At[0], -a.By[0]
		}
		for ; clockwise > 0; clockwise -= 90 { // what was at the left is at the top
			a.At, a.By = [2]float64{1 - a.At[1], a.At[0]}, [2]float64{-a.By[1], a.By[0]}
		}
		all = append(all, a)
	}
	return all
}

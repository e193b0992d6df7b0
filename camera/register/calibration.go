package register

import (
	"encoding/json"
	"fmt"
	"math"
)

// Kind says what the picture shows of the machine.
type Kind string

const (
	BedMoves  Kind = "bed moves"  // the bed goes to and fro, as the head does to the sides
	HeadMoves Kind = "head moves" // the head goes both ways
	Unclear   Kind = "unclear"
)

// Calibration is what a set-up has learned of one camera's view of one printer. It is never changed. As JSON it takes up to 200 kB.
type Calibration struct {
	Width  int  `json:"width"` // pixels, as Decode gives them
	Height int  `json:"height"`
	Park   Pose `json:"park"`
	Kind   Kind `json:"kind"`

	// What can be told of each axis: the least loss that would be found, by the pictures of the set-up; Blind if more than 1.5 mm.
	DetectsXMM float64 `json:"detects_x_mm"`
	DetectsYMM float64 `json:"detects_y_mm"`
	SeesX      bool    `json:"sees_x"`
	SeesY      bool    `json:"sees_y"`
	WhyX       string  `json:"why_x"` // why an axis cannot be seen, for people; else empty
	WhyY       string  `json:"why_y"`

	PxPerMMX float64 `json:"px_per_mm_x"` // of what moves with the axis; 0 = nothing does
	PxPerMMY float64 `json:"px_per_mm_y"`
	Contrast float64 `json:"contrast"` // of half the patches that move, at least: the spread of their brightness, 0 to 255
	Still    int     `json:"still"`    // how many patches stand still, move with X, with Y
	MoveX    int     `json:"move_x"`
	MoveY    int     `json:"move_y"`

	Sharp   float64    `json:"sharp"`   // how much neighbouring pixels differ
	Scatter [2]float64 `json:"scatter"` // mm, of X and Y between pictures of one pose
	Patches []Patch    `json:"patches"`
}

// Patch is a piece of the picture that moves as one.
type Patch struct {
	X    int           `json:"x"` // its upper left corner
	Y    int           `json:"y"`
	Move [3][2]float64 `json:"move"` // pixels to the right and down per mm of X, Y, Z
	Bend [2]float64    `json:"bend"` // and per mm² of Z
	Self float64       `json:"self"` // correlation of two pictures of it, 0 to 1
	Pix  []byte        `json:"pix"`  // 24 rows of 24 bytes
}

const (
	maxPatches = 190
	blindMM    = 1.5 // who cannot tell less is blind
	leastMM    = 0.35
	unseenMM   = 99 // what an axis that nothing shows "detects": a number, for JSON has no infinity
)

// UnmarshalJSON refuses what could not have been made by a Calibrator, so that a Watcher need not ask again.
func (c *Calibration) UnmarshalJSON(data []byte) error {
	type plain Calibration
	var p plain
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("read a calibration: %w", err)
	}
	if err := (*Calibration)(&p).validate(); err != nil {
		return fmt.Errorf("read a calibration: %w", err)
	}
	*c = Calibration(p)
	return nil
}

func (c *Calibration) validate() error {
	if c.Width < minSide || c.Height < minSide || c.Width > maxPixels/minSide || c.Height > maxPixels/minSide || c.Width*c.Height > maxPixels {
		return fmt.Errorf("pictures of %d × %d pixels", c.Width, c.Height)
	}
	if len(c.Patches) > maxPatches {
		return fmt.Errorf("%d patches, allowed are %d", len(c.Patches), maxPatches)
	}
	for i, p := range c.Patches {
		if len(p.Pix) != side*side || p.X < 0 || p.Y < 0 || p.X > c.Width-side || p.Y > c.Height-side {
			return fmt.Errorf("patch %d has %d pixels at %d, %d", i, len(p.Pix), p.X, p.Y)
		}
		for _, m := range p.Move {
			if !within(1000, m[:]...) {
				return fmt.Errorf("patch %d moves %v pixels per mm", i, m)
			}
		}
		if !within(10, p.Bend[:]...) || !(p.Self > 0 && p.Self <= 1) {
			return fmt.Errorf("patch %d moves %v pixels per mm², and is like itself by %v", i, p.Bend, p.Self)
		}
	}
	if !within(1e4, c.Park.XMM, c.Park.YMM, c.Park.ZMM, c.Sharp, c.Scatter[0], c.Scatter[1], c.DetectsXMM, c.DetectsYMM) {
		return fmt.Errorf("parked at %v, scatter %v", c.Park, c.Scatter)
	}
	return nil
}

func within(most float64, list ...float64) bool {
	for _, v := range list {
		if !(math.Abs(v) <= most) {
			return false
		}
	}
	return true
}

// Crop is the part of the picture in which a loss of an axis, "x" or "y", shows best, as shares of its width and height: for people who want to see it. The whole picture when
// nothing moves with it.
func (c *Calibration) Crop(axis string) (x, y, w, h float64) {
	k := 0
	if axis == "y" {
		k = 1
	}
	x0, y0, x1, y1 := c.Width, c.Height, 0, 0
	for _, p := range c.Patches {
		if p.Move[k] != [2]float64{} {
			x0, y0, x1, y1 = min(x0, p.X), min(y0, p.Y), max(x1, p.X+side), max(y1, p.Y+side)
		}
	}
	if x1 == 0 {
		return 0, 0, 1, 1
	}
	mx, my := max((c.Width/3-x1+x0)/2, side), max((c.Height/3-y1+y0)/2, side) // round about
	x0, y0, x1, y1 = max(x0-mx, 0), max(y0-my, 0), min(x1+mx, c.Width), min(y1+my, c.Height)
	return float64(x0) / float64(c.Width), float64(y0) / float64(c.Height), float64(x1-x0) / float64(c.Width), float64(y1-y0) / float64(c.Height)
}

// patches makes what a Watcher works with.
func (c *Calibration) patches() []*patch {
	list := make([]*patch, 0, len(c.Patches))
	for _, from := range c.Patches {
		p := &patch{x: float64(from.X), y: float64(from.Y), move: from.Move, bend: from.Bend, self: from.Self}
		var pix [side * side]float32
		for i, b := range from.Pix {
			pix[i] = float32(b)
		}
		p.take(&pix)
		list = append(list, p)
	}
	return list
}

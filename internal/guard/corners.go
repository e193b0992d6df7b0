package guard

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"math"
	"slices"

	"layerd/camera"
	"layerd/camera/register"
	"layerd/printer"
)

// For the second opinion people show the four corners of the bed in a picture that the set-up has taken. They stay as long as that set-up. A bed that goes to and fro is parked at the front, where its front corners
// are often out of sight; so in this picture it stands further back.

// BedPicture is that picture.
type BedPicture struct {
	JPEG []byte        `json:"jpeg"`
	Turn camera.Turn   `json:"turn"`
	At   register.Pose `json:"at"` // where the head was believed to be
	AtMS int64         `json:"at_ms"`
}

// Corners are the bed's: front left, front right, back right, back left of what can be printed on.
type Corners struct {
	Tapped [4][2]float64 `json:"tapped"` // pixels of the picture, as it is to be seen
	Seen   [4][2]float64 `json:"seen"`   // and as the Calibration has them
}

var (
	ErrCorners   = errors.New("these corners cannot be used") // wrapped with why
	ErrNoPicture = errors.New("there is no picture of the bed")
)

const (
	maxBed   = 2 << 20 // bytes of a picture that is kept
	leastBed = 0.02    // of the picture
	clearMM  = 60.0    // that the head stands above the bed in it
)

// seeBed takes the picture for the corners, where the bed is likely to be seen whole; nil where it is too big to be kept.
func (r *rounds) seeBed(ctx context.Context, c *register.Calibration) (*BedPicture, error) {
	at := c.Park
	if c.Kind == register.BedMoves { // and Z moves the head, which hides less from above
		at.ZMM = max(at.ZMM, min(clearMM, r.profile.HeightMM/2))
		at.YMM = (3*reach(r.profile).Min.YMM + reach(r.profile).Max.YMM) / 4
	}
	if err := r.goTo(ctx, at); err != nil {
		return nil, err
	}
	frames, err := r.frames(ctx, 1)
	if err != nil || len(frames[0].JPEG) > maxBed {
		return nil, err
	}
	return &BedPicture{JPEG: frames[0].JPEG, Turn: frames[0].Turn, At: at, AtMS: frames[0].Time.UnixMilli()}, nil
}

// BedPicture is the picture in which the corners are to be shown. ErrNoPicture.
func (g *Guard) BedPicture(ctx context.Context) (jpeg []byte, err error) {
	err = g.ask(ctx, func(o *owner) error {
		if o.kept.Bed == nil {
			return ErrNoPicture
		}
		jpeg = o.kept.Bed.JPEG
		return nil
	})
	return jpeg, err
}

// ShowCorners says where the corners of the bed are in that picture: front left, front right, back right, back left, in its pixels as it is to be seen. ErrCorners with why, ErrNotSetUp.
func (g *Guard) ShowCorners(ctx context.Context, tapped [4][2]float64) error {
	return g.ask(ctx, func(o *owner) error { return o.showCorners(tapped) })
}

func (o *owner) showCorners(tapped [4][2]float64) error {
	k := o.kept
	if k.Bed == nil || k.Calibration == nil {
		return ErrNotSetUp
	}
	seen, err := k.Bed.raw(tapped, k.Calibration)
	if err != nil {
		return err
	}
	if err := k.fitsBed(seen); err != nil {
		return err
	}
	o.kept.Corners = &Corners{tapped, seen}
	o.keep()
	if p := o.print; p != nil && p.watcher != nil {
		p.outliner = newOutline(o.kept, p.order.file)
	}
	return nil
}

// raw takes places in the picture as it is to be seen to those that the calibration knows.
func (p *BedPicture) raw(tapped [4][2]float64, c *register.Calibration) (seen [4][2]float64, err error) {
	head, err := jpeg.DecodeConfig(bytes.NewReader(p.JPEG))
	if err != nil {
		return seen, fmt.Errorf("read the picture of the bed: %w", err)
	}
	w, h := float64(head.Width), float64(head.Height)
	if p.Turn.Sideways() {
		w, h = h, w
	}
	clockwise, mirrored := p.Turn.Apart()
	for i, t := range tapped {
		x, y := t[0]/w, t[1]/h
		if !(x >= 0 && x <= 1 && y >= 0 && y <= 1) {
			return seen, fmt.Errorf("%w: one of them is not in the picture", ErrCorners)
		}
		for turn := clockwise; turn > 0; turn -= 90 { // what was at the left is at the top
			x, y = y, 1-x
		}
		if mirrored {
			x = 1 - x
		}
		seen[i] = [2]float64{x * float64(c.Width), y * float64(c.Height)}
	}
	return seen, nil
}

// fitsBed says why corners cannot be the bed's.
func (k *Kept) fitsBed(seen [4][2]float64) error {
	area, turns := 0.0, 0
	for i, a := range seen {
		b, c := seen[(i+1)%4], seen[(i+2)%4]
		area += (a[0]*b[1] - a[1]*b[0]) / 2
		if (b[0]-a[0])*(c[1]-b[1])-(b[1]-a[1])*(c[0]-b[0]) > 0 {
			turns++
		}
	}
	switch {
	case turns != 0 && turns != 4:
		return fmt.Errorf("%w: they must go round the bed, front left, front right, back right, back left", ErrCorners)
	case math.Abs(area) < leastBed*float64(k.Calibration.Width*k.Calibration.Height):
		return fmt.Errorf("%w: the bed is too small in the picture", ErrCorners)
	case !k.inOrder(seen):
		return fmt.Errorf("%w: the set-up has seen left and right, or front and back, elsewhere; begin at the front left", ErrCorners)
	}
	if _, err := projection(k.Calibration, k.Profile, seen); err != nil {
		return fmt.Errorf("%w: they do not look like those of a bed that is seen from the side", ErrCorners)
	}
	return nil
}

// inOrder reports whether right and back are where the set-up has seen the head go to the right, and the head or the bed to and fro.
func (k *Kept) inOrder(seen [4][2]float64) bool {
	way := func(from, to int) [2]float64 {
		return [2]float64{seen[to][0] - seen[from][0], seen[to][1] - seen[from][1]}
	}
	right, back := way(0, 1), way(0, 3)
	c := k.Calibration
	if c.Kind == register.BedMoves { // towards the front, as Y grows
		back = way(3, 0)
	}
	for axis, edge := range [2][2]float64{right, back} {
		var along []float64
		for _, p := range c.Patches {
			if m := p.Move[axis]; m != [2]float64{} {
				along = append(along, m[0]*edge[0]+m[1]*edge[1])
			}
		}
		slices.Sort(along)
		if len(along) > 0 && along[len(along)/2] < 0 && !(axis == 1 && c.Kind == register.Unclear) {
			return false
		}
	}
	return true
}

// projection is how the camera sees a bed whose corners are there.
func projection(c *register.Calibration, p printer.Profile, seen [4][2]float64) (*register.Projection, error) {
	low, high := [2]float64{}, [2]float64{p.WidthMM, p.DepthMM}
	if p.Origin == "center" {
		low, high = [2]float64{-p.WidthMM / 2, -p.DepthMM / 2}, [2]float64{p.WidthMM / 2, p.DepthMM / 2}
	}
	return register.NewProjection(seen, [4][2]float64{low, {high[0], low[1]}, high, {low[0], high[1]}}, c.Width, c.Height)
}

// bedSinks: what moves with X, which is the head, does not move with Z.
func bedSinks(c *register.Calibration) bool {
	if c.Kind != register.HeadMoves {
		return false
	}
	var rises []float64
	for _, p := range c.Patches {
		if x := math.Hypot(p.Move[0][0], p.Move[0][1]); x >= moves {
			rises = append(rises, math.Hypot(p.Move[2][0], p.Move[2][1])/x)
		}
	}
	slices.Sort(rises)
	return len(rises) > 0 && rises[len(rises)/2] < 0.15
}

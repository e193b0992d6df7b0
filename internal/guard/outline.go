package guard

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"layerd/camera/register"
	"layerd/gcode"
)

// The second opinion looks at the print itself:
//
//	the print's file ─▶ gcode.Outlines ─▶ the newest layers' outer walls ─┐
//	four corners of the bed, as people have shown them ─▶ Projection ─────┼─▶ Silhouette ─▶ where the newest lie against the older ones ─▶ judge.outlined
//	the pictures of a look ───────────────────────────────────────────────┘
//
// It belongs to the goroutine for what takes long, as the Watcher does. What it cannot tell it says, and never guesses.

// outline is it for one print and camera.
type outline struct {
	sight *register.Silhouette
	shown register.Pose // when the corners were seen
	moves bool          // the bed goes to the front as Y grows …
	sinks bool          // … and down as the print does
	file  *printFile
	left  []int // objects that were not printed any further at the look before
}

// second is what one look of it has come to.
type second struct {
	aside register.Aside
	why   string // it saw nothing, for people; "" it did
	never bool   // nor will it, in this print
}

const (
	newestLayers = 10
	olderLayers  = 50
	leastOlder   = 10       // below which there is too little to compare with
	readAtOnce   = 32 << 20 // bytes of the file in a look, to the end of a layer, which may be as long again
	besideMM     = 0.5      // that a bed of which it is not known how it moves may be from where its corners were seen
	inTurnMM     = 1.0      // by which a layer may lie lower than one before: else objects are printed one after the other
)

var (
	errNoFile = errors.New("its file cannot be read again")
	errLayer  = errors.New("a layer of it is too long to be read beside the print")
	errInTurn = errors.New("its objects are printed one after the other, and hide each other")
)

// newOutline makes it; nil where nobody has shown the corners.
func newOutline(k Kept, file *printFile) *outline {
	if k.Corners == nil || k.Calibration == nil || k.Bed == nil {
		return nil
	}
	proj, err := projection(k.Calibration, k.Profile, k.Corners.Seen)
	if err != nil {
		return nil
	}
	return &outline{sight: register.NewSilhouette(proj), shown: k.Bed.At, moves: k.Calibration.Kind == register.BedMoves, sinks: bedSinks(k.Calibration), file: file}
}

// look compares the newest layers with the older ones, after layer. left are the objects that are not printed any further; head is what the pictures show of the head.
func (o *outline) look(ctx context.Context, layer int, at register.Pose, pics []*register.Luma, left []int, head register.Look) (s second) {
	o.file.read(ctx, layer)
	if why := o.file.why; why != nil {
		return second{why: cannot(why), never: true}
	}
	if !slices.Equal(left, o.left) || head.Why == register.Relit || head.Why == register.CameraMoved { // what stood in the way may not any more, and edges are elsewhere in another light
		o.left = left
		o.sight.Relearn()
	}
	switch head.Why {
	case "", register.Learning, register.Faint, register.Unseen, register.Covered:
	default:
		return second{why: words(head.Why)}
	}
	forward, down := 0.0, 0.0
	switch by := at.YMM - o.shown.YMM; {
	case o.moves:
		forward = by
	case math.Abs(by) > besideMM:
		return second{why: words(register.Elsewhere)}
	}
	if o.sinks {
		down = at.ZMM - o.shown.ZMM
	}
	older, newest := o.file.lie(layer, left)
	switch {
	case o.file.behind:
		return second{why: "It still reads the print's file."}
	case len(older) == 0 || len(newest) == 0:
		return second{why: "There are too few layers yet."}
	}
	s.aside = o.sight.Look(layer, pics, older, newest, forward, down)
	switch a := s.aside; {
	case a.Sees:
	case a.SigmaXMM > 90:
		s.why = "Too little of the print's edge is seen."
	default:
		s.why = "It learns how the print's edges lie, or they lie too differently."
	}
	return s
}

// cannot says for people why a print is not looked at in this way.
func cannot(why error) string {
	return forPeople(fmt.Errorf("it cannot be used in this print: %w", why))
}

// printFile is what is read of the print's file. It is read by the goroutine for what takes long.
type printFile struct {
	open   func(ctx context.Context) (io.ReadSeekCloser, error)
	walls  *gcode.Outlines
	layers []walled // the newest that were read
	why    error    // it cannot be told of this print
	behind bool     // it was not read to where the print is
}

// walled is a layer's walls.
type walled struct {
	layer int
	walls []gcode.Wall
}

func newPrintFile(order Order) *printFile {
	f := &printFile{open: order.Open, why: errNoFile}
	if order.Open != nil && order.Survey != nil {
		f.walls, f.why = gcode.NewOutlines(order.Survey)
	}
	return f
}

// read reads on to the walls of layer.
func (f *printFile) read(ctx context.Context, layer int) {
	if f.why != nil {
		return
	}
	next, offset := f.walls.Next()
	if next > layer {
		return
	}
	file, err := f.open(ctx)
	if err == nil {
		defer file.Close()
		if _, err = file.Seek(offset, io.SeekStart); err == nil {
			err = f.walls.Read(bounded(ctx, file, 2*readAtOnce), layer, readAtOnce, f.take)
		}
	}
	next, _ = f.walls.Next()
	f.behind = next <= layer
	switch {
	case errors.Is(err, errLayer):
		f.why = errLayer
	case err != nil:
		f.why = errNoFile
	}
	if f.inTurn() {
		f.why = errInTurn
	}
	if f.why != nil {
		f.layers = nil
	}
}

// reading is a Read of something else.
type reading func(b []byte) (int, error)

func (r reading) Read(b []byte) (int, error) { return r(b) }

// bounded reads r until ctx ends, so that nothing waits for it then, and errLayer once it is more than most bytes: all else that takes long waits behind it.
func bounded(ctx context.Context, r io.Reader, most int64) io.Reader {
	return reading(func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if most <= 0 {
			return 0, errLayer
		}
		n, err := r.Read(b[:min(int64(len(b)), most)])
		most -= int64(n)
		return n, err
	})
}

func (f *printFile) take(layer int, walls []gcode.Wall) {
	f.layers = append(f.layers, walled{layer, walls})
	f.layers = slices.Delete(f.layers, 0, max(len(f.layers)-newestLayers-olderLayers, 0))
}

// inTurn reports whether objects are printed one after the other.
func (f *printFile) inTurn() bool {
	top := 0.0
	for _, l := range f.layers {
		high := 0.0
		for _, w := range l.walls {
			high = max(high, w.ZMM)
		}
		if len(l.walls) > 0 && high < top-inTurnMM {
			return true
		}
		top = max(top, high)
	}
	return false
}

// lie are the outlines of the newest layers up to layer, and of those below, without some objects; none when there are too few.
func (f *printFile) lie(layer int, without []int) (older, newest []register.Outline) {
	below := 0
	for _, l := range f.layers {
		if l.layer > layer {
			break
		}
		if l.layer <= layer-newestLayers && len(l.walls) > 0 {
			below++
		}
		for _, w := range l.walls {
			one := register.Outline{ZMM: w.ZMM, Points: w.Points}
			switch {
			case slices.Contains(without, w.Object):
			case l.layer > layer-newestLayers:
				newest = append(newest, one)
			default:
				older = append(older, one)
			}
		}
	}
	if below < leastOlder {
		return nil, nil
	}
	return older, newest
}

// said is that for people.
func (s second) said() string {
	if a := s.aside.Step; a.Sure > 0 {
		f := &finding{}
		f.offMM[axisOf(a.Axis)] = a.MM
		return "The " + f.lie() + "."
	}
	if s.aside.Sees {
		return "All layers lie one above the other."
	}
	return ""
}

// outlined takes over what the second opinion says of a look.
func (o *owner) outlined(ctx context.Context, s second, layer int, at time.Time) {
	p := o.print
	p.second, p.outline = s, Statement{Witness: "outline", Said: s.said(), AtMS: at.UnixMilli()}
	o.act(ctx, p.judge.outlined(s.aside, layer, at))
}

// outlineDoes is how it does, for people.
func (o *owner) outlineDoes(p *watched, camera Witness) Witness {
	switch {
	case camera.Status == WitnessUnset || camera.Status == WitnessUnable:
		return Witness{Status: camera.Status, Why: camera.Why}
	case o.kept.Bed == nil:
		return Witness{Status: WitnessUnset, Why: "The set-up has no picture of the bed: do the set-up again."}
	case o.kept.Corners == nil:
		return Witness{Status: WitnessUnset, Why: "Nobody has shown it the corners of the bed."}
	case p == nil:
		return Witness{Status: WitnessReady}
	case p == o.print && p.order.never != nil:
		return Witness{Status: WitnessUnable, Why: cannot(p.order.never)}
	case p == o.print && camera.Status == WitnessBlind && (p.camera == nil || !p.seen.any || p.outline.AtMS != p.seen.AtMS): // there was no picture for it, and what it saw before is not how it does
		return Witness{Status: WitnessBlind, Why: camera.Why, AtMS: p.outline.AtMS}
	}
	w := Witness{Status: WitnessReady, Why: p.second.why, AtMS: p.outline.AtMS, Said: p.outline.Said}
	switch a := p.second.aside; {
	case p.second.never:
		w.Status = WitnessUnable
	case p.second.why != "":
		w.Status = WitnessBlind
	case a.Sees:
		w.DetectsXMM, w.DetectsYMM = tells(a.DetectsXMM), tells(a.DetectsYMM)
	}
	return w
}

// tells is the least that an alarm would be raised for, where so little is detected; 0 nothing is.
func tells(detectsMM float64) float64 {
	if detectsMM > 90 {
		return 0
	}
	return max(detectsMM, partLeastMM)
}

package register

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"slices"
)

// Luma is a grey picture: H rows of W bytes.
type Luma struct {
	W, H int
	Pix  []byte
}

// Limits of one picture.
const (
	maxJPEG   = 8 << 20
	maxPixels = 4_000_000 // a decoder needs up to six bytes for each
	minSide   = 96
	halveFrom = 1280 // pixels; wider pictures are halved: the noise is halved with them, and the work quartered
)

var errPicture = errors.New("picture cannot be used")

// Decode reads a JPEG's brightness, halved until it is less than 1280 wide. The memory of into is used again when it suffices. Nothing in data can make it panic
// or take more than some 25 MB.
func Decode(data []byte, into *Luma) error {
	if len(data) > maxJPEG {
		return fmt.Errorf("%w: %d bytes, want at most %d", errPicture, len(data), maxJPEG)
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("read a picture's size: %w", err)
	}
	if head.Width < minSide || head.Height < minSide || head.Width*head.Height > maxPixels {
		return fmt.Errorf("%w: %d × %d pixels", errPicture, head.Width, head.Height)
	}
	if head.Width >= halveFrom && halfLuma(data, into) == nil {
		if into.W >= halveFrom {
			into.take(slices.Clone(into.Pix), into.W, into.W, into.H)
		}
		return nil
	}
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("decode a picture: %w", err)
	}
	switch img := img.(type) {
	case *image.YCbCr:
		into.take(img.Y, img.YStride, head.Width, head.Height)
	case *image.Gray:
		into.take(img.Pix, img.Stride, head.Width, head.Height)
	default:
		return fmt.Errorf("%w: its colours are not those of a camera", errPicture)
	}
	return nil
}

// take copies a picture, halved as often as it is too wide.
func (l *Luma) take(pix []byte, stride, w, h int) {
	for ; w >= halveFrom && h >= 2*minSide; w, h = w/2, h/2 {
		half := make([]byte, (w/2)*(h/2))
		for y := range h / 2 {
			a, b, out := pix[2*y*stride:][:w], pix[(2*y+1)*stride:][:w], half[y*(w/2):][:w/2]
			for x := range out {
				out[x] = byte((int(a[2*x]) + int(a[2*x+1]) + int(b[2*x]) + int(b[2*x+1]) + 2) / 4)
			}
		}
		pix, stride = half, w/2
	}
	l.W, l.H, l.Pix = w, h, slices.Grow(l.Pix[:0], w*h)[:w*h]
	for y := range h {
		copy(l.Pix[y*w:][:w], pix[y*stride:])
	}
}

// plane is a picture for sub-pixel arithmetic.
type plane struct {
	w, h int
	pix  []float32
}

func (p *plane) size(w, h int) {
	p.w, p.h, p.pix = w, h, slices.Grow(p.pix[:0], w*h)[:w*h]
}

// picture is one pose's pictures made one, in whole, half and quarter size.
type picture struct {
	level [levels]plane
	rows  []float32 // scratch
	mean  float64   // brightness, 0 to 255
	sharp float64   // how much neighbours differ
	white float64   // the share of pixels that are as bright as can be
}

const levels = 3

// load takes the median of up to three pictures, which a torn one cannot hurt and which has less noise than one, smooths it a little, and makes the smaller ones. It
// reports false if there is none or their sizes differ.
func (p *picture) load(pics []*Luma) bool {
	pics = pics[max(len(pics)-3, 0):]
	for _, l := range pics {
		if l == nil || l.W != pics[0].W || l.H != pics[0].H || l.W < minSide || l.H < minSide || len(l.Pix) < l.W*l.H {
			return false
		}
	}
	if len(pics) == 0 {
		return false
	}
	full := &p.level[0]
	full.size(pics[0].W, pics[0].H)
	merge(full.pix, pics)
	sum, white := 0.0, 0
	for y := range full.h {
		of := float32(0)
		for _, v := range full.pix[y*full.w:][:full.w] {
			if of += v; v >= 250 {
				white++
			}
		}
		sum += float64(of)
	}
	p.mean, p.white = sum/float64(len(full.pix)), float64(white)/float64(len(full.pix))
	p.smooth()
	for l := 1; l < levels; l++ {
		p.level[l].half(&p.level[l-1])
	}
	p.sharp = p.level[0].contrast()
	return true
}

// merge is the middle of three, the mean of two, or the only one.
func merge(out []float32, pics []*Luma) {
	a, b := pics[0].Pix[:len(out)], pics[len(pics)-1].Pix[:len(out)]
	if len(pics) < 3 {
		for i := range out {
			out[i] = (float32(a[i]) + float32(b[i])) / 2
		}
		return
	}
	c := pics[1].Pix[:len(out)]
	for i := range out {
		out[i] = float32(max(min(a[i], b[i]), min(max(a[i], b[i]), c[i])))
	}
}

// smooth weighs each pixel with its neighbours 1 : 2 : 1 in both directions, so that what lies between two pixels is well told from them.
func (p *picture) smooth() {
	f := &p.level[0]
	p.rows = slices.Grow(p.rows[:0], f.w*2)[:f.w*2]
	above, here := p.rows[:f.w], p.rows[f.w:]
	for y := range f.h {
		row := f.pix[y*f.w:][:f.w]
		last := row[0]
		for x := range f.w - 1 {
			v := row[x]
			row[x], last = (last+2*v+row[x+1])/4, v
		}
		row[f.w-1] = (last + 3*row[f.w-1]) / 4
	}
	copy(above, f.pix)
	for y := range f.h {
		row, below := f.pix[y*f.w:][:f.w], f.pix[min(y+1, f.h-1)*f.w:][:f.w]
		copy(here, row)
		for x := range row {
			row[x] = (above[x] + 2*here[x] + below[x]) / 4
		}
		above, here = here, above
	}
}

func (p *plane) half(of *plane) {
	p.size(of.w/2, of.h/2)
	for y := range p.h {
		a, b, out := of.pix[2*y*of.w:][:of.w], of.pix[(2*y+1)*of.w:][:of.w], p.pix[y*p.w:][:p.w]
		for x := range out {
			out[x] = (a[2*x] + a[2*x+1] + b[2*x] + b[2*x+1]) / 4
		}
	}
}

// contrast is the root of the mean square difference of neighbours: blur takes from it, for it makes many small differences of a large one.
func (p *plane) contrast() float64 {
	sum := 0.0
	for y := 0; y < p.h; y += 2 {
		row, of := p.pix[y*p.w:][:p.w], float32(0)
		for x := 1; x < len(row); x++ {
			d := row[x] - row[x-1]
			of += d * d
		}
		sum += float64(of)
	}
	return math.Sqrt(sum / float64(p.w*p.h/2))
}

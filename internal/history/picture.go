package history

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"time"
)

// Pictures is where a print's last picture comes from: the newest JPEG and when it was taken, nothing when there is none. It does not wait.
type Pictures func() (jpeg []byte, taken time.Time)

const (
	pictureAge   = 5 * time.Second // a picture older than this at the end of a print does not show its end
	pictureBytes = 200 << 10       // a bigger one is made smaller
	picturePixel = 16_000_000      // what costs more memory than this to make smaller is not kept
)

// lastPicture is the picture of this moment; nil when there is none.
func (r *Recorder) lastPicture() []byte {
	if r.pictures == nil {
		return nil
	}
	data, taken := r.pictures()
	if len(data) == 0 || time.Since(taken).Abs() > pictureAge {
		return nil
	}
	return fitPicture(data, pictureBytes)
}

// fitPicture returns a JPEG as it is, or with half its width and height again and again until it has at most that many bytes. It is nil when it
// cannot be read: a camera's bytes are not ours.
func fitPicture(data []byte, most int) []byte {
	if len(data) <= most {
		return data
	}
	head, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil || int64(head.Width)*int64(head.Height) > picturePixel {
		return nil
	}
	picture, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	for picture.Bounds().Dx() >= 2 && picture.Bounds().Dy() >= 2 {
		picture = half(picture)
		var out bytes.Buffer
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: 80}); err != nil {
			return nil
		}
		if out.Len() <= most {
			return out.Bytes()
		}
	}
	return nil
}

// half is a picture of half the width and height: each pixel is the mean of four.
func half(from image.Image) image.Image {
	b := from.Bounds()
	to := image.NewRGBA(image.Rect(0, 0, b.Dx()/2, b.Dy()/2))
	for y := range b.Dy() / 2 {
		for x := range b.Dx() / 2 {
			var red, green, blue uint32
			for _, at := range [4]image.Point{{0, 0}, {1, 0}, {0, 1}, {1, 1}} {
				r, g, bl, _ := from.At(b.Min.X+2*x+at.X, b.Min.Y+2*y+at.Y).RGBA()
				red, green, blue = red+r, green+g, blue+bl
			}
			to.SetRGBA(x, y, color.RGBA{uint8(red >> 10), uint8(green >> 10), uint8(blue >> 10), 0xff})
		}
	}
	return to
}

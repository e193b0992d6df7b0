package camera

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// rawQuality is the JPEG quality for cameras that deliver raw pictures.
const rawQuality = 80

// yuyv turns raw 4:2:2 pictures, YUYV or UYVY, into JPEGs, in buffers that it uses again. Not for several goroutines.
type yuyv struct {
	width, height int
	swapped       bool // UYVY: each two bytes the other way round
	sure          bool // the size was seen in a picture
	img           *image.YCbCr
	out           jpegBuffer
}

// jpegBuffer has what the encoder asks of a writer, which spares it a bufio.Writer for each picture.
type jpegBuffer struct{ bytes.Buffer }

// Flush does nothing.
func (*jpegBuffer) Flush() error { return nil }

// encode returns a JPEG that is valid until the next call.
func (y *yuyv) encode(raw []byte) ([]byte, error) {
	w, h, err := y.size(len(raw))
	if err != nil {
		return nil, err
	}
	if y.img == nil || y.img.Rect.Dx() != w || y.img.Rect.Dy() != h {
		y.img = image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio422)
	}
	unpackYUYV(y.img, raw, y.swapped)
	y.out.Reset()
	if err := jpeg.Encode(&y.out, y.img, &jpeg.Options{Quality: rawQuality}); err != nil {
		return nil, fmt.Errorf("encode jpeg: %w", err)
	}
	return y.out.Bytes(), nil
}

// size is that of a picture of n bytes. A driver may have taken another size than it was asked for, which the length of the
// first picture tells: no two common sizes have the same. Later on another length is a picture that was cut off.
func (y *yuyv) size(n int) (w, h int, err error) {
	if y.width*y.height*2 == n {
		y.sure = true
		return y.width, y.height, nil
	}
	for _, s := range commonSizes {
		if !y.sure && s[0]*s[1]*2 == n {
			y.width, y.height, y.sure = s[0], s[1], true
			return s[0], s[1], nil
		}
	}
	return 0, 0, fmt.Errorf("raw picture of %d bytes, want %d for %dx%d", n, y.width*y.height*2, y.width, y.height)
}

// unpackYUYV sorts Y0 U Y1 V, or U Y0 V Y1 when swapped, the bytes of each two pixels of a row, into planes. img is 4:2:2, raw fills it exactly,
// and the width is even.
func unpackYUYV(img *image.YCbCr, raw []byte, swapped bool) {
	w := img.Rect.Dx()
	for row := range img.Rect.Dy() {
		in := raw[row*w*2 : (row+1)*w*2]
		ys := img.Y[row*img.YStride:][:w]
		us := img.Cb[row*img.CStride:][:w/2]
		vs := img.Cr[row*img.CStride:][:w/2]
		for i := range us {
			four := in[i*4 : i*4+4 : i*4+4]
			if swapped {
				us[i], ys[i*2], vs[i], ys[i*2+1] = four[0], four[1], four[2], four[3]
			} else {
				ys[i*2], us[i], ys[i*2+1], vs[i] = four[0], four[1], four[2], four[3]
			}
		}
	}
}

package gcode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
)

// QOI (qoiformat.org) is what PrusaSlicer writes thumbnails in for its newer printers. No browser shows it, so it becomes a PNG here.

const (
	qoiMagic  = "qoif"
	qoiHeader = 14
	maxQOI    = 1 << 20 // px: one byte of QOI can stand for 62 of them
)

var errQOI = errors.New("damaged QOI picture")

// qoiSize reads a header.
func qoiSize(data []byte) (image.Config, error) {
	if len(data) < qoiHeader {
		return image.Config{}, errQOI
	}
	w, h := binary.BigEndian.Uint32(data[4:]), binary.BigEndian.Uint32(data[8:])
	if w > maxThumbnailSide || h > maxThumbnailSide || w*h > maxQOI {
		return image.Config{}, errQOI
	}
	return image.Config{Width: int(w), Height: int(h)}, nil
}

// qoiDecoder makes PNGs of QOIs, one after another in the same memory.
type qoiDecoder struct {
	pix    []byte
	buffer *png.EncoderBuffer
}

// Get and Put are what package png asks for.
func (q *qoiDecoder) Get() *png.EncoderBuffer  { return q.buffer }
func (q *qoiDecoder) Put(b *png.EncoderBuffer) { q.buffer = b }

// toPNG fails when the header lies or pixels are missing.
func (q *qoiDecoder) toPNG(data []byte) ([]byte, error) {
	size, err := qoiSize(data)
	if err != nil {
		return nil, err
	}
	if n := 4 * size.Width * size.Height; len(q.pix) < n {
		q.pix = make([]byte, n)
	}
	picture := &image.NRGBA{Pix: q.pix[:4*size.Width*size.Height], Stride: 4 * size.Width, Rect: image.Rect(0, 0, size.Width, size.Height)}
	if !readQOI(picture.Pix, data[qoiHeader:]) {
		return nil, errQOI
	}
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed, BufferPool: q}
	if err := encoder.Encode(&out, picture); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// readQOI fills pix, four bytes each, and reports whether data had enough for it.
func readQOI(pix, data []byte) bool {
	type pixel [4]byte
	var seen [64]pixel
	now := pixel{0, 0, 0, 255}
	for len(pix) > 0 {
		if len(data) == 0 {
			return false
		}
		op := data[0]
		data = data[1:]
		times := 1
		switch {
		case op >= 0xfe: // RGB, RGBA
			n := 3 + int(op&1)
			if len(data) < n {
				return false
			}
			copy(now[:n], data)
			data = data[n:]
		case op>>6 == 0: // one that was seen
			now = seen[op]
		case op>>6 == 1: // a small difference
			now[0] += op>>4&3 - 2
			now[1] += op>>2&3 - 2
			now[2] += op&3 - 2
		case op>>6 == 2: // a difference mostly of green
			if len(data) == 0 {
				return false
			}
			green := op&63 - 32
			now[0] += green + data[0]>>4 - 8
			now[1] += green
			now[2] += green + data[0]&15 - 8
			data = data[1:]
		default:
			times = min(int(op&63)+1, len(pix)/4)
		}
		seen[(int(now[0])*3+int(now[1])*5+int(now[2])*7+int(now[3])*11)%64] = now
		for range times {
			copy(pix, now[:])
			pix = pix[4:]
		}
	}
	return true
}

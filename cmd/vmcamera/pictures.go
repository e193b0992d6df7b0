package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"sync"
)

// fed is what was written into a loopback device, and what may be made of it. Each picture has a number in a comment, so that no two are the same.
type fed struct {
	mu    sync.Mutex // guards all below
	next  uint32
	wrote map[uint32]sent
}

type sent struct {
	kind kind
	jpeg []byte // before it was spoilt
}

// kind is what is done to a picture before it is written.
type kind uint8

const (
	good   kind = iota
	padded      // zeros behind its end, as drivers that hand out the whole buffer do
	bare        // without Huffman tables, as many USB cameras send it
	cut         // half of it is missing
	headed      // its end is the beginning of another, as after lost USB packets
)

const (
	feedW, feedH = 640, 480
	markDHT      = 0xc4
	markCOM      = 0xfe
	markSOS      = 0xda
)

// base is a picture with enough in it to be as large as a camera's.
func base(w, h int, quality int, seed uint64) ([]byte, error) {
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(seed, 1))
	for y := range h {
		for x := range w {
			m.Y[m.YOffset(x, y)] = uint8(40 + 150*x/w + random.IntN(24))
		}
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = 110+uint8(seed%40), 140
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality})
	return b.Bytes(), err
}

// make is the next picture, spoilt as kind says.
func (f *fed) make(from []byte, k kind) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	comment := binary.BigEndian.AppendUint32([]byte{0xff, markCOM, 0, 6}, f.next)
	whole := append(append(append([]byte{}, from[:2]...), comment...), from[2:]...)
	if f.wrote == nil {
		f.wrote = map[uint32]sent{}
	}
	f.wrote[f.next] = sent{k, whole}
	switch k {
	case padded:
		return append(bytes.Clone(whole), make([]byte, 5000)...)
	case bare:
		without, err := withoutTables(whole)
		if err != nil {
			panic(err) // Go's encoder writes no such thing
		}
		f.wrote[f.next] = sent{k, without}
		return without
	case cut:
		return whole[:len(whole)/2]
	case headed:
		return append(bytes.Clone(whole[:len(whole)/2]), whole[:len(whole)/3]...)
	}
	return whole
}

// check is an error unless got is a picture that was written whole, byte by byte; only Huffman tables may have been added.
func (f *fed) check(got []byte) (kind, error) {
	n := number(got)
	f.mu.Lock()
	was, ok := f.wrote[n]
	f.mu.Unlock()
	switch {
	case !ok:
		return 0, fmt.Errorf("picture %d was never written", n)
	case was.kind == cut || was.kind == headed:
		return was.kind, fmt.Errorf("picture %d is damaged, and was not refused", n)
	case was.kind == bare:
		without, err := withoutTables(got)
		if err != nil {
			return was.kind, err
		}
		if len(without) == len(got) {
			return was.kind, fmt.Errorf("picture %d still has no Huffman tables", n)
		}
		if !bytes.Equal(without, was.jpeg) {
			return was.kind, fmt.Errorf("picture %d was changed in other things than its tables", n)
		}
	case !bytes.Equal(got, was.jpeg):
		return was.kind, fmt.Errorf("picture %d was changed: %d bytes, %d were written", n, len(got), len(was.jpeg))
	}
	// No flat picture: with wrong tables it would decode to something, but not to this slope.
	m, err := jpeg.Decode(bytes.NewReader(got))
	if err != nil {
		return was.kind, err
	}
	left, right := grey(m, 20), grey(m, feedW-20)
	if m.Bounds().Dx() != feedW || m.Bounds().Dy() != feedH || right < left+100 {
		return was.kind, fmt.Errorf("picture %d decodes to something else: %v, %d to %d", n, m.Bounds(), left, right)
	}
	return was.kind, nil
}

// number is that in a picture's comment, 0 when it has none.
func number(picture []byte) uint32 {
	if len(picture) < 10 || picture[3] != markCOM {
		return 0
	}
	return binary.BigEndian.Uint32(picture[6:])
}

// last is the number of the newest picture.
func (f *fed) last() uint32 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next
}

func grey(m image.Image, x int) int {
	return int(color.GrayModel.Convert(m.At(x, feedH/2)).(color.Gray).Y)
}

// withoutTables cuts out the Huffman tables between the head of a picture and its first scan.
func withoutTables(picture []byte) ([]byte, error) {
	out := bytes.Clone(picture[:2])
	for rest := picture[2:]; len(rest) >= 4 && rest[0] == 0xff; {
		n := 2 + int(binary.BigEndian.Uint16(rest[2:]))
		if rest[1] == markSOS {
			return append(out, rest...), nil
		}
		if n > len(rest) {
			break
		}
		if rest[1] != markDHT {
			out = append(out, rest[:n]...)
		}
		rest = rest[n:]
	}
	return nil, errors.New("no scan in the picture")
}

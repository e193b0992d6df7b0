package gcode

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/png"
	"math/rand/v2"
	"testing"
)

// testPicture has single colours, slopes, noise and transparency: something for each operation of QOI.
func testPicture(w, h int) *image.NRGBA {
	picture := image.NewNRGBA(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewPCG(3, 4))
	for i := range w * h {
		x, y, px := i%w, i/w, picture.Pix[4*i:][:4]
		switch {
		case y < h/4:
			copy(px, []byte{10, 20, 30, 255})
		case y < h/2:
			copy(px, []byte{byte(x), byte(2*x + y), byte(3 * x), 255})
		case y < 3*h/4:
			binary.BigEndian.PutUint32(px, random.Uint32()|0xff)
		default:
			copy(px, []byte{byte(7 * (x % 3)), 0, 0, byte(100 * (x % 3))})
		}
	}
	return picture
}

// qoiOf is an encoder after the specification.
func qoiOf(picture *image.NRGBA) []byte {
	out := []byte(qoiMagic)
	out = binary.BigEndian.AppendUint32(out, uint32(picture.Rect.Dx()))
	out = binary.BigEndian.AppendUint32(out, uint32(picture.Rect.Dy()))
	out = append(out, 4, 0)
	var seen [64][4]byte
	before, run := [4]byte{0, 0, 0, 255}, 0
	endRun := func() {
		if run > 0 {
			out = append(out, 0xc0|byte(run-1))
		}
		run = 0
	}
	for i := 0; i < len(picture.Pix); i += 4 {
		px := [4]byte(picture.Pix[i:])
		if px == before {
			if run++; run == 62 {
				endRun()
			}
			continue
		}
		endRun()
		at := (int(px[0])*3 + int(px[1])*5 + int(px[2])*7 + int(px[3])*11) % 64
		r, g, b := int8(px[0]-before[0]), int8(px[1]-before[1]), int8(px[2]-before[2])
		switch {
		case seen[at] == px:
			out = append(out, byte(at))
		case px[3] != before[3]:
			out = append(append(out, 0xff), px[:]...)
		case r >= -2 && r < 2 && g >= -2 && g < 2 && b >= -2 && b < 2:
			out = append(out, 0x40|byte(r+2)<<4|byte(g+2)<<2|byte(b+2))
		case g >= -32 && g < 32 && r-g >= -8 && r-g < 8 && b-g >= -8 && b-g < 8:
			out = append(out, 0x80|byte(g+32), byte(r-g+8)<<4|byte(b-g+8))
		default:
			out = append(append(out, 0xfe), px[:3]...)
		}
		seen[at], before = px, px
	}
	endRun()
	return append(out, 0, 0, 0, 0, 0, 0, 0, 1)
}

func TestQOI(t *testing.T) {
	want := testPicture(150, 80)
	data := qoiOf(want)
	converted, err := new(qoiDecoder).toPNG(data)
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(converted))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 80 {
		for x := range 150 {
			if got.At(x, y) != want.At(x, y) {
				t.Fatalf("at %d, %d: got %v, want %v", x, y, got.At(x, y), want.At(x, y))
			}
		}
	}
	for name, bad := range map[string][]byte{
		"header alone":    data[:qoiHeader],
		"cut off":         data[:len(data)/2],
		"cut header":      data[:9],
		"no pixels asked": append([]byte("qoif\x00\x00\x00\x00\x00\x00\x00\x05\x04\x00"), data[qoiHeader:]...),
		"too wide":        append([]byte("qoif\x00\x00\x10\x00\x00\x00\x00\x05\x04\x00"), data[qoiHeader:]...),
		"too many pixels": append([]byte("qoif\x00\x00\x08\x00\x00\x00\x08\x00\x04\x00"), data[qoiHeader:]...),
		"over 32 bits":    append([]byte("qoif\xff\xff\xff\xff\xff\xff\xff\xff\x04\x00"), data[qoiHeader:]...),
	} {
		if out, err := new(qoiDecoder).toPNG(bad); err == nil {
			t.Errorf("%s: %d bytes of PNG, want an error", name, len(out))
		}
	}
}

func FuzzQOI(f *testing.F) {
	f.Add(qoiOf(testPicture(9, 9)))
	f.Add([]byte("qoif\x00\x00\x00\x08\x00\x00\x00\x08\x04\x00\xfd\xc0\x80\x00\x41"))
	f.Fuzz(func(t *testing.T, data []byte) {
		converted, err := new(qoiDecoder).toPNG(data)
		if err != nil {
			return
		}
		if size, err := png.DecodeConfig(bytes.NewReader(converted)); err != nil || size.Width*size.Height > maxQOI {
			t.Errorf("%v, %v", size, err)
		}
	})
}

func BenchmarkQOI(b *testing.B) {
	data := qoiOf(testPicture(440, 240))
	b.SetBytes(440 * 240 * 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := new(qoiDecoder).toPNG(data); err != nil {
			b.Fatal(err)
		}
	}
}

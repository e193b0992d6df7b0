package camera

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
)

// segmentAt finds a segment with this marker by walking, and returns where it begins and ends.
func segmentAt(t testing.TB, pic []byte, marker byte) (begin, end int) {
	t.Helper()
	for at := 2; at+4 <= len(pic) && pic[at] == 0xff; {
		next := at + 2 + int(binary.BigEndian.Uint16(pic[at+2:]))
		if pic[at+1] == marker {
			return at, next
		}
		at = next
	}
	t.Fatalf("no segment %02x", marker)
	return 0, 0
}

// withoutTables takes the Huffman tables out of a picture.
func withoutTables(t testing.TB, pic []byte) []byte {
	begin, end := segmentAt(t, pic, markerDHT)
	return slices.Delete(slices.Clone(pic), begin, end)
}

// Go's encoder uses the standard tables, and writes them into every picture.
func TestStandardTables(t *testing.T) {
	pic := picture(t, 64, 64, 1)
	begin, end := segmentAt(t, pic, markerDHT)
	if !bytes.Equal(pic[begin:end], standardTables) {
		t.Errorf("got % x\nwant % x", standardTables, pic[begin:end])
	}
	if len(standardTables) != standardTablesLen {
		t.Errorf("got %d bytes, want %d", len(standardTables), standardTablesLen)
	}
}

func TestCompletePutsTablesBack(t *testing.T) {
	for name, img := range map[string]image.Image{
		"colour": image.NewYCbCr(image.Rect(0, 0, 320, 240), image.YCbCrSubsampleRatio420),
		"grey":   image.NewGray(image.Rect(0, 0, 320, 240)),
	} {
		for i := range 320 * 240 {
			switch m := img.(type) {
			case *image.YCbCr:
				m.Y[i], m.Cb[i/4], m.Cr[i/4] = byte(i*i>>7), byte(i>>3), byte(i>>5)
			case *image.Gray:
				m.SetGray(i%320, i/320, color.Gray{byte(i * i >> 7)})
			}
		}
		var b bytes.Buffer
		if err := jpeg.Encode(&b, img, nil); err != nil {
			t.Fatal(err)
		}
		bare := withoutTables(t, b.Bytes())
		if name == "colour" {
			if _, err := jpeg.Decode(bytes.NewReader(bare)); err == nil {
				t.Fatal("the picture without tables decodes: the test proves nothing")
			}
		}
		fixed, w, h, err := complete(bare, 0)
		if err != nil || w != 320 || h != 240 {
			t.Fatalf("%s: got %dx%d, %v", name, w, h, err)
		}
		got, err := jpeg.Decode(bytes.NewReader(fixed))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want, _ := jpeg.Decode(bytes.NewReader(b.Bytes()))
		if !samePixels(got, want) {
			t.Errorf("%s: the pixels differ", name)
		}
	}
}

func samePixels(a, b image.Image) bool {
	switch a := a.(type) {
	case *image.YCbCr:
		b, ok := b.(*image.YCbCr)
		return ok && a.Rect == b.Rect && bytes.Equal(a.Y, b.Y) && bytes.Equal(a.Cb, b.Cb) && bytes.Equal(a.Cr, b.Cr)
	case *image.Gray:
		b, ok := b.(*image.Gray)
		return ok && a.Rect == b.Rect && bytes.Equal(a.Pix, b.Pix)
	}
	return false
}

func TestComplete(t *testing.T) {
	pic := picture(t, 320, 240, 1)
	sof, _ := segmentAt(t, pic, markerSOF0)
	_, sos := segmentAt(t, pic, markerSOS)
	dqt, dqtEnd := segmentAt(t, pic, markerDQT)
	edit := func(f func(p []byte) []byte) []byte { return f(slices.Clone(pic)) }
	insert := func(at int, b ...byte) []byte { return slices.Insert(slices.Clone(pic), at, b...) }
	// A thumbnail: a whole small JPEG inside an APP1 segment.
	thumb := picture(t, 32, 32, 2)
	app := append([]byte{0xff, 0xe1, byte((len(thumb) + 2) >> 8), byte(len(thumb) + 2)}, thumb...)

	for _, tc := range []struct {
		name string
		in   []byte
		want error
		out  []byte
	}{
		{"as it is", pic, nil, pic},
		{"zero padding", append(slices.Clone(pic), make([]byte, 100_000)...), nil, pic},
		{"some rubbish behind", append(slices.Clone(pic), bytes.Repeat([]byte{7}, 60)...), nil, pic},
		{"much rubbish behind", append(slices.Clone(pic), bytes.Repeat([]byte{7}, 70)...), errTruncated, nil},
		{"a second end far behind", append(append(slices.Clone(pic), bytes.Repeat([]byte{7}, 300)...), 0xff, 0xd9), errShape, nil},
		{"a thumbnail", insert(2, app...), nil, insert(2, app...)},
		{"fill bytes before a marker", insert(sof, 0xff, 0xff), nil, insert(sof, 0xff, 0xff)},
		{"restart markers", insert(sos+8, 0xff, 0xd0), nil, insert(sos+8, 0xff, 0xd0)},
		{"empty", nil, errTruncated, nil},
		{"all zero", make([]byte, 5000), errTruncated, nil},
		{"tiny", pic[:1000], errTruncated, nil},
		{"half", pic[:len(pic)/2], errTruncated, nil},
		{"without its end", pic[:len(pic)-2], errTruncated, nil},
		{"half, and the end", append(slices.Clone(pic[:sos-5]), 0xff, 0xd9), errTruncated, nil},
		{"the next one's head inside", insert(sos+500, pic[:20]...), errShape, nil},
		{"two in one", append(slices.Clone(pic), pic...), errShape, nil},
		{"without its start", pic[2:], errShape, nil},
		{"too large", append(append(slices.Clone(pic[:len(pic)-2]), make([]byte, maxPicture)...), 0xff, 0xd9), errShape, nil},
		{"too wide", edit(func(p []byte) []byte { p[sof+7] = 0xff; return p }), errShape, nil},
		{"no height", edit(func(p []byte) []byte { p[sof+5], p[sof+6] = 0, 0; return p }), errShape, nil},
		{"12 bits", edit(func(p []byte) []byte { p[sof+4] = 12; return p }), errShape, nil},
		{"arithmetic coding", edit(func(p []byte) []byte { p[sof+1] = 0xc9; return p }), errShape, nil},
		{"no frame header", edit(func(p []byte) []byte { p[sof+1] = 0xfe; return p }), errShape, nil},
		{"no quantisation tables", slices.Delete(slices.Clone(pic), dqt, dqtEnd), errShape, nil},
		{"segment of length 1", edit(func(p []byte) []byte { p[sof+2], p[sof+3] = 0, 1; return p }), errShape, nil},
		{"bytes between segments", insert(sof, 1, 2, 3), errShape, nil},
		{"progressive without tables", edit(func(p []byte) []byte { p[sof+1] = markerSOF2; return withoutTables(t, p) }), errShape, nil},
		{"many scans", append(append(slices.Clone(pic[:len(pic)-2]), bytes.Repeat([]byte{0xff, markerSOS, 0, 8, 1, 0, 0, 0, 0, 0, 1}, 100)...), 0xff, 0xd9), errShape, nil},
		{"many segments", insert(2, bytes.Repeat([]byte{0xff, 0xfe, 0, 2}, 1000)...), errShape, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in := slices.Clone(tc.in)
			out, w, h, err := complete(in, 0)
			if !bytes.Equal(in, tc.in) {
				t.Error("the device's bytes were changed")
			}
			if tc.want != nil {
				if !errors.Is(err, tc.want) || out != nil {
					t.Fatalf("got %d bytes, %v, want %v", len(out), err, tc.want)
				}
				return
			}
			if err != nil || w != 320 || h != 240 {
				t.Fatalf("got %dx%d, %v", w, h, err)
			}
			if !bytes.Equal(out, tc.out) {
				t.Errorf("got %d bytes, want %d", len(out), len(tc.out))
			}
		})
	}
}

// What passes begins and ends as a JPEG, has the size that a decoder finds, and passes again unchanged.
func FuzzComplete(f *testing.F) {
	pic := picture(f, 48, 32, 1)
	f.Add(pic)
	f.Add(withoutTables(f, pic))
	f.Add(pic[:len(pic)*2/3])
	f.Add(append(slices.Clone(pic), make([]byte, 300)...))
	f.Add(append(slices.Clone(pic), pic...))
	f.Add(Turned(pic, 6))
	f.Add(Turned(Turned(pic, 6), 3))
	f.Add(slices.Insert(slices.Clone(pic), 2, append([]byte{0xff, 0xff, markerAPP1, 4, 0, 'E', 'x', 'i', 'f', 0}, make([]byte, 1017)...)...))
	f.Fuzz(func(t *testing.T, in []byte) {
		turn := Turn(len(in) % 9)
		out, w, h, err := complete(in, turn)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(out, []byte{0xff, 0xd8}) || !bytes.HasSuffix(out, []byte{0xff, 0xd9}) {
			t.Fatalf("not from start to end: % x … % x", out[:2], out[len(out)-2:])
		}
		if cfg, err := jpeg.DecodeConfig(bytes.NewReader(out)); err == nil && (cfg.Width != w || cfg.Height != h) {
			t.Fatalf("got %dx%d, a decoder finds %dx%d", w, h, cfg.Width, cfg.Height)
		}
		if turn > upright && !bytes.Contains(out, turn.exif()) {
			t.Fatalf("the turn %d is not said", turn)
		}
		again, _, _, err := complete(out, turn)
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("the second time: %v", err)
		}
	})
}

func BenchmarkComplete(b *testing.B) {
	for name, pic := range map[string][]byte{
		"720p":      picture(b, 1280, 720, 1),
		"720p-bare": withoutTables(b, picture(b, 1280, 720, 1)),
		"360p":      picture(b, 640, 360, 1),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(pic)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := complete(pic, 0); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

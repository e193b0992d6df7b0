package camera

import (
	"bytes"
	"testing"
)

// bars is a raw picture of vertical colour bars.
func bars(w, h int) []byte {
	raw := make([]byte, 0, w*h*2)
	for range h {
		for x := 0; x < w; x += 2 {
			bar := x * 8 / w
			raw = append(raw, byte(40+bar*25), byte(60+bar*20), byte(40+bar*25), byte(200-bar*20))
		}
	}
	return raw
}

func TestYUYV(t *testing.T) {
	y := &yuyv{width: 640, height: 480}
	for range 2 { // buffers are used again
		pic, err := y.encode(bars(640, 480))
		if err != nil {
			t.Fatal(err)
		}
		out, w, h, err := complete(pic, 0)
		if err != nil || w != 640 || h != 480 {
			t.Fatalf("got %dx%d, %v", w, h, err)
		}
		img := decodeYCbCr(t, out)
		for bar := range 8 {
			x, row := bar*80+40, 240
			gotY, gotU, gotV := img.Y[img.YOffset(x, row)], img.Cb[img.COffset(x, row)], img.Cr[img.COffset(x, row)]
			for _, c := range []struct {
				name      string
				got, want int
			}{{"Y", int(gotY), 40 + bar*25}, {"Cb", int(gotU), 60 + bar*20}, {"Cr", int(gotV), 200 - bar*20}} {
				if c.got < c.want-4 || c.got > c.want+4 {
					t.Errorf("bar %d: %s got %d, want %d", bar, c.name, c.got, c.want)
				}
			}
		}
	}
	swapped := bars(640, 480)
	for i := 0; i < len(swapped); i += 2 {
		swapped[i], swapped[i+1] = swapped[i+1], swapped[i]
	}
	plain, err := y.encode(bars(640, 480))
	if pic, err2 := (&yuyv{width: 640, height: 480, swapped: true}).encode(swapped); err != nil || err2 != nil || !bytes.Equal(pic, plain) {
		t.Errorf("UYVY is not as YUYV: %v, %v", err, err2)
	}
	if _, err := y.encode(make([]byte, 320*240*2)); err == nil {
		t.Error("a short picture after a whole one: got no error")
	}
	other := &yuyv{width: 640, height: 480} // the driver took another size than it was asked for
	if pic, err := other.encode(bars(1280, 720)); err != nil || decodeYCbCr(t, pic).Rect.Dx() != 1280 {
		t.Errorf("another common size: got %v", err)
	}
	if _, err := (&yuyv{width: 640, height: 480}).encode(make([]byte, 1234)); err == nil {
		t.Error("1234 bytes: got no error")
	}
}

func BenchmarkYUYV(b *testing.B) {
	raw := bars(640, 480)
	y := &yuyv{width: 640, height: 480}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := y.encode(raw); err != nil {
			b.Fatal(err)
		}
	}
}

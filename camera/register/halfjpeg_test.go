package register

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"testing"
)

// scenery is a coloured picture with edges, slopes and noise.
func scenery(w, h int, ratio image.YCbCrSubsampleRatio, seed uint64) *image.YCbCr {
	rng := rand.New(rand.NewPCG(seed, 1))
	img := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	for y := range h {
		for x := range w {
			v := 120 + 80*math.Sin(float64(x)/17)*math.Cos(float64(y)/23) + float64(x/40%2*20) + 4*rng.NormFloat64()
			img.Y[y*img.YStride+x] = byte(min(max(v, 0), 255))
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = byte(i/3), byte(i/7)
	}
	return img
}

// The half decoder says nearly what halving a whole picture says, for all that the standard library writes.
func TestHalfLuma(t *testing.T) {
	gray := image.NewGray(image.Rect(0, 0, 1300, 301))
	copy(gray.Pix, scenery(1300, 301, image.YCbCrSubsampleRatio420, 3).Y)
	for name, img := range map[string]image.Image{
		"420":  scenery(1280, 720, image.YCbCrSubsampleRatio420, 1),
		"odd":  scenery(1291, 213, image.YCbCrSubsampleRatio420, 2),
		"gray": gray,
	} {
		for _, quality := range []int{50, 75, 95} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
				t.Fatal(err)
			}
			var fast, slow Luma
			if err := halfLuma(out.Bytes(), &fast); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			whole, err := jpeg.Decode(&out)
			if err != nil {
				t.Fatal(err)
			}
			switch whole := whole.(type) {
			case *image.YCbCr:
				slow.take(whole.Y, whole.YStride, whole.Rect.Dx(), whole.Rect.Dy())
			case *image.Gray:
				slow.take(whole.Pix, whole.Stride, whole.Rect.Dx(), whole.Rect.Dy())
			}
			if fast.W != slow.W || fast.H != slow.H {
				t.Fatalf("%s: %dx%d, want %dx%d", name, fast.W, fast.H, slow.W, slow.H)
			}
			sum, off := 0.0, 0.0
			for i := range slow.Pix {
				d := float64(fast.Pix[i]) - float64(slow.Pix[i])
				sum, off = sum+d*d, off+d
			}
			n := float64(len(slow.Pix))
			if math.Sqrt(sum/n) > 2.5 || math.Abs(off/n) > 0.25 { // rounding up of halves is an eighth
				t.Errorf("%s, quality %d: differs by %.2f, on average %.3f", name, quality, math.Sqrt(sum/n), off/n)
			}
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, size := range map[string][2]int{"720p": {1280, 720}, "1080p": {1920, 1080}, "480p": {640, 480}} {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, scenery(size[0], size[1], image.YCbCrSubsampleRatio420, 1), &jpeg.Options{Quality: 80}); err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			var l Luma
			b.ReportAllocs()
			for b.Loop() {
				if err := Decode(out.Bytes(), &l); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/image", func(b *testing.B) {
			for b.Loop() {
				if _, err := jpeg.Decode(bytes.NewReader(out.Bytes())); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

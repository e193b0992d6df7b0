package register

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"testing"
)

func FuzzDecode(f *testing.F) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio420} {
		for _, w := range []int{1280, 160} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, scenery(w, 96, ratio, 1), &jpeg.Options{Quality: 40}); err != nil {
				f.Fatal(err)
			}
			f.Add(out.Bytes())
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var l Luma
		if err := Decode(data, &l); err == nil && (l.W < minSide/2 || l.W >= halveFrom || l.H < minSide/2 || len(l.Pix) != l.W*l.H) {
			t.Errorf("%d × %d, %d bytes", l.W, l.H, len(l.Pix))
		}
		var half Luma
		if err := halfLuma(data, &half); err == nil && (len(half.Pix) != half.W*half.H || half.W*half.H > maxPixels/4) {
			t.Errorf("half: %d × %d, %d bytes", half.W, half.H, len(half.Pix))
		}
	})
}

// Whatever is in the store, a Watcher made of it looks without a panic.
func FuzzCalibration(f *testing.F) {
	pix := make([]byte, side*side)
	for i := range pix {
		pix[i] = byte(i * i)
	}
	good, err := json.Marshal(&Calibration{Width: 128, Height: 96, Patches: []Patch{
		{X: 30, Y: 30, Self: 1, Pix: pix}, {X: 60, Y: 20, Self: 0.9, Move: [3][2]float64{{2, 0}, {}, {0, -2}}, Bend: [2]float64{0, 0.001}, Pix: pix}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"width":128,"height":96,"patches":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var c Calibration
		if json.Unmarshal(data, &c) != nil || c.Width*c.Height > 100_000 {
			return
		}
		l := &Luma{W: c.Width, H: c.Height, Pix: make([]byte, c.Width*c.Height)}
		for i := range l.Pix {
			l.Pix[i] = byte(i * i / 7)
		}
		w := NewWatcher(&c)
		for layer := range 3 {
			look := w.Look(layer, c.Park, []*Luma{l})
			if _, err := json.Marshal(look); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestCalibrationIsRefused(t *testing.T) {
	for _, text := range []string{
		`{}`, `{"width":1e9,"height":96}`, `{"width":128,"height":96,"patches":[{}]}`, `{"width":50,"height":50}`, `[]`, `{"width":128,"height":96,"park":{"x_mm":1e99}}`,
	} {
		var c Calibration
		if json.Unmarshal([]byte(text), &c) == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

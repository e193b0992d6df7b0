package history

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"layerd/printer"
)

// noise is a JPEG that cannot be small.
func noise(t *testing.T, width, height int) []byte {
	t.Helper()
	chance := rand.New(rand.NewPCG(1, 2))
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = uint8(chance.Uint32())
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestLastPictureIsKept(t *testing.T) {
	big := noise(t, 1280, 720)
	for name, c := range map[string]struct {
		outcome string
		picture []byte
		age     time.Duration
		kept    bool
	}{
		"done":               {"done", []byte("a small picture"), time.Second, true},
		"failed":             {"failed", []byte("a small picture"), time.Second, true},
		"stopped":            {"cancelled", []byte("a small picture"), time.Second, true},
		"a big picture":      {"done", big, time.Second, true},
		"an old one":         {"done", []byte("a small picture"), time.Minute, false},
		"a camera that fell": {"done", nil, 0, false},
		"big, and no JPEG":   {"done", bytes.Repeat([]byte{7}, pictureBytes+1), time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			recordWith(t, func() ([]byte, time.Time) { return c.picture, time.Now().Add(-c.age) }, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
				begin(t, r, "a")
				m.snaps.Set(printing("a", 1, 1))
				synctest.Wait()
				if d.picture("a") != nil {
					t.Error("a picture was kept before the end")
				}
				m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: c.outcome}})
				synctest.Wait()
				got := d.picture("a")
				if (got != nil) != c.kept || len(got) > pictureBytes {
					t.Errorf("got %d bytes, want a picture: %v", len(got), c.kept)
				}
				if len(d.got(&d.ended)) != 1 {
					t.Errorf("got %d ended rows, want 1 whatever the picture", len(d.got(&d.ended)))
				}
			})
		})
	}
}

func TestWithoutACamera(t *testing.T) {
	record(t, func(t *testing.T, r *Recorder, m machine, d *disk, _ func()) {
		begin(t, r, "a")
		m.snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "a", Outcome: "done"}})
		synctest.Wait()
		if d.picture("a") != nil || len(d.got(&d.ended)) != 1 {
			t.Errorf("got a picture of %d bytes and %d ended rows, want none and 1", len(d.picture("a")), len(d.got(&d.ended)))
		}
	})
}

func TestFitPicture(t *testing.T) {
	big := noise(t, 801, 600)
	if got := fitPicture(big, len(big)); !bytes.Equal(got, big) {
		t.Error("a picture that fits was changed")
	}
	got, err := jpeg.Decode(bytes.NewReader(fitPicture(big, len(big)-1)))
	if err != nil || got.Bounds() != image.Rect(0, 0, 400, 300) {
		t.Fatalf("one byte too many: got %v, %v, want 400 × 300", got, err)
	}
	if got := fitPicture(big, len(big)/10); len(got) == 0 || len(got) > len(big)/10 {
		t.Errorf("ten times too big: got %d bytes, want at most %d", len(got), len(big)/10)
	}
	if got := fitPicture(big, 10); got != nil {
		t.Errorf("nothing can be so small: got %d bytes", len(got))
	}
	if got := fitPicture(big[:len(big)/2], 1000); got != nil {
		t.Errorf("half a picture: got %d bytes, want none", len(got))
	}
	red := image.NewRGBA(image.Rect(0, 0, 2, 2))
	for i, c := range []color.RGBA{{200, 0, 0, 255}, {100, 0, 40, 255}, {200, 0, 0, 255}, {100, 0, 0, 255}} {
		red.SetRGBA(i%2, i/2, c)
	}
	if got := half(red).At(0, 0); got != (color.RGBA{150, 0, 10, 255}) {
		t.Errorf("the mean of four: got %v, want 150 0 10", got)
	}
}

// FuzzFitPicture: whatever a camera calls a picture, what is kept of it is small, and a picture.
func FuzzFitPicture(f *testing.F) {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewRGBA(image.Rect(0, 0, 33, 20)), nil); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes(), 700)
	f.Add(out.Bytes()[:300], 0)
	f.Fuzz(func(t *testing.T, data []byte, most int) {
		if head, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil && head.Width*head.Height > 1<<20 {
			return // in time for many
		}
		got := fitPicture(data, most)
		if len(got) > max(most, 0) {
			t.Errorf("got %d bytes, want at most %d", len(got), most)
		}
		if _, err := jpeg.DecodeConfig(bytes.NewReader(got)); len(got) > 0 && len(data) > most && err != nil {
			t.Errorf("got what is no picture: %v", err)
		}
	})
}

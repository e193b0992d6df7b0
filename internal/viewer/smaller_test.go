package viewer

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/internal/latest"
)

// ratios are all in which a camera may keep its colours.
var ratios = map[image.YCbCrSubsampleRatio]struct{ across, down int }{
	image.YCbCrSubsampleRatio444: {1, 1}, image.YCbCrSubsampleRatio422: {2, 1}, image.YCbCrSubsampleRatio420: {2, 2},
	image.YCbCrSubsampleRatio440: {1, 2}, image.YCbCrSubsampleRatio411: {4, 1}, image.YCbCrSubsampleRatio410: {4, 2},
}

// noise is a picture in which each pixel is another.
func noise(w, h int, ratio image.YCbCrSubsampleRatio) *image.YCbCr {
	r := rand.New(rand.NewPCG(1, 2))
	img := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
	for _, plane := range [][]byte{img.Y, img.Cb, img.Cr} {
		for i := range plane {
			plane[i] = byte(r.Uint32())
		}
	}
	return img
}

// taken is a frame as from a camera, plain or with colours.
func taken(t testing.TB, img image.Image, turn camera.Turn) *camera.Frame {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 90}); err != nil {
		t.Fatal(err)
	}
	f := &camera.Frame{Seq: 7, Time: time.Unix(5, 0), Width: img.Bounds().Dx(), Height: img.Bounds().Dy(), Turn: turn, JPEG: camera.Turned(b.Bytes(), turn)}
	if turn.Sideways() {
		f.Width, f.Height = f.Height, f.Width
	}
	return f
}

func near(got, want uint8) bool { return max(got, want)-min(got, want) <= 1 }

func TestEachPixelIsTheMeanOfWhatItStandsFor(t *testing.T) {
	const times = 4
	for ratio := range ratios {
		from := noise(64*times, 48*times, ratio)
		small := new(shrinker).shrink(from, 64).(*image.YCbCr)
		if small.Rect != image.Rect(0, 0, 64, 48) || small.SubsampleRatio != image.YCbCrSubsampleRatio420 {
			t.Fatalf("%v: got %v, %v", ratio, small.Rect, small.SubsampleRatio)
		}
		mean := func(x, y, side int, part func(color.YCbCr) uint8) uint8 {
			sum := 0
			for i := range side * side {
				sum += int(part(from.YCbCrAt(x*side+i%side, y*side+i/side)))
			}
			return uint8((sum + side*side/2) / (side * side))
		}
		for y := range 48 {
			for x := range 64 {
				got := small.YCbCrAt(x, y)
				want := color.YCbCr{
					Y:  mean(x, y, times, func(c color.YCbCr) uint8 { return c.Y }),
					Cb: mean(x/2, y/2, 2*times, func(c color.YCbCr) uint8 { return c.Cb }),
					Cr: mean(x/2, y/2, 2*times, func(c color.YCbCr) uint8 { return c.Cr }),
				}
				if !near(got.Y, want.Y) || !near(got.Cb, want.Cb) || !near(got.Cr, want.Cr) {
					t.Fatalf("%v: pixel %d,%d is %v, want %v", ratio, x, y, got, want)
				}
			}
		}
	}
}

// Whatever the shape, something comes out, and what is all of one colour stays so to its edges.
func TestOddShapes(t *testing.T) {
	for ratio := range ratios {
		s := new(shrinker)
		for _, side := range [][2]int{{8192, 1}, {1, 8192}, {641, 481}, {1281, 3}, {656, 492}, {2559, 1679}, {642, 640}, {641, 2}} {
			w, h := side[0], side[1]
			from := image.NewYCbCr(image.Rect(0, 0, w, h), ratio)
			// Beyond the picture's edge, where a JPEG's blocks may reach, there is rubbish.
			cw, ch := (w+ratios[ratio].across-1)/ratios[ratio].across, (h+ratios[ratio].down-1)/ratios[ratio].down
			fill := func(plane []byte, stride, w, h int, v byte) {
				for i := range plane {
					if plane[i] = 255; i%stride < w && i/stride < h {
						plane[i] = v
					}
				}
			}
			fill(from.Y, from.YStride, w, h, 40)
			fill(from.Cb, from.CStride, cw, ch, 80)
			fill(from.Cr, from.CStride, cw, ch, 120)
			small := s.shrink(from, 640).(*image.YCbCr)
			size := small.Rect.Size()
			if max(size.X, size.Y) != 640 || min(size.X, size.Y) < 1 {
				t.Errorf("%v of %dx%d: got %v", ratio, w, h, size)
			}
			for _, at := range []image.Point{{}, {size.X - 1, 0}, {0, size.Y - 1}, {size.X - 1, size.Y - 1}} {
				if c := small.YCbCrAt(at.X, at.Y); c != (color.YCbCr{Y: 40, Cb: 80, Cr: 120}) {
					t.Errorf("%v of %dx%d: at %v got %v", ratio, w, h, at, c)
				}
			}
		}
	}
}

func TestSmallerKeepsTheTurn(t *testing.T) {
	grey := image.NewGray(image.Rect(0, 0, 800, 450))
	for i := range grey.Pix {
		grey.Pix[i] = byte(i*i>>9) ^ byte(i)
	}
	for _, img := range []image.Image{noise(800, 450, image.YCbCrSubsampleRatio420), grey} {
		for _, turn := range []camera.Turn{0, 1, 3, 6, 7} {
			f := taken(t, img, turn)
			was := bytes.Clone(f.JPEG)
			small := new(shrinker).smaller(f, 640, 50)
			w, h := 640, 360
			if turn.Sideways() {
				w, h = h, w
			}
			if small == f || small.Width != w || small.Height != h || small.Turn != turn || small.Seq != f.Seq || !small.Time.Equal(f.Time) || len(small.JPEG) >= len(f.JPEG) {
				t.Fatalf("turn %d: got %dx%d, turn %d, %d bytes of %d", turn, small.Width, small.Height, small.Turn, len(small.JPEG), len(f.JPEG))
			}
			if !bytes.Equal(f.JPEG, was) {
				t.Error("the camera's own picture was changed")
			}
			picture, err := jpeg.Decode(bytes.NewReader(small.JPEG))
			if err != nil || picture.Bounds() != image.Rect(0, 0, 640, 360) {
				t.Errorf("turn %d: got %v, %v", turn, picture.Bounds(), err)
			}
			if !bytes.Equal(small.JPEG, camera.Turned(withoutTurn(small.JPEG, turn), turn)) {
				t.Errorf("turn %d: the picture does not say it", turn)
			}
		}
	}
}

// withoutTurn takes the first segment out, which says the turn.
func withoutTurn(pic []byte, turn camera.Turn) []byte {
	if turn <= 1 {
		return pic
	}
	next := 4 + int(pic[4])<<8 + int(pic[5])
	return append(bytes.Clone(pic[:2]), pic[next:]...)
}

func TestPassedOnAsItIs(t *testing.T) {
	whole := taken(t, noise(1280, 720, image.YCbCrSubsampleRatio420), 1)
	cut := *whole
	cut.JPEG = whole.JPEG[:len(whole.JPEG)/2]
	rubbish := *whole
	rubbish.JPEG = []byte("no picture")
	tall := taken(t, noise(481, 640, image.YCbCrSubsampleRatio420), 6)
	huge := *whole
	huge.Width, huge.Height = 4000, 3000
	var b bytes.Buffer
	if err := jpeg.Encode(&b, noise(1280, 720, image.YCbCrSubsampleRatio420), &jpeg.Options{Quality: 1}); err != nil {
		t.Fatal(err)
	}
	coarse := *whole
	coarse.JPEG = b.Bytes()
	for name, f := range map[string]*camera.Frame{"cut off": &cut, "rubbish": &rubbish, "small already": tall, "huge": &huge, "shrinks to no fewer bytes": &coarse} {
		if got := new(shrinker).smaller(f, 640, 100); got != f {
			t.Errorf("%s: got %dx%d, %d bytes", name, got.Width, got.Height, len(got.JPEG))
		}
	}
	if new(shrinker).shrink(image.NewRGBA(image.Rect(0, 0, 1280, 720)), 640) != nil {
		t.Error("got a picture of an unknown kind")
	}
}

func TestABugCostsOnePicture(t *testing.T) {
	var said bytes.Buffer
	s := shrinker{img: &image.YCbCr{Rect: image.Rect(0, 0, 640, 360)}, log: slog.New(slog.NewTextHandler(&said, nil))} // without its planes it panics
	f := taken(t, noise(1280, 720, image.YCbCrSubsampleRatio420), 1)
	if got := s.smaller(f, 640, 50); got != f || !strings.Contains(said.String(), "index out of range") && !strings.Contains(said.String(), "slice bounds") {
		t.Errorf("got %dx%d, and the log says %q", got.Width, got.Height, said.String())
	}
	if got := s.smaller(f, 640, 50); got == f {
		t.Error("the next one is passed on too")
	}
}

// All who look at one size share what is made, which ends with the last of them.
func TestSmallerIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // waits for all goroutines at its end
		var s Smaller
		frames := latest.New[*camera.Frame](nil)
		other := latest.New[*camera.Frame](nil)
		if out, leave := s.Join(frames, Full); out != frames || len(s.made) != 0 {
			t.Error("full pictures are those of the camera")
		} else {
			leave()
		}
		one, leaveOne := s.Join(frames, Small)
		two, leaveTwo := s.Join(frames, Small)
		stills, leaveStills := s.Join(frames, Stills)
		apart, leaveApart := s.Join(other, Small)
		if one != two || one == stills || one == apart {
			t.Error("a size of a camera is made once, and each on its own")
		}
		picture := taken(t, noise(1280, 720, image.YCbCrSubsampleRatio420), 1)
		frames.Set(picture)
		synctest.Wait()
		if f, _ := one.Get(); f == nil || f.Width != 640 {
			t.Errorf("small: got %+v", f)
		}
		if f, _ := stills.Get(); f == nil || f.Width != 320 {
			t.Errorf("stills: got %+v", f)
		}
		if f, _ := apart.Get(); f != nil {
			t.Errorf("of another camera: got %+v", f)
		}
		leaveOne()
		leaveOne() // once more does nothing
		next := *picture
		next.Seq = 8
		_, seq := two.Get()
		frames.Set(&next)
		if f, _, err := two.Next(t.Context(), seq); err != nil || f.Seq != 8 {
			t.Errorf("with one viewer left: got %+v, %v", f, err)
		}
		frames.Set(nil) // another device was chosen
		time.Sleep(time.Minute)
		synctest.Wait()
		if f, _ := two.Get(); f != nil {
			t.Errorf("of another device: got %+v", f)
		}
		leaveTwo()
		leaveStills()
		leaveApart()
		if len(s.made) != 0 {
			t.Errorf("%d cameras are left", len(s.made))
		}
		again, leave := s.Join(frames, Small)
		defer leave()
		if again == one {
			t.Error("who joins later sees pictures of before")
		}
	})
}

// The processor's share is kept, however fast pictures come.
func TestSmallerKeepsToItsShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var s Smaller
		frames := latest.New[*camera.Frame](nil)
		out, leave := s.Join(frames, Small)
		defer leave()
		synctest.Wait()
		_, first := out.Get()
		picture := taken(t, image.NewGray(image.Rect(0, 0, 64, 48)), 1)
		for range 100 { // within 10 s
			frames.Set(picture)
			time.Sleep(100 * time.Millisecond)
		}
		if _, last := out.Get(); last-first > 68 {
			t.Errorf("%d pictures in 10 s, want at most one each %v", last-first, fastest)
		}
	})
}

func TestManyComeAndGo(t *testing.T) {
	var s Smaller
	frames := latest.New(taken(t, noise(644, 360, image.YCbCrSubsampleRatio420), 1))
	done := make(chan struct{})
	for i := range 8 {
		go func() {
			for n := range 20 {
				out, leave := s.Join(frames, Size(1+(i+n)%2))
				out.Get()
				frames.Set(nil)
				leave()
				runtime.Gosched()
			}
			done <- struct{}{}
		}()
	}
	for range 8 {
		<-done
	}
	if len(s.made) != 0 {
		t.Errorf("%d cameras are left", len(s.made))
	}
}

func BenchmarkSmaller(b *testing.B) {
	img := image.NewYCbCr(image.Rect(0, 0, 1280, 720), image.YCbCrSubsampleRatio422)
	for i := range img.Y { // slopes with some grain, as of a dim room
		x, y := i%1280, i/1280
		img.Y[i] = byte(x/8+y/6) + byte(x*y>>5)&7
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = byte(96+i/640/12), byte(160-i%640/12)
	}
	f := taken(b, img, 1)
	var s shrinker
	b.ReportAllocs()
	for b.Loop() {
		if s.smaller(f, 640, 50) == f {
			b.Fatal("it was passed on")
		}
	}
}

// FuzzSmaller: whatever a camera calls a picture, what comes of it is that, or a smaller one that can be looked at; and nothing in us breaks on it.
func FuzzSmaller(f *testing.F) {
	for ratio := range ratios {
		f.Add(taken(f, noise(48, 32, ratio), 0).JPEG, 48, 32, byte(0))
	}
	grey := taken(f, image.NewGray(image.Rect(0, 0, 40, 9)), 0)
	f.Add(grey.JPEG, 40, 9, byte(1))
	f.Add(grey.JPEG[:len(grey.JPEG)/2], 65535, -1, byte(3))
	var said strings.Builder
	log := slog.New(slog.NewTextHandler(&said, nil))
	f.Fuzz(func(t *testing.T, data []byte, width, height int, turn byte) {
		if head, err := jpeg.DecodeConfig(bytes.NewReader(data)); err == nil && head.Width*head.Height > 1<<20 {
			return // the camera's own reader lets no frame say another size than its header does
		}
		s := shrinker{log: log}
		was := &camera.Frame{Width: width, Height: height, JPEG: data, Turn: camera.Turn(turn % 8)}
		made := s.smaller(was, 16, 50)
		if said.Len() > 0 {
			t.Fatalf("it broke: %s", &said)
		}
		if made == was {
			return
		}
		head, err := jpeg.DecodeConfig(bytes.NewReader(made.JPEG))
		if err != nil || max(head.Width, head.Height) > 16 || len(made.JPEG) > len(data)+200 {
			t.Errorf("got %d bytes of %d, %+v, %v", len(made.JPEG), len(data), head, err)
		}
	})
}

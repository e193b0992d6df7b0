package camera

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"testing"
	"time"
)

// picture is a JPEG of a colourful scene with some noise, so that it has a realistic length. n makes it differ.
func picture(t testing.TB, w, h, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	noise := rand.New(rand.NewPCG(uint64(n), 1))
	for y := range h {
		for x := range w {
			v := noise.IntN(24)
			img.SetRGBA(x, y, color.RGBA{uint8(x*200/w + v), uint8(y*200/h + v), uint8((x+y+n*10)%200 + v), 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// script is a Source that plays a list of steps each time it is run, and then waits for its end.
type script struct {
	name string
	runs chan func(ctx context.Context, emit func([]byte, time.Time)) error // one for each Run, in order
}

func newScript(runs ...func(context.Context, func([]byte, time.Time)) error) *script {
	s := &script{name: "Test Cam", runs: make(chan func(context.Context, func([]byte, time.Time)) error, 100)}
	for _, r := range runs {
		s.runs <- r
	}
	return s
}

func (s *script) Name() string { return s.name }

func (s *script) Run(ctx context.Context, sink Sink) error {
	select {
	case run := <-s.runs:
		return run(ctx, sink.Put)
	default:
		<-ctx.Done()
		return nil
	}
}

// steadily emits pic every interval until ctx ends; after limit (0 = never) it returns err instead.
func steadily(pic []byte, every, limit time.Duration, err error) func(context.Context, func([]byte, time.Time)) error {
	return func(ctx context.Context, emit func([]byte, time.Time)) error {
		began := time.Now()
		buffer := make([]byte, len(pic))
		for ctx.Err() == nil {
			copy(buffer, pic)
			emit(buffer, time.Now())
			clear(buffer) // the slice is the source's again: what is shared must be a copy
			if limit > 0 && time.Since(began) >= limit {
				return err
			}
			pause(ctx, every)
		}
		return nil
	}
}

func fails(err error) func(context.Context, func([]byte, time.Time)) error {
	return func(context.Context, func([]byte, time.Time)) error { return err }
}

func decodeYCbCr(t testing.TB, pic []byte) *image.YCbCr {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(pic))
	if err != nil {
		t.Fatal(err)
	}
	ycc, ok := img.(*image.YCbCr)
	if !ok {
		t.Fatalf("got %T, want *image.YCbCr", img)
	}
	return ycc
}

// always is an interval that does not change.
func always(d time.Duration) func() time.Duration { return func() time.Duration { return d } }

// nothing is what there is to do between pictures.
func nothing(context.Context) {}

// put makes a function a Sink that is looked at.
type put func(pic []byte, taken time.Time)

func (p put) Put(pic []byte, taken time.Time) { p(pic, taken) }

func (put) Idle() bool { return false }

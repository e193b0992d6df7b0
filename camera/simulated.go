package camera

import (
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"time"
)

// A pretend webcam beside the pretend printer, so that a demo has a picture:
//
//	Scene (where everything is) ─▶ backdrop copied ─▶ printer drawn over it, back to front ─▶ film ─▶ JPEG
//
//	simulated.go  the source, and cleaning of the scene
//	stage.go      the printer: which boxes, lines and lights there are, and in which order
//	filament.go   the printed part
//	head.go       its head, with fan and nozzle
//	backdrop.go   the workshop behind it, painted once
//	view.go       millimetres to pixels
//	canvas.go     polygons, lines and glows on pixels
//	digits.go     the clock in the corner
//	film.go       noise, and the encoder's colours

// Scene is what the pretend camera looks at: one bed-slinger. Values that make no sense are replaced or clipped.
type Scene struct {
	WidthMM, DepthMM, HeightMM float64 // the volume; 0 = 220 × 220 × 250
	X, Y, Z                    float64 // the true position of the nozzle, mm
	NozzleC, NozzleTargetC     float64
	BedC                       float64
	FanPercent                 float64
	Trail                      []Segment // what was extruded, oldest first; not kept after the call that draws it
	Clock                      time.Time // shown in the corner, and what moving things move by; zero = now
}

// Segment is one straight line of filament on the bed, mm. Z is its top.
type Segment struct{ X1, Y1, X2, Y2, Z float32 }

const (
	simulatedW, simulatedH, simulatedFPS = 704, 396, 5
	simulatedQuality                     = 80
	maxTrail                             = 24_000 // segments; of a longer trail only some layers are drawn
)

// NewSimulated is a Source that draws scene() fps times a second. Zeros mean 5 fps and 704x396 pixels. scene is called
// from the Source's goroutine and must not block.
func NewSimulated(scene func() Scene, fps, width, height int) Source {
	if fps < 1 || fps > maxFPS {
		fps = simulatedFPS
	}
	if width < 160 || height < 90 || width > 1920 || height > 1080 {
		width, height = simulatedW, simulatedH
	}
	return &simulated{scene: scene, interval: time.Second / time.Duration(fps), width: width &^ 1, height: height &^ 1}
}

type simulated struct {
	scene         func() Scene
	interval      time.Duration
	width, height int
}

// Name is for people.
func (s *simulated) Name() string { return "Pretend camera" }

// Run draws until ctx ends.
func (s *simulated) Run(ctx context.Context, sink Sink) error {
	st := newStage(s.width, s.height)
	var out jpegBuffer
	next := time.NewTicker(s.interval)
	defer next.Stop()
	for {
		taken := time.Now()
		out.Reset()
		if err := jpeg.Encode(&out, st.draw(s.scene()), &jpeg.Options{Quality: simulatedQuality}); err != nil {
			return fmt.Errorf("encode the pretend picture: %w", err)
		}
		if ctx.Err() != nil {
			return nil
		}
		sink.Put(out.Bytes(), taken)
		for again := true; again; again = sink.Idle() && time.Since(taken) < idleInterval {
			select {
			case <-next.C:
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// clean replaces what cannot be drawn.
func (s Scene) clean() Scene {
	s.WidthMM, s.DepthMM, s.HeightMM = within(s.WidthMM, 50, 2000, 220), within(s.DepthMM, 50, 2000, 220), within(s.HeightMM, 50, 2000, 250)
	s.X, s.Y = within(s.X, -50, s.WidthMM+50, 0), within(s.Y, -50, s.DepthMM+50, 0)
	s.Z = within(s.Z, -5, s.HeightMM+50, 0)
	s.NozzleC, s.NozzleTargetC = within(s.NozzleC, 0, 500, 20), within(s.NozzleTargetC, 0, 500, 0)
	s.BedC, s.FanPercent = within(s.BedC, 0, 300, 20), within(s.FanPercent, 0, 100, 0)
	if s.Clock.IsZero() {
		s.Clock = time.Now()
	}
	return s
}

// within clips v; zero and what is no number become otherwise.
func within(v, least, most, otherwise float64) float64 {
	if v == 0 || math.IsNaN(v) {
		return otherwise
	}
	return min(max(v, least), most)
}

// picture size of a stage.
func bounds(w, h int) image.Rectangle { return image.Rect(0, 0, w, h) }

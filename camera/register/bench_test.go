package register_test

import (
	"testing"

	"layerd/camera/register"
)

// BenchmarkLook is what one layer costs besides decoding, with pictures as Decode makes them of cameras of these sizes.
func BenchmarkLook(b *testing.B) {
	for name, size := range map[string][2]int{"720p": {640, 360}, "1080p": {960, 540}, "480p": {640, 480}} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(1, 60)
			w.w, w.h = size[0], size[1]
			cal := w.calibrated(b)
			watch := register.NewWatcher(cal)
			pics := w.pictures(b, park, 3)
			b.ReportAllocs()
			for b.Loop() {
				watch.Look(1, park, pics)
			}
		})
	}
}

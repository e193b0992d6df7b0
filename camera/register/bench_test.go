package register_test

import (
	"fmt"
	"testing"
	"time"

	"layerd/camera/register"
)

// BenchmarkLook is what one layer costs besides decoding.
func BenchmarkLook(b *testing.B) {
	for _, side := range [][2]int{{1280, 720}, {1920, 1080}, {704, 396}} {
		b.Run(fmt.Sprintf("%dx%d", side[0], side[1]), func(b *testing.B) {
			p := &printer{t: b, clock: time.Unix(1e9, 0), w: side[0], h: side[1]}
			park := register.Pose{XMM: 5, YMM: 200, ZMM: 5}
			w := register.NewWatcher(p.calibrate(park))
			pics := p.pictures(park, 3)
			b.ReportAllocs()
			for b.Loop() {
				w.Look(1, park, pics)
			}
		})
	}
}

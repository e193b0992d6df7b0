package camera

import (
	"fmt"
	"slices"
	"time"
)

// fourcc is a V4L2 pixel format: four letters, the first in the lowest byte.
type fourcc uint32

const (
	formatMJPG = fourcc('M' | 'J'<<8 | 'P'<<16 | 'G'<<24)
	formatJPEG = fourcc('J' | 'P'<<8 | 'E'<<16 | 'G'<<24)
	formatYUYV = fourcc('Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24)
	formatUYVY = fourcc('U' | 'Y'<<8 | 'V'<<16 | 'Y'<<24)
)

// usableFormats are those that layerd can make a JPEG of, the best first.
func usableFormats() []fourcc { return []fourcc{formatMJPG, formatJPEG, formatYUYV, formatUYVY} }

func usable(f fourcc) bool { return slices.Contains(usableFormats(), f) }

// raw tells whether pictures of this format have to be encoded.
func (f fourcc) raw() bool { return f == formatYUYV || f == formatUYVY }

func (f fourcc) String() string {
	return string([]byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)})
}

// sizeRange is one entry of a device's list of sizes, in pixels. Min and max are equal for a single size; all zero is what
// the webcam library makes of "anything you like".
type sizeRange struct {
	minW, maxW, stepW int
	minH, maxH, stepH int
}

// mode is what to ask a device for.
type mode struct {
	format        fourcc
	width, height int
	fps           int
}

// interval is the least time between two pictures.
func (m mode) interval() time.Duration { return time.Second / time.Duration(m.fps) }

// What to ask for when the settings leave it open. Compressed pictures are passed on as they are and cost nothing; raw
// ones are encoded here, about 5 ms for 640x480 on a desktop's core and ten times that on a small Pi's.
const (
	compressedW, compressedH, compressedFPS = 1280, 720, 15
	rawW, rawH, rawFPS, rawMaxFPS           = 640, 480, 8, 10
)

// commonSizes stand in for a device that takes any size, or any within a range.
var commonSizes = [][2]int{
	{320, 240}, {640, 360}, {640, 480}, {800, 600}, {1024, 768}, {1280, 720}, {1280, 960}, {1600, 1200}, {1920, 1080},
}

// pick chooses a mode from what the device lists, and from nothing else: the webcam library reports the size that was
// asked for, not the one that the driver took.
func pick(listed map[fourcc][]sizeRange, want Settings) (mode, error) {
	for _, f := range usableFormats() {
		ranges, ok := listed[f]
		if !ok {
			continue
		}
		m := mode{format: f, width: compressedW, height: compressedH, fps: compressedFPS}
		if f.raw() {
			m.width, m.height, m.fps = rawW, rawH, rawFPS
		}
		if want.Width > 0 && want.Height > 0 {
			m.width, m.height = want.Width, want.Height
		}
		if want.FPS > 0 {
			m.fps = want.FPS
		}
		if f.raw() {
			m.fps = min(m.fps, rawMaxFPS)
		}
		m.width, m.height = nearest(sizes(ranges, m.width, m.height), m.width, m.height)
		return m, nil
	}
	return mode{}, fmt.Errorf("%w: it lists %d others", errNoFormat, len(listed))
}

// sizes spreads a device's list out. Ranges give the wished size and the common ones that fit in them.
func sizes(ranges []sizeRange, wishW, wishH int) [][2]int {
	var list [][2]int
	for _, r := range ranges {
		if r.minW == r.maxW && r.minH == r.maxH && r.maxW > 0 && r.maxH > 0 {
			if r.maxW <= maxSide && r.maxH <= maxSide {
				list = append(list, [2]int{r.maxW, r.maxH})
			}
			continue
		}
		for _, s := range append([][2]int{{wishW, wishH}}, commonSizes...) {
			if r.takes(s[0], s[1]) {
				list = append(list, s)
			}
		}
	}
	if len(list) == 0 {
		list = commonSizes
	}
	return list
}

func (r sizeRange) takes(w, h int) bool {
	if r == (sizeRange{}) {
		return true
	}
	return w >= r.minW && w <= r.maxW && (w-r.minW)%max(r.stepW, 1) == 0 &&
		h >= r.minH && h <= r.maxH && (h-r.minH)%max(r.stepH, 1) == 0
}

// nearest is the wished size if it is listed, else the largest that is no larger either way, else the smallest of all.
func nearest(list [][2]int, w, h int) (int, int) {
	var fits, least [2]int
	for _, s := range list {
		if s == [2]int{w, h} {
			return w, h
		}
		area := s[0] * s[1]
		if s[0] <= w && s[1] <= h && area > fits[0]*fits[1] {
			fits = s
		}
		if least[0] == 0 || area < least[0]*least[1] {
			least = s
		}
	}
	if fits[0] > 0 {
		return fits[0], fits[1]
	}
	return least[0], least[1]
}

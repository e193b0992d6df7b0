package camera

import "slices"

// Turn is how a picture has to be turned to be seen upright: the value of Exif's tag Orientation, 1 to 8 (Exif 2.32, 4.6.4), 0 as 1.
//
// A camera that hangs upside down costs nothing: the picture's bytes stay as they are, and a segment of 36 bytes says how to show them. Browsers
// obey it in <img>, in createImageBitmap and in multipart streams; whoever decodes by himself finds it in Frame.Turn.
type Turn uint8

const (
	upright Turn = 1
	exifLen      = 36
)

// turn is what the settings come to. Both flips are half a turn, and top for bottom is left for right and half a turn.
func (s Settings) turn() Turn {
	rotate := s.Rotate
	if s.FlipV {
		rotate += 180
	}
	plain, mirrored := [...]Turn{1, 6, 3, 8}, [...]Turn{2, 7, 4, 5}
	if s.FlipH != s.FlipV {
		return mirrored[rotate/90%4]
	}
	return plain[rotate/90%4]
}

// Sideways tells whether width and height change places.
func (t Turn) Sideways() bool { return t >= 5 }

// Turned is a copy of a picture, which begins with SOI and has no Exif segment, that says t.
func Turned(jpeg []byte, t Turn) []byte {
	if t <= upright {
		return slices.Clone(jpeg)
	}
	return slices.Concat(jpeg[:2], t.exif(), jpeg[2:])
}

// Apart is t as a rotation in degrees clockwise, 0, 90, 180 or 270, of a picture whose left and right have changed places before, if mirrored.
func (t Turn) Apart() (clockwise int, mirrored bool) {
	switch t {
	case 2:
		return 0, true
	case 3:
		return 180, false
	case 4:
		return 180, true
	case 5:
		return 270, true
	case 6:
		return 90, false
	case 7:
		return 90, true
	case 8:
		return 270, false
	}
	return 0, false
}

// exif is a whole APP1 segment that says t and nothing else: one directory of TIFF, big endian, with one entry.
func (t Turn) exif() []byte {
	return []byte{
		0xff, markerAPP1, 0, exifLen - 2, 'E', 'x', 'i', 'f', 0, 0,
		'M', 'M', 0, 42, 0, 0, 0, 8,
		0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, byte(t), 0, 0,
		0, 0, 0, 0,
	}
}

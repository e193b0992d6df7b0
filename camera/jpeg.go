package camera

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// A picture from a device goes through complete:
//
//	raw ─▶ padding off ─▶ copied ─▶ marker walk to EOI ─▶ Huffman tables put in if missing ─▶ Frame.JPEG
//
// USB cameras send truncated pictures, pictures with the next one's head in them, and pictures without Huffman tables. The
// walk reads every marker and skips every segment, so bytes that look like markers inside a thumbnail do not mislead it.
// It decodes nothing: what passes has the shape of a JPEG, but its compressed data may still hold a smear.

// Limits of one picture.
const (
	minPicture  = 1 << 10 // bytes; less is a torn one
	maxPicture  = 8 << 20
	maxPixels   = 16_000_000 // a phone needs four times as many bytes to show them
	maxTail     = 64         // bytes after EOI that are not zero
	maxSegments = 512        // a picture has about ten
	maxScans    = 64         // of a progressive picture; more is made to keep a decoder busy
)

// Markers of ITU-T T.81, table B.1: the byte after 0xFF.
const (
	markerSOF0 = 0xc0 // baseline
	markerSOF1 = 0xc1 // extended
	markerSOF2 = 0xc2 // progressive
	markerDHT  = 0xc4
	markerRST0 = 0xd0
	markerRST7 = 0xd7
	markerSOI  = 0xd8
	markerEOI  = 0xd9
	markerSOS  = 0xda
	markerDQT  = 0xdb
	markerAPP1 = 0xe1
	markerTEM  = 0x01
)

var (
	errTruncated = errors.New("jpeg is cut off")
	errShape     = errors.New("jpeg is malformed")
)

// complete checks one picture and returns a copy of it without padding, with Huffman tables, and with turn said in it and no other; and its size in pixels
// before the turn. raw may be the device's memory: it is read once, front to back, and not kept. Nothing in it can make complete panic.
func complete(raw []byte, turn Turn) (jpeg []byte, width, height int, err error) {
	for len(raw) > 0 && raw[len(raw)-1] == 0 { // some drivers hand out the whole buffer
		raw = raw[:len(raw)-1]
	}
	if len(raw) < minPicture {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes, want at least %d", errTruncated, len(raw), minPicture)
	}
	if len(raw) > maxPicture {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes, want at most %d", errShape, len(raw), maxPicture)
	}
	if raw[0] != 0xff || raw[1] != markerSOI {
		return nil, 0, 0, fmt.Errorf("%w: begins with % x", errShape, raw[:2])
	}
	tail := raw[len(raw)-maxTail-2:]
	if !bytes.Contains(tail, []byte{0xff, markerEOI}) { // cheap, and true of most damaged pictures
		return nil, 0, 0, fmt.Errorf("%w: no end in the last %d bytes", errTruncated, len(tail))
	}
	jpeg = append(make([]byte, 0, len(raw)+standardTablesLen+exifLen), raw...)
	w := walk{data: jpeg}
	if err := w.run(); err != nil {
		return nil, 0, 0, err
	}
	if len(jpeg)-w.end > maxTail {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes after its end", errShape, len(jpeg)-w.end)
	}
	if w.end < minPicture {
		return nil, 0, 0, fmt.Errorf("%w: %d bytes, want at least %d", errTruncated, w.end, minPicture)
	}
	jpeg = jpeg[:w.end]
	if w.bare {
		jpeg = slices.Insert(jpeg, w.firstScan, standardTables...)
	}
	if turn > upright || w.exif[1] > w.exif[0] { // a camera's own word on how to turn it is the settings' to say
		jpeg = slices.Replace(jpeg, w.exif[0], w.exif[1], max(turn, upright).exif()...)
		if len(jpeg) < minPicture { // the rest was a preview in there
			return nil, 0, 0, fmt.Errorf("%w: %d bytes without its Exif segment", errTruncated, len(jpeg))
		}
	}
	return jpeg, w.width, w.height, nil
}

// walk goes through the markers of data, which begins with SOI.
type walk struct {
	data          []byte
	pos           int
	segments      int
	scans         int
	firstScan     int    // where the first SOS marker is
	end           int    // behind EOI
	exif          [2]int // where an Exif segment is, else an empty place for one
	width, height int
	progressive   bool
	quantised     bool // DQT seen
	tables        bool // DHT seen
	bare          bool // no DHT before the first scan
}

func (w *walk) run() error {
	w.pos = 2
	w.exif = [2]int{2, 2}
	for {
		marker, at, err := w.marker()
		if err != nil {
			return err
		}
		if marker == markerEOI {
			if w.scans == 0 {
				return fmt.Errorf("%w: no picture before its end", errShape)
			}
			w.end = w.pos
			return nil
		}
		body, err := w.segment(marker)
		if err != nil {
			return err
		}
		switch marker {
		case markerSOF0, markerSOF1, markerSOF2:
			err = w.frameHeader(marker, body)
		case markerDHT:
			w.tables = true
		case markerDQT:
			w.quantised = true
		case markerSOS:
			err = w.scan(at, body)
		case markerAPP1:
			if w.exif[1] == 2 && w.scans == 0 && bytes.HasPrefix(body, []byte("Exif\x00")) {
				w.exif = [2]int{at, w.pos}
			}
		default: // the other markers of 0xC0 to 0xCF are kinds of JPEG that browsers cannot read
			if marker <= 0xcf {
				err = fmt.Errorf("%w: marker %02x at byte %d", errShape, marker, at)
			}
		}
		if err != nil {
			return err
		}
	}
}

// marker reads the next marker, before which any number of fill bytes 0xFF may stand.
func (w *walk) marker() (marker byte, at int, err error) {
	at = w.pos
	if at >= len(w.data) || w.data[at] != 0xff {
		return 0, at, fmt.Errorf("%w: no marker at byte %d", errShape, at)
	}
	for w.pos < len(w.data) && w.data[w.pos] == 0xff {
		w.pos++
	}
	if w.pos >= len(w.data) {
		return 0, at, fmt.Errorf("%w: at byte %d", errTruncated, w.pos)
	}
	marker = w.data[w.pos]
	w.pos++
	if marker == 0 || marker == markerTEM || marker >= markerRST0 && marker <= markerSOI {
		return 0, at, fmt.Errorf("%w: marker %02x at byte %d", errShape, marker, at)
	}
	return marker, at, nil
}

// segment returns what belongs to a marker and steps over it.
func (w *walk) segment(marker byte) ([]byte, error) {
	if w.segments++; w.segments > maxSegments {
		return nil, fmt.Errorf("%w: more than %d segments", errShape, maxSegments)
	}
	rest := w.data[w.pos:]
	if len(rest) < 2 {
		return nil, fmt.Errorf("%w: in marker %02x", errTruncated, marker)
	}
	n := int(rest[0])<<8 | int(rest[1])
	if n < 2 {
		return nil, fmt.Errorf("%w: marker %02x with length %d", errShape, marker, n)
	}
	if n > len(rest) {
		return nil, fmt.Errorf("%w: in marker %02x", errTruncated, marker)
	}
	w.pos += n
	return rest[2:n], nil
}

// frameHeader reads the size (T.81 B.2.2).
func (w *walk) frameHeader(marker byte, b []byte) error {
	if w.width != 0 {
		return fmt.Errorf("%w: two frame headers", errShape)
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) {
		return fmt.Errorf("%w: frame header of %d bytes", errShape, len(b))
	}
	if bits, parts := b[0], b[5]; bits != 8 || parts != 1 && parts != 3 {
		return fmt.Errorf("%w: %d bits, %d components", errShape, bits, parts)
	}
	height, width := int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4])
	if width < 1 || height < 1 || width > maxSide || height > maxSide {
		return fmt.Errorf("%w: %dx%d pixels", errShape, width, height)
	}
	if width*height > maxPixels {
		return fmt.Errorf("%w: %dx%d", errTooBig, width, height)
	}
	w.width, w.height, w.progressive = width, height, marker == markerSOF2
	return nil
}

// scan checks that what a scan needs came before it, and steps over its compressed data, in which 0xFF is followed by 0 or
// by a restart marker.
func (w *walk) scan(at int, b []byte) error {
	switch {
	case w.width == 0:
		return fmt.Errorf("%w: scan before the frame header", errShape)
	case !w.quantised:
		return fmt.Errorf("%w: no quantisation tables", errShape)
	case w.progressive && !w.tables:
		return fmt.Errorf("%w: progressive without Huffman tables", errShape) // the standard ones do not fit
	case len(b) < 4 || len(b) != 4+2*int(b[0]):
		return fmt.Errorf("%w: scan header of %d bytes", errShape, len(b))
	}
	if w.scans++; w.scans > maxScans {
		return fmt.Errorf("%w: more than %d scans", errShape, maxScans)
	}
	if w.scans == 1 {
		w.firstScan, w.bare = at, !w.tables
	}
	for {
		i := bytes.IndexByte(w.data[w.pos:], 0xff)
		if i < 0 || w.pos+i+1 >= len(w.data) {
			return fmt.Errorf("%w: in the picture's data", errTruncated)
		}
		w.pos += i
		next := w.data[w.pos+1]
		switch {
		case next == 0, next >= markerRST0 && next <= markerRST7:
			w.pos += 2
		case next == 0xff:
			w.pos++ // fill
		default:
			return nil // a marker: run reads it
		}
	}
}

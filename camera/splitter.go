package camera

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Single JPEGs out of a stream of bytes:
//
//	garbage ─▶ FFD8FF ─▶ segments, each skipped by its length ─▶ compressed data ─▶ … ─▶ FFD9 ─▶ one picture
//
// Whatever stands between two pictures is garbage: the headers of a multipart stream, too. What those say of length and boundary is so often
// wrong that the pictures themselves are the better witness. A segment is never looked into, so a thumbnail inside one does not mislead.
//
// Each byte is looked at once. Where a picture turns out to be broken, what there was of it is handed out all the same, so that it is counted
// where all are checked, and the search goes on behind it: a picture that is cut off costs at most the one that follows.

var (
	errNoPicture = errors.New("no picture in it")
	errTooLong   = errors.New("too many bytes for a picture")
)

const (
	firstRead    = 64 << 10 // a picture for a phone fits
	leastPicture = 100      // bytes: what is shorter is garbage. To check millions of those a second would keep a processor busy
)

// splitter reads from a stream, as much as there is at a time. It keeps one picture, of maxPicture bytes at most.
type splitter struct {
	from       io.Reader
	buf        []byte // of which [begin:end] was read and not yet handed out
	begin, end int
	at         int  // how far it was looked at
	in         spot // what is at at
	skip       int  // bytes of a segment that are still to come
	lost       int  // bytes since the last picture that belong to none
}

// spot is where in a stream of pictures one is.
type spot uint8

const (
	inGarbage spot = iota
	atMarker
	inData // compressed
)

func newSplitter(from io.Reader) *splitter {
	return &splitter{from: from, buf: make([]byte, firstRead)}
}

// next returns the next picture, or what begins like one; the slice is good until the next call. It waits for the reader, whose error it returns;
// errNoPicture or errTooLong when maxPicture bytes brought none.
func (s *splitter) next() ([]byte, error) {
	for {
		if s.in == inGarbage {
			s.seek()
		}
		switch { // it may have been found
		case s.in == inGarbage:
			if s.lost > maxPicture {
				return nil, fmt.Errorf("%d bytes: %w", s.lost, errNoPicture)
			}
		case s.pass():
			lost := s.lost
			piece := s.cut(s.at)
			if len(piece) >= leastPicture {
				return piece, nil
			}
			if s.lost = lost + len(piece); s.lost > maxPicture {
				return nil, fmt.Errorf("%d bytes: %w", s.lost, errNoPicture)
			}
			continue
		case s.end-s.begin >= maxPicture:
			return nil, fmt.Errorf("more than %d bytes: %w", maxPicture, errTooLong)
		}
		if err := s.read(); err != nil && s.in == inGarbage {
			return nil, err
		} else if err != nil { // it comes again
			return s.cut(s.end), nil
		}
	}
}

// cut hands out what there is up to at, and goes on behind it.
func (s *splitter) cut(at int) []byte {
	piece := s.buf[s.begin:at]
	s.begin, s.at, s.in, s.skip, s.lost = at, at, inGarbage, 0, 0
	return piece
}

// seek drops what comes before a picture.
func (s *splitter) seek() {
	rest := s.buf[s.begin:s.end]
	i := bytes.Index(rest, []byte{0xff, markerSOI, 0xff})
	found := i >= 0
	if !found {
		i = max(0, len(rest)-2) // the last two may be a beginning
	}
	s.lost += i
	s.begin += i
	if s.at = s.begin; found {
		s.at, s.in = s.begin+2, atMarker
	}
}

// pass goes on through a picture as far as it was read. True: it ends at at, or is none from there on.
func (s *splitter) pass() bool {
	for {
		n := min(s.skip, s.end-s.at)
		s.at, s.skip = s.at+n, s.skip-n
		if s.in == inData {
			i := bytes.IndexByte(s.buf[s.at:s.end], 0xff)
			if i < 0 {
				s.at = s.end
				return false
			}
			s.at += i
		}
		rest := s.buf[s.at:s.end]
		if len(rest) < 2 {
			return len(rest) == 1 && rest[0] != 0xff
		}
		marker := rest[1]
		switch {
		case rest[0] != 0xff:
			return true
		case marker == 0xff:
			s.at++ // fill
		case s.in == inData && (marker == 0 || marker >= markerRST0 && marker <= markerRST7):
			s.at += 2
		case marker == markerEOI:
			s.at += 2
			return true
		case marker == 0 || marker == markerTEM || marker >= markerRST0 && marker <= markerSOI: // SOI: the next picture, without an end of this
			return true
		case len(rest) < 4:
			return false
		default:
			s.skip = 2 + (int(rest[2])<<8 | int(rest[3]))
			if s.skip < 4 {
				return true
			}
			if s.in = atMarker; marker == markerSOS {
				s.in = inData
			}
		}
	}
}

// read waits for more bytes, and makes room for them.
func (s *splitter) read() error {
	if s.end == len(s.buf) && s.begin > 0 {
		copy(s.buf, s.buf[s.begin:s.end])
		s.at, s.end, s.begin = s.at-s.begin, s.end-s.begin, 0
	}
	if s.end == len(s.buf) {
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for range 100 { // as often as bufio lets a reader say nothing
		n, err := s.from.Read(s.buf[s.end:])
		s.end += n
		if n > 0 {
			return nil // the error comes again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

package timelapse

import (
	"encoding/binary"
	"io"
	"sort"
)

// A film without ffmpeg: Motion JPEG in an AVI file. The frames stay where they are; what AVI wants before, between and behind them is made when it
// is read. So it costs no disk, and a download that broke off can go on anywhere.
//
//	RIFF AVI ─ LIST hdrl (avih, strl: strh, strf) ─ LIST movi (00dc JPEG, 00dc JPEG, …) ─ idx1
//
// The structure is that of Microsoft's "AVI RIFF File Reference". Sizes have 32 bits, which the budget of a recording stays well below.

// splice is a file that is put together from pieces while it is read.
type splice struct {
	pieces []piece
	ends   []int64 // of each piece
	open   func(at place) (io.ReaderAt, error)
}

// piece is either bytes, or a part of a file.
type piece struct {
	bytes  []byte
	at     place // of the JPEG
	length int
}

func (s *splice) add(p piece) {
	if p.bytes != nil {
		p.length = len(p.bytes)
	}
	s.ends = append(s.ends, s.size()+int64(p.length))
	s.pieces = append(s.pieces, p)
}

func (s *splice) size() int64 {
	if len(s.ends) == 0 {
		return 0
	}
	return s.ends[len(s.ends)-1]
}

// ReadAt fills b from any place.
func (s *splice) ReadAt(b []byte, off int64) (n int, err error) {
	for i := sort.Search(len(s.ends), func(i int) bool { return s.ends[i] > off }); i < len(s.pieces) && n < len(b); i++ {
		p := s.pieces[i]
		from := off + int64(n) - (s.ends[i] - int64(p.length))
		part := b[n:min(len(b), n+p.length-int(from))]
		if p.bytes != nil {
			copy(part, p.bytes[from:])
		} else {
			f, err := s.open(p.at)
			if err == nil {
				_, err = f.ReadAt(part, p.at.offset+headBytes+from)
			}
			if err != nil {
				return n, err
			}
		}
		n += len(part)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// aviOf is the film of frames at fps. The size that most of them have is the one that its head tells.
func aviOf(places []place, fps int, open func(at place) (io.ReaderAt, error)) *splice {
	s := &splice{open: open}
	shape, _ := shapeOf(places)
	movi, longest := 4, 0 // "movi"
	for _, p := range places {
		movi += 8 + p.length + p.length&1
		longest = max(longest, p.length)
	}
	w, h := shape.width, shape.height
	if clockwise, _ := shape.turn.Apart(); clockwise%180 == 90 { // players of AVI show a JPEG as it lies
		w, h = h, w
	}
	head := aviHead(w, h, len(places), fps, longest)
	index := list("idx1", nil)
	b := []byte("RIFF")
	b = u32(b, 4+len(head)+8+movi+8+16*len(places))
	b = append(append(b, "AVI "...), head...)
	b = append(u32(append(b, "LIST"...), movi), "movi"...)
	s.add(piece{bytes: b})
	at := 4 // index offsets count from "movi"
	index = u32(index[:4], 16*len(places))
	for _, p := range places {
		s.add(piece{bytes: u32([]byte("00dc"), p.length)})
		s.add(piece{at: p, length: p.length})
		if p.length&1 == 1 {
			s.add(piece{bytes: []byte{0}})
		}
		index = u32(append(index, "00dc"...), 0x10, at, p.length) // each is a key frame
		at += 8 + p.length + p.length&1
	}
	s.add(piece{bytes: index})
	return s
}

func aviHead(w, h, frames, fps, longest int) []byte {
	avih := u32(nil, 1_000_000/fps, longest*fps, 0, 0x10, frames, 0, 1, longest, w, h, 0, 0, 0, 0) // 0x10: it has an index
	strh := u32([]byte("vidsMJPG"), 0, 0, 0, 1, fps, 0, frames, longest, -1, 0)
	strh = binary.LittleEndian.AppendUint16(strh, 0)
	strh = binary.LittleEndian.AppendUint16(strh, 0)
	strh = binary.LittleEndian.AppendUint16(strh, uint16(w))
	strh = binary.LittleEndian.AppendUint16(strh, uint16(h))
	strf := u32(nil, 40, w, h, 1|24<<16)
	strf = u32(append(strf, "MJPG"...), w*h*3, 0, 0, 0, 0)
	strl := append([]byte("strl"), list("strh", strh)...)
	strl = append(strl, list("strf", strf)...)
	hdrl := append([]byte("hdrl"), list("avih", avih)...)
	hdrl = append(hdrl, list("LIST", strl)...)
	return list("LIST", hdrl)
}

// list is one chunk of RIFF.
func list(name string, body []byte) []byte { return append(u32([]byte(name), len(body)), body...) }

func u32(b []byte, values ...int) []byte {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}

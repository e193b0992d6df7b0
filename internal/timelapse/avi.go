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

// avi is such a file. It keeps a number for each frame, and no more: a print may have a hundred thousand.
type avi struct {
	head, index []byte
	frames      []place
	begins      []int64 // where in the file each frame's chunk does, and behind the last the index
	open        func(at place) (io.ReaderAt, error)
}

func (a *avi) size() int64 { return a.begins[len(a.frames)] + int64(len(a.index)) }

// ReadAt fills b from any place.
func (a *avi) ReadAt(b []byte, off int64) (n int, err error) {
	n = a.from(b, off, 0, a.head)
	i := max(sort.Search(len(a.begins), func(i int) bool { return a.begins[i] > off })-1, 0)
	for ; i < len(a.frames) && n < len(b); i++ {
		p := a.frames[i]
		at := a.begins[i]
		n += a.from(b[n:], off+int64(n), at, u32([]byte("00dc"), p.length))
		if at += 8; n < len(b) && off+int64(n) < at+int64(p.length) {
			skip := off + int64(n) - at
			part := b[n:min(len(b), n+p.length-int(skip))]
			f, err := a.open(p)
			if err == nil {
				_, err = f.ReadAt(part, p.offset+headBytes+skip)
			}
			if err != nil {
				return n, err
			}
			n += len(part)
		}
		n += a.from(b[n:], off+int64(n), at+int64(p.length), make([]byte, p.length&1))
	}
	n += a.from(b[n:], off+int64(n), a.begins[len(a.frames)], a.index)
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// from copies what b, which begins at off, has of text, which begins at at, if b begins in it.
func (a *avi) from(b []byte, off, at int64, text []byte) int {
	if off < at || off >= at+int64(len(text)) {
		return 0
	}
	return copy(b, text[off-at:])
}

// aviOf is the film of frames at fps. The size that most of them have is the one that its head tells.
func aviOf(places []place, fps int, open func(at place) (io.ReaderAt, error)) *avi {
	a := &avi{frames: places, begins: make([]int64, 0, len(places)+1), open: open}
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
	a.head = u32([]byte("RIFF"), 4+len(head)+8+movi+8+16*len(places))
	a.head = append(append(a.head, "AVI "...), head...)
	a.head = append(u32(append(a.head, "LIST"...), movi), "movi"...)
	a.index = u32(append(make([]byte, 0, 8+16*len(places)), "idx1"...), 16*len(places))
	at := 4 // index offsets count from "movi"
	for _, p := range places {
		a.begins = append(a.begins, int64(len(a.head)+at-4))
		a.index = u32(append(a.index, "00dc"...), 0x10, at, p.length) // each is a key frame
		at += 8 + p.length + p.length&1
	}
	a.begins = append(a.begins, int64(len(a.head)+at-4))
	return a
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

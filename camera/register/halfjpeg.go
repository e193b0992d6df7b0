package register

import (
	"errors"
	"slices"
)

// A camera's JPEG, read for its brightness in half size alone. Of each 8 × 8 block's 64 frequencies only the lowest 4 × 4 are kept, which are a picture of 4 × 4 pixels;
// colours are skipped over. That takes a third of the time of a whole decoder. What is not the usual kind (baseline, one scan) is left to image/jpeg.
//
//	markers ─▶ tables, sizes ─▶ scan: for each block Huffman codes ─▶ 16 frequencies ─▶ 16 pixels

var errUnusual = errors.New("not a baseline jpeg in one scan")

// halfDecoder reads one picture.
type halfDecoder struct {
	data    []byte
	quant   [4][64]uint16
	codes   [2][4]huffman // DC, AC
	parts   []part
	w, h    int
	restart int

	bits  uint64 // the next ones, from the top
	have  int
	ended bool // there is a marker, or the end: zeros follow
	extra int  // bits that were made up since
}

// part is brightness, or one of two colours.
type part struct {
	id, h, v, quant byte
	dc, ac          byte
	last            int32 // DC of the block before
}

// halfLuma decodes a picture. It fails with errUnusual for what it does not know, broken pictures too.
func halfLuma(data []byte, into *Luma) error {
	d := &halfDecoder{data: data}
	if len(data) < 4 || data[0] != 0xff || data[1] != 0xd8 {
		return errUnusual
	}
	d.data = data[2:]
	for range 200 {
		for len(d.data) > 1 && d.data[0] == 0xff && d.data[1] == 0xff {
			d.data = d.data[1:]
		}
		if len(d.data) < 4 || d.data[0] != 0xff {
			return errUnusual
		}
		marker, n := d.data[1], int(d.data[2])<<8|int(d.data[3])
		if n < 2 || n+2 > len(d.data) {
			return errUnusual
		}
		body := d.data[4 : n+2]
		d.data = d.data[n+2:]
		ok := true
		switch {
		case marker == 0xc0:
			ok = d.frame(body)
		case marker == 0xc4:
			ok = d.huffmans(body)
		case marker == 0xdb:
			ok = d.quants(body)
		case marker == 0xdd && len(body) == 2:
			d.restart = int(body[0])<<8 | int(body[1])
		case marker == 0xda:
			if !d.scanHeader(body) || !d.scan(into) {
				return errUnusual
			}
			return nil
		case marker < 0xe0:
			ok = false
		}
		if !ok {
			return errUnusual
		}
	}
	return errUnusual
}

func (d *halfDecoder) frame(b []byte) bool {
	if len(b) < 6 || d.parts != nil || b[0] != 8 || b[5] != 1 && b[5] != 3 || len(b) != 6+3*int(b[5]) {
		return false
	}
	d.h, d.w = int(b[1])<<8|int(b[2]), int(b[3])<<8|int(b[4])
	for c := b[6:]; len(c) > 0; c = c[3:] {
		p := part{id: c[0], h: c[1] >> 4, v: c[1] & 15, quant: c[2]}
		if p.h < 1 || p.h > 2 || p.v < 1 || p.v > 2 || p.quant > 3 {
			return false
		}
		d.parts = append(d.parts, p)
	}
	if y := &d.parts[0]; len(d.parts) == 1 {
		y.h, y.v = 1, 1 // of one alone the blocks come one by one
	}
	for _, p := range d.parts[1:] {
		if p.h > d.parts[0].h || p.v > d.parts[0].v {
			return false
		}
	}
	return d.w >= minSide && d.h >= minSide && d.w*d.h <= maxPixels
}

func (d *halfDecoder) quants(b []byte) bool {
	for len(b) > 0 {
		size, to := int(b[0]>>4)+1, b[0]&15
		if size > 2 || to > 3 || len(b) < 1+64*size {
			return false
		}
		for i := range 64 {
			v := uint16(b[1+i*size])
			if size == 2 {
				v = v<<8 | uint16(b[2+2*i])
			}
			d.quant[to][i] = v
		}
		b = b[1+64*size:]
	}
	return true
}

func (d *halfDecoder) huffmans(b []byte) bool {
	for len(b) > 0 {
		class, to := b[0]>>4, b[0]&15
		if class > 1 || to > 3 || len(b) < 17 {
			return false
		}
		n := 0
		for _, count := range b[1:17] {
			n += int(count)
		}
		if n > 256 || len(b) < 17+n || !d.codes[class][to].make(b[1:17], b[17:17+n]) {
			return false
		}
		b = b[17+n:]
	}
	return true
}

func (d *halfDecoder) scanHeader(b []byte) bool {
	if len(b) < 4 || d.parts == nil || int(b[0]) != len(d.parts) || len(b) != 4+2*len(d.parts) {
		return false
	}
	for i := range d.parts {
		p := &d.parts[i]
		p.dc, p.ac = b[2+2*i]>>4, b[2+2*i]&15
		if b[1+2*i] != p.id || p.dc > 3 || p.ac > 3 || d.codes[0][p.dc].values == nil || d.codes[1][p.ac].values == nil {
			return false
		}
	}
	return true
}

// scan reads all blocks.
func (d *halfDecoder) scan(into *Luma) bool {
	y := &d.parts[0]
	across, down := (d.w+8*int(y.h)-1)/(8*int(y.h)), (d.h+8*int(y.v)-1)/(8*int(y.v))
	stride := across * int(y.h) * 4
	pix := slices.Grow(into.Pix[:0], stride*down*int(y.v)*4)[:stride*down*int(y.v)*4]
	into.Pix = pix
	var low [16]int32
	for i := range across * down {
		if d.restart > 0 && i > 0 && i%d.restart == 0 && !d.again() {
			return false
		}
		for k := range d.parts {
			p := &d.parts[k]
			for b := range int(p.h) * int(p.v) {
				if !d.block(p, &low) {
					return false
				}
				if k == 0 {
					row, column := (i/across*int(p.v)+b/int(p.h))*4, (i%across*int(p.h)+b%int(p.h))*4
					pixels(&low, &d.quant[p.quant], pix[row*stride+column:], stride)
				}
			}
		}
		if d.extra > 64 {
			return false // it is cut off
		}
	}
	into.W, into.H = d.w/2, d.h/2
	for row := range into.H { // without what fills up the last blocks
		copy(pix[row*into.W:][:into.W], pix[row*stride:])
	}
	into.Pix = pix[:into.W*into.H]
	return true
}

// again begins anew behind a restart marker.
func (d *halfDecoder) again() bool {
	if len(d.data) < 2 || d.data[0] != 0xff || d.data[1]&0xf8 != 0xd0 {
		return false
	}
	d.data, d.bits, d.have, d.ended, d.extra = d.data[2:], 0, 0, false, 0
	for i := range d.parts {
		d.parts[i].last = 0
	}
	return true
}

// lowest is where each of the 64 frequencies in the order of a JPEG stands among the lowest 4 × 4; 16 = it does not.
var lowest = [64]uint8{
	0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 16, 13, 10, 7, 16, 16,
	16, 16, 11, 14, 16, 16, 16, 16, 16, 15, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
	16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16,
}

// block reads one block's frequencies, not yet multiplied by their steps.
func (d *halfDecoder) block(p *part, low *[16]int32) bool {
	*low = [16]int32{}
	size, ok := d.code(&d.codes[0][p.dc])
	if !ok || size > 11 {
		return false
	}
	p.last += d.number(int(size))
	low[0] = p.last
	codes := &d.codes[1][p.ac]
	for i := 1; i < 64; i++ {
		code, ok := d.code(codes)
		if !ok {
			return false
		}
		run, size := int(code>>4), int(code&15)
		if size == 0 {
			if run < 15 {
				return true
			}
			i += 15
			continue
		}
		if i += run; i > 63 {
			return false
		}
		v := d.number(size)
		if at := lowest[i]; at < 16 {
			low[at] = v
		}
	}
	return true
}

// fill reads bytes until there are more than 32 bits.
func (d *halfDecoder) fill() {
	for d.have <= 32 {
		b := byte(0)
		switch {
		case d.ended:
			d.extra += 8
		case len(d.data) > 0 && d.data[0] != 0xff:
			b, d.data = d.data[0], d.data[1:]
		case len(d.data) > 1 && d.data[1] == 0:
			b, d.data = 0xff, d.data[2:]
		default:
			d.ended = true
			d.extra += 8
		}
		d.bits |= uint64(b) << (56 - d.have)
		d.have += 8
	}
}

func (d *halfDecoder) skip(n int) { d.bits, d.have = d.bits<<n, d.have-n }

// number reads a number of so many bits, as T.81 F.2.2.1 writes them.
func (d *halfDecoder) number(size int) int32 {
	if size == 0 {
		return 0
	}
	if d.have < size {
		d.fill()
	}
	v := int32(d.bits >> (64 - size))
	d.skip(size)
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v
}

// huffman is a table of codes.
type huffman struct {
	quick  [512]uint16 // by the next nine bits: length << 8 | value; 0 = the code is longer
	least  [17]int32   // the first code of each length
	first  [17]int32   // where its value is
	counts [17]int32
	values []byte
}

func (h *huffman) make(counts, values []byte) bool {
	*h = huffman{values: values}
	code, at := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		n := int32(counts[length-1])
		h.least[length], h.first[length], h.counts[length] = code, at, n
		if code+n > 1<<length {
			return false
		}
		for ; n > 0; n-- {
			if length <= 9 {
				for i := range 1 << (9 - length) {
					h.quick[int(code)<<(9-length)+i] = uint16(length)<<8 | uint16(values[at])
				}
			}
			code, at = code+1, at+1
		}
		code <<= 1
	}
	return true
}

// code reads the next code's value.
func (d *halfDecoder) code(h *huffman) (byte, bool) {
	if d.have < 16 {
		d.fill()
	}
	if q := h.quick[d.bits>>55]; q != 0 {
		d.skip(int(q >> 8))
		return byte(q), true
	}
	for length := 10; length <= 16; length++ {
		if c := int32(d.bits>>(64-length)) - h.least[length]; c >= 0 && c < h.counts[length] {
			d.skip(length)
			return h.values[h.first[length]+c], true
		}
	}
	return 0, false
}

// pixels makes 4 × 4 pixels of the lowest frequencies.
func pixels(low *[16]int32, quant *[64]uint16, out []byte, stride int) {
	if dcOnly(low) {
		v := bright(float32(low[0])*float32(quant[0])/8 + 128)
		for y := range 4 {
			row := out[y*stride:][:4]
			row[0], row[1], row[2], row[3] = v, v, v, v
		}
		return
	}
	var f [16]float32
	for i, at := range lowest[:26] {
		if at < 16 {
			f[at] = float32(low[at]) * float32(quant[i]) / 8 // 1/2 for the size, and 1/2 for each direction of the transform
		}
	}
	for y := range 4 { // rows, then columns
		turn4(f[y*4:], 1)
	}
	for x := range 4 {
		turn4(f[x:], 4)
	}
	for y := range 4 {
		row, from := out[y*stride:][:4], f[y*4:][:4]
		for x, v := range from {
			row[x] = bright(v + 128)
		}
	}
}

func dcOnly(low *[16]int32) bool {
	any := int32(0)
	for _, v := range low[1:] {
		any |= v
	}
	return any == 0
}

func bright(v float32) byte { return byte(min(max(v+0.5, 0), 255)) }

// turn4 is an inverse cosine transform of four numbers, twice as large as an orthonormal one.
func turn4(f []float32, step int) {
	const c1, c3 = 1.3065629648763766, 0.541196100146197 // √2·cos(π/8), √2·cos(3π/8)
	a, b, c, d := f[0], f[step], f[2*step], f[3*step]
	even, odd := a+c, a-c
	x, y := b*c1+d*c3, b*c3-d*c1
	f[0], f[step], f[2*step], f[3*step] = even+x, odd+y, odd-y, even-x
}

package printertest

import (
	"math"
	"math/rand/v2"
)

// noise corrupts the bytes of one direction. It draws how many bytes pass until the next hit, so that clean bytes cost
// next to nothing, and the same seed hits the same bytes whatever the timing.
type noise struct {
	rand       *rand.Rand
	flip, drop float64
	oncePer    bool  // at most one hit in a line, up to an intact line end
	skip       int64 // clean bytes until the next hit
	dirty      bool  // this line was hit
	hits       int64
}

func newNoise(flip, drop float64, oncePerLine bool, r *rand.Rand) noise {
	n := noise{rand: r, flip: flip, drop: drop, oncePer: oncePerLine, skip: math.MaxInt64}
	n.draw()
	return n
}

func (n *noise) draw() {
	rate := n.flip + n.drop
	if rate <= 0 {
		n.skip = math.MaxInt64
		return
	}
	n.skip = int64(min(1e15, math.Log(1-n.rand.Float64())/math.Log1p(-min(rate, 0.999999))))
}

// pass returns what becomes of c; false when it is lost.
func (n *noise) pass(c byte) (byte, bool) {
	if n.skip > 0 {
		n.skip--
		if c == '\n' {
			n.dirty = false
		}
		return c, true
	}
	n.draw()
	what, bit := n.rand.Float64()*(n.flip+n.drop), n.rand.IntN(8)
	if n.oncePer && n.dirty {
		if c == '\n' {
			n.dirty = false
		}
		return c, true
	}
	n.hits++
	n.dirty = true
	if what >= n.flip {
		return c, false
	}
	return c ^ 1<<bit, true
}

// garbage is what a UART makes of bytes at another speed: mostly bits that stick, now and then a line end.
func garbage(r *rand.Rand) byte {
	const common = "\x00\x80\xf8\xfe\xe6\x9e\x00\xc0\xfc\x86\xf0\x98\xe0\x1e\x06\x80"
	v := r.Uint32()
	if v&31<<8 == 0 {
		return '\n'
	}
	return common[v&15]
}

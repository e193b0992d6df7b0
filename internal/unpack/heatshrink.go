package unpack

import "io"

// heatshrink reads what Scott Vokes' heatshrink (github.com/atomicobject/heatshrink) packed: bits, the highest of a byte first. 1 and eight bits
// are a byte as it is. 0, an offset and a count, each less by one, repeat what came that far back; before the first byte there are zeros.
type heatshrink struct {
	r          io.ByteReader
	window     []byte // the last bytes that came out; its length is a power of two
	windowBits uint
	at         uint // where the next one goes, modulo the window
	bits       uint64
	have       uint // valid bits, the lowest of bits
	again      uint // bytes still to be repeated
	back       uint // from so far back
}

const lookaheadBits = 4 // binary G-code knows no other

// reset begins anew with what r has.
func (h *heatshrink) reset(r io.ByteReader, windowBits uint) {
	if h.windowBits != windowBits {
		h.window = make([]byte, 1<<windowBits)
	}
	clear(h.window)
	*h = heatshrink{r: r, window: h.window, windowBits: windowBits}
}

func (h *heatshrink) Read(p []byte) (n int, err error) {
	mask := uint(len(h.window) - 1)
	for n < len(p) {
		var c byte
		if h.again > 0 {
			h.again--
			c = h.window[(h.at-h.back)&mask]
		} else {
			v, err := h.take(9) // the shorter of the two ends here
			if err != nil {
				return n, err
			}
			if v>>8 == 0 {
				more := h.windowBits + lookaheadBits - 8
				rest, err := h.take(more)
				if err != nil {
					return n, err
				}
				v = v<<more | rest
				h.back, h.again = v>>lookaheadBits+1, v&(1<<lookaheadBits-1)+1
				continue
			}
			c = byte(v)
		}
		h.window[h.at&mask] = c
		h.at++
		p[n] = c
		n++
	}
	return n, nil
}

// take returns the next n bits, at most 32 of them. What is left of the last byte is no data: the end comes instead.
func (h *heatshrink) take(n uint) (uint, error) {
	for h.have < n {
		c, err := h.r.ReadByte()
		if err != nil {
			return 0, err
		}
		h.bits = h.bits<<8 | uint64(c)
		h.have += 8
	}
	h.have -= n
	return uint(h.bits>>h.have) & (1<<n - 1), nil
}

// Package packing makes binary G-code, as simple as can be: what tests and benchmarks of package unpack take apart. It shares no code with that.
package packing

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"strings"

	"layerd/gcode"
)

// Kinds, compressions and encodings of blocks, by libbgcode's numbers (doc/specifications.md).
const (
	GCode = 1 // a kind

	Stored       = 0 // compressions
	Deflate      = 1
	Heatshrink11 = 2 // a window of 2^11 bytes
	Heatshrink12 = 3

	Plain            = 0 // encodings
	MeatPack         = 1
	MeatPackComments = 2
)

// File is binary G-code with these blocks, each with a checksum behind it if sums.
func File(sums bool, blocks ...[]byte) []byte {
	head := []byte("GCDE\x01\x00\x00\x00\x00\x00")
	if sums {
		head[8] = 1
	}
	for _, b := range blocks {
		head = append(head, b...)
		if sums {
			head = binary.LittleEndian.AppendUint32(head, crc32.ChecksumIEEE(b))
		}
	}
	return head
}

// Block is a block without its checksum.
func Block(kind, compression uint16, data []byte, parameters ...uint16) []byte {
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, compression)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	if compression != Stored {
		data = Compress(compression, data)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	}
	for _, p := range parameters {
		b = binary.LittleEndian.AppendUint16(b, p)
	}
	return append(b, data...)
}

// Text is a whole file of blocks of G-code of up to 64 KiB of text, as slicers write it.
func Text(text []byte, compression, encoding uint16) []byte {
	const most = 64 << 10
	var blocks [][]byte
	for rest := text; len(rest) > 0; {
		n := min(len(rest), most)
		if end := bytes.LastIndexByte(rest[:n], '\n') + 1; end > 0 {
			n = end
		}
		data := rest[:n]
		if encoding != Plain {
			data = Meat(string(data), encoding == MeatPackComments)
		}
		blocks = append(blocks, Block(GCode, compression, data, encoding))
		rest = rest[n:]
	}
	return File(true, blocks...)
}

// Compress compresses by any way but Stored.
func Compress(compression uint16, data []byte) []byte {
	if compression != Deflate {
		return shrink(data, 11+uint(compression-Heatshrink11))
	}
	var out bytes.Buffer // which takes all there is
	w := zlib.NewWriter(&out)
	w.Write(data)
	w.Close()
	return out.Bytes()
}

const lookaheadBits = 4

// shrink is heatshrink, greedy. The newest place where three bytes stood is where it looks.
func shrink(data []byte, windowBits uint) []byte {
	var out []byte
	var bits uint64
	have := uint(0)
	put := func(v, n uint) {
		bits, have = bits<<n|uint64(v), have+n
		for ; have >= 8; have -= 8 {
			out = append(out, byte(bits>>(have-8)))
		}
	}
	seen := make(map[[3]byte]int)
	for i := 0; i < len(data); {
		back, n := 0, 0
		if i+3 <= len(data) {
			if at, ok := seen[[3]byte(data[i:])]; ok && i-at <= 1<<windowBits {
				for back = i - at; n < 1<<lookaheadBits && i+n < len(data) && data[i+n-back] == data[i+n]; n++ {
				}
			}
		}
		if n < 3 {
			put(1<<8|uint(data[i]), 9)
			n = 1
		} else {
			put(uint(back-1), windowBits+1)
			put(uint(n-1), lookaheadBits)
		}
		for ; n > 0; n-- {
			if i+3 <= len(data) {
				seen[[3]byte(data[i:])] = i
			}
			i++
		}
	}
	if have > 0 {
		put(0, 8-have)
	}
	return out
}

// Meat packs text as libbgcode does: comments as they are, or not at all.
func Meat(text string, comments bool) []byte {
	out := []byte(gcode.MeatPackOn + gcode.MeatPackNoSpaces)
	for line := range strings.Lines(text) {
		switch {
		case line[0] != ';':
			out = gcode.AppendMeatPack(out, gcode.AppendWithoutSpaces(nil, []byte(strings.TrimSuffix(line, "\n"))), true)
		case comments:
			out = append(out, gcode.MeatPackOff+line+gcode.MeatPackOn...)
		}
	}
	return out
}

package unpack

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layerd/gcode"
)

// An encoder of everything that is decoded here, as simple as can be.

// fileOf is binary G-code with these blocks.
func fileOf(sums bool, blocks ...[]byte) []byte {
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

// blockOf is a block without its checksum.
func blockOf(t testing.TB, kind, compression uint16, data []byte, parameters ...uint16) []byte {
	t.Helper()
	b := binary.LittleEndian.AppendUint16(nil, kind)
	b = binary.LittleEndian.AppendUint16(b, compression)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	if compression != stored {
		data = compressed(t, compression, data)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	}
	for _, p := range parameters {
		b = binary.LittleEndian.AppendUint16(b, p)
	}
	return append(b, data...)
}

func compressed(t testing.TB, compression uint16, data []byte) []byte {
	t.Helper()
	if compression == deflated {
		var out bytes.Buffer
		w := zlib.NewWriter(&out)
		w.Write(data)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	return shrink(data, 11+uint(compression-heatshrunk11))
}

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

// meatOf packs text as libbgcode does: comments as they are, or not at all.
func meatOf(text string, comments bool) []byte {
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

func zipped(t testing.TB, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(text)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// tempFile makes spools without a name: they are gone when they are closed.
func tempFile() (*os.File, error) {
	f, err := os.CreateTemp("", "spool")
	if err == nil {
		err = os.Remove(f.Name())
	}
	return f, err
}

func corpusFile(t testing.TB, name string) []byte {
	t.Helper()
	const corpusDir = "../../../shared/corpus"
	if _, err := os.Stat(corpusDir); err != nil {
		t.Skipf("the corpus of real files is absent: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(corpusDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

package unpack

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"testing"

	"layerd/internal/unpack/packing"
)

// read reads text to its end, or until it is beyond all measure, and says what must hold of any file.
func read(t *testing.T, file []byte) (text []byte, err error) {
	t.Helper()
	opened, err := Open(bytes.NewReader(file), tempFile)
	if err == nil {
		text, err = io.ReadAll(io.LimitReader(opened, 4<<20))
		opened.Close()
	}
	if err != nil && !errors.Is(err, ErrPacked) {
		t.Errorf("an error that does not say it: %v", err)
	}
	return text, err
}

func FuzzOpen(f *testing.F) {
	text := []byte("G28\n;x\nG1 X1 Y2\n")
	f.Add(text)
	f.Add(zipped(f, text))
	f.Add(archived(f, zip.Deflate, entry{"/3D/model.gcode", text}, entry{"/Metadata/thumbnail.png", picture(f, 3, 2)}))
	f.Add(archived(f, zip.Store, entry{"Metadata/plate_1.gcode", text}))
	f.Fuzz(func(t *testing.T, file []byte) { read(t, file) })
}

func FuzzBinary(f *testing.F) {
	for compression := range uint16(compressions) {
		f.Add(fileOf(false, blockOf(f, printerMetadata, compression, []byte("a=b\nc"), 0), blockOf(f, thumbnailBlock, compression, []byte("qoif"), 2, 3, 4),
			blockOf(f, codeBlock, compression, meatOf(print(2), true), meatPackComments))[10:])
	}
	f.Fuzz(func(t *testing.T, blocks []byte) {
		file := append(fileOf(false), blocks...) // a checksum would keep the fuzzer out
		text, err := read(t, file)
		again, errAgain := read(t, file)
		if !bytes.Equal(text, again) || (err == nil) != (errAgain == nil) {
			t.Errorf("twice the same, and other text: %v, %v", err, errAgain)
		}
	})
}

func FuzzHeatshrink(f *testing.F) {
	f.Add([]byte("G1 X1 Y1\nG1 X1 Y2\n"), false)
	f.Add([]byte("\x00\x00\x00\x00\x00\x00\x00aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), true)
	f.Fuzz(func(t *testing.T, data []byte, wide bool) {
		bits := uint(11)
		if wide {
			bits++
		}
		var h heatshrink
		h.reset(bytes.NewReader(shrink(data, bits)), bits)
		if got, err := io.ReadAll(&h); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%x came back as %x, %v", data, got, err)
		}
		h.reset(bytes.NewReader(data), bits) // and what nobody packed
		if got, err := io.ReadAll(&h); err != nil || len(got) > 16*len(data) {
			t.Errorf("%x became %d bytes, %v", data, len(got), err)
		}
	})
}

// BenchmarkOpen counts bytes of text.
func BenchmarkOpen(b *testing.B) {
	text := []byte(print(100_000))
	binary := func(compression, encoding uint16) []byte { return packing.Text(text, compression, encoding) }
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"text", text},
		{"gzip", zipped(b, text)},
		{"ufp", archived(b, zip.Deflate, entry{"/3D/model.gcode", text})},
		{"bgcode/stored", binary(stored, noEncoding)},
		{"bgcode/deflate", binary(deflated, noEncoding)},
		{"bgcode/heatshrink11", binary(heatshrunk11, noEncoding)},
		{"bgcode/heatshrink12", binary(heatshrunk12, noEncoding)},
		{"bgcode/meatpack", binary(stored, meatPackComments)},
		{"bgcode/heatshrink12+meatpack", binary(heatshrunk12, meatPackComments)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				opened, err := Open(bytes.NewReader(c.file), tempFile)
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, opened); err != nil || n < int64(len(text)) {
					b.Fatal(n, err)
				}
				opened.Close()
			}
		})
	}
}

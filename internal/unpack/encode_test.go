package unpack

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"layerd/internal/unpack/packing"
)

func fileOf(sums bool, blocks ...[]byte) []byte { return packing.File(sums, blocks...) }

func blockOf(_ testing.TB, kind, compression uint16, data []byte, parameters ...uint16) []byte {
	return packing.Block(kind, compression, data, parameters...)
}

func compressed(_ testing.TB, compression uint16, data []byte) []byte {
	return packing.Compress(compression, data)
}

func shrink(data []byte, windowBits uint) []byte {
	return packing.Compress(heatshrunk11+uint16(windowBits-11), data)
}

func meatOf(text string, comments bool) []byte { return packing.Meat(text, comments) }

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

package main

import (
	"bytes"
	"fmt"
	"math"
	"os"

	"layerd/internal/unpack"
	"layerd/internal/unpack/packing"
)

// unpack decodes a benchy that was packed in each way that binary G-code knows. What counts is text that comes out.
func (b *bench) unpack() error {
	fmt.Println("\n## Binary G-code decoded, checksums verified: one core, from memory")
	found := b.named("ps_benchy_m73")
	if len(found) == 0 {
		fmt.Println("left out: the corpus has no ps_benchy_m73")
		return nil
	}
	text, err := os.ReadFile(found[0].path)
	if err != nil {
		return err
	}
	var t table
	t.add("blocks", "bytes", "text MB/s")
	slowest := math.Inf(1)
	for _, c := range []struct {
		name                  string
		compression, encoding uint16
	}{
		{"stored", packing.Stored, packing.Plain},
		{"deflate", packing.Deflate, packing.Plain},
		{"heatshrink 11/4", packing.Heatshrink11, packing.Plain},
		{"heatshrink 12/4", packing.Heatshrink12, packing.Plain},
		{"MeatPack", packing.Stored, packing.MeatPack},
		{"MeatPack with comments", packing.Stored, packing.MeatPackComments},
		{"deflate and MeatPack with comments", packing.Deflate, packing.MeatPackComments},
		{"heatshrink 12/4 and MeatPack with comments", packing.Heatshrink12, packing.MeatPackComments},
	} {
		file := packing.Text(text, c.compression, c.encoding)
		out, err := decode(file)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		perSecond, err := rate(out, func() error {
			_, err := decode(file)
			return err
		})
		if err != nil {
			return err
		}
		t.add(c.name, len(file), whole(perSecond/1e6))
		slowest = min(slowest, perSecond)
	}
	t.print()
	goal(fmt.Sprintf("bgcode decode ≥ %.0f MB/s of output", unpackGoal/1e6), fmt.Sprintf("%.0f MB/s, the slowest", slowest/1e6), slowest >= unpackGoal)
	return nil
}

// decode returns how many bytes of text a file holds.
func decode(file []byte) (int64, error) {
	text, err := unpack.Open(bytes.NewReader(file), func() (*os.File, error) { return os.CreateTemp("", "spool") })
	if err != nil {
		return 0, err
	}
	defer text.Close()
	return drain(text)
}

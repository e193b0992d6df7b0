package main

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// client speaks NBD as qemu does.
type client struct {
	t *testing.T
	c net.Conn
}

// attach makes a disk of four blocks, all full of the same letter, and greets it.
func attach(t *testing.T) (*disk, *client) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, bytes.Repeat([]byte("i"), 4*block), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := openDisk(image)
	if err != nil {
		t.Fatal(err)
	}
	here, there := net.Pipe()
	served := make(chan error, 1)
	go func() { served <- d.serve(there) }()
	t.Cleanup(func() {
		here.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
		d.image.Close()
	})
	k := &client{t, here}
	k.hear(18)
	k.say(uint32(3))
	k.say(uint64(nbdOption), uint32(8), uint32(0)) // structured replies, which it does not have
	if got := k.hear(20); binary.BigEndian.Uint32(got[12:]) != nbdUnknown {
		t.Fatalf("an option that it does not have: %x", got)
	}
	k.say(uint64(nbdOption), uint32(nbdGo), uint32(6), uint32(0), uint16(0))
	got := k.hear(20 + 12 + 20)
	if size := binary.BigEndian.Uint64(got[22:]); size != 4*block || binary.BigEndian.Uint32(got[32+12:]) != nbdAck {
		t.Fatalf("it is shown as %x", got)
	}
	return d, k
}

func (k *client) say(words ...any) {
	k.t.Helper()
	for _, w := range words {
		if err := binary.Write(k.c, binary.BigEndian, w); err != nil {
			k.t.Fatal(err)
		}
	}
}

func (k *client) hear(n int) []byte {
	k.t.Helper()
	b := make([]byte, n)
	if _, err := io.ReadFull(k.c, b); err != nil {
		k.t.Fatal(err)
	}
	return b
}

func (k *client) ask(do, flags uint16, offset int64, length int, data []byte) []byte {
	k.t.Helper()
	k.say(uint32(nbdRequest), flags, do, uint64(7), offset, uint32(length))
	if len(data) > 0 { // an empty write to a pipe waits for a reader
		k.say(data)
	}
	answer := 16
	if do == nbdRead {
		answer += length
	}
	got := k.hear(answer)
	if binary.BigEndian.Uint32(got[4:]) != 0 || binary.BigEndian.Uint64(got[8:]) != 7 {
		k.t.Fatalf("answered %x", got[:16])
	}
	return got[16:]
}

func (k *client) write(offset int64, text string, flags uint16) {
	k.t.Helper()
	k.ask(nbdWrite, flags, offset, len(text), []byte(text))
}

func (k *client) read(offset int64, n int) string {
	k.t.Helper()
	return string(k.ask(nbdRead, 0, offset, n, nil))
}

// TestPowerCut: what was flushed or written through is safe; what was not is lost or kept block by block, and nothing else.
func TestPowerCut(t *testing.T) {
	lostSome, keptSome := false, false
	for seed := range uint64(20) {
		d, k := attach(t)
		k.write(block-2, "safe", 0) // over the edge of two blocks
		k.ask(nbdFlush, 0, 0, 0, nil)
		k.write(10, "late", 0)
		k.write(2*block, "through", nbdThrough)
		k.write(3*block, "late", 0)
		if got := k.read(block-2, 4); got != "safe" {
			t.Fatalf("before the cut: %q", got)
		}
		lost, unsafe := d.cut(rand.New(rand.NewPCG(seed, 0)))
		if got := k.read(block-2, 4) + k.read(2*block, 8); unsafe != 2 || got != "safethroughi" {
			t.Errorf("of %d blocks %d were lost, and what was safe is %q", unsafe, lost, got)
		}
		gone := 0
		for _, at := range []int64{10, 3 * block} {
			switch got := k.read(at, 4); got {
			case "iiii":
				gone++
			case "late":
			default:
				t.Errorf("at %d there is %q, which was never written", at, got)
			}
		}
		if gone != lost {
			t.Errorf("%d were said to be lost, %d are", lost, gone)
		}
		lostSome, keptSome = lostSome || lost > 0, keptSome || lost < 2
	}
	if !lostSome || !keptSome {
		t.Errorf("in twenty cuts: lost %v, kept %v", lostSome, keptSome)
	}
}

func TestOnceInOrder(t *testing.T) {
	want := []string{"G28", "G1 X1", "G1 X2"}
	for _, c := range []struct {
		got       []string
		brokenOff bool
		ok        bool
	}{
		{want, false, true},
		{want[:2], false, false},
		{want[:2], true, true},
		{nil, true, true},
		{[]string{"G28", "G1 X1", "G1 X1", "G1 X2"}, false, false},
		{[]string{"G28", "G1 X2"}, true, false},
		{append([]string{"M104 S0"}, want...), true, false},
		{append(want[:3:3], "M104 S0"), true, false},
	} {
		if err := onceInOrder(c.got, want, c.brokenOff); (err == nil) != c.ok {
			t.Errorf("%q, broken off %v: %v", c.got, c.brokenOff, err)
		}
	}
}

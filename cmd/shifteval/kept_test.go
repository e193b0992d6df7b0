package main

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// What is kept makes the same pictures as what is not, and holds only what came twice.
func TestKept(t *testing.T) {
	r := &rendering{w: 352, h: 198}
	for k := range r.lamp {
		r.lamp[k] = make([]byte, r.w*r.h)
		for i := range r.lamp[k] {
			r.lamp[k][i] = byte(i * (k + 3) / 7)
		}
	}
	other := usual()
	other.nudge[0] = 2
	plainly, keeps := plain, plain
	keeps.kept = &kept{}
	for i, m := range []moment{usual(), usual(), other, usual()} {
		want := plainly.shoot(r, m, rand.New(rand.NewPCG(1, uint64(i))))
		if got := keeps.shoot(r, m, rand.New(rand.NewPCG(1, uint64(i)))); !bytes.Equal(got, want) {
			t.Errorf("picture %d is another one", i)
		}
	}
	held := 0
	for _, s := range keeps.kept.of {
		if s != nil {
			held++
		}
	}
	if held != 1 || len(keeps.kept.of) != 2 {
		t.Errorf("%d of %d held, want 1 of 2", held, len(keeps.kept.of))
	}
}

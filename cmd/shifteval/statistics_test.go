package main

import (
	"math"
	"strings"
	"testing"
)

// The bounds are those of published tables.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		of, all   int
		low, high float64
	}{
		{0, 10, 0, 0.3085}, {10, 10, 0.6915, 1}, {5, 10, 0.1871, 0.8129}, {95, 100, 0.8872, 0.9836}, {1, 1000, 0.00003, 0.0056}, {0, 300, 0, 0.0122},
	} {
		low, high := share{c.of, c.all}.bounds()
		if math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%d of %d: got %.5f to %.5f, want %.5f to %.5f", c.of, c.all, low, high, c.low, c.high)
		}
	}
}

// With no event the bound is the rule of three; with some it is Poisson's.
func TestUpper(t *testing.T) {
	for _, c := range []struct {
		events int
		hours  float64
		want   float64
	}{{0, 300, 0.9986}, {0, 100, 2.9957}, {1, 100, 4.7439}, {3, 100, 7.7537}} {
		if got := (rate{c.events, c.hours}).upper(); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%d in %.0f h: got %.4f, want %.4f in 100 h", c.events, c.hours, got, c.want)
		}
	}
}

// Where all misses are of one scene the bound is wider than if they were anybody's.
func TestClustered(t *testing.T) {
	apart := []share{{9, 10}, {9, 10}, {9, 10}, {9, 10}, {9, 10}}
	if low, high := clustered(apart); low != 0.9 || high != 0.9 {
		t.Errorf("all alike: got %v to %v", low, high)
	}
	low, high := clustered([]share{{10, 10}, {10, 10}, {10, 10}, {10, 10}, {5, 10}})
	if alone, _ := (share{45, 50}).bounds(); low > alone || high != 1 {
		t.Errorf("one scene bad: got %.3f to %.3f, want lower than %.3f, and 1", low, high, alone)
	}
	if low, high := clustered(nil); low != 0 || high != 1 {
		t.Errorf("of nothing: got %v to %v", low, high)
	}
}

func TestShareSays(t *testing.T) {
	if got := (share{999, 1000}).String(); !strings.HasPrefix(got, "99.9 % (999 of 1000; ") {
		t.Errorf("got %q", got)
	}
	if got := (share{9999, 10000}).String(); strings.HasPrefix(got, "100") {
		t.Errorf("one of ten thousand is missing: got %q", got)
	}
	if got := (share{}).String(); got != "–" {
		t.Errorf("of nothing: got %q", got)
	}
}

// What is put between the marks of a part stands there, and nothing else has changed.
func TestPut(t *testing.T) {
	doc := []byte("# a\n<!-- shifteval: one -->\nold\n<!-- end of one -->\nb\n<!-- shifteval: two -->\n<!-- end of two -->\n")
	got, err := put(doc, "one", "new\n")
	want := strings.Replace(string(doc), "old", "new", 1)
	if err != nil || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if between(got, "one") != "new\n" || between(got, "two") != "" {
		t.Errorf("between: got %q and %q", between(got, "one"), between(got, "two"))
	}
	if _, err := put(doc, "three", ""); err == nil {
		t.Error("there is no third part")
	}
}

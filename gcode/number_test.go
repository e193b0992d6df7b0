package gcode

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

func TestParseNumber(t *testing.T) {
	for _, c := range []struct {
		in   string
		want float64
		n    int
		ok   bool
	}{
		{"12.5 Y3", 12.5, 4, true},
		{"-.8", -0.8, 3, true},
		{"+2", 2, 2, true},
		{"1.", 1, 2, true},
		{".5", 0.5, 2, true},
		{"1E5", 1, 1, true},
		{"1.2.3", 1.2, 3, true},
		{"00012", 12, 5, true},
		{"140.97421035", 140.97421035, 12, true},
		{"12345678901234567890123", 12345678901234567890123, 23, true},
		{"0." + strings.Repeat("3", 40), 1.0 / 3, 42, true},
		{"-0000000000000000000000000000012.5", -12.5, 34, true},
		{"0.00000000000000000000000000000125", 1.25e-30, 34, true},
		{"1" + strings.Repeat("0", 25) + ".5", 1e25, 28, true},
		{strings.Repeat("9", 400), math.Inf(1), 400, false},
		{"0." + strings.Repeat("0", 400) + "1", 0, 403, true},
		{"-", 0, 0, false},
		{".", 0, 0, false},
		{"", 0, 0, false},
		{"nan", 0, 0, false},
		{"inf", 0, 0, false},
		{"--1", 0, 0, false},
	} {
		v, n, ok := parseNumber(c.in)
		if n != c.n || ok != c.ok || c.ok && math.Abs(v-c.want) > 1e-15*math.Abs(c.want) {
			t.Errorf("parseNumber(%q) = %v, %d, %v, want %v, %d, %v", c.in, v, n, ok, c.want, c.n, c.ok)
		}
	}
}

// What slicers write must come out as strconv would read it, to the last bit.
func TestParseNumberIsExact(t *testing.T) {
	for i := -200000; i < 200000; i += 37 {
		s := strconv.FormatFloat(float64(i)/1000, 'f', 5, 64)
		want, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := parseNumber([]byte(s)); got != want {
			t.Fatalf("parseNumber(%q) = %v, want %v", s, got, want)
		}
	}
}

func TestParseInt(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
		n    int
	}{
		{"12*", 12, 2},
		{"-1 ", -1, 2},
		{"9223372036854775807", math.MaxInt64, 19},
		{"-9223372036854775808", math.MinInt64, 20},
		{"9223372036854775808", 0, 0},
		{"-9223372036854775809", 0, 0},
		{"99999999999999999999999", 0, 0},
		{"-", 0, 0},
		{"x", 0, 0},
		{"", 0, 0},
	} {
		if v, n := parseInt(c.in); v != c.want || n != c.n {
			t.Errorf("parseInt(%q) = %d, %d, want %d, %d", c.in, v, n, c.want, c.n)
		}
	}
}

func TestAppendNumber(t *testing.T) {
	for _, c := range []struct {
		v        float64
		decimals int
		want     string
	}{
		{1, 3, "1"},
		{-0.8, 5, "-0.8"},
		{0.1 + 0.2, 5, "0.3"},
		{-0.0001, 3, "0"},
		{math.Copysign(0, -1), 2, "0"},
		{100, 0, "100"},
		{100, 2, "100"},
		{1500.5, 1, "1500.5"},
		{1e21, 3, "1000000000000000000000"},
		{2.675, -4, "3"},
		{1.0 / 3, 99, "0.333333333"},
		{math.NaN(), 3, "0"},
		{math.Inf(-1), 3, "0"},
	} {
		if got := string(AppendNumber([]byte("X"), c.v, c.decimals)); got != "X"+c.want {
			t.Errorf("AppendNumber(%v, %d) = %q, want %q", c.v, c.decimals, got, "X"+c.want)
		}
	}
}

func TestFeedUnits(t *testing.T) {
	if got := MMPerSecond(9000); got != 150 {
		t.Errorf("MMPerSecond(9000) = %v, want 150", got)
	}
	if got := FeedWord(150); got != 9000 {
		t.Errorf("FeedWord(150) = %v, want 9000", got)
	}
}

package gcode

import "math"

// text is what numbers are read from: lines of files and replies, and parts of them that were made strings.
type text interface{ ~string | ~[]byte }

// maxExactDigits is how many digits always fit a uint64.
const maxExactDigits = 19

// powers are exact in a float64, so that mantissa/power is the correctly rounded decimal (up to 2^53, some 15 digits).
var powers = [maxExactDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// parseNumber reads a decimal number at the start of s: sign, digits, point, digits. G-code has no exponents: the E of
// "X1E5" is the next word. It returns how many bytes the number has, 0 when there is none, and ok when it is finite.
func parseNumber[T text](s T) (v float64, n int, ok bool) {
	i := 0
	negative := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		i++
	}
	first := i
	var mantissa uint64
	for ; i < len(s) && s[i]-'0' <= 9; i++ {
		mantissa = mantissa*10 + uint64(s[i]-'0')
	}
	digits, places := i-first, 0
	if i < len(s) && s[i] == '.' {
		i++
		point := i
		for ; i < len(s) && s[i]-'0' <= 9; i++ {
			mantissa = mantissa*10 + uint64(s[i]-'0')
		}
		places = i - point
		digits += places
	}
	switch {
	case digits == 0:
		return 0, 0, false
	case digits > maxExactDigits:
		if v = longNumber(s[first:i]); math.IsInf(v, 0) {
			return v, i, false
		}
	default:
		v = float64(mantissa) / powers[places]
	}
	if negative {
		v = -v
	}
	return v, i, true
}

// longNumber is the value of digits, perhaps with a point in between, that are too many for a uint64. Those that a float64
// cannot hold anyway count only for their place.
func longNumber[T text](s T) float64 {
	var mantissa uint64
	shift, digits, fraction := 0, 0, false
	for i := range len(s) {
		if s[i] == '.' {
			fraction = true
			continue
		}
		kept := digits < maxExactDigits
		if kept {
			mantissa = mantissa*10 + uint64(s[i]-'0')
		}
		if mantissa > 0 {
			digits++
		}
		if kept && fraction {
			shift--
		} else if !kept && !fraction {
			shift++
		}
	}
	if mantissa == 0 {
		return 0
	}
	// In two steps, for 10^shift alone may be too small for a float64 where the value is not.
	return float64(mantissa) * math.Pow10(shift/2) * math.Pow10(shift-shift/2)
}

// parseInt reads a whole number with an optional minus at the start of s and returns how many bytes it has; 0 when there
// is none or it does not fit.
func parseInt[T text](s T) (v int64, n int) {
	i := 0
	negative := i < len(s) && s[i] == '-'
	if negative {
		i++
	}
	first := i
	for ; i < len(s); i++ {
		c := s[i] - '0'
		if c > 9 {
			break
		}
		// Counted downwards, because the smallest int64 has no positive twin.
		if v < (math.MinInt64+int64(c))/10 {
			return 0, 0
		}
		v = v*10 - int64(c)
	}
	if i == first {
		return 0, 0
	}
	if !negative {
		if v == math.MinInt64 {
			return 0, 0
		}
		v = -v
	}
	return v, i
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20-'a' <= 'z'-'a' }

func upper(c byte) byte {
	if c-'a' <= 'z'-'a' {
		return c - ('a' - 'A')
	}
	return c
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

package gcode

import (
	"math"
	"strconv"
)

// G-code's F words count millimetres per minute; everything else in layerd counts millimetres per second. Only this file
// converts, and only this file writes numbers the way that firmware reads them.

const secondsPerMinute = 60

// MMPerSecond converts the value of an F word (mm/min) to mm/s.
func MMPerSecond(f float64) float64 { return f / secondsPerMinute }

// FeedWord converts mm/s to the value of an F word (mm/min).
func FeedWord(mmPerS float64) float64 { return mmPerS * secondsPerMinute }

// maxDecimals is more than any firmware's float can hold.
const maxDecimals = 9

// AppendNumber appends v with at most decimals places after the point: no exponent (firmware would take its E for the
// extruder), no trailing zeros, never "-0". A value that is not finite is a mistake of the caller and is written as 0.
func AppendNumber(dst []byte, v float64, decimals int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, '0')
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', min(max(decimals, 0), maxDecimals), 64)
	if decimals > 0 {
		for dst[len(dst)-1] == '0' {
			dst = dst[:len(dst)-1]
		}
		if dst[len(dst)-1] == '.' {
			dst = dst[:len(dst)-1]
		}
	}
	if string(dst[start:]) == "-0" {
		dst = append(dst[:start], '0')
	}
	return dst
}

package peertest

import (
	"fmt"
	"strings"
)

// files that the script uploads. The long one prints until it is cancelled, the small one for some seconds.
func files() map[string][]byte {
	return map[string][]byte{
		"peer-long.gcode":  job(20_000),
		"peer-small.gcode": job(200),
		"from-there.gcode": job(20),
		"peer-note.pdf":    []byte("%PDF-1.4\n"),
	}
}

func job(moves int) []byte {
	var text strings.Builder
	text.WriteString("; zigzag\nM140 S50\nM104 S200\nG28\nG90\nM82\nG92 E0\n")
	for i := range moves {
		fmt.Fprintf(&text, "G1 X%d Y%d Z%.1f E%.2f F6000\n", 20+i%100, 20+(i*7)%100, 0.2*float64(1+i/20), float64(i)*0.01)
	}
	text.WriteString("M104 S0\nM140 S0\n")
	return []byte(text.String())
}

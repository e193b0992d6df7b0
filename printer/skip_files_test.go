package printer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// layered writes a plate of two objects by layer; before is said in each layer behind its height, and around what is said of each object.
func layered(before string, around func(object int, lines string) string) string {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nM83\nG90\nG1 X5 Y5 Z0.2 F3000\n")
	for layer := range 8 {
		fmt.Fprintf(&b, "G1 E-1 F2400\nG1 Z%.1f F600\n%s", 0.2*float64(layer+1), before)
		for object := range 2 {
			x := 20 + 60*object
			fmt.Fprintf(&b, "; printing object %c id:%d copy 0\n%s; stop printing object %c id:%d copy 0\n", 'A'+object, object,
				around(object, fmt.Sprintf("G1 X%d Y30 F9000\nG1 E1 F2400\nG1 F1500\nG1 X%d E2\nG1 Y50 E1\nG1 X%d Y30 E1.5\nG1 X%d E-0.6 F3000\nG1 E-0.4 F2400\n", x, x+20, x, x+5)), 'A'+object, object)
		}
	}
	return b.String()
}

// What nobody knows, a macro for a camera in each layer for instance, leaves the head where the file takes it to be: an object can be skipped all the same.
func TestSkipBesideWhatNobodyKnows(t *testing.T) {
	plain := func(_ int, lines string) string { return lines }
	for _, camera := range []string{"M240\n", "TIMELAPSE_TAKE_FRAME\n", "M991 S0 P1\n"} {
		file := layered(camera, plain)
		for _, at := range []int64{0, 40} {
			skip := map[int]int64{1: at}
			all, sent, _ := skipping(t, []byte(file), skip)
			same(t, all, sent, skip)
			if got := strings.Count(strings.Join(texts(sent), "\n"), strings.TrimSpace(camera)); got != 8 {
				t.Errorf("%q is sent %d times", camera, got)
			}
		}
	}
	file := strings.Replace(layered("", plain), "; printing object B", "G28 X\n; printing object B", 1) // it has homed, and the file has not said where it goes from there
	all, sent, _ := skipping(t, []byte(file), map[int]int64{1: 0})
	if home := slices.Index(texts(all), "G28 X"); texts(sent)[home+1] != texts(all)[home+1] {
		t.Errorf("behind it goes %q", texts(sent)[home+1])
	}
}

package main

import (
	"crypto/sha256"
	"fmt"
	"testing"
)

// Renderings are kept by every letter of their text, and take an hour to make again: these are the texts of those that are kept.
func TestPOVStays(t *testing.T) {
	all := sha256.New()
	for _, s := range theScenes() {
		s.W, s.H = 640, 360
		for printed := 0; printed <= 14 && s.Drawn == byPOV; printed += 7 {
			st := state{printed: printed, pose: [3]float64{5, 210, 1.6}, seed: uint64(printed)}
			if printed == 14 {
				st.lost, st.from = [2]float64{0.8, -1.6}, 12
			}
			fmt.Fprint(all, s.text(square(14), st))
		}
	}
	const want = "62ca70a7d64cc3db4e2ab85b6a2b62ab77313b18502d1437337363d1e6156bdd"
	if got := fmt.Sprintf("%x", all.Sum(nil)); got != want {
		t.Errorf("the texts are others than those of the renderings that are kept: %s", got)
	}
}

// square is a square of so many layers, with an infill.
func square(n int) (list []layer) {
	for i := range n {
		wall := path{outer: true, points: []point{{90, 90}, {130, 90}, {130, 120}, {90, 120}, {90, 90}}}
		list = append(list, layer{top: 0.25 * float64(i+1), height: 0.25, paths: []path{wall, {points: []point{{92, 92}, {128, 118}}}}})
	}
	return list
}

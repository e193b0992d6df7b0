package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// forBlender is a scene of which little stands on the bed.
func forBlender(t *testing.T, core bool, st state) (text string, has map[string][]thing) {
	t.Helper()
	s := scene{Drawn: byBlender, CoreXY: core, Seed: 5, Plastic: black, Bed: "rough", W: 640, H: 360}
	text = s.text(square(20), st)
	var got struct{ Things []thing }
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, `"beads":[[`, `"lines":[[`)), &got); err != nil {
		t.Fatal(err)
	}
	has = map[string][]thing{}
	for _, th := range got.Things {
		has[th.Kind] = append(has[th.Kind], th)
	}
	return text, has
}

// What is lost moves the head, or the bed, and what is printed from then on, as it does for POV-Ray.
func TestBlenderOfLosses(t *testing.T) {
	for _, core := range []bool{false, true} {
		st := state{printed: 20, pose: [3]float64{5, 210, 1.6}}
		was, before := forBlender(t, core, st)
		st.lost, st.from = [2]float64{0.8, -1.6}, 15
		is, after := forBlender(t, core, st)
		bed, head := [2]vec{{0, -100, 0}, {0, -98.4, 0}}, [2]vec{{5, 110, 1.6}, {5.8, 110, 1.6}}
		if core {
			bed, head = [2]vec{{0, 0, -1.6}, {0, 0, -1.6}}, [2]vec{{5, 210, 0}, {5.8, 208.4, 0}}
		}
		for i, has := range []map[string][]thing{before, after} {
			groups := has["group"]
			if len(groups) != 2 || away(groups[0].A, bed[i]) > 1e-6 || away(groups[1].A, head[i]) > 1e-6 {
				t.Errorf("CoreXY %v: groups are at %v and %v, want %v and %v", core, groups[0].A, groups[1].A, bed[i], head[i])
			}
		}
		// Each layer is drawn, none higher than it may be, and only the newest with what is within.
		if n, m := strings.Count(was, ",90,90,130,90,130,120,90,120,90,90]"), strings.Count(is, ",90.8,88.4,130.8,88.4,"); n != 20 || m != 5 || strings.Count(was, ",92,92,") != 2 {
			t.Errorf("CoreXY %v: %d layers are drawn, %d of them displaced after the loss", core, n, m)
		}
		if !strings.Contains(was, "[0.2,0.5,90,90,") || !strings.Contains(was, "[0,0.25,90,90,") {
			t.Errorf("CoreXY %v: lines do not reach down to those below", core)
		}
	}
}

func away(a, b vec) float64 { return math.Hypot(math.Hypot(a[0]-b[0], a[1]-b[1]), a[2]-b[2]) }

// fakeBlender stands in for the program: it counts its beginnings, keeps what it is told, draws the same picture each time, and breaks down at a line with the word "bad".
const fakeBlender = `#!/bin/sh
for script; do :; done
dir=$(dirname "$script")
echo begun >> "$FAKE/begun"
while read -r line; do
	echo "$line" >> "$FAKE/lines"
	case "$line" in *bad*) echo "Traceback: it is bad"; exit 1;; esac
	cp "$FAKE/picture.png" "$dir/scene.png"
	echo done >&3
done
`

// One Blender draws all pictures in turn, each once, with a seed of its own; of one that breaks down its last words are told, and nothing is left of it.
func TestRendersByBlender(t *testing.T) {
	fake, kept := t.TempDir(), t.TempDir()
	img := image.NewRGBA(image.Rect(0, 0, 4, 3))
	img.Set(1, 1, color.RGBA{200, 100, 50, 255})
	var picture bytes.Buffer
	if err := png.Encode(&picture, img); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"blender": fakeBlender, "picture.png": picture.String()} {
		if err := os.WriteFile(filepath.Join(fake, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", fake+":"+os.Getenv("PATH"))
	t.Setenv("FAKE", fake)
	r := &renders{dir: kept}
	for i := range 4 {
		got, err := r.get(context.Background(), fmt.Sprintf(`{"scene":%d}`, i/2), 4, 3)
		if err != nil || got.w != 4 || got.h != 3 || got.lamp[0][5] != 200 || got.lamp[1][5] != 100 || got.lamp[2][5] != 50 {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	lines := strings.Split(strings.TrimSpace(read(t, fake, "lines")), "\n")
	if len(lines) != 2 || read(t, fake, "begun") != "begun\n" || r.made != 2 {
		t.Fatalf("%d are made, of these lines: %q", r.made, lines)
	}
	var jobs [2]struct {
		To         string
		W, H, Seed int
		Scene      struct{ Scene int }
	}
	for i, line := range lines {
		if err := json.Unmarshal([]byte(line), &jobs[i]); err != nil || jobs[i].W != 4 || jobs[i].H != 3 || jobs[i].Scene.Scene != i || filepath.Base(jobs[i].To) != "scene.png" {
			t.Errorf("line %q: %+v, %v", line, jobs[i], err)
		}
	}
	if jobs[0].Seed == jobs[1].Seed || jobs[0].Seed < 0 || jobs[0].Seed > math.MaxInt32 {
		t.Errorf("seeds %d and %d", jobs[0].Seed, jobs[1].Seed)
	}
	if _, err := r.get(context.Background(), `{"scene":"bad"}`, 4, 3); err == nil || !strings.Contains(err.Error(), "Traceback: it is bad") {
		t.Errorf("it broke down: %v", err)
	}
	if _, err := r.get(context.Background(), `{"scene":"fine again"}`, 4, 3); err != nil {
		t.Error(err)
	}
	if err := r.close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(kept, "blender*")); len(left) > 0 || read(t, fake, "begun") != "begun\nbegun\n" {
		t.Errorf("%v is left", left)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

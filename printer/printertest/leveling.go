package printertest

import (
	"fmt"
	"math"
	"strings"
)

// The bed is a little bent, and the probe finds out how. What is measured changes nothing of how the pretend firmware moves.

// meshPoints are those of a side that are measured.
const meshPoints = 5

// bent is how high the bed is at a point, 0 to 1 from the left and from the front: low in the middle, and its right back corner is high.
func bent(x, y float64) float64 {
	return 0.12*(math.Pow(x-0.5, 2)+math.Pow(y-0.5, 2)) - 0.02 + 0.09*x*y
}

func measured(points int) [][]float64 {
	rows := make([][]float64, points)
	for y := range rows {
		for x := range points {
			rows[y] = append(rows[y], bent(float64(x)/float64(points-1), float64(y)/float64(points-1)))
		}
	}
	return rows
}

// withLeveling is the answer to M115 of a firmware that was built with a probe.
func withLeveling(info []string) []string {
	on := strings.NewReplacer("AUTOLEVEL:0", "AUTOLEVEL:1", "Z_PROBE:0", "Z_PROBE:1", "LEVELING_DATA:0", "LEVELING_DATA:1")
	out := append([]string(nil), info...)
	for i := range out {
		out[i] = on.Replace(out[i])
	}
	return out
}

// probing takes the time that the points take, and reports whether it is over.
func (f *firmware) probing(points int) bool {
	if f.stage == 0 {
		if !f.synced() {
			return false
		}
		f.stage, f.begun = 1, f.now+f.motionTime(1.5*float64(points))
	}
	return f.until(f.begun)
}

// levelling is M420; V tells the mesh (M420.cpp).
func levelling(f *firmware) bool {
	p := &f.cur.params
	if f.opt.leveling == "" {
		return f.lacked()
	}
	s, set := p.float('S')
	on := f.leveled
	if set {
		on = s != 0
		f.leveled = f.leveled && on
	}
	switch {
	case f.settings.mesh != nil:
		if p.has('V') {
			f.sayMesh()
		}
		if z, ok := p.float('Z'); ok {
			f.fade = max(0, min(100, z))
		}
		f.leveled = on
	case on || p.has('V'):
		f.say("echo:Invalid mesh.")
	}
	if on && !f.leveled {
		f.say("Error:Failed to enable Bed Leveling")
	}
	word, fade := "Off", "Off"
	if f.leveled {
		word = "On"
	}
	if f.fade > 0 {
		fade = fmt.Sprintf("%.2f", f.fade)
	}
	f.say("echo:Bed Leveling " + word)
	f.say("echo:Fade Height " + fade)
	return true
}

// probeBed is G29: of bilinear levelling the whole of it (G29.cpp); of UBL the phase P1, and T tells the mesh (ubl_G29.cpp).
func probeBed(f *firmware) bool {
	p := &f.cur.params
	switch {
	case f.opt.leveling == "":
		return f.lacked()
	case !f.homed[0] || !f.homed[1] || !f.homed[2]:
		f.say("echo:Home XYZ First")
		return true
	case f.opt.leveling == "ubl" && p.or('P', 0) != 1:
		if p.has('T') {
			f.sayMesh()
		}
		return true
	case !f.probing(meshPoints * meshPoints):
		return false
	}
	f.settings.mesh = measured(meshPoints)
	if f.opt.leveling == "ubl" {
		f.settings.mesh[0][0] = math.NaN() // where the probe does not get to
		return true
	}
	f.leveled = true
	f.sayMesh()
	f.sayPosition()
	return true
}

func (f *firmware) sayMesh() {
	if f.opt.leveling == "ubl" {
		f.sayTopography()
		return
	}
	f.say("Bilinear Leveling Grid:") // bbl.cpp, print_leveling_grid; bedlevel.cpp, print_2d_array
	head := ""
	for x := range f.settings.mesh[0] {
		head += fmt.Sprintf("%7d", x)
	}
	f.say(head)
	for y, row := range f.settings.mesh {
		text := fmt.Sprintf("%2d", y)
		for _, z := range row {
			text += fmt.Sprintf(" %+.3f", z)
		}
		f.say(text)
	}
	f.say("")
}

// sayTopography is UBL's map, with the back row first and the point under the head in brackets (ubl.cpp, display_map).
func (f *firmware) sayTopography() {
	rows := f.settings.mesh
	f.say("\nBed Topography Report:\n")
	f.sayf("    (  0,%3.0f)%22s(%3.0f,%3.0f)", f.size[1], "", f.size[0], f.size[1])
	labels := "       "
	for x := range rows[0] {
		labels += fmt.Sprintf("%2d      ", x)
	}
	f.say(labels + "\n")
	at := f.logical()
	for y := len(rows) - 1; y >= 0; y-- {
		text := fmt.Sprintf("%2d |", y)
		for x, z := range rows[y] {
			left, right := " ", " "
			if x == nearest(at[0], f.size[0], len(rows[0])) && y == nearest(at[1], f.size[1], len(rows)) {
				left, right = "[", "]"
			}
			number := fmt.Sprintf("%+.3f", z)
			if math.IsNaN(z) {
				number = "  .   "
			} else if z == 0 {
				number = " 0.000"
			}
			text += left + number + right
		}
		f.say(text)
		if y > 0 {
			f.say("   |")
		}
	}
	f.say(labels)
	f.sayf("\n    (  0,  0)%22s(%3.0f,  0)\n", "", f.size[0])
	f.say("Mesh is valid")
	f.say("Storage slot: -1")
}

func nearest(mm, size float64, points int) int {
	return int(math.Round(max(0, min(1, mm/size)) * float64(points-1)))
}

// prusaProbe is G80, which measures 3×3 points and makes 7×7 of them; prusaMesh is G81, the back row first (mesh_bed_leveling.cpp, print).
func prusaProbe(f *firmware) bool {
	if f.Temps != tempsPrusa {
		return f.lacked()
	}
	if !f.probing(9) {
		return false
	}
	f.settings.mesh = measured(7)
	return true
}

func prusaMesh(f *firmware) bool {
	switch {
	case f.Temps != tempsPrusa:
		return f.lacked()
	case f.settings.mesh == nil:
		f.say("Mesh bed leveling not active.")
		return true
	}
	f.say("Num X,Y: 7,7")
	f.say("Z search height: 5.00")
	f.say("Measured points:")
	for y := len(f.settings.mesh) - 1; y >= 0; y-- {
		text := ""
		for _, z := range f.settings.mesh[y] {
			text += fmt.Sprintf("  %.5f", z)
		}
		f.say(text)
	}
	return true
}

// klipperProbe is BED_MESH_CALIBRATE; klipperMesh is BED_MESH_OUTPUT, the front row first (bed_mesh.py, print_probed_matrix).
func klipperProbe(f *firmware) bool {
	switch {
	case f.opt.leveling == "":
		return f.lacked()
	case !f.homed[0] || !f.homed[1] || !f.homed[2]:
		f.say("!! Must home axis first")
		return true
	case !f.probing(meshPoints * meshPoints):
		return false
	}
	f.settings.mesh = measured(meshPoints)
	return true
}

func klipperMesh(f *firmware) bool {
	switch {
	case f.opt.leveling == "":
		return f.lacked()
	case f.settings.mesh == nil:
		f.say("// bed_mesh: bed has not been probed")
		return true
	}
	f.say("// Mesh Leveling Probed Z positions:")
	for _, row := range f.settings.mesh {
		text := "//"
		for _, z := range row {
			text += fmt.Sprintf(" %f", z)
		}
		f.say(text)
	}
	f.sayf("Mesh X,Y: %d,%d", 3*(meshPoints-1)+1, 3*(meshPoints-1)+1)
	return true
}

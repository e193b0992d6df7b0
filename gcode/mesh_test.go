package gcode

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
)

// meshAnswers are what firmware says, as the port's reader hands it on: trimmed lines.
var meshAnswers = []struct {
	name, text string
	form       MeshForm
	want       string // rows, the front first
}{
	{"bilinear", `
Bilinear Leveling Grid:
      0      1      2
 0 +0.040 -0.023 +0.012
 1 +0.000 ===== -0.100
 2 +1.000 +0.500 +0.250

echo:Bed Leveling On
echo:Fade Height 10.00`, MeshBilinear, "[0.04 -0.023 0.012] [0 NaN -0.1] [1 0.5 0.25]"},
	{"bilinear subdivided", `
Bilinear Leveling Grid:
      0      1
 0 +0.040 -0.023
 1 +0.100 +0.200

Subdivided with CATMULL ROM Leveling Grid:
        0        1        2
 0 +0.04000 +0.00850 -0.02300
 1 +0.07000 +0.07850 +0.08850
 2 +0.10000 +0.15000 +0.20000`, MeshBilinear, "[0.04 -0.023] [0.1 0.2]"},
	{"bilinear of eleven columns, behind the points of G29", `
Bed X: 10.000 Y: 10.000 Z: 0.040
Bilinear Leveling Grid:
      0      1      2      3      4      5      6      7      8      9     10
 0 +0.001 +0.002 +0.003 +0.004 +0.005 +0.006 +0.007 +0.008 +0.009 +0.010 +0.011
 1 -0.001 -0.002 -0.003 -0.004 -0.005 -0.006 -0.007 -0.008 -0.009 -0.010 -0.011
X:200.00 Y:200.00 Z:10.00 E:0.00 Count X:16000 Y:16000 Z:4000`, MeshBilinear,
		"[0.001 0.002 0.003 0.004 0.005 0.006 0.007 0.008 0.009 0.01 0.011] [-0.001 -0.002 -0.003 -0.004 -0.005 -0.006 -0.007 -0.008 -0.009 -0.01 -0.011]"},
	{"mesh of Marlin 2", `
Mesh Bed Level data:
3x2 mesh. Z offset: 0.00000
Measured points:
        0        1        2
 0 +0.16000 -0.02000 +0.08000
 1 -0.12000 +0.00000 +0.30000`, MeshManual, "[0.16 -0.02 0.08] [-0.12 0 0.3]"},
	{"mesh of Marlin 1.0", `
State: On
Num X,Y: 3,2
Z search height: 5
Z offset: 0.00000
Measured points:
  0.16000  -0.02000  0.08000
  -0.12000  0.00000  0.30000`, MeshManual, "[0.16 -0.02 0.08] [-0.12 0 0.3]"},
	{"ubl", `
Bed Topography Report:

    (  0,220)                  (220,220)
        0       1       2

 2 | +0.100  +0.200 [+0.300]
   |
 1 |    .     0.000  -0.040
   |
 0 | -1.100  -0.200  +0.005
        0       1       2

    (  0,  0)                  (220,  0)

Mesh is valid
Storage slot: 0`, MeshUBL, "[-1.1 -0.2 0.005] [NaN 0 -0.04] [0.1 0.2 0.3]"},
	{"ubl, the head over an unknown point", `
Bed Topography Report:
 1 | +0.100  +0.200
   |
 0 |[  .   ]    .   `, MeshUBL, "[NaN NaN] [0.1 0.2]"},
	{"ubl of 1.1, without numbers of rows", `
Bed Topography Report:

(0,200)                          (200,200)
    0.100    0.200    0.300
   -0.100 [ -0.200]    .
(0,0)                            (200,0)`, MeshUBL, "[-0.1 -0.2 NaN] [0.1 0.2 0.3]"},
	{"ubl as csv", "Bed Topography Report for CSV:\n\n0.100\t0.200\n-0.300\tNAN\n\nMesh is valid", MeshUBL, "[-0.3 NaN] [0.1 0.2]"},
	{"prusa", `
Num X,Y: 3,3
Z search height: 5.00
Measured points:
  0.10000  0.20000  0.30000
  0.01000  0.02000  0.03000
  -0.10000  -0.20000  -0.30000`, MeshPrusa, "[-0.1 -0.2 -0.3] [0.01 0.02 0.03] [0.1 0.2 0.3]"},
	{"klipper", `
// Mesh Leveling Probed Z positions:
//  -0.057500 -0.030000 0.012500
//  0.005000 0.035000 0.070000
Mesh X,Y: 7,7
Search Height: 5
Measured points:
nothing that is a row`, MeshKlipper, "[-0.0575 -0.03 0.0125] [0.005 0.035 0.07]"},
	{"the last of two", `
Bilinear Leveling Grid:
      0      1
 0 +0.040 -0.023
 1 +0.100 +0.200

Bilinear Leveling Grid:
      0      1
 0 +1.040 -1.023
 1 +1.100 +1.200`, MeshBilinear, "[1.04 -1.023] [1.1 1.2]"},
}

func TestParseMesh(t *testing.T) {
	for _, c := range meshAnswers {
		m, err := ParseMesh(strings.Split(c.text, "\n"))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var rows []string
		for _, row := range m.Rows {
			rows = append(rows, fmt.Sprint(row))
		}
		if got := strings.Join(rows, " "); m.Form != c.form || got != c.want {
			t.Errorf("%s: got %s, %s\nwant %s, %s", c.name, m.Form, got, c.form, c.want)
		}
	}
}

func TestParseMeshRefuses(t *testing.T) {
	wide := "Measured points:\n" + strings.Repeat(" 0.1", 65) + "\n" + strings.Repeat(" 0.1", 65)
	long := "Measured points:\n" + strings.Repeat(" 0.1 0.2\n", 65)
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", ""},
		{"no mesh yet", "echo:Invalid mesh.\nError:Failed to enable Bed Leveling\necho:Bed Leveling Off", "Invalid mesh."},
		{"prusa without", "Mesh bed leveling not active.", "not active"},
		{"klipper without", "// bed_mesh: bed has not been probed", "not been probed"},
		{"not built in", `echo:Unknown command: "M420 V"`, "Unknown command"},
		{"a matrix", "Bed Level Correction Matrix:\n+1.000000 +0.000000 +0.000000", ""},
		{"a torn map", "Bed Topography Report:\n 2 | +0.1 +0.2\n 1 | +0.1 +0.2", ""},
		{"one row", "Bilinear Leveling Grid:\n 0 1\n 0 +0.1 +0.2\nok", ""},
		{"all unknown", "Bilinear Leveling Grid:\n 0 1\n 0 ===== =====\n 1 ===== =====", ""},
		{"not a height", "Measured points:\n 0.1 1e300\n 0.1 0.2\n 101 0.2", ""},
		{"too wide", wide, ""},
		{"too long", long, ""},
	} {
		m, err := ParseMesh(strings.Split(c.text, "\n"))
		if !errors.Is(err, ErrNoMesh) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, %v", c.name, m, err)
		}
	}
}

func TestMeshSpread(t *testing.T) {
	low, high, mean := Mesh{Rows: [][]float64{{-0.1, math.NaN()}, {0.2, 0.5}}}.Spread()
	if low != -0.1 || high != 0.5 || math.Abs(mean-0.2) > 1e-9 {
		t.Errorf("got %g, %g, %g", low, high, mean)
	}
}

// Whatever a firmware says, a mesh is a grid of bounded, finite or unknown heights.
func FuzzParseMesh(f *testing.F) {
	for _, c := range meshAnswers {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseMesh(strings.Split(text, "\n"))
		if err != nil {
			if !errors.Is(err, ErrNoMesh) || m.Rows != nil {
				t.Fatalf("got %v and %v", m, err)
			}
			return
		}
		if len(m.Rows) < 2 || len(m.Rows) > maxMeshSide {
			t.Fatalf("%d rows", len(m.Rows))
		}
		for _, row := range m.Rows {
			if len(row) != len(m.Rows[0]) || len(row) < 2 || len(row) > maxMeshSide {
				t.Fatalf("a row of %d beside one of %d", len(row), len(m.Rows[0]))
			}
			for _, v := range row {
				if math.IsInf(v, 0) || math.Abs(v) > maxMeshMM {
					t.Fatalf("a height of %g", v)
				}
			}
		}
		if low, high, mean := m.Spread(); !(low <= mean+1e-9 && mean <= high+1e-9) {
			t.Fatalf("spread %g, %g, %g", low, high, mean)
		}
	})
}

package gcode

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Mesh is what a firmware has measured of its bed: how high it lies at the points of a grid, in mm.
type Mesh struct {
	Form MeshForm
	Rows [][]float64 // the front row first, in it the left point first; NaN where the firmware does not know. All rows are equally long
}

// MeshForm says in whose words a mesh was told.
type MeshForm string

const (
	MeshBilinear MeshForm = "bilinear" // Marlin, AUTO_BED_LEVELING_BILINEAR
	MeshManual   MeshForm = "mesh"     // Marlin, MESH_BED_LEVELING
	MeshUBL      MeshForm = "ubl"      // Marlin, AUTO_BED_LEVELING_UBL
	MeshPrusa    MeshForm = "prusa"    // Prusa's i3
	MeshKlipper  MeshForm = "klipper"
)

// ErrNoMesh: the lines hold no mesh. Wrapped with the firmware's words where it said why.
var ErrNoMesh = errors.New("the printer told no mesh of its bed")

const (
	maxMeshSide = 64
	maxMeshMM   = 100 // farther off is no bed
)

// ParseMesh reads the last mesh that stands in lines, which are answers without their "ok":
//
//	Bilinear Leveling Grid:              Marlin, M420 V and G29: a row of column numbers, then rows that begin with their number, y = 0
//	      0      1      2                first, which is the front (bedlevel.cpp, print_2d_array). What is not known is "=====". The grid that
//	 0 +0.040 -0.023 +0.012              may follow, "Subdivided with …", is made of this one
//	Measured points:                     Marlin's MESH_BED_LEVELING in the same form (bedlevel.cpp); in Marlin 1.0 bare rows, the front one first
//	                                     (Marlin_main.cpp, gcode_G29, MeshReport), behind a line "Z offset:"
//	Measured points:                     Prusa, G81: bare rows, the back one first (Marlin_main.cpp, case 81; mesh_bed_leveling.cpp, print)
//	Bed Topography Report:               Marlin's UBL, M420 V and G29 T: the back row first, with or without its number ("6 |"), the point under
//	 2 | +0.040 [-0.023]   .             the head in brackets, "." for unknown; T1 says the numbers alone, with tabs between (ubl.cpp, display_map)
//	// Mesh Leveling Probed Z positions: Klipper, BED_MESH_OUTPUT: bare rows, the front one first (bed_mesh.py, print_probed_matrix)
//
// With ErrNoMesh, Form says in whose words there was none, if any.
func ParseMesh(lines []string) (Mesh, error) {
	var found *Mesh
	why, offset, form := "", false, MeshForm("")
	for i, line := range lines {
		line = meshText(line)
		var m Mesh
		switch rest := lines[i+1:]; {
		case strings.HasPrefix(line, "Bilinear Leveling Grid:"):
			m = Mesh{MeshBilinear, tableRows(rest)}
		case strings.HasPrefix(line, "Measured points:"):
			if m = (Mesh{MeshManual, tableRows(rest)}); m.Rows == nil {
				m.Rows = bareRows(rest)
			}
			if m.Rows != nil && !offset && tableRows(rest) == nil {
				m = Mesh{MeshPrusa, frontFirst(m.Rows)}
			}
		case strings.HasPrefix(line, "Bed Topography Report"):
			m = Mesh{MeshUBL, frontFirst(topographyRows(rest))}
		case strings.HasPrefix(line, "Mesh Leveling Probed Z positions:"):
			m = Mesh{MeshKlipper, bareRows(rest)}
		case strings.Contains(line, "Z offset:"):
			offset = true
		case why == "" && saysNoMesh(line):
			why = line
		}
		if m.Form != "" {
			form = m.Form
		}
		if m.Rows != nil {
			found = &m
		}
	}
	switch {
	case found != nil:
		return *found, nil
	case why != "":
		return Mesh{Form: form}, fmt.Errorf("%w: %.200s", ErrNoMesh, why)
	}
	return Mesh{Form: form}, ErrNoMesh
}

// meshText is a line without what firmware puts before it.
func meshText(line string) string {
	line = strings.TrimSpace(line)
	for _, prefix := range []string{"echo:", "//"} {
		line = strings.TrimSpace(strings.TrimPrefix(line, prefix))
	}
	return line
}

func saysNoMesh(line string) bool {
	lower := strings.ToLower(line)
	for _, words := range []string{"invalid mesh", "not active", "not been probed", "unknown command", "mesh is invalid", "failed to enable bed leveling"} {
		if strings.Contains(lower, words) {
			return true
		}
	}
	return false
}

// tableRows reads column numbers and then rows with theirs; nil when they are not there.
func tableRows(lines []string) (rows [][]float64) {
	columns := -1
	for _, line := range lines {
		fields := strings.Fields(meshText(line))
		switch {
		case len(fields) == 0 && columns < 0:
			continue
		case columns < 0:
			if columns = columnCount(fields); columns < 0 {
				return nil
			}
			continue
		case len(fields) != columns+1 || fields[0] != fmt.Sprint(len(rows)):
			return grid(rows)
		}
		row := heights(fields[1:])
		if row == nil {
			return grid(rows)
		}
		if rows = append(rows, row); len(rows) > maxMeshSide {
			return nil
		}
	}
	return grid(rows)
}

// columnCount is the length of fields if they are 0, 1, 2, …; else -1.
func columnCount(fields []string) int {
	for i, f := range fields {
		if f != fmt.Sprint(i) {
			return -1
		}
	}
	return len(fields)
}

// bareRows reads rows of nothing but numbers, up to the first line that is none.
func bareRows(lines []string) (rows [][]float64) {
	for _, line := range lines {
		fields := strings.Fields(meshText(line))
		if len(fields) == 0 && rows == nil {
			continue
		}
		row := heights(fields)
		if row == nil || len(rows) > 0 && len(row) != len(rows[0]) {
			break
		}
		if rows = append(rows, row); len(rows) > maxMeshSide {
			return nil
		}
	}
	return grid(rows)
}

var noBrackets = strings.NewReplacer("[", " ", "]", " ", ",", " ")

// topographyRows reads UBL's map as it is told, the back row first. Between the rows stand lines that are none: "|", corners, column numbers.
func topographyRows(lines []string) (rows [][]float64) {
	last, labels := "", 0
	for _, line := range lines {
		line = meshText(line)
		if strings.HasPrefix(line, "Mesh is") || strings.HasPrefix(line, "Bed Topography") {
			break
		}
		label, rest, labelled := strings.Cut(line, "|")
		if !labelled {
			rest = line
		}
		row := heights(strings.Fields(noBrackets.Replace(rest)))
		if row == nil || !strings.Contains(rest, ".") && !strings.Contains(rest, "N") { // column numbers
			continue
		}
		if len(rows) > 0 && len(row) != len(rows[0]) {
			break
		}
		if labelled {
			last, labels = strings.TrimSpace(label), labels+1
		}
		if rows = append(rows, row); len(rows) > maxMeshSide {
			return nil
		}
	}
	if labels > 0 && (last != "0" || labels != len(rows)) { // its end is missing
		return nil
	}
	return grid(rows)
}

// heights reads a row; nil when it is none.
func heights(fields []string) []float64 {
	if len(fields) == 0 || len(fields) > maxMeshSide {
		return nil
	}
	row := make([]float64, len(fields))
	for i, f := range fields {
		v, n, ok := parseNumber(f)
		switch {
		case f == "." || strings.EqualFold(f, "nan") || strings.Trim(f, "=") == "":
			row[i] = math.NaN()
		case !ok || n != len(f) || math.Abs(v) > maxMeshMM:
			return nil
		default:
			row[i] = v
		}
	}
	return row
}

// grid is rows if they are a mesh: at least two by two, and one point of them known.
func grid(rows [][]float64) [][]float64 {
	if len(rows) < 2 || len(rows[0]) < 2 {
		return nil
	}
	for _, row := range rows {
		for _, v := range row {
			if !math.IsNaN(v) {
				return rows
			}
		}
	}
	return nil
}

// frontFirst turns rows that were told from the back.
func frontFirst(rows [][]float64) [][]float64 {
	var turned [][]float64
	for i := len(rows) - 1; i >= 0; i-- {
		turned = append(turned, rows[i])
	}
	return turned
}

// Spread is the lowest, the highest and the mean of the points that are known.
func (m Mesh) Spread() (low, high, mean float64) {
	low, high = math.Inf(1), math.Inf(-1)
	known := 0
	for _, row := range m.Rows {
		for _, v := range row {
			if !math.IsNaN(v) {
				low, high, mean = math.Min(low, v), math.Max(high, v), mean+v
				known++
			}
		}
	}
	if known == 0 {
		return 0, 0, 0
	}
	return low, high, mean / float64(known)
}

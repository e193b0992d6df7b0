package gcode

import (
	"bytes"
	"math"
	"strings"
)

// made is what the slicer says of the machine and the filament, in comments at the beginning or the end of the file.
type made struct {
	flavour, printer   string
	nozzles            []float64 // by tool, as the others
	diameters          []float64
	densities          []float64
	colours, extruders []string
	grams, totalGrams  []float64
	lengths            []float64
}

// Whose the weight of filament is.
const (
	GramsSlicer   = "slicer"   // it says so
	GramsDensity  = "density"  // of the density and diameter that it says
	GramsMaterial = "material" // of the usual density of the material
	GramsGuess    = "guess"    // of PLA's, where nothing is said of the material
)

const (
	maxMadeKey   = 48
	maxMadeValue = 12 * maxTools
)

// read takes a comment of the form KEY = VALUE, KEY: VALUE or KEY,VALUE. Keys come from the comments that these slicers write: PrusaSlicer, SuperSlicer, Slic3r,
// OrcaSlicer and Bambu Studio "filament_density = 1.24", "total filament weight [g] : 0.54"; Cura "FLAVOR:Marlin", "Filament used: 3.96m"; Simplify3D
// "extruderDiameter,0.4", "Plastic weight: 10.65 g (0.02 lb)"; ideaMaker "Filament Diameter #1: 1.75", "Material#1 Used: 868.0"; KISSlicer
// "fiber_dia_mm = 1.75", "Ext #1 = 1234.50 mm".
func (m *made) read(c []byte, n *notes) {
	if n.slicer == "KISSlicer" {
		if rest, ok := sentence(c, "version "); ok {
			n.slicer = strings.TrimSpace("KISSlicer " + versionIn(rest)) // it has a line of its own
			return
		}
	}
	at := bytes.IndexAny(c[:min(len(c), maxMadeKey)], "=:,")
	if at <= 0 {
		return
	}
	key := string(bytes.ToLower(bytes.TrimRight(c[:at], " ")))
	value := string(printable(trimSpaces(c[at+1 : min(len(c), at+1+maxMadeValue)])))
	if value == "" {
		return
	}
	key, tool := numbered(key)
	switch key {
	case "gcode_flavor", "flavor":
		m.flavour = cutShort(strings.ToLower(value), maxMaterial)
	case "printer_model", "target_machine.name", "printer_name":
		if m.printer == "" {
			m.printer = cutShort(strings.Trim(value, `"`), maxSlicerName)
		}
	case "nozzle_diameter", "nozzle diameter", "extruderdiameter", "nozzlediameter", "extruder_train.nozzle.diameter":
		put(&m.nozzles, tool, value, 0.05, 5)
	case "dimension": // ideaMaker: width, depth, height, then the nozzles
		if sizes := strings.Fields(value); len(sizes) > 3 {
			put(&m.nozzles, -1, strings.Join(sizes[3:], ","), 0.05, 5)
		}
	case "filament_diameter", "filament diameter", "filamentdiameters", "fiber_dia_mm":
		put(&m.diameters, tool, value, 0.5, 5)
	case "filament_density", "filament density", "filamentdensities":
		put(&m.densities, tool, value, 0.1, 3000)
	case "filament_colour":
		m.colours = colours(value)
	case "extruder_colour":
		m.extruders = colours(value)
	case "filament used [g]", "filament weight":
		put(&m.grams, tool, value, 0.001, 1e6)
	case "total filament used [g]", "total filament weight [g]", "plastic weight", "material weight", "filament_mass_g":
		put(&m.totalGrams, tool, value, 0.001, 1e6)
	case "filament used [mm]", "filament used", "total filament length [mm]", "filament length", "material length", "material used", "ext":
		putLengths(&m.lengths, tool, value)
	case "printmaterial", "makerbotmodelmaterial", "filament type":
		if tool >= 0 || len(n.filaments) == 0 {
			putAt(&n.filaments, max(tool, 0), cutShort(value, maxMaterial))
		}
	case "layer_thickness_mm", "max_layer_thickness_mm":
		if v, _, ok := parseNumber(value); ok && v > 0 && v <= 5 && n.layerHeightMM == 0 {
			n.layerHeightMM = v
		}
	}
}

// numbered takes the tool out of a key: "filament diameter #2" is of tool 1, as are "material#2 used" and "ext #2"; Cura's
// "extruder_train.1.nozzle.diameter" counts from 0. -1 is none.
func numbered(key string) (rest string, tool int) {
	if train, ok := strings.CutPrefix(key, "extruder_train."); ok && len(train) > 1 && isDigit(train[0]) && train[1] == '.' {
		return "extruder_train." + train[2:], int(train[0] - '0')
	}
	i := strings.IndexByte(key, '#')
	if i < 0 && strings.HasPrefix(key, "ext ") {
		i = len("ext")
	}
	if i < 0 {
		return key, -1
	}
	n, digits := parseInt(key[i+1:])
	if digits == 0 || n < 1 || n > maxTools {
		return key, -1
	}
	rest = strings.TrimRight(key[:i], " ")
	if after := strings.TrimLeft(key[i+1+digits:], " "); after != "" {
		rest += " " + after
	}
	return rest, int(n) - 1
}

// put reads numbers by tool, or that of one tool; what no machine can mean is 0.
func put(list *[]float64, tool int, value string, least, most float64) {
	for i, v := range numbers(value) {
		if v.number < least || v.number > most {
			v.number = 0
		}
		if tool >= 0 {
			putAt(list, tool, v.number)
			return
		}
		if i == 0 {
			*list = (*list)[:0]
		}
		putAt(list, i, v.number)
	}
}

// putLengths reads lengths in mm, or in m where that is said.
func putLengths(list *[]float64, tool int, value string) {
	for i, v := range numbers(value) {
		if v.unit == "m" {
			v.number *= 1000
		}
		if v.number < 0 || v.number > maxCoordinate {
			v.number = 0
		}
		if tool >= 0 {
			putAt(list, tool, v.number)
			return
		}
		if i == 0 {
			*list = (*list)[:0]
		}
		putAt(list, i, v.number)
	}
}

// putAt sets one of a list that grows as needed.
func putAt[T any](list *[]T, i int, v T) {
	if i < 0 || i >= maxTools {
		return
	}
	for len(*list) <= i {
		var none T
		*list = append(*list, none)
	}
	(*list)[i] = v
}

type amount struct {
	number float64
	unit   string // the letters behind it
}

// numbers reads "0.4", "1.24,1.27", "0.4|0.6", "[3.1, 2.5]" and "3542.7 mm (3.54 m)".
func numbers(value string) (list []amount) {
	value, _, _ = strings.Cut(value, "(")
	for part := range strings.FieldsFuncSeq(value, func(r rune) bool { return strings.ContainsRune(",;|[]", r) }) {
		part = strings.Trim(part, ` "`)
		v, digits, ok := parseNumber(part)
		if !ok || math.IsNaN(v) || len(list) == maxTools {
			return list
		}
		unit := strings.TrimLeft(part[digits:], " ")
		if i := strings.IndexFunc(unit, func(r rune) bool { return r > 0x7f || !isLetter(byte(r)) }); i >= 0 {
			unit = unit[:i]
		}
		list = append(list, amount{v, unit})
	}
	return list
}

// colours reads "#FF8000;#42BDD8" and "\"\"".
func colours(value string) (list []string) {
	for one := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ';' || r == ',' }) {
		one = strings.Trim(one, ` "`)
		if len(list) == maxTools {
			break
		}
		if !isColour(one) {
			one = ""
		}
		list = append(list, strings.ToUpper(one))
	}
	return list
}

// isColour knows "#RRGGBB" and "#RRGGBBAA", so that a page can show it.
func isColour(text string) bool {
	if len(text) != 7 && len(text) != 9 || text[0] != '#' {
		return false
	}
	for i := 1; i < len(text); i++ {
		if c := text[i] | 0x20; !isDigit(text[i]) && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// fill puts what is known into the survey.
func (m *made) fill(o *Contents, s *Survey) {
	o.Flavour, o.Printer = m.flavour, m.printer
	o.NozzleMM, o.FilamentDiameterMM = orEmpty(m.nozzles), orEmpty(m.diameters)
	o.SlicerFilamentMM = []float64{}
	for _, mm := range m.lengths {
		o.SlicerFilamentMM = append(o.SlicerFilamentMM, rounded(mm))
	}
	o.FilamentColours = orEmpty(m.colours)
	if strings.Join(m.extruders, "") != "" && strings.Join(m.colours, "") == "" {
		o.FilamentColours = m.extruders
	}
	o.FilamentDensity = []float64{}
	for _, d := range m.densities {
		if d > 20 { // ideaMaker counts in kg/m³
			d /= 1000
		}
		o.FilamentDensity = append(o.FilamentDensity, rounded(d))
	}
	o.FilamentG, o.FilamentGBy = m.weigh(o.FilamentDensity, s)
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// weigh says what the filament of each tool weighs: the slicer's figure, else by its density, else by the material's.
func (m *made) weigh(densities []float64, s *Survey) (grams []float64, by string) {
	if len(s.FilamentMM) == 0 {
		return []float64{}, ""
	}
	grams = make([]float64, len(s.FilamentMM))
	for _, said := range [][]float64{m.grams, m.totalGrams} {
		total := 0.0
		for _, g := range said {
			total += g
		}
		switch {
		case total == 0:
			continue
		case len(said) > 1 && len(said) >= len(grams):
			copy(grams, said)
		default: // one for all tools
			for tool, mm := range s.FilamentMM {
				grams[tool] = rounded(total * mm / s.Filament())
			}
		}
		return grams, GramsSlicer
	}
	trust := [...]string{GramsDensity, GramsMaterial, GramsGuess}
	least := 0
	for tool, mm := range s.FilamentMM {
		density, from := at(densities, tool), 0
		if density == 0 && tool < len(s.FilamentTypes) {
			density, from = densityOf(s.FilamentTypes[tool]), 1
		}
		if density == 0 {
			density, from = densityOf("PLA"), 2
		}
		diameter := at(m.diameters, tool)
		if diameter == 0 {
			diameter = usualDiameterMM
		}
		if mm > 0 {
			least = max(least, from)
		}
		grams[tool] = rounded(mm * math.Pi / 4 * diameter * diameter / 1000 * density)
	}
	return grams, trust[least]
}

const usualDiameterMM = 1.75

func at(list []float64, i int) float64 {
	if i < len(list) {
		return list[i]
	}
	if len(list) == 1 { // one for all
		return list[0]
	}
	return 0
}

// densityOf is the usual density of a material in g/cm³, 0 of one that is not known. "PLA+" and "PETG-CF" are near enough to theirs.
func densityOf(material string) float64 {
	material = strings.ToUpper(strings.TrimSpace(material))
	for _, known := range [...]struct {
		name    string
		density float64
	}{
		{"PLA", 1.24}, {"PETG", 1.27}, {"PET", 1.34}, {"PCTG", 1.23}, {"PC", 1.2}, {"ABS", 1.04}, {"ASA", 1.07}, {"TPU", 1.21}, {"TPE", 1.21}, {"FLEX", 1.21},
		{"PA", 1.14}, {"NYLON", 1.14}, {"HIPS", 1.04}, {"PVA", 1.23}, {"PVB", 1.08}, {"BVOH", 1.14}, {"PP", 0.9}, {"PE", 0.95}, {"CPE", 1.27}, {"PMMA", 1.18},
	} {
		if rest, ok := strings.CutPrefix(material, known.name); ok && (rest == "" || !isLetter(rest[0])) {
			return known.density
		}
	}
	return 0
}

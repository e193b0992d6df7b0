package gcode

import (
	"bytes"
	"cmp"
	"slices"
)

// The kinds of line that slicers mark.
const (
	unmarked = iota // before the first mark
	outerWall
	innerWall
	overhangWall
	thinWall
	infill
	solidInfill
	topSurface
	bottomSurface
	bridge
	gapFill
	ironing
	support
	supportInterface
	skirt
	brim
	raft
	wipeTower
	shield
	custom
	otherFeature // words that nobody knows
	countFeatures
)

func featureName(index int) string {
	return [countFeatures]string{"unmarked", "outer_wall", "inner_wall", "overhang_wall", "thin_wall", "infill", "solid_infill", "top_surface", "bottom_surface",
		"bridge", "gap_fill", "ironing", "support", "support_interface", "skirt", "brim", "raft", "wipe_tower", "shield", "custom", "other"}[index]
}

// featureOf reads a comment that says what is printed next:
//
//	TYPE:External perimeter                                 PrusaSlicer and its kin; TYPE:WALL-OUTER Cura, ideaMaker
//	FEATURE: Outer wall                                     Bambu Studio
//	feature outer perimeter                                 Simplify3D
//	'Perimeter Path', 0.8 [feed mm/s], 20.0 [head mm/s]     KISSlicer
func featureOf(c []byte) (index int, ok bool) {
	word, ok := cutFold(c, "TYPE:")
	if !ok {
		word, ok = cutFold(c, "FEATURE:")
	}
	if !ok {
		word, ok = bytes.CutPrefix(c, []byte("feature "))
	}
	if !ok && c[0] == '\'' {
		if word, _, ok = bytes.Cut(c[1:], []byte{'\''}); !bytes.Contains(c, []byte("mm/s")) {
			return 0, false
		}
	}
	if !ok || len(word) > maxFeatureWord {
		return 0, false
	}
	return featureNamed(word)
}

const maxFeatureWord = 40

// featureNamed finds a word without making anything, for it comes with every tenth line or so. KISSlicer's wiping is no feature of its own.
func featureNamed(word []byte) (index int, ok bool) {
	var buf [maxFeatureWord]byte
	n := 0
	for _, b := range trimSpaces(word) {
		if b = b | 0x20; !isLetter(b) && b != '/' && b != '(' && b != ')' { // '-' and '_' and ' ' are the same here
			b = ' '
		}
		buf[n] = b
		n++
	}
	name := buf[:n]
	for _, passing := range [...]string{"wipe (", "destring", "travel"} {
		if bytes.HasPrefix(name, []byte(passing)) {
			return 0, false
		}
	}
	// PrusaSlicer, SuperSlicer and Slic3r (ExtrusionEntity.cpp), Bambu Studio and OrcaSlicer, Cura and ideaMaker, Simplify3D, KISSlicer.
	switch string(name) {
	case "external perimeter", "outer wall", "wall outer", "outer perimeter", "perimeter path":
		return outerWall, true
	case "perimeter", "inner wall", "wall inner", "inner perimeter", "internal perimeter", "loop path":
		return innerWall, true
	case "overhang perimeter", "overhang wall":
		return overhangWall, true
	case "thin wall", "single extrusion":
		return thinWall, true
	case "internal infill", "sparse infill", "fill", "infill", "sparse infill path", "stacked sparse infill path":
		return infill, true
	case "solid infill", "internal solid infill", "solid layer", "solid fill", "solid path", "skin": // Cura's skin is top and bottom
		return solidInfill, true
	case "top solid infill", "top surface", "crown", "crown path":
		return topSurface, true
	case "bottom surface":
		return bottomSurface, true
	case "bridge infill", "internal bridge infill", "bridge", "internal bridge":
		return bridge, true
	case "gap fill", "gap infill":
		return gapFill, true
	case "ironing":
		return ironing, true
	case "support", "support material", "support path", "support (may be stacked) path":
		return support, true
	case "support interface", "support material interface", "support transition", "dense support", "support interface path":
		return supportInterface, true
	case "skirt", "skirt/brim", "skirt path":
		return skirt, true
	case "brim", "brim path":
		return brim, true
	case "raft", "raft path":
		return raft, true
	case "wipe tower", "prime tower", "prime pillar", "pillar path":
		return wipeTower, true
	case "ooze shield", "draft shield":
		return shield, true
	case "custom":
		return custom, true
	}
	return otherFeature, true
}

// spending is the time of moves by slot, in seconds.
type spending [slots]float64

// forget keeps only the features.
func (s *spending) forget() {
	for slot := maxFeatures; slot < slots; slot++ {
		s[slot%maxFeatures] += s[slot]
		s[slot] = 0
	}
}

// features sums up, the longest first; none when the slicer marks nothing.
func (c *contents) features(spent *spending) []Spent {
	list := []Spent{}
	if !c.marked {
		return list
	}
	mm := c.allPushed()
	for index := range countFeatures {
		seconds := 0.0
		for slot := index; slot < slots; slot += maxFeatures {
			seconds += spent[slot]
		}
		if seconds > 0 || mm[index] > 0 {
			list = append(list, Spent{Name: featureName(index), TimeS: rounded(min(seconds, maxSeconds)), FilamentMM: rounded(mm[index])})
		}
	}
	slices.SortStableFunc(list, func(a, b Spent) int { return cmp.Compare(b.TimeS, a.TimeS) })
	return list
}

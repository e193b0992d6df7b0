package gcode

import "bytes"

// Feature is what a piece of a path is for, as slicers say in comments. The numbers go over the wire (docs/PROTOCOL.md) and must not change.
type Feature uint8

const (
	FeatureOther Feature = iota
	FeatureOuterWall
	FeatureInnerWall
	FeatureOverhang
	FeatureInfill
	FeatureSolid
	FeatureTop
	FeatureBridge
	FeatureGap
	FeatureSupport
	FeatureInterface
	FeatureSkirt
	FeatureIroning
	FeatureTower
	FeatureCustom
	features // how many there are
)

// featureOf reads a comment (trimmed) that says what comes now:
//
//	TYPE:External perimeter     PrusaSlicer and its kin, Cura (WALL-OUTER), ideaMaker
//	FEATURE: Outer wall         Bambu Studio
//	feature outer perimeter     Simplify3D
//	'Solid Path', 1.0 [feed …   KISSlicer
func featureOf(comment []byte) (f Feature, ok bool) {
	var name []byte
	switch comment[0] {
	case 'T', 't':
		name, ok = cutFold(comment, "TYPE:")
	case 'F', 'f':
		if name, ok = cutFold(comment, "FEATURE:"); !ok {
			name, ok = cutFold(comment, "feature ")
		}
	case '\'':
		name, _, ok = bytes.Cut(comment[1:], []byte("Path'"))
	}
	if !ok || len(name) > longestFeature {
		return 0, false
	}
	return featureNamed(name), true
}

const longestFeature = 64

// featureNamed goes by the words in a name, the most telling first, since every slicer puts them together in its own way.
func featureNamed(name []byte) Feature {
	var lower [longestFeature]byte
	n := lower[:copy(lower[:], name)]
	for i, c := range n {
		if 'A' <= c && c <= 'Z' {
			n[i] = c + 'a' - 'A'
		}
	}
	has := func(words ...string) bool {
		for _, w := range words {
			if bytes.Contains(n, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case has("support"):
		if has("interface", "dense", "transition") {
			return FeatureInterface
		}
		return FeatureSupport
	case has("skirt", "brim", "raft", "shield"):
		return FeatureSkirt
	case has("tower", "pillar", "purge", "wipe"):
		return FeatureTower
	case has("iron"):
		return FeatureIroning
	case has("bridge"):
		return FeatureBridge
	case has("gap"):
		return FeatureGap
	case has("overhang"):
		return FeatureOverhang
	case has("outer", "external"), string(n) == "perimeter ": // the last is KISSlicer's
		return FeatureOuterWall
	case has("wall", "perimeter", "inner", "loop"):
		return FeatureInnerWall
	case has("top"):
		return FeatureTop
	case has("solid", "skin", "bottom", "surface"):
		return FeatureSolid
	case has("infill", "fill", "sparse"):
		return FeatureInfill
	case has("custom"):
		return FeatureCustom
	}
	return FeatureOther
}

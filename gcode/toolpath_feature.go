package gcode

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

// drawnAs is as what the features of a survey are drawn: fewer, for each has a colour of its own.
var drawnAs = [countFeatures]Feature{
	outerWall: FeatureOuterWall, innerWall: FeatureInnerWall, overhangWall: FeatureOverhang, thinWall: FeatureOuterWall, infill: FeatureInfill,
	solidInfill: FeatureSolid, topSurface: FeatureTop, bottomSurface: FeatureSolid, bridge: FeatureBridge, gapFill: FeatureGap, ironing: FeatureIroning,
	support: FeatureSupport, supportInterface: FeatureInterface, skirt: FeatureSkirt, brim: FeatureSkirt, raft: FeatureSkirt, wipeTower: FeatureTower,
	shield: FeatureSkirt, custom: FeatureCustom,
}

package printertest

import "math"

// MachineState is all that a detour in mid-print must leave as it was, comparable with ==. Lengths are mm to a millionth, as whole steps would
// have it.
type MachineState struct {
	PlannedMM    [4]float64 // X, Y, Z, E in native coordinates when all moves are done
	TrueMM       [3]float64
	WorkspaceMM  [3]float64 // what G92 and M206 laid over the axes
	HomeOffsetMM [3]float64 // M206
	ExtrudedMM   float64    // of filament, net
	BabystepMM   float64
	Homed        [3]bool
	Motors       bool
	Halted       bool

	Relative, RelativeE, Inches bool
	FeedMMS                     float64 // of the last F
	SpeedPart, FlowPart         float64 // M220, M221; 1 = as commanded
	SoftLimits                  bool    // M211
	StopsWatched                bool    // M120
	Leveling                    bool    // M420
	FadeMM                      float64 // M420 Z
	ColdOK                      bool    // M302
	ColdC                       float64

	MaxSpeed, MaxAccel                    [4]float64 // M203, M201
	PrintAccel, TravelAccel, RetractAccel float64    // M204
	DeviationMM                           float64    // M205 J

	NozzleTargetC, BedTargetC float64
	Fan                       [8]int
}

// State is the machine's state at that moment.
func (b Body) State() MachineState { return b.state }

func (f *firmware) state() MachineState {
	l := &f.planner
	s := MachineState{PlannedMM: f.planned, TrueMM: f.realAt(f.now), WorkspaceMM: f.offset, HomeOffsetMM: f.homeOffset, ExtrudedMM: micro(f.extruded),
		BabystepMM: micro(f.baby), Homed: f.homed, Motors: f.motors, Halted: f.killed, Relative: f.relative, RelativeE: f.relativeE, Inches: f.inches, FeedMMS: f.feed,
		SpeedPart: f.speedPart, FlowPart: f.flowPart, SoftLimits: f.softLimits, StopsWatched: f.watchStops, Leveling: f.leveled, FadeMM: f.fade,
		ColdOK: f.coldOK, ColdC: f.coldC, MaxSpeed: l.maxSpeed, MaxAccel: l.maxAccel, PrintAccel: l.printAccel, TravelAccel: l.travelAccel,
		RetractAccel: l.retractAccel, DeviationMM: l.deviation, NozzleTargetC: f.nozzle.targetC, BedTargetC: f.bed.targetC, Fan: f.fan}
	for i := range s.PlannedMM {
		s.PlannedMM[i] = micro(s.PlannedMM[i])
	}
	for i := range s.TrueMM {
		s.TrueMM[i], s.WorkspaceMM[i] = micro(s.TrueMM[i]), micro(s.WorkspaceMM[i])
	}
	return s
}

func micro(mm float64) float64 { return math.Round(mm*1e6) / 1e6 }

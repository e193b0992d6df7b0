package server

import (
	"layerd/internal/guard"
	"layerd/printer"
)

// goldenGuard is a guard that is set up and sees something.
func goldenGuard() *guard.State {
	return &guard.State{
		Mode: printer.WatchPause, Settings: guard.UsualSettings(), Job: "01jd8w2m4k",
		Endstops: guard.Witness{Status: guard.WitnessReady, AtMS: goldenMS - 240_000, Said: "X and Y are where they should be.", DetectsXMM: 0.35, DetectsYMM: 0.35},
		Camera:   guard.Witness{Status: guard.WitnessBlind, Why: "It is too dark.", AtMS: goldenMS - 9000},
		Outline:  guard.Witness{Status: guard.WitnessBlind, Why: "There are too few layers yet.", AtMS: goldenMS - 9000},
		Firmware: guard.Witness{Status: guard.WitnessReady},
		BedMS:    goldenMS - 86400_000, Corners: &[4][2]float64{{120, 610}, {980, 640}, {830, 320}, {260, 310}},
		Card: &guard.Card{MadeMS: goldenMS - 86400_000, CheckS: 4.8, XMM: 0.5, YMM: 0.9, PxPerMM: 2.75, BedMoves: true, Endstops: printer.Switches{MadeMS: goldenMS - 86400_000,
			X: printer.Switch{Usable: true, AtMM: -0.08, SpreadMM: 0.02, HysteresisMM: 0.05, OvertravelMM: 1.5, ThresholdMM: 0.35, StepsPerMM: 80},
			Y: printer.Switch{Why: "The switch of Y never closed."}}},
		Layers: []guard.Layer{{Layer: 15, AtMS: goldenMS - 120_000, XMM: number(0.02), YMM: number(-0.05), Check: printer.CheckRight}, {Layer: 16, AtMS: goldenMS - 9000, Blind: "It is too dark."}},
	}
}

// goldenShift is a State in which a print was paused because of a shift, and X and Y are homed anew.
func goldenShift() State {
	s := goldenState()
	s.State, s.Pause = printer.Paused, &printer.PauseInfo{By: "shift"}
	g := *goldenGuard()
	g.Camera = guard.Witness{Status: guard.WitnessReady, AtMS: goldenMS - 9000, Said: "Since layer 16 the head stands 1.5 mm further right.", DetectsXMM: 0.5, DetectsYMM: 0.9}
	g.Drill = &guard.Drill{AtMS: goldenMS - 86000_000, Axis: "y", MM: 0.8, Endstops: "The switch of Y cannot be used.", Camera: "It saw 0.8 mm in Y.", Paused: true}
	g.Alarm = &guard.Alarm{ID: 7, AtMS: goldenMS - 8000, Job: "01jd8w2m4k", Layer: 17, Since: 16, Spoiled: 2, Sentence: "The head is 1.6 mm right of where it should be (8 lost steps), since layer 16.",
		Confirmed: true, XMM: 1.6, Paused: true, Pictures: true, BeforeLayer: 15, AfterLayer: 17, Crop: [4]float64{0.25, 0.125, 0.5, 0.5}, Arrows: []guard.Arrow{{Axis: "x", MM: 1.6, At: [2]float64{0.5, 0.375}, By: [2]float64{0.0075, -0.0025}}}, Rehoming: &printer.Rehome{Running: true, AtMS: goldenMS - 1000},
		Statements: []guard.Statement{{Witness: "camera", Said: "Since layer 16 the head stands 1.5 mm further right.", AtMS: goldenMS - 9000},
			{Witness: "endstops", Said: "X is off by 1.6 mm: 8 lost steps.", AtMS: goldenMS - 8000}}}
	s.Guard = &g
	return s
}

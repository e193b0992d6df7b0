package printer

import (
	"math"
	"time"
)

// A detour is a script in mid-print: between the last line of a layer and the first of the next the session plays it in the state Printing, and everything is
// then as it was.
//
//	prepare: a new layer's line ─▶ setOut: M400, M114 ─▶ its own stages: retract, lift, travel, … ─▶ back ─▶ detourOver ─▶ the job's lines
//
// Pictures (shots.go) and checks against the endstops (endstop.go) are detours. Who wants a pause meanwhile gets it when the script has ended; a pause of the
// firmware's own puts the rest of it aside until the print goes on.
type detour struct {
	place *place          // where the print is, while one is under way; else nil
	from  int64           // no line of the job has this number or a greater one, before it ends
	aside *script         // the rest of its script, while the print is paused
	stays bool            // it does not go back: over begins a pause from where it is
	over  func(time.Time) // what its end means besides; may be nil
}

func (s *session) detouring() bool { return s.run.detour.place != nil }

// setOut begins a detour. locate: its stages want to know where the print is, place.at, which stays nil where that is not sure.
func (s *session) setOut(now time.Time, locate bool, stages func(p *place) []stage) {
	p := &place{}
	s.run.detour = detour{place: p, from: s.next}
	var first *Position
	all := append([]stage{always("M400"),
		func(time.Time) []scriptLine { p.modal = s.modal.clone(); return lines("M114") },
		func(time.Time) []scriptLine {
			if first = s.seen.position; s.located(p, nil) || !locate {
				return nil
			}
			return lines("M114")
		},
		func(time.Time) []scriptLine { s.located(p, first); return nil }}, stages(p)...)
	s.play(now, s.detourOver, append(all, s.back(p))...)
}

// located finds out where the print is: where its lines lead to, if the firmware says so too. A report has no checksum, and a print that goes back to a
// wrong place is spoiled; so where the lines do not tell, or something else has moved the head, two reports must agree.
func (s *session) located(p *place, first *Position) bool {
	is, meant := s.seen.position, &p.modal.head
	switch {
	case p.at != nil || is == nil:
	case meant.known[0] && meant.known[1] && meant.known[2] && meant.at(is):
		p.at = meant.place(is)
	case first != nil && first != is && *first == *is:
		if p.at = is; meant.at(is) { // its lines tell what they tell exactly
			p.at = meant.place(is)
		}
	}
	return p.at != nil
}

// leavesPrint reports whether the head can leave the print, and finds out how high it then goes, and how much filament it pulls back. It travels above all that is
// printed: of objects that are printed one after the other some are higher than the head is.
func (s *session) leavesPrint(p *place) bool {
	if p.at == nil || !s.allHomed() || !s.hot() {
		return false
	}
	top := s.top(p.at.ZMM)
	if p.liftedZ = s.profile.aboveFor(top, p.at.ZMM); p.liftedZ < top {
		return false
	}
	reel := s.run.spent.tools[s.modal.tool] // what the file itself has pulled back needs not be pulled again, and is pushed by the file
	p.parked, p.pulled = true, math.Max(s.profile.RetractMM-(reel.mostMM-reel.netMM), 0)
	return true
}

// top is how high the layers that were begun are, and no less than z, mm.
func (s *session) top(z float64) float64 {
	layers := s.job.info.Survey.Layers
	for _, l := range layers[:min(max(s.run.shots.layer, 0), len(layers))] {
		z = math.Max(z, l.ZMM)
	}
	return z
}

// aboveFor is the height for travelling in a detour above what is top mm high, from a head at z.
func (p Profile) aboveFor(top, z float64) float64 {
	return math.Min(top+math.Min(p.LiftMM, shotLiftMM), math.Max(z, p.HeightMM))
}

// back is the stage that brings the head back, and the modes. E needs no G92: what was pulled is pushed by the same length, and a reported E is rounded. The fan
// and all that people may set meanwhile is not touched.
func (s *session) back(p *place) stage {
	return func(time.Time) []scriptLine {
		if !p.parked || s.run.detour.stays {
			return nil
		}
		return lines(append(s.headBack(p, s.pullFeed()), modesBack(p.modal)...)...)
	}
}

// detourOver is the end of a detour: back to the job's lines, or to the pause that was asked for meanwhile.
func (s *session) detourOver(now time.Time) {
	if s.run.detour.over != nil {
		s.run.detour.over(now)
	}
	s.run.detour, s.health.fill = detour{}, true
	if s.state == Pausing && s.script == nil {
		s.pauseAt(now, s.paused)
	}
}

// dropDetour gives up the one under way: there is no way back, or none is needed.
func (s *session) dropDetour() {
	s.run.shots.endStand()
	s.run.detour, s.hark = detour{}, nil
}

// detourAside keeps the rest of it for when the print goes on: the firmware pauses by itself and will go back to where it is, or the port was lost.
func (s *session) detourAside() {
	if s.detouring() && s.run.detour.aside == nil { // some firmware says twice that it pauses
		s.run.shots.endStand()
		s.run.detour.aside, s.script = s.script, nil
	}
}

// detourAgain goes on with it.
func (s *session) detourAgain() {
	if s.run.detour.aside != nil {
		s.script, s.run.detour.aside = s.run.detour.aside, nil
	}
}

// scriptOf is the script that a line in flight is of; nil when that is no more.
func (s *session) scriptOf(f *flight) *script {
	for _, sc := range []*script{s.script, s.run.detour.aside} {
		if sc != nil && sc.id == f.script {
			return sc
		}
	}
	return nil
}

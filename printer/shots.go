package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"math"
	"time"
)

// A picture of a print is good when the machine stands still for it. Between the last line of a layer and the first of the next the session plays a script
// in mid-print, in the state Printing:
//
//	prepare: a new layer's line ─▶ shoot: M400, M114 ─▶ away: retract, lift, travel ─▶ stand: Shot.Still ─▶ ShotTaken, or 1.5 s ─▶ back ─▶ the job's lines
//
// Who wants a pause meanwhile gets it when the script has ended; a pause of the firmware's own puts the rest of it aside until the print goes on.

// ShotMode is how a job stands still for pictures.
type ShotMode string

const (
	ShotsOff   ShotMode = ""
	ShotsStill ShotMode = "still" // it stops where it is
	ShotsPark  ShotMode = "park"  // the head goes aside and comes back; where it cannot (not homed, not hot, place unsure) it stops where it is
)

// Shots says how a job stands still for pictures, one at each layer change: before the second layer of its survey, the third, and so on.
type Shots struct {
	Mode   ShotMode `json:"mode"`
	EveryS int      `json:"every_s"` // least seconds between two, at most a day; 0 = each layer
}

// Validate names the first value that makes no sense.
func (s Shots) Validate() error {
	switch {
	case s.Mode != ShotsOff && s.Mode != ShotsStill && s.Mode != ShotsPark:
		return fmt.Errorf("mode is %q, allowed are %q, %q and %q", s.Mode, ShotsOff, ShotsStill, ShotsPark)
	case s.EveryS < 0 || s.EveryS > 24*60*60:
		return fmt.Errorf("every_s is %d, allowed is 0 to %d", s.EveryS, 24*60*60)
	}
	return nil
}

// Shot is a moment at which the machine stood still for a picture. It is immutable.
type Shot struct {
	N     int   `json:"n"`     // in this job, from 1
	Layer int   `json:"layer"` // as in JobStatus.Layer: the layer that is finished
	AtMS  int64 `json:"at_ms"` // when it stood: the moves' end was answered. A picture is of this shot if it was exposed later, and before Still ended
	Still bool  `json:"still"` // it stands, and waits for ShotTaken
}

const (
	// shotHold is how long it stands if nobody says that the picture is taken.
	shotHold = 1500 * time.Millisecond
	// shotLiftMM is enough to clear what has curled up, and little beside a pause's lift: Z is slow, and it is paid for twice in each layer.
	shotLiftMM = 1.0
	// shotSettle is what a shot takes besides its moves, for an estimate: slowing down, the questions, the next frame of a camera.
	shotSettle = 500 * time.Millisecond
)

// shots is how far a job has come with its pictures.
type shots struct {
	layer  int       // the newest whose line was looked at
	newest *Shot     // replaced, never changed; nil before the first
	place  *place    // where the print is, while a shot is under way; else nil
	from   int64     // no line of the job has this number or a greater one, before the shot ends
	until  time.Time // it stands until then; zero = it does not
	aside  *script   // the rest of its script, while the print is paused
}

// shooting reports whether a shot is under way; standing, whether its script waits for the picture.
func (s *session) shooting() bool { return s.run.shots.place != nil }
func (s *session) standing() bool { return !s.run.shots.until.IsZero() }

// shoot begins a shot before the first line of a layer, if one is wanted there, and reports whether it did.
func (s *session) shoot(now time.Time, layer int) bool {
	sh, want := &s.run.shots, s.job.info.Shots
	begun := sh.layer >= 0
	sh.layer = layer
	if !begun || want.Mode == ShotsOff || sh.newest != nil && now.UnixMilli() < sh.newest.AtMS+1000*int64(want.EveryS) {
		return false
	}
	p := &place{}
	sh.place, sh.from = p, s.next
	var first *Position
	s.play(now, s.shotOver, always("M400"),
		func(time.Time) []scriptLine { p.modal = s.modal.clone(); return lines("M114") },
		func(time.Time) []scriptLine {
			if first = s.seen.position; s.located(p, nil) || want.Mode != ShotsPark {
				return nil
			}
			return lines("M114")
		},
		func(time.Time) []scriptLine {
			if s.job.info.Shots.Mode == ShotsPark && s.state == Printing && s.located(p, first) {
				return s.away(p)
			}
			return nil
		},
		s.standStill, s.back(p))
	return true
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
		p.at = is
	}
	return p.at != nil
}

// away moves the head aside, above all that is printed: of objects that are printed one after the other some are higher than the head is.
func (s *session) away(p *place) []scriptLine {
	if !s.allHomed() || !s.hot() {
		return nil
	}
	top := p.at.ZMM
	for _, l := range s.job.info.Survey.Layers[:s.run.shots.layer] {
		top = math.Max(top, l.ZMM)
	}
	if p.liftedZ = s.profile.aboveFor(top, p.at.ZMM); p.liftedZ < top {
		return nil
	}
	reel := s.run.spent.tools[s.modal.tool] // what the file itself has pulled back needs not be pulled again, and is pushed by the file
	p.parked, p.pulled = true, math.Max(s.profile.RetractMM-(reel.mostMM-reel.netMM), 0)
	return lines(append(s.aside(p), "M400", "M114")...)
}

// aboveFor is the height for travelling in a shot above what is top mm high, from a head at z.
func (p Profile) aboveFor(top, z float64) float64 {
	return math.Min(top+math.Min(p.LiftMM, shotLiftMM), math.Max(z, p.HeightMM))
}

// standStill is the stage that waits for the picture, unless a pause is wanted or the pictures are not any more.
func (s *session) standStill(now time.Time) []scriptLine {
	sh := &s.run.shots
	if s.state != Printing || s.job.info.Shots.Mode == ShotsOff {
		return nil
	}
	n := 1
	if sh.newest != nil {
		n += sh.newest.N
	}
	sh.newest = &Shot{N: n, Layer: s.run.pos.layer + 1, AtMS: now.UnixMilli(), Still: true}
	sh.until = now.Add(shotHold)
	return nil
}

// back is the stage that brings the head back, and the modes. E needs no G92: what was pulled is pushed by the same length, and a reported E is rounded. The fan
// and all that people may set meanwhile is not touched.
func (s *session) back(p *place) stage {
	return func(time.Time) []scriptLine {
		if !p.parked {
			return nil
		}
		return lines(append(s.headBack(p, s.pullFeed()), modesBack(p.modal)...)...)
	}
}

// shotOver is the end of a shot: back to the job's lines, or to the pause that was asked for meanwhile.
func (s *session) shotOver(now time.Time) {
	s.run.shots.place, s.health.fill = nil, true
	if s.state == Pausing {
		s.pauseAt(now, s.paused)
	}
}

// endStand ends the wait for a picture.
func (sh *shots) endStand() {
	if sh.until.IsZero() {
		return
	}
	over := *sh.newest
	over.Still = false
	sh.until, sh.newest = time.Time{}, &over
}

// shotTaken goes on, if it stands.
func (s *session) shotTaken(now time.Time) {
	s.run.shots.endStand()
	s.proceed(now)
}

// shotDue goes on when nobody has said that the picture is taken.
func (s *session) shotDue(now time.Time) {
	if s.standing() && !now.Before(s.run.shots.until) {
		s.shotTaken(now)
	}
}

// dropShot gives up the shot under way: there is no way back, or none is needed.
func (s *session) dropShot() {
	s.run.shots.endStand()
	s.run.shots.place, s.run.shots.aside = nil, nil
}

// shotAside keeps the rest of a shot for when the print goes on: the firmware pauses by itself and will go back to where it is, or the port was lost.
func (s *session) shotAside() {
	if s.shooting() && s.run.shots.aside == nil { // some firmware says twice that it pauses
		s.run.shots.endStand()
		s.run.shots.aside, s.script = s.script, nil
	}
}

// shotAgain goes on with it.
func (s *session) shotAgain() {
	if s.run.shots.aside != nil {
		s.script, s.run.shots.aside = s.run.shots.aside, nil
	}
}

// scriptOf is the script that a line in flight is of; nil when that is no more.
func (s *session) scriptOf(f *flight) *script {
	for _, sc := range []*script{s.script, s.run.shots.aside} {
		if sc != nil && sc.id == f.script {
			return sc
		}
	}
	return nil
}

// ShotTaken says that the picture of shot n is taken, so that the print goes on. When it has gone on already, or n or job is another's, nothing happens: that is
// no error. It moves nothing out of turn, so it need not be a person's.
func (p *Printer) ShotTaken(ctx context.Context, job string, n int) (uint64, error) {
	return p.ask(ctx, func(o *owner, now time.Time) error {
		if o.standing() && o.job != nil && o.job.info.ID == job && o.run.shots.newest.N == n {
			o.shotTaken(now)
		}
		return nil
	})
}

// SetShots changes how the job under way ("" for any) stands still for pictures, from the next layer on. One that stands for a picture which is not wanted
// any more goes on.
func (p *Printer) SetShots(ctx context.Context, job string, s Shots) (uint64, error) {
	if err := s.Validate(); err != nil {
		return 0, fmt.Errorf("%w: shots: %w", ErrLimit, err)
	}
	return p.inJob(ctx, job, func(o *owner, now time.Time) error {
		if o.job.info.Shots = s; s.Mode == ShotsOff {
			o.shotTaken(now)
		}
		return nil
	}, Starting, Printing, Pausing, Paused, Resuming, Cancelling, Finishing)
}

// ShotsTime estimates how much longer a print takes for its shots: what each takes by itself, and where the head parks the way there and back, from the
// middle of what is printed.
func ShotsTime(p Profile, s Shots, survey gcode.Survey) time.Duration {
	if s.Mode == ShotsOff {
		return 0
	}
	minX, maxX, minY, maxY := p.area()
	if b := survey.Extent; b != nil {
		minX, maxX, minY, maxY = b.Min[0], b.Max[0], b.Min[1], b.Max[1]
	}
	parkX, parkY := p.park(0)
	travelS := math.Hypot((minX+maxX)/2-parkX, (minY+maxY)/2-parkY) / p.TravelMMS
	pullS := p.RetractMM / (5 * p.ExtrudeMMS)
	sum, top, last := 0.0, 0.0, math.Inf(-1)
	for i, l := range survey.Layers {
		if i > 0 && l.ElapsedS-last >= float64(s.EveryS) {
			last = l.ElapsedS
			sum += shotSettle.Seconds()
			if z := survey.Layers[i-1].ZMM; s.Mode == ShotsPark {
				sum += 2 * (travelS + pullS + (p.aboveFor(top, z)-z)/p.LiftMMS)
			}
		}
		top = math.Max(top, l.ZMM)
	}
	if !(sum >= 0 && sum < 1e9) { // a profile that Check refuses
		return 0
	}
	return time.Duration(sum * float64(time.Second))
}

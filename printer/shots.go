package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"math"
	"time"
)

// A picture of a print is good when the machine stands still for it. That is a detour (detour.go) between two layers:
//
//	prepare: a new layer's line ─▶ shoot ─▶ away: retract, lift, travel ─▶ stand: Shot.Still ─▶ ShotTaken, or 1.5 s ─▶ back ─▶ the job's lines

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
	until  time.Time // it stands until then; zero = it does not
}

// standing reports whether the script waits for the picture.
func (s *session) standing() bool { return !s.run.shots.until.IsZero() }

// shoot begins a shot before the first line of a layer, if one is wanted there, and reports whether it did.
func (s *session) shoot(now time.Time, layer int) bool {
	sh, want := &s.run.shots, s.job.info.Shots
	begun := sh.layer >= 0
	sh.layer = layer
	if !begun || want.Mode == ShotsOff || sh.newest != nil && now.UnixMilli() < sh.newest.AtMS+1000*int64(want.EveryS) {
		return false
	}
	s.setOut(now, want.Mode == ShotsPark, func(p *place) []stage {
		return []stage{func(time.Time) []scriptLine {
			if s.job.info.Shots.Mode == ShotsPark && s.state == Printing && s.leavesPrint(p) {
				return lines(append(s.aside(p), "M400", "M114")...)
			}
			return nil
		}, s.standStill}
	})
	return true
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

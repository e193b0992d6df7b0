package printer

import (
	"context"
	"fmt"
	"layerd/gcode"
	"math"
	"slices"
	"time"
)

// G28 X Y brings belief and truth together again, and changes more than that: it can raise Z and leave it there, switch the levelling off, and forget what G92
// has laid over the axes (Marlin, G28.cpp and motion.cpp, set_axis_is_at_home). The homer does it, and brings all of that back:
//
//	M420?, M211? ─▶ lift ─▶ G28 X Y ─▶ M114 ─▶ M420 S1 ─▶ Z again ─▶ G92 X Y again

// homer homes X and Y.
type homer struct {
	s       *session
	b       *prober     // takes the reasons, and knows when to stop
	levels  bool        // levelling is on
	fade    string      // the word of M420 for where it ends; "" the firmware did not say
	refuses bool        // the firmware has no levelling to switch on
	laid    *[2]float64 // what was laid over the axes before; nil not looked at yet
	moved   bool        // homing has begun
}

// beforeHoming is what homing has to bring back. It is kept for the whole pause: a second homing, after one that could not bring it back, would find what that
// one has left.
type beforeHoming struct {
	levels      bool
	fade        string
	laid, shift [2]float64
	limits      softLimits
}

// remember keeps that at the first homing of a pause, and takes it from there at each later one.
func (h *homer) remember(p *place) {
	if p.before == nil {
		p.before = &beforeHoming{h.levels, h.fade, h.layAll(), h.b.shift, h.b.limits}
	}
	was := *p.before
	h.levels, h.fade, h.laid, h.b.shift, h.b.limits = was.levels, was.fade, &was.laid, was.shift, was.limits
}

func (h *homer) layAll() [2]float64 {
	l := &h.s.modal.laid
	return [2]float64{h.lay(0, l), h.lay(1, l)}
}

// ask are the stages that find out what homing will change. Where nothing was sent over to tell it, M211 tells what is laid over the axes.
func (h *homer) ask(tries int) []stage {
	s, b := h.s, h.b
	return []stage{func(time.Time) []scriptLine {
		if b.over() {
			return nil
		}
		s.hark = &hark{}
		return lines("M420", "M211", "M114")
	}, func(time.Time) []scriptLine {
		heard := s.hark
		s.hark = nil
		if b.over() || heard == nil {
			return nil
		}
		limits, told := heard.limits()
		levels, fade, said := heard.levelling()
		h.refuses = heard.refused("M", "420")
		damaged := !told && b.sw[0].LimitsMM != nil || !said && !h.refuses && s.seen.conn.Capabilities["LEVELING_DATA"]
		switch {
		case damaged && tries > 0:
			s.ahead(h.ask(tries - 1)...)
			return nil
		case damaged:
			b.failed = "the firmware's answers are too damaged to be understood"
			return nil
		}
		h.levels, h.fade = said && levels, fade
		if told {
			b.limits = limits
		}
		return nil
	}}
}

// home are the stages that home, and bring back what that has changed, at the height of p; anyway: also when nothing more can be found out.
func (h *homer) home(p *place, anyway bool) []stage {
	s := h.s
	skip := func() bool { return p.at == nil || h.b.failed != "" && !anyway && !h.moved }
	return []stage{func(time.Time) []scriptLine {
		if skip() {
			return nil
		}
		if h.laid == nil {
			by := h.layAll()
			h.laid = &by
		}
		h.moved = true
		h.asksTwice(3)
		return lines("G28 X Y"+s.d.homeFlat, "M400", "M114")
	}, func(time.Time) []scriptLine {
		if skip() {
			return nil
		}
		out := []string{}
		if h.levels {
			out = append(out, "M420 S1"+h.fade)
		}
		out = append(out, word("G0 Z", p.liftedZ)+word(" F", gcode.FeedWord(s.profile.LiftMMS)))
		if at := s.seen.position; at != nil {
			for axis, v := range []float64{at.XMM, at.YMM} {
				if by := h.laid[axis]; by != 0 && h.b.failed == "" {
					out = append(out, exactly("G92 "+"XY"[axis:axis+1], v+by))
				}
			}
		}
		return lines(append(out, "M400", "M114")...)
	}}
}

// asksTwice adds stages that ask where homing has ended until two answers agree, where the axes are to be called something that depends on it: an answer has no
// checksum.
func (h *homer) asksTwice(tries int) {
	s := h.s
	if *h.laid == [2]float64{} {
		return
	}
	var first *Position
	s.ahead(func(time.Time) []scriptLine {
		first = s.seen.position
		return lines("M114")
	}, func(time.Time) []scriptLine {
		switch is := s.seen.position; {
		case first != nil && is != nil && is != first && *is == *first:
		case tries > 0:
			h.asksTwice(tries - 1)
		default:
			h.b.failed = "the firmware does not say clearly where homing has ended"
		}
		return nil
	})
}

// lay is what was laid over an axis.
func (h *homer) lay(axis int, l *laid) float64 {
	if l.unsure[axis] || l.settings {
		return h.b.shift[axis]
	}
	return l.mm[axis]
}

// rehoming reports whether it is under way.
func (s *session) rehoming() bool {
	r := s.run.checks.rehomed
	return s.state == Paused && s.script != nil && r != nil && r.Running
}

// rehome begins it.
func (s *session) rehome(now time.Time) {
	p := s.paused
	b := s.newProber(func() bool { return s.state == Paused })
	h := &homer{s: s, b: b}
	up := &place{at: p.at, liftedZ: math.Min(math.Max(p.liftedZ, s.top(p.at.ZMM)+shotLiftMM), math.Max(p.liftedZ, s.profile.HeightMM))}
	s.run.checks.rehomed = &Rehome{Running: true}
	var first, second *EndstopCheck
	keep := func(c **EndstopCheck) stage {
		return func(now time.Time) []scriptLine {
			*c = b.result(CheckRehomed, now.Sub(b.begun))
			b.begun, b.found = now, [2]AxisFinding{}
			return nil
		}
	}
	stages := slices.Concat([]stage{s.stop(), always("M114"), b.askLimits(3)}, h.ask(3), []stage{
		always("G21", "G90", "M83"), always(word("G0 Z", up.liftedZ) + word(" F", gcode.FeedWord(s.profile.LiftMMS)))},
		[]stage{func(time.Time) []scriptLine {
			if b.failed == "" {
				h.remember(p)
			}
			return nil
		}}, h.home(up, false), h.sure(3), []stage{b.sit(up)}, b.checkBoth(), []stage{keep(&first), b.sit(up)}, b.checkBoth(), []stage{keep(&second),
			func(time.Time) []scriptLine {
				x, y := s.profile.park(s.modal.tool)
				return lines(append(s.goTo(up.liftedZ, x, y), "M114")...)
			}})
	s.play(now, func(now time.Time) { s.rehomed(now, h, first, second) }, stages...)
}

// sure are the stages that see whether the levelling is on again, and the axes are called as before.
func (h *homer) sure(tries int) []stage {
	s, b := h.s, h.b
	before := b.limits
	return []stage{func(time.Time) []scriptLine {
		if before = b.limits; b.over() {
			return nil
		}
		s.hark = &hark{}
		return lines("M420", "M211", "M114")
	}, func(time.Time) []scriptLine {
		heard := s.hark
		s.hark = nil
		if b.over() || heard == nil {
			return nil
		}
		limits, told := heard.limits()
		levels, _, said := heard.levelling()
		switch {
		case (before == softLimits{} || told && limits == before) && (!h.levels || said && levels):
		case tries > 0:
			s.ahead(h.sure(tries - 1)...)
		case h.levels && !(said && levels):
			b.failed = "the levelling could not be switched on again"
		default:
			b.failed = "the axes are not called what they were before"
		}
		return nil
	}}
}

// rehomed is its end.
func (s *session) rehomed(now time.Time, h *homer, first, second *EndstopCheck) {
	r := &Rehome{AtMS: now.UnixMilli(), Reason: h.b.failed}
	if h.moved {
		s.paused.unfit = h.b.failed
	}
	for _, c := range []*EndstopCheck{first, second} {
		if r.Reason == "" && c.Verdict != CheckRight {
			r.Reason = c.words()
		}
	}
	r.OK, s.paused.doubt = r.Reason == "", r.Reason
	s.noted(now, second)
	s.run.checks.rehomed = r
	s.note("note", fmt.Sprintf("X and Y were homed anew: right %v %s", r.OK, r.Reason))
}

// rehomeLost is the end of one under way whose connection is gone. Nobody knows how much of it was done, so it must be done again, if anything was.
func (s *session) rehomeLost(now time.Time) {
	const why = "the USB connection was lost meanwhile"
	if s.paused.doubt = why; s.paused.before != nil {
		s.paused.unfit = why
	}
	s.script, s.hark = nil, nil
	s.run.checks.rehomed = &Rehome{AtMS: now.UnixMilli(), Reason: why}
}

// Rehome homes X and Y anew while the job ("" for the one under way) is paused, and brings back all that homing has changed. Two checks must find the head where it
// should be. It returns when it has begun; see JobStatus.Rehomed. Then Resume goes on with the print, or only ResumeAsItIs if it is not OK. The error is ErrCheck where that cannot be checked.
func (p *Printer) Rehome(ctx context.Context, job string) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, now time.Time) error {
		switch at, reason := o.paused, o.cannotProbe(); {
		case o.occupied() || at.held:
			return fmt.Errorf("%w: the printer itself holds the print", ErrWrongState)
		case o.rehoming():
			return nil
		case reason != "":
			return fmt.Errorf("%w: %s", ErrCheck, reason)
		case !o.known().X.Usable || !o.known().Y.Usable:
			return fmt.Errorf("%w: homing moves X and Y, and only one of them could be checked then: %s%s", ErrCheck, o.known().X.Why, o.known().Y.Why)
		case !at.parked || at.at == nil:
			return fmt.Errorf("%w: nobody knows where the print is", ErrCheck)
		}
		o.rehome(now)
		return nil
	}, Paused)
}

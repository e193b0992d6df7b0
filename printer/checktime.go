package printer

import "time"

// When a print is checked. Checks are to take their share of the print's time and no more, and a loss is to be found within eight minutes. Both can be had where a
// check takes up to 4.8 s and layers are short. Where not, the eight minutes count:
//
//   - the first check has to measure, and takes longer: those after it are no rarer for it than every eight minutes;
//   - before a layer that ends too late there is a check, however new the last one is: with the layer that is four minutes between two of them on average, or more;
//   - in a layer that takes longer there is one where nobody sees it (gcode.Inside), once the share allows it, or after six minutes.
//
// What is left: a layer that takes longer and has no such place, as a vase.

const (
	usualCheck    = 5 * time.Second                // before any was made
	shareOfPrints = 1.0                            // per cent
	longestUnseen = 8*time.Minute - 15*time.Second // between two checks, whatever their share: a loss is to be found within eight minutes, and what is reckoned may be off
	lateWithin    = 6 * time.Minute                // where in a layer the next place will be nobody knows, so this early
)

// share is the part of a print's time that checks may take.
func (w Watch) share() float64 {
	if w.SharePercent == 0 {
		return shareOfPrints / 100
	}
	return w.SharePercent / 100
}

// worth is how long a print has to go on for checks that took so long.
func (w Watch) worth(took time.Duration) time.Duration {
	return time.Duration(float64(took) / w.share())
}

// isWatched reports whether there are checks that nobody asks for: the whole print must be worth one.
func (s *session) isWatched() bool {
	w, total := s.job.info.Watch, s.job.info.Survey.TimeS
	return (w.Mode == WatchTell || w.Mode == WatchPause) && !(total > 0 && total*w.share() < s.usualTook().Seconds())
}

// checkIsDue reports whether it is time for a check before the first line of a layer, an index: the first after the first layer, and the others so far apart that all
// of them take their share, but none so late that the next layer change would be too late.
func (s *session) checkIsDue(now time.Time, layer int) bool {
	w, ch := s.job.info.Watch, &s.run.checks
	switch {
	case !s.isWatched():
		return false
	case ch.newest == nil:
		return true
	}
	since := s.run.elapsed(now) - ch.last
	takes := s.takes(edge(s.run.survey(&s.job.info), layer), layer)
	if takes == 0 { // the file does not tell: as long as the one before
		takes = s.run.elapsed(now) - ch.change
	}
	return s.tooLate(since+takes) || since >= max(w.worth(s.usualTook()), w.worth(ch.took+s.usualTook())-ch.last)
}

// isLate reports whether it is time for a check within a layer.
func (s *session) isLate(now time.Time, layer int) bool {
	ch := &s.run.checks
	from := ch.last
	if ch.newest == nil { // in the first layer: the head was homed before it
		from = ch.change
	}
	since := s.run.elapsed(now) - from
	return since >= min(lateWithin, s.job.info.Watch.worth(s.usualTook())) && s.isWatched() && s.tooLate(since+s.takes(s.run.eta.at, layer))
}

// tooLate reports whether a check at a layer change would be, so long after the one before.
func (s *session) tooLate(since time.Duration) bool {
	return since+max(s.run.checks.ahead, s.lead())+s.usualTook() > longestUnseen
}

// lead is how far the machine is behind the line that is looked at: it has moves to make that it has accepted, and some that it has not.
func (s *session) lead() time.Duration {
	lead := time.Duration(s.run.eta.lead() * float64(time.Second))
	for i := range s.aloft {
		lead += min(s.stream.at(i).pos.took, longestUnseen)
	}
	return lead
}

// takes is how long it takes from a place in the file's own time to the end of a layer, an index: as the print goes so far, but no less than the file asks for, for what
// was learned from few layers may be wrong, and too early costs less than too late.
func (s *session) takes(from moved, layer int) time.Duration {
	rest, rate := edge(s.run.survey(&s.job.info), layer+1).minus(from), s.run.eta.now()
	slow := moved{max(rate.cruise, 1/s.run.eta.factor), max(rate.rest, 1)}
	return time.Duration(min(max(rest.times(slow), 0), 1e6) * float64(time.Second))
}

// usualTook is what a check takes, as those so far did.
func (s *session) usualTook() time.Duration {
	if s.checkTook == 0 {
		return usualCheck
	}
	return s.checkTook
}

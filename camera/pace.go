package camera

import "time"

// pace thins out what comes faster than it is wanted, and what comes while nobody looks.
type pace struct {
	sink     Sink
	interval time.Duration // the shortest between two pictures; 0 = all
	last     time.Time     // when one was due and came
	early    time.Duration // by how much it was before its time
}

// put passes a picture on if its time has come.
func (p *pace) put(jpeg []byte, taken time.Time) {
	interval := p.interval
	if p.sink.Idle() {
		interval = max(interval, idleInterval)
	}
	if p.due(taken, interval) {
		p.sink.Put(jpeg, taken)
	}
}

// due tells whether a picture that is there now is one to pass on, at one per interval. It may be a quarter of an interval early, since devices
// do not keep time exactly; the next one is the later for it. A shorter interval than before counts at once.
func (p *pace) due(now time.Time, interval time.Duration) bool {
	since := now.Sub(p.last) - min(p.early, interval/4)
	if since < interval*3/4 {
		return false
	}
	p.last, p.early = now, max(interval-since, 0)
	return true
}

// intervalOf is the time between pictures of which there are fps a second; 0 = no limit.
func intervalOf(fps int) time.Duration {
	if fps == 0 {
		return 0
	}
	return time.Second / time.Duration(fps)
}

package camera

import "time"

// pace thins out what comes faster than it is wanted, and what comes while nobody looks.
type pace struct {
	sink     Sink
	interval time.Duration // the shortest between two pictures; 0 = all
	last     time.Time     // when one was let through
}

// put passes a picture on if its time has come. A quarter of tolerance, since devices do not keep time exactly.
func (p *pace) put(jpeg []byte, taken time.Time) {
	interval := p.interval
	if p.sink.Idle() {
		interval = max(interval, idleInterval)
	}
	if taken.Sub(p.last) >= interval*3/4 {
		p.last = taken
		p.sink.Put(jpeg, taken)
	}
}

// intervalOf is the time between pictures of which there are fps a second; 0 = no limit.
func intervalOf(fps int) time.Duration {
	if fps == 0 {
		return 0
	}
	return time.Second / time.Duration(fps)
}

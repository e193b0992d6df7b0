package timelapse

import (
	"layerd/camera"
	"layerd/printer"
	"time"
)

// shots says when a frame is due, and which of the camera's is taken. Pure: it is told of snapshots, frames and the time.
//
//	by time   every so many seconds of printing; the first frame that was taken after that moment
//	by layer  the printer stands still for it: the first frame after the moves have ended and before they go on
type shots struct {
	choice Choice
	want   want
	next   time.Time // by time: when the next one is due
	last   int       // number of the printer's last shot
}

// want is a frame that is due. The zero value: none is.
type want struct {
	after, until time.Time // of its being taken; until zero = none is due
	layer        int
	shot         int // number of the printer's, which stands still for it; 0 = by time
}

const (
	settle    = 150 * time.Millisecond  // the frame swings a little after the last move, and a camera is some way behind
	standsFor = 1400 * time.Millisecond // the printer goes on by itself a little later
)

// heard takes over what a snapshot says, and reports whether a frame was missed.
func (s *shots) heard(snap *printer.Snapshot) (missed bool) {
	if snap.Job == nil || snap.Job.Shot == nil || snap.Job.Shot.N == s.last || s.choice.Mode != ByLayer {
		return false
	}
	shot := snap.Job.Shot
	s.last = shot.N
	if !shot.Still { // it is over already
		return true
	}
	at := time.UnixMilli(shot.AtMS)
	return s.due(want{after: at.Add(settle), until: at.Add(standsFor), layer: shot.Layer, shot: shot.N})
}

// tick lets time pass while the printer prints; it reports whether a frame was missed.
func (s *shots) tick(layer int, now time.Time) (missed bool) {
	if s.choice.Mode != ByTime || now.Before(s.next) {
		return s.late(now)
	}
	every := time.Duration(s.choice.EveryS) * time.Second
	s.next = s.next.Add(every)
	if s.next.Before(now) { // the first one, and the first after a pause
		s.next = now.Add(every)
	}
	return s.due(want{after: now, until: now.Add(every), layer: layer})
}

func (s *shots) due(w want) (missed bool) {
	missed = !s.want.until.IsZero()
	s.want = w
	return missed
}

// late gives up a frame that was not taken in time. A frame is on its way for a moment.
func (s *shots) late(now time.Time) (missed bool) {
	if s.want.until.IsZero() || now.Before(s.want.until.Add(time.Second)) {
		return false
	}
	s.want = want{}
	return true
}

// takes reports whether a frame of the camera is the one that is due; then none is any more.
func (s *shots) takes(f *camera.Frame) (w want, ok bool) {
	if f == nil || s.want.until.IsZero() || !f.Time.After(s.want.after) || f.Time.After(s.want.until) {
		return want{}, false
	}
	w, s.want = s.want, want{}
	return w, true
}

package viewer

import "time"

// Size is which picture a viewer gets.
type Size uint8

const (
	Full   Size = iota // as the camera took it
	Small              // at most 640 pixels either way
	Stills             // at most 320, one every few seconds
	sizes
)

// Ladder chooses the size for one viewer: the largest whose pictures are young when they are painted, by what the link carries and how long they
// are. Fewer pictures cost nothing, so that comes first and by itself: the next one is begun when the last has gone out.
type Ladder struct {
	Save bool // the viewer asks to save data: never the full size, and not so often

	size    Size
	begun   bool
	bytes   [sizes]float64 // how long pictures of this size are; 0 = none was seen
	lag     time.Duration  // of painting
	bad     int            // pictures in a row that came too late
	goodAt  time.Time      // since when the next larger size would do, or might; zero = it would not
	upAt    time.Time      // when a larger size was last tried
	goodFor time.Duration  // how long it must be good before that; more after each time in vain
	startAt time.Time      // when the last picture was begun
}

const (
	young       = 900 * time.Millisecond // pictures that are longer on their way are too large for the link
	comfortable = 450 * time.Millisecond // those of a larger size must come this soon
	tooOld      = 1500 * time.Millisecond
	promptly    = 150 * time.Millisecond // paints a phone that is not busy
	badMost     = 3
	goodLeast   = 3 * time.Second
	goodMost    = time.Minute
	stillsEvery = 3 * time.Second
	saveEvery   = 2 * time.Second
)

// guess is how long a picture of a size is, in bytes, before one was seen.
var guess = [sizes]float64{100_000, 20_000, 6_000}

// Size is which pictures the viewer gets now. The first is small: it is there at once on any link, and tells what the link carries.
func (l *Ladder) Size() Size {
	if !l.begun {
		return Small
	}
	return max(l.size, l.largest())
}

// Wait is how long the next picture has to wait, when unpainted were sent before; may is false when it has to wait for one of those. A second one
// may follow the first only where the way is longer than the picture, and to a viewer that is known to paint quickly: else it just grows old.
func (l *Ladder) Wait(unpainted int, f *Flow, now time.Time) (wait time.Duration, may bool) {
	if unpainted > 1 || unpainted == 1 && (!l.begun || l.lag > promptly || l.takes(l.size, f) >= f.Base()*3/2) {
		return 0, false
	}
	every := time.Duration(0)
	switch {
	case l.Size() == Stills:
		every = stillsEvery
	case l.Save:
		every = saveEvery
	}
	return max(every-now.Sub(l.startAt), 0), true
}

// Began notes that a picture is being sent.
func (l *Ladder) Began(now time.Time) { l.startAt = now }

// Saw notes that a picture of this size is n bytes long, whether the viewer is sent it or not.
func (l *Ladder) Saw(size Size, n int) {
	if b := &l.bytes[size]; *b == 0 {
		*b = float64(n)
	} else {
		*b += (float64(n) - *b) / 4
	}
}

// Painted notes how old a picture was when it came on the screen, and how long after it had arrived that was; and decides about the size.
func (l *Ladder) Painted(age, lag time.Duration, f *Flow, now time.Time) {
	l.lag += (min(lag, young) - l.lag) / 4 // a hidden page is not slow for ever
	if !l.begun {
		l.begun, l.size = true, l.best(f)
		return
	}
	l.size = l.Size() // since the viewer may have asked to save data meanwhile
	takes := l.takes(l.size, f)
	if takes > young || age > tooOld {
		l.bad++
	} else {
		l.bad = 0
	}
	l.goodFor = max(l.goodFor, goodLeast)
	if l.bad >= badMost || takes > 2*young {
		if now.Sub(l.upAt) < 2*goodLeast {
			l.goodFor = min(2*l.goodFor, goodMost)
		}
		l.bad, l.goodAt = 0, time.Time{}
		l.size = max(l.best(f), min(l.size+1, Stills))
		return
	}
	if now.Sub(l.upAt) > 4*goodLeast && l.size == l.largest() {
		l.goodFor = goodLeast
	}
	switch {
	case l.size == l.largest() || f.Sure(now) && l.takes(l.size-1, f) > comfortable:
		l.goodAt = time.Time{}
	case l.goodAt.IsZero():
		l.goodAt = now
	case now.Sub(l.goodAt) >= l.goodFor:
		l.size, l.goodAt, l.upAt = l.size-1, time.Time{}, now
	}
}

// best is the largest size that is young in time.
func (l *Ladder) best(f *Flow) Size {
	for size := l.largest(); size < Stills; size++ {
		if l.takes(size, f) <= young {
			return size
		}
	}
	return Stills
}

func (l *Ladder) largest() Size {
	if l.Save {
		return Small
	}
	return Full
}

// takes is how long a picture of this size is on its way.
func (l *Ladder) takes(size Size, f *Flow) time.Duration {
	n := l.bytes[size]
	if n == 0 {
		n = guess[size]
	}
	if f.Rate() <= 0 {
		return 0
	}
	return time.Duration(min(n/f.Rate(), 3600)*float64(time.Second)) + f.Base()/2
}

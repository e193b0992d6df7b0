package access

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// Wrong passwords are counted by address and by account, and each makes the next try wait, twice as long as the one before. Somebody who guesses at an
// account therefore also holds up its owner at an address where he has never been; where he has logged in before, and in his own session, only what was
// wrong there counts, so that nobody can lock him out.
const (
	firstDelay  = time.Second
	longest     = 5 * time.Minute
	forgetAfter = time.Hour // without another wrong try, what was wrong is forgotten
	maxTries    = 1024      // remembered at a time
	maxPairs    = 256       // of place and account that have been right
)

// inSession is the place of who is in already, and shows it again.
func inSession(id string) (place string) { return sessionPlace + id }

const sessionPlace = "session "

// Wait is the error of who has to wait, with how long. It is an ErrTooMany.
type Wait struct{ For time.Duration }

func (w *Wait) Error() string        { return fmt.Sprintf("too many wrong tries, wait %v", w.For) }
func (w *Wait) Is(target error) bool { return target == ErrTooMany }

type delays struct {
	mu    sync.Mutex // guards the two maps
	tries map[string]*attempt
	right map[[2]string]struct{} // place and account
}

// attempt is what was wrong at a place, or with an account.
type attempt struct {
	wrong int
	until time.Time // the next one may be made
}

func newDelays() *delays {
	return &delays{tries: make(map[string]*attempt), right: make(map[[2]string]struct{})}
}

// counts are the keys of tries under which a try at account from place counts. The lock is held.
func (d *delays) counts(place, account string) []string {
	if _, known := d.right[[2]string{place, account}]; known || strings.HasPrefix(place, sessionPlace) {
		return []string{"at " + place + " as " + account}
	}
	return []string{"at " + place, "as " + account}
}

// check is a *Wait when it is too early for another try.
func (d *delays) check(place, account string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var wait time.Duration
	for _, key := range d.counts(place, account) {
		if t := d.tries[key]; t != nil {
			wait = max(wait, time.Until(t.until))
		}
	}
	if wait > 0 {
		return &Wait{For: wait}
	}
	return nil
}

// add counts a wrong try.
func (d *delays) add(place, account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	for _, key := range d.counts(place, account) {
		t := d.tries[key]
		if t == nil || now.Sub(t.until) > forgetAfter {
			d.makeRoom(now)
			t = &attempt{}
			d.tries[key] = t
		}
		t.wrong++
		t.until = now.Add(min(firstDelay<<min(t.wrong-1, 20), longest))
	}
}

// succeed forgets what was wrong, and knows the place from now on.
func (d *delays) succeed(place, account string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, key := range d.counts(place, account) {
		delete(d.tries, key)
	}
	pair := [2]string{place, account}
	if _, known := d.right[pair]; known || strings.HasPrefix(place, sessionPlace) {
		return
	}
	for old := range d.right { // any: what is forgotten costs its owner a few minutes at most, when somebody guesses
		if len(d.right) < maxPairs {
			break
		}
		delete(d.right, old)
	}
	d.right[pair] = struct{}{}
}

// makeRoom forgets what is old and, when all places are taken, what has to wait no longer than any other. The lock is held.
func (d *delays) makeRoom(now time.Time) {
	if len(d.tries) < maxTries {
		return
	}
	var next string
	var until time.Time
	for key, t := range d.tries {
		if now.Sub(t.until) > forgetAfter {
			delete(d.tries, key)
		} else if until.IsZero() || t.until.Before(until) {
			next, until = key, t.until
		}
	}
	if len(d.tries) >= maxTries {
		delete(d.tries, next)
	}
}

package access

import (
	"sync"
	"time"
)

// Wrong keys are counted by address. A key has 256 random bits and cannot be guessed, so this is not what keeps people out; it
// keeps a program that tries from costing more than a look into a table, and shows it that it is seen.
//
// A key that was right once is looked up even while its address has to wait: behind a proxy, or on a phone with an old key in
// another tab, everybody shares an address, and nobody may lose the stop button to somebody else's mistake.
const (
	maxFailures = 20          // wrong keys within window, after which an address waits
	window      = time.Minute // from its first wrong key
	penalty     = time.Minute // that it waits
	maxSources  = 1024        // addresses remembered at a time
	maxRight    = 256         // right keys remembered at a time
)

type failures struct {
	mu      sync.Mutex // guards the two maps
	sources map[string]*record
	seen    map[hash]struct{} // keys that have been right
}

// record is what one address has done.
type record struct {
	wrong int
	until time.Time // end of the window, or of the penalty when wrong has reached maxFailures
}

func newFailures() *failures {
	return &failures{sources: make(map[string]*record), seen: make(map[hash]struct{})}
}

// mayTry reports whether a key from this address is worth looking up.
func (f *failures) mayTry(from string, key hash) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.sources[from]
	if r == nil || r.wrong < maxFailures || !time.Now().Before(r.until) {
		return true
	}
	_, known := f.seen[key]
	return known
}

// right notes that a key is valid.
func (f *failures) right(key hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.seen[key]; known {
		return
	}
	for old := range f.seen { // any: what is forgotten costs its owner a minute at most
		if len(f.seen) < maxRight {
			break
		}
		delete(f.seen, old)
	}
	f.seen[key] = struct{}{}
}

// add counts a wrong key.
func (f *failures) add(from string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	r := f.sources[from]
	if r != nil && !now.Before(r.until) {
		delete(f.sources, from)
		r = nil
	}
	if r == nil {
		f.makeRoom(now)
		r = &record{until: now.Add(window)}
		f.sources[from] = r
	}
	r.wrong++
	if r.wrong == maxFailures {
		r.until = now.Add(penalty)
	}
}

// makeRoom forgets addresses whose time is over and, when all places are taken, the one whose time is over next.
func (f *failures) makeRoom(now time.Time) {
	if len(f.sources) < maxSources {
		return
	}
	var next string
	var until time.Time
	for from, r := range f.sources {
		if !now.Before(r.until) {
			delete(f.sources, from)
		} else if until.IsZero() || r.until.Before(until) {
			next, until = from, r.until
		}
	}
	if len(f.sources) >= maxSources {
		delete(f.sources, next)
	}
}

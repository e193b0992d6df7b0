package main

import "sync"

// kept is what the lens makes of renderings in moments that come again, print after print: noise and exposure are other ones each time, this is not. Only what is asked for a second
// time is kept, for most dice fall only once.
type kept struct {
	mu sync.Mutex
	of map[keptKey]*seenAs // nil = asked for once
}

// keptKey is all by which what the lens makes of a rendering differs.
type keptKey struct {
	r      *rendering
	lamps  [3]float64
	nudge  [4]float64
	shadow float64
	person float64
	shaken float64
}

func (k *kept) get(r *rendering, m *moment, do func() *seenAs) *seenAs {
	if k == nil {
		return do()
	}
	key := keptKey{r, m.lamps, m.nudge, m.shadow, m.person, m.shaken}
	k.mu.Lock()
	s, again := k.of[key]
	k.mu.Unlock()
	if s != nil {
		return s
	}
	s = do()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = map[keptKey]*seenAs{}
	}
	if k.of[key] = nil; again {
		k.of[key] = s
	}
	return s
}

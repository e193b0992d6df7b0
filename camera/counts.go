package camera

import "sync/atomic"

// counts are kept since a camera was set up. Its goroutine writes, any may read.
type counts struct{ frames, late, damaged, opened atomic.Int64 }

// Counts say how a camera has done since it was set up.
type Counts struct {
	ID      int
	Name    string // for people; a stranger's text
	Frames  int64  // published
	Late    int64  // too old when they came, or twice the same
	Damaged int64
	Opened  int64 // times its device was opened
}

// Counts are those of all cameras, in the order in which they are shown.
func (r *Rig) Counts() (all []Counts) {
	list, _ := r.list.Get()
	for _, c := range list {
		s, _ := c.status.Get()
		n := &c.counts
		all = append(all, Counts{ID: s.ID, Name: s.Name, Frames: n.frames.Load(), Late: n.late.Load(), Damaged: n.damaged.Load(), Opened: n.opened.Load()})
	}
	return all
}

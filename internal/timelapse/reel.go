package timelapse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// reel is the frames of one recording. One goroutine appends; any may read.
type reel struct {
	dir *os.Root
	id  string // its folder

	mu     sync.Mutex // guards what follows
	places []place    // in order; the part that was handed out is not changed any more
	bytes  int64

	// What follows belongs to whom appends.
	open  [files]*os.File
	ends  [files]int64 // how long each is with whole frames
	dirty [files]bool
	newly bool // a file has been made since the last sync
	next  int  // number of the next frame that is due
	thin  int  // so many files were dropped: only numbers that 2^thin divides are kept
}

// readReel finds the frames of a recording that has ended.
func readReel(dir *os.Root, id string) (*reel, error) {
	places, err := walk(dir, id, false)
	if err != nil {
		return nil, err
	}
	return reelOf(dir, id, places), nil
}

func reelOf(dir *os.Root, id string, places []place) *reel {
	r := &reel{dir: dir, id: id, places: places, thin: files - 1}
	for _, p := range places {
		r.bytes += headBytes + int64(p.length)
		if p.n > 0 {
			r.thin = min(r.thin, p.file)
		}
	}
	return r
}

// step is how far apart the numbers of frames are.
func (r *reel) step() int { return 1 << r.thin }

// passes counts a frame that is due, and reports whether it is one of those that are dropped: what is kept stays evenly apart.
func (r *reel) passes() bool {
	if r.next%r.step() == 0 {
		return false
	}
	r.next++
	return true
}

// add appends a frame that was taken now. An error leaves the reel as it was.
func (r *reel) add(p picture) error {
	if len(p.jpeg) == 0 || len(p.jpeg) > maxPicture {
		return fmt.Errorf("keep a picture of %d bytes: %w", len(p.jpeg), errTorn)
	}
	p.n = (r.next + r.step() - 1) &^ (r.step() - 1)
	file := fileOf(p.n)
	f := r.open[file]
	if f == nil {
		var err error
		if f, err = r.dir.OpenFile(framesName(r.id, file), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			return err
		}
		r.open[file], r.newly = f, true
	}
	b, at := recordOf(p), r.ends[file]
	if _, err := f.WriteAt(b, at); err != nil {
		f.Truncate(at) // half of it may be there; where that fails too, the next frame goes over it
		return err
	}
	r.ends[file] += int64(len(b))
	r.dirty[file] = true
	r.next = p.n + 1
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places = append(r.places, place{n: p.n, file: file, offset: at, length: len(p.jpeg), atMS: p.atMS, layer: p.layer,
		width: p.width, height: p.height, turn: p.turn})
	r.bytes += int64(len(b))
	return nil
}

// halve drops every second frame; false when there is nothing left to drop.
func (r *reel) halve() (bool, error) {
	if r.thin == files-1 {
		return false, nil
	}
	gone := r.thin
	if err := r.dir.Remove(framesName(r.id, gone)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if f := r.open[gone]; f != nil {
		f.Close()
		r.open[gone], r.dirty[gone] = nil, false
	}
	r.thin++
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := make([]place, 0, len(r.places)/2+1) // a new one: readers hold the old
	for _, p := range r.places {
		if p.file != gone {
			kept = append(kept, p)
		} else {
			r.bytes -= headBytes + int64(p.length)
		}
	}
	r.places = kept
	return true, nil
}

// sync brings what was appended to the disk.
func (r *reel) sync() error {
	for file, dirty := range r.dirty {
		if !dirty {
			continue
		}
		if err := r.open[file].Sync(); err != nil {
			return err
		}
		r.dirty[file] = false
	}
	if r.newly {
		if err := syncFolder(r.dir, r.id); err != nil {
			return err
		}
		r.newly = false
	}
	return nil
}

// close ends the appending.
func (r *reel) close() error {
	err := r.sync()
	for _, f := range r.open {
		if f != nil {
			f.Close()
		}
	}
	clear(r.open[:])
	return err
}

// all is where the frames are at this moment, in order. It is not to be changed.
func (r *reel) all() ([]place, int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clip(r.places), r.bytes
}

// read reads one frame.
func (r *reel) read(at place) (picture, error) {
	f, err := r.dir.Open(framesName(r.id, at.file))
	if err != nil {
		return picture{}, fmt.Errorf("read frame %d: %w", at.n, err)
	}
	defer f.Close()
	return readPicture(f, at)
}

// nearest is the frame numbered n, or the one before it; the first when there is none before. False when there are no frames.
func nearest(places []place, n int) (place, bool) {
	if len(places) == 0 {
		return place{}, false
	}
	i, found := slices.BinarySearchFunc(places, n, func(p place, n int) int { return p.n - n })
	if !found && i > 0 {
		i--
	}
	return places[i], true
}

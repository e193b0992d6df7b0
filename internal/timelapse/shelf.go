package timelapse

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// Each recording has a folder of its own:
//
//	about.json   what it is of; replaced whole, synced
//	0.frames …   the frames; gone when room was needed and there is a video
//	poster.jpg   one of them, written when the print has ended
//	video.mp4    when it is rendered
//
// A name that ends in .new is on its way, a folder that ends in .gone is being deleted: both go at the next start.

const (
	aboutName  = "about.json"
	posterName = "poster.jpg"
	videoName  = "video.mp4"
	coming     = ".new"
	going      = ".gone"
	maxAbout   = 64 << 10
)

// about is what a recording knows of itself.
type about struct {
	ID        string `json:"id"`
	JobID     string `json:"job_id"`
	Name      string `json:"name"`
	StartedMS int64  `json:"started_ms"`
	EndedMS   int64  `json:"ended_ms"` // 0 = it was still being recorded
	Mode      Mode   `json:"mode"`
	FPS       int    `json:"fps"`
	Outcome   string `json:"outcome"`
	Missed    int    `json:"missed"`
	Frames    int    `json:"frames"` // this and the next three are counted at the end
	LastN     int    `json:"last_n"`
	Step      int    `json:"step"`
	Bytes     int64  `json:"bytes"`
	Tries     int    `json:"tries"`  // renderings that began and have not come to an end
	Failed    string `json:"failed"` // why there is no video
}

// recording is one timelapse on the shelf.
type recording struct {
	about
	video  int64 // bytes of the video, 0 = there is none
	poster int64
}

func (c *recording) bytes() int64 { return c.about.Bytes + c.video + c.poster }

func newID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(dir *os.Root, name string) error {
	f, err := dir.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// write replaces a file of a recording as a whole; a power cut leaves the old one or, from when it returns, the new one.
func (r *Recorder) write(name string, data []byte) error {
	f, err := r.dir.OpenFile(name+coming, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = r.dir.Rename(name+coming, name)
	}
	if err != nil {
		r.dir.Remove(name + coming)
		return err
	}
	return syncFolder(r.dir, path.Dir(name))
}

func (r *Recorder) keepAbout(a about) error {
	data, err := json.Marshal(a)
	if err == nil {
		err = r.write(a.ID+"/"+aboutName, data)
	}
	if err != nil {
		return fmt.Errorf("write what timelapse %s is of: %w", a.ID, err)
	}
	return nil
}

// size is the length of a file, 0 when there is none.
func (r *Recorder) size(name string) int64 {
	info, err := r.dir.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// find reads the whole folder, oldest first. What cannot be understood is left alone and told.
func (r *Recorder) find() ([]*recording, error) {
	top, err := r.dir.Open(".")
	if err != nil {
		return nil, err
	}
	defer top.Close()
	entries, err := top.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	var shelf []*recording
	for _, e := range entries {
		var c *recording
		var err error
		if strings.HasSuffix(e.Name(), going) {
			err = r.dir.RemoveAll(e.Name())
		} else if e.IsDir() {
			c, err = r.findOne(e.Name())
		}
		if c != nil {
			shelf = append(shelf, c)
		}
		if err != nil {
			r.log.Error("a timelapse cannot be read", "folder", e.Name(), "err", err)
		}
	}
	slices.SortFunc(shelf, func(a, b *recording) int { return cmp.Compare(a.StartedMS, b.StartedMS) }) // a difference may not fit into an int
	return shelf, nil
}

// findOne reads one recording; nil when there is nothing in its folder.
func (r *Recorder) findOne(id string) (*recording, error) {
	c := &recording{}
	for _, name := range []string{aboutName, posterName, videoName} {
		r.dir.Remove(id + "/" + name + coming)
	}
	data, err := r.readFile(id+"/"+aboutName, maxAbout)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, r.dir.Remove(id) // killed before its first frame; a folder that is not empty stays
	}
	if err == nil {
		err = json.Unmarshal(data, &c.about)
	}
	if err == nil && c.ID != id {
		err = fmt.Errorf("it calls itself %q", c.ID)
	}
	if err != nil {
		return nil, err
	}
	if c.tidy(); c.EndedMS == 0 {
		if err := r.rescue(c); err != nil {
			return nil, err
		}
	}
	if c.EndedMS == 0 {
		return nil, r.remove(id) // not one frame
	}
	c.video, c.poster = r.size(id+"/"+videoName), r.size(id+"/"+posterName)
	if c.Frames == 0 && c.video == 0 {
		return nil, r.remove(id)
	}
	if c.Frames == 0 { // dropped, and killed in the middle of that
		return c, r.dropFrames(c)
	}
	return c, nil
}

// tidy makes of what a file said what can be. Where its counts cannot, it has not ended: then they are counted again.
func (a *about) tidy() {
	a.FPS, a.Missed, a.Tries = min(max(a.FPS, 1), 60), max(a.Missed, 0), max(a.Tries, 0)
	if a.EndedMS < 0 || a.Frames < 0 || a.LastN < 0 || a.Step < 1 || a.Bytes < 0 {
		a.EndedMS = 0
	}
}

// rescue ends a recording whose daemon was killed: what is whole is kept.
func (r *Recorder) rescue(c *recording) error {
	places, err := walk(r.dir, c.ID, true)
	if err != nil || len(places) == 0 {
		return err
	}
	if err := r.finish(c, reelOf(r.dir, c.ID, places), "interrupted", places[len(places)-1].atMS); err != nil {
		r.log.Error("the end of a timelapse cannot be written", "id", c.ID, "err", err) // it is found again by the next start
	}
	return nil
}

// finish writes the end of a recording; that before its poster, since the disk may be full.
func (r *Recorder) finish(c *recording, film *reel, outcome string, endedMS int64) error {
	places, bytes := film.all()
	c.Outcome, c.EndedMS, c.Frames, c.Bytes, c.Step = outcome, max(endedMS, 1), len(places), bytes, film.step()
	c.LastN = places[len(places)-1].n
	kept := r.keepAbout(c.about)
	if p, err := film.read(places[len(places)*2/3]); err != nil { // by then there is something to see, and the head is not parked yet
		r.log.Error("a timelapse has no poster", "id", c.ID, "err", err)
	} else if err := r.write(c.ID+"/"+posterName, p.jpeg); err != nil {
		r.log.Error("a timelapse has no poster", "id", c.ID, "err", err)
	} else {
		c.poster = int64(len(p.jpeg))
	}
	return kept
}

// remove deletes a recording's folder. With the new name it is gone; what the disk refuses to remove of it goes at the next start.
func (r *Recorder) remove(id string) error {
	err := r.dir.Rename(id, id+going)
	if err == nil {
		err = syncFolder(r.dir, ".")
	}
	if err != nil {
		return fmt.Errorf("delete timelapse %s: %w", id, err)
	}
	if err := r.dir.RemoveAll(id + going); err != nil {
		r.log.Error("a deleted timelapse still takes room", "id", id, "err", err)
	}
	return nil
}

// dropFrames makes room by leaving of a recording no more than its video and its poster.
func (r *Recorder) dropFrames(c *recording) error {
	a := c.about
	a.Frames, a.LastN, a.Bytes = 0, 0, 0
	if err := r.keepAbout(a); err != nil {
		return err
	}
	c.about = a
	for file := range files {
		if err := r.dir.Remove(framesName(c.ID, file)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tooMuch picks what is to go when more than limit bytes are kept: the frames of the oldest that has a video, and when there is none with both,
// the oldest as a whole. busy is left alone.
func tooMuch(shelf []*recording, total, limit int64, busy func(id string) bool) (c *recording, whole bool) {
	if total <= limit {
		return nil, false
	}
	for _, c := range shelf {
		if c.video > 0 && c.Frames > 0 && !busy(c.ID) {
			return c, false
		}
	}
	for _, c := range shelf {
		if !busy(c.ID) {
			return c, true
		}
	}
	return nil, false
}

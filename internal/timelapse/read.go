package timelapse

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// Frame is one frame of a timelapse.
type Frame struct {
	N     int // its number
	Time  time.Time
	Layer int // 0 unknown
	JPEG  []byte
}

// Film is a video that can be read from any place. Close it.
type Film struct {
	io.ReadSeeker
	io.Closer
	Type    string // for HTTP
	Suffix  string // of a file's name
	Changed time.Time
}

// Frame reads the frame numbered n, or the nearest before it; of the print under way too. It reads the disk. ErrNotFound, ErrNoFrames.
func (r *Recorder) Frame(id string, n int) (Frame, error) {
	film, err := r.reel(id)
	if err != nil {
		return Frame{}, err
	}
	places, _ := film.all()
	at, ok := nearest(places, n)
	if !ok {
		return Frame{}, ErrNoFrames
	}
	p, err := film.read(at)
	if errors.Is(err, fs.ErrNotExist) { // dropped or deleted just now
		return Frame{}, ErrNoFrames
	}
	return Frame{N: p.n, Time: time.UnixMilli(p.atMS), Layer: p.layer, JPEG: p.jpeg}, err
}

// Poster is a picture that shows what a timelapse is of: the newest frame while it is recorded. ErrNotFound, ErrNoFrames.
func (r *Recorder) Poster(id string) ([]byte, error) {
	it, ok := r.item(id)
	if !ok {
		return nil, ErrNotFound
	}
	if it.EndedMS > 0 {
		if data, err := r.readFile(id+"/"+posterName, maxPicture); err == nil {
			return data, nil
		}
	}
	f, err := r.Frame(id, it.LastN)
	return f.JPEG, err
}

// Open opens the video for reading: the rendered one, else the frames as an AVI file, which phones cannot play. ErrNotFound, ErrRunning, ErrNoVideo.
func (r *Recorder) Open(id string) (*Film, error) {
	it, ok := r.item(id)
	switch {
	case !ok:
		return nil, ErrNotFound
	case it.EndedMS == 0:
		return nil, ErrRunning
	}
	r.index.note(id)
	f, err := r.dir.Open(id + "/" + videoName)
	if err == nil {
		film := &Film{f, f, "video/mp4", ".mp4", time.UnixMilli(it.EndedMS)}
		if info, err := f.Stat(); err == nil {
			film.Changed = info.ModTime() // it may have been rendered again
		}
		return film, nil
	}
	film, err := r.reel(id)
	if err != nil {
		return nil, err
	}
	places, _ := film.all()
	if len(places) == 0 {
		return nil, ErrNoVideo
	}
	open := &openFiles{reel: film}
	avi := aviOf(places, it.FPS, open.at)
	return &Film{io.NewSectionReader(avi, 0, avi.size()), open, "video/x-msvideo", ".avi", time.UnixMilli(it.EndedMS)}, nil
}

func (r *Recorder) item(id string) (Item, bool) {
	l, _ := r.list.Get()
	return l.Item(id)
}

// openFiles keeps a recording's files open while its frames are read one after the other.
type openFiles struct {
	reel *reel
	open [files]*os.File
}

func (o *openFiles) at(p place) (io.ReaderAt, error) {
	if o.open[p.file] == nil {
		f, err := o.reel.dir.Open(framesName(o.reel.id, p.file))
		if err != nil {
			return nil, err
		}
		o.open[p.file] = f
	}
	return o.open[p.file], nil
}

// Close closes them.
func (o *openFiles) Close() error {
	for _, f := range o.open {
		if f != nil {
			f.Close()
		}
	}
	return nil
}

// index remembers where the frames lie of the recording under way, and of the one that was read last.
type index struct {
	mu   sync.Mutex // guards what follows
	live *reel
	last *reel
	read map[string]time.Time // when somebody last read of a recording
}

const playedFor = 2 * time.Minute // phones fetch ahead, and people stop a film to look

// note says that a recording is read now.
func (x *index) note(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.read == nil {
		x.read = make(map[string]time.Time)
	}
	x.read[id] = time.Now()
}

// played reports whether somebody may be looking at a recording.
func (x *index) played(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, ok := x.read[id]
	return ok && time.Since(at) < playedFor
}

func (x *index) begin(film *reel) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.live = film
}

// end forgets what was known of a recording: it has ended, or its frames are gone.
func (x *index) end(id string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.read, id)
	if x.live != nil && x.live.id == id {
		x.live = nil
	}
	if x.last != nil && x.last.id == id {
		x.last = nil
	}
}

func (x *index) known(id string) *reel {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, film := range []*reel{x.live, x.last} {
		if film != nil && film.id == id {
			return film
		}
	}
	return nil
}

// reel finds the frames of a recording that is listed; so no name from a client ever becomes a path.
func (r *Recorder) reel(id string) (*reel, error) {
	it, ok := r.item(id)
	if !ok {
		return nil, ErrNotFound
	}
	r.index.note(id)
	if film := r.index.known(id); film != nil {
		return film, nil
	}
	if it.Frames == 0 {
		return nil, ErrNoFrames
	}
	film, err := readReel(r.dir, id)
	if err != nil {
		return nil, err
	}
	r.index.mu.Lock()
	defer r.index.mu.Unlock()
	if it.EndedMS > 0 {
		r.index.last = film
	}
	return film, nil
}

package timelapse

import (
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// free asks the disk for the bytes that are left.
func (r *Recorder) free() (int64, error) {
	top, err := r.dir.Open(".")
	if err != nil {
		return 0, fmt.Errorf("free disk space: %w", err)
	}
	defer top.Close()
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(top.Fd()), &st); err != nil {
		return 0, fmt.Errorf("free disk space: %w", err)
	}
	return int64(st.Bavail) * int64(st.Bsize), nil // Bavail: what is left for others than root
}

// room is nil when bytes more can be written, and the disk keeps what it must.
func (r *Recorder) room(bytes int64) error {
	free, err := r.cfg.Free()
	if err == nil && free-bytes < r.cfg.MinFree {
		err = errTooLittle
	}
	return err
}

// readFile reads a file of at most so many bytes.
func (r *Recorder) readFile(name string, most int64) ([]byte, error) {
	f, err := r.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return data, err
}

// keepLimits deletes what is too much, oldest first; the recording under way is never deleted.
func (o *owner) keepLimits() {
	for {
		c, whole := tooMuch(o.shelf, o.total(), int64(o.settings.LimitMB)*megabyte, func(id string) bool { return o.inUse(id) || o.index.played(id) })
		if c == nil {
			return
		}
		var err error
		if whole {
			err = o.forget(c)
		} else {
			err = o.dropFrames(c)
			o.index.end(c.ID)
		}
		if err != nil { // tried again with the next frame
			if o.stuck != c.ID {
				o.log.Error("an old timelapse cannot make room", "id", c.ID, "err", err)
			}
			o.stuck = c.ID
			return
		}
		o.log.Info("an old timelapse made room", "id", c.ID, "whole", whole)
		o.changed()
	}
}

func (o *owner) inUse(id string) bool { return o.render != nil && o.render.id == id }

func (o *owner) total() (bytes int64) {
	for _, c := range o.shelf {
		bytes += c.bytes()
	}
	if o.take != nil && o.take.film != nil {
		_, now := o.take.film.all()
		bytes += now
	}
	return bytes
}

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

package guard

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"

	"layerd/camera/register"
)

// What the camera looks at is kept for those who want to give it away, so that such sequences can be learned from: a folder for each print, in it the frames of each look and what was seen.
//
//	DIR/JOB/0001.json      layer, pose, what was seen, the alarm's label once there is one
//	DIR/JOB/0001-0.jpg …   its frames
//
// It is done by the goroutine for what takes long, and what the disk refuses is left out. While little is free nothing is recorded: prints and their files go first.

var plainID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,64}$`)

// recordedLook is one look as it is kept.
type recordedLook struct {
	Job   string        `json:"job"`
	AtMS  int64         `json:"at_ms"`
	At    register.Pose `json:"at"`
	Look  register.Look `json:"look"`
	Alarm *Alarm        `json:"alarm"` // as it was then; what people said of one is in the history
}

// record keeps a look, if that is wished for.
func (o *owner) record(p *watched, l register.Look, s *stand) {
	if !o.settings.Record || o.cfg.Dir == "" || !plainID.MatchString(p.order.job) {
		return
	}
	p.recorded++
	r := recordedLook{Job: p.order.job, AtMS: s.frames[0].Time.UnixMilli(), At: s.at, Look: l}
	if p.alarm != nil {
		alarm := p.alarm.Alarm
		r.Alarm = &alarm
	}
	dir, n, limit := o.cfg.Dir, p.recorded, int64(o.settings.RecordMB)*1_000_000
	o.later(func() func(*owner) {
		unkept := ""
		if err := o.keepLook(dir, n, r, s); err != nil {
			o.log.Warn("what the camera looked at is not recorded", "err", err)
			unkept = forPeople(err)
		}
		if err := makeRoom(dir, limit); err != nil {
			o.log.Warn("old recordings cannot be deleted", "err", err)
		}
		return func(*owner) { p.unkept = unkept }
	})
}

// LeastFree is how many bytes must be free on the disk for something to be recorded.
const LeastFree = 500_000_000

// keepLook writes a look, if there is room for it. It reads nothing that changes.
func (o *owner) keepLook(dir string, n int, r recordedLook, s *stand) error {
	if o.cfg.Free != nil {
		switch free, err := o.cfg.Free(); {
		case err != nil:
			return fmt.Errorf("look how much is free on the disk: %w", err)
		case free < LeastFree:
			return fmt.Errorf("only %d MB are free on the disk, and %d MB are kept for prints", free/1_000_000, LeastFree/1_000_000)
		}
	}
	return writeLook(dir, n, r, s)
}

func writeLook(dir string, n int, r recordedLook, s *stand) error {
	folder := filepath.Join(dir, r.Job)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make a folder of recordings: %w", err)
	}
	for i, f := range s.frames {
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%04d-%d.jpg", n, i)), f.JPEG, 0o600); err != nil {
			return fmt.Errorf("record a picture: %w", err)
		}
	}
	text, err := json.Marshal(r)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, fmt.Sprintf("%04d.json", n)), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("record a look: %w", err)
	}
	return nil
}

// makeRoom deletes the oldest files until all take no more than limit bytes: ReadDir sorts, and the IDs of jobs sort by time.
func makeRoom(dir string, limit int64) error {
	type one struct {
		path  string
		bytes int64
	}
	var all []one
	total := int64(0)
	folders, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, folder := range folders {
		files, err := os.ReadDir(filepath.Join(dir, folder.Name()))
		if errors.Is(err, fs.ErrNotExist) { // somebody has deleted it
			continue
		}
		if err != nil {
			return err
		}
		for _, f := range files {
			if info, err := f.Info(); err == nil {
				all = append(all, one{filepath.Join(dir, folder.Name(), f.Name()), info.Size()})
				total += info.Size()
			}
		}
	}
	for _, f := range all {
		if total <= limit {
			break
		}
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		total -= f.bytes
		os.Remove(filepath.Dir(f.path)) // if it is empty now
	}
	return nil
}

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// What flows here: a scene's text ─▶ POV-Ray or Blender ─▶ a rendering, which is kept: its name is the hash of all that it depends on.

// renders makes renderings and keeps them. It is to be closed.
type renders struct {
	dir  string
	mu   sync.Mutex
	made int // this time
	idle []*studio
}

// The best that POV-Ray does for the smallest parts of a picture in about a second. Its gamma of 2 keeps the square root.
var quality = []string{"-D", "-GA", "+WT1", "+FN8", "File_Gamma=2.0", "+A0.2", "+AM1", "+R2"}

// keepBytes bounds what is kept.
const keepBytes = 1 << 30

func (r *renders) get(ctx context.Context, text string, w, h int) (*rendering, error) {
	size, how := []string{fmt.Sprintf("+W%d", w), fmt.Sprintf("+H%d", h)}, any(quality)
	forBlender := strings.HasPrefix(text, "{")
	if forBlender {
		how = blenderScript
	}
	sum := sha256.Sum256(fmt.Append(nil, text, how, size))
	name := filepath.Join(r.dir, fmt.Sprintf("%x.png", sum))
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		if forBlender {
			err = r.blend(ctx, text, name, w, h, binary.BigEndian.Uint32(sum[:])>>1)
		} else {
			err = r.make(ctx, text, name, size)
		}
		if err == nil {
			f, err = os.Open(name)
		}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readRendering(f)
}

func (r *renders) make(ctx context.Context, text, name string, size []string) error {
	dir, err := os.MkdirTemp(r.dir, "render")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "scene.pov"), []byte(text), 0o600); err != nil {
		return err
	}
	c := exec.CommandContext(ctx, "povray", slices.Concat([]string{"+Iscene.pov", "+Oscene.png"}, size, quality)...)
	c.Dir = dir
	if said, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("run povray: %w: %s", err, said[max(len(said)-600, 0):])
	}
	return r.keep(filepath.Join(dir, "scene.png"), name)
}

// blend has an idle Blender draw, or another one.
func (r *renders) blend(ctx context.Context, text, name string, w, h int, seed uint32) (err error) {
	var s *studio
	r.mu.Lock()
	if n := len(r.idle); n > 0 {
		s, r.idle = r.idle[n-1], r.idle[:n-1]
	}
	r.mu.Unlock()
	if s == nil {
		if s, err = newStudio(ctx, r.dir); err != nil {
			return err
		}
	}
	drawn, err := s.draw(text, w, h, seed)
	if err != nil {
		return errors.Join(err, s.close())
	}
	err = r.keep(drawn, name)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.idle = append(r.idle, s)
	return err
}

func (r *renders) keep(made, name string) error {
	r.mu.Lock()
	r.made++
	r.mu.Unlock()
	return os.Rename(made, name)
}

// close ends the Blenders.
func (r *renders) close() (err error) {
	for _, s := range r.idle {
		err = errors.Join(err, s.close())
	}
	return err
}

// prune removes the oldest renderings when there are too many.
func (r *renders) prune() error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	var files []os.FileInfo
	total := int64(0)
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			files, total = append(files, info), total+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b os.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	for _, f := range files {
		if total <= keepBytes {
			break
		}
		if err := os.Remove(filepath.Join(r.dir, f.Name())); err != nil {
			return err
		}
		total -= f.Size()
	}
	return nil
}

// both calls do for 0 to n-1, as many at a time as there are processors, and returns the first error.
func both(n, atOnce int, do func(i int) error) error {
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	errs := make([]error, n)
	var all sync.WaitGroup
	for range atOnce {
		all.Go(func() {
			for i := range next {
				if errs[i] = do(i); errs[i] != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
)

// What flows here: a scene's text ─▶ POV-Ray ─▶ a rendering, which is kept: its name is the hash of all that it depends on.

// renders makes renderings and keeps them.
type renders struct {
	dir  string
	made int // this time
	mu   sync.Mutex
}

// The best that POV-Ray does for the smallest parts of a picture in about a second. Its gamma of 2 keeps the square root.
var quality = []string{"-D", "-GA", "+WT1", "+FN8", "File_Gamma=2.0", "+A0.2", "+AM1", "+R2"}

// keepBytes bounds what is kept.
const keepBytes = 1 << 30

func (r *renders) get(ctx context.Context, text string, w, h int) (*rendering, error) {
	size := []string{fmt.Sprintf("+W%d", w), fmt.Sprintf("+H%d", h)}
	name := filepath.Join(r.dir, fmt.Sprintf("%x.png", sha256.Sum256(fmt.Append(nil, text, quality, size))))
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		if err = r.make(ctx, text, name, size); err == nil {
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
	r.mu.Lock()
	r.made++
	r.mu.Unlock()
	return os.Rename(filepath.Join(dir, "scene.png"), name)
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

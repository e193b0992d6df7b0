package server

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"layerd/internal/latest"
	"layerd/internal/timelapse"
)

// fakeTimelapses are two recordings: "running" under way, and "ready" with a video.
type fakeTimelapses struct {
	list *latest.Value[*timelapse.List]

	mu     sync.Mutex // guards what follows
	chosen map[string]timelapse.Choice
	done   []string // what was deleted and rendered
}

func newFakeTimelapses() *fakeTimelapses {
	return &fakeTimelapses{chosen: map[string]timelapse.Choice{}, list: latest.New(&timelapse.List{
		Settings: timelapse.UsualSettings(), Rev: 3, Bytes: 5_300_000, LimitBytes: 2000 << 20, Recording: "running", Problem: "The camera gave no picture when one was due.",
		Items: []timelapse.Item{
			{ID: "running", JobID: "r2", Name: "cube.gcode", StartedMS: 1795788000000, Mode: timelapse.ByLayer, FPS: 25, Frames: 12, LastN: 22, Step: 2, Missed: 1, Bytes: 480_000,
				Video: timelapse.Video{State: timelapse.VideoRecording}},
			{ID: "ready", JobID: "r1", Name: "lamp \"red\".gcode", StartedMS: 1795780000000, EndedMS: 1795787000000, Mode: timelapse.ByTime, FPS: 25, Outcome: "done", Frames: 100, LastN: 99, Step: 1, Bytes: 4_820_000,
				Video: timelapse.Video{State: timelapse.VideoReady, Bytes: 820_000}},
		}})}
}

func (f *fakeTimelapses) List() *latest.Value[*timelapse.List] { return f.list }

func (f *fakeTimelapses) Set(_ context.Context, s timelapse.Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	now, _ := f.list.Get()
	next := *now
	next.Settings, next.Rev = s, now.Rev+1
	f.list.Set(&next)
	return nil
}

func (f *fakeTimelapses) Choose(_ context.Context, job string, c timelapse.Choice) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.chosen[job] = c
	return c.Validate()
}

func (f *fakeTimelapses) find(id string) (timelapse.Item, error) {
	list, _ := f.list.Get()
	it, ok := list.Item(id)
	if !ok {
		return it, timelapse.ErrNotFound
	}
	return it, nil
}

func (f *fakeTimelapses) ended(id, what string) error {
	it, err := f.find(id)
	if err == nil && it.EndedMS == 0 {
		err = timelapse.ErrRunning
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.done = append(f.done, what+" "+id)
	}
	return err
}

func (f *fakeTimelapses) Delete(_ context.Context, id string) error { return f.ended(id, "delete") }
func (f *fakeTimelapses) Render(_ context.Context, id string) error { return f.ended(id, "render") }

func (f *fakeTimelapses) Frame(id string, n int) (timelapse.Frame, error) {
	it, err := f.find(id)
	if err != nil {
		return timelapse.Frame{}, err
	}
	n = min(n, it.LastN) / it.Step * it.Step
	return timelapse.Frame{N: n, Time: time.UnixMilli(it.StartedMS + int64(n)), Layer: n / 2, JPEG: bytes.Repeat([]byte{byte(n)}, 1000)}, nil
}

func (f *fakeTimelapses) Poster(id string) ([]byte, error) {
	_, err := f.find(id)
	return []byte("poster of " + id), err
}

func (f *fakeTimelapses) Open(id string) (*timelapse.Film, error) {
	it, err := f.find(id)
	if err == nil && it.EndedMS == 0 {
		err = timelapse.ErrRunning
	}
	if err != nil {
		return nil, err
	}
	return &timelapse.Film{ReadSeeker: bytes.NewReader(bytes.Repeat([]byte("film"), 1000)), Closer: io.NopCloser(nil), Type: "video/mp4", Suffix: ".mp4", Changed: time.UnixMilli(it.EndedMS)}, nil
}

package timelapse

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/internal/latest"
	"layerd/printer"
)

// machine is a printer that says what the test sets.
type machine struct {
	snaps *printer.Snapshots
	taken *atomic.Int64 // number of the last shot whose picture was taken
}

func (m machine) Snapshots() *printer.Snapshots { return m.snaps }

func (m machine) ShotTaken(_ context.Context, _ string, n int) (uint64, error) {
	m.taken.Store(int64(n))
	return 0, nil
}

func newMachine() machine {
	return machine{latest.New(&printer.Snapshot{State: printer.Idle}), new(atomic.Int64)}
}

// lens is a camera that shows what the test sets, and counts who looks.
type lens struct {
	frames  *latest.Value[*camera.Frame]
	lookers atomic.Int32
}

func (l *lens) Frames() *latest.Value[*camera.Frame] { return l.frames }
func (l *lens) Look() func() {
	l.lookers.Add(1)
	return func() { l.lookers.Add(-1) }
}

// corners is a picture whose four quarters are red, green (above), blue and white (below), with some text's worth of bytes; n makes it differ.
func corners(t testing.TB, w, h, n int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{230, 20, 20, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.RGBA{20, 230, 20, 255}
			case x < w/2 && y >= h/2:
				c = color.RGBA{20, 20, 230, 255}
			case y >= h/2:
				c = color.RGBA{240, 240, 240, 255}
			}
			if (x/8+y/8+n)%7 == 0 {
				c.R -= 15
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: 85}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rig is a Recorder in fake time, with all that it needs.
type rig struct {
	*Recorder
	t       *testing.T
	dir     string
	machine machine
	lens    *lens
	there   atomic.Bool // the camera
	space   atomic.Int64
	jpeg    []byte
	seq     uint32
	cfg     Config
	end     context.CancelFunc
	ended   chan error
}

type counter = atomic.Int64

func noFFmpeg() (string, bool) { return "", false }

// record runs a test in fake time; change, where not nil, makes the rig different before it runs.
func record(t *testing.T, s Settings, change func(*rig), test func(*rig)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rig{t: t, dir: filepath.Join(t.TempDir(), "timelapse"), machine: newMachine(),
			lens: &lens{frames: latest.New[*camera.Frame](nil)}, jpeg: bytes.Repeat([]byte("picture "), 1000)}
		r.space.Store(1 << 40)
		r.there.Store(true)
		r.cfg = Config{Dir: r.dir, Printer: r.machine, Settings: s, MinFree: 1 << 20, FFmpeg: noFFmpeg,
			Free: func() (int64, error) { return r.space.Load(), nil },
			Camera: func(int) Camera {
				if !r.there.Load() {
					return nil
				}
				return r.lens
			}}
		if change != nil {
			change(r)
		}
		r.start()
		defer r.stop()
		test(r)
	})
}

func (r *rig) start() {
	r.t.Helper()
	var err error
	if r.Recorder, err = New(r.cfg); err != nil {
		r.t.Fatal(err)
	}
	r.begin()
	synctest.Wait()
}

func (r *rig) begin() {
	ctx, cancel := context.WithCancel(r.t.Context())
	r.end, r.ended = cancel, make(chan error, 1)
	go func(rec *Recorder) { r.ended <- rec.Run(ctx) }(r.Recorder)
}

// stop ends the Recorder as the daemon does; once more does nothing.
func (r *rig) stop() {
	if r.end != nil {
		r.end()
		<-r.ended
		r.end = nil
	}
}

func (r *rig) say(change func(*printer.Snapshot)) {
	now, _ := r.machine.snaps.Get()
	next := *now
	change(&next)
	r.machine.snaps.Set(&next)
	synctest.Wait()
}

// shot says that the printer stands, or has stood, for the job's picture number n.
func (r *rig) shot(n int, still bool) {
	r.say(func(s *printer.Snapshot) {
		job := *s.Job
		job.Shot = &printer.Shot{N: n, Layer: n, AtMS: time.Now().UnixMilli(), Still: still}
		s.Job = &job
	})
}

// print starts a job, or says which layer it is at.
func (r *rig) print(id string, layer int) {
	r.say(func(s *printer.Snapshot) {
		s.State, s.Job = printer.Printing, &printer.JobStatus{ID: id, Name: id + ".gcode", Layer: layer}
	})
}

func (r *rig) over(id, outcome string) {
	r.say(func(s *printer.Snapshot) {
		s.State, s.Job, s.LastJob = printer.Idle, nil, &printer.JobOutcome{ID: id, Outcome: outcome}
	})
}

// shine lets time pass, with a frame each 200 ms.
func (r *rig) shine(d time.Duration) {
	for until := time.Now().Add(d); time.Now().Before(until); {
		time.Sleep(min(200*time.Millisecond, time.Until(until)))
		r.flash()
	}
}

// flash is one frame of the camera, taken now.
func (r *rig) flash() {
	r.seq++
	r.lens.frames.Set(&camera.Frame{Seq: r.seq, Time: time.Now(), Width: 64, Height: 48, Turn: 1, JPEG: r.jpeg})
	synctest.Wait()
}

// only is the one timelapse that there must be.
func (r *rig) only() Item {
	r.t.Helper()
	l, _ := r.List().Get()
	if len(l.Items) != 1 {
		r.t.Fatalf("got %d timelapses, want 1: %+v", len(l.Items), l.Items)
	}
	return l.Items[0]
}

func (r *rig) none() {
	r.t.Helper()
	if l, _ := r.List().Get(); len(l.Items) != 0 {
		r.t.Errorf("got %+v, want no timelapse", l.Items)
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil || len(entries) != 0 {
		r.t.Errorf("on the disk: got %v, %v, want nothing", entries, err)
	}
}

func (r *rig) want(err, want error) {
	r.t.Helper()
	if !errors.Is(err, want) {
		r.t.Errorf("got %v, want %v", err, want)
	}
}

func byTime(every int) Settings {
	s := UsualSettings()
	s.Choice = Choice{Mode: ByTime, EveryS: every}
	return s
}

func byLayer() Settings {
	s := UsualSettings()
	s.Choice = Choice{Mode: ByLayer, EveryS: 10}
	return s
}

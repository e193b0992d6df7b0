package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: layerd and OctoPrint, by turns → each prints the same file on a pretend printer while two people have its page open → what that took.

const (
	piBaud   = 250000
	piPeople = 2
	// piLimit is what layerd itself sets on a Pi with 512 MB (cmd/layerd/memory.go); this machine has more.
	piLimit = "GOMEMLIMIT=96MiB"
	// sampleEvery is how often memory is looked at.
	sampleEvery = 250 * time.Millisecond
)

// piCase is one way to print.
type piCase struct {
	name            string
	layerd          bool // else OctoPrint
	camera, tailnet bool
	motion          float64 // as settings has it
	rounds          []piRound
}

// piRound is one print.
type piRound struct {
	row
	peak, mean, anonymous float64 // MiB; anonymous is that of the largest
	pushes, frames        int64
	watched               time.Duration // how long all this was looked at
}

// pi measures starts and prints, and says what came of the goals. What else is measured of a print has its place in piRound, and its goal in piGoals.
func (b *bench) pi(ctx context.Context) error {
	if len(b.others) == 0 {
		b.say("OctoPrint is not there: layerd is measured alone")
	}
	starts, err := b.piStarts(ctx)
	if err != nil {
		return err
	}
	frames, err := b.piFrames()
	if err != nil {
		return err
	}
	net, err := benchrun.StartTailnet(ctx, b.bin)
	if err != nil {
		return err
	}
	defer net.End()
	cases := []*piCase{{name: "OctoPrint"}, {name: "layerd", layerd: true}, {name: "layerd, camera", layerd: true, camera: true}, {name: "layerd, camera, tailnet", layerd: true, camera: true, tailnet: true},
		{name: "OctoPrint, real motion", motion: 1}, {name: "layerd, real motion", layerd: true, motion: 1}, {name: "layerd, camera, real motion", layerd: true, camera: true, motion: 1}}
	for range b.rounds {
		for _, c := range cases {
			if !c.layerd && len(b.others) == 0 || !b.only.MatchString(c.name) {
				continue
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r := b.piPrint(ctx, c, net, frames)
			c.rounds = append(c.rounds, r)
			b.rows = append(b.rows, r.row)
		}
	}
	fmt.Print(b.piTables(starts, cases))
	return nil
}

// piPrint is one print.
func (b *bench) piPrint(ctx context.Context, c *piCase, net *benchrun.Tailnet, frames string) (r piRound) {
	set := settings{baud: piBaud, latency: usb, advanced: true, motion: c.motion}
	t := task{of: "on the Pi", streamer: streamer{name: c.name}, settings: set, load: b.dense.take(len(b.dense.commands)/4, linesFor(b.dense, set, b.span, 0)), ours: c.layerd}.patient()
	if c.motion > 0 {
		t.load = b.fast.take(len(b.fast.commands)/2, 100_000).lasting(2 * b.span.Seconds())
		t.limit += 10 * b.span
	}
	r.row = b.measureWith(ctx, t, func(ctx context.Context, into *row, dir string) error {
		m, err := switchOn(b.printsim(), dir, set)
		if err != nil {
			return err
		}
		defer m.kill()
		var left error
		watched := func(sockets func(*visitors, int, site) []func(context.Context) error, more ...site) beginning {
			return func(pid int, at site) (func(), error) {
				v, err := visit(ctx, append(more, slices.Repeat([]site{at}, piPeople-len(more))...), sockets)
				if err != nil {
					return nil, err
				}
				time.Sleep(2 * time.Second) // all of it is under way
				m.forget()
				samples, since := sampling(ctx, pid), time.Now()
				v.pushes.Store(0)
				v.frames.Store(0)
				return func() {
					r.watched = time.Since(since)
					r.peak, r.mean, r.anonymous, err = samples()
					left = errors.Join(err, v.leave())
					r.pushes, r.frames = v.pushes.Load(), v.frames.Load()
				}, nil
			}
		}
		if c.layerd {
			into.cost, err = b.piLayerd(ctx, c, m, dir, net, frames, t, watched)
		} else {
			file := filepath.Join(dir, "job.gcode")
			if err := os.WriteFile(file, t.load.bytes(), 0o600); err != nil {
				return err
			}
			into.cost, err = b.others[0].run(ctx, m.link, piBaud, file, t.limit, watched(ofOctoPrint))
		}
		if err = errors.Join(err, left); err != nil {
			return err
		}
		var record []benchrun.Executed
		if into.counters, record, err = m.switchOff(); err == nil {
			into.measure = judge(record, t.load)
		}
		return err
	})
	return r
}

func (b *bench) piLayerd(ctx context.Context, c *piCase, m *machine, dir string, net *benchrun.Tailnet, frames string, t task,
	watched func(func(*visitors, int, site) []func(context.Context) error, ...site) beginning) (_ cost, err error) {
	ctx, cancel := context.WithTimeout(ctx, startUp+t.limit)
	defer cancel()
	camera := "none"
	if c.camera {
		camera = "frames:" + frames
	}
	env := []string{piLimit, "LAYERD_CAMERA_DEVICE=" + camera, fmt.Sprint("LAYERD_CAMERA_FPS=", piFPS)}
	if c.tailnet {
		env = append(env, "LAYERD_OVERLAY=tailnet", fmt.Sprint("LAYERD_TAILNET_NAME=pi-", len(c.rounds)), "LAYERD_TAILNET_CONTROL_URL="+net.Control)
	}
	d, err := startDaemon(ctx, b.layerd(), dir, m.link, piBaud, env...)
	if err != nil {
		return cost{}, err
	}
	defer d.kill()
	var away []site
	if c.tailnet {
		far := site{key: d.key, proxy: net.Proxy}
		far.url, err = net.Admit(ctx, func(path string, answer any) error { return d.ask(ctx, "GET", path, nil, 0, answer) }, func(url string) error {
			s := site{url: url, key: d.key, proxy: net.Proxy}
			client := s.client()
			defer client.CloseIdleConnections()
			_, err := s.get(ctx, client, "GET", "/v1/state", "")
			return err
		})
		if err != nil {
			return cost{}, err
		}
		away = []site{far}
	}
	spent, err := d.print(t.load.bytes(), watched(ofLayerd(c.camera), away...))
	if err != nil {
		return spent, err
	}
	return spent, d.stop()
}

// sampling looks at the memory of a process until the result is called, which tells the most and the mean, in MiB.
func sampling(ctx context.Context, pid int) func() (peak, mean, anonymous float64, err error) {
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	var all []benchrun.Memory
	var err error
	go func() {
		defer close(done)
		for ctx.Err() == nil && err == nil {
			var m benchrun.Memory
			if m, err = benchrun.MemoryOf(pid); err == nil {
				all = append(all, m)
			}
			select {
			case <-time.After(sampleEvery):
			case <-ctx.Done():
			}
		}
	}()
	return func() (peak, mean, anonymous float64, _ error) {
		end()
		<-done
		for _, m := range all {
			peak = max(peak, float64(m.Total)/1024)
			anonymous = max(anonymous, float64(m.Anonymous)/1024)
			mean += float64(m.Total) / 1024 / float64(len(all))
		}
		return peak, mean, anonymous, err
	}
}

const (
	piFPS            = 15
	piWide, piHigh   = 1280, 720
	piPictures       = 30
	piPictureQuality = 75
)

// piFrames is a folder of pictures, as large as a webcam's: layerd passes them on as it does those of a camera that makes JPEGs.
func (b *bench) piFrames() (dir string, err error) {
	if dir, err = os.MkdirTemp(b.dir, "frames-"); err != nil {
		return "", err
	}
	random := rand.New(rand.NewPCG(1, 1))
	m := image.NewYCbCr(image.Rect(0, 0, piWide, piHigh), image.YCbCrSubsampleRatio420)
	for i := range piPictures {
		for y := range piHigh {
			for x := range piWide {
				m.Y[m.YOffset(x, y)] = uint8(40 + 150*((x+8*i)%piWide)/piWide + random.IntN(12))
			}
		}
		for j := range m.Cb {
			m.Cb[j], m.Cr[j] = 110, 140
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: piPictureQuality}); err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%03d.jpg", i)), out.Bytes(), 0o600); err != nil {
			return "", err
		}
	}
	return dir, nil
}

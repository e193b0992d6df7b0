package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"layerd/internal/benchrun"
	"layerd/internal/server/phonetest"
)

// What flows here: the daemon prints, alone and then with everything else that it does at the same time → two rows to compare.

const (
	viewers     = 10
	uploadBytes = 100 << 20
)

// underLoad prints with the real daemon: once by itself, once while ten clients watch the camera, a big file is uploaded and others are surveyed.
func (b *bench) underLoad(ctx context.Context, name string) error {
	if !b.measures("layerd") {
		return nil
	}
	set := settings{baud: slow, latency: usb, advanced: true}
	t := task{of: name, settings: set, load: b.dense.take(len(b.dense.commands)/4, linesFor(b.dense, set, b.span, 0)), ours: true}.patient()
	t.streamer.name = "daemon, idle"
	idle := b.measureWith(ctx, t, func(ctx context.Context, r *row, dir string) error { return b.printing(ctx, r, t, dir, nil) })
	b.rows = append(b.rows, idle)
	t.streamer.name = "daemon, busy"
	all := func(ctx context.Context, d *daemon) (func() (string, error), error) {
		l := d.burden(ctx, b.dense.text(), b.span)
		return func() (string, error) { return l.lift(), nil }, nil
	}
	busy := b.measureWith(ctx, t, func(ctx context.Context, r *row, dir string) error { return b.printing(ctx, r, t, dir, all) })
	if rate := idle.bytesPerSecond(); rate > 0 && busy.failed == "" {
		busy.goals = []goal{atLeast("of the idle rate", busy.bytesPerSecond()/rate, 0.95), none("starvation", int64(busy.starved)),
			within("p99.9", busy.p999, 10*time.Millisecond)}
	}
	b.rows = append(b.rows, busy)
	return nil
}

// burden gives the daemon something to do beside its print, until lift is called, which says what it was.
type burden func(ctx context.Context, d *daemon) (lift func() (said string, err error), err error)

// printing is one print by the daemon; beside may be nil.
func (b *bench) printing(ctx context.Context, r *row, t task, dir string, beside burden) error {
	ctx, cancel := context.WithTimeout(ctx, startUp+t.limit)
	defer cancel()
	m, err := switchOn(b.printsim(), dir, t.settings)
	if err != nil {
		return err
	}
	defer m.kill()
	d, err := startDaemon(ctx, b.layerd(), dir, m.link, t.settings.hostBaud())
	if err != nil {
		return err
	}
	defer d.kill()
	var lift func() (string, error)
	if beside != nil {
		if lift, err = beside(ctx, d); err != nil {
			return err
		}
		time.Sleep(time.Second) // all of it is under way
	}
	r.cost, err = d.print(t.load.bytes(), m.begin)
	if lift != nil {
		said, failed := lift()
		r.remark += ", " + said
		err = errors.Join(err, failed)
	}
	if err != nil {
		return err
	}
	if err := d.stop(); err != nil {
		return fmt.Errorf("stop layerd: %w", err)
	}
	var record []benchrun.Executed
	if r.counters, record, err = m.switchOff(); err != nil {
		return err
	}
	r.measure = judge(record, t.load)
	return nil
}

// load is what the daemon has to do beside its print.
type load struct {
	end                      context.CancelFunc
	all                      sync.WaitGroup
	frames, uploads, surveys atomic.Int64
	bytes                    atomic.Int64
	mu                       sync.Mutex // guards failed
	failed                   error
}

// burden begins the load. The big upload takes about as long as span, as over somebody's Wi-Fi; the files to be surveyed come as fast as they are taken.
func (d *daemon) burden(ctx context.Context, file []byte, span time.Duration) *load {
	l := &load{}
	ctx, l.end = context.WithCancel(ctx)
	begin := func(run func() error) {
		l.all.Go(func() {
			if err := run(); err != nil && ctx.Err() == nil {
				l.mu.Lock()
				l.failed = errors.Join(l.failed, err)
				l.mu.Unlock()
			}
		})
	}
	for range viewers {
		begin(func() error { return d.watch(ctx, &l.frames) })
	}
	begin(func() error {
		for ctx.Err() == nil {
			body := &paced{text: file, left: uploadBytes, perSecond: float64(uploadBytes) / span.Seconds(), from: time.Now(), sent: &l.bytes}
			if err := d.put(ctx, "load/big.gcode", body, uploadBytes); err != nil {
				return err
			}
			l.uploads.Add(1)
		}
		return nil
	})
	begin(func() error {
		for ctx.Err() == nil {
			if err := d.put(ctx, "load/other.gcode", bytes.NewReader(file), int64(len(file))); err != nil {
				return err
			}
			l.surveys.Add(1)
		}
		return nil
	})
	return l
}

// lift ends the load, and says what it was.
func (l *load) lift() string {
	l.end()
	l.all.Wait()
	said := fmt.Sprintf("%d viewers took %d frames, %d MB of a big file came, %d files surveyed", viewers, l.frames.Load(), l.bytes.Load()>>20, l.surveys.Load())
	if l.failed != nil {
		fmt.Fprintln(os.Stderr, "the load:", l.failed)
		return said + ", AND THE LOAD BROKE"
	}
	return said
}

// watch is one client of the camera.
func (d *daemon) watch(ctx context.Context, frames *atomic.Int64) error {
	_, err := phonetest.Watch(ctx, strings.TrimPrefix(d.url, "http://"), d.key, 0, func(phonetest.Picture) { frames.Add(1) })
	return err
}

// paced is a body that comes at some speed: text, again and again.
type paced struct {
	text      []byte
	at        int
	left      int64
	perSecond float64
	from      time.Time
	gone      int64
	sent      *atomic.Int64
}

func (p *paced) Read(b []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	time.Sleep(time.Until(p.from.Add(time.Duration(float64(p.gone) / p.perSecond * float64(time.Second)))))
	n := copy(b[:min(int64(len(b)), p.left)], p.text[p.at:])
	p.at = (p.at + n) % len(p.text)
	p.left, p.gone = p.left-int64(n), p.gone+int64(n)
	p.sent.Add(int64(n))
	return n, nil
}

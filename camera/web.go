package camera

import (
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"time"
)

// A camera on the network:
//
//	request ─ redirects and logins (visit.go, login.go) ─▶ body ─▶ splitter ─▶ pace ─▶ Sink
//
// What the answer is called matters only where it says that it is no picture at all. An answer that ends after one picture is a snapshot, which is
// fetched again and again; one that goes on is a stream, whether it is multipart, of whatever make, or JPEGs glued together.
//
// While nobody looks a stream is still read, and a picture a second passed on: to be connected costs little, while connections that are made again
// and again cost small cameras (an ESP32 has few) much, and whoever looks would wait for one.

// How patient the source is. It gives up before the watchdog does, which would not know why.
const (
	dialWithin     = 4 * time.Second
	firstWithin    = firstFrame - 500*time.Millisecond // from the beginning to the first picture
	nextWithin     = noFrame - 200*time.Millisecond    // from one picture to the next
	bytesWithin    = 2500 * time.Millisecond           // without any byte
	snapshotFPS    = 2
	maxSnapshotFPS = 10
)

var (
	errSilent = errors.New("no answer in time")
	errSlow   = errors.New("a picture takes too long")
)

type web struct {
	device   Device
	settings Settings
	waits    waits
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

// waits is how long it waits: firstWithin, nextWithin, bytesWithin.
type waits struct{ first, next, bytes time.Duration }

// newWeb is a Source for an address that isWebAddress. It connects to nothing yet.
func newWeb(d Device, s Settings) *web {
	return &web{device: d, settings: s, waits: waits{firstWithin, nextWithin, bytesWithin}, dial: dialCamera(nil)}
}

// Name is the camera's host.
func (w *web) Name() string {
	u, err := url.Parse(w.device.ID)
	if w.device.Name != "" || err != nil {
		return w.device.Name
	}
	return u.Host
}

// Run fetches until ctx ends or the camera fails.
func (w *web) Run(ctx context.Context, sink Sink) error {
	err := w.fetch(ctx, sink)
	if ctx.Err() != nil {
		return nil
	}
	return &webError{err}
}

func (w *web) fetch(ctx context.Context, sink Sink) error {
	ctx, limits := newPatience(ctx, w.waits)
	defer limits.end()
	v, err := newVisitor(w.device.ID, w.dial)
	if err != nil {
		return err
	}
	defer v.transport.CloseIdleConnections()
	p := pace{sink: sink, interval: intervalOf(w.settings.FPS)}
	for {
		began := time.Now()
		n, err := v.pictures(ctx, limits, func(pic []byte) { p.put(pic, time.Now()) })
		switch {
		case context.Cause(ctx) != nil: // this is why, whatever it looks like to those who were interrupted
			return context.Cause(ctx)
		case err != nil:
			return err
		case n == 0:
			return errNoPicture
		case n > 1:
			return errEnded
		}
		again := max(p.interval, time.Second/maxSnapshotFPS)
		if p.interval == 0 {
			again = time.Second / snapshotFPS
		}
		if sink.Idle() {
			again = max(again, idleInterval)
		}
		pause(ctx, time.Until(began.Add(again)))
	}
}

// pictures makes one request, and hands what comes to put. It returns when the answer has ended, with the number of pictures that were in it.
func (v *visitor) pictures(ctx context.Context, limits *patience, put func(pic []byte)) (n int, err error) {
	answer, err := v.visit(ctx)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	limits.answered()
	defer limits.quiet.Stop()
	s := newSplitter(limits.reader(answer.Body))
	for {
		pic, err := s.next()
		switch {
		case ctx.Err() != nil: // what came last is cut off
			return n, ctx.Err()
		case err == io.EOF, errors.Is(err, io.ErrUnexpectedEOF): // the second: it had promised more
			return n, nil
		case err != nil:
			return n, err
		}
		n++
		limits.picture.Reset(limits.next)
		put(pic)
	}
}

// patience ends a context, and says why, when something takes too long.
type patience struct {
	waits
	cancel  context.CancelCauseFunc
	spoken  atomic.Bool // there was an answer
	picture *time.Timer // until the next is there
	quiet   *time.Timer // until the next byte is
}

func newPatience(ctx context.Context, w waits) (context.Context, *patience) {
	ctx, cancel := context.WithCancelCause(ctx)
	p := &patience{waits: w, cancel: cancel}
	p.picture = time.AfterFunc(w.first, func() {
		if p.spoken.Load() {
			cancel(errSlow)
		} else {
			cancel(errSilent)
		}
	})
	p.quiet = time.AfterFunc(w.bytes, func() { cancel(errStalled) })
	p.quiet.Stop()
	return ctx, p
}

func (p *patience) answered() {
	p.spoken.Store(true)
	p.quiet.Reset(p.bytes)
}

func (p *patience) end() {
	p.picture.Stop()
	p.quiet.Stop()
	p.cancel(nil)
}

// reader is from with an eye on the clock.
func (p *patience) reader(from io.Reader) io.Reader { return timedReader{from, p} }

type timedReader struct {
	from io.Reader
	p    *patience
}

func (t timedReader) Read(b []byte) (int, error) {
	n, err := t.from.Read(b)
	if n > 0 {
		t.p.quiet.Reset(t.p.bytes)
	}
	return n, err
}

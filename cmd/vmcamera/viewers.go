package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"sync"
	"time"
)

// crowd is all that look at one server, each with a connection of its own.
type crowd struct {
	end  context.CancelFunc
	all  []*viewer
	gone sync.WaitGroup
}

// viewer reads pictures as fast as they come and looks only at the number and the time in each.
type viewer struct {
	mu          sync.Mutex // guards all below
	err         error
	frames      int
	first, last uint32 // numbers
	ages        []time.Duration
}

// seen is what viewers got.
type seen struct {
	fps, least float64       // on average, and at the one who got the fewest
	dropped    float64       // part of the pictures that were written meanwhile and did not come
	age        time.Duration // of a picture when it is there, 95th percentile
}

func watchAll(s server, viewers int) *crowd {
	ctx, end := context.WithCancel(context.Background())
	c := &crowd{end: end}
	key := sync.OnceValues(func() (string, error) {
		if s.key == nil {
			return "", nil
		}
		return s.key()
	})
	for range viewers {
		v := &viewer{}
		c.all = append(c.all, v)
		c.gone.Go(func() {
			for ctx.Err() == nil {
				k, err := key()
				if err == nil {
					err = v.look(ctx, s.url, k)
				}
				v.fail(ctx, err)
				time.Sleep(200 * time.Millisecond) // the server is starting, or failing
			}
		})
	}
	return c
}

func (v *viewer) fail(ctx context.Context, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if ctx.Err() == nil {
		v.err = err
	}
}

func (v *viewer) look(ctx context.Context, url, key string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if key != "" {
		r.Header.Set("Authorization", key)
	}
	transport := &http.Transport{DisableKeepAlives: true, ReadBufferSize: 64 << 10}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, 300))
		return fmt.Errorf("%s: %s", answer.Status, text)
	}
	return readParts(answer.Body, v.take)
}

// readParts reads a multipart stream and hands over the beginning and the size of each part. Both servers tell how long each is.
func readParts(body io.Reader, take func(head []byte, now time.Time)) error {
	in := bufio.NewReaderSize(body, 64<<10)
	text := textproto.NewReader(in)
	head := make([]byte, commentEnd)
	for {
		line, err := text.ReadLine()
		if err != nil {
			return err
		}
		if len(line) < 3 || line[:2] != "--" { // the empty line behind a part
			continue
		}
		fields, err := text.ReadMIMEHeader()
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(fields.Get("Content-Length"))
		if err != nil || n < len(head) {
			return fmt.Errorf("a part of %q bytes", fields.Get("Content-Length"))
		}
		if _, err := io.ReadFull(in, head); err != nil {
			return err
		}
		if _, err := in.Discard(n - len(head)); err != nil {
			return err
		}
		take(head, time.Now())
	}
}

func (v *viewer) take(head []byte, now time.Time) {
	n, written, ok := readStamp(head)
	if !ok { // ustreamer's own picture, before there is one of the camera
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.frames++; v.first == 0 {
		v.first = n
	}
	v.last = n
	v.ages = append(v.ages, now.Sub(written))
}

// allSee waits until each has had a picture.
func (c *crowd) allSee(within time.Duration) error {
	for until := time.Now().Add(within); ; time.Sleep(100 * time.Millisecond) {
		blind, why := 0, error(nil)
		for _, v := range c.all {
			v.mu.Lock()
			if v.frames == 0 {
				blind, why = blind+1, v.err
			}
			v.mu.Unlock()
		}
		if blind == 0 {
			return nil
		}
		if time.Now().After(until) {
			return fmt.Errorf("%d see nothing within %v: %w", blind, within, why)
		}
	}
}

// forget begins to count anew.
func (c *crowd) forget() {
	for _, v := range c.all {
		v.mu.Lock()
		v.err, v.frames, v.first, v.last, v.ages = nil, 0, 0, 0, nil
		v.mu.Unlock()
	}
}

func (c *crowd) seen(during time.Duration) (s seen) {
	var ages []time.Duration
	frames, missed, least := 0, 0, 0
	for i, v := range c.all {
		v.mu.Lock()
		frames += v.frames
		if v.frames > 0 {
			missed += int(v.last-v.first) + 1 - v.frames
		}
		if i == 0 || v.frames < least {
			least = v.frames
		}
		ages = append(ages, v.ages...)
		v.mu.Unlock()
	}
	if frames == 0 {
		return s
	}
	slices.Sort(ages)
	return seen{
		fps:     float64(frames) / during.Seconds() / float64(len(c.all)),
		least:   float64(least) / during.Seconds(),
		dropped: float64(missed) / float64(missed+frames),
		age:     ages[len(ages)*95/100],
	}
}

// problem tells who lost the connection since forget.
func (c *crowd) problem() error {
	var all []error
	for _, v := range c.all {
		v.mu.Lock()
		all = append(all, v.err)
		v.mu.Unlock()
	}
	return errors.Join(all...)
}

func (c *crowd) leave() {
	c.end()
	c.gone.Wait()
}

// A stamp is a comment at a picture's beginning: its number, and when it was written.
const (
	commentAt  = 2
	commentEnd = commentAt + 4 + 12
)

func stamp(picture []byte, n uint32, now time.Time) {
	copy(picture[commentAt:], []byte{0xff, markCOM, 0, 14})
	binary.BigEndian.PutUint32(picture[commentAt+4:], n)
	binary.BigEndian.PutUint64(picture[commentAt+8:], uint64(now.UnixNano()))
}

func readStamp(head []byte) (n uint32, written time.Time, ok bool) {
	if head[3] != markCOM || head[5] != 14 {
		return 0, written, false
	}
	return binary.BigEndian.Uint32(head[commentAt+4:]), time.Unix(0, int64(binary.BigEndian.Uint64(head[commentAt+8:]))), true
}

package printer

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"layerd/gcode"
	"slices"
	"time"
)

// A query is a command whose answer is lines of text: settings, a mesh, the files of a card. It goes the way of typed lines, and what the
// firmware says while it is the oldest line without an answer is its answer.
//
//	Query ─▶ session.ask ─▶ typed ─▶ say (which finds its number) ─▶ overheard ─▶ landed ─▶ Query
type query struct {
	text  []byte
	n     int64 // its line number; 0 = not sent yet
	lines []string
	bytes int
	done  chan<- reply
}

type reply struct {
	lines []string
	err   error
}

const (
	maxReplyLines = 2000 // of one answer; what is beyond is left out
	maxReplyBytes = 128 << 10
)

// Query sends one command, checked as Send checks it (what only tells the mesh of the bed is always allowed), and returns what the firmware says to it before its ok, without temperatures and signs of
// life. One query is under way at a time; others wait. It blocks until the ok, or ends with ctx's error; the command is not taken back then.
func (p *Printer) Query(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, func(o *owner) ([]byte, error) {
		if slices.Contains(o.d.tunes.mesh, line) {
			return []byte(line), nil
		}
		return o.typedLine(line)
	})
}

// QueryIdle is Query while nothing is printed or about to be: for what changes settings, and for what takes long.
func (p *Printer) QueryIdle(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, func(o *owner) ([]byte, error) {
		if o.state != Idle {
			return nil, cmp.Or(o.free(), fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state))
		}
		return o.typedLine(line)
	})
}

// QueryHomed is QueryIdle when the printer knows where its axes are.
func (p *Printer) QueryHomed(ctx context.Context, line string) ([]string, error) {
	return p.query(ctx, func(o *owner) ([]byte, error) {
		switch {
		case o.state != Idle:
			return nil, cmp.Or(o.free(), fmt.Errorf("%w: the printer is %v", ErrWrongState, o.state))
		case !o.allHomed():
			return nil, ErrNotHomed
		}
		return o.typedLine(line)
	})
}

// query has the owner check and make the line, sends it, and waits for its answer.
func (p *Printer) query(ctx context.Context, check func(o *owner) ([]byte, error)) ([]string, error) {
	select {
	case p.querying <- struct{}{}:
		defer func() { <-p.querying }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	done := make(chan reply, 1)
	_, err := p.ask(ctx, func(o *owner, _ time.Time) error {
		text, err := check(o)
		if err != nil {
			return err
		}
		return o.inquire(text, done)
	})
	if err != nil {
		return nil, err
	}
	select {
	case r := <-done:
		return r.lines, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.ended:
		return nil, fmt.Errorf("%w: layerd is ending", ErrNotConnected)
	}
}

// inquire queues a query. One whose asker has gone is forgotten.
func (s *session) inquire(text []byte, done chan<- reply) error {
	if !s.answersQueries() {
		return fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)
	}
	if err := s.queue(string(text)); err != nil {
		return err
	}
	s.query = &query{text: text, done: done}
	return nil
}

func (s *session) answersQueries() bool {
	switch s.state {
	case Disconnected, Connecting, Cancelling, Halting, Halted, Faulted:
		return false
	}
	return true
}

// answer never blocks: there is room for the one answer, and a second would be for nobody.
func (q *query) answer(r reply) {
	select {
	case q.done <- r:
	default:
	}
}

// queried notes the number under which a line goes out, if it is the query's. One that was taken back gets another.
func (s *session) queried(text []byte, n int64) {
	if q := s.query; q != nil && bytes.Equal(q.text, text) {
		q.n, q.lines, q.bytes = n, nil, 0
	}
}

// overheard keeps a line for the query that the firmware is at.
func (s *session) overheard(r gcode.Reply) {
	q := s.query
	if q == nil || q.n == 0 || len(s.aloft) == 0 || s.aloft[0] != q.n {
		return
	}
	switch r.Kind {
	case gcode.OK, gcode.Busy, gcode.Resend, gcode.Action:
		return
	}
	if len(r.Temps) > 0 || len(q.lines) == maxReplyLines || q.bytes+len(r.Text) > maxReplyBytes {
		return
	}
	q.lines = append(q.lines, string(r.Text))
	q.bytes += len(r.Text)
}

// answeredQuery ends the query when its line has landed.
func (s *session) answeredQuery(f *flight) {
	if q := s.query; q != nil && q.n == f.n {
		q.answer(reply{lines: q.lines})
		s.query = nil
	}
}

// dropQuery ends the query when no answer can come any more.
func (s *session) dropQuery() {
	if q := s.query; q != nil && !s.answersQueries() {
		q.answer(reply{err: fmt.Errorf("%w: the printer is %v", ErrWrongState, s.state)})
		s.query = nil
	}
}

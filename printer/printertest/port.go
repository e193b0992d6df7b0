package printertest

import (
	"errors"
	"io"
	"os"
)

// Port is the host's end of the line, in process. It behaves as an open tty does: one goroutine reads, one writes, Close may come
// from a third.
type Port struct {
	sim    *Sim
	closed bool  // guarded by sim.mu
	lost   int64 // how often the cable had been pulled when it was opened; -1 = there was no device
}

// Open opens the line, which resets the board when the wiring does that. Several opens may share it. While the cable is pulled
// the Port is of no use from the beginning.
func (s *Sim) Open() *Port {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.now())
	if s.board.unplugged {
		return &Port{sim: s, lost: -1}
	}
	s.board.opened(s.board.cfg.ResetOnOpen)
	s.settle(s.now())
	return &Port{sim: s, lost: s.board.unplugs}
}

// state is why the port is of no use any more; nil when it is. mu is held.
func (p *Port) state() error {
	switch b := p.sim.board; {
	case p.closed:
		return os.ErrClosed
	case b.unplugs != p.lost:
		return ErrUnplugged
	case p.sim.ended:
		return io.EOF
	}
	return nil
}

// Read blocks until there is at least one byte. It returns os.ErrClosed after Close, ErrUnplugged when the cable was pulled
// and io.EOF when the Sim's Run has ended.
func (p *Port) Read(buf []byte) (int, error) {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readers++ // so that Run wakes us when what is on its way has arrived
	defer func() { s.readers-- }()
	for {
		now := s.now()
		s.settle(now)
		if err := p.state(); err != nil {
			return 0, err
		}
		if n := s.board.back.take(now, buf); n > 0 || len(buf) == 0 {
			return n, nil
		}
		s.changed.Wait()
	}
}

// Write blocks while the tty's buffer is full. It fails as Read does. Discard ends it.
func (p *Port) Write(data []byte) (int, error) {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	done, epoch := 0, s.epoch
	for {
		if err := p.state(); err != nil {
			return done, err
		}
		if s.epoch != epoch { // thrown away like what was in the buffer
			return len(data), nil
		}
		n := min(s.board.space(), len(data)-done)
		now := s.now()
		s.board.write(now, data[done:done+n])
		done += n
		if done == len(data) {
			s.settle(now)
			return done, nil
		}
		s.writers++
		s.settle(now)
		if s.board.space() == 0 && p.state() == nil {
			s.changed.Wait()
		}
		s.writers--
	}
}

// Close closes the port as a tty is closed: what was written still goes out, what was not read is lost. Blocked calls
// return os.ErrClosed.
func (p *Port) Close() error {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	p.closed = true
	if s.board.unplugs == p.lost {
		s.board.closed()
	}
	s.changed.Broadcast()
	return nil
}

// SetBaud sets the host's speed. If it is not the printer's (and that has one) everything is garbage, both ways.
func (p *Port) SetBaud(baud int) error {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := p.state(); err != nil {
		return err
	}
	if baud <= 0 {
		return errors.New("no such speed")
	}
	s.advance(s.now()) // what arrived until now came at the old speed
	s.board.hostBaud = baud
	return nil
}

// Discard throws away what was written and has not passed the wire.
func (p *Port) Discard() error {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := p.state(); err != nil {
		return err
	}
	s.board.in.discard()
	s.epoch++
	s.changed.Broadcast()
	s.settle(s.now())
	return nil
}

// Reset pulses DTR, which restarts the board where the wiring does that (Config.ResetOnOpen).
func (p *Port) Reset() (tried bool, err error) {
	s := p.sim
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := p.state(); err != nil {
		return false, err
	}
	s.advance(s.now())
	if s.board.cfg.ResetOnOpen {
		s.board.reset()
	}
	s.settle(s.now())
	return true, nil
}

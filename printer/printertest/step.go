package printertest

import "time"

// The methods below let a caller drive the printer who has his own way of waiting and his own end of the line, as cmd/printsim
// has with a pseudo-terminal. They take the place of Run and Open, and are not to be mixed with them.

// Step brings the printer up to the present: it takes what the host wrote, appends what has reached the host to reply, and
// says for how long nothing will happen, if the host writes nothing; negative for ever.
func (s *Sim) Step(wrote, reply []byte) (_ []byte, wait time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, now := s.board, s.now()
	b.write(now, wrote)
	s.advance(now)
	if b.unplugged {
		b.back.drop()
	}
	for b.back.released > 0 {
		n := len(reply)
		reply = append(reply, b.back.buf[b.back.head:b.back.head+b.back.released]...)
		b.back.take(now, reply[n:])
	}
	next := min(b.next(), b.back.nextUseful())
	if next == never {
		return reply, -1
	}
	return reply, max(0, next-s.now())
}

// Queued is how many bytes from the host have not reached the board.
func (s *Sim) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board.in.pending()
}

// HostOpened tells that a host has opened the line. reset says that this raised DTR, which restarts a board that is wired so.
func (s *Sim) HostOpened(reset bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.now())
	s.board.opened(reset && s.board.cfg.ResetOnOpen)
}

// HostClosed tells that it has closed it.
func (s *Sim) HostClosed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(s.now())
	s.board.closed()
}

// HostBaud tells the host's speed: if it is not the printer's (and that has one) everything is garbage, both ways.
func (s *Sim) HostBaud(baud int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.board.hostBaud != baud {
		s.advance(s.now())
		s.board.hostBaud = baud
	}
}

// Unplugged reports whether the cable is out at the moment, and how often it was pulled.
func (s *Sim) Unplugged() (now bool, times int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board.unplugged, s.board.unplugs
}

// RecordErr is the first error of Config.Record.
func (s *Sim) RecordErr() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.board.recordErr
}

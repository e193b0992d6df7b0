package server

import (
	"io"
	"time"
)

// What flows here: the body of an upload → the disk, while a print runs no faster than leaves the print its processor. Checksum and survey of a file
// take a whole one, and with two the printer's next line would wait for its turn.

const politeShare = 4 // all uploads together work a fourth of the time

// politeBody gives what it reads to one upload at a time while a print runs, and makes that one rest between two pieces. When no print runs it is in
// nobody's way. done must be called at the end.
type politeBody struct {
	r        io.Reader
	printing func() bool
	turn     slots     // shared by all uploads: who works on what was read
	began    time.Time // that work; zero = it is not our turn
	max      int       // bytes in a piece
}

func (b *politeBody) Read(p []byte) (int, error) {
	b.Done()
	if !b.printing() {
		return b.r.Read(p)
	}
	n, err := b.r.Read(p[:min(len(p), b.max)]) // as long as the client likes, and without the turn
	if n > 0 {
		b.begin()
	}
	return n, err
}

// Polite is how the store reads files through that are on its disk already: as uploads are taken.
func (s *Server) Polite() (rest, done func()) {
	b := &politeBody{printing: s.printing, turn: s.working}
	return b.Rest, b.Done
}

func (b *politeBody) begin() {
	b.turn <- struct{}{}
	b.began = time.Now()
}

// Rest is what Read does, but for a piece that is there already: what is unpacked may be a thousand times what was read.
func (b *politeBody) Rest() {
	b.Done()
	if b.printing() {
		b.begin()
	}
}

// Done ends our turn, after a rest in which nobody else works either.
func (b *politeBody) Done() {
	if b.began.IsZero() {
		return
	}
	time.Sleep(min((politeShare-1)*time.Since(b.began), 200*time.Millisecond))
	b.began = time.Time{}
	b.turn.free()
}

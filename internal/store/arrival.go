package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"layerd/internal/unpack"
	"os"
)

// What flows here: the bytes of an upload as they come ─▶ arrival ─▶ package unpack ─▶ text, in pieces. Both ends are measured: what comes by its
// announced size, and both by the limit and the room on the disk, for an archive is there twice while it is unpacked.

// meter returns a check of how much has come.
func (s *Store) meter() func(bytes int64) error {
	const lookEvery = 16 << 20 // bytes between two looks at the free space
	next := int64(lookEvery)
	return func(bytes int64) error {
		switch {
		case bytes > s.limits.MaxFileBytes:
			return s.tooBig()
		case bytes >= next:
			next = bytes + lookEvery
			return s.room(0)
		}
		return nil
	}
}

// arrival is what comes. It ends with an error between two reads when ctx has ended.
type arrival struct {
	ctx       context.Context
	r         io.Reader
	announced int64 // -1 when unknown
	came      int64
	check     func(bytes int64) error
}

func (a *arrival) Read(p []byte) (int, error) {
	if err := a.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := a.r.Read(p)
	a.came += int64(n)
	if refused := a.check(a.came); refused != nil {
		return n, refused
	}
	switch {
	case a.announced >= 0 && a.came > a.announced:
		err = fmt.Errorf("more than the announced %d bytes came", a.announced)
	case a.announced >= 0 && a.came < a.announced && err == io.EOF:
		err = fmt.Errorf("%d of %d bytes came: %w", a.came, a.announced, io.ErrUnexpectedEOF)
	}
	return n, err
}

// spool makes a file without a name, of which nothing remains however the daemon ends.
func (s *Store) spool() (*os.File, error) {
	name := "zip-" + newID()
	f, err := s.tmp.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := s.tmp.Remove(name); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// packedWrongly wraps what package unpack says of a file's content with ErrNotGCode.
func packedWrongly(err error) error {
	if errors.Is(err, unpack.ErrPacked) {
		return fmt.Errorf("%w: %w", ErrNotGCode, err)
	}
	return err
}

// inPieces lets the client's reader rest before each piece of what is unpacked.
func inPieces(text *unpack.Text, from io.Reader) io.Reader {
	if rest := restOf(from); rest != nil && text.Packed() {
		return &pieces{r: text, rest: rest}
	}
	return text
}

// restOf is how the client's reader rests before a piece; nil when it needs not.
func restOf(from io.Reader) func() {
	if client, ok := from.(interface{ Rest() }); ok {
		return client.Rest
	}
	return nil
}

// rested tells the client's reader that all is read, so that nobody has to wait for it any more.
func rested(from io.Reader) {
	if client, ok := from.(interface{ Done() }); ok {
		client.Done()
	}
}

const pieceBytes = 32 << 10

type pieces struct {
	r    io.Reader
	rest func()
}

func (s *pieces) Read(p []byte) (int, error) {
	s.rest()
	return s.r.Read(p[:min(len(p), pieceBytes)])
}

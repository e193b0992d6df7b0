// Package unpack turns what slicers send into plain G-code text, while it comes: binary G-code (.bgcode), text packed with gzip, and the zip
// archives that Cura (.ufp), the relatives of Bambu Studio (.gcode.3mf) and people make. What a file is says its beginning, never its name.
//
//	bytes ─▶ Open looks at the first four ─▶ as it is
//	                                        ├▶ binary.go  blocks ─▶ inflate or heatshrink.go ─▶ gcode.MeatUnpacker
//	                                        ├▶ gzip       perhaps with binary G-code in it
//	                                        └▶ zip.go     a temporary file, then the one file in it that is G-code
//
// Everything is hostile. Memory is bounded whatever comes; how much text may come out is for the caller to say, who reads it.
package unpack

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// ErrPacked is wrapped by all errors that say that a file is damaged, or of a kind that cannot be unpacked. Errors of the reader come as they are.
var ErrPacked = errors.New("it cannot be unpacked")

// Text is the plain text of a file.
type Text struct {
	kind  string // for people; "" when the file is text already, or nothing that is known here
	text  io.Reader
	from  *witness
	spool *os.File // nil when none was needed
}

// Open looks at the beginning of r and returns its text. It blocks until that has come; of a zip archive, whose table of contents is at its
// end, until all has. That goes into the file that spool makes, which Close closes.
func Open(r io.Reader, spool func() (*os.File, error)) (*Text, error) {
	t := &Text{from: &witness{r: r}}
	in := bufio.NewReaderSize(t.from, pieceBytes)
	if err := t.open(in, spool); err != nil {
		t.Close()
		return nil, t.explain(err)
	}
	return t, nil
}

const pieceBytes = 32 << 10

func (t *Text) open(in *bufio.Reader, spool func() (*os.File, error)) (err error) {
	t.text, t.kind = in, kindOf(in)
	switch t.kind {
	case binaryKind:
		t.text = newBinary(in)
	case gzipKind:
		t.text, err = openGzip(in)
	case zipKind:
		if t.spool, err = spool(); err == nil {
			t.text, err = openZip(in, t.spool)
		}
	}
	return err
}

const (
	binaryKind = "binary G-code"
	gzipKind   = "gzip"
	zipKind    = "zip"
)

// kindOf knows what is packed by how it begins.
func kindOf(in *bufio.Reader) string {
	head, _ := in.Peek(4) // what is wrong with the reader is said by the first Read
	for _, known := range []struct{ magic, kind string }{
		{"GCDE", binaryKind}, {"\x1f\x8b", gzipKind}, {"PK\x03\x04", zipKind}, {"PK\x05\x06", zipKind},
	} {
		if bytes.HasPrefix(head, []byte(known.magic)) {
			return known.kind
		}
	}
	return ""
}

func openGzip(in *bufio.Reader) (io.Reader, error) {
	unpacked, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	inner := bufio.NewReaderSize(unpacked, pieceBytes)
	switch kindOf(inner) {
	case "":
		return inner, nil
	case binaryKind:
		return newBinary(inner), nil
	}
	return nil, errors.New("what is in it is packed again")
}

// Packed reports whether the text is other than what came.
func (t *Text) Packed() bool { return t.kind != "" }

// Read reads text. It ends with io.EOF only when all that was to come has come, and was whole.
func (t *Text) Read(p []byte) (int, error) {
	n, err := t.text.Read(p)
	if err != nil && err != io.EOF {
		err = t.explain(err)
	}
	return n, err
}

// explain tells an error of the reader from what decoders say of its data.
func (t *Text) explain(err error) error {
	switch {
	case t.from.err != nil:
		return t.from.err
	case t.kind == "" || errors.As(err, new(*os.PathError)): // of the spool
		return err
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %s: it ends too early", ErrPacked, t.kind)
	}
	// No %w: io's own errors are not to be found in it, for nobody cut the upload off.
	return fmt.Errorf("%w: %s: %s", ErrPacked, t.kind, strings.TrimPrefix(err.Error(), t.kind+": "))
}

// Close gives the temporary file back. It does not close the reader.
func (t *Text) Close() error {
	if t.spool == nil {
		return nil
	}
	return t.spool.Close()
}

// witness remembers what was wrong with a reader.
type witness struct {
	r   io.Reader
	err error
}

func (w *witness) Read(p []byte) (int, error) {
	n, err := w.r.Read(p)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

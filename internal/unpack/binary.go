package unpack

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"layerd/gcode"
)

// Binary G-code is Prusa's (libbgcode, doc/specifications.md): a header of the file and then blocks, each with a header of its own, parameters,
// data and, if the file has them, a checksum of all that. All numbers are little-endian.

const (
	fileMetadata = iota // kinds of blocks
	codeBlock
	slicerMetadata
	printerMetadata
	printMetadata
	thumbnailBlock
	kindsOfBlocks
)

const (
	stored = iota // compressions
	deflated
	heatshrunk11
	heatshrunk12
	compressions
)

const (
	noEncoding = iota // of G-code
	meatPack
	meatPackComments // the same, and comments stay
	encodings
)

const (
	maxAllNotes  = 4 << 20   // bytes of all blocks that are no G-code; of more nothing is kept
	maxNotes     = 1 << 20   // bytes of a block of metadata; of larger ones nothing is kept, a print does not need them
	maxThumbnail = 512 << 10 // what gcode.SurveyFile takes
)

// block is one block's header.
type block struct {
	kind        uint16
	compression uint16
	size        uint32 // of the data, when unpacked
	packed      uint32 // of the data as it comes
}

// binaryReader reads the text of binary G-code. The blocks of G-code come out as they are read; the metadata becomes comments, what is of the
// printer and thumbnails before it, the rest behind it, as Prusa's own converter has it.
type binaryReader struct {
	in      io.Reader // all bytes go through here, and into sum
	sum     hash.Hash32
	checked bool // the file has checksums
	begun   bool // the file's header was read
	number  int  // of the block under way, from 1; 0 before it
	printed bool // there was G-code
	ended   bool

	notes uint32 // bytes of blocks that were no G-code
	ready []byte // text that comes next
	after []byte // comments that come behind all G-code
	block block
	raw   io.LimitedReader // the data of the block under way
	code  io.Reader        // its text while it is G-code, else nil
	last  byte             // of the text so far

	data   *bufio.Reader // on raw
	zlib   io.ReadCloser
	shrunk heatshrink
	meat   meatReader
}

func newBinary(r io.Reader) *binaryReader {
	sum := crc32.NewIEEE()
	return &binaryReader{in: io.TeeReader(r, sum), sum: sum, data: bufio.NewReaderSize(nil, 4<<10)}
}

func (b *binaryReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for {
		switch {
		case len(b.ready) > 0:
			n := copy(p, b.ready)
			b.ready, b.last = b.ready[n:], p[n-1]
			return n, nil
		case b.ended:
			return 0, io.EOF
		}
		n, err := b.step(p)
		if n > 0 {
			b.last = p[n-1]
		}
		if n > 0 || err != nil {
			return n, b.fault(err)
		}
	}
}

func (b *binaryReader) fault(err error) error {
	if err == nil || b.number == 0 {
		return err
	}
	return fmt.Errorf("block %d: %w", b.number, err)
}

// step reads some text of a block of G-code, or goes on to the next block.
func (b *binaryReader) step(p []byte) (int, error) {
	if !b.begun {
		b.begun = true
		return 0, b.fileHeader()
	}
	if b.code == nil {
		return 0, b.next()
	}
	n, err := b.code.Read(p)
	if err == io.EOF {
		b.code = nil
		err = b.endBlock()
	}
	return n, err
}

func (b *binaryReader) fileHeader() error {
	var head [10]byte
	if _, err := io.ReadFull(b.in, head[:]); err != nil {
		return cutOff(err)
	}
	version, sums := binary.LittleEndian.Uint32(head[4:]), binary.LittleEndian.Uint16(head[8:])
	if version != 1 || sums > 1 {
		return fmt.Errorf("version %d with checksums of kind %d is not known here", version, sums)
	}
	b.checked = sums == 1
	return nil
}

// next reads the beginning of a block, and all of it unless it is G-code.
func (b *binaryReader) next() error {
	b.sum.Reset()
	var head [12]byte
	switch _, err := io.ReadFull(b.in, head[:8]); {
	case err == io.EOF:
		return b.end()
	case err != nil:
		return cutOff(err)
	}
	b.number++
	k := block{kind: binary.LittleEndian.Uint16(head[:]), compression: binary.LittleEndian.Uint16(head[2:]), size: binary.LittleEndian.Uint32(head[4:])}
	k.packed = k.size
	if k.kind >= kindsOfBlocks || k.compression >= compressions {
		return fmt.Errorf("its kind (%d) or compression (%d) is not known here", k.kind, k.compression)
	}
	if k.compression != stored {
		if _, err := io.ReadFull(b.in, head[8:]); err != nil {
			return cutOff(err)
		}
		k.packed = binary.LittleEndian.Uint32(head[8:])
	}
	var parameters [6]byte // of which only pictures have three
	n := 2
	if k.kind == thumbnailBlock {
		n = 6
	}
	if _, err := io.ReadFull(b.in, parameters[:n]); err != nil {
		return cutOff(err)
	}
	b.block, b.raw = k, io.LimitedReader{R: insistent{b.in}, N: int64(k.packed)}
	if k.kind == codeBlock {
		return b.beginCode(binary.LittleEndian.Uint16(parameters[:]))
	}
	if err := b.note(parameters); err != nil {
		return err
	}
	return b.endBlock()
}

// end comes where a block could begin.
func (b *binaryReader) end() error {
	b.number = 0
	if !b.printed {
		return errors.New("there is no G-code in it")
	}
	b.ended = true
	if b.last != '\n' {
		b.ready = append(b.ready, '\n')
	}
	b.ready = append(b.ready, b.after...)
	return nil
}

// endBlock reads what is left of a block, and its checksum.
func (b *binaryReader) endBlock() error {
	if _, err := io.Copy(io.Discard, &b.raw); err != nil {
		return err
	}
	if !b.checked {
		return nil
	}
	want := b.sum.Sum32()
	var sum [4]byte
	if _, err := io.ReadFull(b.in, sum[:]); err != nil {
		return cutOff(err)
	}
	if binary.LittleEndian.Uint32(sum[:]) != want {
		return errors.New("its checksum is wrong")
	}
	return nil
}

// cutOff is what an end in the middle means.
func cutOff(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// insistent is a reader whose end comes too early.
type insistent struct{ r io.Reader }

func (i insistent) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	return n, cutOff(err)
}

// unpacked returns the data of the block under way, decompressed: as long as its header says, or an error.
func (b *binaryReader) unpacked() (io.Reader, error) {
	b.data.Reset(&b.raw)
	var r io.Reader = b.data
	switch b.block.compression {
	case deflated:
		if b.zlib == nil {
			var err error
			if b.zlib, err = zlib.NewReader(b.data); err != nil {
				return nil, cutOff(err)
			}
		} else if err := b.zlib.(zlib.Resetter).Reset(b.data, nil); err != nil {
			return nil, cutOff(err)
		}
		r = b.zlib
	case heatshrunk11, heatshrunk12:
		b.shrunk.reset(b.data, 11+uint(b.block.compression-heatshrunk11))
		r = &b.shrunk
	}
	return &exactly{r: r, left: int64(b.block.size)}, nil
}

func (b *binaryReader) beginCode(encoding uint16) error {
	if encoding >= encodings {
		return fmt.Errorf("its encoding (%d) is not known here", encoding)
	}
	r, err := b.unpacked()
	if err != nil {
		return err
	}
	if !b.printed {
		b.ready = append(b.ready, '\n')
	}
	b.printed = true
	if b.code = r; encoding != noEncoding {
		b.meat = meatReader{r: r, in: b.meat.in, room: b.meat.room} // each block begins unpacked
		b.code = &b.meat
	}
	return nil
}

// exactly is an error where r is longer or shorter than left.
type exactly struct {
	r    io.Reader
	left int64
}

func (e *exactly) Read(p []byte) (int, error) {
	if e.left == 0 {
		var more [1]byte
		switch n, err := io.ReadFull(e.r, more[:]); {
		case n > 0:
			return 0, errors.New("its data are longer than its header says")
		default:
			return 0, err
		}
	}
	n, err := e.r.Read(p[:min(int64(len(p)), e.left)])
	e.left -= int64(n)
	if err == io.EOF && e.left > 0 {
		return n, errors.New("its data are shorter than its header says")
	}
	if err == io.EOF && n > 0 {
		err = nil // said again, and to one who asks for the rest
	}
	return n, err
}

// meatReader unpacks MeatPack.
type meatReader struct {
	r    io.Reader
	u    gcode.MeatUnpacker
	in   []byte // room for what is packed
	room []byte // and for text
	text []byte // what of it was not read yet
	less int    // bytes that were packed without becoming text, as far as can be told
	err  error
}

const maxLess = 4 << 10 // bytes; a packer writes commands where it begins, and three bytes for two characters at the worst

func (m *meatReader) Read(p []byte) (int, error) {
	if m.in == nil {
		m.in = make([]byte, 4<<10)
	}
	for len(m.text) == 0 && m.err == nil {
		var n int
		n, m.err = m.r.Read(m.in)
		m.room = m.u.AppendText(m.room[:0], m.in[:n])
		m.text = m.room
		if m.less = max(0, m.less+n-2*len(m.text)); m.less > maxLess && m.err == nil {
			m.err = errors.New("it is packed to nothing")
		}
	}
	if len(m.text) == 0 {
		return 0, m.err
	}
	n := copy(p, m.text)
	m.text = m.text[n:]
	return n, nil
}

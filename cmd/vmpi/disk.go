package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
)

// What flows here: the guest's disk ─▶ virtio ─▶ qemu ─▶ NBD ─▶ disk, over an image that is only read.
//
// It is as forgetful as an SD card: what was written is safe only once a flush has been answered. Of what was not, a power cut loses what the lot
// says, block by block, so that later writes may survive earlier ones. Killing qemu alone would lose nothing that the guest's kernel had sent.

const block = 4096

type disk struct {
	image *os.File
	size  int64

	mu    sync.Mutex       // guards all below
	kept  map[int64][]byte // blocks by number: safe
	fresh map[int64][]byte // written since the last flush
	flush int64            // how many flushes there were
}

func openDisk(image string) (*disk, error) {
	f, err := os.Open(image)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size()%block != 0 {
		return nil, fmt.Errorf("%s has %d bytes, which are no whole blocks", image, info.Size())
	}
	return &disk{image: f, size: info.Size(), kept: map[int64][]byte{}, fresh: map[int64][]byte{}}, nil
}

// at is the block as the guest sees it. mu is held.
func (d *disk) at(n int64) ([]byte, error) {
	if b := d.fresh[n]; b != nil {
		return b, nil
	}
	if b := d.kept[n]; b != nil {
		return b, nil
	}
	b := make([]byte, block)
	_, err := d.image.ReadAt(b, n*block)
	return b, err
}

// read fills p from offset on.
func (d *disk) read(p []byte, offset int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(p) > 0 {
		b, err := d.at(offset / block)
		if err != nil {
			return err
		}
		n := copy(p, b[offset%block:])
		p, offset = p[n:], offset+int64(n)
	}
	return nil
}

// write takes p at offset; with through it is safe when this returns.
func (d *disk) write(p []byte, offset int64, through bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for len(p) > 0 {
		n := offset / block
		old, err := d.at(n)
		if err != nil {
			return err
		}
		b := append([]byte(nil), old...)
		took := copy(b[offset%block:], p)
		p, offset = p[took:], offset+int64(took)
		if through {
			delete(d.fresh, n)
			d.kept[n] = b
			continue
		}
		d.fresh[n] = b
	}
	return nil
}

// sync makes safe what was written.
func (d *disk) sync() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for n, b := range d.fresh {
		d.kept[n] = b
	}
	clear(d.fresh)
	d.flush++
}

// cut is a power cut: each block that is not safe is lost or not, by lot.
func (d *disk) cut(lot *rand.Rand) (lost, unsafe int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	unsafe = len(d.fresh)
	for n, b := range d.fresh {
		if lot.IntN(2) == 0 {
			lost++
			continue
		}
		d.kept[n] = b
	}
	clear(d.fresh)
	return lost, unsafe
}

// written is how many MiB differ from the image.
func (d *disk) written() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return (len(d.kept) + len(d.fresh)) * block >> 20
}

// The protocol: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
const (
	nbdMagic, nbdOption        = 0x4e42444d41474943, 0x49484156454f5054 // "NBDMAGIC", "IHAVEOPT"
	nbdOptionReply             = 0x3e889045565a9
	nbdRequest, nbdSimpleReply = 0x25609513, 0x67446698

	nbdInfo, nbdGo                                   = 6, 7 // options
	nbdAck, nbdExport, nbdUnknown             uint32 = 1, 3, 1<<31 + 1
	nbdRead, nbdWrite, nbdEnd, nbdFlush              = 0, 1, 2, 3
	nbdHasFlags, nbdSendFlush, nbdSendThrough        = 1, 4, 8
	nbdThrough                                       = 1 // with a command: "FUA"
	nbdMost                                          = 32 << 20
)

// serve answers one qemu until it goes.
func (d *disk) serve(c net.Conn) error {
	if err := d.greet(c); err != nil {
		return fmt.Errorf("greet: %w", err)
	}
	for {
		var ask struct {
			Magic     uint32
			Flags, Do uint16
			Handle    uint64
			Offset    int64
			Length    uint32
		}
		if err := binary.Read(c, binary.BigEndian, &ask); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil
			}
			return err
		}
		inside := ask.Length <= nbdMost && ask.Offset >= 0 && ask.Offset+int64(ask.Length) <= d.size
		if ask.Magic != nbdRequest || !inside {
			return fmt.Errorf("no request that could be: %+v", ask)
		}
		data, err := make([]byte, 0), error(nil)
		switch ask.Do {
		case nbdRead:
			data = make([]byte, ask.Length)
			err = d.read(data, ask.Offset)
		case nbdWrite:
			p := make([]byte, ask.Length)
			if _, err := io.ReadFull(c, p); err != nil {
				return nil // cut off in mid-write: that was never answered
			}
			err = d.write(p, ask.Offset, ask.Flags&nbdThrough != 0)
		case nbdFlush:
			d.sync()
		case nbdEnd:
			return nil
		default:
			err = fmt.Errorf("request %d", ask.Do)
		}
		if err != nil {
			return err
		}
		reply := binary.BigEndian.AppendUint32(nil, nbdSimpleReply)
		reply = binary.BigEndian.AppendUint32(reply, 0)
		reply = append(binary.BigEndian.AppendUint64(reply, ask.Handle), data...)
		if _, err := c.Write(reply); err != nil {
			return nil
		}
	}
}

// greet tells a client of the one disk that there is.
func (d *disk) greet(c net.Conn) error {
	hello := binary.BigEndian.AppendUint64(nil, nbdMagic)
	hello = binary.BigEndian.AppendUint64(hello, nbdOption)
	if _, err := c.Write(append(hello, 0, 3)); err != nil { // newstyle, no zeroes
		return err
	}
	var theirs uint32
	if err := binary.Read(c, binary.BigEndian, &theirs); err != nil {
		return err
	}
	for {
		var option struct {
			Magic        uint64
			What, Length uint32
		}
		if err := binary.Read(c, binary.BigEndian, &option); err != nil {
			return err
		}
		if option.Magic != nbdOption || option.Length > 64<<10 {
			return fmt.Errorf("no option that could be: %+v", option)
		}
		if _, err := io.CopyN(io.Discard, c, int64(option.Length)); err != nil {
			return err
		}
		reply := func(kind uint32, data []byte) error {
			b := binary.BigEndian.AppendUint64(nil, nbdOptionReply)
			b = binary.BigEndian.AppendUint32(b, option.What)
			b = binary.BigEndian.AppendUint32(b, kind)
			b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
			_, err := c.Write(append(b, data...))
			return err
		}
		if option.What != nbdInfo && option.What != nbdGo {
			if err := reply(nbdUnknown, nil); err != nil {
				return err
			}
			continue
		}
		export := binary.BigEndian.AppendUint64([]byte{0, 0}, uint64(d.size))
		export = binary.BigEndian.AppendUint16(export, nbdHasFlags|nbdSendFlush|nbdSendThrough)
		if err := errors.Join(reply(nbdExport, export), reply(nbdAck, nil)); err != nil || option.What == nbdGo {
			return err
		}
	}
}

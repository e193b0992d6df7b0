package main

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// node is an open /dev/video…, spoken to without the package that is under test. The numbers are those of linux/videodev2.h.
type node struct{ f *os.File }

const (
	getFormat    = 0xc0d05604 // VIDIOC_G_FMT
	setFormat    = 0xc0d05605 // VIDIOC_S_FMT
	getControl   = 0xc008561b // VIDIOC_G_CTRL
	setControl   = 0xc008561c // VIDIOC_S_CTRL
	queryControl = 0xc0445624 // VIDIOC_QUERYCTRL

	nextControl  = 0x8000_0000 // V4L2_CTRL_FLAG_NEXT_CTRL
	videoCapture = 1           // enum v4l2_buf_type
	videoOutput  = 2
	fieldNone    = 1
	mjpg         = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
)

// format is struct v4l2_format for single-planar video.
type format struct {
	kind                                  uint32
	_                                     uint32
	width, height, pixels, field          uint32
	bytesPerLine, sizeImage, colours, own uint32
	_                                     [168]byte
}

type control struct {
	id    uint32
	value int32
}

// controlInfo is struct v4l2_queryctrl.
type controlInfo struct {
	id, kind               uint32
	name                   [32]byte
	min, max, step, preset int32
	flags                  uint32
	_                      [2]uint32
}

func openNode(path string) (node, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	return node{f}, err
}

func (n node) close() { n.f.Close() }

func (n node) ioctl(what string, request uintptr, arg unsafe.Pointer) error {
	if err := ioctl(int(n.f.Fd()), request, arg); err != nil {
		return fmt.Errorf("%s of %s: %w", what, n.f.Name(), err)
	}
	return nil
}

// size is what the driver says its pictures are.
func (n node) size() (width, height int, err error) {
	f := format{kind: videoCapture}
	err = n.ioctl("format", getFormat, unsafe.Pointer(&f))
	return int(f.width), int(f.height), err
}

// control finds a control by the name that the driver gives it.
func (n node) control(name string) (uint32, error) {
	info := controlInfo{}
	for {
		info.id |= nextControl
		if err := n.ioctl("control "+name, queryControl, unsafe.Pointer(&info)); err != nil {
			return 0, err
		}
		if unix.ByteSliceToString(info.name[:]) == name {
			return info.id, nil
		}
	}
}

func (n node) value(id uint32) (int32, error) {
	c := control{id: id}
	err := n.ioctl("control", getControl, unsafe.Pointer(&c))
	return c.value, err
}

func (n node) set(id uint32, value int32) error {
	c := control{id, value}
	return n.ioctl("control", setControl, unsafe.Pointer(&c))
}

// openFeed opens the writing side of a v4l2loopback device: what is written is what its camera side shows, a picture with each write.
func openFeed(path string, width, height int) (node, error) {
	n, err := openNode(path)
	if err != nil {
		return n, err
	}
	f := format{kind: videoOutput, width: uint32(width), height: uint32(height), pixels: mjpg, field: fieldNone}
	if err := n.ioctl("output format", setFormat, unsafe.Pointer(&f)); err != nil {
		n.close()
		return n, err
	}
	return n, nil
}

func (n node) write(picture []byte) error {
	_, err := n.f.Write(picture)
	return err
}

package camera

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/blackjack/webcam"
	"golang.org/x/sys/unix"
)

// What the webcam library does not ask the kernel: defaults, flags and menus of controls, and what a node itself can do.

// Request numbers, _IOR or _IOWR of 'V', the number in videodev2.h and the size of the struct.
const (
	vidiocQuerycap  = 0x80685600
	vidiocGCtrl     = 0xc008561b
	vidiocSCtrl     = 0xc008561c
	vidiocQueryctrl = 0xc0445624
	vidiocQuerymenu = 0xc02c5625
)

// capability is v4l2_capability.
type capability struct {
	driver        [16]byte
	card, bus     [32]byte
	version       uint32
	physical, own uint32 // of the whole device, and of this node
	_             [3]uint32
}

const (
	capCapture   = 0x00000001
	capStreaming = 0x04000000
	capOwn       = 0x80000000 // own is filled in, as it has been since Linux 3.4
)

// descriptor is an open device's. It is good until the Webcam is closed, and for the goroutine that owns it.
type descriptor uintptr

// descriptorOf reaches for an unexported field of the library, whose being there is tested.
func descriptorOf(w *webcam.Webcam) (descriptor, error) {
	fd := reflect.ValueOf(w).Elem().FieldByName("fd")
	if !fd.CanUint() {
		return 0, fmt.Errorf("webcam library: %w", unix.EBADF)
	}
	return descriptor(fd.Uint()), nil
}

// ioctl asks until no signal comes between. The pointer becomes a number in the call itself, where the memory is kept alive.
func (fd descriptor) ioctl(request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		if no == 0 {
			return nil
		}
		if no != unix.EINTR {
			return no
		}
	}
}

func (fd descriptor) query(q *queryctrl) error { return fd.ioctl(vidiocQueryctrl, unsafe.Pointer(q)) }
func (fd descriptor) menu(m *querymenu) error  { return fd.ioctl(vidiocQuerymenu, unsafe.Pointer(m)) }
func (fd descriptor) get(v *ctrlValue) error   { return fd.ioctl(vidiocGCtrl, unsafe.Pointer(v)) }
func (fd descriptor) set(v *ctrlValue) error   { return fd.ioctl(vidiocSCtrl, unsafe.Pointer(v)) }

// captures tells whether this node delivers pictures. The library looks at what the whole device can do, of which a node for metadata is a part.
func (fd descriptor) captures() (bool, error) {
	var c capability
	if err := fd.ioctl(vidiocQuerycap, unsafe.Pointer(&c)); err != nil {
		return false, err
	}
	return c.captures(), nil
}

func (c capability) captures() bool {
	can := c.physical
	if can&capOwn != 0 {
		can = c.own
	}
	return can&capCapture != 0 && can&capStreaming != 0
}

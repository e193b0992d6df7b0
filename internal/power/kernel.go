package power

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernel are the chips of /dev, by version 2 of the GPIO character device's interface (linux/gpio.h; Linux 5.10 and newer). The structs are laid out as C's are,
// on 32 and on 64 bits: kernel_test.go has a C compiler say so.
type kernel struct{ dev string } // "/dev"

// Request numbers: _IOR or _IOWR of 0xB4, the number in gpio.h, and the size of the struct.
const (
	getChipInfo = 0x8044b401
	getLine     = 0xc250b407
	setConfig   = 0xc110b40d
	getValues   = 0xc010b40e
	setValues   = 0xc010b40f
)

const (
	flagActiveLow = 1 << 1
	flagOutput    = 1 << 3
	attrValues    = 2 // of an attribute: the values of outputs
)

type chipInfo struct { // gpiochip_info
	name, label [32]byte
	lines       uint32
}

type lineAttribute struct { // gpio_v2_line_config_attribute
	id, _  uint32
	values uint64 // the union of it
	mask   uint64 // of lines
}

type lineConfig struct { // gpio_v2_line_config
	flags    uint64
	numAttrs uint32
	_        [5]uint32
	attrs    [10]lineAttribute
}

type lineRequest struct { // gpio_v2_line_request
	offsets  [64]uint32
	consumer [32]byte
	config   lineConfig
	numLines uint32
	_        uint32 // event_buffer_size
	_        [5]uint32
	fd       int32
}

type lineValues struct{ bits, mask uint64 } // gpio_v2_line_values

func (k kernel) list() (all []Chip, first error) {
	paths, err := filepath.Glob(filepath.Join(k.dev, "gpiochip*"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		var info chipInfo
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err == nil {
			err = ioctl(int(f.Fd()), getChipInfo, unsafe.Pointer(&info))
			f.Close()
		}
		if err == nil {
			all = append(all, Chip{Name: text(info.name[:]), Label: text(info.label[:]), Lines: int(info.lines)})
		} else if first == nil {
			first = fmt.Errorf("look at %s: %w", path, err)
		}
	}
	return all, first
}

func text(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(bytes.ToValidUTF8(b, nil))
}

// take asks for the line as it is, reads it, and then drives it so, unless it is only to be looked at.
func (k kernel) take(name string, line int, activeLow, look bool) (held, error) {
	f, err := os.OpenFile(filepath.Join(k.dev, filepath.Base(name)), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the line has a descriptor of its own
	flags := uint64(0)
	if activeLow {
		flags = flagActiveLow
	}
	request := lineRequest{numLines: 1, config: lineConfig{flags: flags}}
	request.offsets[0] = uint32(line)
	copy(request.consumer[:31], "layerd")
	if err := ioctl(int(f.Fd()), getLine, unsafe.Pointer(&request)); err != nil {
		if errors.Is(err, unix.EBUSY) {
			return nil, errors.New("another program or driver has it")
		}
		return nil, err
	}
	unix.CloseOnExec(int(request.fd))
	l := lineOf(request.fd)
	on, err := l.get()
	if err == nil && !look {
		config := lineConfig{flags: flags | flagOutput, numAttrs: 1}
		config.attrs[0] = lineAttribute{id: attrValues, values: bit(on), mask: 1}
		err = ioctl(int(l), setConfig, unsafe.Pointer(&config))
	}
	if err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

// lineOf is the descriptor of one line that is ours.
type lineOf int32

func (l lineOf) set(on bool) error {
	return ioctl(int(l), setValues, unsafe.Pointer(&lineValues{bits: bit(on), mask: 1}))
}

func (l lineOf) get() (bool, error) {
	v := lineValues{mask: 1}
	err := ioctl(int(l), getValues, unsafe.Pointer(&v))
	return v.bits&1 == 1, err
}

func (l lineOf) close() error { return unix.Close(int(l)) }

func bit(on bool) uint64 {
	if on {
		return 1
	}
	return 0
}

// ioctl asks until no signal comes between.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		if no == 0 {
			return nil
		}
		if no != unix.EINTR {
			return os.NewSyscallError("ioctl", no)
		}
	}
}

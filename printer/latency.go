package printer

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// serialStruct has room for linux/serial.h's struct serial_struct, of 60 or 72 bytes; flags is its fifth int.
type serialStruct [32]int32

func (s *serialStruct) flags() *int32 { return &s[4] }

// asyncLowLatency is ASYNC_LOW_LATENCY of linux/tty_flags.h, which everybody may set (ASYNC_USR_MASK).
const asyncLowLatency = 1 << 13

// askLowLatency asks the driver to hand over what came without waiting for more. An FTDI chip keeps bytes back for 16 ms after the last else,
// which is longer than most moves: its driver then sets the chip's timer to 1 ms (ftdi_sio.c, set_serial_info, write_latency_timer). For others it
// does nothing, or fails: a pty has no such ioctl (ENOTTY), cdc-acm and other drivers may say EINVAL. It is worth asking and nothing more.
func askLowLatency(ioctl func(request uint, s *serialStruct) error) error {
	var s serialStruct
	if err := ioctl(unix.TIOCGSERIAL, &s); err != nil {
		return err
	}
	if *s.flags()&asyncLowLatency != 0 {
		return nil
	}
	*s.flags() |= asyncLowLatency
	return ioctl(unix.TIOCSSERIAL, &s)
}

func ioctlSerial(fd int, request uint, s *serialStruct) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(unsafe.Pointer(s))); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}

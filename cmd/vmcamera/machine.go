package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// startMachine does what an init system would do: the kernel's file systems, the modules, the loopback network.
func startMachine() error {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}, {"tmpfs", "/tmp"}} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return fmt.Errorf("make %s: %w", m[1], err)
		}
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	if err := os.Setenv("PATH", "/bin"); err != nil {
		return err
	}
	if err := loadModules("/modules/list"); err != nil {
		return err
	}
	return loopbackUp()
}

// loadModules loads what the list names, one a line: the file, then its parameters. Each comes after those that it needs.
func loadModules(list string) error {
	f, err := os.Open(list)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, parameters, _ := strings.Cut(lines.Text(), " ")
		if err := loadModule(name, parameters); err != nil {
			return fmt.Errorf("load %s: %w", name, err)
		}
	}
	return nil
}

func loadModule(name, parameters string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.FinitModule(int(f.Fd()), parameters, 0)
}

// loopbackUp lets programs in here speak to each other over 127.0.0.1.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("loopback network: %w", err)
	}
	defer unix.Close(s)
	var request struct { // struct ifreq
		name  [unix.IFNAMSIZ]byte
		flags uint16
		_     [22]byte
	}
	copy(request.name[:], "lo")
	request.flags = unix.IFF_UP | unix.IFF_RUNNING
	if err := ioctl(s, unix.SIOCSIFFLAGS, unsafe.Pointer(&request)); err != nil {
		return fmt.Errorf("loopback network: %w", err)
	}
	return nil
}

// ioctl is the system call; what arg points to must be as the request wants it.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	if _, _, no := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg)); no != 0 {
		return no
	}
	return nil
}

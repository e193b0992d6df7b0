package printer

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ready tells when there is something to read at a descriptor, and nothing else. Go's own poller watches for room to write as well, and so it would wake a
// thread each time that the driver has sent something, with nobody who waits for that: twice and more for each line of a print. So a poller that watches for
// what comes alone stands between, and Go's watches that one (epoll(7) allows it).
type ready struct {
	poller *os.File
	raw    syscall.RawConn // of it
}

// listenAt begins to watch fd, until Close.
func listenAt(fd int) (*ready, error) {
	poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	err = unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
	if err == nil {
		err = unix.SetNonblock(poller, true) // else Go does not watch it
	}
	r := &ready{poller: os.NewFile(uintptr(poller), "epoll")}
	if err == nil {
		r.raw, err = r.poller.SyscallConn()
	}
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// wait calls take, and again each time that something has come, until it returns true. It fails when Close was called.
func (r *ready) wait(take func(uintptr) bool) error { return r.raw.Read(take) }

// Close ends wait, and returns when take does not run any more. A nil ready has nothing to close.
func (r *ready) Close() error {
	if r == nil {
		return nil
	}
	return r.poller.Close()
}

// openUnwatched opens a terminal that does not block, and that Go's poller leaves alone.
func openUnwatched(path string) (*os.File, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	for errors.Is(err, unix.EINTR) {
		fd, err = unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	if err := unix.SetNonblock(fd, false); err != nil { // NewFile has the poller watch what does not block
		unix.Close(fd)
		return nil, err
	}
	file := os.NewFile(uintptr(fd), path)
	if err := unix.SetNonblock(fd, true); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// atOnce reads into b, or writes it, at a descriptor that does not block. It does not tell Go that the thread may be gone for a while, which it is not: told so for each
// line of a print, Go wakes another thread each time, which watches over those that are gone.
func atOnce(call, fd uintptr, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, _, errno := unix.RawSyscall(call, fd, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

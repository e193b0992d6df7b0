package printer

import (
	"testing"

	"golang.org/x/sys/unix"
)

// What the driver has sent wakes nobody; what has come does.
func TestOnlyWhatComesWakes(t *testing.T) {
	master, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 250000)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	outer, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC) // as Go's poller has it: edges, of both kinds
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(outer)
	inner := port.(*tty).come.poller
	raw, err := inner.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		failed = unix.EpollCtl(outer, unix.EPOLL_CTL_ADD, int(fd), &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET})
	})
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	wakes := func() int {
		n, err := unix.EpollWait(outer, make([]unix.EpollEvent, 4), 0)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	b := make([]byte, 64)
	for range 100 {
		if n := port.(interface{ TryWrite([]byte) int }).TryWrite([]byte("N1 G1 X1*99\n")); n != 12 {
			t.Fatalf("the port took %d bytes", n)
		}
		if _, err := master.Read(b); err != nil {
			t.Fatal(err)
		}
		if n := wakes(); n != 0 {
			t.Fatal("a line that was sent wakes somebody")
		}
	}
	for range 3 {
		if _, err := master.Write([]byte("ok\n")); err != nil {
			t.Fatal(err)
		}
		for woken := false; !woken; { // a pty hands over by a worker of the kernel
			woken = wakes() > 0
		}
		if n, err := port.Read(b); err != nil || string(b[:n]) != "ok\n" {
			t.Fatalf("got %q, %v", b[:n], err)
		}
	}
}

// A cable that is pulled ends a Read that waits and a Write that hangs.
func TestAHangUpEndsReadAndWrite(t *testing.T) {
	master, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 250000)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	for port.(*tty).TryWrite(make([]byte, 1000)) > 0 { // nobody reads the master
	}
	ended := make(chan error, 2)
	go func() {
		_, err := port.Read(make([]byte, 64))
		ended <- err
	}()
	go func() {
		_, err := port.Write(make([]byte, 16<<10))
		ended <- err
	}()
	if err := master.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-ended; err == nil {
			t.Error("it ended without an error")
		}
	}
	if n := port.(*tty).TryWrite([]byte("M105\n")); n != 0 {
		t.Errorf("a port that is gone took %d bytes", n)
	}
}

package printer

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// openPTY returns the master of a new pseudo terminal and its slave's path.
func openPTY(t *testing.T) (*os.File, string) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	master := os.NewFile(uintptr(fd), "ptmx")
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return master, "/dev/pts/" + strconv.Itoa(n)
}

func TestOpenTTYNamesWhyNot(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("not a port"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, taken := openPTY(t)
	first, err := OpenTTY(t.Context(), taken, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	for _, c := range []struct {
		path string
		want FaultCode
		says string
	}{
		{filepath.Join(dir, "missing"), FaultPortMissing, "There is no port"},
		{plain, FaultPortOpen, "is not a serial port"},
		{"/dev/null", FaultPortOpen, "is not a serial port"},
		{dir, FaultPortOpen, "is not a serial port"},
		{taken, FaultPortBusy, "Another program uses"},
	} {
		port, err := OpenTTY(t.Context(), c.path, 115200)
		if err == nil {
			port.Close()
		}
		var f *Fault
		if !errors.As(err, &f) || f.Code != c.want || !strings.Contains(f.Message, c.says) {
			t.Errorf("%s: got %v, want a fault %s with %q", c.path, err, c.want, c.says)
		}
	}
}

func TestTTYCarriesBytesAndClearsHUPCL(t *testing.T) {
	master, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 250000)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := port.(*tty).own.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var term *unix.Termios
	if failed := conn.Control(func(fd uintptr) { term, err = unix.IoctlGetTermios(int(fd), unix.TCGETS2) }); failed != nil {
		t.Fatal(failed)
	}
	if err != nil || term.Cflag&unix.HUPCL != 0 || term.Ospeed != 250000 {
		t.Errorf("got HUPCL %v speed %d, %v, want it cleared at 250000", term.Cflag&unix.HUPCL != 0, term.Ospeed, err)
	}
	if _, err := port.Write([]byte("M105\n")); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 64)
	if n, err := master.Read(b); err != nil || string(b[:n]) != "M105\n" {
		t.Errorf("master got %q, %v", b[:n], err)
	}
	if _, err := master.Write([]byte("ok\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := port.Read(b); err != nil || string(b[:n]) != "ok\n" {
		t.Errorf("port got %q, %v", b[:n], err)
	}
	if err := port.SetBaud(57600); err != nil {
		t.Error(err)
	}
	if tried, err := port.Reset(); tried || err != nil {
		t.Errorf("a pty has no DTR: got tried %v, %v", tried, err)
	}
	read := make(chan error, 1)
	go func() { _, err := port.Read(b); read <- err }()
	if err := port.Close(); err != nil {
		t.Error(err)
	}
	if err := <-read; err == nil {
		t.Error("Close did not end the Read with an error")
	}
	again, err := OpenTTY(t.Context(), path, 115200)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
}

// A camera's program that we start must not keep the printer's port open.
func TestChildrenDoNotInheritThePort(t *testing.T) {
	_, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	out, err := exec.Command("/bin/ls", "-l", "/proc/self/fd").CombinedOutput()
	if err != nil || strings.Contains(string(out), path+"\n") {
		t.Errorf("a child has %s open: %v\n%s", path, err, out)
	}
}

// A host that hangs leaves the pty's buffer full; a line must still close without its writer inside.
func TestLineClosesUnderABlockedWrite(t *testing.T) {
	_, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	l := openLine(port)
	l.write(make([]byte, 16<<10)) // nobody reads the master
	select {
	case err := <-l.written():
		t.Fatalf("a write of 16 KiB to nobody ended: %v", err)
	case <-time.After(50 * time.Millisecond): // it hangs, as it should
	}
	<-l.shut()
}

func TestListTTYs(t *testing.T) {
	root := t.TempDir()
	usb := filepath.Join(root, "sys/devices/pci0/usb1/1-1/1-1.2")
	device := filepath.Join(usb, "1-1.2:1.0/ttyUSB0")
	for name, text := range map[string]string{"idVendor": "1a86\n", "idProduct": "7523\n", "product": "USB Serial\n"} {
		write(t, filepath.Join(usb, name), text)
	}
	link(t, device, filepath.Join(root, "sys/class/tty/ttyUSB0/device"))
	link(t, filepath.Join(root, "sys/devices/platform/serial"), filepath.Join(root, "sys/class/tty/ttyS0/device"))
	ports, err := listTTYs(root)
	want := PortInfo{Path: "/dev/ttyUSB0", Name: "USB Serial", Vendor: "1a86", Product: "7523", USBPath: "1-1.2"}
	if err != nil || len(ports) != 1 || ports[0] != want {
		t.Fatalf("got %+v, %v, want %+v", ports, err, want)
	}
	if got := ports[0].Identity(); got != "1a86:7523@1-1.2" {
		t.Errorf("identity without serial number: got %q", got)
	}
	write(t, filepath.Join(usb, "serial"), "ABC\n")
	if err := os.MkdirAll(filepath.Join(root, "dev/serial/by-id"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../ttyUSB0", filepath.Join(root, "dev/serial/by-id/usb-1a86_USB_Serial-if00-port0")); err != nil {
		t.Fatal(err)
	}
	ports, _ = listTTYs(root)
	if ports[0].Path != "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0" || ports[0].Identity() != "1a86:7523:ABC" {
		t.Errorf("with udev: got %+v", ports[0])
	}
	if none, err := listTTYs(t.TempDir()); err != nil || len(none) != 0 {
		t.Errorf("without sysfs: got %v, %v", none, err)
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, to, at string) {
	t.Helper()
	for _, dir := range []string{to, filepath.Dir(at)} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(to, at); err != nil {
		t.Fatal(err)
	}
}

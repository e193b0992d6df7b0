package printer

import (
	"bytes"
	"cmp"
	"errors"
	"io"
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
	var term *unix.Termios
	var exclusive int
	err = port.(*tty).control(func(fd int) (err error) {
		if exclusive, err = unix.IoctlGetInt(fd, unix.TIOCGEXCL); err == nil {
			term, err = unix.IoctlGetTermios(fd, unix.TCGETS2)
		}
		return err
	})
	if err != nil || exclusive == 0 {
		t.Fatalf("exclusive %d, %v", exclusive, err)
	}
	if port.(*tty).Native() {
		t.Error("a pty holds back nothing")
	}
	if term.Cflag&unix.HUPCL != 0 || term.Ospeed != 250000 {
		t.Errorf("got HUPCL %v speed %d, want it cleared at 250000", term.Cflag&unix.HUPCL != 0, term.Ospeed)
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

// A driver's answers to the two ioctls. On the pty of the other tests both fail, and the port opens all the same.
func TestLowLatency(t *testing.T) {
	for name, c := range map[string]struct {
		flags    int32
		get, set error
		want     int32 // as the driver has them after it
		calls    int
	}{
		"FTDI":            {flags: 0x30, want: 0x30 | 1<<13, calls: 2},
		"already":         {flags: 0x30 | 1<<13, want: 0x30 | 1<<13, calls: 1},
		"not a UART":      {flags: 0x30, get: unix.ENOTTY, want: 0x30, calls: 1},
		"may not be set":  {flags: 0x30, set: unix.EPERM, want: 0x30, calls: 2},
		"knows it not":    {flags: 0x30, set: unix.EINVAL, want: 0x30, calls: 2},
		"nothing is told": {want: 1 << 13, calls: 2},
	} {
		driver, calls := serialStruct{3, 1, 0x3f8, 4, c.flags, 16, 0, 115200, 50, -1, 7}, 0
		before := driver
		err := askLowLatency(func(request uint, s *serialStruct) error {
			calls++
			switch request {
			case unix.TIOCGSERIAL:
				if c.get == nil {
					*s = driver
				}
				return c.get
			case unix.TIOCSSERIAL:
				if c.set == nil {
					driver = *s
				}
				return c.set
			}
			return unix.EBADRQC
		})
		before[4] = c.want
		if driver != before || calls != c.calls || !errors.Is(err, cmp.Or(c.get, c.set)) {
			t.Errorf("%s: got %v after %d calls, %v, want %v after %d", name, driver, calls, err, before, c.calls)
		}
	}
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
	l.gather(make([]byte, 16<<10))
	l.send() // nobody reads the master
	select {
	case err := <-l.written():
		t.Fatalf("a write of 16 KiB to nobody ended: %v", err)
	case <-time.After(50 * time.Millisecond): // it hangs, as it should
	}
	<-l.shut()
}

// A write that was about to begin when all was thrown away ends like one under way: it cannot hang ahead of what is urgent.
func TestDiscardLastsUntilRearm(t *testing.T) {
	_, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if err := port.Discard(); err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write(make([]byte, 16<<10)); !errors.Is(err, os.ErrDeadlineExceeded) { // nobody reads the master
		t.Errorf("got %v", err)
	}
	port.(rearmer).Rearm()
	if n, err := port.Write([]byte("\nM112\n")); n != 6 || err != nil {
		t.Errorf("what is urgent: %d bytes, %v", n, err)
	}
}

// What the system takes at once goes at once, the rest by the writer, and all of it in order.
func TestLinesGoInOrderWhenThePortIsFull(t *testing.T) {
	master, path := openPTY(t)
	port, err := OpenTTY(t.Context(), path, 115200)
	if err != nil {
		t.Fatal(err)
	}
	l := openLine(port)
	var want []byte
	say := func(n int) (said, writing bool) {
		text := bytes.Repeat([]byte{byte('a' + len(want)%23)}, n)
		want = append(want, text...)
		l.gather(text)
		return l.send()
	}
	if said, writing := say(40); !said || writing {
		t.Errorf("a line into an empty port: got said %v, writing %v, want no need of the writer", said, writing)
	}
	for writing := false; !writing; { // nobody reads the master
		_, writing = say(1000)
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(master, got); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %d bytes, %v, want those that were written, in order", len(got), err)
	}
	if err := <-l.written(); err != nil {
		t.Error(err)
	}
	for range 3 { // the system is full of what is thrown away, and what comes then waits for nothing
		for writing := false; !writing; {
			_, writing = say(1000)
		}
		l.writeNow([]byte("\nM112\n"))
		if err := <-l.written(); err != nil {
			t.Error(err)
		}
		l.gather([]byte("M105\n"))
		if _, writing := l.send(); writing {
			if err := <-l.written(); err != nil {
				t.Error(err)
			}
		}
	}
	rest := make([]byte, 0, 1<<20)
	for !bytes.HasSuffix(rest, []byte("\nM112\nM105\n")) { // else it never ends
		b := make([]byte, 4096)
		n, err := master.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		rest = append(rest, b[:n]...)
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
	ports, err := TTYsBelow(root)
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
	ports, _ = TTYsBelow(root)
	if ports[0].Path != "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0" || ports[0].Identity() != "1a86:7523:ABC" {
		t.Errorf("with udev: got %+v", ports[0])
	}
	if none, err := TTYsBelow(t.TempDir()); err != nil || len(none) != 0 {
		t.Errorf("without sysfs: got %v, %v", none, err)
	}
}

// Which ports hold back what the board has no room for. Drivers are as the kernel names them in sysfs.
func TestNativePorts(t *testing.T) {
	for _, c := range []struct {
		tty, driver, vendor, product string
		want                         bool
	}{
		{"ttyACM0", "cdc_acm", "0483", "5740", true},             // an STM32
		{"ttyACM0", "cdc_acm", "1d50", "6029", true},             // Marlin on an LPC1768
		{"ttyACM0", "cdc_acm", "1eaf", "0004", true},             // Maple
		{"ttyACM0", "cdc_acm", "2c99", "000c", true},             // Prusa MINI
		{"ttyACM0", "cdc_acm", "2c99", "0002", false},            // Prusa MK3: a 32U2
		{"ttyACM0", "cdc_acm", "2341", "0042", false},            // Arduino Mega: a 16U2
		{"ttyACM0", "cdc_acm", "2341", "0043", false},            // Arduino Uno
		{"ttyACM0", "cdc_acm", "2341", "003d", false},            // Arduino Due's programming port
		{"ttyACM0", "cdc_acm", "2341", "003e", true},             // and its own
		{"ttyACM0", "cdc_acm", "27b1", "0001", false},            // RAMBo
		{"ttyACM0", "cdc_acm", "1a86", "55d3", false},            // CH343
		{"ttyACM0", "cdc_acm", "0483", "374b", false},            // the bridge of an ST-Link
		{"ttyUSB0", "ch341-uart", "1a86", "7523", false},         // CH340
		{"ttyUSB0", "cp210x", "10c4", "ea60", false},             //
		{"ttyUSB0", "ftdi_sio", "0403", "6001", false},           //
		{"ttyUSB0", "pl2303", "067b", "2303", false},             //
		{"ttyUSB0", "usb_serial_generic", "0483", "5740", false}, // not what we think it is
		{"ttyACM0", "", "0483", "5740", false},                   // no driver is told
		{"ttyACM0", "cdc_acm", "", "", false},                    // not USB
	} {
		root := t.TempDir()
		usb := filepath.Join(root, "sys/devices/pci0/usb1/1-1")
		device := filepath.Join(usb, "1-1:1.0")
		if c.tty == "ttyUSB0" {
			device = filepath.Join(device, c.tty) // usb-serial has a device of its own between
		}
		link(t, device, filepath.Join(root, "sys/class/tty", c.tty, "device"))
		if c.vendor != "" {
			write(t, filepath.Join(usb, "idVendor"), c.vendor+"\n")
			write(t, filepath.Join(usb, "idProduct"), c.product+"\n")
		}
		if c.driver != "" {
			link(t, filepath.Join(root, "sys/bus/usb/drivers", c.driver), filepath.Join(device, "driver"))
		}
		ports, err := TTYsBelow(root)
		if err != nil || len(ports) != 1 || ports[0].Driver != c.driver || ports[0].Native() != c.want {
			t.Errorf("%s of %s:%s: got %+v, %v, want native %v", c.driver, c.vendor, c.product, ports, err, c.want)
		}
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

package printer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestWhatToDoAboutAPortThatMayNotBeOpened(t *testing.T) {
	dir := t.TempDir()
	link := func(name string) string { // as /dev/serial/by-id has them
		path := filepath.Join(dir, "usb-to-"+name)
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, path); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		path string
		err  error
		code FaultCode
		next []string
	}{
		{"/dev/ttyUSB0", unix.EACCES, FaultPortDenied, []string{"group dialout", "usermod -aG dialout", "start layerd again"}},
		{"/dev/ttyUSB0", unix.EPERM, FaultPortDenied, []string{"sudo systemctl restart layerd", "echo usbserial | sudo tee /etc/modules-load.d/"}},
		{link("ttyACM1"), unix.EPERM, FaultPortDenied, []string{"sudo systemctl restart layerd", "echo cdc_acm"}},
		{"/dev/ttyAMA0", unix.EPERM, FaultPortDenied, []string{"sudo systemctl edit layerd", "DeviceAllow=/dev/ttyAMA0 rw"}},
		{"/dev/ttyUSB0", unix.EBUSY, FaultPortBusy, []string{"Stop the other program", "ModemManager", "brltty", "sudo fuser -v /dev/ttyUSB0"}},
	} {
		f := openFault(c.path, fmt.Errorf("open: %w", &os.PathError{Op: "open", Path: c.path, Err: c.err}))
		if f.Code != c.code || f.Said == "" {
			t.Errorf("%v: %+v", c.err, f)
		}
		for _, want := range c.next {
			if !strings.Contains(f.Next, want) {
				t.Errorf("%s, %v: %q does not say %q", c.path, c.err, f.Next, want)
			}
		}
	}
}

func TestWhoHoldsAPort(t *testing.T) {
	proc := t.TempDir()
	process := func(pid, name string, opened ...string) {
		t.Helper()
		fds := filepath.Join(proc, pid, "fd")
		err := os.MkdirAll(fds, 0o700)
		for i, to := range opened {
			if err == nil {
				err = os.Symlink(to, filepath.Join(fds, fmt.Sprint(i)))
			}
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(proc, pid, "comm"), []byte(name), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	process("7", "layerd\n", "/dev/ttyUSB0")
	process("12", "bash\n", "/dev/pts/1", "/dev/ttyUSB1")
	if got := holder(proc, "/dev/ttyUSB0", 7); got != "" {
		t.Errorf("nobody holds it, got %q", got)
	}
	process("812", "\x1b[31moctoprint\xff\n", "/dev/null", "/dev/ttyUSB0")
	if got, want := holder(proc, "/dev/ttyUSB0", 7), "[31moctoprint (process 812)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

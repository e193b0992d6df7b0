package health

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// plant makes a folder that looks like a machine from testdata/NAME.tree: "== path" begins a file, "== path -> target" is a link, "#" a remark before the first.
func plant(t *testing.T, name string) *Machine {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name+".tree"))
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for _, part := range strings.Split("\n"+string(b), "\n== ")[1:] {
		head, text, _ := strings.Cut(part, "\n")
		path, target, isLink := strings.Cut(head, " -> ")
		path = filepath.Join(root, path)
		must(t, os.MkdirAll(filepath.Dir(path), 0o755))
		if isLink {
			must(t, os.Symlink(target, path))
		} else {
			must(t, os.WriteFile(path, []byte(text), 0o644))
		}
	}
	m := &Machine{Root: root, Data: "/var/lib/layerd", Kernel: fakeKernel()}
	if said, there := m.text("mailbox"); there { // what vcgencmd get_throttled says there
		m.Kernel.Firmware = func() (uint32, error) { return throttledText(said) }
	}
	return m
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fakeKernel has a big disk, a right clock, and no mailbox; everybody may open everything.
func fakeKernel() Kernel {
	return Kernel{
		Now: func() time.Time { return time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC) },
		Disk: func(string) (Disk, error) {
			return Disk{Free: 20e9, Total: 32e9, FreeInodes: 900, AllInodes: 1000}, nil
		},
		MayOpen:  func(string) error { return nil },
		Owner:    func(string) (int, error) { return 20, nil },
		Synced:   func() (bool, error) { return true, nil },
		Firmware: func() (uint32, error) { return 0, errors.New("no mailbox") },
		Sleeps:   func(string) (bool, error) { return false, nil },
		PID:      1000,
	}
}

func look(t *testing.T, m *Machine) map[string]Check {
	t.Helper()
	all := map[string]Check{}
	for _, c := range m.Look(t.Context()).Checks {
		all[c.ID] = c
	}
	return all
}

// TestEveryMachine says of each whole machine what each check comes to: its level, and words that must be in what is said.
func TestEveryMachine(t *testing.T) {
	for name, want := range map[string]map[string][]string{
		"pi4": {
			"daemon": {"ok", "process 812"}, "power": {"ok"}, "throttling": {"ok"}, "temperature": {"ok", "53 °C"}, "disk": {"ok", "20.0 GB of 32.0 GB"},
			"card": {"unknown", "mmcblk0"}, "memory": {"ok", "1.5 GB of 1.9 GB"}, "clock": {"ok"}, "port": {"ok", "/dev/serial/by-id/usb-1a86_USB_Serial-if00-port0", "in use by layerd"},
			"grabbers": {"ok"}, "usb": {"ok"}, "camera": {"ok", "/dev/video0."}, "wifi": {"ok", "-48 dBm"}, "load": {"ok", "0.4 on 4"},
			"machine": {"ok", "Raspberry Pi 4 Model B Rev 1.4, Linux 6.6.51+rpt-rpi-v8, aarch64, Debian GNU/Linux 12"},
		},
		"pi3": {
			"daemon": {"note", "does not run"}, "power": {"bad", "now", "power supply"}, "throttling": {"warn", "slowed down now"}, "temperature": {"bad", "86 °C"},
			"disk": {"bad", "read-only", "17 errors"}, "card": {"unknown"}, "memory": {"warn", "31 MB of 968 MB", "101 MB are swapped", "2 times"}, "clock": {"ok"},
			"port": {"bad", "/dev/ttyACM0 is in use by octoprint (process 700)"}, "grabbers": {"warn", "ModemManager", "60-layerd.rules"}, "usb": {"ok"},
			"camera": {"note", "No camera"}, "wifi": {"warn", "-88 dBm"}, "load": {"warn", "14.0 on 4"}, "machine": {"ok", "armv7l"},
		},
		"pi5": {
			"daemon": {"note"}, "power": {"ok"}, "throttling": {"note", "held back for its temperature since"}, "temperature": {"note", "74 °C"},
			"disk": {"bad", "lies in memory"}, "card": {"warn", "90 %"}, "memory": {"ok"}, "clock": {"ok"}, "port": {"bad", "1a86:7523", "no driver", "modprobe ch341"},
			"grabbers": {"ok"}, "camera": {"bad", "program for it is missing", "rpicam"}, "wifi": {"unknown", "wlan0"}, "load": {"ok", "one processor"}, "machine": {"ok"},
		},
		"zero": {
			"daemon": {"note"}, "power": {"warn", "was too low", "since"}, "throttling": {"note", "slowed down since"}, "temperature": {"ok"}, "disk": {"ok"}, "card": {"unknown"},
			"memory": {"ok"}, "clock": {"ok"}, "port": {"bad", "brltty has taken it", "apt remove brltty"}, "grabbers": {"warn", "brltty"}, "camera": {"note"},
			"wifi": {"note", "weak: -79 dBm"}, "load": {"ok"}, "machine": {"ok", "armv6l"},
		},
		"pc": {
			"daemon": {"note"}, "temperature": {"ok", "48 °C"}, "disk": {"ok"}, "memory": {"ok"}, "clock": {"ok"}, "port": {"ok", "Arduino (www.arduino.cc) at /dev/ttyACM0"},
			"grabbers": {"ok", "kept away"}, "usb": {"note", "2.0 s"}, "camera": {"note"}, "load": {"ok"}, "machine": {"ok", "OptiPlex 3060, Linux 6.1.0-28-amd64, x86_64"},
		},
		"bare": {
			"daemon": {"note"}, "temperature": {"unknown"}, "disk": {"ok"}, "memory": {"unknown"}, "clock": {"ok"}, "port": {"note", "No serial port"}, "grabbers": {"ok"},
			"camera": {"note"}, "load": {"unknown"}, "machine": {"ok"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := look(t, plant(t, name))
			for id, c := range got {
				w, expected := want[id]
				if !expected {
					t.Errorf("nobody expects %+v", c)
					continue
				}
				if string(c.Level) != w[0] {
					t.Errorf("%s is %s, want %s: %s", id, c.Level, w[0], c.Found)
				}
				for _, words := range w[1:] {
					if !strings.Contains(c.Found+" "+c.Do, words) {
						t.Errorf("%s: %q is not in %q, %q", id, words, c.Found, c.Do)
					}
				}
				if (c.Level == Bad || c.Level == Warn) && c.Do == "" {
					t.Errorf("%s: what is to be done? %q", id, c.Found)
				}
			}
			for id := range want {
				if _, there := got[id]; !there {
					t.Errorf("nothing is said of %s", id)
				}
			}
		})
	}
}

func TestAPortThatMayNotBeOpened(t *testing.T) {
	denied := func(path string) error {
		if strings.HasSuffix(path, "/dev/ttyUSB0") {
			return unix.EACCES
		}
		return nil
	}
	for _, c := range []struct {
		what   string
		change func(m *Machine)
		level  Level
		do     string
	}{
		{"by a person beside the service", func(*Machine) {}, Note, "usermod -aG dialout $USER"},
		{"by layerd itself", func(m *Machine) { m.Daemon = true }, Bad, "SupplementaryGroups=dialout"},
		{"and no service runs", func(m *Machine) { must(t, os.RemoveAll(m.path("proc/812"))) }, Bad, "usermod -aG dialout"},
		{"and who else runs is hidden", func(m *Machine) {
			must(t, os.RemoveAll(m.path("proc/812")))
			must(t, os.MkdirAll(m.path("run/layerd"), 0o755))
		}, Note, "usermod -aG dialout $USER"},
		{"and it is root's", func(m *Machine) { m.Kernel.Owner = func(string) (int, error) { return 0, nil } }, Note, "udev rules"},
	} {
		m := plant(t, "pi4")
		must(t, os.Remove(m.path("proc/812/fd/7")))
		m.Kernel.MayOpen = denied
		c.change(m)
		if got := look(t, m)["port"]; got.Level != c.level || !strings.Contains(got.Do, c.do) || !strings.Contains(got.Found, "may not be opened") {
			t.Errorf("%s: %+v", c.what, got)
		}
	}
}

func TestThePortThatIsConfigured(t *testing.T) {
	m := plant(t, "pi4")
	m.Port = "/dev/ttyAMA0"
	if got := look(t, m)["port"]; got.Level != Bad || !strings.Contains(got.Found, "/dev/ttyAMA0 is not there") {
		t.Errorf("%+v", got)
	}
	must(t, os.WriteFile(m.path("dev/ttyAMA0"), nil, 0o644))
	if got := look(t, m)["port"]; got.Level != OK || !strings.Contains(got.Found, "/dev/ttyAMA0") {
		t.Errorf("%+v", got)
	}
}

func TestDisks(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(m *Machine)
		level  Level
		found  string
	}{
		{"full", func(m *Machine) {
			m.Kernel.Disk = func(string) (Disk, error) { return Disk{Free: 90e6, Total: 32e9}, nil }
		}, Bad, "90 MB of 32.0 GB"},
		{"nearly full", func(m *Machine) {
			m.Kernel.Disk = func(string) (Disk, error) { return Disk{Free: 1e9, Total: 32e9}, nil }
		}, Warn, "1.0 GB"},
		{"without inodes", func(m *Machine) {
			m.Kernel.Disk = func(string) (Disk, error) {
				return Disk{Free: 9e9, Total: 32e9, FreeInodes: 3, AllInodes: 1000}, nil
			}
		}, Bad, "3 more files"},
		{"that cannot be looked at", func(m *Machine) {
			m.Kernel.Disk = func(string) (Disk, error) { return Disk{}, unix.EACCES }
		}, Unknown, "permission denied"},
		{"that layerd may not write", func(m *Machine) { m.Daemon, m.Kernel.MayOpen = true, func(string) error { return unix.EROFS } }, Bad, "cannot be written"},
		{"with errors", func(m *Machine) {
			must(t, os.WriteFile(m.path("sys/fs/ext4/mmcblk0p2/errors_count"), []byte("4\n"), 0o644))
		}, Warn, "4 errors"},
		{"of nobody", func(m *Machine) { m.Data = "" }, Unknown, "not known"},
		{"mounted for reading", func(m *Machine) {
			must(t, os.WriteFile(m.path("proc/self/mountinfo"), []byte("28 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 rw\n"), 0o644))
			m.Kernel.MayOpen = func(string) error { return unix.EROFS }
		}, Bad, "mounted read-only"},
		{"that is read-only but for layerd's own", func(m *Machine) {
			must(t, os.WriteFile(m.path("proc/self/mountinfo"), []byte("28 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 rw\n"), 0o644))
		}, OK, "20.0 GB"},
		{"of a hardened service", func(m *Machine) {
			must(t, os.WriteFile(m.path("proc/self/mountinfo"), []byte("28 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 rw\n29 28 0:50 / /var/lib ro - tmpfs tmpfs ro\n30 29 179:2 /var/lib/private/layerd /var/lib/layerd rw - ext4 /dev/mmcblk0p2 rw\n"), 0o644))
		}, OK, "20.0 GB"},
	} {
		m := plant(t, "pi4")
		c.change(m)
		if got := look(t, m)["disk"]; got.Level != c.level || !strings.Contains(got.Found, c.found) {
			t.Errorf("a disk %s: %+v", c.what, got)
		}
	}
}

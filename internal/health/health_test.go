package health

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
	"unsafe"

	"layerd/camera"
	"layerd/internal/overlay"
)

func TestTheWorstComesFirst(t *testing.T) {
	r := plant(t, "pi3").Look(t.Context())
	for i, c := range r.Checks[1:] {
		if rank(c.Level) < rank(r.Checks[i].Level) {
			t.Errorf("%s (%s) stands behind %s (%s)", c.ID, c.Level, r.Checks[i].ID, r.Checks[i].Level)
		}
	}
	if r.Level != Bad || r.Worst().Level != Bad {
		t.Errorf("got %s, %+v", r.Level, r.Worst())
	}
	if r = plant(t, "pc").Look(t.Context()); r.Level != OK || r.Worst().Level != Note {
		t.Errorf("a machine with nothing but notes is %s, its first %+v", r.Level, r.Worst())
	}
}

// What hangs is said to be unknown, is not begun again while it hangs, and holds up nothing else.
func TestACheckThatHangs(t *testing.T) {
	m := plant(t, "pi4")
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var asked atomic.Int32
		m.Kernel.Synced = func() (bool, error) {
			asked.Add(1)
			<-hold
			return true, nil
		}
		begin := time.Now()
		for range 3 {
			if got := look(t, m); got["clock"].Level != Unknown || got["clock"].Found != "It did not answer in time." || got["power"].Level != OK {
				t.Errorf("%+v", got["clock"])
			}
		}
		if took := time.Since(begin); took != patience || asked.Load() != 1 {
			t.Errorf("three looks took %v, want %v; it was asked %d times, want once", took, patience, asked.Load())
		}
		close(hold)
		synctest.Wait()
		if got := look(t, m)["clock"]; got.Level != OK {
			t.Errorf("after it came back: %+v", got)
		}
	})
}

func TestWhatTheFirmwareSays(t *testing.T) {
	for bits, want := range map[uint32][2]Level{0: {OK, OK}, 1: {Bad, OK}, 1 << 16: {Warn, OK}, 0x50005: {Bad, Warn}, 0xe0000: {OK, Note}, 8: {OK, Warn}, ^uint32(0): {Bad, Warn}} {
		m := plant(t, "pi4")
		m.Kernel.Firmware = func() (uint32, error) { return bits, nil }
		if got := look(t, m); got["power"].Level != want[0] || got["throttling"].Level != want[1] {
			t.Errorf("%#x: %+v, %+v; want %v", bits, got["power"], got["throttling"], want)
		}
	}
}

func TestARadioThatSleeps(t *testing.T) {
	for _, c := range []struct {
		sleeps bool
		err    error
		level  Level
	}{{true, nil, Note}, {false, nil, OK}, {true, errors.New("not supported"), OK}} {
		m := plant(t, "pi4")
		m.Kernel.Sleeps = func(radio string) (bool, error) { return c.sleeps && radio == "wlan0", c.err }
		if got := look(t, m)["wifi"]; got.Level != c.level || strings.Contains(got.Do, "iw dev wlan0 set power_save off") != (c.level == Note) {
			t.Errorf("%+v: %+v", c, got)
		}
	}
}

func TestClocks(t *testing.T) {
	for _, c := range []struct {
		now    time.Time
		synced bool
		err    error
		want   Level
	}{
		{time.Date(1970, 1, 1, 0, 3, 0, 0, time.UTC), true, nil, Bad},
		{time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), false, nil, Note},
		{time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), false, errors.New("not allowed"), Unknown},
		{time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC), true, nil, OK},
	} {
		m := plant(t, "pi4")
		m.Kernel.Now, m.Kernel.Synced = func() time.Time { return c.now }, func() (bool, error) { return c.synced, c.err }
		if got := look(t, m)["clock"]; got.Level != c.want {
			t.Errorf("%v: %+v", c, got)
		}
	}
	m := plant(t, "pi4")
	m.Kernel.Synced = func() (bool, error) { return false, errors.New("not allowed") }
	must(t, os.MkdirAll(filepath.Join(m.Root, "run/systemd/timesync"), 0o755))
	must(t, os.WriteFile(filepath.Join(m.Root, "run/systemd/timesync/synchronized"), nil, 0o644))
	if got := look(t, m)["clock"]; got.Level != OK {
		t.Errorf("timesyncd has set it: %+v", got)
	}
}

func TestCamerasOfLayerd(t *testing.T) {
	for _, c := range []struct {
		all   []camera.Status
		level Level
		found string
	}{
		{nil, Note, "set up"},
		{[]camera.Status{{Device: "/dev/video0", Name: "Webcam", Live: true, Width: 1280, Height: 720, FPS: 15}}, OK, "Webcam has 1280 × 720 pixels, 15 pictures a second."},
		{[]camera.Status{{Device: "none"}}, OK, "switched off"},
		{[]camera.Status{{Problem: "There is none."}}, Note, "There is none."}, {[]camera.Status{{}}, Note, "No camera is found."},
		{[]camera.Status{{Device: "/dev/video2", SinceMS: 995_000, Problem: "The camera is starting."}}, Note, "no picture yet"},
		{[]camera.Status{{Device: "a", Live: true}, {Device: "/dev/video2", Problem: "Another program uses it."}}, Warn, "/dev/video2 has no picture. Another program uses it."},
	} {
		if got := ofCameras(c.all, time.UnixMilli(1_000_000)); got.level != c.level || !strings.Contains(got.found, c.found) {
			t.Errorf("%+v: %+v", c.all, got)
		}
	}
}

func TestTheNetworkFromElsewhere(t *testing.T) {
	for _, c := range []struct {
		s     overlay.Status
		level Level
		found string
	}{
		{overlay.Status{Kind: overlay.None}, OK, "switched off"},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Running, Name: "layerd.example"}, OK, "layerd.example"},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Running, Name: "l", Paths: []overlay.Path{{Direct: true}, {Relay: "fra"}}}, Note, "1 directly, 1 by a relay"},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Failed, Problem: "No internet."}, Warn, "No internet."},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Login}, Warn, "log this machine in"},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Approval}, Warn, "let this machine in"},
		{overlay.Status{Kind: overlay.Tailnet, State: overlay.Starting}, Note, "connects"},
	} {
		if got := ofOverlay(c.s); got.level != c.level || !strings.Contains(got.found, c.found) {
			t.Errorf("%+v: %+v", c.s, got)
		}
	}
}

func TestNumbers(t *testing.T) {
	n := plant(t, "pi3").Look(t.Context()).Numbers
	if n.TemperatureC == nil || *n.TemperatureC != 85.9 || n.Throttled == nil || *n.Throttled != 0x50005 || n.UnderVoltage == nil || !*n.UnderVoltage ||
		n.SignalDBm == nil || *n.SignalDBm != -88 || n.OOMKills == nil || *n.OOMKills != 2 || n.DiskFree == nil || *n.DiskFree != 20e9 {
		t.Errorf("%+v", n)
	}
	if n := plant(t, "bare").Look(t.Context()).Numbers; n.TemperatureC != nil || n.Throttled != nil || n.SignalDBm != nil || n.Load1 != nil || n.OOMKills != nil {
		t.Errorf("a machine that tells nothing: %+v", n)
	}
}

// A kernel with a voltage driver is not asked by the file that makes it complain in its log.
func TestTheFileThatIsNotToBeRead(t *testing.T) {
	m := plant(t, "pi3")
	m.Kernel.Firmware = fakeKernel().Firmware
	got := look(t, m)
	if _, there := got["throttling"]; there || got["power"].Level != Bad {
		t.Errorf("%+v, %+v", got["throttling"], got["power"])
	}
	must(t, os.WriteFile(m.path("sys/class/hwmon/hwmon0/in0_lcrit_alarm"), []byte("0\n"), 0o644))
	if got := look(t, m)["power"]; got.Level != Warn || !strings.Contains(got.Found, "since") {
		t.Errorf("the alarm is over: %+v", got)
	}
}

func TestTheFirmwaresWords(t *testing.T) {
	for text, want := range map[string]int64{"throttled=0x0": 0, "throttled=0x50005\n": 0x50005, "throttled=0xffffffff": 0xffffffff, "throttled=0x1ffffffff": -1, "error=1 error_msg=\"x\"": -1, "": -1, "throttled=": -1, "throttled=0x": -1, "throttled=0x-1": -1} {
		if got, err := throttledText(text); want < 0 != (err != nil) || err == nil && int64(got) != want {
			t.Errorf("%q: got %#x, %v", text, got, err)
		}
	}
}

// What was once, and for seconds alone, is not forgotten.
func TestTheWatchRemembersAnUnderVoltage(t *testing.T) {
	m := plant(t, "pi4")
	synctest.Test(t, func(t *testing.T) {
		var bits atomic.Uint32
		bits.Store(1)
		m.Kernel.Firmware = func() (uint32, error) { return bits.Load(), nil }
		var log strings.Builder
		w := NewWatch(m, slog.New(slog.NewTextHandler(&log, nil)))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go w.Run(ctx)
		power := func(want Level) {
			t.Helper()
			synctest.Wait()
			r, _ := w.Reports().Get()
			for _, c := range r.Checks {
				if c.ID == "power" && c.Level != want {
					t.Errorf("got %+v, want %s", c, want)
				}
			}
		}
		power(Bad)
		time.Sleep(2 * lookEvery)
		power(Bad)
		bits.Store(0)
		time.Sleep(glanceEvery)
		power(Warn)
		time.Sleep(2 * lookEvery)
		power(Warn)
		if text := log.String(); strings.Count(text, "needs attention") != 1 || strings.Count(text, "is better") != 1 {
			t.Errorf("each change is logged once:\n%s", text)
		}
		cancel()
		synctest.Wait()
	})
}

func BenchmarkLook(b *testing.B) {
	m := &Machine{Root: "/", Data: "/", Daemon: true, Kernel: ThisKernel()}
	for b.Loop() {
		m.Look(b.Context())
	}
}

func TestThisMachine(t *testing.T) {
	m := &Machine{Root: "/", Data: t.TempDir(), Kernel: ThisKernel()}
	got := look(t, m)
	for _, id := range []string{"disk", "memory", "clock", "load", "machine"} {
		if got[id].Found == "" {
			t.Errorf("nothing is said of %s", id)
		}
	}
	if u, known := OwnUsage(); !known || u.CPU <= 0 || u.Resident < 1<<20 {
		t.Errorf("we use %+v, %v", u, known)
	}
	if _, err := radioSleeps("lo"); err == nil {
		t.Error("the loopback is no radio, and is said to save power or not")
	}
	if _, err := askFirmware(); err == nil && !m.isPi() {
		t.Error("there is a Raspberry Pi's firmware in what is none")
	}
	if size := unsafe.Sizeof(wirelessRequest{}); size != 32 {
		t.Errorf("the kernel's struct iwreq has 32 bytes, ours %d", size)
	}
}

// Whatever the files say, what comes out is short text of one line, and every level is one of ours.
func FuzzFiles(f *testing.F) {
	f.Add("proc/self/mountinfo", "28 1 179:2 / / rw - ext4 a ro\n")
	f.Add("proc/net/wireless", " wlan0: 0000 22. 168. 0\n")
	f.Add("proc/meminfo", "MemTotal: 9223372036854775807 kB\nMemAvailable: -5 kB")
	f.Add("sys/block/mmcblk0/device/life_time", "0xff -1")
	f.Add("proc/5/comm", "\x1b[2Jbr\nltty")
	f.Add("etc/os-release", "PRETTY_NAME=\"\u202eevil\"")
	f.Add("sys/class/hwmon/hwmon0/name", "rpi_volt")
	places := []string{"proc/self/mountinfo", "proc/net/wireless", "proc/meminfo", "sys/block/mmcblk0/device/life_time", "proc/5/comm", "etc/os-release", "proc/loadavg", "proc/vmstat", "proc/stat",
		"sys/class/thermal/thermal_zone0/temp", "sys/bus/usb/devices/1-1/idVendor", "sys/class/video4linux/video0/name", "proc/device-tree/model", "etc/group", "sys/class/hwmon/hwmon0/name"}
	root := f.TempDir()
	f.Fuzz(func(t *testing.T, path, text string) {
		known := false
		for _, p := range places {
			known = known || p == path
		}
		if !known {
			return
		}
		m := &Machine{Root: root, Data: "/data", Kernel: fakeKernel()}
		file := m.path(path)
		must(t, os.MkdirAll(file[:strings.LastIndex(file, "/")], 0o755))
		must(t, os.WriteFile(file, []byte(text), 0o644))
		for _, c := range m.Look(t.Context()).Checks {
			if rank(c.Level) < 0 || !utf8.ValidString(c.Found) || len(c.Found) > mostText+8 || strings.ContainsAny(c.Found+c.Do, "\n\x1b\u202e") {
				t.Errorf("%+v", c)
			}
		}
	})
}

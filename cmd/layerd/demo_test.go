package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/printer"
)

// startDemo starts layerd --demo in a temporary directory of its own, beside a printer and a camera that it must leave alone.
func startDemo(t *testing.T, env ...string) (d *daemon, temp string) {
	t.Helper()
	return startDemoWith(t, nil, env...)
}

func startDemoWith(t *testing.T, args []string, env ...string) (d *daemon, temp string) {
	t.Helper()
	temp = t.TempDir()
	d = &daemon{}
	d.child = begin(t, plain(t, append(env, "TMPDIR="+temp)...), layerdProgram, append(args, "--demo", "--listen", "127.0.0.1:0")...)
	d.await("its address", func() bool {
		lines := strings.Split(d.out.String(), "\n")
		if len(lines) < 3 { // the second one is whole
			return false
		}
		d.url, d.token, _ = strings.Cut(lines[1], "#token=")
		return true
	})
	return d, temp
}

func TestTheDemo(t *testing.T) {
	t.Parallel()
	m := switchOn(t)
	d, temp := startDemo(t, "LAYERD_PRINTER_PORT="+m.link)
	if !strings.HasPrefix(d.url, "http://127.0.0.1:") || len(d.token) < 20 {
		t.Fatalf("the address is %q with the key %q", d.url, d.token)
	}
	s := d.reach(printer.Idle)
	if !s.Demo || s.Me.Role.String() != "owner" || s.Version != "v1.2.3-test" {
		t.Errorf("demo %v, I am %+v, version %q", s.Demo, s.Me, s.Version)
	}
	d.until("a picture", func(s server.State) bool { return s.Cameras[0].Live && s.Cameras[0].Device != "" })
	for path, want := range map[string]int{"/": 200, "/healthz": 200, "/v1/state": 401, "/v1/files": 401, "/v1/nothing": 404} {
		if status, _ := d.ask("GET", path, "", nil); status != want {
			t.Errorf("GET %s without a key: status %d, want %d", path, status, want)
		}
	}
	d.put("ring.gcode", ring(t))
	d.do(`{"do":"start","file":"ring.gcode"}`)
	d.until("heat", func(s server.State) bool { return s.Job != nil && s.Bed != nil && s.Bed.TargetC == 60 })

	for _, path := range openDevices(t, d.cmd.Process.Pid) {
		t.Errorf("the demo has %s open", path)
	}
	inside, err := filepath.Glob(filepath.Join(temp, "layerd-demo-*", "layerd.db"))
	if err != nil || len(inside) != 1 {
		t.Errorf("its data are in %q, %v", inside, err)
	}
	if code, took := d.stop(syscall.SIGTERM); code != 0 || took > 4*time.Second { // in mid-print: there is nothing to park
		t.Errorf("exit code %d after %v", code, took)
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left in the temporary directory: %v, %v", left, err)
	}
	if own := m.switchOff(); len(own) != 0 {
		t.Errorf("the real printer was told %q", own)
	}

	again, _ := startDemo(t)
	if again.token == d.token {
		t.Error("the next demo has the same key")
	}
	if status, _ := again.ask("GET", "/v1/state", d.token, nil); status != http.StatusUnauthorized {
		t.Errorf("in the next demo the old key gives status %d", status)
	}
	if code, took := again.stop(syscall.SIGINT); code != 0 || took > 4*time.Second {
		t.Errorf("exit code %d after %v", code, took)
	}
}

// A test of the page can have something go wrong in the demo, at a line or when it likes.
func TestDemoFaults(t *testing.T) {
	t.Parallel()
	d, _ := startDemoWith(t, []string{"--demo-faults", "kill@100000,lose@x:8:100001"})
	d.reach(printer.Idle)
	if err := d.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	d.reach(printer.Faulted)
	d.stop(syscall.SIGTERM)

	now, _ := startDemoWith(t, []string{"--demo-faults=kill@1"})
	now.reach(printer.Faulted)
	now.stop(syscall.SIGTERM)
}

// openDevices lists what a process has open that may be a printer or a camera.
func openDevices(t *testing.T, pid int) (devices []string) {
	t.Helper()
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("what process %d has open: %v, %v", pid, entries, err)
	}
	for _, e := range entries {
		to, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err == nil && strings.HasPrefix(to, "/dev/") && to != "/dev/null" {
			devices = append(devices, to)
		}
	}
	return devices
}

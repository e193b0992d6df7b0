package main

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// systemd is a socket of the kind that systemd gives, and what was said on it.
func systemd(t *testing.T) (env []string, told *output) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	told = &output{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for b := make([]byte, 1<<10); ; {
			n, err := socket.Read(b)
			if err != nil {
				return
			}
			told.Write(append(b[:n:n], '\n'))
		}
	}()
	t.Cleanup(func() {
		socket.Close()
		<-done
	})
	return []string{"NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=600000"}, told
}

func TestSystemdIsToldHowItIs(t *testing.T) {
	t.Parallel()
	for name, listen := range map[string]string{"this machine alone": "127.0.0.1:0", "everybody": ":0"} {
		t.Run(name, func(t *testing.T) {
			env, told := systemd(t)
			d := begin(t, plain(t, append(env, "LAYERD_PRINTER_PORT=/none", "LAYERD_CAMERA_DEVICE=none", "LAYERD_DISCOVERY=false")...), layerdProgram, "--config", emptyConfig, "--data", t.TempDir(), "--listen", listen)
			d.await("READY=1", func() bool { return strings.Contains(told.String(), "READY=1\n") })
			d.await("three pings", func() bool { return strings.Count(told.String(), "WATCHDOG=1\n") >= 3 })
			d.await("its state in words", func() bool { return strings.Contains(told.String(), "STATUS=disconnected: There is no port /none.\n") })
			if code, _ := d.stop(syscall.SIGTERM); code != 0 {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(told.String(), "STOPPING=1\n") {
				t.Errorf("systemd was told\n%s", told)
			}
		})
	}
}

// A print goes on when the Wi-Fi goes at whose address the page is.
func TestAPageAtALostAddressIsNoReasonToStartAnew(t *testing.T) {
	t.Parallel()
	ended, end := context.WithCancel(t.Context())
	end()
	for at, lost := range map[string]bool{"192.0.2.1:80": true, "[2001:db8::1]:80": true, "[fe80::1%eth0]:80": true, "127.0.0.1:1": false, "[::1]:1": false, "0.0.0.0:1": false, "[::]:1": false} {
		if err := knock(netip.MustParseAddrPort(at), false)(ended); (err == nil) != lost {
			t.Errorf("%s: got %v", at, err)
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		ip, ok := netip.AddrFromSlice(a.(*net.IPNet).IP)
		if !ok || lost(ip) {
			t.Errorf("%s is called lost", a)
		}
	}
}

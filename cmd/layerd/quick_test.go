package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"layerd/printer"
)

// The end of a daemon that has no print under way, and what must not end it.

func TestAStopWithNothingToDoIsQuick(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "100", "--heat", "100")
	for _, c := range []struct {
		name, port string
		state      printer.State
		signal     syscall.Signal
	}{
		{"idle", m.link, printer.Idle, syscall.SIGTERM},
		{"interrupted from the keyboard", m.link, printer.Idle, syscall.SIGINT},
		{"its terminal was closed", m.link, printer.Idle, syscall.SIGHUP},
		{"no printer", filepath.Join(t.TempDir(), "none"), printer.Disconnected, syscall.SIGTERM},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := startDaemon(t, t.TempDir(), port(c.port))
			d.reach(c.state)
			if code, took := d.stop(c.signal); code != 0 || took > 4*time.Second {
				t.Errorf("exit code %d after %v, want 0 at once", code, took)
			}
		})
	}
	t.Run("with phones looking on", func(t *testing.T) {
		d := startDaemon(t, t.TempDir(), []string{"LAYERD_PRINTER_PORT=" + m.link, "LAYERD_CAMERA_DEVICE=simulated"})
		d.reach(printer.Idle)
		header := http.Header{"Authorization": {"Bearer " + d.token}}
		for path, first := range map[string]string{"v1/live": "", "v1/camera": `{"ack":0}`} {
			socket, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(d.url, "http")+path, header)
			if err != nil {
				t.Fatalf("%s: %v, %v", path, err, response)
			}
			defer socket.Close()
			if first != "" {
				if err := socket.WriteMessage(websocket.TextMessage, []byte(first)); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := socket.ReadMessage(); err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
		r, err := http.NewRequest("GET", d.url+"webcam/?action=stream", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header = header
		stream, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Body.Close()
		if _, err := io.ReadFull(stream.Body, make([]byte, 1000)); err != nil || stream.StatusCode != http.StatusOK {
			t.Errorf("the stream: status %d, %v", stream.StatusCode, err)
		}
		d.end(2 * time.Second) // less than a client that hangs would get
	})
	t.Run("before anybody answers", func(t *testing.T) {
		silent := switchOn(t, "--faults", "silent@1")
		d := startDaemon(t, t.TempDir(), port(silent.link))
		d.reach(printer.Connecting)
		d.end(4 * time.Second)
	})
}

// Started with nohup, layerd outlives its terminal.
func TestUnderNohupAClosedTerminalIsNothing(t *testing.T) {
	t.Parallel()
	d := &daemon{data: t.TempDir()}
	d.child = begin(t, plain(t, port("/none")...), "/bin/sh", "-c", `trap "" HUP; exec "$0" "$@"`, layerdProgram, "--config", emptyConfig, "--data", d.data, "--listen", "127.0.0.1:0")
	d.await("its address", d.address)
	d.token = d.newToken("owner")
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	var ignored uint64
	_, after, _ := strings.Cut(string(status), "SigIgn:")
	if _, err := fmt.Sscanf(after, "%x", &ignored); err != nil || ignored&(1<<(syscall.SIGHUP-1)) == 0 {
		t.Errorf("it does not ignore SIGHUP: ignored are %#x, %v", ignored, err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.faulted(printer.FaultPortMissing)
	d.end(4 * time.Second)
}

// Whoever reads the log may end; a program that writes to a pipe without a reader dies of that if it does nothing about it.
func TestNobodyReadsTheLogAnyMore(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	script := `exec "$0" "$@" 2>&3`
	d := &daemon{data: t.TempDir()}
	d.child = beginWith(t, func(cmd *exec.Cmd) { cmd.ExtraFiles = []*os.File{write} }, plain(t, port("/none", "LAYERD_LOG_LEVEL=debug")...), "/bin/sh", "-c", script,
		layerdProgram, "--config", emptyConfig, "--data", d.data, "--listen", "127.0.0.1:0")
	write.Close()
	d.await("its address", d.address)
	d.token = d.newToken("owner")
	read.Close()
	for range 20 {
		if status, _ := d.try(d.token, `{"do":"pause"}`); status != 409 { // a refusal is logged
			t.Errorf("pause: status %d", status)
		}
	}
	d.end(4 * time.Second)
}

package timelapse

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"layerd/camera"
	"layerd/internal/latest"
	"layerd/printer"
)

// This test program, started again with these set, is the daemon that gets killed: in mid-print, or while it renders.
const (
	killedDir  = "TIMELAPSE_TEST_KILLED_DIR"
	killedTool = "TIMELAPSE_TEST_KILLED_FFMPEG" // "" = in mid-print
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		fmt.Fprintln(os.Stderr, recordUntilKilled(dir, os.Getenv(killedTool)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// recordUntilKilled takes a frame of each layer for ever, and says how many there are; or renders what it finds, and says so.
func recordUntilKilled(dir, ffmpeg string) error {
	m, l := newMachine(), &lens{frames: latest.New[*camera.Frame](nil)}
	rec, err := New(Config{Dir: dir, Printer: m, Settings: byLayer(), Camera: func(int) Camera { return l },
		FFmpeg: func() (string, bool) { return ffmpeg, ffmpeg != "" }})
	if err != nil {
		return err
	}
	go rec.Run(context.Background())
	for layer, seq := 1, uint64(0); ; {
		list, n, err := rec.List().Next(context.Background(), seq)
		if err != nil {
			return err
		}
		seq = n
		switch {
		case len(list.Items) > 0 && list.Items[0].Video.State == VideoRendering:
			fmt.Println(1)
		case ffmpeg == "":
			if len(list.Items) > 0 {
				layer = list.Items[0].Frames + 1
				fmt.Println(list.Items[0].Frames)
			}
			l.frames.Set(&camera.Frame{Time: time.Now(), Width: 640, Height: 480, JPEG: jpegOf(layer)}) // it works
			m.snaps.Set(&printer.Snapshot{State: printer.Printing, Job: &printer.JobStatus{ID: "job", Name: "cube.gcode",
				Shot: &printer.Shot{N: layer, Layer: layer, AtMS: time.Now().Add(-2 * settle).UnixMilli(), Still: true}}})
			go func() { // until it is taken
				for range 10 {
					l.frames.Set(&camera.Frame{Time: time.Now(), Width: 640, Height: 480, JPEG: jpegOf(layer)})
					time.Sleep(10 * time.Millisecond)
				}
			}()
		}
	}
}

// killWhen starts the daemon and kills it when it has said at least so much.
func killWhen(t *testing.T, dir, ffmpeg string, enough int) {
	t.Helper()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killedDir+"="+dir, killedTool+"="+ffmpeg)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	said := 0
	for lines := bufio.NewScanner(out); said < enough && lines.Scan(); {
		fmt.Sscan(lines.Text(), &said)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	child.Wait() // it says that it was killed
	if said < enough {
		t.Fatalf("got %d, want %d: the daemon ended by itself", said, enough)
	}
}

func TestKilledInMidPrint(t *testing.T) {
	dir := t.TempDir()
	killWhen(t, dir, "", 20)
	rec, err := New(Config{Dir: dir, Printer: newMachine(), Settings: UsualSettings(), FFmpeg: noFFmpeg})
	if err != nil {
		t.Fatal(err)
	}
	run(t, rec)
	l, _, err := rec.List().Next(t.Context(), 1) // the first is empty: nothing was looked at yet
	if err != nil || len(l.Items) != 1 || l.Items[0].Outcome != "interrupted" || l.Items[0].Frames < 20 || l.Items[0].Name != "cube.gcode" || l.Recording != "" {
		t.Fatalf("got %+v, %v, want one that was interrupted, with all that it said it had", l, err)
	}
	for n := range l.Items[0].Frames {
		if f, err := rec.Frame(l.Items[0].ID, n); err != nil || f.N != n || f.Layer != n+1 {
			t.Errorf("frame %d: got %d of layer %d, %v", n, f.N, f.Layer, err)
		}
	}
}

func TestKilledWhileItRenders(t *testing.T) {
	dir := t.TempDir()
	before, id := filmIn(t, dir, many(t, 5, 320, 240, 1), noFFmpeg)
	hangs, _ := program(t, `case "$*" in *lavfi*) exit 1;; esac; echo half of a film >video.mp4.new; exec cat >/dev/null`)()
	for range maxTries - 1 {
		killWhen(t, dir, hangs, 1)
	}
	after, err := New(Config{Dir: before.cfg.Dir, Printer: newMachine(), Settings: UsualSettings()})
	if err != nil {
		t.Fatal(err)
	}
	run(t, after)
	if it := await(t, after, id, VideoReady, VideoFailed); it.Video.State != VideoReady || it.Frames != 5 {
		t.Errorf("got %+v, want a video", it)
	}
	if entries, err := filepath.Glob(filepath.Join(dir, id, "*"+coming)); err != nil || len(entries) > 0 {
		t.Errorf("left over: %v, %v", entries, err)
	}
}

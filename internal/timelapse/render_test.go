package timelapse

import (
	"encoding/json"
	"image"
	_ "image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"layerd/camera"
	"layerd/printer"
)

// These tests make real films with the ffmpeg of this machine. Time is real where it runs, since a bubble's clock stands still for a child.

// probed is what ffprobe says of a film.
type probed struct {
	Streams []struct {
		Codec  string `json:"codec_name"`
		Pix    string `json:"pix_fmt"`
		Width  int    `json:"width"`
		Height int    `json:"height"`
		Rate   string `json:"avg_frame_rate"`
		Read   string `json:"nb_read_frames"`
	} `json:"streams"`
}

func probe(t *testing.T, name string) probed {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-count_frames", "-show_streams", "-of", "json", name).CombinedOutput()
	var p probed
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	if err != nil || len(p.Streams) != 1 {
		t.Fatalf("ffprobe %s: %v: %s", name, err, out)
	}
	return p
}

// film is a recording that has ended, in a folder of its own, with these frames.
func film(t *testing.T, frames []picture, ffmpeg func() (string, bool)) (*Recorder, string) {
	t.Helper()
	return filmIn(t, t.TempDir(), frames, ffmpeg)
}

func filmIn(t *testing.T, dir string, frames []picture, ffmpeg func() (string, bool)) (*Recorder, string) {
	t.Helper()
	l := &lens{}
	rec, err := New(Config{Dir: dir, Printer: newMachine(), Camera: func(int) Camera { return l }, Settings: UsualSettings(), FFmpeg: ffmpeg})
	if err != nil {
		t.Fatal(err)
	}
	id := newID()
	if err := rec.dir.Mkdir(id, 0o700); err != nil {
		t.Fatal(err)
	}
	c := &recording{about: about{ID: id, JobID: "job", Name: "cube.gcode", StartedMS: 1000, FPS: 10, Mode: ByLayer, Step: 1}}
	if err := rec.keepAbout(c.about); err != nil {
		t.Fatal(err)
	}
	r := &reel{dir: rec.dir, id: id}
	for _, p := range frames {
		if err := r.add(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.close(); err != nil {
		t.Fatal(err)
	}
	if err := rec.finish(c, r, "done", 2000); err != nil {
		t.Fatal(err)
	}
	return rec, id
}

// run runs a Recorder until the test ends or stop is called.
func run(t *testing.T, rec *Recorder) (stop func()) {
	t.Helper()
	r := &rig{t: t, Recorder: rec}
	r.begin()
	t.Cleanup(r.stop)
	return r.stop
}

// await waits until the timelapse's video is in a state that says the test knows.
func await(t *testing.T, rec *Recorder, id string, states ...string) Item {
	t.Helper()
	for seq := uint64(0); ; {
		l, n, err := rec.List().Next(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		seq = n
		it, _ := l.Item(id)
		for _, s := range states {
			if it.Video.State == s {
				return it
			}
		}
	}
}

func many(t *testing.T, frames, w, h int, turn camera.Turn) (all []picture) {
	for i := range frames {
		all = append(all, picture{atMS: int64(i), layer: i, width: w, height: h, turn: turn, jpeg: corners(t, w, h, i)})
	}
	return all
}

func TestVideo(t *testing.T) {
	rec, id := film(t, many(t, 25, 641, 361, 1), lookFFmpeg)
	run(t, rec)
	it := await(t, rec, id, VideoReady, VideoFailed)
	if it.Video.State != VideoReady || it.Video.Bytes == 0 || it.Frames != 25 {
		t.Fatalf("got %+v, want a video, and the frames still there", it)
	}
	v, err := rec.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if n, err := io.Copy(io.Discard, v); err != nil || n != it.Video.Bytes || v.Type != "video/mp4" {
		t.Errorf("read %d bytes of %s, %v, want %d of video/mp4", n, v.Type, err, it.Video.Bytes)
	}
	p := probe(t, filepath.Join(rec.cfg.Dir, id, videoName)).Streams[0]
	if p.Codec != "h264" || p.Pix != "yuv420p" || p.Width != 640 || p.Height != 360 || p.Read != "25" || p.Rate != "10/1" {
		t.Errorf("got %+v, want 25 frames of h264, 640x360, 10 a second", p)
	}
	if err := rec.Render(t.Context(), id); err != nil { // again
		t.Fatal(err)
	}
	await(t, rec, id, VideoWaiting, VideoRendering)
	await(t, rec, id, VideoReady)
}

// TestVideoIsUpright looks at the corners of films whose pictures lie in each of the eight ways.
func TestVideoIsUpright(t *testing.T) {
	// What is seen at the upper left, upper right, lower left, lower right; by Exif 2.32, 4.6.4.
	seen := map[camera.Turn]string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"}
	for turn, want := range seen {
		w, h := 160, 96
		frames := many(t, 2, w, h, turn)
		if clockwise, _ := turn.Apart(); clockwise%180 == 90 {
			w, h = h, w
		}
		for i := range frames {
			frames[i].width, frames[i].height = w, h
		}
		rec, id := film(t, frames, lookFFmpeg)
		j := filmJob{rec: rec, ffmpeg: "ffmpeg", id: id, fps: 10, hardware: absent, fed: new(counter)}
		if _, err := j.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := cornersOf(t, filepath.Join(rec.cfg.Dir, id, videoName), w, h); got != want {
			t.Errorf("turn %d: got %s, want %s", turn, got, want)
		}
	}
}

func cornersOf(t *testing.T, video string, w, h int) (seen string) {
	t.Helper()
	shot := filepath.Join(t.TempDir(), "shot.png")
	if out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-i", video, "-frames:v", "1", shot).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := os.Open(shot)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil || img.Bounds().Dx() != w || img.Bounds().Dy() != h {
		t.Fatalf("got %v, %v, want %dx%d", img.Bounds(), err, w, h)
	}
	for _, at := range [4]image.Point{{10, 10}, {w - 10, 10}, {10, h - 10}, {w - 10, h - 10}} {
		r, g, b, _ := img.At(at.X, at.Y).RGBA()
		switch {
		case r > 0x9000 && g > 0x9000 && b > 0x9000:
			seen += "w"
		case r > g && r > b:
			seen += "r"
		case g > b:
			seen += "g"
		default:
			seen += "b"
		}
	}
	return seen
}

func TestVideoOfChangingPictures(t *testing.T) {
	frames := append(many(t, 5, 320, 240, 1), many(t, 10, 640, 360, 1)...) // another size in mid-print
	frames = append(frames, many(t, 3, 640, 360, 6)...)                    // turned in mid-print: left out
	frames = append(frames, picture{jpeg: []byte("no JPEG at all, though it was kept as one")})
	frames = append(frames, many(t, 2, 640, 360, 0)...)
	rec, id := film(t, frames, lookFFmpeg)
	name := filepath.Join(rec.cfg.Dir, id, "0.frames") // and one damaged on the disk
	data, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, flipped(data, headBytes+100), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	run(t, rec)
	if it := await(t, rec, id, VideoReady, VideoFailed); it.Video.State != VideoReady {
		t.Fatalf("got %+v, want a video", it.Video)
	}
	p := probe(t, filepath.Join(rec.cfg.Dir, id, videoName)).Streams[0]
	if p.Width != 640 || p.Height != 360 || p.Read != "16" {
		t.Errorf("got %+v, want 16 frames of 640x360", p)
	}
}

func TestShapeOfTheVideo(t *testing.T) {
	for in, want := range map[shape][2]int{
		{1280, 720, 1}:  {1280, 720},
		{641, 481, 1}:   {640, 480},
		{3840, 2160, 1}: {1920, 1080},
		{2328, 1748, 1}: {1438, 1080},
		{1080, 1920, 6}: {1080, 1920},
		{1, 1, 1}:       {2, 2},
		{60000, 10, 1}:  {1920, 2},
	} {
		if w, h := in.size(); w != want[0] || h != want[1] {
			t.Errorf("%v: got %dx%d, want %v", in, w, h, want)
		}
	}
}

// program is a real child in ffmpeg's place.
func program(t *testing.T, script string) func() (string, bool) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(name, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return func() (string, bool) { return name, true }
}

func TestFailedVideoKeepsItsFramesAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct{ script, reason string }{
		"early":   {`echo "Unknown encoder 'libx264'" >&2; exit 1`, "Unknown encoder 'libx264'"},
		"late":    {"cat >/dev/null; echo 'No space left on device' >&2; exit 1", "No space left on device"},
		"silent":  {"exit 3", "exit status 3"},
		"chatty":  {"yes 'much to say' | head -c 1200000 >&2; exit 1", "much to say"},
		"nothing": {"cat >/dev/null", "made no film"},
		"lazy":    {"head -c 1 >video.mp4.new", "ended before"},
		"empty":   {"cat >/dev/null; : >video.mp4.new", "empty film"},
	} {
		rec, id := film(t, many(t, 40, 320, 240, 1), program(t, c.script)) // more than a pipe holds
		stop := run(t, rec)
		it := await(t, rec, id, VideoReady, VideoFailed)
		if it.Video.State != VideoFailed || !strings.Contains(it.Video.Reason, c.reason) || len(it.Video.Reason) > 300 || it.Frames != 40 {
			t.Errorf("%s: got %+v, want it failed because of %q, with 40 frames", name, it, c.reason)
		}
		stop()
		again, err := New(rec.cfg) // the daemon starts anew, and tells the same
		if err != nil {
			t.Fatal(err)
		}
		run(t, again)
		if it := await(t, again, id, VideoFailed); !strings.Contains(it.Video.Reason, c.reason) {
			t.Errorf("%s, after a restart: got %+v", name, it.Video)
		}
		if f, err := again.Frame(id, 3); err != nil || f.N != 3 {
			t.Errorf("%s: frame 3: got %d, %v", name, f.N, err)
		}
	}
}

func TestPrintStopsTheRenderingAndItBeginsAnew(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "hold")
	if err := exec.CommandContext(t.Context(), "mkfifo", fifo).Run(); err != nil {
		t.Fatal(err)
	}
	// The first time it waits for ever; then it is the real one.
	rec, id := film(t, many(t, 4, 320, 240, 1), program(t, `case "$*" in *lavfi*) exit 1;; esac
if [ -p `+fifo+` ]; then exec cat `+fifo+`; fi
exec ffmpeg "$@"`))
	run(t, rec)
	await(t, rec, id, VideoRendering)
	snaps := rec.cfg.Printer.Snapshots()
	snaps.Set(&printer.Snapshot{State: printer.Printing, Job: &printer.JobStatus{ID: "next"}})
	await(t, rec, id, VideoWaiting)
	if err := os.Remove(fifo); err != nil {
		t.Fatal(err)
	}
	snaps.Set(&printer.Snapshot{State: printer.Idle, LastJob: &printer.JobOutcome{ID: "next", Outcome: "done"}})
	if it := await(t, rec, id, VideoReady, VideoFailed); it.Video.State != VideoReady {
		t.Errorf("got %+v, want a video", it.Video)
	}
}

func TestDeletedWhileItIsRendered(t *testing.T) {
	rec, id := film(t, many(t, 4, 320, 240, 1), program(t, `case "$*" in *lavfi*) exit 1;; esac; exec sleep 1000`))
	run(t, rec)
	await(t, rec, id, VideoRendering)
	if err := rec.Delete(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if l, _ := rec.List().Get(); len(l.Items) != 0 {
		t.Errorf("got %+v, want nothing", l.Items)
	}
}

func TestRenderingThatTakesTheMachineWithItIsGivenUp(t *testing.T) {
	rec, id := film(t, many(t, 4, 320, 240, 1), lookFFmpeg)
	c, err := rec.findOne(id)
	if err != nil {
		t.Fatal(err)
	}
	c.Tries = maxTries
	if err := rec.keepAbout(c.about); err != nil {
		t.Fatal(err)
	}
	run(t, rec)
	if it := await(t, rec, id, VideoReady, VideoFailed); it.Video.State != VideoFailed || !strings.Contains(it.Video.Reason, strconv.Itoa(maxTries)) {
		t.Errorf("got %+v, want it failed after %d tries", it.Video, maxTries)
	}
	if err := rec.Render(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	await(t, rec, id, VideoReady)
}

func TestFramesOfVideosMakeRoomFirst(t *testing.T) {
	dir := t.TempDir()
	frames := many(t, 3, 320, 240, 1)
	for i := range frames {
		frames[i].jpeg = append(frames[i].jpeg, make([]byte, 4<<20)...) // much of it nothing
	}
	rec, id := filmIn(t, dir, frames, lookFFmpeg)
	rec.cfg.Settings.BudgetMB, rec.cfg.Settings.LimitMB = 10, 10
	c, _ := rec.findOne(id)
	if err := rec.write(id+"/"+videoName, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	c.video = 1000
	if got, whole := tooMuch([]*recording{{}, c}, 12<<20, 10<<20, func(string) bool { return false }); got != c || whole {
		t.Errorf("got %v, whole %v, want the frames of the one with a video", got, whole)
	}
	if err := rec.dropFrames(c); err != nil {
		t.Fatal(err)
	}
	again, err := rec.findOne(id)
	if err != nil || again.Frames != 0 || again.video != 1000 || again.poster == 0 || again.bytes() > 5<<20 {
		t.Errorf("got %+v, %v, want no frames, the video and the poster", again, err)
	}
	if got, whole := tooMuch([]*recording{{about: about{ID: "busy"}}, again}, 12<<20, 10<<20, func(id string) bool { return id == "busy" }); got != again || !whole {
		t.Errorf("got %v, whole %v, want the oldest that is not in use", got, whole)
	}
}

func TestFilmWithoutFFmpeg(t *testing.T) {
	frames := many(t, 11, 320, 240, 1)
	for i := range frames { // odd lengths too
		frames[i].jpeg = append(frames[i].jpeg, make([]byte, i%2)...)
	}
	rec, id := film(t, frames, noFFmpeg)
	run(t, rec)
	await(t, rec, id, VideoFrames)
	v, err := rec.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	name := filepath.Join(t.TempDir(), "film.avi")
	data, err := io.ReadAll(v)
	if err == nil {
		err = os.WriteFile(name, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p := probe(t, name).Streams[0]; p.Codec != "mjpeg" || p.Width != 320 || p.Height != 240 || p.Read != "11" || p.Rate != "10/1" {
		t.Errorf("got %+v, want 11 frames of mjpeg, 320x240, 10 a second", p)
	}
	for _, from := range []int64{0, 1, 223, 5000, int64(len(data)) - 3} { // from anywhere, as a download that goes on
		if _, err := v.Seek(from, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(v); err != nil || string(rest) != string(data[from:]) {
			t.Errorf("from %d: got %d bytes, %v, want the last %d", from, len(rest), err, int64(len(data))-from)
		}
	}
	out, err := exec.CommandContext(t.Context(), "ffmpeg", "-v", "error", "-ss", "0.8", "-i", name, "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 { // seeking uses the index
		t.Errorf("seek: %v: %s", err, out)
	}
	if time.Since(v.Changed) < 0 {
		t.Errorf("changed at %v", v.Changed)
	}
}

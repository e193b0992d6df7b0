package timelapse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"layerd/camera"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// filmJob makes one film with ffmpeg: frames go in by its standard input, so that no name and no list of files is ever parsed.
type filmJob struct {
	rec      *Recorder
	ffmpeg   string
	id       string
	fps      int
	hardware hardware
	fed      *atomic.Int64
}

// hardware is whether the machine's own encoder works.
type hardware uint8

const (
	untried hardware = iota
	works
	absent
)

const (
	stuckAfter = 5 * time.Minute // without taking a frame
	probeTime  = 20 * time.Second
	maxWords   = 4 << 10 // that are kept of what ffmpeg says
	longSide   = 1920    // what hardware encoders and phones bear
	shortSide  = 1080
)

// filmError is why there is no film, in words for people.
type filmError struct{ reason string }

func (e *filmError) Error() string { return e.reason }

var errStuck = &filmError{"ffmpeg stood still for five minutes and was ended."}

func lookFFmpeg() (path string, ok bool) {
	path, err := exec.LookPath("ffmpeg")
	return path, err == nil
}

// run makes the film and returns what it learnt of the encoder.
func (j *filmJob) run(ctx context.Context) (hardware, error) {
	film, err := readReel(j.rec.dir, j.id)
	if err != nil {
		return j.hardware, err
	}
	places, _ := film.all()
	shape, places := shapeOf(places)
	if len(places) == 0 {
		return j.hardware, &filmError{"There are no frames."}
	}
	if j.hardware == untried {
		if j.hardware = j.probe(ctx); ctx.Err() != nil {
			return untried, context.Cause(ctx)
		}
	}
	if j.hardware == works {
		if err = j.encode(ctx, film, places, shape, hardwareCodec(shape, j.fps)); err == nil || ctx.Err() != nil {
			return j.hardware, err
		}
		j.rec.log.Warn("the hardware encoder failed, and is not used any more", "err", err)
		j.hardware = absent
	}
	return j.hardware, j.encode(ctx, film, places, shape, softwareCodec())
}

// shape is what most frames are like.
type shape struct {
	width, height int // as it is to be seen
	turn          camera.Turn
}

// shapeOf is the shape of most frames, and those that stand the same way. Others' size is fitted in; what was turned in mid-print is left out.
func shapeOf(places []place) (most shape, fit []place) {
	count := make(map[shape]int)
	for _, p := range places {
		s := shape{p.width, p.height, max(p.turn, 1)}
		if count[s]++; count[s] > count[most] {
			most = s
		}
	}
	turned := func(p place) bool { return max(p.turn, 1) != most.turn }
	if !slices.ContainsFunc(places, turned) { // as nearly always: there may be very many
		return most, places
	}
	return most, slices.DeleteFunc(slices.Clone(places), turned)
}

// turning is how ffmpeg is told to do what Exif says: the version of it matters whether it does so by itself.
func turning(t camera.Turn) string {
	clockwise, mirrored := t.Apart()
	filters := map[int]string{0: "", 90: "transpose=1,", 180: "hflip,vflip,", 270: "transpose=2,"}[clockwise]
	if mirrored {
		return "hflip," + filters
	}
	return filters
}

// size is the film's: upright, even, and not too big.
func (s shape) size() (w, h int) {
	w, h = max(s.width, 2), max(s.height, 2)
	if long, short := max(w, h), min(w, h); long > longSide || short > shortSide {
		by := min(float64(longSide)/float64(long), float64(shortSide)/float64(short))
		w, h = max(int(float64(w)*by), 2), max(int(float64(h)*by), 2)
	}
	return w &^ 1, h &^ 1
}

func (s shape) filters() string {
	w, h := s.size()
	return fmt.Sprintf("%sscale=%d:%d:force_original_aspect_ratio=decrease:force_divisible_by=2:out_range=tv,pad=%d:%d:-1:-1,setsar=1,format=yuv420p", turning(s.turn), w, h, w, h)
}

// softwareCodec has its usual look ahead cut short: at 1920x1080 that is 150 MB of memory in place of 220, for films that are a tenth bigger.
func softwareCodec() []string {
	return []string{"-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-g", "50", "-threads", "1", "-x264-params", "rc-lookahead=5:sync-lookahead=0:ref=1:bframes=0"}
}

func hardwareCodec(s shape, fps int) []string {
	w, h := s.size()
	return []string{"-c:v", "h264_v4l2m2m", "-b:v", strconv.Itoa(min(max(w*h*fps/10, 500_000), 20_000_000)), "-g", "50"}
}

// probe makes a tiny film with the machine's own encoder.
func (j *filmJob) probe(ctx context.Context) hardware {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	cmd := j.command(ctx, append(append([]string{"-f", "lavfi", "-i", "color=c=gray:s=640x480:r=25", "-frames:v", "10", "-pix_fmt", "yuv420p"},
		hardwareCodec(shape{640, 480, 1}, 25)...), "-f", "h264", "pipe:1"))
	var made words
	cmd.Stdout = &made
	if err := cmd.Run(); err != nil || len(made.text) < 100 { // some drivers take all frames and give nothing
		return absent
	}
	return works
}

func (j *filmJob) command(ctx context.Context, args []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, j.ffmpeg, append([]string{"-hide_banner", "-nostdin", "-loglevel", "error"}, args...)...)
	cmd.Dir = filepath.Join(j.rec.cfg.Dir, j.id)
	cmd.Env = []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH"), "AV_LOG_FORCE_NOCOLOR=1"}
	cmd.WaitDelay = 5 * time.Second
	return cmd
}

// encode feeds the frames to ffmpeg, and puts the film in its place when it is whole.
func (j *filmJob) encode(ctx context.Context, film *reel, places []place, s shape, codec []string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	args := append([]string{"-noautorotate", "-threads", "1", "-f", "image2pipe", "-c:v", "mjpeg", "-framerate", strconv.Itoa(j.fps), "-i", "pipe:0",
		"-an", "-filter_threads", "1", "-vf", s.filters()}, codec...)
	cmd := j.command(ctx, append(args, "-movflags", "+faststart", "-f", "mp4", "-y", videoName+coming))
	var said words
	cmd.Stderr = &said
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return &filmError{"ffmpeg could not be started: " + err.Error()}
	}
	defer j.rec.dir.Remove(j.id + "/" + videoName + coming) // nothing is there when all went well
	stepBack(cmd.Process.Pid)
	watch := time.AfterFunc(stuckAfter, func() { cancel(errStuck) })
	defer watch.Stop()
	fed := j.feed(in, film, places, func() { watch.Reset(stuckAfter) })
	if fed != nil && !errors.Is(fed, syscall.EPIPE) { // a broken pipe: it has ended by itself, and says why
		cancel(fed)
	}
	in.Close()
	err = cmd.Wait()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err == nil && fed != nil:
		return &filmError{"ffmpeg ended before it had all frames."}
	case err != nil:
		return &filmError{"ffmpeg failed: " + said.last(err)}
	}
	return j.place()
}

// feed writes the frames. One that is damaged is left out.
func (j *filmJob) feed(to io.Writer, film *reel, places []place, alive func()) error {
	j.fed.Store(0)
	for i, at := range places {
		if i%50 == 0 {
			if err := j.rec.room(0); err != nil {
				return &filmError{"The disk is nearly full."}
			}
		}
		p, err := film.read(at)
		if errors.Is(err, errTorn) {
			continue
		}
		if err != nil {
			return err
		}
		if _, err := to.Write(p.jpeg); err != nil {
			return err
		}
		alive()
		j.fed.Add(1)
	}
	return nil
}

// place gives the whole film its name.
func (j *filmJob) place() error {
	name := j.id + "/" + videoName
	f, err := j.rec.dir.OpenFile(name+coming, os.O_RDWR, 0)
	if err != nil {
		return &filmError{"ffmpeg made no film."}
	}
	info, err := f.Stat()
	if err == nil && info.Size() == 0 {
		err = &filmError{"ffmpeg made an empty film."}
	}
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := j.rec.dir.Rename(name+coming, name); err != nil {
		return err
	}
	return syncFolder(j.rec.dir, j.id)
}

// stepBack makes a child the last in line for the processor, and the first to go when memory runs out: a print runs, or may begin at any time.
func stepBack(pid int) {
	syscall.Setpriority(syscall.PRIO_PROCESS, pid, 19)                          // before it has a frame, and so before its threads begin
	os.WriteFile("/proc/"+strconv.Itoa(pid)+"/oom_score_adj", []byte("800"), 0) // where it is refused the film is made all the same
}

// words keeps the end of what a child says.
type words struct{ text []byte }

func (w *words) Write(b []byte) (int, error) {
	w.text = append(w.text, b[max(len(b)-maxWords, 0):]...)
	w.text = append(w.text[:0], w.text[max(len(w.text)-maxWords, 0):]...)
	return len(b), nil
}

// last is the last line that says something, fit to be shown.
func (w *words) last(err error) string {
	lines := bytes.Split(bytes.TrimSpace(w.text), []byte("\n"))
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return -1
		}
		return r
	}, string(lines[len(lines)-1]))
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "") + "…"
	}
	if line == "" && err != nil {
		return err.Error()
	}
	return line
}

package camera

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A Raspberry Pi's camera module. libcamera alone can drive it, so the pictures come from a program of the Raspberry Pi's makers:
//
//	rpicam-vid ─ its stdout ─▶ splitter ─▶ pace ─▶ Sink
//
// It turns pictures into JPEGs by itself, in software, which costs: when nobody has looked for a while it is run at fewer pictures a second.

const (
	moduleW, moduleH, moduleFPS, modulePoorFPS = 1280, 720, 15, 10
	moduleQuality                              = 80 // as in the pretend camera; its own default, 93, makes twice as many bytes of noise

	childGrace = time.Second // between asking it to end and ending it
	listWithin = 3 * time.Second
	listBytes  = 64 << 10
	idleAfter  = 30 * time.Second // people come back to a page
	gearEvery  = 250 * time.Millisecond
	idleRate   = 5 // pictures a second. libcamera keeps the first eight to itself (IpaBase::start, dropFrameCount_): with one a second a start would take longer than the watchdog waits
)

var (
	errNoProgram = errors.New("neither rpicam-vid nor libcamera-vid is installed")
	errNoModule  = errors.New("no such camera module")
	errEnded     = errors.New("the pictures ended")
	errGear      = errors.New("another number of pictures a second is wanted")
)

type module struct {
	device           Device
	settings         Settings
	command          func() ([]string, error) // what to run, before our arguments
	grace, idleAfter time.Duration
}

// newModule is a Source for rpicam:N. It runs nothing yet.
func newModule(d Device, s Settings) *module {
	if d.Name == "" {
		d.Name = "Raspberry Pi camera " + strings.TrimPrefix(d.ID, deviceModule)
	}
	return &module{device: d, settings: s, command: findProgram, grace: childGrace, idleAfter: idleAfter}
}

// Name is for people.
func (m *module) Name() string { return m.device.Name }

// Run runs the program, again and again when the rate changes, until ctx ends or it fails.
func (m *module) Run(ctx context.Context, sink Sink) error {
	command, err := m.command()
	if err != nil {
		return err
	}
	g := newGear(m.fps(), m.idleAfter)
	for {
		err := m.play(ctx, slices.Concat(command, m.arguments(g.rate)), g, sink)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, errGear):
			if again, ok := sink.(reopening); ok {
				again.Reopening()
			}
		default:
			return fmt.Errorf("run %s: %w", command[0], err)
		}
	}
}

// play is one run of the program; errGear: it ended because g has shifted.
func (m *module) play(ctx context.Context, command []string, g *gear, sink Sink) error {
	runtime.LockOSThread() // begin wants it
	defer runtime.UnlockOSThread()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	c, err := begin(ctx, command, childEnv(), m.grace)
	if err != nil {
		return err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		if g.watch(ctx, sink.Idle) {
			stop(errGear)
		}
	}()
	pictures, p := newSplitter(c), pace{sink: sink}
	for {
		var pic []byte
		if pic, err = pictures.next(); err != nil || ctx.Err() != nil {
			break
		}
		p.put(pic, time.Now())
	}
	ended := c.end()
	why := context.Cause(ctx)
	stop(nil)
	<-watched
	switch {
	case why != nil:
		return why
	case errors.Is(err, errTooLong) || errors.Is(err, errNoPicture):
		return err
	case ended != nil:
		return ended
	}
	return errEnded
}

// fps is how many pictures a second are wanted of it. Machines with one core are those that have little to spare.
func (m *module) fps() int {
	switch {
	case m.settings.FPS != 0:
		return m.settings.FPS
	case runtime.NumCPU() == 1:
		return modulePoorFPS
	}
	return moduleFPS
}

// arguments are those of rpicam-vid: for ever, JPEGs, no window, each picture at once, to stdout, and silent but for errors.
func (m *module) arguments(fps int) []string {
	w, h := m.settings.Width, m.settings.Height
	if w == 0 {
		w, h = moduleW, moduleH
	}
	return []string{"-t", "0", "--codec", "mjpeg", "--camera", strings.TrimPrefix(m.device.ID, deviceModule), "--width", strconv.Itoa(w), "--height", strconv.Itoa(h),
		"--framerate", strconv.Itoa(fps), "-q", strconv.Itoa(moduleQuality), "-n", "--flush", "-v", "0", "-o", "-"}
}

// gear is how fast the program runs. One goroutine has it at a time.
type gear struct {
	full, rate int
	after      time.Duration
	looked     time.Time // when somebody did last
}

func newGear(full int, after time.Duration) *gear {
	return &gear{full: full, rate: full, after: after, looked: time.Now()}
}

// watch returns true when it has shifted, false when ctx has ended.
func (g *gear) watch(ctx context.Context, idle func() bool) bool {
	look := time.NewTicker(min(gearEvery, g.after))
	defer look.Stop()
	for {
		select {
		case <-look.C:
			if g.shift(idle(), time.Now()) {
				return true
			}
		case <-ctx.Done():
			return false
		}
	}
}

// shift tells whether the rate has changed.
func (g *gear) shift(idle bool, now time.Time) bool {
	if !idle {
		g.looked = now
	}
	had := g.rate
	if g.rate = g.full; now.Sub(g.looked) >= g.after {
		g.rate = min(g.full, idleRate)
	}
	return g.rate != had
}

// meaning is what the words of rpicam-vid or libcamera-vid come to, nil when they are not known.
func meaning(said string) error {
	for words, err := range map[string]error{
		"failed to acquire camera":         syscall.EBUSY, // rpicam-apps, RPiCamApp::OpenCamera
		"in use by another process":        syscall.EBUSY, // libcamera, Camera::acquire
		"no cameras available":             errNoModule,
		"selected camera is not available": errNoModule,
	} {
		if strings.Contains(said, words) {
			return err
		}
	}
	return nil
}

func findProgram() ([]string, error) {
	for _, name := range []string{"rpicam-vid", "libcamera-vid"} { // the second until 2023
		if path, err := exec.LookPath(name); err == nil {
			return []string{path}, nil
		}
	}
	return nil, errNoProgram
}

// childEnv is the environment of programs that we run. Ours may hold passwords.
func childEnv() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LANG=C", "LIBCAMERA_LOG_LEVELS=*:WARN"}
}

// findModules lists the camera modules of this machine. Without the driver of one below root, which is "/" outside tests, it runs nothing: it is asked
// every few seconds while there is no camera.
func findModules(root string, command func() ([]string, error), list func(ctx context.Context, command, env []string, limit int64) ([]byte, error)) ([]Device, error) {
	names, err := filepath.Glob(filepath.Join(root, "sys/class/video4linux/video*"))
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(names, func(node string) bool {
		name := sysfsName(root, node)
		return strings.HasPrefix(name, "unicam") || strings.HasPrefix(name, "rp1-cfe")
	}) {
		return nil, nil
	}
	program, err := command()
	if err != nil {
		return nil, err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	ctx, cancel := context.WithTimeout(context.Background(), listWithin)
	defer cancel()
	text, err := list(ctx, append(program, "--list-cameras"), childEnv(), listBytes)
	if err != nil {
		return nil, fmt.Errorf("list camera modules: %w", err)
	}
	return parseModules(string(text)), nil
}

// moduleLine is "0 : imx219 [3280x2464 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx219@10)".
var moduleLine = regexp.MustCompile(`^([0-9]) : ([a-z0-9_-]{1,32}) (?:\[.*\] )?\((.*)\)\s*$`)

// parseModules reads the list of rpicam-vid. libcamera knows USB cameras, too; those we have already.
func parseModules(text string) (list []Device) {
	for line := range strings.Lines(text) {
		if m := moduleLine.FindStringSubmatch(line); m != nil && !strings.Contains(m[3], "usb") {
			list = append(list, Device{ID: deviceModule + m[1], Name: moduleName(m[2])})
		}
	}
	return list
}

// moduleName is what the makers call a module with this sensor.
func moduleName(sensor string) string {
	for chip, name := range map[string]string{"ov5647": "Module 1", "imx219": "Module 2", "imx708": "Module 3", "imx477": "HQ", "imx296": "GS", "imx500": "AI"} {
		if strings.HasPrefix(sensor, chip) {
			return "Raspberry Pi Camera " + name
		}
	}
	return "Raspberry Pi camera (" + sensor + ")"
}

package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/config"
	"layerd/internal/discovery"
	"layerd/internal/guard"
	"layerd/internal/health"
	"layerd/internal/history"
	"layerd/internal/moonraker"
	"layerd/internal/octoprint"
	"layerd/internal/overlay"
	"layerd/internal/power"
	"layerd/internal/prusalink"
	"layerd/internal/renew"
	"layerd/internal/server"
	"layerd/internal/spoolman"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/internal/timelapse"
	"layerd/printer"
	"layerd/webui"
)

// parkTime is how long an interrupted print may take to park and cool before the daemon ends all the same. With the three seconds that clients get
// to take their last answers, and what the disk needs, this stays below the 20 s that layerd promises.
const parkTime = 15 * time.Second

// parts is the daemon, built and not yet running.
type parts struct {
	cfg     config.Config
	log     *slog.Logger
	store   *store.Store
	printer *printer.Printer
	cameras *camera.Rig
	history *history.Recorder
	thermo  *thermo.Recorder
	spools  *spools.Shelf
	films   *timelapse.Recorder
	guard   *guard.Guard
	overlay *overlay.Switch
	health  *health.Watch
	power   *power.Board
	told    discovery.Config // to the local network
	server  *server.Server
	doorman *access.Gate
	renewer *renew.Renewer
	demo    *demo // nil outside the demo
	staged  staged
	secret  string
	page    netip.AddrPort  // where the page is served, once it is
	again   func(why error) // ends the parts, for serve to begin anew
}

// serve is the daemon: it builds the parts, runs them until ctx ends, and parks a print under way before it returns. In the demo the pretend
// printer has the faults.
func serve(ctx context.Context, cfg config.Config, demo staged, stdout, stderr io.Writer) error {
	if cfg.Data == "" { // only the demo
		dir, err := os.MkdirTemp("", "layerd-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.Data = dir
	}
	for {
		address, err := serveOnce(ctx, cfg, demo, stdout, stderr)
		if !errors.Is(err, errRestored) || ctx.Err() != nil {
			return err
		}
		cfg.Listen = address // people have it open, be its port chosen or not
	}
}

// serveOnce is serve until a backup was restored: errRestored. address is where the page was served.
func serveOnce(ctx context.Context, cfg config.Config, demo staged, stdout, stderr io.Writer) (address string, err error) {
	d, err := build(ctx, cfg, demo, stderr)
	if err != nil {
		return "", err
	}
	defer d.store.Close()
	listener, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return "", fmt.Errorf("serve the page on %s: %w; choose another address with --listen", cfg.Listen, err)
	}
	d.page = listener.Addr().(*net.TCPAddr).AddrPort()
	if cfg.TLS.Cert != "" {
		secure, err := server.TLSListener(listener, cfg.TLS.Cert, cfg.TLS.Key, d.log)
		if err != nil {
			listener.Close()
			return "", err
		}
		listener = secure
	}
	d.log.Info("layerd runs", "version", version, "address", listener.Addr().String(), "data", cfg.Data)
	if err := d.announce(ctx, stdout, listener.Addr()); err != nil {
		listener.Close()
		return "", err
	}
	return d.page.String(), d.run(ctx, listener)
}

func build(ctx context.Context, cfg config.Config, demo staged, stderr io.Writer) (*parts, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		return nil, err
	}
	d := &parts{cfg: cfg, staged: demo, log: logTo(stderr, level)}
	slog.SetDefault(d.log) // what libraries log by themselves goes the same way, and so has a line's form
	if err := d.openStore(ctx); err != nil {
		return nil, err
	}
	if err := d.wire(ctx); err != nil {
		d.store.Close()
		return nil, err
	}
	return d, nil
}

// logTo is the daemon's log. Its handler quotes what is not plain, so no text of others can be a line of its own, or move a terminal's cursor.
func logTo(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}

// wire makes the parts and tells each of those it needs.
func (d *parts) wire(ctx context.Context) error {
	own := printer.Config{Open: printer.OpenTTY, List: printer.ListTTYs, Port: d.cfg.Printer.Port, Baud: d.cfg.Printer.Baud, ResumeWithin: time.Duration(d.cfg.Printer.ResumeWithinS) * time.Second,
		Cooling: printer.UsualCooling(), Log: d.log}
	pictures := camera.RigConfig{Config: camera.Config{Log: d.log}}
	custom, err := server.ReadCustom(ctx, d.store)
	own.Profile, own.Scripts = custom.Shelf.Used(), custom.Scripts
	if err == nil {
		_, err = d.store.Setting(ctx, "cooling", &own.Cooling)
	}
	if err == nil {
		_, err = d.store.Setting(ctx, "port", &own.Remember)
	}
	if err == nil {
		pictures.Setups, err = server.ReadCameras(ctx, d.store)
		pictures.Setups = d.configured(pictures.Setups)
	}
	if err == nil {
		own.LastJob, err = history.LastOutcome(ctx, d.store)
	}
	if err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	own.OnChoice = func(identity string) {
		if err := d.store.SetSetting(context.WithoutCancel(ctx), "port", identity); err != nil {
			d.log.Error("remember the chosen port", "err", err)
		}
	}
	if d.cfg.Demo {
		if d.demo, err = newDemo(d.staged, d.log); err != nil {
			return err
		}
		d.demo.replace(&own, &pictures)
		d.secret = "ld_demo_" + rand.Text()
	} else {
		scene := testPicture(func() *printer.Snapshot { s, _ := d.printer.Snapshots().Get(); return s })
		pictures.Simulated = func(s camera.Settings) camera.Source { return camera.NewSimulated(scene, s.FPS, s.Width, s.Height) }
	}
	d.printer = printer.New(own)
	d.cameras = camera.NewRig(pictures)
	d.history = history.New(d.printer, d.store, d.newestPicture, d.log)
	d.thermo = thermo.New(d.printer, d.store, d.log)
	if d.spools, err = d.shelf(ctx); err != nil {
		return err
	}
	if d.guard, err = d.watcher(ctx); err != nil {
		return err
	}
	if d.power, err = d.switches(ctx, custom.Lamp); err != nil {
		return err
	}
	if d.films, err = d.recorder(ctx); err != nil {
		return err
	}
	if d.overlay, err = d.away(ctx); err != nil {
		return err
	}
	if d.doorman, err = d.gate(ctx); err != nil {
		return err
	}
	if d.renewer, err = renewer(d.printer.Snapshots(), func() string { return d.server.Occupied() }, d.log); err != nil {
		return err
	}
	host := hostName()
	if d.told, err = d.announced(ctx, host); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	var copies server.Backups
	if !d.cfg.Demo {
		copies = backups{d}
	}
	d.health = d.lookAfter()
	d.server = server.New(server.Config{Printer: d.printer, Console: d.printer.Console(), Files: d.store, History: d.history, Spools: d.spools, Queue: d.store,
		Gate: d.doorman, People: d.store, Host: host, Cameras: d.cameras, Overlay: d.overlay, Temperatures: d.thermo, Timelapses: d.films, Guard: d.guard, Power: d.power, Machine: d.machine(),
		Backups: copies, Renewer: d.renewer, Reports: d.health.Reports(), Vital: d.vital(), Figures: d.figures(),
		Page: webui.Files(), Ports: own.Ports, Log: d.log, Version: version, Names: d.names, Demo: d.cfg.Demo, Custom: custom, Locked: d.cfg.Locked})
	octo := octoprint.New(d.server)
	octo.UUID, octo.Description = d.told.UUID, d.told.Description
	d.store.PaceBy(d.server.Polite)
	d.server.Mount(prusalink.New(d.server), moonraker.New(d.server), octo, octo.Rest()) // OctoPrint's has wider routes
	return nil
}

// newestPicture is what the history keeps of a print's end.
func (d *parts) newestPicture() (jpeg []byte, taken time.Time) {
	if first := d.cameras.First(); first != nil {
		if f, _ := first.Frames().Get(); f != nil {
			return f.JPEG, f.Time
		}
	}
	return nil, time.Time{}
}

// recorder makes timelapses of the camera that is chosen for it, else of the first.
func (d *parts) recorder(ctx context.Context) (*timelapse.Recorder, error) {
	settings := timelapse.UsualSettings()
	if _, err := d.store.Setting(ctx, "timelapse", &settings); err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	if err := settings.Validate(); err != nil {
		d.log.Error("timelapses are as in a new installation", "err", err)
		settings = timelapse.UsualSettings()
	}
	return timelapse.New(timelapse.Config{Dir: filepath.Join(d.cfg.Data, "timelapse"), Printer: d.guard, Settings: settings, MinFree: int64(d.cfg.Files.MinFreeMB) << 20, Log: d.log,
		Camera: func(id int) timelapse.Camera {
			if chosen := d.cameras.Camera(id); chosen != nil {
				return chosen
			}
			if first := d.cameras.First(); first != nil {
				return first
			}
			return nil
		}})
}

// shelf has the user's Spoolman, where one is configured, else our own spools.
func (d *parts) shelf(ctx context.Context) (*spools.Shelf, error) {
	if d.cfg.Spoolman.URL == "" {
		return spools.New(ctx, d.store, nil, d.log)
	}
	client, err := spoolman.New(d.cfg.Spoolman.URL)
	if err != nil {
		return nil, err
	}
	d.store.SpoolsFrom(store.Spoolman)
	return spools.New(ctx, d.store, client, d.log)
}

// configured are the cameras with what the configuration says of the first, the one with the ID 0.
func (d *parts) configured(setups []camera.Setup) []camera.Setup {
	i := slices.IndexFunc(setups, func(s camera.Setup) bool { return s.ID == 0 })
	if i < 0 && d.cfg.Locked["camera.device"] != "" {
		setups, i = append([]camera.Setup{{}}, setups...), 0
	}
	if i < 0 {
		return setups
	}
	for key, set := range map[string]func(*camera.Setup){
		"camera.device": func(s *camera.Setup) { s.Device = d.cfg.Camera.Device },
		"camera.width":  func(s *camera.Setup) { s.Width = d.cfg.Camera.Width },
		"camera.height": func(s *camera.Setup) { s.Height = d.cfg.Camera.Height },
		"camera.fps":    func(s *camera.Setup) { s.FPS = d.cfg.Camera.FPS },
	} {
		if d.cfg.Locked[key] != "" {
			set(&setups[i])
		}
	}
	return setups
}

// run runs all parts until ctx ends or one of them fails. Either way a print under way is parked before the parts are
// ended.
func (d *parts) run(ctx context.Context, l net.Listener) error {
	until, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	d.again = fail
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var all sync.WaitGroup
	begin := func(run func(context.Context) error) {
		all.Go(func() {
			if err := run(life); err != nil {
				fail(err)
			}
		})
	}
	if d.demo != nil {
		begin(d.demo.run)
	}
	begin(d.printer.Run)
	begin(d.history.Run)
	begin(d.thermo.Run)
	begin(d.spools.Run)
	begin(d.films.Run)
	begin(d.guard.Run)
	begin(d.overlay.Run)
	begin(d.health.Run)
	begin(d.power.Run)
	begin(d.announceTo(l.Addr()))
	begin(d.renewer.Run)
	begin(d.server.Run)
	begin(func(life context.Context) error { return d.server.Serve(life, l) })
	begin(func(life context.Context) error {
		if err := d.cameras.Run(life); err != nil {
			d.log.Error("a camera ended", "err", err) // a print goes on without
		}
		return nil
	})
	watch := d.watch()
	begin(watch.Run)
	<-until.Done()
	if !errors.Is(context.Cause(until), errRestored) { // systemd takes it for the end of the process, and makes it that after TimeoutStopSec
		watch.Stopping()
	}
	if d.demo == nil { // a pretend printer cools by itself, and whoever stops the demo does not want to wait for it
		d.park(until)
	}
	end()
	all.Wait()
	d.log.Info("layerd ends")
	if ctx.Err() != nil {
		return nil // it was asked to
	}
	return context.Cause(until)
}

// park ends a print under way as interrupted, with heaters off.
func (d *parts) park(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), parkTime)
	defer cancel()
	if err := d.printer.Shutdown(ctx); err != nil {
		d.log.Error("the print could not be parked in time; heaters off was sent", "err", err)
	}
}

// announce prints the page's address, and what opens it: in the demo its key, else the set-up link while nobody owns this layerd.
func (d *parts) announce(ctx context.Context, out io.Writer, a net.Addr) error {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	scheme := "http"
	if d.cfg.TLS.Cert != "" {
		scheme = "https"
	}
	address := scheme + "://" + net.JoinHostPort(host, port) + "/"
	if d.secret != "" {
		fmt.Fprintf(out, "layerd with a pretend printer and camera. Open this address; its key is good until layerd ends:\n%s#token=%s\n", address, d.secret)
		return nil
	}
	fmt.Fprintf(out, "layerd serves its page on %s\nMake a key for your phone with: layerd token create --name phone --role owner --data %s\n", address, d.dataForShell())
	return d.offerSetup(ctx, out, address)
}

// dataForShell is the data directory as it stands in a command line: whoever makes a key may sit in another folder and have another default.
func (d *parts) dataForShell() string {
	dir, err := filepath.Abs(d.cfg.Data)
	if err != nil {
		dir = d.cfg.Data
	}
	if strings.ContainsFunc(dir, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+", r)
	}) {
		return "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	return dir
}

// Package server is how people and programs reach layerd: HTTP for scripts, two websockets for the page, and the page itself.
//
//	request ─▶ headers ─▶ route (routes.go) ─▶ who and what role ─▶ handler ─▶ answer, or error (errors.go)
//	                                                    └─ commands (commands.go), over HTTP and the live socket alike
//
// Nothing here is on the print path: the printer publishes snapshots and never waits for a reader.
package server

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/health"
	"layerd/internal/latest"
	"layerd/internal/power"
	"layerd/internal/spools"
	"layerd/internal/store"
	"layerd/internal/viewer"
	"layerd/printer"
)

// Printer is what the server asks of the machine; *printer.Printer is one.
type Printer interface {
	Snapshots() *printer.Snapshots
	Connect(ctx context.Context, path string, baud int) (uint64, error)
	Disconnect(ctx context.Context) (uint64, error)
	Start(ctx context.Context, info printer.JobInfo, src io.ReadCloser) (uint64, error)
	Pause(ctx context.Context, job string) (uint64, error)
	Resume(ctx context.Context, job string) (uint64, error)
	ResumeAsItIs(ctx context.Context, job string) (uint64, error)
	Cancel(ctx context.Context, job string) (uint64, error)
	SetStop(ctx context.Context, job string, at printer.StopAt) (uint64, error)
	RemoveStop(ctx context.Context, job string, layer int) (uint64, error)
	CheckNow(ctx context.Context, job, why string) (uint64, error)
	Rehome(ctx context.Context, job string) (uint64, error)
	Answer(ctx context.Context, prompt int64, button int) (uint64, error)
	Send(ctx context.Context, lines ...string) (uint64, error)
	EmergencyStop(ctx context.Context) (uint64, error)
	Dismiss(ctx context.Context) (uint64, error)
	Home(ctx context.Context, axes string) (uint64, error)
	Jog(ctx context.Context, axis byte, byMM float64) (uint64, error)
	JogTo(ctx context.Context, axis byte, toMM float64) (uint64, error)
	ExtrudeAt(ctx context.Context, byMM, mmS float64) (uint64, error)
	SetNozzle(ctx context.Context, tool int, targetC float64) (uint64, error)
	SetBed(ctx context.Context, targetC float64) (uint64, error)
	SetChamber(ctx context.Context, targetC float64) (uint64, error)
	SetFan(ctx context.Context, percent float64) (uint64, error)
	SetSpeed(ctx context.Context, percent float64) (uint64, error)
	SetFlow(ctx context.Context, percent float64) (uint64, error)
	MotorsOff(ctx context.Context) (uint64, error)
	SetProfile(ctx context.Context, profile printer.Profile) (uint64, error)
	KeepWarm(ctx context.Context) (rev uint64, err error)
	SkipObject(ctx context.Context, job string, object int, skip bool) (rev uint64, err error)
	SetCooling(ctx context.Context, c printer.Cooling) (rev uint64, err error)
	tuner
	ListCard(ctx context.Context) (printer.CardList, error)
	StartCard(ctx context.Context, path string) (id string, rev uint64, err error)
	SetScripts(ctx context.Context, scripts printer.Scripts) (uint64, error)
	CheckButtons(ctx context.Context, groups []printer.ButtonGroup) error
	Press(ctx context.Context, b printer.Button, number float64) (uint64, error)
}

// Console is the ring of lines that went over the wire; *printer.Console is one.
type Console interface {
	Since(ctx context.Context, seq uint64, max int) ([]printer.Entry, error)
}

// Files is what the server asks of the store; *store.Store is one.
type Files interface {
	PutIf(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) error) (store.File, error)
	PutLate(ctx context.Context, path string, r io.Reader, size int64, overwrite bool, accept func(*gcode.Survey) (path string, overwrite bool, err error)) (store.File, error)
	Fit(ctx context.Context, path string) (*os.File, store.Fitted, error)
	OpenFitted(ctx context.Context, path string) (*os.File, store.Fitted, error)
	Files(ctx context.Context) ([]store.File, error)
	Details(ctx context.Context, sha256 string) (map[string]store.Details, error)
	Stat(ctx context.Context, path string) (store.File, error)
	Survey(ctx context.Context, path string) (gcode.Survey, error)
	Gist(ctx context.Context, path string) (store.Gist, error)
	SetMachine(l gcode.Limits)
	OpenFile(ctx context.Context, path string) (*os.File, store.File, error)
	Thumbnail(ctx context.Context, path string) (data []byte, mediaType string, err error)
	Delete(ctx context.Context, path string) error
	Rename(ctx context.Context, from, to string) (store.File, error)
	MakeFolder(ctx context.Context, path string) (store.File, error)
	Changed() <-chan struct{}
	Free() (int64, error)
	Disk() (free, total int64, err error)
	Prints(ctx context.Context, beforeMS int64, limit int) ([]store.Print, error)
	PrintLog(ctx context.Context, id string) ([]store.LogLine, error)
	Curve(ctx context.Context, id string) (store.Curve, error)
	Picture(ctx context.Context, id string) ([]byte, error)
	Totals(ctx context.Context, where *time.Location) ([]store.Month, error)
	EachPrint(ctx context.Context, visit func(store.Print) error) error
	SetSetting(ctx context.Context, key string, v any) error
	alarms
	keeper
}

// History writes the row of a print; *history.Recorder is one.
type History interface {
	// Begin writes the row, synced. From then on the file cannot change.
	Begin(ctx context.Context, p store.Print) error
	// Drop ends the row of a print that could not be started.
	Drop(ctx context.Context, id string, why error) error
	// Flush writes what is known of the print under way.
	Flush(ctx context.Context) error
}

// Spools is the shelf of filament; *spools.Shelf is one. Nothing of it waits for a network.
type Spools interface {
	List(ctx context.Context) (spools.List, error)
	Save(ctx context.Context, e store.SpoolEdit) (int64, error)
	PutOn(ctx context.Context, tool int, id int64) error
	Changed() <-chan struct{}
}

// Queue is what is to be printed next; *store.Store is one. Each method is one transaction.
type Queue interface {
	Queue(ctx context.Context) ([]store.Entry, error)
	QueueChanged() <-chan struct{}
	AddToQueue(ctx context.Context, file string, copies int, by string) (store.Entry, error)
	MoveInQueue(ctx context.Context, id, before int64) error
	SetCopies(ctx context.Context, id int64, copies int) error
	Unqueue(ctx context.Context, id int64) error
}

// Config is what a Server is made of. Printer, Console, Files, History, Spools, Queue, Gate, People, Cameras, Overlay, Temperatures, Timelapses, Guard and Page are needed.
type Config struct {
	Printer      Printer
	Console      Console
	Files        Files
	History      History
	Spools       Spools
	Queue        Queue
	Gate         Gate
	People       People
	Cameras      Cameras
	Overlay      Overlay
	Temperatures Temperatures
	Timelapses   Timelapses
	Guard        Guard
	Reports      *health.Reports                    // what was found of the machine; nil = nobody looks
	Vital        []Vital                            // what /healthz asks
	Figures      Figures                            // for /metrics
	Backups      Backups                            // nil = none can be made
	Power        Power                              // nil = there is no switch
	Machine      Machine                            // nil = nothing can be done to it
	Page         fs.FS                              // index.html (else placeholder.html) and assets/
	Ports        func() ([]printer.PortInfo, error) // serial ports for the settings screen; nil = none are offered
	Log          *slog.Logger                       // nil = nothing is logged
	Version      string
	Names        func() []string // full names that the tailnet knows us by; nil = no more than addresses and names of one part
	Host         string          // name of this machine, for people
	Renewer      Renewer         // nil = layerd is not restarted from the page
	Demo         bool
	Zone         *time.Location    // where months and days begin; nil = the machine's own
	Custom       Custom            // what people have set up; see ReadCustom
	Locked       map[string]string // settings that the page may not change, by key, and where they come from
}

// Server answers all requests. It is a http.Handler; Run must be running for pages to be kept up to date.
type Server struct {
	cfg         Config
	routes      []mounted // the page's is the last
	log         *slog.Logger
	page        *page
	crossOrigin *http.CrossOriginProtection

	views       *latest.Value[*view] // what pages show; nil until Run
	filesRev    atomic.Uint64
	settingsRev atomic.Uint64
	overlayRev  atomic.Uint64
	freeBytes   atomic.Int64
	spoolsRev   atomic.Uint64
	queueRev    atomic.Uint64
	queued      atomic.Int64
	limitsAsked atomic.Int64           // the connection in which the printer was: its SinceMS
	selected    atomic.Pointer[string] // see Select
	picked      chan struct{}          // holds one token when another was selected since the last view
	firstRev    uint64                 // of all these
	custom      *custom
	preparing   atomic.Pointer[preparation]
	smaller     viewer.Smaller // pictures for links that do not bear whole ones

	pulses    pulses
	toolpaths *toolpaths
	apps      *apps
	deeds     deeds
	done      once          // answers already given
	starting  chan struct{} // holds one token while a print is being started
	arranging chan struct{} // … while the cameras are set up
	lastJob   string        // newest job ID; guarded by starting

	// Bounds on what costs memory or a goroutine for as long as a client likes.
	liveSockets, cameraSockets, streams, uploads slots
	working                                      slots // one upload at a time is worked on while a print runs
	backups                                      slots // one is made at a time
	asking                                       slots // one procedure of questions at a time: settings, or the mesh

	life    context.Context // ends with Run; commands and sockets live in it, whatever becomes of their client
	endLife context.CancelFunc
}

// New returns a Server. It starts nothing.
func New(cfg Config) *Server {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Zone == nil {
		cfg.Zone = time.Local
	}
	if cfg.Power == nil {
		cfg.Power = power.New(power.Config{Power: power.UsualSettings()})
	}
	if cfg.Machine == nil {
		cfg.Machine = power.Machine{}
	}
	if cfg.Locked == nil {
		cfg.Locked = map[string]string{}
	}
	s := &Server{
		cfg: cfg, routes: ourRoutes(), log: cfg.Log, page: newPage(cfg.Page), crossOrigin: http.NewCrossOriginProtection(),
		custom: newCustom(cfg.Custom), smaller: viewer.Smaller{Log: cfg.Log}, views: latest.New[*view](nil), starting: make(chan struct{}, 1), arranging: make(chan struct{}, 1),
		liveSockets: make(slots, 200), cameraSockets: make(slots, 100), streams: make(slots, 64), uploads: make(slots, 4), working: make(slots, 1), asking: make(slots, 1), backups: make(slots, 1),
		pulses: pulses{asking: make(chan struct{}, 1), hung: map[string]<-chan error{}}, apps: newApps(), toolpaths: newToolpaths(), picked: make(chan struct{}, 1), deeds: deeds{waiting: make(chan store.Deed, 256)},
	}
	s.firstRev = uint64(time.Now().UnixMilli()) // so that a page that was there before a restart sees others
	for _, rev := range []*atomic.Uint64{&s.filesRev, &s.spoolsRev, &s.queueRev, &s.settingsRev, &s.overlayRev} {
		rev.Store(s.firstRev)
	}
	s.freeBytes.Store(-1)
	s.life, s.endLife = context.WithCancel(context.Background())
	return s
}

// Serve answers on l until ctx ends, then closes it within three seconds. It takes l over. It may be called for several listeners; sockets are no
// longer the http.Server's, and end with Run or with their connection.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	guests := newCrowd(crowdMax, sourceMax)
	h := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		// What one connection may hold in HTTP/2, where it is many requests: by default 250, and a megabyte for a frame that somebody has only announced.
		HTTP2:       &http.HTTP2Config{MaxConcurrentStreams: 8, MaxReadFrameSize: 16 << 10, MaxReceiveBufferPerConnection: 256 << 10, MaxReceiveBufferPerStream: 256 << 10},
		ErrorLog:    slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return guests.enter(access.WithConn(ctx, c), c)
		},
		ConnState: guests.changed,
	}
	var closing sync.WaitGroup
	closing.Add(1)
	stop := context.AfterFunc(ctx, func() {
		defer closing.Done()
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
		defer cancel()
		if h.Shutdown(patience) != nil {
			h.Close()
		}
	})
	err := h.Serve(l)
	if stop() { // ctx goes on: the listener failed by itself
		closing.Done()
	}
	closing.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// smallBuffer keeps the kernel from taking seconds of pictures: no more than this many bytes.
func smallBuffer(c net.Conn, bytes int) {
	for {
		switch conn := c.(type) {
		case *net.TCPConn:
			conn.SetWriteBuffer(bytes) // an error leaves the default, which costs age and nothing else
			return
		case interface{ NetConn() net.Conn }: // TLS
			c = conn.NetConn()
		default:
			return
		}
	}
}

// slots bound how many of something there are at a time.
type slots chan struct{}

// take takes a slot, or returns errCrowded when there is none.
func (s slots) take() error {
	select {
	case s <- struct{}{}:
		return nil
	default:
		return errCrowded
	}
}

// takeAs is take for somebody of a role. The last places are for those who may do more: people who only look cannot crowd out the owner.
func (s slots) takeAs(role access.Role) error {
	if kept := int(access.Owner-role) * ((cap(s) + 9) / 10); len(s) >= cap(s)-kept {
		return errCrowded
	}
	return s.take()
}

func (s slots) free() { <-s }

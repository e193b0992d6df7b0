package server

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/latest"
	"layerd/printer"
)

// What flows here: printer snapshots, camera status, changes of files and free space → one view, at most ten times a
// second → encoded once for each identity → every live socket that is ready for it.

const (
	viewEvery   = 100 * time.Millisecond
	freeEvery   = 10 * time.Second
	encodedGood = 200 * time.Millisecond // how long an encoding may be sent before its now_ms is too old
)

// view is what all pages show at one moment. The encodings are shared by all sockets of an identity.
type view struct {
	state State // without Me and NowMS

	mu      sync.Mutex // guards encoded
	encoded map[access.Identity]encoding
}

type encoding struct {
	at      time.Time
	message *websocket.PreparedMessage
}

// Run keeps the views up to date until ctx ends, and ends all sockets then. It returns nil.
func (s *Server) Run(ctx context.Context) error {
	defer s.endLife()
	var followers sync.WaitGroup
	defer followers.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	kick := make(chan struct{}, 1)
	snaps, status, films, watched := s.cfg.Printer.Snapshots(), s.cfg.Cameras.Status(), s.cfg.Timelapses.List(), s.cfg.Guard.States()
	_, film := films.Get()
	_, watch := watched.Get()
	_, snap := snaps.Get() // the first view has these
	_, shown := status.Get()
	followers.Go(func() { follow(ctx, snaps, snap, kick) })
	followers.Go(func() { follow(ctx, status, shown, kick) })
	followers.Go(func() { follow(ctx, films, film, kick) })
	followers.Go(func() { follow(ctx, watched, watch, kick) })
	if reports := s.cfg.Reports; reports != nil {
		_, report := reports.Get()
		followers.Go(func() { follow(ctx, reports, report, kick) })
	}
	switches := s.cfg.Power.Statuses()
	_, switched := switches.Get()
	followers.Go(func() { follow(ctx, switches, switched, kick) })
	followers.Go(func() { s.keepDeeds(ctx) })
	if s.cfg.Renewer != nil {
		waits := s.cfg.Renewer.Waits()
		_, known := waits.Get()
		followers.Go(func() { follow(ctx, waits, known, kick) })
	}

	networks, joined := s.cfg.Overlay.Statuses(), make(chan struct{}, 1)
	_, network := networks.Get()
	followers.Go(func() { follow(ctx, networks, network, joined) })

	files := s.cfg.Files.Changed()
	spools, queue := s.cfg.Spools.Changed(), s.cfg.Queue.QueueChanged()
	s.countQueue(ctx)
	s.measureFree()
	free := time.NewTicker(freeEvery)
	defer free.Stop()
	pace := time.NewTimer(0)
	defer pace.Stop()
	for {
		// Whatever happens while we hold back is in the next view: newest wins.
		select {
		case <-pace.C:
		case <-ctx.Done():
			return nil
		}
		s.views.Set(s.compose())
		pace.Reset(viewEvery)
		for changed := false; !changed; {
			select {
			case <-kick:
				changed = true
			case <-files:
				files = s.cfg.Files.Changed() // before the revision grows, so that no change falls between
				s.filesRev.Add(1)
				s.measureFree()
				changed = true
			case <-spools:
				spools = s.cfg.Spools.Changed()
				s.spoolsRev.Add(1)
				changed = true
			case <-queue:
				queue = s.cfg.Queue.QueueChanged()
				s.queueRev.Add(1)
				s.countQueue(ctx)
				changed = true
			case <-joined:
				s.overlayRev.Add(1)
				changed = true
			case <-s.apps.changed:
				changed = true
			case <-s.custom.changed:
				changed = true
			case <-s.picked:
				changed = true
			case <-free.C:
				changed = s.measureFree()
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// follow kicks for values newer than the one numbered seq, without a queue, until ctx ends.
func follow[T any](ctx context.Context, values *latest.Value[T], seq uint64, kick chan<- struct{}) {
	for {
		var err error
		if _, seq, err = values.Next(ctx, seq); err != nil {
			return
		}
		select {
		case kick <- struct{}{}:
		default:
		}
	}
}

// measureFree notes the free space, and reports whether it differs by what a page would show.
func (s *Server) measureFree() bool {
	free, err := s.cfg.Files.Free()
	if err != nil {
		s.log.Warn("free space is not known", "err", err)
		free = -1
	}
	const shown = 1 << 20
	return s.freeBytes.Swap(free)/shown != free/shown
}

// compose makes a view of what is known now.
func (s *Server) compose() *view {
	v := &view{encoded: map[access.Identity]encoding{}}
	v.state = State{Type: "state", FilesRev: s.filesRev.Load(), SettingsRev: s.settingsRev.Load(), FreeBytes: s.freeBytes.Load(), SpoolsRev: s.spoolsRev.Load(), QueueRev: s.queueRev.Load(), Queued: s.queued.Load(),
		Version: s.cfg.Version, NewVersion: s.newVersionWaits(), Demo: s.cfg.Demo, Locked: s.cfg.Locked}
	if snap, _ := s.cfg.Printer.Snapshots().Get(); snap != nil {
		v.state.Snapshot = *snap
	}
	v.state.TimelapsesRev, v.state.Timelapse = s.timelapseState()
	if v.state.Cameras, _ = s.cfg.Cameras.Status().Get(); v.state.Cameras == nil {
		v.state.Cameras = []camera.Status{}
	}
	v.state.Guard, _ = s.cfg.Guard.States().Get()
	v.state.Lamp, v.state.Power, v.state.Preparing = s.lampStatus(), s.powerState(), s.preparingNow()
	v.state.Host = s.hostState()
	v.state.Asking = s.apps.asked()
	v.state.Overlay, v.state.OverlayRev = s.overlayState(), s.overlayRev.Load()
	// A list is a list in JSON even when it is empty.
	if v.state.Nozzles == nil {
		v.state.Nozzles = []printer.Heater{}
	}
	if v.state.Connection.Ports == nil {
		v.state.Connection.Ports = []printer.PortInfo{}
	}
	if v.state.Connection.Capabilities == nil {
		v.state.Connection.Capabilities = map[string]bool{}
	}
	return v
}

// as is the view as me sees it, at this moment.
func (v *view) as(me access.Identity) State {
	state := v.state
	state.Me, state.NowMS = me, time.Now().UnixMilli()
	if me.Role < access.Owner { // whom it does not concern
		state.Asking = []AppRequest{}
	}
	if me.Role < access.Operator {
		state.Host.Found, state.Host.Do = "", ""
	}
	return state
}

// message is the view for me, ready to be written.
func (v *view) message(me access.Identity) (*websocket.PreparedMessage, error) {
	me = access.Identity{ID: me.ID, Name: me.Name, Role: me.Role, Via: me.Via} // what is shown of him
	v.mu.Lock()
	defer v.mu.Unlock()
	if e, ok := v.encoded[me]; ok && time.Since(e.at) < encodedGood {
		return e.message, nil
	}
	text, err := json.Marshal(v.as(me))
	if err != nil {
		return nil, fmt.Errorf("encode the state: %w", err)
	}
	message, err := websocket.NewPreparedMessage(websocket.TextMessage, text)
	if err != nil {
		return nil, fmt.Errorf("prepare the state: %w", err)
	}
	v.encoded[me] = encoding{time.Now(), message}
	return message, nil
}

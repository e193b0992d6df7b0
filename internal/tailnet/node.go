// Package tailnet makes layerd a node of a Tailscale or Headscale network, without an installed client and without rights.
//
//	Node.Run ─▶ life: a tsnet.Server from its start to its end ─▶ its bus, a probe, the certificate ─▶ view ─▶ words ─▶ overlay.Status
//	                                     └▶ listeners whose connections know the caller ─▶ the page; /neighbour for other layerds
//
// It is the only importer of tailscale.com. Nothing here is on the way of a print: Run has a goroutine of its own, and what
// fails is told in words and tried again.
package tailnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"reflect"
	"sync"
	"time"

	"layerd/internal/overlay"
)

// Config is what a Node needs. It is not changed while the Node lives.
type Config struct {
	Dir      string                  // of its keys, for nothing else: Leave empties it. It is made with mode 0700
	Settings overlay.TailnetSettings // valid ones
	// AuthKey enrols without a login link. It is used only when Dir knows no network yet, for a stale key breaks a node that is
	// enrolled. It is forgotten after the first success, or when it is refused.
	AuthKey string
	// Enrolled is called when AuthKey, or the secret of Login, has done its work: keep it no longer. May be nil. It must not block.
	Enrolled func()
	// Serve serves the page on a listener until ctx ends or the listener is closed; then it returns. Its connections implement
	// access.Introducer. It is called once for each listener, anew when one was lost.
	Serve   func(ctx context.Context, l net.Listener) error
	Self    func() overlay.Neighbour // what other layerds of ours are told; must not block. nil = they are told nothing
	Picture func() []byte            // newest picture of the first camera, JPEG; nil = none. May be nil
	Report  func(overlay.Status)     // is given each new status; must not block
	Log     *slog.Logger             // may be nil
}

// Node is layerd on a tailnet. It implements overlay.Network.
type Node struct {
	cfg  Config
	log  *slog.Logger
	asks chan ask

	// Of Run's goroutine:
	key     string // auth key still to be used
	refused string // what the control server said of the last one
	last    overlay.Status

	mu  sync.Mutex // guards now
	now *life      // nil = none
}

var _ overlay.Network = (*Node)(nil)

// ask is what Login and Leave want of Run.
type ask struct {
	leave  bool
	secret string     // of Login; "" = a link
	done   chan error // holds one
}

// New returns a Node; Run starts it. The error says what is missing.
func New(cfg Config) (*Node, error) {
	if cfg.Dir == "" || cfg.Serve == nil || cfg.Report == nil {
		return nil, errors.New("make a tailnet node: Dir, Serve and Report are needed")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Enrolled == nil {
		cfg.Enrolled = func() {}
	}
	return &Node{cfg: cfg, log: cfg.Log, key: cfg.AuthKey, asks: make(chan ask)}, nil
}

const (
	firstRetry = 2 * time.Second // after a life that could not begin; doubled up to maxRetry
	maxRetry   = time.Minute
)

// Run joins and serves until ctx ends, and returns when nothing of it is left in Dir: after three seconds for last answers, and what the library takes to end, at
// most closeTime. The error is for a state directory that cannot be used.
func (n *Node) Run(ctx context.Context) error {
	if err := makeDir(n.cfg.Dir); err != nil {
		return err
	}
	wait := firstRetry
	for ctx.Err() == nil {
		n.report(overlay.Status{State: overlay.Starting})
		why, err := n.live(ctx)
		switch {
		case ctx.Err() != nil:
		case why == left:
			n.report(overlay.Status{State: overlay.Off, Problem: "This machine has left the tailnet.", Next: "Log in to join one again."})
			n.idle(ctx, nil)
		case err != nil:
			n.log.Warn("the tailnet node failed", "err", err, "retry_s", wait.Seconds())
			n.report(overlay.Status{State: overlay.Failed, Problem: sentence("The node could not start: " + err.Error()), Next: "It is tried again by itself."})
			n.idle(ctx, time.After(wait))
			wait = min(2*wait, maxRetry)
		default:
			wait = firstRetry
		}
	}
	return nil
}

// idle waits while there is no life: for ever, or until after. Login ends it.
func (n *Node) idle(ctx context.Context, after <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-after:
			return
		case a := <-n.asks:
			if a.leave {
				a.done <- clearDir(n.cfg.Dir)
				continue
			}
			n.key, n.refused = a.secret, ""
			a.done <- nil
			return
		}
	}
}

// report tells what is new.
func (n *Node) report(s overlay.Status) {
	s.Kind = overlay.Tailnet
	if reflect.DeepEqual(s, n.last) {
		return
	}
	if s.State != n.last.State {
		n.log.Info("tailnet", "state", s.State, "name", s.Name, "problem", s.Problem)
	}
	n.last = s
	n.cfg.Report(s)
}

// Login makes the status show a new login link; with a secret, an auth key, the node is enrolled anew with that. It does not wait
// for the control server. It waits for Run to take it.
func (n *Node) Login(ctx context.Context, secret string) error {
	if len(secret) > maxSecret {
		return fmt.Errorf("log in to the tailnet: an auth key has at most %d characters", maxSecret)
	}
	return n.ask(ctx, ask{secret: secret})
}

// maxSecret is longer than any auth key, in bytes.
const maxSecret = 1024

// Leave logs out and deletes the keys. An error that wraps overlay.ErrNotTold means that the control server still has this machine in its list.
func (n *Node) Leave(ctx context.Context) error { return n.ask(ctx, ask{leave: true}) }

func (n *Node) ask(ctx context.Context, a ask) error {
	a.done = make(chan error, 1)
	select {
	case n.asks <- a:
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-a.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *Node) hold(l *life) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.now = l
}

// current is the life under way; the error is overlay.ErrNotHere without one.
func (n *Node) current() (*life, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.now == nil {
		return nil, overlay.ErrNotHere
	}
	return n.now, nil
}

func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the tailnet's directory: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fmt.Errorf("close the tailnet's directory to others: %w", err)
	}
	return nil
}

// clearDir forgets all keys.
func clearDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("delete the tailnet's keys: %w", err)
	}
	return makeDir(dir)
}

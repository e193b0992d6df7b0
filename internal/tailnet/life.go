package tailnet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"tailscale.com/client/local"
	"tailscale.com/envknob"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tsnet"

	"layerd/internal/overlay"
)

// life is one tsnet.Server from its start to its end. Another begins with another key, or after it was told to leave.
type life struct {
	node    *Node
	srv     *tsnet.Server
	local   *local.Client
	withKey bool

	view    view
	changes chan func(*view) // to the view, from goroutines that see something
	names   chan string      // holds the newest name that there may be a certificate for, for servePage
	secure  atomic.Bool      // the page is served with TLS
	probing bool
	since   time.Time // it has not been running since
	failed  time.Time // the control server has refused us since; zero = it has not
	asked   time.Time // for a login link
}

// reason is why a life ended.
type reason int

const (
	ended reason = iota
	again        // another one shall begin
	left         // and none shall
)

const (
	tick      = 5 * time.Second
	callTime  = 5 * time.Second        // for a question to the node itself
	patience  = 3 * time.Second        // before it is asked why it does not come up
	retryAsk  = 30 * time.Second       // between attempts that only somebody else can make succeed
	closeTime = 15 * time.Second       // far more than an end takes
	linger    = 500 * time.Millisecond // for last answers to go out: somebody may change the network over the network
)

// live runs a life until ctx ends or it shall not go on.
func (n *Node) live(ctx context.Context) (reason, error) {
	decide(n.cfg.Settings.VendorLogs)
	control := cmp.Or(n.cfg.Settings.ControlURL, ipn.DefaultControlURL)
	key := n.key
	switch here, err := enrolled(n.cfg.Dir, control); {
	case err != nil:
		return again, err
	case here:
		key = ""
	default: // what is left of another network would keep it there
		if err := forgetProfiles(n.cfg.Dir); err != nil {
			return again, err
		}
	}
	srv := &tsnet.Server{
		Dir: n.cfg.Dir, Hostname: cmp.Or(n.cfg.Settings.Name, "layerd"), ControlURL: control, AdvertiseTags: n.cfg.Settings.Tags, AuthKey: key,
		UserLogf: func(string, ...any) {}, // it has the login link, with which anybody could take this machine into his network
	}
	started := make(chan error, 1)
	go func() { started <- srv.Start() }() // an OAuth secret as key makes it ask the vendor
	select {
	case err := <-started:
		if err != nil {
			return again, err
		}
	case <-ctx.Done():
		if <-started == nil { // Close must not overtake Start
			srv.Close()
		}
		return ended, nil
	}
	client, err := srv.LocalClient()
	if err != nil {
		return again, errors.Join(err, srv.Close())
	}
	l := &life{node: n, srv: srv, local: client, withKey: key != "", changes: make(chan func(*view)), names: make(chan string, 1), since: time.Now()}
	l.view.refused = n.refused
	return l.run(ctx)
}

// decide has our settings alone count. The library also looks into the environment, where something may stand for another program's sake: a key that lets us in,
// or where logs go. The knob of the logs is the process's, but it is only read at a start, and when the control server is told of us; so it can be turned between
// two lives.
func decide(vendorLogs bool) {
	for _, name := range []string{"TS_AUTHKEY", "TS_AUTH_KEY", "TS_CLIENT_ID", "TS_CLIENT_SECRET", "TS_ID_TOKEN", "TS_AUDIENCE", "TS_LOG_TARGET", "TSNET_FORCE_LOGIN"} {
		os.Unsetenv(name)
	}
	envknob.Setenv("TS_NO_LOGS_NO_SUPPORT", strconv.FormatBool(!vendorLogs))
}

// run begins all that belongs to a life, and ends it.
func (l *life) run(ctx context.Context) (reason, error) {
	inner, end := context.WithCancel(ctx)
	var parts sync.WaitGroup
	parts.Go(func() { l.watch(inner) })
	parts.Go(func() { l.servePage(inner) })
	parts.Go(func() { l.serveNeighbours(inner) })
	l.node.hold(l)
	why, last := l.loop(inner, &parts)
	l.node.hold(nil)
	end()
	parts.Wait()
	<-time.After(linger)
	closed := make(chan struct{})
	go func() {
		l.srv.Close()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(closeTime): // the library's network stack can hold itself up for ever, with packets still to be sent
		l.node.log.Warn("the tailnet node does not end")
	}
	if last != nil {
		last()
	}
	return why, nil
}

// loop is the owner of the view. What it returns is to be done when the life has ended.
func (l *life) loop(ctx context.Context, parts *sync.WaitGroup) (reason, func()) {
	ticks := time.NewTicker(tick)
	defer ticks.Stop()
	soon := time.After(patience)
	for {
		l.refresh(ctx)
		if ctx.Err() != nil {
			return ended, nil
		}
		if l.startAgain() {
			return again, nil
		}
		l.askForLink(ctx)
		l.probe(ctx, parts)
		l.node.report(l.view.describe(time.Now()))
		select {
		case <-ctx.Done():
			return ended, nil
		case change := <-l.changes:
			change(&l.view)
		case <-ticks.C:
		case <-soon:
		case a := <-l.node.asks:
			if why, last, over := l.obey(ctx, a); over {
				return why, last
			}
		}
	}
}

// refresh takes over what the node says of itself.
func (l *life) refresh(ctx context.Context) {
	ctx, end := context.WithTimeout(ctx, callTime)
	defer end()
	status, err := l.local.Status(ctx)
	if err != nil {
		return // it is asked again; the last answer stands
	}
	was := l.view.status
	l.view.status = status
	if status.BackendState != ipn.Running.String() {
		if was != nil && was.BackendState == ipn.Running.String() {
			l.since, l.asked = time.Now(), time.Time{}
		}
		return
	}
	l.view.fault, l.view.refused, l.view.trouble = "", "", nil
	l.view.browse = webLink(status.AuthURL) // somebody wants to log in again before he has to
	l.failed, l.node.refused = time.Time{}, ""
	if l.withKey { // it has done its work
		l.withKey, l.node.key = false, ""
		l.node.cfg.Enrolled()
	}
	name := certName(status)
	if was == nil || was.BackendState != status.BackendState || certName(was) != name {
		select { // the newest counts
		case <-l.names:
		default:
		}
		l.names <- name
	}
}

// startAgain reports whether this life has been refused and another may fare better: without the key that was wrong, or just later.
func (l *life) startAgain() bool {
	if l.view.fault == "" {
		l.failed = time.Time{}
		return false
	}
	if l.failed.IsZero() {
		l.failed = time.Now()
	}
	if l.withKey {
		l.node.key, l.node.refused = "", l.view.fault
		return true
	}
	return time.Since(l.failed) >= retryAsk
}

// askForLink makes a node that has to log in ask the control server for the link: after a key has ended nothing else does.
func (l *life) askForLink(ctx context.Context) {
	s := l.view.status
	if s == nil || s.BackendState != ipn.NeedsLogin.String() || l.view.link() != "" || l.withKey || l.view.fault != "" || time.Since(l.asked) < retryAsk {
		return
	}
	l.asked = time.Now()
	ctx, end := context.WithTimeout(ctx, callTime)
	defer end()
	if err := l.local.StartLoginInteractive(ctx); err != nil {
		l.node.log.Debug("ask for a login link", "err", err)
	}
}

// probe asks why the node does not come up, beside the loop.
func (l *life) probe(ctx context.Context, parts *sync.WaitGroup) {
	if l.probing || !l.view.stuck() || time.Since(l.since) < patience {
		return
	}
	l.probing = true
	parts.Go(func() {
		err := probe(ctx, l.srv.ControlURL)
		l.tell(ctx, func(v *view) { v.trouble, l.probing = err, false })
	})
}

// tell has a change made to the view by its owner.
func (l *life) tell(ctx context.Context, change func(*view)) {
	select {
	case l.changes <- change:
	case <-ctx.Done():
	}
}

// obey does what a person wants. over means that the life ends; last is to be done then, and answers.
func (l *life) obey(ctx context.Context, a ask) (why reason, last func(), over bool) {
	if !a.leave && a.secret == "" {
		ctx, end := context.WithTimeout(ctx, callTime)
		defer end()
		l.asked, l.view.fault = time.Now(), ""
		a.done <- l.local.StartLoginInteractive(ctx)
		return 0, nil, false
	}
	var lost error
	if s := l.view.status; s != nil && s.HaveNodeKey {
		ctx, end := context.WithTimeout(ctx, callTime)
		defer end()
		if err := l.local.Logout(ctx); err != nil {
			lost = fmt.Errorf("leave the tailnet: %w (%w)", overlay.ErrNotTold, err)
		}
	}
	n := l.node
	if a.leave {
		return left, func() {
			n.key, n.refused = "", ""
			if err := clearDir(n.cfg.Dir); err != nil {
				lost = err
			}
			a.done <- lost
		}, true
	}
	return again, func() {
		n.key, n.refused = a.secret, ""
		a.done <- forgetProfiles(n.cfg.Dir)
	}, true
}

// watch follows the node's bus, and looks again when it was cut off.
func (l *life) watch(ctx context.Context) {
	for ctx.Err() == nil {
		bus, err := l.local.WatchIPNBus(ctx, ipn.NotifyInitialState|ipn.NotifyInitialHealthState)
		for err == nil {
			var said ipn.Notify
			if said, err = bus.Next(); err == nil {
				l.tell(ctx, func(v *view) { v.hear(said) })
			}
		}
		if bus != nil {
			bus.Close()
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
}

// hear takes over what the bus says.
func (v *view) hear(said ipn.Notify) {
	if said.ErrMessage != nil {
		v.fault = clean(*said.ErrMessage, maxText)
	}
	if said.BrowseToURL != nil {
		v.browse, v.fault = webLink(*said.BrowseToURL), ""
	}
	if said.LoginFinished != nil {
		v.browse, v.fault = "", ""
	}
	if said.Health != nil {
		v.warnings = maps.Clone(said.Health.Warnings)
	}
}

// certName is the name that the tailnet gives a certificate for: our own. "" = none.
func certName(s *ipnstate.Status) string {
	name := ownName(s)
	for _, domain := range s.CertDomains {
		if domain == name {
			return name
		}
	}
	return ""
}

package printer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// dial is how a port is found and opened, and opened again when it was lost. A configured port is opened by itself; else the one
// that a person chose; else the only candidate. With several a person is asked, because opening a port can reset the machine on it.
type dial struct {
	cfg     Config
	auto    bool   // open by itself
	path    string // configured or chosen; "" = detect
	baud    int
	was     Connection // the last one on which a printer has answered
	next    time.Time  // when to try by itself again; zero = not
	result  chan dialled
	busy    bool
	stale   bool   // what is being opened is no longer wanted
	opened  string // identity of the device that was opened last, "" when it has none
	cancel  context.CancelFunc
	ports   []PortInfo      // as listed last
	ask     bool            // there are several, and a person must choose
	closing <-chan struct{} // closed when the last port is; nil when there was none
}

type dialled struct {
	path string
	baud int
	port Port
	err  error
}

const (
	redialLost   = 200 * time.Millisecond
	redialAfter  = 2 * time.Second  // a port that is missing or busy costs nothing to try
	rehelloAfter = 15 * time.Second // one on which nobody answers may be a machine that is switched on later
)

func newDial(cfg Config) dial {
	return dial{cfg: cfg, auto: true, path: cfg.Port, baud: cfg.Baud, next: time.Unix(0, 0), result: make(chan dialled, 1), cancel: func() {}}
}

// Ports are those that a person may choose from. The configured one is among them, also where no list has it: it may be a link, or not be
// plugged in; it is there beside an error too. It reads the machine's devices.
func (c Config) Ports() (all []PortInfo, err error) {
	if c.List != nil {
		all, err = c.List()
	}
	if c.Port != "" && !slices.ContainsFunc(all, func(p PortInfo) bool { return p.Path == c.Port }) {
		all = append([]PortInfo{{Path: c.Port, Name: c.Port}}, all...)
	}
	return all, err
}

// dialAt is when a port is to be opened by itself; zero for not.
func (o *owner) dialAt() time.Time {
	if o.line != nil || o.state != Disconnected && o.lost == nil || o.dial.busy || !o.dial.auto {
		return time.Time{}
	}
	return o.dial.next
}

// describe adds to a snapshot what the person can choose, and notes where there was an answer.
func (d *dial) describe(c *Connection) {
	if c.SinceMS > 0 {
		d.was = *c
	}
	c.WantPort, c.WantBaud = cmp.Or(d.path, d.was.Port), cmp.Or(d.baud, d.was.Baud)
	c.Ports, c.Locked, c.Ask = d.ports, d.cfg.Port != "", d.ask
	if c.Ports == nil {
		c.Ports = []PortInfo{}
	}
	if c.Capabilities == nil {
		c.Capabilities = map[string]bool{}
	}
}

// choice is a person's: from now on path ("" = the configured or detected one) at baud (0 = configured or detected).
func (d *dial) choice(now time.Time, path string, baud int) {
	d.path, d.baud, d.auto, d.next = cmp.Or(path, d.cfg.Port), cmp.Or(baud, d.cfg.Baud), true, now
	if path == "" || d.cfg.Port != "" || d.cfg.List == nil {
		return
	}
	if ports, err := d.cfg.List(); err == nil {
		d.ports = ports
	}
	for _, port := range d.ports {
		if id := port.Identity(); port.Path == path && id != "" {
			d.cfg.Remember = id
			if d.cfg.OnChoice != nil {
				go d.cfg.OnChoice(id)
			}
		}
	}
}

// dialDue opens a port when it is time to.
func (o *owner) dialDue(ctx context.Context, now time.Time) {
	d := &o.dial
	if at := o.dialAt(); at.IsZero() || now.Before(at) {
		return
	}
	before := d.ports
	if o.lost != nil {
		o.redial(ctx, now)
		return
	}
	path, f := d.find()
	o.changed = o.changed || !slices.Equal(before, d.ports)
	if path != "" {
		o.open(ctx, path, d.baud)
	} else {
		o.noPort(now, f)
	}
}

// redial opens the port of a print that was lost, when it is back: the same device, whatever its name is now.
func (o *owner) redial(ctx context.Context, now time.Time) {
	d := &o.dial
	d.next = now.Add(redialLost)
	path := o.lost.was.seen.conn.Port
	if d.opened != "" {
		if path = d.pathOf(d.opened); path == "" {
			return
		}
	}
	o.open(ctx, path, o.lost.was.seen.conn.Baud)
}

// pathOf finds the port of a device; "" when it is not there.
func (d *dial) pathOf(identity string) string {
	ports, err := d.cfg.List()
	if err != nil {
		return ""
	}
	i := slices.IndexFunc(ports, func(p PortInfo) bool { return p.Identity() == identity })
	if i < 0 {
		return ""
	}
	return ports[i].Path
}

// identify notes which device is at path.
func (d *dial) identify(path string) {
	d.opened = ""
	if d.cfg.List == nil {
		return
	}
	ports, _ := d.cfg.List()
	real := func(path string) string {
		if to, err := filepath.EvalSymlinks(path); err == nil {
			return to
		}
		return path
	}
	for _, p := range ports {
		if p.Path == path || real(p.Path) == real(path) {
			d.opened = p.Identity()
		}
	}
}

// noPort notes why there is no port, until the next try.
func (o *owner) noPort(now time.Time, f *Fault) {
	o.dial.next = now.Add(redialAfter)
	if f == nil || o.fault != nil && o.fault.Code == f.Code && o.fault.Message == f.Message {
		return
	}
	named := *f
	named.AtMS = now.UnixMilli()
	o.fault, o.changed = &named, true
	o.note("note", named.Error())
	o.cfg.Log.Warn("no port to the printer", "err", &named)
}

// find picks the port to open by itself: "" when there is none, or a person must choose.
func (d *dial) find() (string, *Fault) {
	d.ask = false
	if d.cfg.Port != "" || d.cfg.List == nil {
		return d.path, nil
	}
	ports, err := d.cfg.List()
	if err != nil {
		return d.path, &Fault{Code: FaultPortMissing, Message: "The serial ports cannot be listed.", Next: "Restart the Pi, or name the port in the configuration.", Said: err.Error()}
	}
	d.ports = ports
	same := ""
	for _, p := range ports {
		if p.Path == d.path {
			return p.Path, nil
		}
		if d.cfg.Remember != "" && p.Identity() == d.cfg.Remember && same == "" {
			same = p.Path
		}
	}
	switch {
	case same != "":
		return same, nil
	case d.path != "":
		return d.path, nil
	case len(ports) == 0:
		return "", &Fault{Code: FaultPortMissing, Message: "No printer is plugged in.", Next: "Connect the printer's USB cable and switch the printer on."}
	case len(ports) == 1:
		return ports[0].Path, nil
	}
	d.ask = true
	return "", &Fault{Code: FaultPortMissing, Message: "There are several serial ports.", Next: "Choose the printer's on the page; opening the wrong one could reset another machine."}
}

// open opens a port on a goroutine of its own, since the system may take its time; dialled gets the result.
func (o *owner) open(ctx context.Context, path string, baud int) {
	d := &o.dial
	d.busy = true
	ctx, d.cancel = context.WithCancel(ctx)
	first, closing := baud, d.closing
	if first == 0 {
		first = bauds[0]
	}
	go func() {
		if closing != nil {
			select {
			case <-closing: // else we would find our own lock on it
			case <-ctx.Done():
			}
		}
		port, err := d.cfg.Open(ctx, path, first)
		d.result <- dialled{path, baud, port, err}
	}()
}

// dialled takes the opened port, or the reason why there is none.
func (o *owner) dialled(r dialled) {
	now := time.Now()
	d := &o.dial
	d.cancel()
	d.busy = false
	switch {
	case d.stale:
		if d.stale = false; r.err == nil {
			d.closing = openLine(r.port).shut()
		}
		return
	case r.err != nil:
		var f *Fault
		if !errors.As(r.err, &f) {
			f = &Fault{Code: FaultPortOpen, Message: fmt.Sprintf("%s cannot be opened.", r.path), Next: "Check the name of the port and the speed.", Said: r.err.Error()}
		}
		if o.lost == nil {
			o.noPort(now, f)
		}
		return
	}
	try := []int{r.baud}
	if r.baud == 0 {
		try = bauds
	}
	o.line, o.writing = openLine(r.port), false
	d.identify(r.path)
	o.cfg.Log.Info("port opened", "port", r.path, "baud", try[0])
	o.opened(now, Connection{Port: r.path, Baud: try[0]}, try)
	if usb, ok := r.port.(interface{ Native() bool }); ok {
		o.native = usb.Native()
	}
	o.changed = true
}

// lineLost is the end of a port that nobody wanted to close.
func (o *owner) lineLost(now time.Time) {
	o.drop(now, &Fault{Code: FaultPortLost, Message: "The printer's USB connection was lost.",
		Next: "Check the cable, and that the Pi's power supply is strong enough.", AtMS: now.UnixMilli()})
}

// hangUp closes the port because a person wants that, or gives up opening it, and leaves it closed.
func (o *owner) hangUp(now time.Time) {
	o.giveUp(now, "the printer was disconnected by hand")
	if o.line != nil && o.kept().Heated { // nobody would look after that heat any more
		o.orders = orders{}
		o.coolNow()
		o.note("out", "heaters off")
		o.line.writeNow(o.orders.urgent)
		o.orders = orders{}
	}
	o.drop(now, nil)
	o.state, o.fault, o.halt = Disconnected, nil, nil
	d := &o.dial
	d.auto, d.ask = false, false
	if d.stale = d.busy; d.busy {
		d.cancel()
	}
}

// drop closes the port, with the fault that is the reason, nil when it was wanted.
func (o *owner) drop(now time.Time, f *Fault) {
	if o.line == nil {
		return
	}
	o.cfg.Log.Info("port closed", "port", o.seen.conn.Port)
	o.dial.closing = o.line.shut()
	o.line, o.writing = nil, false
	o.closed(now, f)
	o.changed = true
	switch {
	case f == nil:
		o.dial.next = time.Time{}
	case o.lost != nil:
		o.dial.next = now.Add(redialLost)
	case f.Code == FaultSilent, f.Code == FaultGarbled:
		o.dial.next = now.Add(rehelloAfter)
	default:
		o.dial.next = now.Add(redialAfter)
	}
}

func (d *dial) stop() {
	d.cancel()
	if d.busy {
		if r := <-d.result; r.port != nil {
			_ = r.port.Close()
		}
	}
	if d.closing != nil {
		<-d.closing
	}
}

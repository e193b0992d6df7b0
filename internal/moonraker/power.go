package moonraker

import (
	"layerd/internal/power"
	"layerd/internal/server"
)

// The printer's power, as one of Moonraker's power devices (moonraker.readthedocs.io, external_api/devices), and what is done to the machine.

// device is the name of the only one.
const device = "printer"

// devices are none without a switch.
func (a *API) devices(c call) (any, error) {
	all := []object{}
	if p := a.s.State(c.me).Power; p != nil {
		all = append(all, object{"device": device, "status": statusOf(p), "locked_while_printing": true, "type": "http"})
	}
	return object{"devices": all}, nil
}

// statusOf is "init" while nothing is known yet.
func statusOf(p *server.PowerState) string {
	switch {
	case p.On != power.Unknown:
		return string(p.On)
	case p.Problem != "":
		return "error"
	}
	return "init"
}

// device answers how one stands.
func (a *API) device(c call) (any, error) {
	if err := a.ours(c); err != nil {
		return nil, err
	}
	return object{device: statusOf(a.s.State(c.me).Power)}, nil
}

// switchDevice answers how it stands then.
func (a *API) switchDevice(c call) (any, error) {
	if err := a.ours(c); err != nil {
		return nil, err
	}
	action, err := c.in.text("action")
	on := action == "on" || action == "toggle" && a.s.State(c.me).Power.On != power.On
	if err != nil || !on && action != "off" && action != "toggle" {
		return nil, server.Refuse("bad_command", "action is on, off or toggle.")
	}
	if err := a.s.Try(c.r.Context(), c.me, server.Command{Do: "power", On: &on}); err != nil {
		return nil, err
	}
	return a.device(c)
}

// ours is an error unless a call is about our device.
func (a *API) ours(c call) error {
	if name, err := c.in.text("device"); err != nil || name != device || a.s.State(c.me).Power == nil {
		return server.Refuse("no_power", "")
	}
	return nil
}

// machine is a method that does something to the machine, where somebody would hear of it; else there is no such thing.
func machine(deed power.Deed, do string) func(*API, call) (any, error) {
	return func(a *API, c call) (any, error) {
		if !a.s.Config().Machine.Can(deed) {
			return nil, server.Refuse("no_route", "")
		}
		return command(do)(a, c)
	}
}

// restart has layerd started again, where that would happen; else there is no such thing.
func (a *API) restart(c call) (any, error) {
	if !a.s.CanRestart() {
		return nil, server.Refuse("no_route", "")
	}
	return command("restart")(a, c)
}

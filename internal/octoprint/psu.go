package octoprint

import (
	"net/http"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/internal/server"
)

// psuRoutes are those of the plugin PSU Control, by which phone apps switch a printer's power (github.com/kantlivelong/OctoPrint-PSUControl, wiki, API).
func (a *API) psuRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/plugin/psucontrol", Least: access.Viewer, Serve: a.psuState},
		{Method: "POST", Path: "/api/plugin/psucontrol", Least: access.Operator, Serve: a.psuCommand},
	}
}

var errNoPSU = refuse(http.StatusNotFound, "No switch for the printer's power is set up.")

// psuState tells whether it is on. The plugin knows no third word: what is unknown is not on.
func (a *API) psuState(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	p := a.s.State(me).Power
	if p == nil {
		return errNoPSU
	}
	return a.say(w, psuOf(p))
}

// PSU is what is told of the power.
type PSU struct {
	On bool `json:"isPSUOn"`
}

func psuOf(p *server.PowerState) PSU { return PSU{p.On == power.On} }

func (a *API) psuCommand(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	command, _, err := readCommand(w, r, map[string][]string{"turnPSUOn": nil, "turnPSUOff": nil, "togglePSU": nil, "getPSUState": nil})
	if err != nil {
		return err
	}
	p := a.s.State(me).Power
	if p == nil { // in the original's words for a plugin that is not there
		return refuse(http.StatusBadRequest, errNoPSU.Error())
	}
	on := command == "turnPSUOn" || command == "togglePSU" && p.On != power.On
	if command == "getPSUState" {
		return a.psuState(w, r, me)
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: "power", On: &on}); err != nil {
		return err
	}
	return done(w)
}

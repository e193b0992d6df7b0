package octoprint

import (
	"net/http"
	"runtime"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/internal/server"
)

// systemRoutes are about the machine that we run on, and about what the original has and we have not: there they answer as one that has none of it
// installed or set up, which every client has met.
func (a *API) systemRoutes() []server.Route {
	is := func(v any) func(http.ResponseWriter, *http.Request, access.Identity) error {
		return func(w http.ResponseWriter, _ *http.Request, _ access.Identity) error { return a.say(w, v) }
	}
	no := func(err error) func(http.ResponseWriter, *http.Request, access.Identity) error {
		return func(http.ResponseWriter, *http.Request, access.Identity) error { return err }
	}
	none := []any{}
	return []server.Route{
		{Method: "GET", Path: "/api/system/commands", Least: access.Viewer, Serve: func(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
			return a.say(w, map[string]any{"core": a.systemCommands(r), "custom": none, "plugin": none})
		}},
		{Method: "GET", Path: "/api/system/commands/core", Least: access.Viewer, Serve: func(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
			return a.say(w, a.systemCommands(r))
		}},
		{Method: "GET", Path: "/api/system/commands/custom", Least: access.Viewer, Serve: is(none)},
		{Method: "GET", Path: "/api/system/commands/plugin", Least: access.Viewer, Serve: is(none)},
		{Method: "POST", Path: "/api/system/commands/*", Least: access.Owner, Serve: a.systemCommand},
		{Method: "GET", Path: "/api/system/info", Least: access.Owner, Serve: a.systemInfo},
		{Method: "GET", Path: "/api/system/usage", Least: access.Viewer, Serve: a.usage},
		{Method: "GET", Path: "/api/system/startup", Least: access.Viewer, Serve: is(map[string]any{"startup": map[string]any{}})},
		{Method: "GET", Path: "/api/languages", Least: access.Viewer, Serve: is(map[string]any{"language_packs": map[string]any{
			"_core": map[string]any{"identifier": "_core", "display": "Core", "languages": none}}})},
		{Method: "GET", Path: "/api/slicing", Least: access.Viewer, Serve: is(map[string]any{})},
		{Method: "GET", Path: "/api/setup/wizard", Least: access.Viewer, Serve: is(map[string]any{})},
		// It has the original call addresses and look at paths of its caller's choice.
		{Method: "POST", Path: "/api/util/test", Least: access.Owner, Serve: no(refuse(http.StatusForbidden, "layerd tests no addresses or paths for others."))},
	}
}

// system are the original's core commands, and ours that do the same.
var system = []struct {
	action, name, confirm, do string
	can                       func(*server.Server) bool
}{
	{"shutdown", "Shutdown system", "The machine is shut down, and stays off until its power is taken away and given back.", "shutdown", able(power.Shutdown)},
	{"reboot", "Reboot system", "The machine is restarted.", "reboot", able(power.Reboot)},
	{"restart", "Restart layerd", "layerd is restarted.", "restart", (*server.Server).CanRestart},
}

func able(d power.Deed) func(*server.Server) bool {
	return func(s *server.Server) bool { return s.Config().Machine.Can(d) }
}

// SystemCommand is one that may be done to the machine.
type SystemCommand struct {
	Action   string `json:"action"`
	Name     string `json:"name"`
	Confirm  string `json:"confirm"`
	Source   string `json:"source"`
	Resource string `json:"resource"`
}

// systemCommands are those that somebody would hear of: as in an original where the others are not set up.
func (a *API) systemCommands(r *http.Request) []SystemCommand {
	all := []SystemCommand{}
	for _, c := range system {
		if c.can(a.s) {
			all = append(all, SystemCommand{c.action, c.name, c.confirm, "core", a.s.Base(r) + "/api/system/commands/core/" + c.action})
		}
	}
	return all
}

func (a *API) systemCommand(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	for _, c := range system {
		if r.PathValue("path") != "core/"+c.action || !c.can(a.s) {
			continue
		}
		if err := a.s.Try(r.Context(), me, server.Command{Do: c.do}); err != nil {
			return err
		}
		return done(w)
	}
	return refuse(http.StatusNotFound, "There is no such command.")
}

func (a *API) systemInfo(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	st := a.s.State(me)
	return a.say(w, map[string]any{"systeminfo": map[string]any{
		"octoprint.version": emulated, "octoprint.safe_mode": false, "layerd.version": a.s.Config().Version,
		"env.os.id": runtime.GOOS, "env.os.platform": runtime.GOOS + "/" + runtime.GOARCH, "env.hardware.cores": runtime.NumCPU(),
		"printer.firmware": st.Connection.Firmware, "connectivity.connection_check": "",
	}})
}

func (a *API) usage(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	free, total, err := a.s.Config().Files.Disk()
	if err != nil {
		return err
	}
	return a.say(w, map[string]any{"usage": map[string]any{"free": free, "total": total}})
}

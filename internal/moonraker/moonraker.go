// Package moonraker lets clients of Moonraker's API, which speak to Klipper, work with layerd: the slicers' Moonraker hosts, OrcaSlicer's device page,
// Home Assistant.
//
//	client ─┬▶ HTTP ─────────▶ server (who, what role) ─┐
//	        └▶ /websocket, JSON-RPC ─▶ socket.go ────────┴▶ a method of the one table ─▶ server's verbs ─▶ {"result": …}
//
// It translates and holds no state but tokens of five seconds. It is no Klipper: what is sent as G-code reaches the printer as it is, and what web pages
// keep in Moonraker is not kept here. docs/MOONRAKER-PRUSALINK.md says what there is.
package moonraker

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/internal/server"
)

// API is Moonraker's, on top of a Server.
type API struct {
	s       *server.Server
	tokens  tokens
	plate   plate
	reading chan struct{} // holds one token while the disk is read for listing
	listing *listing      // of the newest revision that was asked for; guarded by reading
	sockets atomic.Uint64 // that there have been; each has its number
}

// New returns the API, for Server.Mount.
func New(s *server.Server) *API { return &API{s: s, reading: make(chan struct{}, 1)} }

// call is one request, however it came.
type call struct {
	r  *http.Request // of it, or of the socket's handshake
	me access.Identity
	in asked
}

// method is one thing that can be asked for, by its name in JSON-RPC and by its addresses. What the role forbids is not run.
type method struct {
	name  string
	least access.Role
	run   func(a *API, c call) (any, error)
	http  []string // "GET /server/info"; none = over the socket alone
}

// methods are all there are, besides those of a socket itself, and uploads.
var methods = []method{
	{"server.info", access.Viewer, (*API).info, []string{"GET /server/info"}},
	{"server.webcams.list", access.Viewer, (*API).webcams, []string{"GET /server/webcams/list"}},
	{"server.history.totals", access.Viewer, (*API).totals, []string{"GET /server/history/totals"}},
	{"server.history.list", access.Viewer, (*API).jobs, []string{"GET /server/history/list"}},
	{"server.files.roots", access.Viewer, (*API).roots, []string{"GET /server/files/roots"}},
	{"server.files.list", access.Viewer, (*API).files, []string{"GET /server/files/list"}},
	{"server.files.metadata", access.Viewer, (*API).metadata, []string{"GET /server/files/metadata"}},
	{"server.files.thumbnails", access.Viewer, (*API).thumbnails, []string{"GET /server/files/thumbnails"}},
	{"server.files.delete_file", access.Operator, (*API).deleteFile, nil},
	{"server.files.get_directory", access.Viewer, (*API).folder, []string{"GET /server/files/directory"}},
	{"server.files.post_directory", access.Operator, (*API).makeFolder, []string{"POST /server/files/directory"}},
	{"server.files.delete_directory", access.Operator, (*API).removeFolder, []string{"DELETE /server/files/directory"}},
	{"server.files.move", access.Operator, (*API).move, []string{"POST /server/files/move"}},
	{"server.files.copy", access.Operator, (*API).copy, []string{"POST /server/files/copy"}},
	{"access.oneshot_token", access.Viewer, (*API).oneshot, []string{"GET /access/oneshot_token"}},
	{"machine.system_info", access.Viewer, (*API).systemInfo, []string{"GET /machine/system_info"}},

	{"machine.reboot", access.Owner, machine(power.Reboot, "reboot"), []string{"POST /machine/reboot"}},
	{"machine.shutdown", access.Owner, machine(power.Shutdown, "shutdown"), []string{"POST /machine/shutdown"}},
	{"server.restart", access.Owner, (*API).restart, []string{"POST /server/restart"}},
	{"machine.device_power.devices", access.Viewer, (*API).devices, []string{"GET /machine/device_power/devices"}},
	{"machine.device_power.get_device", access.Viewer, (*API).device, []string{"GET /machine/device_power/device"}},
	{"machine.device_power.post_device", access.Operator, (*API).switchDevice, []string{"POST /machine/device_power/device"}},

	{"printer.info", access.Viewer, (*API).printer, []string{"GET /printer/info"}},
	{"printer.objects.list", access.Viewer, (*API).objects, []string{"GET /printer/objects/list"}},
	{"printer.objects.query", access.Viewer, (*API).query, []string{"GET /printer/objects/query", "POST /printer/objects/query"}},
	{"printer.print.start", access.Operator, (*API).start, []string{"POST /printer/print/start"}},
	{"printer.print.pause", access.Operator, (*API).pause, []string{"POST /printer/print/pause"}},
	{"printer.print.resume", access.Operator, command("resume"), []string{"POST /printer/print/resume"}},
	{"printer.print.cancel", access.Operator, (*API).cancel, []string{"POST /printer/print/cancel"}},
	// The way out of a fault, and of an emergency stop. No print ends by it, as it would with Klipper.
	{"printer.restart", access.Owner, command("connect"), []string{"POST /printer/restart"}},
	{"printer.firmware_restart", access.Owner, command("connect"), []string{"POST /printer/firmware_restart"}},
	{"printer.gcode.script", access.Operator, (*API).script, []string{"POST /printer/gcode/script"}},
	{"printer.gcode.help", access.Viewer, func(*API, call) (any, error) { return object{}, nil }, []string{"GET /printer/gcode/help"}}, // no macros of Klipper's
	{emergencyStop, access.Operator, command("emergency_stop"), []string{"POST /printer/emergency_stop"}},
}

const emergencyStop = "printer.emergency_stop"

// methodNamed finds a method.
func methodNamed(name string) (method, bool) {
	i := slices.IndexFunc(methods, func(m method) bool { return m.name == name })
	if i < 0 {
		return method{}, false
	}
	return methods[i], true
}

// Routes are all that is answered.
func (a *API) Routes() []server.Route {
	all := []server.Route{
		{Method: "GET", Path: "/websocket", Least: access.Nobody, Serve: a.socket}, // who comes with a token is known by that
		{Method: "POST", Path: "/server/files/upload", Least: access.Operator, Deed: "upload", Serve: a.s.Uploading(a.upload)},
		{Method: "GET", Path: gcodes + "*", Least: access.Viewer, Serve: a.content},
		{Method: "DELETE", Path: gcodes + "*", Least: access.Operator, Serve: func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
			result, err := a.remove(r, me, r.PathValue("path"))
			if err != nil {
				return err
			}
			a.s.WriteJSON(w, http.StatusOK, Result{result})
			return nil
		}},
	}
	for _, m := range methods {
		for _, address := range m.http {
			verb, path, _ := strings.Cut(address, " ")
			all = append(all, server.Route{Method: verb, Path: path, Least: m.least, Serve: func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
				in, err := arguments(w, r)
				if err != nil {
					return err
				}
				result, err := m.run(a, call{r, me, in})
				if err != nil {
					return err
				}
				a.s.WriteJSON(w, http.StatusOK, Result{result})
				return nil
			}})
		}
	}
	for _, top := range []string{"/server/*", "/printer/*", "/machine/*", "/access/*"} {
		for _, verb := range []string{"GET", "POST", "DELETE"} {
			all = append(all, server.Route{Method: verb, Path: top, Least: access.Viewer, Serve: nothing})
		}
	}
	return all
}

// nothing refuses what else Moonraker has, in its form.
func nothing(_ http.ResponseWriter, r *http.Request, _ access.Identity) error {
	for _, m := range methods {
		for _, address := range m.http {
			if strings.HasSuffix(address, " "+r.URL.Path) {
				return server.Refuse("method", r.Method+" is not possible here.")
			}
		}
	}
	return server.Refuse("no_route", "")
}

// Result is the body of an answer.
type Result struct {
	Result any `json:"result"`
}

// Failure is the body of an answer that failed, and the error of one over the socket.
type Failure struct {
	Code    int    `json:"code"` // the HTTP status, or one of JSON-RPC's
	Message string `json:"message"`
}

// Fail answers in Moonraker's form.
func (a *API) Fail(w http.ResponseWriter, r *http.Request, err error) {
	f := a.failure(err)
	if f.Code == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="layerd"`)
	}
	if r.ContentLength != 0 {
		w.Header().Set("Connection", "close") // what is left of the body is not read
	}
	a.s.WriteJSON(w, f.Code, map[string]Failure{"error": f})
}

func (a *API) failure(err error) Failure {
	e, status := a.s.Explain(err)
	return Failure{Code: status, Message: strings.TrimSpace(e.Message + " " + e.Next)}
}

// object is a JSON object.
type object = map[string]any

// asked is what comes with a request: a JSON object.
type asked map[string]json.RawMessage

const maxAsk = 64 << 10 // bytes

var errArguments = server.Refuse("bad_form", "The arguments are not a JSON object.")

// arguments are those of the address, and of the body, which count before. Orders of the printer take their time, so the answer may.
func arguments(w http.ResponseWriter, r *http.Request) (asked, error) {
	in := asked{}
	if err := in.add(r.URL.Query()); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return in, nil
	}
	body, err := server.ReadSmall(w, r, maxAsk)
	if err != nil {
		return nil, err
	}
	server.Unhurried(w)
	switch {
	case len(strings.TrimSpace(string(body))) == 0:
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, errArguments
		}
		return in, in.add(values)
	default:
		if json.Unmarshal(body, &in) != nil || in == nil {
			return nil, errArguments
		}
	}
	return in, nil
}

// add adds the values of an address as strings.
func (in asked) add(values url.Values) error {
	for key := range values {
		if key == "apikey" || key == "token" {
			continue
		}
		text, err := json.Marshal(values.Get(key))
		if err != nil {
			return err
		}
		in[key] = text
	}
	return nil
}

// text is a string that must be there.
func (in asked) text(key string) (string, error) {
	var v string
	if in[key] == nil || json.Unmarshal(in[key], &v) != nil || v == "" {
		return "", server.Refuse("bad_form", "No argument "+key+", which is needed.")
	}
	return v, nil
}

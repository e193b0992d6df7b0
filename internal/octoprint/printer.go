package octoprint

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
)

// printerRoutes say what the printer does and how hot it is.
func (a *API) printerRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/printer", Least: access.Viewer, Serve: a.printer},
		{Method: "GET", Path: "/api/printer/tool", Least: access.Viewer, Serve: a.heaters(isTool)},
		{Method: "GET", Path: "/api/printer/bed", Least: access.Viewer, Serve: a.heaters(isBed)},
		{Method: "GET", Path: "/api/printer/chamber", Least: access.Viewer, Serve: a.heaters(isChamber)},
		{Method: "GET", Path: "/api/printer/sd", Least: access.Viewer, Serve: a.sd},
		{Method: "GET", Path: "/api/printer/storage", Least: access.Viewer, Serve: a.sd}, // as newer ones call it
		{Method: "GET", Path: "/api/printer/error", Least: access.Viewer, Serve: a.printerError},
		{Method: "GET", Path: "/api/printer/command/custom", Least: access.Viewer, Serve: a.customControls},
	}
}

// which says whether a heater is asked for, by its name.
type which func(name string) bool

func isTool(name string) bool    { return strings.HasPrefix(name, "tool") }
func isBed(name string) bool     { return name == "bed" }
func isChamber(name string) bool { return name == "chamber" }

// operational is the state, as long as there is a printer to talk to.
func (a *API) operational(me access.Identity) (server.State, error) {
	st := a.s.State(me)
	if !stateOf(st).Flags.Operational {
		return st, errNotOperational
	}
	return st, nil
}

func (a *API) printer(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st, err := a.operational(me)
	link := access.ShowsDigest(r) // a client of PrusaLink, which answers with or without a printer
	if err != nil && !link {
		return err
	}
	out := map[string]any{}
	if link {
		out["telemetry"] = a.telemetry(r, st)
	}
	left := strings.Split(strings.ReplaceAll(r.URL.Query().Get("exclude"), " ", ""), ",")
	if !slices.Contains(left, "temperature") {
		out["temperature"] = a.temperatures(r, st, func(name string) bool {
			return isTool(name) || isBed(name) && st.Profile.HeatedBed || isChamber(name) && st.Profile.HeatedChamber
		})
	}
	if !slices.Contains(left, "sd") {
		out["sd"] = ready{stateOf(st).Flags.SDReady}
	}
	if !slices.Contains(left, "state") {
		out["state"] = stateOf(st)
	}
	return a.say(w, out)
}

// Telemetry is what PrusaLink says beside it. Home Assistant reads the material.
type Telemetry struct {
	BedC     *float64 `json:"temp-bed"` // nil = not known, of all
	NozzleC  *float64 `json:"temp-nozzle"`
	Speed    int      `json:"print-speed"` // percent
	ZMM      *float64 `json:"z-height"`
	Material string   `json:"material"` // that of the print under way, "---" without one that says it
}

func (a *API) telemetry(r *http.Request, st server.State) Telemetry {
	t := Telemetry{Speed: int(st.SpeedPercent + 0.5), Material: "---"}
	if st.Bed != nil {
		t.BedC = &st.Bed.ActualC
	}
	if len(st.Nozzles) > 0 {
		t.NozzleC = &st.Nozzles[0].ActualC
	}
	if st.Position != nil {
		t.ZMM = &st.Position.ZMM
	}
	if st.Job != nil {
		if gist, err := a.s.Config().Files.Gist(r.Context(), st.Job.File); err == nil && len(gist.FilamentTypes) > 0 {
			t.Material = gist.FilamentTypes[0]
		}
	}
	return t
}

// ready is whether a card is in the printer.
type ready struct {
	Ready bool `json:"ready"`
}

func (a *API) heaters(wanted which) func(http.ResponseWriter, *http.Request, access.Identity) error {
	return func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
		st, err := a.operational(me)
		if err == nil {
			err = hasHeater(st, wanted)
		}
		if err != nil {
			return err
		}
		return a.say(w, a.temperatures(r, st, wanted))
	}
}

// hasHeater is the error of a printer whose profile has no such heater.
func hasHeater(st server.State, wanted which) error {
	switch {
	case wanted("bed") && !st.Profile.HeatedBed:
		return refuse(http.StatusConflict, "This printer's bed is not heated.")
	case wanted("chamber") && !st.Profile.HeatedChamber:
		return refuse(http.StatusConflict, "This printer has no heated chamber.")
	}
	return nil
}

// maxHistory is how many samples of the past are told to who asks for no number.
const maxHistory = 300

// temperatures are the heaters that are wanted, and with ?history their past.
func (a *API) temperatures(r *http.Request, st server.State, wanted which) map[string]any {
	out := map[string]any{}
	for name, heat := range tempsOf(st) {
		if wanted(name) {
			out[name] = heat
		}
	}
	if queried(r, "history") {
		limit, err := strconv.Atoi(r.URL.Query().Get("limit"))
		if err != nil || limit < 0 {
			limit = maxHistory
		}
		out["history"] = pastOf(a.s.Config().Temperatures.Since(0).Curve, limit, wanted)
	}
	return out
}

// Past is a heater's at a moment, in °C; null where it is not known.
type Past struct {
	Actual store.DeciC `json:"actual"`
	Target store.DeciC `json:"target"`
}

// pastOf is the last samples of a curve, the oldest first.
func pastOf(c store.Curve, limit int, wanted which) []map[string]any {
	out := []map[string]any{}
	for i := max(len(c.AfterMS)-limit, 0); i < len(c.AfterMS); i++ {
		at := map[string]any{"time": (c.FromMS + c.AfterMS[i]) / 1000}
		for _, line := range c.Heaters {
			if name := strings.Replace(line.Name, "nozzle", "tool", 1); wanted(name) {
				at[name] = Past{line.ActualC[i], line.TargetC[i]}
			}
		}
		out = append(out, at)
	}
	return out
}

func (a *API) sd(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	return a.say(w, ready{stateOf(a.s.State(me)).Flags.SDReady})
}

// printerError is what went wrong with the printer, as long as it stands.
func (a *API) printerError(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	out := struct {
		Error  string `json:"error"`
		Reason string `json:"reason"`
	}{}
	if st := a.s.State(me); st.Fault != nil {
		out.Error, out.Reason = st.Fault.Message, string(st.Fault.Code)
	} else if st.Halt != nil {
		out.Error, out.Reason = stateOf(st).Error, "halted"
	}
	return a.say(w, out)
}

// customControls are none: buttons that people have made are pressed on our own page.
func (a *API) customControls(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	return a.say(w, map[string]any{"controls": []any{}})
}

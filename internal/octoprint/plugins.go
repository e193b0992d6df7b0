package octoprint

import (
	"net/http"
	"strconv"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// pluginRoutes answer for the original's own plugins that clients ask for. Others are not installed.
func (a *API) pluginRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/plugin/softwareupdate/check", Least: access.Viewer, Serve: a.updates},
		{Method: "GET", Path: "/api/plugin/softwareupdate", Least: access.Viewer, Serve: a.updates},
		{Method: "GET", Path: "/api/plugin/pluginmanager", Least: access.Viewer, Serve: a.plugins},
		{Method: "GET", Path: "/plugin/pluginmanager/plugins", Least: access.Viewer, Serve: a.plugins},
		{Method: "GET", Path: "/plugin/logging/logs", Least: access.Owner, Serve: a.logs},
		{Method: "GET", Path: "/api/plugin/action_command_prompt", Least: access.Viewer, Serve: a.prompt},
		{Method: "POST", Path: "/api/plugin/action_command_prompt", Least: access.Operator, Serve: a.answer},
		{Method: "GET", Path: "/api/plugin/action_command_notification", Least: access.Viewer, Serve: a.notices},
		{Method: "GET", Path: "/plugin/DisplayLayerProgress/values", Least: access.Viewer, Serve: a.layerValues},
	}
}

// updates are none: layerd is no OctoPrint to be updated.
func (a *API) updates(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	return a.say(w, map[string]any{"status": "current", "timestamp": float64(time.Now().UnixMilli()) / 1000, "environment": map[string]any{"supported": true, "versions": []any{}},
		"storage": map[string]any{"free": []any{}, "sufficient": true},
		"information": map[string]any{"octoprint": map[string]any{"displayName": "layerd", "displayVersion": a.s.Config().Version, "updateAvailable": false, "updatePossible": false,
			"compatible": true, "disabled": false, "online": true, "error": nil, "releaseNotes": nil, "releasedVersion": true,
			"information": map[string]any{"local": map[string]string{"name": a.s.Config().Version, "value": a.s.Config().Version}, "remote": map[string]any{"name": "?", "value": "?", "release_notes": nil}, "needs_online": false}}}})
}

func (a *API) plugins(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	return a.say(w, map[string]any{"plugins": []any{}, "orphan_data": map[string]any{}, "os": "linux", "octoprint": emulated, "pip": map[string]any{"available": false}, "safe_mode": false,
		"online": false, "supported_extensions": map[string]any{}, "repository": map[string]any{"available": false, "plugins": []any{}}})
}

// layerValues answers as DisplayLayerProgress does to who asks instead of listening. What layerd does not follow is "-", as there.
func (a *API) layerValues(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	st := a.s.State(me)
	m := layersOf(moment{st: st}).message()
	height, progress, left, leftS := m["currentHeight"], "-", "-", "-"
	if j := st.Job; j != nil {
		progress = strconv.Itoa(int(j.Percent))
		if j.LeftS >= 0 {
			left, leftS = (time.Duration(j.LeftS) * time.Second).String(), strconv.Itoa(int(j.LeftS))
		}
	}
	return a.say(w, map[string]any{
		"layer": map[string]any{"current": m["currentLayer"], "total": m["totalLayer"], "averageLayerDuration": "-", "averageLayerDurationInSeconds": "-",
			"lastLayerDuration": "-", "lastLayerDurationInSeconds": "-"},
		"height":   map[string]any{"current": height, "currentFormatted": height, "total": "-", "totalFormatted": "-"},
		"print":    map[string]any{"progress": progress, "timeLeft": left, "timeLeftInSeconds": leftS},
		"fanSpeed": m["fanspeed"], "feedrate": "-", "feedrateG0": "-", "feedrateG1": "-",
	})
}

// logs are none: the print log and the console are on our own page.
func (a *API) logs(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	free, total, err := a.s.Config().Files.Disk()
	if err != nil {
		return err
	}
	return a.say(w, map[string]any{"files": []any{}, "free": free, "total": total})
}

// prompt is what the firmware asks at the moment; null, when it asks nothing. Its texts are a stranger's.
func (a *API) prompt(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	p := a.s.State(me).Prompt
	if p == nil {
		return a.say(w, nil)
	}
	return a.say(w, map[string]any{"text": p.Text, "choices": p.Buttons})
}

// answer answers the question that stands, by the number of a button.
func (a *API) answer(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	_, in, err := readCommand(w, r, map[string][]string{"select": {"choice"}})
	if err != nil {
		return err
	}
	p := a.s.State(me).Prompt
	if p == nil {
		return refuse(http.StatusConflict, "The printer asks nothing.")
	}
	n, err := in.number("choice")
	button := int(n)
	if err != nil || float64(button) != n || button < -1 || button >= len(p.Buttons) {
		return refuse(http.StatusBadRequest, "There is no such choice.")
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: "answer", Prompt: p.ID, Button: &button}); err != nil {
		return err
	}
	return done(w)
}

// notices are what the firmware has told people: we keep the last.
func (a *API) notices(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	out := []any{}
	if st := a.s.State(me); st.Notice != "" {
		out = append(out, map[string]any{"timestamp": float64(st.AtMS) / 1000, "message": st.Notice})
	}
	return a.say(w, map[string]any{"notifications": out})
}

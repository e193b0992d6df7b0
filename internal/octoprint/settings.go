package octoprint

import (
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"strconv"

	"layerd/internal/access"
	"layerd/internal/server"
)

// settingsRoutes show the settings that clients read. They are made up anew from ours each time; our own page changes them.
func (a *API) settingsRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/settings", Least: access.Viewer, Serve: a.showSettings},
		{Method: "POST", Path: "/api/settings", Least: access.Owner, Serve: a.setSettings},
	}
}

// object is a JSON object.
type object = map[string]any

func (a *API) showSettings(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	now := a.settings(r, me)
	return a.sayNew(w, r, now, now)
}

// setSettings takes what is as it is already: clients send back what they have read. What would change something is refused with its name.
func (a *API) setSettings(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	in, err := read(w, r)
	if err != nil {
		return err
	}
	now := a.settings(r, me)
	text, err := json.Marshal(now)
	if err != nil {
		return err
	}
	var have object
	if err := json.Unmarshal(text, &have); err != nil {
		return err
	}
	for key, raw := range in {
		var wanted any
		if json.Unmarshal(raw, &wanted) != nil {
			return invalid(key)
		}
		if at := differs(key, have[key], wanted); at != "" {
			return refuse(http.StatusConflict, "layerd does not change "+at+" by this API. Look at Settings on its own page.")
		}
	}
	return a.say(w, now)
}

// differs is the path of the first value that is not as it is; "" when all are.
func differs(path string, have, wanted any) string {
	more, ok := wanted.(object)
	old, ok2 := have.(object)
	if !ok || !ok2 {
		if reflect.DeepEqual(have, wanted) {
			return ""
		}
		return path
	}
	for key, v := range more {
		if at := differs(path+"."+key, old[key], v); at != "" {
			return at
		}
	}
	return ""
}

// settings are as the original's, of a new installation where we have nothing to say.
func (a *API) settings(r *http.Request, me access.Identity) object {
	st, none := a.s.State(me), []any{}
	cams := a.webcams(r, me, st)
	first := object{"stream": "", "snapshot": "", "name": "classic"}
	if len(cams) > 0 {
		first = cams[0]
	}
	webcam := object{
		"webcamEnabled": len(cams) > 0, "timelapseEnabled": true, "streamUrl": first["stream"], "snapshotUrl": first["snapshot"], "streamRatio": ratio(st), "streamTimeout": 5, "snapshotTimeout": 5,
		"streamWebrtcIceServers": []string{}, "snapshotSslValidation": true, "cacheBuster": false, "flipH": false, "flipV": false, "rotate90": false, "bitrate": "10000k",
		"ffmpegPath": nil, "ffmpegThreads": 1, "ffmpegVideoCodec": "libx264", "ffmpegCommandline": "", "watermark": false, "renderAfterPrintDelay": 0,
		"defaultWebcam": first["name"], "snapshotWebcam": first["name"], "webcams": webcamList(cams, st),
	}
	var port, baud any
	if p := portOf(st); p != "" {
		port, baud = p, baudOf(st)
	}
	return object{
		"accessControl": object{"autologinLocal": false, "autologinHeadsupAcknowledged": false},
		"api":           object{"allowCrossOrigin": false, "key": nil},
		"appearance": object{"name": a.s.Config().Host, "color": "default", "colorTransparent": false, "colorIcon": true, "defaultLanguage": "_default", "showFahrenheitAlso": false,
			"fuzzyTimes": true, "closeModalsWithClick": true, "showInternalFilename": true},
		"controls": none,
		"devel":    object{"pluginTimings": false},
		"feature": object{"sdSupport": st.Card != nil, "temperatureGraph": true, "keyboardControl": false, "pollWatched": false, "modelSizeDetection": true, "rememberFileFolder": false,
			"printStartConfirmation": false, "printCancelConfirmation": true, "uploadOverwriteConfirmation": true, "fileDeleteConfirmation": true, "g90InfluencesExtruder": false,
			"enableDragDropUpload": false, "autoUppercaseBlacklist": []string{"M117", "M118"}},
		"folder":        object{"uploads": "", "timelapse": "", "watched": ""}, // where they are is nobody's business
		"gcodeAnalysis": object{"runAt": "idle", "bedZ": 0.0},
		"plugins":       a.pluginSettings(first, st),
		"scripts":       object{"gcode": object{}},
		"serial": object{"port": port, "baudrate": baud, "portOptions": a.ports(st), "baudrateOptions": baudsOf(st), "autoconnect": true, "log": false,
			"timeoutConnection": 10.0, "timeoutDetectionFirst": 10.0, "timeoutCommunication": 30.0, "timeoutTemperature": 5.0, "longRunningCommands": []string{}, "blockedCommands": []string{},
			"emergencyCommands": []string{"M112", "M108", "M410"}, "helloCommand": "M110 N0", "additionalPorts": []string{}, "additionalBaudrates": []int{}},
		"server": object{"commands": object{"systemShutdownCommand": nil, "systemRestartCommand": nil, "serverRestartCommand": nil},
			"diskspace": object{"warning": 500 << 20, "critical": 200 << 20}, "onlineCheck": object{"enabled": false}, "pluginBlacklist": object{"enabled": false}, "allowFraming": false},
		"slicing":         object{"defaultSlicer": nil},
		"system":          object{"actions": none, "events": nil},
		"temperature":     object{"profiles": presets(), "cutoff": 30, "sendAutomatically": false, "sendAutomaticallyAfter": 1},
		"terminalFilters": none,
		"webcam":          webcam,
	}
}

// pluginSettings are those of the original's plugins that clients look for: Home Assistant refuses to be set up without discovery's.
func (a *API) pluginSettings(first object, st server.State) object {
	all := object{
		"discovery": object{"upnpUuid": a.UUID, "publicHost": nil, "publicPort": nil, "pathPrefix": nil, "httpUsername": nil, "httpPassword": nil, "zeroConf": []any{}, "addresses": nil, "interfaces": nil,
			"ignoredAddresses": nil, "ignoredInterfaces": nil, "model": object{"name": "layerd", "description": nil, "number": nil, "serial": nil, "url": nil, "vendor": nil, "vendorUrl": nil}},
		"UltimakerFormatPackage":      object{"installed": true}, // Cura then sends UFP, with the picture in it
		"action_command_prompt":       object{"enable": "detected", "command": "M876", "enable_emergency_sending": true, "enable_signal_support": true},
		"action_command_notification": object{"enable": true, "enable_popups": false, "filter": ""},
		"classicwebcam": object{"stream": first["stream"], "snapshot": first["snapshot"], "flipH": false, "flipV": false, "rotate90": false, "streamRatio": "16:9", "streamTimeout": 5, "streamWebrtcIceServers": []string{},
			"snapshotTimeout": 5, "snapshotSslValidation": true, "cacheBuster": false},
	}
	if st.Power != nil { // clients show a switch where the plugin is there
		all["psucontrol"] = object{"switchingMethod": "PLUGIN", "sensingMethod": "PLUGIN"}
	}
	return all
}

// presets are what our page offers to warm up for.
func presets() []object {
	return []object{
		{"name": "PLA", "extruder": 200, "bed": 60, "chamber": nil},
		{"name": "PETG", "extruder": 230, "bed": 80, "chamber": nil},
		{"name": "ABS", "extruder": 240, "bed": 100, "chamber": nil},
	}
}

// webcams are the addresses of the cameras' pictures.
func (a *API) webcams(r *http.Request, me access.Identity, st server.State) []object {
	base := a.s.Base(r)
	out := []object{}
	for i, c := range st.Cameras {
		if c.Device == "" || c.Device == "none" {
			continue
		}
		query := url.Values{}
		if i > 0 {
			query.Set("id", strconv.Itoa(c.ID))
		}
		if ticket := a.ticketFor(r, me); ticket != "" {
			query.Set("view", ticket)
		}
		more := ""
		if len(query) > 0 {
			more = "&" + query.Encode()
		}
		name := "classic"
		if len(out) > 0 {
			name = "camera" + strconv.Itoa(c.ID)
		}
		out = append(out, object{"name": name, "display": c.Name, "stream": base + "/webcam/?action=stream" + more, "snapshot": base + "/webcam/?action=snapshot" + more})
	}
	return out
}

func webcamList(cams []object, st server.State) []object {
	out := []object{}
	for _, c := range cams {
		stream := object{"stream": c["stream"], "streamRatio": ratio(st), "streamTimeout": 5, "streamWebrtcIceServers": []string{}, "cacheBuster": false}
		compat := object{"snapshot": c["snapshot"], "snapshotTimeout": 5, "snapshotSslValidation": true}
		for key, v := range stream {
			compat[key] = v
		}
		out = append(out, object{"name": c["name"], "displayName": c["display"], "provider": "classicwebcam", "canSnapshot": true, "snapshotDisplay": c["snapshot"],
			"flipH": false, "flipV": false, "rotate90": false, "extras": stream, "compat": compat})
	}
	return out
}

// ratio is the nearest of the two that the original knows.
func ratio(st server.State) string {
	for _, c := range st.Cameras {
		if c.Width > 0 && c.Height > 0 && float64(c.Width)/float64(c.Height) < 1.55 {
			return "4:3"
		} else if c.Width > 0 {
			break
		}
	}
	return "16:9"
}

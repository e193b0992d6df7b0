package octoprint

import (
	"strings"
	"testing"

	"layerd/internal/access"
	"layerd/printer"
)

// What the clients that are known read of the settings, with its type.
func TestSettings(t *testing.T) {
	r := newRig(t, 50)
	r.until("a card", func(s *printer.Snapshot) bool { return s.Card != nil })
	s := r.get("/api/settings").is(200).has(map[string]any{
		"plugins.discovery.upnpUuid": uuid, "appearance.name": "test", "feature.sdSupport": true, "gcodeAnalysis.runAt": "idle", "temperature.profiles.0.name": "PLA", "temperature.profiles.0.extruder": 200, "temperature.profiles.0.bed": 60,
		"webcam.bitrate": "10000k", "webcam.flipH": false, "webcam.flipV": false, "webcam.rotate90": false, "webcam.snapshotSslValidation": true, "webcam.webcamEnabled": true,
		"webcam.webcams.0.name": "classic", "webcam.webcams.0.compat.streamTimeout": 5, "api.allowCrossOrigin": false, "serial.port": "/dev/sim", "server.commands.serverRestartCommand": nil, "controls.0": "(missing)", "system.actions.0": "(missing)"})
	for _, key := range []string{"streamUrl", "snapshotUrl"} {
		if got, _ := s.at("webcam." + key).(string); !strings.HasPrefix(got, r.url+"/webcam/?action="+strings.TrimSuffix(key, "Url")+"&view=") {
			t.Errorf("%s: got %q", key, got)
		}
	}
	if strings.Contains(string(s.body), "null}") && strings.Contains(string(s.body), `"webcams":null`) {
		t.Error("a list is null")
	}
	r.post("/api/settings", `{}`).is(200).has(map[string]any{"appearance.name": "test"})
	r.post("/api/settings", `{"appearance":{"name":"test"},"webcam":{"flipH":false},"temperature":{"cutoff":30}}`).is(200)
	r.post("/api/settings", `{"appearance":{"name":"other"}}`).refused(409)
	r.post("/api/settings", `{"nothing":{"of":"this"}}`).refused(409)
	r.post("/api/settings", `[]`).refused(400)
}

func TestProfiles(t *testing.T) {
	r := newRig(t, 50)
	r.get("/api/printerprofiles").has(map[string]any{"profiles._default.id": "_default", "profiles._default.current": true, "profiles._default.default": true, "profiles._default.volume.width": 220, "profiles._default.volume.origin": "lowerleft",
		"profiles._default.volume.formFactor": "rectangular", "profiles._default.volume.custom_box": false, "profiles._default.extruder.count": 1, "profiles._default.extruder.offsets.0.0": 0, "profiles._default.axes.x.speed": 6000,
		"profiles._default.heatedBed": true, "profiles._default.resource": r.url + "/api/printerprofiles/_default"})
	r.get("/api/printerprofiles/none").refused(404)
	r.post("/api/printerprofiles", `{"profile":{"id":"big","name":"Big One","volume":{"width":400,"origin":"center","formFactor":"circular"},"extruder":{"count":2,"offsets":[[0,0],[18,0]]},"heatedChamber":true},"basedOn":"_default"}`).is(200).
		has(map[string]any{"profile.id": "big_one", "profile.volume.width": 400, "profile.volume.depth": 220, "profile.volume.formFactor": "circular", "profile.extruder.offsets.1.0": 18, "profile.current": false})
	r.post("/api/printerprofiles", `{"profile":{"name":"Big One"}}`).refused(409)
	r.post("/api/printerprofiles", `{"profile":{"name":"x","volume":{"width":-4}}}`).refused(400)
	r.post("/api/printerprofiles", `{"profile":{"name":"x","extruder":{"count":1000000000}}}`).refused(400)
	r.post("/api/printerprofiles", `{"profile":5}`).refused(400)
	r.post("/api/printerprofiles", `{}`).refused(400)
	patch := func(id, body string) reply {
		return r.send(access.Owner, "PATCH", "/api/printerprofiles/"+id, "application/json", strings.NewReader(body))
	}
	patch("_default", `{"profile":{"name":"Mine","volume":{"height":123}}}`).is(200).has(map[string]any{"profile.id": "_default", "profile.name": "Mine", "profile.volume.height": 123, "profile.volume.width": 220})
	patch("big_one", `{"profile":{"name":"Bigger"}}`).is(200).has(map[string]any{"profile.id": "bigger", "profile.volume.width": 400})
	r.get("/api/printerprofiles/big_one").refused(404)
	patch("bigger", `{"profile":{"volume":{"width":500}}}`).is(200).has(map[string]any{"profile.volume.width": 500})
	patch("bigger", `{"profile":{"volume":{"width":0}}}`).refused(400)
	patch("bigger", `{"profile":{"name":"Mine"}}`).refused(409)
	patch("bigger", `{"profile":{"name":"Big One"}}`).is(200)
	patch("none", `{"profile":{}}`).refused(404)
	r.get("/api/connection").has(map[string]any{"options.printerProfiles.0.name": "Mine", "options.printerProfiles.1.id": "big_one"})
	r.post("/api/connection", `{"command":"connect","printerProfile":"big_one"}`).is(204)
	r.get("/api/printerprofiles/_default").has(map[string]any{"name": "Big One"})
	r.send(access.Owner, "DELETE", "/api/printerprofiles/_default", "", nil).refused(409)
	r.send(access.Owner, "DELETE", "/api/printerprofiles/mine", "", nil).is(204)
	r.get("/api/printerprofiles/mine").refused(404)
}

func TestTimelapseSettings(t *testing.T) {
	r := newRig(t, 50)
	r.get("/api/timelapse").is(200).has(map[string]any{"config.type": "off", "enabled": true, "files.0": "(missing)", "unrendered": "(missing)"})
	r.post("/api/timelapse", `{"type":"timed","interval":7,"fps":30,"save":true}`).is(200).has(map[string]any{"config.type": "timed", "config.interval": 7, "config.fps": 30})
	r.post("/api/timelapse", `{"type":"zchange"}`).has(map[string]any{"config.type": "zchange"})
	r.post("/api/timelapse", `{"type":"off"}`).has(map[string]any{"config.type": "off"})
	for _, body := range []string{`{"type":"never"}`, `{"type":"timed","interval":0}`, `{"type":"timed","fps":"x"}`, `{"type":"timed","interval":1.5}`} {
		r.post("/api/timelapse", body).refused(400)
	}
	if !strings.Contains(string(r.get("/api/timelapse?unrendered=true").body), `"unrendered":[]`) {
		t.Error("a list is not a list")
	}
	r.send(access.Owner, "DELETE", "/api/timelapse/none.mp4", "", nil).is(200).has(map[string]any{"config.type": "off"})
	r.send(access.Owner, "DELETE", "/api/timelapse/unrendered/none", "", nil).is(204)
	r.post("/api/timelapse/unrendered/none", `{"command":"render"}`).refused(404)
	r.get("/downloads/timelapse/..%2f..%2fetc%2fpasswd").refused(404)
}

// What the original has and we have not answers as one that has none of it.
func TestStubs(t *testing.T) {
	r := newRig(t, 50)
	for path, want := range map[string]map[string]any{
		"/api/system/commands": {"core.0": "(missing)", "custom.0": "(missing)", "plugin.0": "(missing)"}, "/api/system/commands/core": {"0": "(missing)"}, "/api/system/info": {"systeminfo.printer\x00": "(missing)"},
		"/api/languages": {"language_packs._core.identifier": "_core"}, "/api/slicing": {"cura": "(missing)"}, "/api/setup/wizard": {"a": "(missing)"}, "/api/system/startup": {"startup.a": "(missing)"},
		"/plugin/softwareupdate/check": {"status": "current", "information.octoprint.updateAvailable": false}, "/api/plugin/pluginmanager": {"plugins.0": "(missing)"}, "/plugin/pluginmanager/plugins": {"plugins.0": "(missing)"},
		"/plugin/DisplayLayerProgress/values": {"layer.current": "-", "layer.total": "-", "height.totalFormatted": "-", "fanSpeed": "Off", "feedrate": "-", "print.progress": "-"},
		"/plugin/logging/logs":                {"files.0": "(missing)"}, "/api/plugin/action_command_prompt": {"text": "(missing)"}, "/api/plugin/action_command_notification": {"notifications.0": "(missing)"},
	} {
		r.get(path).is(200).has(want)
	}
	r.post("//api/system/commands/core/reboot", `{}`).refused(404)
	for _, body := range []string{`{"command":"url","url":"http://127.0.0.1/"}`, `{"command":"path","path":"/etc/passwd"}`, `{"command":"server","host":"a","port":22}`} {
		r.post("/api/util/test", body).refused(403)
	}
	r.post("/api/plugin/action_command_prompt", `{"command":"select","choice":0}`).refused(409)
	r.post("/api/plugin/psucontrol", `{"command":"getPSUState"}`).refused(400)
}

// What the firmware asks is answered by an app as by our page.
func TestPrompt(t *testing.T) {
	r := newRig(t, 50)
	r.post("/api/printer/command", `{"command":"M0 Go on?"}`).is(204)
	r.until("a question", func(s *printer.Snapshot) bool { return s.Prompt != nil })
	r.get("/api/plugin/action_command_prompt").has(map[string]any{"text": "Go on?", "choices.0": "Continue"})
	r.post("/api/plugin/action_command_prompt", `{"command":"select","choice":1}`).refused(400)
	r.post("/api/plugin/action_command_prompt", `{"command":"select","choice":0}`).is(204)
	r.until("no question", func(s *printer.Snapshot) bool { return s.Prompt == nil })
}

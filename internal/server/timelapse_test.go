package server

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"layerd/camera"
	"layerd/internal/timelapse"
	"layerd/printer"
)

func TestTimelapsesAreListed(t *testing.T) {
	r := newRig(t)
	w := r.do("GET", "/v1/timelapses", "viewer", nil)
	var got TimelapseList
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got.Items) != 2 || got.Items[1].Video.State != timelapse.VideoReady || got.Settings.FPS != 25 || got.LimitBytes == 0 {
		t.Errorf("got %d, %s, %v, want both, the settings and the limit", w.Code, w.Body, err)
	}
	var state State
	w = r.do("GET", "/v1/state", "viewer", nil)
	if err := json.Unmarshal(w.Body.Bytes(), &state); err != nil || state.Timelapse.ID != "running" || state.Timelapse.LastN != 22 || state.Timelapse.Problem == "" || state.TimelapsesRev == 0 {
		t.Errorf("state: got %+v, %v, want the one under way", state.Timelapse, err)
	}
}

func TestFramesOfATimelapse(t *testing.T) {
	r := newRig(t)
	w := r.do("GET", "/v1/timelapses/running/frames/8", "viewer", nil)
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "image/jpeg" || h.Get("Frame") != "8" || h.Get("Frame-Layer") != "4" || h.Get("Frame-Taken-Ms") != "1795788000008" || !strings.Contains(h.Get("Cache-Control"), "immutable") || w.Body.Len() != 1000 {
		t.Errorf("got %d, %v, %d bytes, want frame 8, to be kept", w.Code, h, w.Body.Len())
	}
	w = r.do("GET", "/v1/timelapses/running/frames/9", "viewer", nil) // there is no 9: tomorrow there may be
	if h := w.Header(); h.Get("Frame") != "8" || h.Get("Cache-Control") != "no-store" {
		t.Errorf("got frame %s, cache %s, want 8, not to be kept", h.Get("Frame"), h.Get("Cache-Control"))
	}
	for path, code := range map[string]string{
		"running/frames/-1": "bad_command", "running/frames/x": "bad_command", "running/frames/": "bad_command", "running/frames": "no_route", "running": "no_route",
		"running/frames/1/2": "bad_command", "other/frames/1": "no_timelapse", "..%2Frunning/frames/1": "no_route", "%2e%2e/frames/1": "no_timelapse", "running/video": "recording", "other/video": "no_timelapse",
		"other/poster": "no_timelapse", "running/poster/1": "no_route",
	} {
		if w := r.do("GET", "/v1/timelapses/"+path, "viewer", nil); w.Code < 400 || errorCode(t, w.Body.Bytes()) != code {
			t.Errorf("%s: got %d %s, want %s", path, w.Code, w.Body, code)
		}
	}
	for _, id := range []string{"running", "ready"} {
		if w := r.do("GET", "/v1/timelapses/"+id+"/poster", "viewer", nil); w.Code != 200 || w.Body.String() != "poster of "+id || (w.Header().Get("Cache-Control") == "no-store") != (id == "running") {
			t.Errorf("poster of %s: got %d, %v, %q", id, w.Code, w.Header(), w.Body)
		}
	}
}

func TestVideoOfATimelapse(t *testing.T) {
	r := newRig(t)
	w := r.do("GET", "/v1/timelapses/ready/video", "viewer", nil, func(q *http.Request) { q.Header.Set("Range", "bytes=2-5") })
	if w.Code != http.StatusPartialContent || w.Body.String() != "lmfi" || w.Header().Get("Content-Type") != "video/mp4" || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("a part: got %d, %v, %q, want 206 and 4 bytes to be played", w.Code, w.Header(), w.Body)
	}
	w = r.do("GET", "/v1/timelapses/ready/video?download", "viewer", nil)
	if got, want := w.Header().Get("Content-Disposition"), `attachment; filename="lamp \"red\".mp4"`; w.Code != 200 || got != want || w.Body.Len() != 4000 {
		t.Errorf("download: got %d, %q, %d bytes, want %q", w.Code, got, w.Body.Len(), want)
	}
}

func TestTimelapsesAreDeletedAndRendered(t *testing.T) {
	r := newRig(t)
	for _, q := range []struct {
		method, path string
		status       int
	}{
		{"DELETE", "/v1/timelapses/ready", 204}, {"DELETE", "/v1/timelapses/running", 409}, {"DELETE", "/v1/timelapses/other", 404},
		{"POST", "/v1/timelapses/ready/render", 202}, {"POST", "/v1/timelapses/running/render", 409}, {"POST", "/v1/timelapses/ready", 404},
	} {
		if w := r.do(q.method, q.path, "viewer", nil); w.Code != 403 {
			t.Errorf("%s %s as a viewer: got %d, want 403", q.method, q.path, w.Code)
		}
		if w := r.do(q.method, q.path, "operator", nil); w.Code != q.status {
			t.Errorf("%s %s: got %d %s, want %d", q.method, q.path, w.Code, w.Body, q.status)
		}
	}
	if got, want := r.films.done, []string{"delete ready", "render ready"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTimelapseSettings(t *testing.T) {
	r := newRig(t)
	good := `{"do":"set_timelapse","timelapse":{"mode":"layer","every_s":10,"park":true,"camera":0,"fps":30,"budget_mb":300,"limit_mb":1000,"render_early":false,"keep_failed":false}}`
	if status, a := r.command(t, "operator", good); status != 403 {
		t.Errorf("as an operator: got %d %+v, want 403", status, a.Error)
	}
	if status, a := r.command(t, "owner", good); status != 200 {
		t.Errorf("got %d %+v, want 200", status, a.Error)
	}
	list, _ := r.films.list.Get()
	kept, _ := json.Marshal(r.files.settings["timelapse"])
	if list.Settings.Mode != timelapse.ByLayer || !list.Settings.Park || list.Settings.FPS != 30 || !strings.Contains(string(kept), `"fps":30`) {
		t.Errorf("got %+v, kept %s, want what was set", list.Settings, kept)
	}
	if _, a := r.command(t, "owner", strings.Replace(good, `"fps":30`, `"fps":0`, 1)); a.Error == nil || a.Error.Code != "bad_timelapse" {
		t.Errorf("no frames a second: got %+v, want bad_timelapse", a.Error)
	}
	if _, a := r.command(t, "owner", `{"do":"set_timelapse"}`); a.Error == nil || a.Error.Code != "bad_command" {
		t.Errorf("without settings: got %+v, want bad_command", a.Error)
	}
}

func TestStartChoosesHowItIsRecorded(t *testing.T) {
	r := newRig(t)
	if _, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true,"record":{"mode":"often","every_s":1,"park":false}}`); a.Error == nil || a.Error.Code != "bad_timelapse" {
		t.Errorf("got %+v, want bad_timelapse", a)
	}
	_, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true,"record":{"mode":"layer","every_s":10,"park":true}}`)
	if want := (timelapse.Choice{Mode: timelapse.ByLayer, EveryS: 10, Park: true}); a.Error != nil || r.films.chosen[a.Job] != want {
		t.Errorf("got %+v, %+v, want %+v for the job", a.Error, r.films.chosen, want)
	}
	for c, want := range map[timelapse.Choice]printer.ShotMode{{Mode: timelapse.ByLayer, Park: true}: printer.ShotsPark, {Mode: timelapse.ByLayer}: printer.ShotsStill,
		{Mode: timelapse.ByTime, Park: true}: printer.ShotsOff, {Mode: timelapse.Off}: printer.ShotsOff} {
		if got := shotsOf(c); got != (printer.Shots{Mode: want}) {
			t.Errorf("%+v: got %+v, want %q", c, got, want)
		}
	}
}

// Without a camera nothing is worth the seconds that a printer stands still for a picture, whatever the settings say.
func TestNoCameraHoldsNoPrint(t *testing.T) {
	for device, want := range map[string]printer.ShotMode{"": printer.ShotsOff, "/dev/video0": printer.ShotsPark} {
		r := newRig(t)
		r.cameras.status.Set([]camera.Status{{}, {ID: 1, Device: device}})
		_, a := r.command(t, "operator", `{"do":"start","file":"cube.gcode","anyway":true,"record":{"mode":"layer","every_s":10,"park":true}}`)
		if got := r.printer.started.Shots.Mode; a.Error != nil || got != want {
			t.Errorf("device %q: got %q, %+v, want %q", device, got, a.Error, want)
		}
	}
}

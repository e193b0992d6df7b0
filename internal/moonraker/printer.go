package moonraker

import (
	"net/http"
	"net/url"
	"strconv"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/printer"
)

// Who we are, what may be done with the printer, and what else there is to know, but for its state: that is in objects.go.

// version is told to clients that look for features by it.
const version = "v0.9.3-layerd"

func (a *API) info(c call) (any, error) {
	st := a.s.State(c.me)
	state, _ := klippyOf(st)
	return object{"klippy_connected": state != disconnected, "klippy_state": state, "components": []string{"file_manager", "history", "klippy_connection", "webcam"}, "failed_components": []string{},
		"registered_directories": []string{root}, "warnings": []string{}, "missing_klippy_requirements": []string{}, "moonraker_version": version, "api_version": []int{1, 5, 0}, "api_version_string": "1.5.0",
		"hostname": a.s.Config().Host, "machine_name": a.s.Config().Host}, nil
}

// printer is what Klipper would say of itself. A printer that is not there is an error of it: Klipper knows no other word.
func (a *API) printer(c call) (any, error) {
	state, message := klippyOf(a.s.State(c.me))
	if state == disconnected {
		state = "error"
	}
	return object{"state": state, "state_message": message, "hostname": a.s.Config().Host, "software_version": "layerd " + a.s.Config().Version, "cpu_info": "",
		"klipper_path": "", "python_path": "", "log_file": "", "config_file": ""}, nil
}

// systemInfo is asked for by clients that show how much memory is in use; nothing of it is told.
func (a *API) systemInfo(call) (any, error) {
	return object{"system_info": object{"cpu_info": object{}, "sd_info": object{}, "distribution": object{}, "network": object{}, "available_services": []string{}, "service_state": object{}}}, nil
}

// command is a method that is one of our commands, for the print under way.
func command(do string) func(*API, call) (any, error) {
	return func(a *API, c call) (any, error) {
		if err := a.s.Try(c.r.Context(), c.me, server.Command{Do: do}); err != nil {
			return nil, err
		}
		return "ok", nil
	}
}

// pause is well when it stands still already.
func (a *API) pause(c call) (any, error) {
	if s := a.s.State(c.me).State; s == printer.Paused || s == printer.Pausing {
		return "ok", nil
	}
	return command("pause")(a, c)
}

// cancel is well when it is under way already.
func (a *API) cancel(c call) (any, error) {
	if a.s.State(c.me).State == printer.Cancelling {
		return "ok", nil
	}
	return command("cancel")(a, c)
}

// start prints a file. Moonraker asks nothing, so warnings about it are passed over; limits are not.
func (a *API) start(c call) (any, error) {
	name, err := c.in.text("filename")
	if err == nil {
		name, err = server.CleanName(name)
	}
	if err == nil {
		err = a.begin(c.r, c.me, name)
	}
	if err != nil {
		return nil, err
	}
	return "ok", nil
}

func (a *API) begin(r *http.Request, me access.Identity, name string) error {
	return a.s.Try(r.Context(), me, server.Command{Do: "start", File: name, Anyway: true})
}

// script gives lines to the printer as they are, as the console of our page does, which takes an owner. Klipper's own commands mean nothing to other firmware; but
// that of an object to be skipped is ours.
func (a *API) script(c call) (any, error) {
	text, err := c.in.text("script")
	if err != nil {
		return nil, err
	}
	taken, err := a.exclude(c, text)
	if !taken {
		err = a.s.Try(c.r.Context(), c.me, server.Command{Do: "send", Line: text})
	}
	if err != nil {
		return nil, err
	}
	return "ok", nil
}

// Webcam is a camera.
type Webcam struct {
	Name          string `json:"name"`
	Location      string `json:"location"`
	Service       string `json:"service"`
	Enabled       bool   `json:"enabled"`
	Icon          string `json:"icon"`
	TargetFPS     int    `json:"target_fps"`
	TargetFPSIdle int    `json:"target_fps_idle"`
	StreamURL     string `json:"stream_url"`
	SnapshotURL   string `json:"snapshot_url"`
	FlipX         bool   `json:"flip_horizontal"`
	FlipY         bool   `json:"flip_vertical"`
	Rotation      int    `json:"rotation"`
	AspectRatio   string `json:"aspect_ratio"`
	Extra         object `json:"extra_data"`
	Source        string `json:"source"`
	UID           string `json:"uid"`
}

// webcams are the cameras. Who came by a key gets a ticket in their addresses, since clients ask for pictures without it. The addresses are whole ones:
// clients look for others where port 80 is.
func (a *API) webcams(c call) (any, error) {
	list := []Webcam{}
	for i, cam := range a.s.State(c.me).Cameras {
		if cam.Device == "" || cam.Device == "none" {
			continue
		}
		query := url.Values{}
		if i > 0 {
			query.Set("id", strconv.Itoa(cam.ID))
		}
		if c.me.Via == "bearer" {
			query.Set("view", a.s.Config().Gate.ViewTicket(c.me))
		}
		more := ""
		if len(query) > 0 {
			more = "&" + query.Encode()
		}
		at := a.s.Base(c.r) + "/webcam/?action="
		list = append(list, Webcam{Name: cam.Name, Location: "printer", Service: "mjpegstreamer", Enabled: true, Icon: "mdiWebcam", TargetFPS: 15, TargetFPSIdle: 5, StreamURL: at + "stream" + more,
			SnapshotURL: at + "snapshot" + more, AspectRatio: ratio(cam.Width, cam.Height), Extra: object{}, Source: "config", UID: "layerd-camera-" + strconv.Itoa(cam.ID)})
	}
	return object{"webcams": list}, nil
}

// ratio is that of a picture: "4:3".
func ratio(width, height int) string {
	a, b := width, height
	for b > 0 {
		a, b = b, a%b
	}
	if a <= 0 || height <= 0 {
		return "16:9"
	}
	return strconv.Itoa(width/a) + ":" + strconv.Itoa(height/a)
}

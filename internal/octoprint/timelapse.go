package octoprint

import (
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/timelapse"
)

// timelapseRoutes are about films of prints. Clients know them by names, we by IDs: a name has its ID in it, and none becomes a path.
func (a *API) timelapseRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/timelapse", Least: access.Viewer, Serve: a.timelapses},
		{Method: "POST", Path: "/api/timelapse", Least: access.Owner, Serve: a.setTimelapse},
		{Method: "POST", Path: "/api/timelapse/unrendered/*", Least: access.Operator, Deed: "render_timelapse", Serve: a.renderTimelapse},
		{Method: "DELETE", Path: "/api/timelapse/unrendered/*", Least: access.Operator, Deed: "delete_timelapse", Serve: a.deleteUnrendered},
		{Method: "DELETE", Path: "/api/timelapse/*", Least: access.Operator, Deed: "delete_timelapse", Serve: a.deleteTimelapse},
		{Method: "GET", Path: "/api/timelapse/*", Least: access.Viewer, Serve: a.film},
		{Method: "GET", Path: "/downloads/timelapse/*", Least: access.Viewer, Serve: a.film},
	}
}

const films = "/downloads/timelapse/"

// Film is a timelapse that can be seen. Size is for people, Date too.
type Film struct {
	Name      string  `json:"name"`
	Size      string  `json:"size"`
	Bytes     int64   `json:"bytes"`
	Date      string  `json:"date"`
	Timestamp float64 `json:"timestamp"` // Unix seconds
	URL       string  `json:"url"`
	Thumbnail string  `json:"thumbnail,omitempty"`
}

// Unrendered is one whose film is not made yet.
type Unrendered struct {
	Name       string  `json:"name"`
	Size       string  `json:"size"`
	Bytes      int64   `json:"bytes"`
	Date       string  `json:"date"`
	Timestamp  float64 `json:"timestamp"`
	Count      int     `json:"count"` // of frames
	Recording  bool    `json:"recording"`
	Rendering  bool    `json:"rendering"`
	Processing bool    `json:"processing"` // one of the two
}

// seen reports whether there is a film to be seen.
func seen(it timelapse.Item) bool {
	return it.Video.State == timelapse.VideoReady || it.Video.State == timelapse.VideoFrames
}

// filmName is a timelapse's name, as that of a file.
func filmName(it timelapse.Item) string {
	base := strings.NewReplacer("/", "_", "\\", "_").Replace(strings.TrimSuffix(it.Name, path.Ext(it.Name)))
	ext := ".mp4"
	if it.Video.State == timelapse.VideoFrames {
		ext = ".avi"
	}
	if !seen(it) {
		ext = ""
	}
	return strings.TrimLeft(base+"-"+it.ID, ".") + ext
}

// filmNamed finds the one that a client means.
func (a *API) filmNamed(name string) (timelapse.Item, error) {
	for _, it := range a.films().Items {
		if filmName(it) == name {
			return it, nil
		}
	}
	return timelapse.Item{}, errNothing
}

func (a *API) timelapses(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	all := a.timelapsesFor(r)
	return a.sayNew(w, r, all, all)
}

func (a *API) timelapsesFor(r *http.Request) map[string]any {
	zone, list := time.Local, a.films()
	if z := a.s.Config().Zone; z != nil {
		zone = z
	}
	files, open := []Film{}, []Unrendered{}
	for _, it := range list.Items {
		at := time.UnixMilli(max(it.EndedMS, it.StartedMS)).In(zone)
		date, stamp, size := at.Format("2006-01-02 15:04"), float64(at.UnixMilli())/1000, sized(it.Bytes)
		if !seen(it) {
			recording, rendering := it.Video.State == timelapse.VideoRecording, it.Video.State == timelapse.VideoRendering
			open = append(open, Unrendered{filmName(it), size, it.Bytes, date, stamp, it.Frames, recording, rendering, recording || rendering})
			continue
		}
		url := escaped(films + filmName(it))
		files = append(files, Film{filmName(it), size, it.Bytes, date, stamp, url, url + posterEnding})
	}
	out := map[string]any{"config": configOf(list.Settings), "enabled": true, "files": files}
	if queried(r, "unrendered") {
		out["unrendered"] = open
	}
	return out
}

const posterEnding = ".thumb.jpg"

func configOf(s timelapse.Settings) map[string]any {
	out := map[string]any{"type": "off"}
	switch s.Mode {
	case timelapse.ByTime:
		out = map[string]any{"type": "timed", "interval": s.EveryS, "postRoll": 0, "fps": s.FPS, "renderAfterPrint": "always"}
	case timelapse.ByLayer:
		out = map[string]any{"type": "zchange", "retractionZHop": 0, "minDelay": 0, "postRoll": 0, "fps": s.FPS, "renderAfterPrint": "always"}
	}
	return out
}

// sized writes bytes for people.
func sized(bytes int64) string {
	v, unit := float64(bytes), "B"
	for _, next := range []string{"KB", "MB", "GB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, next
	}
	return fmt.Sprintf("%.1f%s", v, unit)
}

// setTimelapse changes how prints are recorded, from the next one on, and lastingly.
func (a *API) setTimelapse(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	in, err := read(w, r)
	if err != nil {
		return err
	}
	settings := a.films().Settings
	if in.has("type") {
		kind, _ := in.text("type")
		mode, known := map[string]timelapse.Mode{"off": timelapse.Off, "timed": timelapse.ByTime, "zchange": timelapse.ByLayer}[kind]
		if !known {
			return invalid("type")
		}
		settings.Mode = mode
		for key, into := range map[string]*int{"fps": &settings.FPS, "interval": &settings.EveryS} {
			if !in.has(key) {
				continue
			}
			n, err := in.number(key)
			if err != nil || n != float64(int(n)) {
				return invalid(key)
			}
			*into = int(n)
		}
		if err := a.s.Try(r.Context(), me, server.Command{Do: "set_timelapse", Timelapse: &settings}); err != nil {
			return err
		}
	}
	return a.say(w, a.timelapsesFor(r))
}

func (a *API) film(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	name, poster := strings.CutSuffix(r.PathValue("path"), posterEnding)
	it, err := a.filmNamed(name)
	if err != nil {
		return err
	}
	if poster {
		return a.s.ServePoster(w, r, it.ID)
	}
	return a.s.ServeVideo(w, r, it.ID)
}

func (a *API) deleteTimelapse(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if err := a.removeFilm(r); err != nil {
		return err
	}
	return a.say(w, a.timelapsesFor(r))
}

func (a *API) deleteUnrendered(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if err := a.removeFilm(r); err != nil {
		return err
	}
	return done(w)
}

// removeFilm deletes one. That it is gone is what was wanted, whether it was there or not.
func (a *API) removeFilm(r *http.Request) error {
	it, err := a.filmNamed(r.PathValue("path"))
	if err != nil {
		return nil
	}
	return a.s.Config().Timelapses.Delete(r.Context(), it.ID)
}

func (a *API) renderTimelapse(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if _, _, err := readCommand(w, r, map[string][]string{"render": nil}); err != nil {
		return err
	}
	it, err := a.filmNamed(r.PathValue("path"))
	if err != nil {
		return err
	}
	if err := a.s.Config().Timelapses.Render(r.Context(), it.ID); err != nil {
		return err
	}
	return done(w)
}

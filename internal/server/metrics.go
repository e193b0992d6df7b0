package server

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/printer"
)

// What flows here: the newest state → text for Prometheus, of the version 0.0.4 of its format.

// metric is one line of the answer, with what is told of its kind before the first of them.
type metric struct {
	name, kind, help string
	labels           string // within braces; "" none
	value            float64
}

// serveMetrics answers GET /metrics.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	sessions, err := s.cfg.People.Sessions(r.Context(), "")
	if err != nil {
		return err
	}
	all := s.compose().state.metrics()
	all = append(all,
		metric{"layerd_live_sockets", "gauge", "Pages that are open.", "", float64(len(s.liveSockets))},
		metric{"layerd_camera_viewers", "gauge", "Who looks at a camera.", "", float64(len(s.cameraSockets) + len(s.streams))},
		metric{"layerd_sessions", "gauge", "Browsers that are logged in.", "", float64(len(sessions))})
	var b strings.Builder
	last := ""
	for _, m := range all {
		if m.name != last {
			fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
			last = m.name
		}
		b.WriteString(m.name)
		if m.labels != "" {
			b.WriteString("{" + m.labels + "}")
		}
		b.WriteString(" " + strconv.FormatFloat(m.value, 'g', -1, 64) + "\n")
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	writeSized(w, int64(b.Len()))
	io.WriteString(w, b.String())
	return nil
}

// label writes a label with a value that may hold anything.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(value, "?")) + `"`
}

func (state State) metrics() []metric {
	all := []metric{
		{"layerd_build_info", "gauge", "Which layerd this is.", label("version", state.Version), 1},
		{"layerd_printer_state", "gauge", "What the printer is doing.", label("state", state.State.String()), 1},
	}
	heater := func(which string, h *printer.Heater) {
		if h != nil {
			all = append(all, metric{"layerd_temperature_celsius", "gauge", "What the printer reports.", label("heater", which) + `,kind="actual"`, h.ActualC},
				metric{"layerd_temperature_celsius", "gauge", "", label("heater", which) + `,kind="target"`, h.TargetC})
		}
	}
	for i := range state.Nozzles {
		heater("nozzle"+strconv.Itoa(i), &state.Nozzles[i])
	}
	heater("bed", state.Bed)
	heater("chamber", state.Chamber)
	if job := state.Job; job != nil {
		all = append(all, metric{"layerd_job_progress_ratio", "gauge", "Of the print under way.", "", job.Percent / 100},
			metric{"layerd_job_elapsed_seconds", "gauge", "Of printing, without pauses.", "", job.ElapsedS},
			metric{"layerd_job_starved_seconds", "gauge", "In which the printer had too few moves, estimated.", "", state.Health.StarvedS})
	}
	return append(all,
		metric{"layerd_lines_sent_total", "counter", "Lines sent to the printer, resends included.", "", float64(state.Link.Sent)},
		metric{"layerd_resends_total", "counter", "Requests of the printer to send a line again.", "", float64(state.Link.Resends)},
		metric{"layerd_free_bytes", "gauge", "Free disk space for files; -1 unknown.", "", float64(state.FreeBytes)})
}

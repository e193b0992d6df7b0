package server

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"layerd/camera"
	"layerd/internal/access"
	"layerd/internal/health"
	"layerd/printer"
)

// What flows here: the newest state, and what parts have counted since layerd was started → text for Prometheus, of the version 0.0.4 of its format
// (prometheus.io/docs/instrumenting/exposition_formats). Names follow prometheus.io/docs/practices/naming: base units, and _total for what only grows.

// Figures are what parts have counted. A nil one is left out.
type Figures struct {
	Tally         func() printer.Tally
	Cameras       func() []camera.Counts
	Alarms        func() int64 // layer shifts that were told
	DatabaseBytes func() int64
	Since         time.Time // when layerd was started
}

// exposition is the text, a family of samples at a time: what is told of a name comes once, before its samples.
type exposition struct{ b strings.Builder }

// sample is one number of a family.
type sample struct {
	labels string // as label makes them, with commas between; "" none
	value  float64
}

// family writes all samples of a name; nothing where there are none.
func (e *exposition) family(kind, name, help string, samples ...sample) {
	if len(samples) > 0 {
		e.head(kind, name, help)
	}
	for _, s := range samples {
		e.line(name, s.labels, s.value)
	}
}

func (e *exposition) head(kind, name, help string) {
	fmt.Fprintf(&e.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (e *exposition) line(name, labels string, v float64) {
	e.b.WriteString(name)
	if labels != "" {
		e.b.WriteString("{" + labels + "}")
	}
	e.b.WriteString(" " + strconv.FormatFloat(v, 'g', -1, 64) + "\n")
}

func (e *exposition) gauge(name, help string, v float64) {
	e.family("gauge", name, help, sample{"", v})
}
func (e *exposition) counter(name, help string, v float64) {
	e.family("counter", name, help, sample{"", v})
}

// known is a gauge that may be unknown, and is left out then.
func known[T int64 | float64 | uint32](e *exposition, name, help string, v *T) {
	if v != nil {
		e.gauge(name, help, float64(*v))
	}
}

// label writes a label with a value that may hold anything.
func label(name, value string) string {
	return name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(value, "?")) + `"`
}

// truth is a condition as a number.
func truth(v bool) float64 {
	if v {
		return 1
	}
	return 0
}

// serveMetrics answers GET /metrics.
func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	sessions, err := s.cfg.People.Sessions(r.Context(), "")
	if err != nil {
		return err
	}
	var e exposition
	state := s.compose().state
	e.printer(&state)
	e.sending(&state, s.cfg.Figures.Tally)
	e.cameras(&state, s.cfg.Figures.Cameras)
	e.gauge("layerd_live_sockets", "Pages that are open.", float64(len(s.liveSockets)))
	e.gauge("layerd_camera_viewers", "Who looks at a camera.", float64(len(s.cameraSockets)+len(s.streams)))
	e.gauge("layerd_sessions", "Browsers that are logged in.", float64(len(sessions)))
	e.overlay(&state)
	e.paths(s.overlayPaths())
	e.host(&state, s.report().Numbers)
	e.process(s.cfg.Figures)
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	writeSized(w, int64(e.b.Len()))
	io.WriteString(w, e.b.String())
	return nil
}

// printer is what the machine does.
func (e *exposition) printer(state *State) {
	e.family("gauge", "layerd_build_info", "Which layerd this is.", sample{label("version", state.Version), 1})
	var states []sample
	for st := printer.Disconnected; st <= printer.Faulted; st++ {
		states = append(states, sample{label("state", st.String()), truth(st == state.State)})
	}
	e.family("gauge", "layerd_printer_state", "What the printer is doing: 1 for one of these.", states...)
	var heat []sample
	heater := func(which string, h *printer.Heater) {
		if h != nil {
			heat = append(heat, sample{label("heater", which) + `,kind="actual"`, h.ActualC}, sample{label("heater", which) + `,kind="target"`, h.TargetC})
		}
	}
	for i := range state.Nozzles {
		heater("nozzle"+strconv.Itoa(i), &state.Nozzles[i])
	}
	heater("bed", state.Bed)
	heater("chamber", state.Chamber)
	e.family("gauge", "layerd_temperature_celsius", "What the printer reports of its heaters.", heat...)
	if job := state.Job; job != nil {
		e.gauge("layerd_job_progress_ratio", "Of the print under way.", job.Percent/100)
		e.gauge("layerd_job_elapsed_seconds", "Of printing, without pauses.", job.ElapsedS)
		if job.LeftS >= 0 {
			e.gauge("layerd_job_left_seconds", "Until the print under way is done, estimated.", job.LeftS)
		}
	}
	e.gauge("layerd_queued_files", "Entries in the queue.", float64(state.Queued))
}

// sending is the conversation with it.
func (e *exposition) sending(state *State, tally func() printer.Tally) {
	t := printer.Tally{Sent: state.Link.Sent, Resends: state.Link.Resends, Probes: state.Link.Probes, Unknown: state.Link.Unknown}
	if tally != nil {
		t = tally()
	}
	e.counter("layerd_lines_sent_total", "Lines sent to the printer, those that were sent again included.", float64(t.Sent))
	e.counter("layerd_lines_sent_again_total", "Lines sent to the printer again.", float64(t.SentAgain))
	e.counter("layerd_resends_total", "Requests of the printer to send a line again.", float64(t.Resends))
	e.counter("layerd_line_errors_total", "Lines that arrived damaged, or not at all, as the printer says.", float64(t.Damaged))
	e.counter("layerd_lost_answers_total", "Times the printer had to be asked whether an answer was lost.", float64(t.Probes))
	e.counter("layerd_unknown_lines_total", "Lines of the printer that could not be read.", float64(t.Unknown))
	e.counter("layerd_shift_checks_total", "Checks at the endstops for layer shifts.", float64(t.Checks))
	e.gauge("layerd_lines_in_flight", "Lines that are not answered yet.", float64(state.Link.InFlight))
	if len(t.Turns) > 0 {
		const turn = "layerd_line_turnaround_seconds"
		e.head("histogram", turn, "From the writing of a line to its answer; what waits by its nature, as heating, is left out.")
		sum := int64(0)
		for _, class := range t.Turns {
			bound := "+Inf"
			if class.UpTo > 0 {
				bound = strconv.FormatFloat(class.UpTo.Seconds(), 'g', -1, 64)
			}
			sum += class.Lines
			e.line(turn+"_bucket", label("le", bound), float64(sum))
		}
		e.line(turn+"_sum", "", t.TurnSum.Seconds())
		e.line(turn+"_count", "", float64(sum))
	}
	var short, events []sample
	for _, c := range t.Starved {
		short, events = append(short, sample{label("cause", c.By), c.For.Seconds()}), append(events, sample{label("cause", c.By), float64(c.Events)})
	}
	e.family("counter", "layerd_starved_seconds_total", "Time in which the printer had too few moves, by cause, estimated.", short...)
	e.family("counter", "layerd_starvations_total", "Stretches of lines in which the printer had too few moves, by cause.", events...)
}

// cameras: their names are people's, and may be the same, so the ID goes along.
func (e *exposition) cameras(state *State, counts func() []camera.Counts) {
	var live, fps, frames, late, damaged, opened []sample
	of := func(id int, name string) string { return label("camera", strconv.Itoa(id)) + "," + label("name", name) }
	for _, c := range state.Cameras {
		live, fps = append(live, sample{of(c.ID, c.Name), truth(c.Live)}), append(fps, sample{of(c.ID, c.Name), c.FPS})
	}
	if counts != nil {
		for _, c := range counts() {
			by := label("camera", strconv.Itoa(c.ID))
			frames, late = append(frames, sample{by, float64(c.Frames)}), append(late, sample{by, float64(c.Late)})
			damaged, opened = append(damaged, sample{by, float64(c.Damaged)}), append(opened, sample{by, float64(c.Opened)})
		}
	}
	e.family("gauge", "layerd_camera_live", "Whether pictures come.", live...)
	e.family("gauge", "layerd_camera_frames_per_second", "Pictures in a second, over the last seconds.", fps...)
	e.family("counter", "layerd_camera_frames_total", "Pictures that came.", frames...)
	e.family("counter", "layerd_camera_late_frames_total", "Pictures that were dropped because they were old.", late...)
	e.family("counter", "layerd_camera_damaged_frames_total", "Pictures that were dropped because they were damaged.", damaged...)
	e.family("counter", "layerd_camera_opened_total", "Times the camera was opened.", opened...)
}

// overlay is the network by which phones come from elsewhere.
func (e *exposition) overlay(state *State) {
	e.family("gauge", "layerd_overlay_joined", "Whether this machine is reached from elsewhere, by the network that is set up.", sample{label("network", string(state.Overlay.Kind)), truth(state.Overlay.State == "running")})
	if state.Overlay.ExpiresMS > 0 {
		e.gauge("layerd_overlay_expires_timestamp_seconds", "When somebody has to log in again there.", float64(state.Overlay.ExpiresMS)/1000)
	}
}

// paths are the ways to those who have been here lately.
func (e *exposition) paths(direct, relayed int) {
	e.family("gauge", "layerd_overlay_paths", "Ways to who has been here from elsewhere lately.", sample{label("way", "direct"), float64(direct)}, sample{label("way", "relay"), float64(relayed)})
}

// host is the machine.
func (e *exposition) host(state *State, n health.Numbers) {
	var levels []sample
	for _, level := range []health.Level{health.OK, health.Warn, health.Bad} {
		levels = append(levels, sample{label("level", string(level)), truth(state.Host.Level == level)})
	}
	e.family("gauge", "layerd_host_health", "How the machine does: 1 for one of these, none while nobody has looked.", levels...)
	known(e, "layerd_host_temperature_celsius", "Of the processor.", n.TemperatureC)
	known(e, "layerd_host_throttled_bits", "Of a Raspberry Pi's firmware: 1 too low a voltage, 2 capped, 4 throttled, 8 hot; times 65536 since the start.", n.Throttled)
	if n.UnderVoltage != nil {
		e.gauge("layerd_host_under_voltage", "Whether the voltage was too low in the last seconds.", truth(*n.UnderVoltage))
	}
	known(e, "layerd_host_wifi_signal_dbm", "Strength of the Wi-Fi.", n.SignalDBm)
	known(e, "layerd_host_load1", "Programs that want to run, on average of a minute.", n.Load1)
	known(e, "layerd_host_memory_available_bytes", "Memory that programs could have.", n.AvailableBytes)
	known(e, "layerd_host_swap_used_bytes", "Memory that is swapped out.", n.SwapBytes)
	if n.OOMKills != nil {
		e.counter("layerd_host_oom_kills_total", "Programs that the kernel killed for want of memory.", float64(*n.OOMKills))
	}
	if state.FreeBytes >= 0 {
		e.gauge("layerd_disk_free_bytes", "Free space for files.", float64(state.FreeBytes))
	}
	known(e, "layerd_disk_size_bytes", "Of the file system with the data.", n.DiskTotal)
}

// process is layerd itself.
func (e *exposition) process(f Figures) {
	if f.Alarms != nil {
		e.counter("layerd_shift_alarms_total", "Layer shifts that were told.", float64(f.Alarms()))
	}
	if f.DatabaseBytes != nil {
		e.gauge("layerd_database_bytes", "Size of the database.", float64(f.DatabaseBytes()))
	}
	if !f.Since.IsZero() {
		e.gauge("layerd_start_time_seconds", "When layerd was started, Unix time.", float64(f.Since.UnixMilli())/1000)
	}
	if used, there := health.OwnUsage(); there {
		e.counter("layerd_process_cpu_seconds_total", "Of all processors, user and system.", used.CPU.Seconds())
		e.gauge("layerd_process_resident_memory_bytes", "Memory of layerd.", float64(used.Resident))
	}
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}} // read without stopping anybody
	metrics.Read(samples)
	e.gauge("layerd_go_heap_bytes", "Memory of Go's that is in use.", float64(samples[0].Value.Uint64()))
	e.gauge("layerd_go_memory_bytes", "Memory that Go has from the kernel.", float64(samples[1].Value.Uint64()))
	e.gauge("layerd_go_goroutines", "Goroutines.", float64(runtime.NumGoroutine()))
}

package octoprint

import (
	"math"
	"path"

	"layerd/internal/server"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// Events are derived: from what differs between two moments that somebody has seen, and in the order in which OctoPrint tells it. Who was slow, and
// missed a state in between, misses what began and ended in it.

// Event is something that happened. Payload may be nil.
type Event struct {
	Type    string `json:"type"`
	Payload any    `json:"payload"`
}

// moment is all that events are derived from.
type moment struct {
	st    server.State
	job   Job
	done  Progress
	files *listing        // nil = not known
	films *timelapse.List // nil likewise
}

// momentAfter is the moment of a state. What cannot have changed since was it takes from there.
func (a *API) momentAfter(was moment, st server.State) moment {
	m := moment{st: st, files: was.files, films: a.films()}
	m.job, m.done = a.jobOf(st)
	if m.files == nil || m.files.rev != st.FilesRev {
		m.files = a.listingOf(st.FilesRev)
	}
	return m
}

// teller collects events.
type teller []Event

func (t *teller) tell(kind string, payload any) { *t = append(*t, Event{kind, payload}) }

// eventsBetween is what happened.
func eventsBetween(was, is moment) []Event {
	t := teller{}
	t.files(was, is)
	t.connection(was.st, is.st)
	t.selection(was, is)
	t.state(was.st, is.st)
	t.job(was, is)
	t.films(was.films, is.films)
	if was.st.SettingsRev != is.st.SettingsRev {
		t.tell("SettingsUpdated", map[string]string{"config_hash": "", "effective_hash": ""})
	}
	return t
}

// connection tells that there is somebody to talk to, or no more. OctoPrint closes the port after each error, and clients wait for Connected then; we
// may go on with the same connection, and tell it all the same.
func (t *teller) connection(was, is server.State) {
	before, now := stateOf(was).Flags, stateOf(is).Flags
	switch {
	case was.State != printer.Connecting && is.State == printer.Connecting:
		t.tell("Connecting", nil)
	case now.Operational && (!before.Operational || is.Connection.SinceMS != was.Connection.SinceMS):
		t.tell("Connected", map[string]any{"port": is.Connection.Port, "baudrate": is.Connection.Baud})
		t.tell("FirmwareData", map[string]any{"name": is.Connection.Firmware, "data": map[string]string{"FIRMWARE_NAME": is.Connection.Firmware}})
	}
	if f := is.Fault; f != nil && now.Error && (was.Fault == nil || was.Fault.AtMS != f.AtMS || was.Fault.Code != f.Code) {
		t.tell("Error", map[string]string{"error": f.Message, "reason": string(f.Code)})
	}
	if is.Halt != nil && was.Halt == nil {
		t.tell("EStop", nil)
	}
	if disconnects(was, is) {
		if !now.Error {
			t.tell("Disconnecting", nil)
		}
		t.tell("Disconnected", nil)
	}
}

// disconnects reports whether there was somebody to talk to, or soon would have been, and no longer is.
func disconnects(was, is server.State) bool {
	return stateOf(is).Flags.ClosedOrError && !stateOf(was).Flags.ClosedOrError
}

func (t *teller) state(was, is server.State) {
	if w := wordOf(is); w != wordOf(was) {
		t.tell("PrinterStateChanged", map[string]string{"state_id": w.id, "state_string": w.text})
	}
	if is.Pause != nil && is.Pause.Filament && (was.Pause == nil || !was.Pause.Filament) {
		t.tell("FilamentChange", nil)
	}
}

// selection is which file is meant.
func (t *teller) selection(was, is moment) {
	switch before, now := was.job.File.Path, is.job.File.Path; {
	case now == nil && before != nil:
		t.tell("FileDeselected", nil)
	case now != nil && (before == nil || *before != *now):
		selected := printOf(is.job)
		selected.Owner, selected.User = "", "" // nobody is asked who selects a file; of one that is printed at once it may be known by now
		t.tell("FileSelected", selected)
	}
}

// Print is what events say of a print. Time is seconds, Progress per cent, FilePosition bytes.
type Print struct {
	Name         string   `json:"name"`
	Path         string   `json:"path"`
	Origin       string   `json:"origin"`
	Size         *int64   `json:"size"`
	Owner        string   `json:"owner,omitempty"`
	User         string   `json:"user,omitempty"`
	Position     *Place   `json:"position,omitempty"`
	FilePosition *int64   `json:"fileposition,omitempty"`
	Progress     *int64   `json:"progress,omitempty"`
	Time         *float64 `json:"time,omitempty"`
	Reason       string   `json:"reason,omitempty"`
	Error        string   `json:"error,omitempty"`
}

// Place is where the head is, in mm, with the tool and its feed rate, which we do not follow.
type Place struct {
	X *float64 `json:"x"`
	Y *float64 `json:"y"`
	Z *float64 `json:"z"`
	E *float64 `json:"e"`
	T *int     `json:"t"`
	F *float64 `json:"f"`
}

func printOf(job Job) (p Print) {
	if job.File.Path == nil {
		return p
	}
	p = Print{Name: *job.File.Name, Path: *job.File.Path, Origin: *job.File.Origin, Size: job.File.Size}
	if job.User != nil {
		p.Owner, p.User = *job.User, *job.User
	}
	return p
}

// where adds how far a print was.
func (p Print) where(m moment) Print {
	p.Position = &Place{}
	if at := m.st.Position; at != nil {
		p.Position = &Place{X: &at.XMM, Y: &at.YMM, Z: &at.ZMM, E: &at.EMM}
	}
	p.FilePosition, p.Progress = m.done.Filepos, percent(m.done.Completion)
	return p
}

func percent(of *float64) *int64 {
	if of == nil {
		return nil
	}
	p := int64(math.Floor(*of))
	return &p
}

// idOf names the print under way, "" none.
func idOf(st server.State) string {
	switch {
	case onCard(st):
		return st.Card.ID
	case st.Job != nil:
		return st.Job.ID
	}
	return ""
}

func (t *teller) job(was, is moment) {
	before, now := idOf(was.st), idOf(is.st)
	if last := is.st.LastJob; last != nil && (was.st.LastJob == nil || was.st.LastJob.ID != last.ID) {
		if before != last.ID { // it has begun and ended since
			was = moment{job: endedOf(last)}
			t.started(printOf(was.job))
		}
		t.ended(was, last)
	}
	if now != "" && now != before {
		t.started(printOf(is.job))
		return
	}
	if now == "" {
		return
	}
	p := printOf(is.job)
	switch from, to := was.st.State, is.st.State; {
	case to == from:
	case to == printer.Paused:
		t.tell("PrintPaused", p.where(is))
		t.tell("ChartMarked", map[string]string{"type": "pause", "label": "Pause"})
	case from == printer.Paused && (to == printer.Resuming || to == printer.Printing || to == printer.Finishing):
		t.tell("PrintResumed", p)
		t.tell("ChartMarked", map[string]string{"type": "resume", "label": "Resume"})
	case to == printer.Cancelling:
		t.tell("PrintCancelling", p)
	}
	if j, o := is.st.Job, was.st.Job; j != nil && o != nil && j.ZMM != o.ZMM && j.ZMM > 0 {
		t.tell("ZChange", map[string]any{"new": j.ZMM, "old": heightOf(was.st)})
	}
}

func (t *teller) started(p Print) {
	t.tell("PrintStarted", p)
	t.tell("ChartMarked", map[string]string{"type": "print", "label": "Start"})
}

// ended tells the end of a print that was under way in a moment.
func (t *teller) ended(was moment, last *printer.JobOutcome) {
	p := printOf(was.job)
	p.Time = &last.ElapsedS
	kind, label := endMark(last.Outcome)
	mark := map[string]string{"type": kind, "label": label}
	if last.Outcome == "done" {
		t.tell("ChartMarked", mark)
		t.tell("PrintDone", p)
	} else {
		p = p.where(was)
		p.Progress = percent(&last.Percent)
		p.Reason, p.Error = "error", last.Reason
		if last.Outcome == "cancelled" {
			p.Reason, p.Error = "", ""
			if was.st.State != printer.Cancelling {
				t.tell("PrintCancelling", printOf(was.job))
			}
			t.tell("PrintCancelled", p)
			p.Reason = "cancelled"
		}
		t.tell("ChartMarked", mark)
		t.tell("PrintFailed", p)
	}
	if p.Origin == local {
		t.tell("MetadataStatisticsUpdated", map[string]string{"storage": local, "path": p.Path})
	}
}

// endedOf is what is known of a print that nobody saw run.
func endedOf(last *printer.JobOutcome) (job Job) {
	if last.Card {
		job = onTheCard(last.File, last.Name, 0)
		job.File.Size = nil
		return job
	}
	job.File.name(last.File, path.Base(last.File), local)
	return job
}

// films tells what became of timelapses.
func (t *teller) films(was, is *timelapse.List) {
	if was == nil || is == nil || was == is {
		return
	}
	for _, film := range is.Items {
		before, known := was.Item(film.ID)
		if !known || before.Video.State == film.Video.State {
			continue
		}
		movie := map[string]any{"gcode": film.Name, "movie": filmName(film), "movie_basename": filmName(film), "movie_prefix": film.Name}
		switch film.Video.State {
		case timelapse.VideoRendering:
			t.tell("MovieRendering", movie)
		case timelapse.VideoReady:
			t.tell("MovieDone", movie)
		case timelapse.VideoFailed:
			movie["reason"], movie["error"], movie["returncode"] = "unknown", film.Video.Reason, 255
			t.tell("MovieFailed", movie)
		}
	}
}

package octoprint

import (
	"path"
	"strconv"
	"strings"

	"layerd/internal/server"
	"layerd/printer"
)

// The shapes that requests and pushed messages have in common: what the printer does, with which file, how far it is, how hot it is. What is
// null is not known, or there is none; clients expect every key.

// State is what the printer does. Clients compare Text: it is one of OctoPrint's words.
type State struct {
	Text  string `json:"text"`
	Flags Flags  `json:"flags"`
	Error string `json:"error"` // for people, "" unless Flags.Error
}

// Flags say the same by yes and no. Printing is set from the start to the end of a print, but for the time in which it is Paused.
type Flags struct {
	Operational   bool `json:"operational"`
	Printing      bool `json:"printing"`
	Cancelling    bool `json:"cancelling"`
	Pausing       bool `json:"pausing"`
	Resuming      bool `json:"resuming"`
	Finishing     bool `json:"finishing"`
	ClosedOrError bool `json:"closedOrError"`
	Error         bool `json:"error"`
	Paused        bool `json:"paused"`
	Ready         bool `json:"ready"`
	SDReady       bool `json:"sdReady"`
}

// word is OctoPrint's name of a state, for people and for programs.
type word struct{ text, id string }

var words = map[printer.State]word{
	printer.Disconnected: {"Offline", "OFFLINE"},
	printer.Connecting:   {"Connecting", "CONNECTING"},
	printer.Idle:         {"Operational", "OPERATIONAL"},
	printer.Starting:     {"Starting", "STARTING"},
	printer.Printing:     {"Printing", "PRINTING"},
	printer.Pausing:      {"Pausing", "PAUSING"},
	printer.Paused:       {"Paused", "PAUSED"},
	printer.Resuming:     {"Resuming", "RESUMING"},
	printer.Cancelling:   {"Cancelling", "CANCELLING"},
	printer.Finishing:    {"Finishing", "FINISHING"},
	printer.Halting:      {"Error", "ERROR"},
	printer.Halted:       {"Error", "ERROR"},
	printer.Faulted:      {"Error", "ERROR"},
}

func wordOf(st server.State) word {
	switch {
	case st.State == printer.Disconnected && st.Fault != nil:
		return word{"Offline after error", "CLOSED_WITH_ERROR"}
	case onCard(st) && st.State == printer.Printing:
		return word{"Printing from SD", "PRINTING"}
	case onCard(st) && st.State == printer.Starting:
		return word{"Starting print from SD", "STARTING"}
	}
	return words[st.State]
}

// onCard reports whether a print from the printer's own card is under way.
func onCard(st server.State) bool { return st.Card != nil && st.Card.Printing }

// stateOf is what the printer does, in OctoPrint's words.
func stateOf(st server.State) State {
	out := State{Text: wordOf(st).text, Flags: Flags{SDReady: st.Card != nil && st.Card.Present}}
	f := &out.Flags
	switch st.State {
	case printer.Idle:
		f.Operational, f.Ready = true, true
	case printer.Starting, printer.Printing, printer.Pausing, printer.Resuming, printer.Cancelling, printer.Finishing:
		f.Operational, f.Printing = true, true
	case printer.Paused:
		f.Operational, f.Paused = true, true
	case printer.Disconnected:
		f.ClosedOrError, f.Error = true, st.Fault != nil
	case printer.Halting, printer.Halted, printer.Faulted:
		f.ClosedOrError, f.Error = true, true
	}
	f.Pausing, f.Resuming = st.State == printer.Pausing, st.State == printer.Resuming
	f.Cancelling, f.Finishing = st.State == printer.Cancelling, st.State == printer.Finishing
	switch {
	case !f.Error:
	case st.Fault != nil:
		out.Error = st.Fault.Message
	case st.Halt != nil:
		out.Error = "Emergency stop."
	}
	return out
}

// Job is what is printed, or would be when a print were asked for. User is who began it; EstimatedPrintTime and LastPrintTime are seconds.
type Job struct {
	File               JobFile             `json:"file"`
	EstimatedPrintTime *float64            `json:"estimatedPrintTime"`
	AveragePrintTime   *float64            `json:"averagePrintTime"`
	LastPrintTime      *float64            `json:"lastPrintTime"`
	Filament           map[string]Filament `json:"filament"` // by "tool0", …
	User               *string             `json:"user"`
}

// JobFile is a job's file. Origin is "local" or "sdcard", Size bytes, Date Unix seconds.
type JobFile struct {
	Name    *string `json:"name"`
	Path    *string `json:"path"`
	Display *string `json:"display"`
	Origin  *string `json:"origin"`
	Size    *int64  `json:"size"`
	Date    *int64  `json:"date"`
}

// Filament is what a tool needs: mm, and cm³, which is 0 as long as the filament's diameter is not known.
type Filament struct {
	Length float64 `json:"length"`
	Volume float64 `json:"volume"`
}

// Progress is how far a print is: per cent, bytes of the file, seconds. LeftOrigin says where the rest is known from.
type Progress struct {
	Completion *float64 `json:"completion"`
	Filepos    *int64   `json:"filepos"`
	PrintTime  *int64   `json:"printTime"`
	Left       *int64   `json:"printTimeLeft"`
	LeftOrigin *string  `json:"printTimeLeftOrigin"`
}

// Heat is one heater's, in °C. Offset is what is added to a file's targets: we have none.
type Heat struct {
	Actual float64 `json:"actual"`
	Target float64 `json:"target"`
	Offset float64 `json:"offset"`
}

// tempsOf is the last report by "tool0", …, "bed" and "chamber", as far as they have been heard of.
func tempsOf(st server.State) map[string]Heat {
	out := map[string]Heat{}
	for i, h := range st.Nozzles {
		out["tool"+strconv.Itoa(i)] = Heat{Actual: h.ActualC, Target: h.TargetC}
	}
	if st.Bed != nil {
		out["bed"] = Heat{Actual: st.Bed.ActualC, Target: st.Bed.TargetC}
	}
	if st.Chamber != nil {
		out["chamber"] = Heat{Actual: st.Chamber.ActualC, Target: st.Chamber.TargetC}
	}
	return out
}

const (
	local = "local"
	card  = "sdcard"
)

// jobOf is the print under way, else the file that is selected while a print could be asked for, and how far it is. It may ask the store.
func (a *API) jobOf(st server.State) (job Job, done Progress) {
	last := st.LastJob
	switch selected := a.s.Selected(); {
	case onCard(st):
		job = onTheCard(st.Card.File, st.Card.Name, st.Card.Size)
		done = Progress{Completion: &st.Card.Percent, Filepos: &st.Card.Bytes, PrintTime: seconds(st.Card.ElapsedS)}
	case st.Job != nil:
		j := *st.Job
		job = a.stored(st, j.File)
		job.File.name(j.File, path.Base(j.File), local)
		job.File.Size, job.User = &j.Size, &j.By
		done = Progress{Completion: &j.Percent, Filepos: &j.Offset, PrintTime: seconds(j.ElapsedS)}
		if origin := originOf(j.LeftBy); j.LeftS >= 0 {
			done.Left, done.LeftOrigin = seconds(j.LeftS), &origin
		}
	case selected == "" || !stateOf(st).Flags.Operational:
	case last != nil && last.Card && last.File == selected:
		job = onTheCard(last.File, last.Name, 0)
		job.File.Size = nil
		done = finished(job, last)
	default:
		job = a.stored(st, selected)
		done = finished(job, last)
	}
	return job, done
}

// originOf is OctoPrint's name of where an estimate comes from: one of the file as a whole, that mixed with what the print shows, or one that the file carries along.
func originOf(by string) string {
	switch by {
	case printer.LeftByPrint:
		return "mixed-analysis"
	case printer.LeftByPrinter:
		return "estimate"
	}
	return "analysis"
}

// finished is the progress of a file whose print was the last, and came to its end.
func finished(job Job, last *printer.JobOutcome) Progress {
	if last == nil || last.Outcome != "done" || job.File.Path == nil || *job.File.Path != strings.TrimPrefix(last.File, "/") {
		return Progress{}
	}
	whole, nothing := 100.0, int64(0)
	return Progress{Completion: &whole, Filepos: job.File.Size, PrintTime: seconds(last.ElapsedS), Left: &nothing}
}

func onTheCard(file, name string, size int64) (job Job) {
	if file == "" {
		file = name
	}
	job.File.name(strings.TrimPrefix(file, "/"), name, card)
	job.File.Size = &size
	return job
}

// name sets what a file is called.
func (f *JobFile) name(file, display, origin string) {
	name := path.Base(file)
	f.Name, f.Path, f.Display, f.Origin = &name, &file, &display, &origin
}

func seconds(s float64) *int64 {
	whole := int64(s)
	return &whole
}

// known is what the store knows of one file: the last that somebody asked for. Every client asks for the same one each second, and it changes
// with the list of files and with the end of a print.
type known struct {
	name, lastJob string
	filesRev      uint64
	job           Job // its File is empty where there is no such file
}

// stored is what a job of a file in the store would be.
func (a *API) stored(st server.State, name string) Job {
	k := known{name: name, filesRev: st.FilesRev}
	if st.LastJob != nil {
		k.lastJob = st.LastJob.ID
	}
	if was := a.known.Load(); was != nil && was.name == k.name && was.lastJob == k.lastJob && was.filesRev == k.filesRev {
		return was.job
	}
	k.job = a.look(name)
	a.known.Store(&k)
	return k.job
}

// look asks the store. What it cannot tell is not known.
func (a *API) look(name string) (job Job) {
	ctx, cfg := a.s.Life(), a.s.Config()
	file, err := cfg.Files.Stat(ctx, name)
	if err != nil || file.Folder {
		return Job{}
	}
	job.File.name(name, file.Name, local)
	date := file.ModifiedMS / 1000
	job.File.Size, job.File.Date = &file.Bytes, &date
	if file.EstimateS > 0 {
		job.EstimatedPrintTime = &file.EstimateS
	}
	job.Filament = filamentOf(file.FilamentMM, nil)
	if file.SHA256 == "" { // nobody has read it through, and this is not the time to
		return job
	}
	details, err := cfg.Files.Details(ctx, file.SHA256)
	if err != nil {
		return job
	}
	d := details[file.SHA256]
	job.Filament = filamentOf(file.FilamentMM, d.FilamentMM)
	if d.Done > 0 {
		job.LastPrintTime, job.AveragePrintTime = &d.DoneS, &d.MeanS
	}
	return job
}

// filamentOf is what each tool needs: all is tool0's where nothing is known of tools. nil = nothing is known.
func filamentOf(allMM float64, toolsMM []float64) map[string]Filament {
	if allMM <= 0 {
		return nil
	}
	if len(toolsMM) == 0 {
		toolsMM = []float64{allMM}
	}
	out := map[string]Filament{}
	for i, mm := range toolsMM {
		out["tool"+strconv.Itoa(i)] = Filament{Length: mm}
	}
	return out
}

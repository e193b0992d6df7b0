package printer

import (
	"layerd/gcode"
	"math"
	"time"
)

// jobRun is how far the job under way has come.
type jobRun struct {
	started time.Time
	since   time.Time     // running since; zero while paused
	before  time.Duration // ran before that
	pos     jobPos        // last line that the firmware accepted
	said    string        // what the file's last line put on the printer's display
	eta     eta
	spent   spent // filament
	detour  detour
	shots   shots
	checks  checks
	begun   int    // the newest layer whose lines were let through, an index; -1 before the first
	stops   []Stop // by layer; replaced, never changed
}

func startRun(now time.Time) jobRun {
	return jobRun{started: now, since: now, pos: jobPos{layer: -1}, shots: shots{layer: -1}, checks: checks{layer: -1}, begun: -1, eta: startETA()}
}

func (r *jobRun) at(pos jobPos) { r.pos = pos }

// landed takes in that the firmware has accepted a line of the job.
func (r *jobRun) landed(now time.Time, f *flight, j *job, m *modal) {
	r.at(f.pos)
	if j == nil {
		return
	}
	if c := gcode.ParseCommand(f.text); c.Is('M', 220) && !f.refused {
		r.eta.asked(m.speedPercent)
	}
	if f.long {
		r.eta.waited(r.elapsed(now))
	}
	r.eta.landed(r.elapsed(now), f.pos, &j.info.Survey, m.speedPercent)
}

func (r *jobRun) stop(now time.Time) {
	if !r.since.IsZero() {
		r.before += now.Sub(r.since)
		r.since = time.Time{}
	}
}

func (r *jobRun) start(now time.Time) {
	if r.since.IsZero() {
		r.since = now
	}
}

func (r *jobRun) elapsed(now time.Time) time.Duration {
	if r.since.IsZero() {
		return r.before
	}
	return r.before + now.Sub(r.since)
}

// status is what people see of it. m has the last M73 R of the file, and the speed.
func (r *jobRun) status(now time.Time, info JobInfo, m *modal) *JobStatus {
	v := &info.Survey
	ran := r.elapsed(now)
	st := &JobStatus{ID: info.ID, File: info.File, Name: info.Name, By: info.By, StartedMS: unixMS(r.started), Line: r.pos.line, Lines: v.Lines,
		Offset: r.pos.end, Size: info.Size, Layer: r.pos.layer + 1, Layers: len(v.Layers), ElapsedS: ran.Seconds(), LeftS: -1, SlicerLeftS: -1, PrinterLeftS: -1}
	if r.pos.layer >= 0 && r.pos.layer < len(v.Layers) {
		st.ZMM = v.Layers[r.pos.layer].ZMM
	}
	st.ToolsMM, st.FilamentMM = r.spent.byTool()
	done := r.done(info)
	st.Percent, st.Shot, st.Stops = percent(done), r.shots.newest, r.shownStops(&info)
	st.Watch, st.Check, st.Checks, st.ChecksS, st.Rehomed, st.Witnessed = info.Watch, r.checks.newest, r.checks.made, r.checks.took.Seconds(), r.checks.rehomed, r.checks.witnessed
	if v.SlicerTimeS > 0 {
		st.SlicerLeftS = (1 - done) * v.SlicerTimeS
	}
	if m.leftMin >= 0 {
		st.PrinterLeftS = m.leftMin * 60
	}
	switch left := r.eta.left(ran, v); {
	case left >= 0:
		now := r.eta.now()
		st.LeftS, st.LeftBy, st.Rate, st.CruiseRate = left, LeftByMoves, now.rest, now.cruise
		if len(r.eta.legs) > 0 {
			st.LeftBy = LeftByPrint
		}
	case st.SlicerLeftS >= 0:
		st.LeftS, st.LeftBy = st.SlicerLeftS, LeftBySlicer
	case st.PrinterLeftS >= 0:
		st.LeftS, st.LeftBy = st.PrinterLeftS, LeftByPrinter
	}
	return st
}

// done is the part of the job that is done, 0 to 1.
func (r *jobRun) done(info JobInfo) float64 {
	if total := info.Survey.TimeS; total > 0 {
		return math.Min(math.Max(r.eta.at.sum()/total, 0), 1)
	}
	return doneAt(&info, r.pos.end)
}

// doneAt is the part of a job before a byte of its file, 0 to 1, by time where the file tells, else by bytes.
func doneAt(info *JobInfo, offset int64) float64 {
	v := &info.Survey
	done := 0.0
	if end := v.ElapsedAt(info.Size); end > 0 {
		done = v.ElapsedAt(offset) / end
	} else if info.Size > 0 {
		done = float64(offset) / float64(info.Size)
	}
	return math.Min(math.Max(done, 0), 1)
}

// percent is a part in percent, to a tenth.
func percent(part float64) float64 { return math.Round(part*1000) / 10 }

func (r *jobRun) outcome(now time.Time, info JobInfo, outcome, reason string) *JobOutcome {
	st := r.status(now, info, &modal{leftMin: -1})
	if outcome == "done" {
		st.Percent = 100
	}
	return &JobOutcome{ID: info.ID, File: info.File, Name: info.Name, Outcome: outcome, Reason: reason, EndedMS: unixMS(now),
		ElapsedS: st.ElapsedS, Line: st.Line, Layer: st.Layer, Layers: st.Layers, ZMM: st.ZMM, Percent: st.Percent,
		FilamentMM: st.FilamentMM, ToolsMM: st.ToolsMM}
}

package printer

import (
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
	spent   spent         // filament
	shots   shots
}

func startRun(now time.Time) jobRun {
	return jobRun{started: now, since: now, pos: jobPos{layer: -1}, shots: shots{layer: -1}}
}

func (r *jobRun) at(pos jobPos) { r.pos = pos }

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

// status is what people see of it. leftMin is the last M73 R of the file, -1 for none.
func (r *jobRun) status(now time.Time, info JobInfo, leftMin float64) *JobStatus {
	v := &info.Survey
	elapsed := r.elapsed(now).Seconds()
	st := &JobStatus{ID: info.ID, File: info.File, Name: info.Name, By: info.By, StartedMS: unixMS(r.started), Line: r.pos.line, Lines: v.Lines,
		Offset: r.pos.end, Size: info.Size, Layer: r.pos.layer + 1, Layers: len(v.Layers), ElapsedS: elapsed, LeftS: -1}
	if r.pos.layer >= 0 && r.pos.layer < len(v.Layers) {
		st.ZMM = v.Layers[r.pos.layer].ZMM
	}
	st.ToolsMM, st.FilamentMM = r.spent.byTool()
	st.Objects, st.Object, st.Skipped, st.LeftOut = len(v.Objects), r.pos.object-1, []int{}, []int{}
	done := r.done(info)
	st.Percent, st.Shot = math.Round(done*1000)/10, r.shots.newest
	switch {
	case leftMin >= 0:
		st.LeftS, st.LeftBy = leftMin*60, "printer"
	default:
		if estimate, by := v.Estimate(); estimate > 0 {
			st.LeftS, st.LeftBy = (1-done)*pace(elapsed, done, estimate), by
		}
	}
	return st
}

// done is the part of the job that is done, 0 to 1, by time where the file tells, else by bytes.
func (r *jobRun) done(info JobInfo) float64 {
	v := &info.Survey
	done := 0.0
	if end := v.ElapsedAt(info.Size); end > 0 {
		done = v.ElapsedAt(r.pos.end) / end
	} else if info.Size > 0 {
		done = float64(r.pos.end) / float64(info.Size)
	}
	return math.Min(math.Max(done, 0), 1)
}

// pace is the whole job's time in seconds: the estimate at first, and the more is done the more what the work so far says.
// Warming up makes the first minutes a bad witness, so nothing is believed of the first twentieth.
func pace(elapsed, done, estimate float64) float64 {
	if done < 0.05 || elapsed <= 0 {
		return estimate
	}
	return estimate*(1-done) + elapsed/done*done
}

func (r *jobRun) outcome(now time.Time, info JobInfo, outcome, reason string) *JobOutcome {
	st := r.status(now, info, -1)
	if outcome == "done" {
		st.Percent = 100
	}
	return &JobOutcome{ID: info.ID, File: info.File, Name: info.Name, Outcome: outcome, Reason: reason, EndedMS: unixMS(now),
		ElapsedS: st.ElapsedS, Line: st.Line, Layer: st.Layer, Layers: st.Layers, ZMM: st.ZMM, Percent: st.Percent,
		FilamentMM: st.FilamentMM, ToolsMM: st.ToolsMM}
}

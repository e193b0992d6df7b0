package moonraker

import (
	"math"
	"slices"

	"layerd/internal/store"
)

// What flows here: prints as the store has them → jobs as Moonraker's history has them.

const maxJobs = 500 // in one answer

// Job is a print. Times are seconds, filament is mm.
type Job struct {
	ID         string   `json:"job_id"`
	Exists     bool     `json:"exists"` // its file is still there
	Filename   string   `json:"filename"`
	Status     string   `json:"status"`
	StartedS   float64  `json:"start_time"`
	EndedS     *float64 `json:"end_time"`       // nil while it runs
	PrintS     float64  `json:"print_duration"` // without pauses
	TotalS     float64  `json:"total_duration"`
	FilamentMM float64  `json:"filament_used"`
	Metadata   any      `json:"metadata"` // of its file, where that is still there
	User       string   `json:"user"`
	Extra      []any    `json:"auxiliary_data"`
}

// statuses are Moonraker's words for how a print ended.
var statuses = map[string]string{"": "in_progress", "done": "completed", "cancelled": "cancelled", "failed": "error", "interrupted": "interrupted"}

func (a *API) job(c call, p store.Print) Job {
	j := Job{ID: p.ID, Filename: p.File, Status: statuses[p.Outcome], StartedS: float64(p.StartedMS) / 1000, PrintS: p.ElapsedS, TotalS: wholeS(p), FilamentMM: p.FilamentMM,
		Metadata: object{}, User: p.By, Extra: []any{}}
	if p.Outcome != "" {
		ended := float64(p.EndedMS) / 1000
		j.EndedS = &ended
	}
	if f, err := a.s.Config().Files.Stat(c.r.Context(), p.File); err == nil && !f.Folder {
		j.Exists, j.Metadata = true, object{"size": f.Bytes, "modified": float64(f.ModifiedMS) / 1000, "estimated_time": f.EstimateS, "filament_total": f.FilamentMM}
	}
	return j
}

// jobs lists prints, the newest first where nothing else is asked for.
func (a *API) jobs(c call) (any, error) {
	var limit, start, since, before float64
	for key, to := range map[string]*float64{"limit": &limit, "start": &start, "since": &since, "before": &before} {
		n, err := c.in.number(key)
		if err != nil {
			return nil, err
		}
		*to = n
	}
	prints, err := a.s.Config().Files.Prints(c.r.Context(), int64(before*1000), maxJobs)
	if err != nil {
		return nil, err
	}
	prints = slices.DeleteFunc(prints, func(p store.Print) bool { return float64(p.StartedMS) < since*1000 })
	if order, err := c.in.text("order"); err == nil && order == "asc" {
		slices.Reverse(prints)
	}
	count := len(prints)
	prints = prints[min(int(start), count):]
	if limit == 0 {
		limit = 50
	}
	list := []Job{}
	for _, p := range prints[:min(int(limit), len(prints))] {
		list = append(list, a.job(c, p))
	}
	return object{"count": count, "jobs": list}, nil
}

// Totals are all prints together; times are seconds, filament is mm.
type Totals struct {
	Jobs         int     `json:"total_jobs"`
	TimeS        float64 `json:"total_time"` // with pauses
	PrintS       float64 `json:"total_print_time"`
	FilamentMM   float64 `json:"total_filament_used"`
	LongestS     float64 `json:"longest_job"`
	LongestPrint float64 `json:"longest_print"`
}

func (a *API) totals(c call) (any, error) {
	var t Totals
	err := a.s.Config().Files.EachPrint(c.r.Context(), func(p store.Print) error {
		if p.Outcome == "" {
			return nil
		}
		whole := wholeS(p)
		t.Jobs++
		t.TimeS, t.PrintS, t.FilamentMM = t.TimeS+whole, t.PrintS+p.ElapsedS, t.FilamentMM+p.FilamentMM
		t.LongestS, t.LongestPrint = math.Max(t.LongestS, whole), math.Max(t.LongestPrint, p.ElapsedS)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return object{"job_totals": t, "auxiliary_totals": []any{}}, nil
}

// wholeS is how long a print took with its pauses, as far as is known.
func wholeS(p store.Print) float64 { return math.Max(float64(p.EndedMS-p.StartedMS)/1000, p.ElapsedS) }

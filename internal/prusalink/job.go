package prusalink

import (
	"math"
	"net/http"
	"path"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// Job is the answer to /api/v1/job.
type Job struct {
	ID                  int64    `json:"id"`
	State               string   `json:"state"`
	Progress            float64  `json:"progress"` // percent
	TimeRemaining       *int     `json:"time_remaining,omitempty"`
	TimePrinting        int      `json:"time_printing"`
	InaccurateEstimates bool     `json:"inaccurate_estimates"`
	SerialPrint         bool     `json:"serial_print"` // the printer prints from its own card, or from elsewhere
	File                *JobFile `json:"file,omitempty"`
}

// JobFile is what is printed.
type JobFile struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Path        string `json:"path"` // of its folder
	DisplayPath string `json:"display_path"`
	Size        int64  `json:"size"`
	MTimestamp  int64  `json:"m_timestamp"`
	Meta        Meta   `json:"meta"`
	Refs        Refs   `json:"refs"`
}

// digits are those of our IDs.
const digits = "0123456789abcdefghjkmnpqrstvwxyz"

// number is the ID of one of our jobs as a whole number, which PrusaLink's are: its ten characters have five bits each, and 50 fit into any JSON.
// IDs of another kind are -1.
func number(id string) (n int64) {
	if len(id) != 10 {
		return -1
	}
	for i := range len(id) {
		d := strings.IndexByte(digits, id[i])
		if d < 0 {
			return -1
		}
		n = n<<5 | int64(d)
	}
	return n
}

// cardJob is the number of a print from the printer's own card: there is one at a time, and none of ours is so small.
const cardJob = 1

// jobOf is the print under way, without its file; nil when there is none.
func jobOf(st server.State) *Job {
	whole := func(s float64) int { return int(math.Round(s)) }
	switch {
	case st.Job != nil:
		j := &Job{ID: number(st.Job.ID), State: stateOf(st), Progress: st.Job.Percent, TimePrinting: whole(st.Job.ElapsedS), InaccurateEstimates: st.Job.LeftBy == "" || st.Job.LeftBy == printer.LeftByMoves}
		if st.Job.LeftS >= 0 {
			left := whole(st.Job.LeftS)
			j.TimeRemaining = &left
		}
		return j
	case st.Card != nil && st.Card.Printing:
		return &Job{ID: cardJob, State: stateOf(st), Progress: st.Card.Percent, TimePrinting: whole(st.Card.ElapsedS), InaccurateEstimates: true, SerialPrint: true}
	}
	return nil
}

func (a *API) job(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st := a.s.State(me)
	j := jobOf(st)
	if j == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if st.Job != nil {
		file, err := a.s.Config().Files.Stat(r.Context(), st.Job.File)
		if err != nil { // it is being printed, so it is there; whatever it was, its name is known
			file = store.File{Path: st.Job.File, Name: st.Job.Name, Bytes: st.Job.Size}
		}
		j.File = &JobFile{Name: file.Name, DisplayName: file.Name, Path: path.Join("/local", path.Dir(file.Path)), DisplayPath: path.Join("/local", path.Dir(file.Path)), Size: file.Bytes,
			MTimestamp: file.ModifiedMS / 1000, Meta: a.metaOf(r, file), Refs: refsOf(file)}
	}
	a.s.WriteJSON(w, http.StatusOK, j)
	return nil
}

// jobNamed is our ID of the job that a client means.
func (a *API) jobNamed(me access.Identity, text string) (id string, err error) {
	n, err := strconv.ParseInt(text, 10, 64)
	st := a.s.State(me)
	if j := jobOf(st); err != nil || j == nil || j.ID != n {
		return "", server.Refuse("no_route", "There is no such job.")
	}
	if st.Job != nil {
		return st.Job.ID, nil
	}
	return st.Card.ID, nil
}

// steer answers PUT /api/v1/job/ID/pause, /resume and /continue.
func (a *API) steer(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	text, what, _ := strings.Cut(r.PathValue("path"), "/")
	do, known := map[string]string{"pause": "pause", "resume": "resume", "continue": "resume"}[what]
	if !known {
		return server.Refuse("no_route", "")
	}
	return a.order(w, r, me, text, do)
}

func (a *API) stop(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	return a.order(w, r, me, r.PathValue("path"), "cancel")
}

func (a *API) order(w http.ResponseWriter, r *http.Request, me access.Identity, job, do string) error {
	id, err := a.jobNamed(me, job)
	if err != nil {
		return err
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: do, Job: id}); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

package server

import (
	"math"
	"net/http"

	"layerd/gcode"
	"layerd/internal/access"
)

// What flows here: the survey of a file, which knows when each of its layers begins, and what the print has shown of its speed, which the State has ─▶ when
// the layers of the print under way end, and how long a file prints.

// serveLayers answers GET /v1/layers.
func (s *Server) serveLayers(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	snap, _ := s.cfg.Printer.Snapshots().Get()
	out := LayerTimes{Layers: []LayerTime{}}
	if snap != nil && snap.Job != nil {
		survey, err := s.surveyOfJob(r.Context(), snap.Job)
		if err != nil {
			return err
		}
		out.Job = snap.Job.ID
		if len(snap.Job.Skipped) > 0 { // layers that have ended have the times of all objects still
			skipped := []gcode.LeftOut{}
			for _, object := range snap.Job.Skipped {
				skipped = append(skipped, gcode.LeftOut{Object: object, From: snap.Job.Offset})
			}
			survey = survey.Without(skipped)
		}
		for i, l := range survey.Layers {
			end := gcode.Layer{ElapsedS: survey.TimeS, CruiseS: survey.CruiseS}
			if i+1 < len(survey.Layers) {
				end = survey.Layers[i+1]
			}
			cruise := max(0, survey.CruiseS-end.CruiseS)
			rest := max(0, survey.TimeS-end.ElapsedS-cruise)
			one := LayerTime{ZMM: rounded(l.ZMM, 1000), CruiseS: rounded(cruise, 10), RestS: rounded(rest, 10)}
			if job := snap.Job; i+1 >= job.Layer && job.LeftS >= 0 && job.Rate > 0 {
				one.EndMS = snap.AtMS + int64(1000*max(0, job.LeftS-job.Rate*rest-job.CruiseRate*cruise))
			}
			out.Layers = append(out.Layers, one)
		}
	}
	s.writeJSON(w, http.StatusOK, out)
	return nil
}

// serveTimes answers GET /v1/times/PATH.
func (s *Server) serveTimes(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	survey, err := s.cfg.Files.Survey(r.Context(), path)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, FileTimes{TimeS: rounded(survey.TimeS, 10), HeatS: rounded(survey.HeatS, 10), SlicerTimeS: rounded(survey.SlicerTimeS, 10),
		LimitsBy: survey.Limits.By, LimitsLate: survey.LimitsLate})
	return nil
}

// rounded spares the phone digits that nobody needs.
func rounded(v, parts float64) float64 { return math.Round(v*parts) / parts }

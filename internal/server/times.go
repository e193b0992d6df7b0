package server

import (
	"math"
	"net/http"

	"layerd/gcode"
	"layerd/internal/access"
)

// What flows here: the survey of a file, which knows when each of its layers begins, and what the print has shown of its speed, which the State has ─▶ when
// the layers of the print under way end, how long a file prints, and when it comes to its own pauses.

// serveLayers answers GET /v1/layers.
func (s *Server) serveLayers(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	snap, _ := s.cfg.Printer.Snapshots().Get()
	out := LayerTimes{Layers: []LayerTime{}, Pauses: []FilePause{}}
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
		out.Pauses = filePauses(&survey)
		for i, l := range survey.Layers {
			end := layerEnd(&survey, i)
			cruise, rest := toGo(&survey, end.ElapsedS, end.CruiseS)
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
	if by := survey.Limits.By; by != gcode.LimitsFile && by != gcode.LimitsConfig && s.askLimits(r) { // also where the printer has told: its settings may be others now
		if survey, err = s.cfg.Files.Survey(r.Context(), path); err != nil {
			return err
		}
	}
	s.writeJSON(w, http.StatusOK, FileTimes{TimeS: rounded(survey.TimeS, 10), HeatS: rounded(survey.HeatS, 10), SlicerTimeS: rounded(survey.SlicerTimeS, 10),
		LimitsBy: survey.Limits.By, LimitsLate: survey.LimitsLate, Pauses: filePauses(&survey)})
	return nil
}

// layerEnd is where layer i ends: where the next begins, or the print is over. That of layer -1 ends where the first begins.
func layerEnd(v *gcode.Survey, i int) gcode.Layer {
	if i+1 < len(v.Layers) {
		return v.Layers[i+1]
	}
	return gcode.Layer{ElapsedS: v.TimeS, CruiseS: v.CruiseS}
}

// toGo is what is left of a file that has printed so long, in its own time.
func toGo(v *gcode.Survey, elapsedS, cruiseS float64) (cruise, rest float64) {
	cruise = max(0, v.CruiseS-cruiseS)
	return cruise, max(0, v.TimeS-elapsedS-cruise)
}

// filePauses are those of the file itself, in their order. Within a layer speeding up and slowing down are spread evenly.
func filePauses(v *gcode.Survey) []FilePause {
	out := make([]FilePause, 0, len(v.Pauses))
	for _, p := range v.Pauses {
		one := FilePause{Kind: p.Kind, Text: p.Text, ZMM: rounded(p.ZMM, 1000), AtS: rounded(p.ElapsedS, 10)}
		layer := v.LayerAt(p.Offset)
		from, to := gcode.Layer{}, layerEnd(v, layer)
		if layer >= 0 {
			one.Layer, from = layer+1, v.Layers[layer]
		}
		part := 0.0
		if whole := to.ElapsedS - from.ElapsedS; whole > 0 {
			part = min(max((p.ElapsedS-from.ElapsedS)/whole, 0), 1)
		}
		cruise, rest := toGo(v, p.ElapsedS, from.CruiseS+part*(to.CruiseS-from.CruiseS))
		one.CruiseS, one.RestS = rounded(cruise, 10), rounded(rest, 10)
		if v.TimeS > 0 {
			one.Percent = rounded(100*min(max(p.ElapsedS/v.TimeS, 0), 1), 10)
		}
		out = append(out, one)
	}
	return out
}

// rounded spares the phone digits that nobody needs.
func rounded(v, parts float64) float64 { return math.Round(v*parts) / parts }

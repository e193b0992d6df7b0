package server

import (
	"net/http"

	"layerd/gcode"
	"layerd/internal/access"
)

// What flows here: the survey of a file and the printer as it is now ─▶ what a person wants to know of the file before it is printed.

// FileFacts is the answer of GET /v1/facts/PATH: what a file says of itself. Strings are a stranger's.
type FileFacts struct {
	Slicer        string    `json:"slicer"`           // and its version; "" unknown
	Printer       string    `json:"printer"`          // the machine that it was made for; "" it does not say
	LayerHeightMM float64   `json:"layer_height_mm"`  // of a usual layer; 0 unknown
	NozzleMM      []float64 `json:"nozzle_mm"`        // diameter, by tool; empty it does not say
	Materials     []string  `json:"materials"`        // by tool: "PLA"; empty it does not say
	SizeMM        []float64 `json:"size_mm"`          // X Y Z of what is printed; empty when nothing is
	NozzleC       float64   `json:"nozzle_c"`         // behind the first layer; 0 unknown
	BedC          float64   `json:"bed_c"`            // the same
	Pauses        int       `json:"pauses"`           // that stand in the file
	Changes       int       `json:"filament_changes"` // of those, for filament
	Warnings      []string  `json:"warnings"`         // what would be said of the file before it starts on this printer
}

// serveFacts answers GET /v1/facts/PATH.
func (s *Server) serveFacts(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	survey, err := s.cfg.Files.Survey(r.Context(), path)
	if err != nil {
		return err
	}
	facts := factsOf(&survey)
	if snap, _ := s.cfg.Printer.Snapshots().Get(); snap != nil {
		if heatedBefore(snap, s.custom.get().Scripts) {
			survey.TrustHeat()
		}
		warnings, err := checkFile(&survey, snap, false)
		if err != nil {
			why, _ := explain(err)
			warnings = append(warnings, why.Message)
		}
		facts.Warnings = append(facts.Warnings, warnings...)
	}
	s.writeJSON(w, http.StatusOK, facts)
	return nil
}

func factsOf(survey *gcode.Survey) FileFacts {
	facts := FileFacts{Slicer: survey.Slicer, Printer: survey.Printer, LayerHeightMM: rounded(survey.LayerHeightMM, 1000), NozzleC: survey.NozzleC, BedC: survey.BedC,
		NozzleMM: append([]float64{}, survey.NozzleMM...), Materials: append([]string{}, survey.FilamentTypes...), SizeMM: []float64{}, Pauses: len(survey.Pauses), Warnings: []string{}}
	if e := survey.Extent; e != nil {
		facts.SizeMM = []float64{rounded(e.Max[0]-e.Min[0], 10), rounded(e.Max[1]-e.Min[1], 10), rounded(e.Max[2], 10)} // it stands on the bed
	}
	for _, p := range survey.Pauses {
		if p.Kind == gcode.PauseFilament {
			facts.Changes++
		}
	}
	return facts
}

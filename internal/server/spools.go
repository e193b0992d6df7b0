package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/spools"
	"layerd/internal/store"
)

// serveSpools answers GET /v1/spools.
func (s *Server) serveSpools(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	list, err := s.cfg.Spools.List(r.Context())
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, list)
	return nil
}

func (s *Server) doSaveSpool(ctx context.Context, c *call) (uint64, error) {
	if c.Spool == nil {
		return 0, badCommand("This command needs spool.")
	}
	_, err := s.cfg.Spools.Save(ctx, *c.Spool)
	return s.rev(), err
}

// doSetSpool puts a spool on a tool. A print under way has used the former one up to now: that is written first.
func (s *Server) doSetSpool(ctx context.Context, c *call) (uint64, error) {
	if err := s.cfg.History.Flush(ctx); err != nil {
		return 0, fmt.Errorf("note what the print has used: %w", err)
	}
	return s.rev(), s.cfg.Spools.PutOn(ctx, c.Tool, c.SpoolID)
}

// checkSpools warns of a file that needs more filament than there is, or another one, as far as spools are known. It delays no print: without an
// answer there is no warning.
func (s *Server) checkSpools(ctx context.Context, survey *gcode.Survey) []string {
	list, err := s.cfg.Spools.List(ctx)
	if err != nil {
		s.log.Error("the spools cannot be read", "err", err)
		return nil
	}
	return spoolWarnings(survey, list)
}

func spoolWarnings(survey *gcode.Survey, list spools.List) (warnings []string) {
	for tool, needMM := range neededMM(survey) {
		spool := onTool(list, tool)
		if spool == nil || needMM <= 0 {
			continue
		}
		if spool.LeftMM >= 0 && spool.LeftMM < needMM {
			warnings = append(warnings, fmt.Sprintf("It needs %s of filament, and %q has %s left.", meters(needMM), spool.Name, meters(spool.LeftMM)))
		}
		if tool < len(survey.FilamentTypes) && differs(survey.FilamentTypes[tool], spool.Material) {
			warnings = append(warnings, fmt.Sprintf("It was sliced for %s, and %q is %s.", survey.FilamentTypes[tool], spool.Name, spool.Material))
		}
	}
	return warnings
}

func neededMM(survey *gcode.Survey) []float64 {
	if len(survey.FilamentMM) == 0 {
		return []float64{0}
	}
	return survey.FilamentMM
}

func onTool(list spools.List, tool int) *store.Spool {
	for _, on := range list.Active {
		if on.Tool != tool {
			continue
		}
		for i := range list.Spools {
			if list.Spools[i].ID == on.Spool {
				return &list.Spools[i]
			}
		}
	}
	return nil
}

func meters(mm float64) string { return fmt.Sprintf("%.1f m", mm/1000) }

// differs reports whether two names of materials mean different plastics. "PLA+", "Silk PLA" and "PLA-CF" are PLA as far as a nozzle is concerned.
func differs(a, b string) bool {
	as, bs := plastics(a), plastics(b)
	if len(as) == 0 || len(bs) == 0 {
		return false // unknown
	}
	for _, x := range as {
		for _, y := range bs {
			if x == y {
				return false
			}
		}
	}
	return true
}

// plastics are the words of a material's name that are a plastic's, as one name for each. What is no plastic ("Basic", "Silk Red") says nothing.
func plastics(material string) (words []string) {
	for _, word := range strings.FieldsFunc(strings.ToUpper(material), func(r rune) bool { return r < 'A' || r > 'Z' }) {
		if plastic := plasticNames[word]; plastic != "" {
			words = append(words, plastic)
		}
	}
	return words
}

// plasticNames are the names that slicers and people use, without digits: "TPU 95A" is TPU, and "PA6-CF" is PA.
var plasticNames = map[string]string{
	"PLA": "PLA", "HTPLA": "PLA", "LWPLA": "PLA", "PET": "PET", "PETG": "PET", "ABS": "ABS", "ASA": "ASA", "HIPS": "HIPS", "PC": "PC", "PP": "PP", "PE": "PE",
	"FLEX": "FLEX", "TPU": "FLEX", "TPE": "FLEX", "TPC": "FLEX", "NYLON": "PA", "PA": "PA", "PAHT": "PA", "PVA": "PVA", "BVOH": "BVOH", "PVB": "PVB", "PCTG": "PCTG",
	"CPE": "CPE", "POM": "POM", "PMMA": "PMMA", "PPA": "PPA", "PPS": "PPS", "PEI": "PEI", "PEEK": "PEEK", "PEKK": "PEKK",
}

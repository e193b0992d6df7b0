package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"layerd/gcode"
)

// What flows here: a file ─▶ what was found out about it when it was read through last, for those who ask about many files, or again and again; and the pace at
// which a file is read through that nobody sends.

// Gist is what of a gcode.Survey is told in lists. Its keys are those of the survey.
type Gist struct {
	Slicer        string     `json:"slicer"`
	FilamentTypes []string   `json:"filament_types"`
	LayerHeightMM float64    `json:"layer_height_mm"`
	FirstOffset   int64      `json:"first_offset"`
	LastOffset    int64      `json:"last_offset"`
	Extent        *gcode.Box `json:"extent_mm"`
}

// Gist returns what is known of a file, and zero while nobody has asked for its Survey. It never reads the file through: a survey of an older layerd will do.
func (s *Store) Gist(ctx context.Context, path string) (g Gist, err error) {
	name, info, err := s.findFile(path)
	if err != nil {
		return g, err
	}
	var data []byte
	switch err := s.queryContent(ctx, keyOf(name, info), `c.survey`, &data); {
	case errors.Is(err, errUnknown):
		return g, nil
	case err != nil:
		return g, err
	}
	if err := json.Unmarshal(data, &g); err != nil {
		return g, fmt.Errorf("read survey of %s: %w", name, err)
	}
	return g, nil
}

// PaceBy has files that are read through for a Survey read in pieces, so that a print goes first: begin is called for each file, rest before each of its
// pieces, and done at the end. It is for before the store is used.
func (s *Store) PaceBy(begin func() (rest, done func())) { s.pace = begin }

func (s *Store) paced() (rest, done func()) {
	if s.pace == nil {
		return nil, func() {}
	}
	return s.pace()
}

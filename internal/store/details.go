package store

import (
	"context"
	"encoding/json"
	"fmt"
	"layerd/gcode"
)

// Details is what is known of a content beyond what File says: what its survey found out, and how its prints went.
type Details struct {
	FilamentMM []float64  // as in gcode.Survey
	Extent     *gcode.Box // the same; nil when nothing is extruded, or nobody has looked

	Done, Failed int     // prints that have ended, well and otherwise
	LastMS       int64   // when the last of them ended; 0 there was none
	LastDone     bool    // it ended well
	LastS        float64 // how long it took, without pauses
	DoneS        float64 // how long the last took that ended well; 0 none did
	MeanS        float64 // and all of these on average
}

const selectDetails = `
	SELECT c.sha256, c.tools, c.bounds,
		(SELECT count(*) FROM prints p WHERE p.sha256 = c.sha256 AND p.outcome = 'done'),
		(SELECT count(*) FROM prints p WHERE p.sha256 = c.sha256 AND p.outcome NOT IN ('', 'done')),
		coalesce(l.ended_ms, 0), coalesce(l.outcome = 'done', 0), coalesce(l.elapsed_s, 0),
		coalesce((SELECT p.elapsed_s FROM prints p WHERE p.sha256 = c.sha256 AND p.outcome = 'done' ORDER BY p.seq DESC LIMIT 1), 0),
		coalesce((SELECT avg(p.elapsed_s) FROM prints p WHERE p.sha256 = c.sha256 AND p.outcome = 'done'), 0)
	FROM contents c LEFT JOIN prints l ON l.seq = (SELECT max(p.seq) FROM prints p WHERE p.sha256 = c.sha256 AND p.outcome != '')`

// Details returns what is known of contents, by their SHA-256: of one, or with "" of all.
func (s *Store) Details(ctx context.Context, sha256 string) (map[string]Details, error) {
	query, args := selectDetails, []any{}
	if sha256 != "" {
		query, args = query+` WHERE c.sha256 = ?`, append(args, sha256)
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read details of files: %w", err)
	}
	defer rows.Close()
	all := map[string]Details{}
	for rows.Next() {
		var of, tools, bounds string
		var d Details
		err := rows.Scan(&of, &tools, &bounds, &d.Done, &d.Failed, &d.LastMS, &d.LastDone, &d.LastS, &d.DoneS, &d.MeanS)
		if err == nil {
			err = json.Unmarshal([]byte(tools), &d.FilamentMM)
		}
		if err == nil {
			err = json.Unmarshal([]byte(bounds), &d.Extent)
		}
		if err != nil {
			return nil, fmt.Errorf("read details of files: %w", err)
		}
		all[of] = d
	}
	return all, rows.Err()
}

package store

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Month is what was printed in one month: the prints that began in it and have ended.
type Month struct {
	Month       string  `json:"month"` // "2026-11"
	Prints      int     `json:"prints"`
	Done        int     `json:"done"`
	Cancelled   int     `json:"cancelled"`
	Failed      int     `json:"failed"`
	Interrupted int     `json:"interrupted"`
	PrintedS    float64 `json:"printed_s"` // time of printing, without pauses
	FilamentMM  float64 `json:"filament_mm"`
}

// Totals returns the months in which anything was printed, the newest first. where says when a month begins.
func (s *Store) Totals(ctx context.Context, where *time.Location) ([]Month, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT started_ms, outcome, elapsed_s, filament_mm FROM prints WHERE outcome != ''`)
	if err != nil {
		return nil, fmt.Errorf("add up the history: %w", err)
	}
	defer rows.Close()
	byMonth := make(map[string]*Month)
	for rows.Next() {
		var startedMS int64
		var outcome string
		var elapsedS, filamentMM float64
		if err := rows.Scan(&startedMS, &outcome, &elapsedS, &filamentMM); err != nil {
			return nil, fmt.Errorf("add up the history: %w", err)
		}
		name := time.UnixMilli(startedMS).In(where).Format("2006-01")
		m := byMonth[name]
		if m == nil {
			m = &Month{Month: name}
			byMonth[name] = m
		}
		m.add(outcome, elapsedS, filamentMM)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("add up the history: %w", err)
	}
	months := make([]Month, 0, len(byMonth))
	for _, m := range byMonth {
		months = append(months, *m)
	}
	slices.SortFunc(months, func(a, b Month) int {
		if a.Month > b.Month {
			return -1
		}
		return 1
	})
	return months, nil
}

func (m *Month) add(outcome string, elapsedS, filamentMM float64) {
	m.Prints++
	m.PrintedS += elapsedS
	m.FilamentMM += filamentMM
	switch outcome {
	case "done":
		m.Done++
	case "cancelled":
		m.Cancelled++
	case interrupted:
		m.Interrupted++
	default:
		m.Failed++
	}
}

// eachBatch is how many rows EachPrint reads at once. Between them nothing is held of the database, whatever visit waits for.
const eachBatch = 200

// EachPrint calls visit with every row of the history in the order of beginning, until it returns an error, which EachPrint then returns.
func (s *Store) EachPrint(ctx context.Context, visit func(Print) error) error {
	last := ""
	for {
		prints, err := s.queryPrints(ctx, `WHERE seq > coalesce((SELECT seq FROM prints WHERE id = ?), 0) ORDER BY seq LIMIT ?`, last, eachBatch)
		if err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		for _, p := range prints {
			if err := visit(p); err != nil {
				return err
			}
		}
		if len(prints) < eachBatch {
			return nil
		}
		last = prints[len(prints)-1].ID
	}
}

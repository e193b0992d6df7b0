package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Print is one row of the history.
type Print struct {
	ID         string  `json:"id"`
	File       string  `json:"file"`
	SHA256     string  `json:"sha256"`
	By         string  `json:"by"`
	StartedMS  int64   `json:"started_ms"`
	EndedMS    int64   `json:"ended_ms"` // 0 while it runs
	Outcome    string  `json:"outcome"`  // "" while it runs, then "done", "cancelled", "failed", "interrupted"
	Reason     string  `json:"reason"`
	Fault      string  `json:"fault"` // fault code, "" for none
	ElapsedS   float64 `json:"elapsed_s"`
	FilamentMM float64 `json:"filament_mm"`
	Line       int64   `json:"line"`   // the journal: last accepted line …
	Offset     int64   `json:"offset"` // … and the byte after it
	Layer      int     `json:"layer"`
	Layers     int     `json:"layers"`
	ZMM        float64 `json:"z_mm"`
	Percent    float64 `json:"percent"`

	// How the link to the printer did, known at the end: printer.Health says what it means.
	LinesAgain    int64   `json:"lines_again"`
	ResendPercent float64 `json:"resend_percent"`
	StarvedS      float64 `json:"starved_s"`
	StarvedBy     string  `json:"starved_by"`

	// What else is kept of it, and can be asked for by its ID.
	HasPicture bool `json:"has_picture"`
	HasCurve   bool `json:"has_curve"`
	HasLog     bool `json:"has_log"`
	Alarms     int  `json:"alarms"` // shifts that were found in it

	FilamentG float64   `json:"filament_g"` // weight of what came from spools that are known; set when read
	Spools    string    `json:"spools"`     // their names; set when read
	ToolsMM   []float64 `json:"-"`          // FilamentMM by tool; written only
	Entry     int64     `json:"-"`          // of the queue that is begun, 0 none; for BeginPrint
}

const (
	interrupted     = "interrupted"
	stoppedPrinting = "layerd was stopped while printing, by force or a power cut: line and layer may be up to a minute old"
	writeTimeout    = 15 * time.Second // for the end of a print, which is written whatever the caller's ctx says
)

// BeginPrint writes the row, synced, before the first line goes out; the file cannot be changed until EndPrint. An empty
// StartedMS means now, an empty SHA256 what is known of the file.
func (s *Store) BeginPrint(ctx context.Context, p Print) error {
	if p.ID == "" || p.File == "" || p.Outcome != "" {
		return fmt.Errorf("begin print %q of %q: needs an ID and a file, and no outcome yet", p.ID, p.File)
	}
	done, err := turn(ctx, s.naming)
	if err != nil {
		return err
	}
	defer done()
	now := time.Now().UnixMilli()
	if p.StartedMS == 0 {
		p.StartedMS = now
	}
	if p.SHA256 == "" {
		if file, err := s.Stat(ctx, p.File); err == nil {
			p.SHA256 = file.SHA256
		}
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
		INSERT INTO prints (id, file, sha256, by_whom, started_ms, ended_ms, outcome, reason, fault,
			elapsed_s, filament_mm, line, "offset", layer, layers, z_mm, percent, journal_ms)
		VALUES (?,?,?,?,?,0,'',?,?,?,?,?,?,?,?,?,?,?)`,
			p.ID, p.File, p.SHA256, p.By, p.StartedMS, p.Reason, p.Fault,
			p.ElapsedS, p.FilamentMM, p.Line, p.Offset, p.Layer, p.Layers, p.ZMM, p.Percent, now)
		if err == nil {
			err = s.beginUses(ctx, tx, p.ID)
		}
		if err == nil && p.Entry != 0 {
			err = beginEntry(ctx, tx, p.Entry, p.ID)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("begin print %s: %w", p.ID, err)
	}
	s.printing[p.ID] = p.File
	if p.Entry != 0 {
		s.queue.ring()
	}
	return nil
}

// Journal updates the row's progress; call it every few seconds and at each pause. It waits for the disk. ErrNoPrint when no print
// of this ID is running.
func (s *Store) Journal(ctx context.Context, p Print) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
		UPDATE prints SET elapsed_s = ?, filament_mm = ?, line = ?, "offset" = ?, layer = ?, layers = ?, z_mm = ?, percent = ?, journal_ms = ?
		WHERE id = ? AND outcome = ''`,
			p.ElapsedS, p.FilamentMM, p.Line, p.Offset, p.Layer, p.Layers, p.ZMM, p.Percent, time.Now().UnixMilli(), p.ID)
		if err = oneRow(result, err); err == nil {
			err = noteUses(ctx, tx, p)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("journal print %s: %w", p.ID, err)
	}
	return nil
}

// EndPrint completes the row and lets go of the file. It does so even when ctx has ended: a print that is over must not look as
// though it were running. An empty EndedMS means now. ErrNoPrint when no print of this ID is running.
func (s *Store) EndPrint(ctx context.Context, p Print) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if p.Outcome == "" {
		return fmt.Errorf("end print %s: needs an outcome", p.ID)
	}
	done, err := turn(ctx, s.naming)
	if err != nil {
		return fmt.Errorf("end print %s: %w", p.ID, err)
	}
	delete(s.printing, p.ID) // whatever the disk says next
	done()
	now := time.Now().UnixMilli()
	if p.EndedMS == 0 {
		p.EndedMS = now
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
		UPDATE prints SET ended_ms = ?, outcome = ?, reason = ?, fault = ?, elapsed_s = ?, filament_mm = ?, line = ?, "offset" = ?,
			layer = ?, layers = ?, z_mm = ?, percent = ?, lines_again = ?, resend_percent = ?, starved_s = ?, starved_by = ?, journal_ms = ?
		WHERE id = ? AND outcome = ''`,
			p.EndedMS, p.Outcome, p.Reason, p.Fault, p.ElapsedS, p.FilamentMM, p.Line, p.Offset,
			p.Layer, p.Layers, p.ZMM, p.Percent, p.LinesAgain, p.ResendPercent, p.StarvedS, p.StarvedBy, now, p.ID)
		if err = oneRow(result, err); err == nil {
			err = noteUses(ctx, tx, p)
		}
		if err == nil {
			err = endEntry(ctx, tx, p.ID, p.Outcome == "done")
		}
		return err
	})
	s.announce() // the file's count and last outcome
	s.spools.ring()
	s.queue.ring()
	if err != nil {
		return fmt.Errorf("end print %s: %w", p.ID, err)
	}
	return nil
}

// interruptPrints gives an end to prints that a former daemon left without one: the time of their last journal entry.
func (s *Store) interruptPrints() error {
	_, err := s.db.Exec(`UPDATE prints SET outcome = ?, reason = ?, ended_ms = max(journal_ms, started_ms) WHERE outcome = ''`,
		interrupted, stoppedPrinting)
	if err == nil {
		_, err = s.db.Exec(`UPDATE queue SET print = ''`) // they were not done
	}
	return err
}

const selectPrints = `SELECT id, file, sha256, by_whom, started_ms, ended_ms, outcome, reason, fault,
	elapsed_s, filament_mm, line, "offset", layer, layers, z_mm, percent, lines_again, resend_percent, starved_s, starved_by,
	coalesce((SELECT sum(u.mm * u.g_per_m) / 1000 FROM spool_uses u WHERE u.print = prints.id), 0),
	coalesce((SELECT group_concat(DISTINCT u.name) FROM spool_uses u WHERE u.print = prints.id AND u.spool != 0 AND u.mm > 0), ''),

	EXISTS (SELECT 1 FROM print_pictures k WHERE k.id = prints.id), EXISTS (SELECT 1 FROM print_curves k WHERE k.id = prints.id),
	EXISTS (SELECT 1 FROM print_logs k WHERE k.id = prints.id), (SELECT count(*) FROM print_alarms k WHERE k.print = prints.id) FROM prints `

// Prints returns the history, the newest first, at most limit rows (1 to 500, 0 = 50) that began before beforeMS (0 = now).
func (s *Store) Prints(ctx context.Context, beforeMS int64, limit int) ([]Print, error) {
	switch {
	case limit <= 0:
		limit = 50
	case limit > 500:
		limit = 500
	}
	where, args := ``, []any{}
	if beforeMS > 0 {
		where, args = `WHERE started_ms < ? `, []any{beforeMS}
	}
	prints, err := s.queryPrints(ctx, where+`ORDER BY started_ms DESC, seq DESC LIMIT ?`, append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	return prints, nil
}

// LastPrint returns the print that layerd has begun last, running or not; false when there never was one. It goes by the order of
// beginning, not by the clock, which on a board without a battery may have been wrong.
func (s *Store) LastPrint(ctx context.Context) (Print, bool, error) {
	prints, err := s.queryPrints(ctx, `WHERE seq > 0 ORDER BY seq DESC LIMIT 1`)
	if err != nil {
		return Print{}, false, fmt.Errorf("read last print: %w", err)
	}
	if len(prints) == 0 {
		return Print{}, false, nil
	}
	return prints[0], true, nil
}

func (s *Store) queryPrints(ctx context.Context, rest string, args ...any) ([]Print, error) {
	rows, err := s.db.QueryContext(ctx, selectPrints+rest, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	prints := []Print{}
	for rows.Next() {
		var p Print
		if err := rows.Scan(&p.ID, &p.File, &p.SHA256, &p.By, &p.StartedMS, &p.EndedMS, &p.Outcome, &p.Reason, &p.Fault,
			&p.ElapsedS, &p.FilamentMM, &p.Line, &p.Offset, &p.Layer, &p.Layers, &p.ZMM, &p.Percent,
			&p.LinesAgain, &p.ResendPercent, &p.StarvedS, &p.StarvedBy, &p.FilamentG, &p.Spools, &p.HasPicture, &p.HasCurve, &p.HasLog, &p.Alarms); err != nil {
			return nil, err
		}
		prints = append(prints, p)
	}
	return prints, rows.Err()
}

// oneRow checks an update that must have found its print.
func oneRow(result sql.Result, err error) error {
	if err == nil {
		var n int64
		if n, err = result.RowsAffected(); err == nil && n == 0 {
			err = ErrNoPrint
		}
	}
	return err
}

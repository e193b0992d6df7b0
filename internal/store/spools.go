package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Whose spools are in use.
const (
	OwnSpools = "layerd"   // those in this database
	Spoolman  = "spoolman" // those of a Spoolman, by its numbers
)

// Spool is one of our own, with what is left on it.
type Spool struct {
	ID          int64   `json:"id"`
	Name        string  `json:"name"`
	Material    string  `json:"material"` // "PLA", "" unknown
	Colour      string  `json:"colour"`   // "#rrggbb", "" unknown
	DiameterMM  float64 `json:"diameter_mm"`
	DensityGCM3 float64 `json:"density_g_cm3"`
	WeightG     float64 `json:"weight_g"` // of the filament when it is full; 0 unknown, which only Spoolman's can be
	SpoolG      float64 `json:"spool_g"`  // of the empty spool, 0 unknown
	Cost        float64 `json:"cost"`     // of a full one, in whatever currency; 0 unknown
	Archived    bool    `json:"archived"`
	UsedMM      float64 `json:"used_mm"`
	LeftMM      float64 `json:"left_mm"` // -1 unknown
	LeftG       float64 `json:"left_g"`  // -1 unknown
}

// SpoolEdit is a spool as a person enters it. LeftG nil leaves what is left as it was, in grams, or full for one that is new (ID 0) or unused.
type SpoolEdit struct {
	ID          int64    `json:"id,omitempty"`
	Name        string   `json:"name"`
	Material    string   `json:"material"`
	Colour      string   `json:"colour"`
	DiameterMM  float64  `json:"diameter_mm"`
	DensityGCM3 float64  `json:"density_g_cm3"`
	WeightG     float64  `json:"weight_g"`
	SpoolG      float64  `json:"spool_g"`
	Cost        float64  `json:"cost"`
	Archived    bool     `json:"archived"`
	LeftG       *float64 `json:"left_g,omitempty"`
}

// ActiveSpool is the spool on a tool.
type ActiveSpool struct {
	Tool  int     `json:"tool"`
	Spool int64   `json:"spool"`
	Name  string  `json:"name"`
	GPerM float64 `json:"g_per_m"`
}

const (
	maxSpools    = 500
	maxSpoolTool = 15
)

// GPerM is the weight of filament in g/m: its cross-section by its density.
func GPerM(diameterMM, densityGCM3 float64) float64 {
	return math.Pi / 4 * diameterMM * diameterMM * densityGCM3
}

// Check names the first value that makes no sense.
func (e SpoolEdit) Check() error {
	between := func(name string, v, low, high float64) error {
		if !(v >= low && v <= high) { // also catches NaN
			return fmt.Errorf("%w: %s is %g, allowed is %g to %g", ErrSpool, name, v, low, high)
		}
		return nil
	}
	text := func(name, v string, least, most int) error {
		if n := utf8.RuneCountInString(v); n < least || n > most || strings.ContainsFunc(v, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
			return fmt.Errorf("%w: %s must have %d to %d printable characters", ErrSpool, name, least, most)
		}
		return nil
	}
	err := errors.Join(text("name", e.Name, 1, 60), text("material", e.Material, 0, 24), between("diameter_mm", e.DiameterMM, 0.5, 5),
		between("density_g_cm3", e.DensityGCM3, 0.3, 10), between("weight_g", e.WeightG, 1, 50_000), between("spool_g", e.SpoolG, 0, 10_000),
		between("cost", e.Cost, 0, 1e6))
	switch {
	case err != nil:
		return err
	case !isColour(e.Colour):
		return fmt.Errorf("%w: colour must be such as #1a2b3c, or empty", ErrSpool)
	case e.LeftG != nil:
		return between("left_g", *e.LeftG, 0, 50_000)
	}
	return nil
}

func isColour(s string) bool {
	hex, ok := strings.CutPrefix(s, "#")
	return s == "" || ok && len(hex) == 6 && strings.Trim(hex, "0123456789abcdefABCDEF") == ""
}

// SpoolsFrom says whose spools are in use, OwnSpools unless told otherwise. Call it before anything else.
func (s *Store) SpoolsFrom(source string) { s.source = source }

// SpoolsChanged is closed when a spool, or which one is on, has changed since the call. What a print under way uses does not count.
func (s *Store) SpoolsChanged() <-chan struct{} { return s.spools.heard() }

// SpoolsAreNew tells those who wait for SpoolsChanged.
func (s *Store) SpoolsAreNew() { s.spools.ring() }

// Spools returns our own, the newest first.
func (s *Store) Spools(ctx context.Context) ([]Spool, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, name, material, colour, diameter_mm, density_g_cm3, weight_g, spool_g, cost, archived,
		base_mm + coalesce((SELECT sum(u.mm) FROM spool_uses u WHERE u.source = ? AND u.spool = spools.id), 0) FROM spools ORDER BY archived, id DESC`, OwnSpools)
	if err != nil {
		return nil, fmt.Errorf("read spools: %w", err)
	}
	defer rows.Close()
	all := []Spool{}
	for rows.Next() {
		var p Spool
		if err := rows.Scan(&p.ID, &p.Name, &p.Material, &p.Colour, &p.DiameterMM, &p.DensityGCM3, &p.WeightG, &p.SpoolG, &p.Cost, &p.Archived, &p.UsedMM); err != nil {
			return nil, fmt.Errorf("read spools: %w", err)
		}
		perM := GPerM(p.DiameterMM, p.DensityGCM3)
		p.LeftG = max(p.WeightG-p.UsedMM/1000*perM, 0)
		p.LeftMM = p.LeftG / perM * 1000
		all = append(all, p)
	}
	return all, rows.Err()
}

// SaveSpool adds a spool, or changes the one of its ID, and returns the ID.
func (s *Store) SaveSpool(ctx context.Context, e SpoolEdit) (id int64, err error) {
	if err := e.Check(); err != nil {
		return 0, err
	}
	err = s.write(ctx, func(tx *sql.Tx) error {
		id, err = saveSpool(ctx, tx, e)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("keep spool %q: %w", e.Name, err)
	}
	s.spools.ring()
	return id, nil
}

func saveSpool(ctx context.Context, tx *sql.Tx, e SpoolEdit) (int64, error) {
	perM := GPerM(e.DiameterMM, e.DensityGCM3)
	id := e.ID
	if id == 0 {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM spools`).Scan(&n); err != nil {
			return 0, err
		}
		if n >= maxSpools {
			return 0, fmt.Errorf("%w: there are %d already", ErrSpool, n)
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO spools (name, material, colour, diameter_mm, density_g_cm3, weight_g, spool_g, cost, archived, base_mm, created_ms)
			VALUES ('', '', '', 1, 1, 1, 0, 0, 0, 0, ?)`, time.Now().UnixMilli())
		if err != nil {
			return 0, err
		}
		if id, err = result.LastInsertId(); err != nil {
			return 0, err
		}
	}
	if e.ID != 0 && e.LeftG == nil {
		var err error
		if e.LeftG, err = leftOf(ctx, tx, e); err != nil {
			return 0, err
		}
	}
	err := oneSpool(tx.ExecContext(ctx, `UPDATE spools SET name = ?, material = ?, colour = ?, diameter_mm = ?, density_g_cm3 = ?, weight_g = ?, spool_g = ?, cost = ?, archived = ?
		WHERE id = ?`, e.Name, e.Material, strings.ToLower(e.Colour), e.DiameterMM, e.DensityGCM3, e.WeightG, e.SpoolG, e.Cost, e.Archived, id))
	if err == nil && e.LeftG != nil {
		_, err = tx.ExecContext(ctx, `UPDATE spools SET base_mm = ? - coalesce((SELECT sum(u.mm) FROM spool_uses u WHERE u.source = ? AND u.spool = spools.id), 0) WHERE id = ?`,
			(e.WeightG-*e.LeftG)/perM*1000, OwnSpools, id)
	}
	if err == nil { // what is on a tool keeps its name and weight with it
		_, err = tx.ExecContext(ctx, `UPDATE active_spools SET name = ?, g_per_m = ? WHERE source = ? AND spool = ?`, e.Name, perM, OwnSpools, id)
	}
	if err == nil && e.Archived {
		_, err = tx.ExecContext(ctx, `DELETE FROM active_spools WHERE source = ? AND spool = ?`, OwnSpools, id)
	}
	return id, err
}

// leftOf is what is left, in grams, on a spool that e gives another size: as much as before, though never more than it holds. nil = what was used says
// that already: nothing was, or it is as it was.
func leftOf(ctx context.Context, tx *sql.Tx, e SpoolEdit) (*float64, error) {
	var weightG, diameterMM, densityGCM3, usedMM float64
	err := tx.QueryRowContext(ctx, `SELECT weight_g, diameter_mm, density_g_cm3,
		base_mm + coalesce((SELECT sum(u.mm) FROM spool_uses u WHERE u.source = ? AND u.spool = spools.id), 0) FROM spools WHERE id = ?`, OwnSpools, e.ID).
		Scan(&weightG, &diameterMM, &densityGCM3, &usedMM)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoSpool
	}
	same := weightG == e.WeightG && diameterMM == e.DiameterMM && densityGCM3 == e.DensityGCM3
	if err != nil || same || usedMM == 0 {
		return nil, err
	}
	left := min(max(weightG-usedMM/1000*GPerM(diameterMM, densityGCM3), 0), e.WeightG)
	return &left, nil
}

func oneSpool(result sql.Result, err error) error {
	if err = oneRow(result, err); errors.Is(err, ErrNoPrint) {
		return ErrNoSpool
	}
	return err
}

// ActiveSpools returns which spools are on, by tool; tools without one are left out.
func (s *Store) ActiveSpools(ctx context.Context) ([]ActiveSpool, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT tool, spool, name, g_per_m FROM active_spools WHERE source = ? ORDER BY tool`, s.source)
	if err != nil {
		return nil, fmt.Errorf("read which spools are on: %w", err)
	}
	defer rows.Close()
	all := []ActiveSpool{}
	for rows.Next() {
		var a ActiveSpool
		if err := rows.Scan(&a.Tool, &a.Spool, &a.Name, &a.GPerM); err != nil {
			return nil, fmt.Errorf("read which spools are on: %w", err)
		}
		all = append(all, a)
	}
	return all, rows.Err()
}

// PutOn puts a spool on its tool, or takes the one there off (Spool 0). A print under way has used the former one up to what its last journal entry
// says, and uses the new one from there. A spool that is on another tool is taken off there.
func (s *Store) PutOn(ctx context.Context, a ActiveSpool) error {
	if a.Tool < 0 || a.Tool > maxSpoolTool {
		return fmt.Errorf("put a spool on: %w: there is no tool %d", ErrSpool, a.Tool)
	}
	err := s.write(ctx, func(tx *sql.Tx) error {
		var other sql.NullInt64
		err := tx.QueryRowContext(ctx, `SELECT tool FROM active_spools WHERE source = ? AND spool = ? AND tool != ?`, s.source, a.Spool, a.Tool).Scan(&other)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if other.Valid {
			if err := s.change(ctx, tx, ActiveSpool{Tool: int(other.Int64)}); err != nil {
				return err
			}
		}
		return s.change(ctx, tx, a)
	})
	if err != nil {
		return fmt.Errorf("put a spool on: %w", err)
	}
	s.spools.ring()
	return nil
}

func (s *Store) change(ctx context.Context, tx *sql.Tx, a ActiveSpool) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM active_spools WHERE source = ? AND tool = ?`, s.source, a.Tool)
	if err == nil && a.Spool != 0 {
		_, err = tx.ExecContext(ctx, `INSERT INTO active_spools (source, tool, spool, name, g_per_m) VALUES (?,?,?,?,?)`, s.source, a.Tool, a.Spool, a.Name, a.GPerM)
	}
	if err == nil {
		err = s.changeUses(ctx, tx, a)
	}
	return err
}

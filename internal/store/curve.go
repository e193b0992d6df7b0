package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
)

// DeciC is a temperature in tenths of a degree Celsius. JSON has degrees, and null for UnknownC.
type DeciC int16

// UnknownC is a temperature that was not reported.
const UnknownC DeciC = math.MinInt16

// DeciOf rounds a temperature in °C. What no printer can mean, such as NaN, is unknown.
func DeciOf(c float64) DeciC {
	if !(math.Abs(c) <= 3000) {
		return UnknownC
	}
	return DeciC(math.Round(c * 10))
}

func (d DeciC) MarshalJSON() ([]byte, error) {
	if d == UnknownC {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(d)/10, 'f', -1, 64), nil
}

func (d *DeciC) UnmarshalJSON(b []byte) error {
	var c *float64
	if err := json.Unmarshal(b, &c); err != nil {
		return err
	}
	*d = UnknownC
	if c != nil {
		*d = DeciOf(*c)
	}
	return nil
}

// Curve is temperatures over time: points from the oldest to the newest, and for each heater as many values as there are points.
type Curve struct {
	FromMS  int64         `json:"from_ms"`  // Unix ms that AfterMS counts from
	GapMS   int64         `json:"gap_ms"`   // between points that are further apart than this nothing is known
	AfterMS []int64       `json:"after_ms"` // each point's time, strictly growing
	Heaters []HeaterCurve `json:"heaters"`
}

// HeaterCurve is one heater's part of a Curve.
type HeaterCurve struct {
	Name    string  `json:"name"` // "nozzle0", "nozzle1", …, "bed", "chamber"
	ActualC []DeciC `json:"actual_c"`
	TargetC []DeciC `json:"target_c"` // 0 = off
}

// keptCurves bounds what curves cost, some ten KiB each; the oldest go first.
const keptCurves = 500

// maxCurveBytes is more than any curve takes as JSON; what is read back is not believed further.
const maxCurveBytes = 4 << 20

// KeepCurve keeps the temperatures of the print named id, in place of those that were kept of it. Like EndPrint it does so even when ctx has
// ended. A curve without points is not kept.
func (s *Store) KeepCurve(ctx context.Context, id string, c Curve) error {
	if len(c.AfterMS) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	packed, err := packCurve(c)
	if err == nil {
		err = s.keep(ctx, "print_curves", keptCurves, id, packed)
	}
	if err != nil {
		return fmt.Errorf("keep the temperatures of print %s: %w", id, err)
	}
	return nil
}

// Curve returns what KeepCurve kept; ErrNotKept when that is nothing.
func (s *Store) Curve(ctx context.Context, id string) (Curve, error) {
	var c Curve
	packed, err := s.kept(ctx, "print_curves", id)
	if err == nil {
		err = unpackCurve(packed, &c)
	}
	if err != nil {
		return Curve{}, fmt.Errorf("read the temperatures of print %s: %w", id, err)
	}
	return c, nil
}

func packCurve(c Curve) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if err := json.NewEncoder(z).Encode(c); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func unpackCurve(packed []byte, c *Curve) error {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return err
	}
	return json.NewDecoder(io.LimitReader(z, maxCurveBytes)).Decode(c)
}

// keptPictures bounds what pictures cost, some hundred KiB each; the oldest go first.
const keptPictures = 200

// MaxPictureBytes is the biggest picture that KeepPicture keeps.
const MaxPictureBytes = 512 << 10

// KeepPicture keeps the last picture, a JPEG, of the print named id, in place of one that was kept of it. Like EndPrint it does so even when ctx
// has ended. No bytes keep nothing; more than MaxPictureBytes are an error.
func (s *Store) KeepPicture(ctx context.Context, id string, jpeg []byte) error {
	if len(jpeg) == 0 {
		return nil
	}
	if len(jpeg) > MaxPictureBytes {
		return fmt.Errorf("keep the picture of print %s: it has %s, the limit is %s", id, size(int64(len(jpeg))), size(MaxPictureBytes))
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	if err := s.keep(ctx, "print_pictures", keptPictures, id, jpeg); err != nil {
		return fmt.Errorf("keep the picture of print %s: %w", id, err)
	}
	return nil
}

// Picture returns what KeepPicture kept; ErrNotKept when that is nothing.
func (s *Store) Picture(ctx context.Context, id string) ([]byte, error) {
	jpeg, err := s.kept(ctx, "print_pictures", id)
	if err != nil {
		return nil, fmt.Errorf("read the picture of print %s: %w", id, err)
	}
	return jpeg, nil
}

// keep writes one print's row of a table (id, data) and drops the oldest rows beyond most. A row that is written again stays as old as it was:
// rowid is the order of the first writing.
func (s *Store) keep(ctx context.Context, table string, most int, id string, data []byte) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO `+table+` (id, data) VALUES (?,?) ON CONFLICT (id) DO UPDATE SET data = excluded.data`, id, data)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM `+table+` WHERE rowid <= (SELECT max(rowid) FROM `+table+`) - ?`, most)
		return err
	})
}

func (s *Store) kept(ctx context.Context, table, id string) (data []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT data FROM `+table+` WHERE id = ?`, id).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotKept
	}
	return data, err
}

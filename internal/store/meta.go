package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"layerd/gcode"
	"os"
)

// What is known of a file's content, by its SHA-256: written by an upload, or the first time that somebody asks for the survey
// of a file that was copied in by hand.

// surveyRevision is raised when gcode.SurveyFile finds out more than before; a survey of an older one is then made again. What is known besides it
// (the hash, and with it the history; the estimate; the picture) stays: an upgrade loses nothing that people see.
const surveyRevision = 9

// content is what one reading of a file gave.
type content struct {
	sha256 string // hex
	survey gcode.Survey
}

// read hashes and surveys r, copying it to w (which may be nil) on the way. Between two chunks it asks check, when there is one, with the
// bytes so far. An error of the survey ends it at once; it then wraps ErrNotGCode.
func (s *Store) read(ctx context.Context, r io.Reader, w io.Writer, check func(bytes int64) error) (content, int64, error) {
	pipe, surveyed := s.surveyAside()
	defer pipe.Close() // after a panic; else it is closed by then
	hash := sha256.New()
	out := io.Writer(hash)
	if w != nil {
		out = io.MultiWriter(w, hash)
	}
	var (
		bytes int64
		err   error
		chunk = make([]byte, 128<<10)
	)
	for err == nil {
		if err = ctx.Err(); err != nil {
			break
		}
		var n int
		n, err = r.Read(chunk)
		bytes += int64(n)
		if n > 0 && check != nil {
			if refused := check(bytes); refused != nil {
				err = refused
				break
			}
		}
		if n == 0 {
			continue
		}
		if _, failed := out.Write(chunk[:n]); failed != nil {
			err = failed
			break
		}
		if _, failed := pipe.Write(chunk[:n]); failed != nil {
			err = io.EOF // the survey has seen enough: what it says counts
		}
	}
	pipe.CloseWithError(err)
	result := <-surveyed
	switch {
	case err != io.EOF:
		return content{}, bytes, err
	case result.err != nil:
		return content{}, bytes, notGCode(result.err)
	}
	return content{sha256: hex.EncodeToString(hash.Sum(nil)), survey: result.survey}, bytes, nil
}

type surveyResult struct {
	survey gcode.Survey
	err    error
}

// surveyAside surveys what is written to the pipe, in a goroutine that ends when the pipe is closed.
func (s *Store) surveyAside() (*io.PipeWriter, <-chan surveyResult) {
	r, w := io.Pipe()
	surveyed := make(chan surveyResult, 1)
	go func() {
		result := guarded(r, s.surveyHere)
		if result.err == nil {
			io.Copy(io.Discard, r)
		}
		r.CloseWithError(errSurveyed) // never nil or EOF: a Write must not block once nobody reads
		surveyed <- result
	}()
	return w, surveyed
}

// guarded surveys r. A file must not be able to end the daemon, and with it a print.
func guarded(r io.Reader, survey func(io.Reader) (gcode.Survey, error)) (result surveyResult) {
	defer func() {
		if p := recover(); p != nil {
			result.err = fmt.Errorf("panic: %v", p)
		}
	}()
	result.survey, result.err = survey(r)
	return result
}

// surveyHere surveys r for the printer that is there.
func (s *Store) surveyHere(r io.Reader) (gcode.Survey, error) {
	limits := gcode.OurLimits()
	if told := s.machine.Load(); told != nil {
		limits = *told
	}
	return s.survey(r, limits)
}

// SetMachine says what limits the printer has. They count for files that say none, as the printer's own; a file that was surveyed with others is read
// again when somebody asks for its survey.
func (s *Store) SetMachine(l gcode.Limits) { s.machine.Store(&l) }

// outdated reports whether a survey was made with other limits than those of the printer, and would be another with them.
func (s *Store) outdated(v *gcode.Survey) bool {
	told := s.machine.Load()
	return told != nil && !v.Suits(*told)
}

// reckonAgain surveys a second time, from its beginning, a file whose end says with what limits its time is to be reckoned: the slicer wrote them
// behind the moves, and an upload comes only once. rest is called before each piece; nil = it goes as fast as it can.
func (s *Store) reckonAgain(ctx context.Context, c *content, f *os.File, rest func()) error {
	limits, late := c.survey.Late()
	if !late {
		return nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	result := guarded(cancelled{f, ctx, rest}, func(r io.Reader) (gcode.Survey, error) { return gcode.SurveyWith(r, limits) })
	if result.err != nil {
		return result.err
	}
	c.survey = result.survey
	return nil
}

// cancelled is a file that can be read until its context ends.
type cancelled struct {
	*os.File
	ctx  context.Context
	rest func()
}

func (c cancelled) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	if c.rest != nil {
		c.rest()
		p = p[:min(len(p), pieceBytes)]
	}
	return c.File.Read(p)
}

var errSurveyed = errors.New("the survey has ended")

// notGCode wraps what the survey says of a file's content with ErrNotGCode.
func notGCode(err error) error {
	if line := (*gcode.LineError)(nil); errors.As(err, &line) ||
		errors.Is(err, gcode.ErrEmpty) || errors.Is(err, gcode.ErrBinary) || errors.Is(err, gcode.ErrLongLine) {
		return fmt.Errorf("%w: %w", ErrNotGCode, err)
	}
	return fmt.Errorf("survey: %w", err)
}

// remember writes that the file with these facts has this content. The file itself need not be there yet.
func (s *Store) remember(ctx context.Context, path string, info fs.FileInfo, c content) error {
	layers := len(c.survey.Layers)
	estimateS, _ := c.survey.Estimate()
	survey, err := json.Marshal(c.survey)
	if err != nil {
		return fmt.Errorf("survey as JSON: %w", err)
	}
	tools, err := json.Marshal(c.survey.FilamentMM)
	if err != nil {
		return fmt.Errorf("survey as JSON: %w", err)
	}
	bounds, err := json.Marshal(c.survey.Extent)
	if err != nil {
		return fmt.Errorf("survey as JSON: %w", err)
	}
	thumbType, thumb := "", []byte{}
	if n := len(c.survey.Thumbnails); n > 0 {
		thumbType, thumb = c.survey.Thumbnails[n-1].Type, c.survey.Thumbnails[n-1].Data // the biggest is last
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO contents (sha256, revision, estimate_s, filament_mm, layers, thumb_type, survey, thumb, tools, bounds)
			VALUES (?,?,?,?,?,?,?,?,?,?)
			ON CONFLICT (sha256) DO UPDATE SET revision = excluded.revision, estimate_s = excluded.estimate_s,
				filament_mm = excluded.filament_mm, layers = excluded.layers, thumb_type = excluded.thumb_type,
				survey = excluded.survey, thumb = excluded.thumb, tools = excluded.tools, bounds = excluded.bounds`,
			c.sha256, surveyRevision, estimateS, c.survey.Filament(), layers, thumbType, survey, thumb, string(tools), string(bounds))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO files (path, bytes, modified_ns, sha256) VALUES (?,?,?,?)`,
			path, info.Size(), info.ModTime().UnixNano(), c.sha256)
		return err
	})
}

// forget drops what was known of path, besides the row for the file that is there now (nil when there is none).
func (s *Store) forget(ctx context.Context, path string, now fs.FileInfo) error {
	bytes, modified := int64(-1), int64(0)
	if now != nil {
		bytes, modified = now.Size(), now.ModTime().UnixNano()
	}
	defer s.sweepFitted(ctx)
	return s.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM files WHERE path = ? AND NOT (bytes = ? AND modified_ns = ?)`, path, bytes, modified)
		if err != nil {
			return err
		}
		return dropOrphans(ctx, tx)
	})
}

// forgetGone drops what was known of files that are no longer there as they were.
func (s *Store) forgetGone() error {
	ctx := context.Background()
	there := make(map[fileKey]bool)
	err := s.walk(ctx, func(path string, info fs.FileInfo) { there[keyOf(path, info)] = true })
	if err != nil {
		return err
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		gone, err := rowsNotIn(ctx, tx, there)
		if err != nil {
			return err
		}
		for _, key := range gone {
			if _, err := tx.ExecContext(ctx, `DELETE FROM files WHERE path = ? AND bytes = ? AND modified_ns = ?`,
				key.path, key.bytes, key.modifiedNS); err != nil {
				return err
			}
		}
		return dropOrphans(ctx, tx)
	})
}

func rowsNotIn(ctx context.Context, tx *sql.Tx, there map[fileKey]bool) (gone []fileKey, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT path, bytes, modified_ns FROM files`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key fileKey
		if err := rows.Scan(&key.path, &key.bytes, &key.modifiedNS); err != nil {
			return nil, err
		}
		if !there[key] {
			gone = append(gone, key)
		}
	}
	return gone, rows.Err()
}

// rememberMoved takes what is known of a file, or of everything in a folder, to its new name.
func (s *Store) rememberMoved(ctx context.Context, from, to string) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		// '0' is the character after '/', so this is the range of everything below from. OR REPLACE: what was once known
		// under the new names is of files that are gone.
		_, err := tx.ExecContext(ctx, `UPDATE OR REPLACE files SET path = ?2 || substr(path, length(?1) + 1)
			WHERE path = ?1 OR path > ?1 || '/' AND path < ?1 || '0'`, from, to)
		if err == nil {
			err = moveQueued(ctx, tx, from, to)
		}
		return err
	})
}

func dropOrphans(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM contents WHERE NOT EXISTS (SELECT 1 FROM files WHERE files.sha256 = contents.sha256)`)
	return err
}

// fileKey is what a row in files belongs to.
type fileKey struct {
	path       string
	bytes      int64
	modifiedNS int64
}

func keyOf(path string, info fs.FileInfo) fileKey {
	return fileKey{path, info.Size(), info.ModTime().UnixNano()}
}

// facts are the small part of what is known of a content, together with its history.
type facts struct {
	sha256      string
	estimateS   float64
	filamentMM  float64
	layers      int
	thumbnail   bool
	prints      int
	lastOutcome string
}

const selectFacts = `
	SELECT f.path, f.bytes, f.modified_ns, f.sha256, c.estimate_s, c.filament_mm, c.layers, c.thumb_type != '',
		(SELECT count(*) FROM prints p WHERE p.sha256 = f.sha256 AND p.outcome = 'done'),
		coalesce((SELECT p.outcome FROM prints p WHERE p.sha256 = f.sha256 AND p.outcome != '' ORDER BY p.seq DESC LIMIT 1), '')
	FROM files f JOIN contents c USING (sha256)`

// known returns what is known of all files.
func (s *Store) known(ctx context.Context) (map[fileKey]facts, error) {
	return s.queryFacts(ctx, selectFacts)
}

// knownOf returns what is known of one.
func (s *Store) knownOf(ctx context.Context, key fileKey) (facts, bool, error) {
	rows, err := s.queryFacts(ctx, selectFacts+` WHERE f.path = ? AND f.bytes = ? AND f.modified_ns = ?`,
		key.path, key.bytes, key.modifiedNS)
	f, ok := rows[key]
	return f, ok, err
}

func (s *Store) queryFacts(ctx context.Context, query string, args ...any) (map[fileKey]facts, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read what is known of files: %w", err)
	}
	defer rows.Close()
	known := make(map[fileKey]facts)
	for rows.Next() {
		var k fileKey
		var f facts
		if err := rows.Scan(&k.path, &k.bytes, &k.modifiedNS, &f.sha256, &f.estimateS, &f.filamentMM, &f.layers, &f.thumbnail,
			&f.prints, &f.lastOutcome); err != nil {
			return nil, fmt.Errorf("read what is known of files: %w", err)
		}
		known[k] = f
	}
	return known, rows.Err()
}

// queryContent reads columns of contents c for one file; errUnknown when nothing is known of it.
func (s *Store) queryContent(ctx context.Context, key fileKey, columns string, into ...any) error {
	err := s.db.QueryRowContext(ctx, `SELECT `+columns+` FROM files f JOIN contents c USING (sha256)
		WHERE f.path = ? AND f.bytes = ? AND f.modified_ns = ?`,
		key.path, key.bytes, key.modifiedNS).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return errUnknown
	}
	if err != nil {
		return fmt.Errorf("read what is known of %s: %w", key.path, err)
	}
	return nil
}

// write runs change in one transaction.
func (s *Store) write(ctx context.Context, change func(*sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return noSpace(err)
	}
	defer tx.Rollback()
	if err := change(tx); err != nil {
		return noSpace(err)
	}
	return noSpace(tx.Commit())
}

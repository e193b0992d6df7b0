package server

import (
	"context"
	"io"
	"net/http"
	"time"

	"layerd/internal/access"
)

// What flows here: a copy of the database, made ready by main ─▶ an archive, made while it is sent ─▶ a client, as slowly as it may. And back, while nobody owns
// this layerd. One at a time.

// Backups makes backups; nil = this layerd keeps nothing that could be backed up. What it makes ready is closed by who asked for it.
type Backups interface {
	// Prepare copies the database. It blocks as long as that takes, and fails when the disk has no room for it.
	Prepare(ctx context.Context, files, timelapses bool) (Backup, error)
	// Restore has layerd begin anew with a backup, soon after it returns: what it has kept until then goes. It blocks until all of the backup is there, and
	// well; else nothing changes.
	Restore(ctx context.Context, r io.Reader) error
}

// Backup is one that is ready to be written.
type Backup interface {
	Write(ctx context.Context, w io.Writer) error
	Close() error
}

// setupHeader has the secret of the set-up link where the body is no form.
const setupHeader = "Layerd-Setup"

var errNoBackup = &refusal{code: "no_backup", message: "The demo keeps nothing that could be backed up."}

// BackupReady is the answer to GET /v1/backup/ready.
type BackupReady struct {
	Name           string `json:"name"`            // of the file
	FilesBytes     int64  `json:"files_bytes"`     // of all uploads
	TimelapseBytes int64  `json:"timelapse_bytes"` // of all timelapses
}

// serveBackupReady answers GET /v1/backup/ready: whether one may be fetched now, which a page asks before it gives the address to the browser, and how big it may be.
func (s *Server) serveBackupReady(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if s.cfg.Backups == nil {
		return errNoBackup
	}
	ready := BackupReady{Name: s.backupName()}
	files, err := s.cfg.Files.Files(r.Context())
	if err != nil {
		return err
	}
	for _, f := range files {
		ready.FilesBytes += f.Bytes
	}
	if list, _ := s.cfg.Timelapses.List().Get(); list != nil {
		ready.TimelapseBytes = list.Bytes
	}
	s.writeJSON(w, http.StatusOK, ready)
	return nil
}

// serveRestore takes a backup from who has the set-up link, while nobody owns this layerd: 204, and layerd begins anew, as the one that the backup is of.
func (s *Server) serveRestore(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if err := s.cfg.Gate.CheckSetup(r, r.Header.Get(setupHeader)); err != nil {
		return err
	}
	if s.cfg.Backups == nil {
		return errNoBackup
	}
	if err := s.backups.take(); err != nil {
		return err
	}
	defer s.backups.free()
	writeBy(w, 0) // a big one is looked through for a while
	body := &slowBody{r: r.Body, allow: func(d time.Duration) { readBy(w, d) }, began: time.Now(), size: r.ContentLength}
	if err := s.cfg.Backups.Restore(r.Context(), body); err != nil {
		hearOut(body)
		return err
	}
	s.log.Info("a backup was given by the set-up link; layerd begins anew with it", "from", s.cfg.Gate.Source(r))
	writeSized(w, 0)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) backupName() string {
	host := []rune{}
	for _, c := range s.cfg.Host {
		if !hostRune(c) || c == ':' || c == '[' || c == ']' {
			c = '_'
		}
		host = append(host, c)
	}
	return "layerd-" + string(host) + "-" + time.Now().In(s.cfg.Zone).Format("2006-01-02") + ".layerd-backup"
}

// serveBackup answers GET /v1/backup with the file, which with ?files=1 has the uploads in it and with ?timelapses=1 the films.
func (s *Server) serveBackup(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	if s.cfg.Backups == nil {
		return errNoBackup
	}
	query := r.URL.Query()
	files, timelapses := query.Get("files") == "1", query.Get("timelapses") == "1"
	noteOf(r).detail = backupDetail(files, timelapses)
	if err := s.backups.take(); err != nil {
		return err
	}
	defer s.backups.free()
	h := w.Header()
	h.Set("Content-Type", "application/gzip")
	h.Set("Content-Disposition", attachment(s.backupName()))
	if r.Method == http.MethodHead {
		return nil
	}
	writeBy(w, 0) // the copy takes its time beside a print
	ready, err := s.cfg.Backups.Prepare(r.Context(), files, timelapses)
	if err != nil {
		h.Del("Content-Disposition")
		return err
	}
	defer ready.Close()
	s.log.Info("a backup is fetched", "who", me.Name, "files", files, "timelapses", timelapses)
	to := &countingWriter{w: unhurried{w}}
	switch err := ready.Write(r.Context(), to); {
	case err == nil:
		return nil
	case to.n == 0:
		h.Del("Content-Disposition")
		return err
	default:
		s.log.Warn("a backup was not sent to its end", "err", err)
		noteOf(r).detail += ", not to its end"
		writeBy(w, time.Nanosecond) // the connection breaks, so that nobody takes the part for the whole
		return nil
	}
}

func backupDetail(files, timelapses bool) string {
	detail := "settings and history"
	if files {
		detail += ", files"
	}
	if timelapses {
		detail += ", timelapses"
	}
	return detail
}

// unhurried gives a client time anew with each piece that it takes.
type unhurried struct{ w http.ResponseWriter }

func (u unhurried) Write(p []byte) (int, error) {
	writeSized(u.w, int64(len(p)))
	return u.w.Write(p)
}

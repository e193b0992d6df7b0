package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/store"
)

// What flows here: the body of a PUT → the store, as slowly as the client may; and back.

func (s *Server) serveFiles(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	files, err := s.cfg.Files.Files(r.Context())
	if err != nil {
		return err
	}
	if files == nil {
		files = []store.File{}
	}
	free, err := s.cfg.Files.Free()
	if err != nil {
		free = -1
	}
	s.writeJSON(w, http.StatusOK, FileList{Files: files, FreeBytes: free})
	return nil
}

// serveUpload answers PUT /v1/files/PATH with the File, whose path is another when it was packed: 201 when it is new, 200 when it replaced one, as PUT does.
// With ?overwrite=0, which the page sends first, nothing is replaced: 409 then lets it ask.
// All that can be refused without the body is refused before it is read.
func (s *Server) serveUpload(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	overwrite := r.URL.Query().Get("overwrite")
	if overwrite != "" && overwrite != "1" && overwrite != "true" && overwrite != "0" && overwrite != "false" {
		return badCommand("overwrite must be 1 or 0.")
	}
	replace := overwrite != "0" && overwrite != "false"
	free, err := s.TakeUpload(me)
	if err != nil {
		return err
	}
	defer free()
	file, existed, err := s.Put(r.Context(), path, s.patient(w, r, me), r.ContentLength, replace)
	if err != nil {
		return err // it is a sentence already
	}
	status := http.StatusCreated
	if existed {
		status = http.StatusOK
	}
	w.Header().Set("Location", (&url.URL{Path: "/v1/files/" + file.Path}).EscapedPath())
	s.writeJSON(w, status, file)
	return nil
}

// printing tells whether lines of a print are on their way, which must not wait.
func (s *Server) printing() bool {
	snap, _ := s.cfg.Printer.Snapshots().Get()
	return snap != nil && snap.Job != nil
}

// takes refuses a file that the printer that is connected now can never print. Without one all are taken, and looked at again by start.
func (s *Server) takes(survey *gcode.Survey) error {
	if snap, _ := s.cfg.Printer.Snapshots().Get(); snap != nil {
		return checkLines(survey, snap)
	}
	return nil
}

const (
	bodyIdle  = 30 * time.Second // longest silence in a body
	bodyGrace = time.Minute      // before the slowest rate counts
	bodyRate  = 1 << 10          // bytes a second, on average
)

// slowBody lets a body take as long as it makes progress, and no longer. At the end it lifts the deadline, which would
// otherwise end the request while the file is being looked through.
type slowBody struct {
	r     io.Reader
	allow func(time.Duration) // sets the deadline of the next Read, from now; 0 = none
	began time.Time
	size  int64 // announced, -1 unknown
	got   int64
}

func (b *slowBody) Read(p []byte) (int, error) {
	left := time.Until(b.began.Add(bodyGrace + time.Duration(b.got)*(time.Second/bodyRate)))
	b.allow(max(min(left, bodyIdle), time.Millisecond))
	n, err := b.r.Read(p)
	b.got += int64(n)
	if err == io.EOF || b.got == b.size {
		b.allow(0)
	}
	return n, err
}

// serveDownload hands out a file, always as text to be saved: whatever its name and content, no browser runs it.
func (s *Server) serveDownload(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	return s.ServeFile(w, r, path)
}

// ServeFile answers with a file of the store.
func (s *Server) ServeFile(w http.ResponseWriter, r *http.Request, path string) error {
	f, file, err := s.cfg.Files.OpenFile(r.Context(), path)
	if err != nil {
		return err
	}
	defer f.Close()
	writeSized(w, file.Bytes)
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	w.Header().Set("Content-Disposition", attachment(file.Name))
	if file.SHA256 != "" {
		w.Header().Set("ETag", `"`+file.SHA256+`"`)
	}
	http.ServeContent(w, r, "", time.UnixMilli(file.ModifiedMS), f)
	return nil
}

// attachment is a Content-Disposition with the name in a form that cannot break out of the header.
func attachment(name string) string {
	if v := mime.FormatMediaType("attachment", map[string]string{"filename": name}); v != "" {
		return v
	}
	return "attachment"
}

func (s *Server) serveDelete(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	if err := s.onceFree(r.Context(), path, func(ctx context.Context) error { return s.cfg.Files.Delete(ctx, path) }); err != nil {
		return err
	}
	s.log.Info("file deleted", "path", path, "who", me.Name)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

const letGoMax = 5 * time.Second // that the disk takes for the end of a print

// onceFree does what cannot be done to a file that is being printed. A print that everybody can see is over holds its file until its end is in the history;
// that is waited for.
func (s *Server) onceFree(ctx context.Context, path string, do func(context.Context) error) error {
	wait, cancel := context.WithTimeout(ctx, letGoMax)
	defer cancel()
	for {
		changed := s.cfg.Files.Changed() // the end of a print is such a change
		err := do(ctx)
		snap, _ := s.cfg.Printer.Snapshots().Get()
		printing := snap != nil && snap.Job != nil && (snap.Job.File == path || strings.HasPrefix(snap.Job.File, path+"/"))
		if !errors.Is(err, store.ErrInUse) || printing {
			return err
		}
		select {
		case <-changed:
		case <-wait.Done():
			return err
		}
	}
}

// serveThumbnail hands out the picture that the slicer put into a file, when it is of a kind that is only ever a picture.
func (s *Server) serveThumbnail(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	path, err := filePath(r)
	if err != nil {
		return err
	}
	return s.ServeThumbnail(w, r, path)
}

// ServeThumbnail answers with the picture in a file of the store.
func (s *Server) ServeThumbnail(w http.ResponseWriter, r *http.Request, path string) error {
	data, mediaType, err := s.cfg.Files.Thumbnail(r.Context(), path)
	if err != nil {
		return err
	}
	if mediaType != "image/png" && mediaType != "image/jpeg" {
		return store.ErrNotFound
	}
	sum := sha256.Sum256(data)
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	h.Set("Cache-Control", "private, no-cache") // kept, but asked for: a file may be replaced under its name
	if r.URL.Query().Has("v") {
		h.Set("Cache-Control", "private, max-age=86400") // ?v= of the file's hash names one content
	}
	writeSized(w, int64(len(data)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	return nil
}

// filePath is the path that a request names. The store judges names; what is never one is refused here, unread.
func filePath(r *http.Request) (string, error) {
	return checkPath(r.PathValue("path"))
}

func checkPath(path string) (string, error) {
	if strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\\' }) {
		return "", fmt.Errorf("%w: it holds control characters or a backslash", store.ErrName)
	}
	for part := range strings.SplitSeq(path, "/") {
		if part == "" || part == "." || part == ".." {
			return "", fmt.Errorf("%w: it has an empty part or one of dots", store.ErrName)
		}
	}
	return path, nil
}

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/store"
	"layerd/printer"
)

// More of what APIs of other programs stand on; foreign.go has the rest.

// Base is the address by which somebody reached us, without a slash at its end: "http://printer.local:5000".
func (s *Server) Base(r *http.Request) string {
	scheme := "http"
	if s.cfg.Gate.Secure(r) {
		scheme = "https"
	}
	host := r.Host
	if len(host) > 255 || strings.ContainsFunc(host, func(c rune) bool { return !hostRune(c) }) { // it goes into answers that may be shown
		host = ""
	}
	return scheme + "://" + host
}

// hostRune reports whether a host with its port may hold c.
func hostRune(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune(".-_:[]", c)
}

// LogIn begins a session for who knows a name and a password, and sets its cookie. The error is as the Gate's. Its route needs a deed.
func (s *Server) LogIn(w http.ResponseWriter, r *http.Request, name, password string) (access.Identity, error) {
	noteOf(r).detail = name
	me, cookie, err := s.cfg.Gate.Login(r, name, password)
	if err != nil {
		return me, err
	}
	noteOf(r).me = me
	http.SetCookie(w, cookie)
	return me, nil
}

// LogOut ends the session whose cookie was sent, if any. Its route needs a deed.
func (s *Server) LogOut(w http.ResponseWriter, r *http.Request) error {
	me, cookies, err := s.cfg.Gate.Logout(r)
	for _, c := range cookies {
		http.SetCookie(w, c)
	}
	noteOf(r).me = me
	return err
}

// Profiles are the printer's profiles, and which of them is in use.
func (s *Server) Profiles() printer.Shelf { return s.custom.get().Shelf }

// Bauds are the speeds of serial ports that people may choose from.
func Bauds() []int { return append([]int{}, bauds...) }

// PutLate is Put for a file whose name and replace may be known only when its body has ended: late has the last word on them.
func (s *Server) PutLate(ctx context.Context, name string, body io.Reader, size int64, replace bool, late func() (name string, replace bool, err error)) (file store.File, existed bool, err error) {
	find := func(name string) (bool, error) {
		switch _, err := s.cfg.Files.Stat(ctx, name); {
		case err == nil:
			return true, nil
		case errors.Is(err, store.ErrNotFound):
			return false, nil
		default:
			return false, err
		}
	}
	polite := &politeBody{r: body, printing: s.printing, turn: s.working, max: 32 << 10}
	defer polite.Done()
	file, err = s.cfg.Files.PutLate(ctx, name, polite, size, replace, func(survey *gcode.Survey) (string, bool, error) {
		name, replace, err := late()
		if err == nil {
			name, err = store.UploadPath(name)
		}
		if err == nil {
			existed, err = find(name)
		}
		if err == nil && existed && !replace {
			err = store.ErrExists
		}
		if err == nil {
			err = s.takes(survey)
		}
		return name, replace, err
	})
	return file, existed, err
}

// CopyFile copies a file of the store for me, an operator. Nothing is replaced.
func (s *Server) CopyFile(ctx context.Context, me access.Identity, from, to string) (made store.File, err error) {
	if me.Role < access.Operator {
		return store.File{}, roleTooLow(access.Operator)
	}
	defer func() { s.noteCopy(me, from, to, err) }()
	free, err := s.TakeUpload(me)
	if err != nil {
		return store.File{}, err
	}
	defer free()
	f, file, err := s.cfg.Files.OpenFile(ctx, from)
	if err != nil {
		return store.File{}, err
	}
	defer f.Close()
	made, _, err = s.Put(ctx, to, f, file.Bytes, false)
	return made, err
}

// RemoveAll deletes a file, or a folder with all that is in it, for me: nothing of it when something in it is being printed. path is as in the list of files.
func (s *Server) RemoveAll(ctx context.Context, me access.Identity, path string) error {
	all, err := s.cfg.Files.Files(ctx)
	if err != nil {
		return err
	}
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if snap != nil && snap.Job != nil && strings.HasPrefix(snap.Job.File, path+"/") {
		return fmt.Errorf("delete %s: %w", path, store.ErrInUse)
	}
	for i := len(all) - 1; i >= 0; i-- { // they are sorted: what is in a folder comes after it
		if all[i].Path == path || strings.HasPrefix(all[i].Path, path+"/") {
			if err := s.Try(ctx, me, Command{Do: "delete_file", File: all[i].Path}); err != nil {
				return err
			}
		}
	}
	return nil
}

// ServeVideo answers with the film of a timelapse, by its ID.
func (s *Server) ServeVideo(w http.ResponseWriter, r *http.Request, id string) error {
	return s.serveVideo(w, r, id)
}

// ServePoster answers with a picture of a timelapse, by its ID.
func (s *Server) ServePoster(w http.ResponseWriter, r *http.Request, id string) error {
	return s.servePoster(w, r, id)
}

// Noted says what the deed of a request is about, for the audit log.
func Noted(r *http.Request, detail string) { noteOf(r).detail = short(detail) }

// Unhurried lets the answer to a command take its time. WriteJSON sets the bound of its writing again.
func Unhurried(w http.ResponseWriter) { writeBy(w, 0) }

// noteCopy notes that me has copied a file.
func (s *Server) noteCopy(me access.Identity, from, to string, err error) {
	outcome := "ok"
	if err != nil {
		e, _ := explain(err)
		outcome = e.Code
	}
	s.note(me, "copy_file", "file "+short(from)+", to "+short(to), outcome)
}

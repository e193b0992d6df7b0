package octoprint

import (
	"errors"
	"io"
	"net/http"
	"path"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// What flows here: a server.Form → its file goes through to the store → with the form's end its name, and what is to be done with it.

var errForm = refuse(http.StatusBadRequest, "Send a file, or the name of a folder.")

// target is where a file of that name is to be: as its fields say, as far as they have come.
func target(f *server.Form, name string) (string, error) {
	name = strings.ReplaceAll(name, "\\", "/")
	if other := f.Fields["filename"]; other != "" {
		name = other
	}
	if dir, there := f.Fields["path"]; there && dir != "" {
		name = dir + "/" + path.Base(name)
	} else if strings.Contains(name, "..") {
		name = path.Base(name) // some clients send where the file lay on their own disk
	}
	return cleaned(name)
}

// Uploaded is the answer to an upload.
type Uploaded struct {
	Files  map[string]Copied `json:"files"`
	Done   bool              `json:"done"`
	Select bool              `json:"effectiveSelect"`
	Print  bool              `json:"effectivePrint"`
}

func (a *API) upload(w http.ResponseWriter, r *http.Request, me access.Identity, body io.Reader) error {
	f, err := server.ReadForm(r, body, "select", "print", "path", "noOverwrite")
	if errors.Is(err, server.ErrNoForm) {
		return errForm
	}
	if err != nil {
		return err
	}
	part, err := f.Next()
	switch {
	case err != nil:
		return err
	case part == nil && f.Fields["foldername"] != "":
		return a.makeFolder(w, r, me, f)
	case part == nil:
		return errForm
	}
	file, err := a.receive(r, f, part)
	if err != nil {
		return err
	}
	server.Noted(r, file.Path)
	base := a.s.Base(r)
	out := Uploaded{Done: true, Files: map[string]Copied{local: {Name: file.Name, Path: file.Path, Origin: local,
		Refs: Refs{Resource: resource(base, local, file.Path), Download: downloadOf(base, file.Path)}}}}
	// A printer that cannot print now is no error: the original says in the answer what it has done.
	if a.s.State(me).State == printer.Idle {
		out.Select, out.Print = truth(f.Fields["select"]), truth(f.Fields["print"])
	}
	if out.Select || out.Print {
		a.s.Select(file.Path)
	}
	if out.Print {
		if err := a.start(r.Context(), me, file.Path, false); err != nil {
			text, status := a.explain(err)
			return refuse(status, "The file was uploaded, and its print was not started: "+text)
		}
	}
	w.Header().Set("Location", out.Files[local].Refs.Resource)
	a.s.WriteJSON(w, http.StatusCreated, out)
	return nil
}

// receive stores the file of a form. Fields that come after it have the last word on its name: before there is a path, nothing is known of its place.
func (a *API) receive(r *http.Request, f *server.Form, part *server.FormFile) (store.File, error) {
	early, err := target(f, part.Name)
	if err != nil {
		return store.File{}, err
	}
	if _, placed := f.Fields["path"]; !placed {
		if _, err := store.UploadPath(early); err != nil {
			return store.File{}, err
		}
		early = ""
	}
	file, _, err := a.s.PutLate(r.Context(), early, part, -1, !truth(f.Fields["noOverwrite"]), func() (string, bool, error) {
		at, err := target(f, part.Name)
		return at, !truth(f.Fields["noOverwrite"]), err
	})
	switch {
	case errors.Is(err, store.ErrInUse):
		err = refuse(http.StatusConflict, "This file is being printed.")
	case errors.Is(err, store.ErrExists):
		err = refuse(http.StatusConflict, "There is already a file of that name.")
	}
	return file, err
}

// makeFolder makes a folder; one that is there already is well.
func (a *API) makeFolder(w http.ResponseWriter, r *http.Request, me access.Identity, f *server.Form) error {
	name, err := cleaned(f.Fields["path"] + "/" + f.Fields["foldername"])
	if err != nil {
		return err
	}
	files := a.s.Config().Files
	server.Noted(r, name)
	folder, err := files.Stat(r.Context(), name)
	if errors.Is(err, store.ErrNotFound) {
		if err = a.s.Try(r.Context(), me, server.Command{Do: "make_folder", File: name}); err == nil {
			folder, err = files.Stat(r.Context(), name)
		}
	}
	if err == nil && !folder.Folder {
		err = refuse(http.StatusConflict, "A file has this name already.")
	}
	if err != nil {
		return err
	}
	made := Copied{Name: folder.Name, Path: folder.Path, Origin: local, Refs: Refs{Resource: resource(a.s.Base(r), local, folder.Path)}}
	w.Header().Set("Location", made.Refs.Resource)
	a.s.WriteJSON(w, http.StatusCreated, map[string]any{"folder": made, "done": true})
	return nil
}

func (a *API) uploadToCard(http.ResponseWriter, *http.Request, access.Identity) error {
	return errNoCardWrites
}

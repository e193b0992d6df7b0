package octoprint

import (
	"errors"
	"net/http"
	"path"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// What is done with files that are there.

func (a *API) fileCommand(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	origin, name, _ := strings.Cut(r.PathValue("path"), "/")
	if origin != local && origin != card || name == "" {
		return errNothing
	}
	command, in, err := readCommand(w, r, map[string][]string{"select": nil, "unselect": nil, "slice": nil, "analyse": nil, "copy": {"destination"}, "move": {"destination"}, "uploadSd": nil, "refresh_thumbnails": nil})
	if err != nil {
		return err
	}
	if command == "unselect" {
		err = a.unselect(me, name)
	} else if origin == card {
		err = a.cardCommand(r, me, command, name, in)
	} else {
		file, found := a.s.Config().Files.Stat(r.Context(), name)
		if errors.Is(found, store.ErrNotFound) || errors.Is(found, store.ErrName) {
			return errNothing
		}
		if found != nil {
			return found
		}
		switch command {
		case "select":
			err = a.selectFile(r, me, file, in)
		case "analyse":
			_, err = a.s.Config().Files.Survey(r.Context(), file.Path)
		case "copy", "move":
			return a.copyOrMove(w, r, me, command, file, in)
		case "slice":
			return refuse(http.StatusUnsupportedMediaType, "layerd does not slice.")
		case "uploadSd":
			return errNoCardWrites
		}
	}
	if err != nil {
		return err
	}
	return done(w)
}

var errNoCardWrites = refuse(http.StatusConflict, "layerd does not write to the printer's card, which would take hours. Upload to \"local\" and print from there.")

var errPrinting = refuse(http.StatusConflict, "Another file cannot be selected while one is being printed.")

func (a *API) selectFile(r *http.Request, me access.Identity, file store.File, in asked) error {
	st := a.s.State(me)
	switch {
	case file.Folder:
		return errNothing
	case !stateOf(st).Flags.Operational:
		return errNotOperational
	case st.State != printer.Idle:
		return errPrinting
	}
	a.s.Select(file.Path)
	if in.is("print") {
		return a.start(r.Context(), me, file.Path, false)
	}
	return nil
}

func (a *API) unselect(me access.Identity, name string) error {
	selected := a.s.Selected()
	switch st := a.s.State(me); {
	case st.State != printer.Idle:
		return refuse(http.StatusConflict, "What is being printed stays selected.")
	case selected == "":
		return refuse(http.StatusConflict, "No file is selected.")
	case name != selected && name != "current":
		return refuse(http.StatusBadRequest, "Another file is selected.")
	}
	a.s.Select("")
	return nil
}

// cardCommand prints a file of the card. There is no way to choose one without.
func (a *API) cardCommand(r *http.Request, me access.Identity, command, name string, in asked) error {
	if command != "select" {
		return refuse(http.StatusBadRequest, "This cannot be done there: "+command+".")
	}
	st := a.s.State(me)
	switch {
	case !stateOf(st).Flags.Operational:
		return errNotOperational
	case st.State != printer.Idle:
		return errPrinting
	case !in.is("print"):
		return refuse(http.StatusConflict, "layerd prints files of the printer's card at once. Select it with \"print\": true.")
	}
	file, err := a.cardFile(r.Context(), me, name)
	if err != nil {
		return err
	}
	return a.start(r.Context(), me, file.Path, true)
}

// Copied is a file at its new place.
type Copied struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	Origin string `json:"origin"`
	Refs   Refs   `json:"refs"`
}

// copyOrMove takes a destination, or a folder to put it in. The name in the answer is the one that it had, as the original's.
func (a *API) copyOrMove(w http.ResponseWriter, r *http.Request, me access.Identity, command string, file store.File, in asked) error {
	to, err := in.text("destination")
	if err != nil {
		return invalid("destination")
	}
	if strings.Trim(to, "/") == "" {
		to = ""
	} else if to, err = cleaned(to); err != nil {
		return refuse(http.StatusConflict, "There is no such folder, or the name cannot be.")
	}
	files := a.s.Config().Files
	if at, err := files.Stat(r.Context(), to); to == "" || err == nil && at.Folder && at.Path != file.Path {
		to = path.Join(at.Path, path.Base(file.Path))
	}
	if _, err := files.Stat(r.Context(), to); err == nil && to != file.Path {
		return refuse(http.StatusConflict, "There is already something of that name.")
	}
	if !file.Folder {
		if err := store.Printable(to); err != nil {
			return err
		}
	}
	var made store.File
	if command == "move" {
		if err = a.s.Try(r.Context(), me, server.Command{Do: "rename_file", File: file.Path, To: to}); err == nil {
			made, err = files.Stat(r.Context(), to)
			a.unselectGone(file)
		}
	} else if file.Folder {
		err = refuse(http.StatusBadRequest, "layerd copies no folders. Copy the files in it.")
	} else {
		made, err = a.s.CopyFile(r.Context(), me, file.Path, to)
	}
	if err != nil {
		return err
	}
	base := a.s.Base(r)
	out := Copied{Name: file.Name, Path: made.Path, Origin: local, Refs: Refs{Resource: resource(base, local, made.Path)}}
	if !made.Folder {
		out.Refs.Download = downloadOf(base, made.Path)
	}
	w.Header().Set("Location", out.Refs.Resource)
	a.s.WriteJSON(w, http.StatusCreated, out)
	return nil
}

// unselectGone unselects a file that is gone from its place, or one in a folder that is.
func (a *API) unselectGone(file store.File) {
	if selected := a.s.Selected(); selected == file.Path || strings.HasPrefix(selected, file.Path+"/") {
		a.s.Select("")
	}
}

// deleteFile deletes a file, or a folder with all that is in it.
func (a *API) deleteFile(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	origin, name, _ := strings.Cut(r.PathValue("path"), "/")
	if origin == card {
		return refuse(http.StatusConflict, "layerd deletes nothing on the printer's card.")
	}
	if origin != local || name == "" {
		return errNothing
	}
	server.Unhurried(w)
	file, err := a.s.Config().Files.Stat(r.Context(), name)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrName) {
		return errNothing
	}
	if err == nil {
		err = a.s.RemoveAll(r.Context(), me, file.Path)
	}
	if err != nil {
		return err
	}
	a.unselectGone(file)
	return done(w)
}

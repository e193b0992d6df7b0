package prusalink

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
)

// Files: one storage, which some clients call /local and those of Prusa's newer printers /usb.

func (a *API) fileRoutes() []server.Route {
	var all []server.Route
	for _, storage := range []string{"local", "usb"} {
		top := "/api/v1/files/" + storage
		all = append(all,
			server.Route{Method: "GET", Path: top, Least: access.Viewer, Serve: a.file},
			server.Route{Method: "GET", Path: top + "/*", Least: access.Viewer, Serve: a.file},
			server.Route{Method: "PUT", Path: top + "/*", Least: access.Operator, Deed: "upload", Serve: a.s.Uploading(a.put)},
			server.Route{Method: "POST", Path: top + "/*", Least: access.Operator, Serve: a.print},
			server.Route{Method: "DELETE", Path: top + "/*", Least: access.Operator, Serve: a.remove})
	}
	return append(all, server.Route{Method: "POST", Path: "/api/files/usb/*", Least: access.Operator, Serve: a.command},
		server.Route{Method: "GET", Path: thumbnails + "*", Least: access.Viewer, Serve: a.thumbnail})
}

// StorageList is the answer to /api/v1/storage.
type StorageList struct {
	List []Storage `json:"storage_list"`
}

// Storage is where files are.
type Storage struct {
	Name       string `json:"name"`
	Type       string `json:"type"`
	Path       string `json:"path"`
	PrintFiles int64  `json:"print_files"` // bytes
	FreeSpace  int64  `json:"free_space"`
	Available  bool   `json:"available"`
	ReadOnly   bool   `json:"read_only"`
}

func (a *API) storage(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	files, err := a.s.Config().Files.Files(r.Context())
	if err != nil {
		return err
	}
	s := Storage{Name: "local", Type: "LOCAL", Path: "/local", FreeSpace: max(a.s.State(me).FreeBytes, 0), Available: true, ReadOnly: readOnly(me)}
	for _, f := range files {
		s.PrintFiles += f.Bytes
	}
	a.s.WriteJSON(w, http.StatusOK, StorageList{List: []Storage{s}})
	return nil
}

// File is a file or a folder.
type File struct {
	Name        string  `json:"name"`
	DisplayName string  `json:"display_name"`
	Type        string  `json:"type"` // "PRINT_FILE", "FOLDER"
	ReadOnly    bool    `json:"read_only"`
	MTimestamp  int64   `json:"m_timestamp"` // seconds
	Size        *int64  `json:"size,omitempty"`
	Refs        *Refs   `json:"refs,omitempty"`
	Meta        *Meta   `json:"meta,omitempty"`     // of one file, not in lists
	Children    *[]File `json:"children,omitempty"` // of the folder that was asked for
}

// Refs are addresses, below ours.
type Refs struct {
	Download  string `json:"download"`
	Icon      string `json:"icon,omitempty"`
	Thumbnail string `json:"thumbnail,omitempty"`
}

// Meta is what is known of a file.
type Meta struct {
	EstimatedPrintTime *int     `json:"estimated_print_time,omitempty"` // seconds
	FilamentMM         *float64 `json:"filament used [mm],omitempty"`
	LayerMM            float64  `json:"layer_height,omitempty"`
	Filament           string   `json:"filament_type,omitempty"` // by tool, "PLA;PETG"
	Filaments          []string `json:"filament_type per tool,omitempty"`
}

func (a *API) metaOf(r *http.Request, f store.File) (m Meta) {
	if f.EstimateS > 0 {
		s := int(math.Round(f.EstimateS))
		m.EstimatedPrintTime = &s
	}
	if f.FilamentMM > 0 {
		m.FilamentMM = &f.FilamentMM
	}
	if gist, err := a.s.Config().Files.Gist(r.Context(), f.Path); err == nil {
		m.LayerMM, m.Filament, m.Filaments = gist.LayerHeightMM, strings.Join(gist.FilamentTypes, ";"), gist.FilamentTypes
	}
	return m
}

const thumbnails = "/api/thumbnails/local/"

func refsOf(f store.File) Refs {
	refs := Refs{Download: (&url.URL{Path: "/downloads/files/local/" + f.Path}).EscapedPath()}
	if f.Thumbnail {
		refs.Thumbnail = (&url.URL{Path: thumbnails + f.Path}).EscapedPath()
		refs.Icon = refs.Thumbnail
	}
	return refs
}

// readOnly reports whether somebody may change no files.
func readOnly(me access.Identity) bool { return me.Role < access.Operator }

func fileOf(f store.File, me access.Identity) File {
	out := File{Name: f.Name, DisplayName: f.Name, Type: "PRINT_FILE", ReadOnly: readOnly(me), MTimestamp: f.ModifiedMS / 1000}
	if f.Folder {
		out.Type = "FOLDER"
		return out
	}
	refs := refsOf(f)
	out.Size, out.Refs = &f.Bytes, &refs
	return out
}

// find is the file or folder that a request means: by its name, or by the one that it had when it was sent packed.
func (a *API) find(r *http.Request) (store.File, error) {
	name := r.PathValue("path")
	file, err := a.s.Config().Files.Stat(r.Context(), name)
	if kept, bad := store.UploadPath(name); errors.Is(err, store.ErrNotFound) && bad == nil && kept != name {
		return a.s.Config().Files.Stat(r.Context(), kept)
	}
	return file, err
}

// file answers with one file or folder; HEAD says whether it is there, and being printed.
func (a *API) file(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	found, err := store.File{Name: "local", Folder: true}, error(nil)
	if r.PathValue("path") != "" {
		if found, err = a.find(r); err != nil {
			return err
		}
	}
	st := a.s.State(me)
	w.Header().Set("Read-Only", strconv.FormatBool(readOnly(me)))
	w.Header().Set("Currently-Printed", strconv.FormatBool(st.Job != nil && !found.Folder && st.Job.File == found.Path))
	out := fileOf(found, me)
	if found.Folder {
		all, err := a.s.Config().Files.Files(r.Context())
		if err != nil {
			return err
		}
		children := []File{}
		for _, f := range all {
			if path.Dir(f.Path) == path.Clean(found.Path) { // both "." at the top
				children = append(children, fileOf(f, me))
			}
		}
		out.Children = &children
	} else {
		meta := a.metaOf(r, found)
		out.Meta = &meta
	}
	a.s.WriteJSON(w, http.StatusOK, out)
	return nil
}

// put takes a file, and prints it when it is to: it stays when it cannot be printed now.
func (a *API) put(w http.ResponseWriter, r *http.Request, me access.Identity, body io.Reader) error {
	name, err := server.CleanName(r.PathValue("path"))
	if err != nil {
		return err
	}
	if yes(r, "Create-Folder") {
		if err := a.s.Try(r.Context(), me, server.Command{Do: "make_folder", File: name}); err != nil {
			return err
		}
		w.WriteHeader(http.StatusCreated)
		return nil
	}
	file, _, err := a.s.Put(r.Context(), name, body, r.ContentLength, yes(r, "Overwrite"))
	if err != nil {
		return err
	}
	if yes(r, "Print-After-Upload") {
		if err := a.start(r, me, file.Path); err != nil {
			e, _ := a.s.Explain(err)
			return server.Refuse("wrong_state", fmt.Sprintf("%s is uploaded, but was not started: %s", file.Name, strings.TrimSpace(e.Message+" "+e.Next)))
		}
	}
	w.Header().Set("Location", (&url.URL{Path: "/api/v1/files/local/" + file.Path}).EscapedPath())
	a.s.WriteJSON(w, http.StatusCreated, fileOf(file, me))
	return nil
}

// start begins a print. PrusaLink asks nothing, so warnings about the file are passed over; limits are not.
func (a *API) start(r *http.Request, me access.Identity, name string) error {
	return a.s.Try(r.Context(), me, server.Command{Do: "start", File: name, Anyway: true})
}

func (a *API) print(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	file, err := a.find(r)
	if err == nil && file.Folder {
		err = store.ErrNotFound
	}
	if err != nil {
		return err
	}
	if err := a.start(r, me, file.Path); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// command answers the older {"command": "start"}, which Prusa's printers and PrusaLinkPy still know.
func (a *API) command(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	body, err := server.ReadSmall(w, r, 4<<10)
	if err != nil {
		return err
	}
	var in struct {
		Command string `json:"command"`
	}
	if json.Unmarshal(body, &in) != nil || in.Command != "start" {
		return server.Refuse("bad_form", `The one command here is {"command": "start"}.`)
	}
	return a.print(w, r, me)
}

// remove deletes a file or a folder; one that is not empty only when Force says so.
func (a *API) remove(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	file, err := a.find(r)
	if err == nil && file.Folder && yes(r, "Force") {
		err = a.s.RemoveAll(r.Context(), me, file.Path)
	} else if err == nil {
		err = a.s.Try(r.Context(), me, server.Command{Do: "delete_file", File: file.Path})
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (a *API) thumbnail(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	return a.s.ServeThumbnail(w, r, r.PathValue("path"))
}

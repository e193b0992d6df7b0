package moonraker

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	_ "image/jpeg" // thumbnails are one or the other
	_ "image/png"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// Files are all in one root, which clients call gcodes. Their thumbnails are in a folder .thumbs beside them, as clients expect, which exists in
// addresses alone.

const (
	root   = "gcodes"
	gcodes = "/server/files/" + root + "/"
	thumbs = ".thumbs"
)

var errRoot = server.Refuse("no_file", "There is no such root; there is "+root+".")

// checkRoot refuses another root than ours; none is ours.
func checkRoot(in asked) error {
	if _, there := in["root"]; !there {
		return nil
	}
	if name, err := in.text("root"); err != nil || name != root {
		return errRoot
	}
	return nil
}

func permissions(me access.Identity) string {
	if me.Role < access.Operator {
		return "r"
	}
	return "rw"
}

func (a *API) roots(c call) (any, error) {
	return []object{{"name": root, "path": "/" + root, "permissions": permissions(c.me)}}, nil
}

// Item is a file.
type Item struct {
	Path        string  `json:"path"`
	Root        string  `json:"root,omitempty"`
	Modified    float64 `json:"modified"` // seconds
	Size        int64   `json:"size"`
	Permissions string  `json:"permissions"`
}

func itemOf(f store.File, me access.Identity) Item {
	return Item{Path: f.Path, Modified: float64(f.ModifiedMS) / 1000, Size: f.Bytes, Permissions: permissions(me)}
}

func (a *API) files(c call) (any, error) {
	if err := checkRoot(c.in); err != nil {
		return nil, err
	}
	files, err := a.s.Config().Files.Files(c.r.Context())
	if err != nil {
		return nil, err
	}
	list := []Item{}
	for _, f := range files {
		if !f.Folder {
			list = append(list, itemOf(f, c.me))
		}
	}
	return list, nil
}

// Metadata is what is known of a file. What is absent is not known.
type Metadata struct {
	Filename   string      `json:"filename"`
	Size       int64       `json:"size"`
	Modified   float64     `json:"modified"`
	Slicer     string      `json:"slicer,omitempty"`
	EstimateS  float64     `json:"estimated_time,omitempty"`
	FilamentMM float64     `json:"filament_total,omitempty"`
	Types      string      `json:"filament_type,omitempty"` // by tool, "PLA;PETG"
	Layers     int         `json:"layer_count,omitempty"`
	LayerMM    float64     `json:"layer_height,omitempty"`
	HeightMM   float64     `json:"object_height,omitempty"`
	FirstByte  *int64      `json:"gcode_start_byte,omitempty"`
	LastByte   *int64      `json:"gcode_end_byte,omitempty"`
	Thumbnails []Thumbnail `json:"thumbnails"`
}

// Thumbnail is a picture of a file. The metadata name it from the file's folder, the list of thumbnails from the root.
type Thumbnail struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Size   int    `json:"size"` // bytes
	Beside string `json:"relative_path,omitempty"`
	Path   string `json:"thumbnail_path,omitempty"`
}

// named is the file that a request means.
func (a *API) named(c call) (store.File, error) {
	name, err := c.in.text("filename")
	if err == nil {
		name, err = server.CleanName(name)
	}
	if err != nil {
		return store.File{}, err
	}
	file, err := a.s.Config().Files.Stat(c.r.Context(), name)
	if err == nil && file.Folder {
		err = store.ErrNotFound
	}
	return file, err
}

func (a *API) metadata(c call) (any, error) {
	file, err := a.named(c)
	if err != nil {
		return nil, err
	}
	return a.known(c, file), nil
}

// known is what is known of a file.
func (a *API) known(c call, file store.File) Metadata {
	m := Metadata{Filename: file.Path, Size: file.Bytes, Modified: float64(file.ModifiedMS) / 1000, EstimateS: file.EstimateS, FilamentMM: file.FilamentMM, Layers: file.Layers, Thumbnails: a.pictures(c, file)}
	for i := range m.Thumbnails {
		m.Thumbnails[i].Path = ""
	}
	if file.SHA256 == "" { // nobody has read it through, and this is not the time to
		return m
	}
	if gist, err := a.s.Config().Files.Gist(c.r.Context(), file.Path); err == nil {
		m.Slicer, m.Types, m.LayerMM = gist.Slicer, strings.Join(gist.FilamentTypes, ";"), gist.LayerHeightMM
		m.FirstByte, m.LastByte = &gist.FirstOffset, &gist.LastOffset
		if gist.Extent != nil {
			m.HeightMM = gist.Extent.Max[2]
		}
	}
	return m
}

// pictures are the thumbnails of a file: one, the biggest, or none.
func (a *API) pictures(c call, file store.File) []Thumbnail {
	list := []Thumbnail{}
	if !file.Thumbnail {
		return list
	}
	data, _, err := a.s.Config().Files.Thumbnail(c.r.Context(), file.Path)
	if err != nil {
		return list
	}
	size, _, err := image.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return list
	}
	beside := thumbs + "/" + file.Name + ".png"
	return append(list, Thumbnail{Width: size.Width, Height: size.Height, Size: len(data), Beside: beside, Path: path.Join(path.Dir(file.Path), beside)})
}

func (a *API) thumbnails(c call) (any, error) {
	file, err := a.named(c)
	if err != nil {
		return nil, err
	}
	list := a.pictures(c, file)
	for i := range list {
		list[i].Beside = ""
	}
	return list, nil
}

// thumbnail answers with a picture.
func (a *API) thumbnail(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	dir, name := path.Split(r.PathValue("path"))
	dir, inside := strings.CutSuffix(strings.TrimSuffix(dir, "/"), thumbs)
	name, picture := strings.CutSuffix(name, ".png")
	if !inside || !picture || dir != "" && !strings.HasSuffix(dir, "/") {
		return server.Refuse("no_route", "")
	}
	name, err := server.CleanName(dir + name)
	if err != nil {
		return err
	}
	return a.s.ServeThumbnail(w, r, name)
}

func (a *API) deleteFile(c call) (any, error) {
	name, err := c.in.text("path")
	if err != nil {
		return nil, err
	}
	name, ours := strings.CutPrefix(strings.TrimPrefix(name, "/"), root+"/")
	if !ours {
		return nil, errRoot
	}
	return a.remove(c.r, c.me, name)
}

func (a *API) remove(r *http.Request, me access.Identity, name string) (any, error) {
	name, err := server.CleanName(name)
	if err != nil {
		return nil, err
	}
	file, err := a.s.Config().Files.Stat(r.Context(), name)
	if err == nil && file.Folder {
		err = store.ErrNotFound
	}
	if err == nil {
		err = a.s.Try(r.Context(), me, server.Command{Do: "delete_file", File: name})
	}
	if err != nil {
		return nil, err
	}
	return object{"item": object{"path": name, "root": root}, "action": "delete_file"}, nil
}

// Uploaded is the answer to an upload.
type Uploaded struct {
	Item    Item   `json:"item"`
	Started bool   `json:"print_started"`
	Queued  bool   `json:"print_queued"`
	Action  string `json:"action"`
}

var errNoUpload = server.Refuse("bad_form", "There is no file in this form.")

func (a *API) upload(w http.ResponseWriter, r *http.Request, me access.Identity, body io.Reader) error {
	f, err := server.ReadForm(r, body, "root", "path", "print", "checksum")
	if err != nil {
		return err
	}
	part, err := f.Next()
	if err == nil && part == nil {
		err = errNoUpload
	}
	if err != nil {
		return err
	}
	file, err := a.receive(r, f, part)
	if err != nil {
		return err
	}
	server.Noted(r, file.Path)
	out := Uploaded{Item: itemOf(file, me), Action: "create_file"}
	out.Item.Root = root
	// A printer that cannot print now is no error: the answer says that nothing was begun, and clients that want to try again do.
	if strings.EqualFold(f.Fields["print"], "true") && a.s.State(me).State == printer.Idle {
		if err := a.begin(r, me, file.Path); err != nil {
			e := a.failure(err)
			return server.Refuse("wrong_state", fmt.Sprintf("%s is uploaded, but was not started: %s", file.Name, e.Message))
		}
		out.Started = true
	}
	w.Header().Set("Location", (&url.URL{Path: gcodes + file.Path}).EscapedPath())
	a.s.WriteJSON(w, http.StatusCreated, Result{out})
	return nil
}

// receive stores the file of a form. As in the original a file of that name is replaced.
func (a *API) receive(r *http.Request, f *server.Form, part *server.FormFile) (store.File, error) {
	at, err := target(f.Fields, part.Name)
	if err != nil {
		return store.File{}, err
	}
	sum := sha256.New()
	file, _, err := a.s.PutLate(r.Context(), at, io.TeeReader(part, sum), -1, true, func() (string, bool, error) {
		at, err := target(f.Fields, part.Name) // fields that come after the file count as well
		if want := f.Fields["checksum"]; err == nil && want != "" && !strings.EqualFold(strings.TrimSpace(want), hex.EncodeToString(sum.Sum(nil))) {
			err = server.Refuse("bad_form", "The file is not the one whose checksum came with it.")
		}
		return at, true, err
	})
	return file, err
}

// target is where a file is to be.
func target(fields map[string]string, name string) (string, error) {
	if r := fields["root"]; r != "" && r != root {
		return "", errRoot
	}
	return server.CleanName(strings.TrimSuffix(fields["path"], "/") + "/" + strings.ReplaceAll(name, "\\", "/"))
}

// listing is all files as of one revision of the list. All sockets share it.
type listing struct {
	rev   uint64
	files []store.File
}

// listingOf asks the store, once for a revision, and waits for the disk. nil = it cannot be told.
func (a *API) listingOf(rev uint64) *listing {
	a.reading <- struct{}{} // all sockets hear of a change at once
	defer func() { <-a.reading }()
	if l := a.listing; l != nil && l.rev >= rev {
		return l
	}
	files, err := a.s.Config().Files.Files(a.s.Life())
	if err != nil {
		return nil
	}
	l := &listing{rev, files}
	a.listing = l
	return l
}

// Changed is what became of a file or folder.
type Changed struct {
	Action string `json:"action"` // "create_file", "modify_file", "delete_file", "create_dir", "delete_dir"
	Item   Item   `json:"item"`
}

// changesBetween is what differs, sorted by path; both lists are.
func changesBetween(was, is *listing, me access.Identity) (out []Changed) {
	if was == nil || is == nil {
		return nil
	}
	tell := func(what string, f store.File) {
		item := itemOf(f, me)
		item.Root = root
		kind := map[bool]string{false: "file", true: "dir"}[f.Folder]
		out = append(out, Changed{what + "_" + kind, item})
	}
	find := func(in []store.File, f store.File) (store.File, bool) {
		i, there := slices.BinarySearchFunc(in, f.Path, func(o store.File, p string) int { return strings.Compare(o.Path, p) })
		if !there || in[i].Folder != f.Folder {
			return store.File{}, false
		}
		return in[i], true
	}
	for _, f := range was.files {
		if _, still := find(is.files, f); !still {
			tell("delete", f)
		}
	}
	for _, f := range is.files {
		switch old, already := find(was.files, f); {
		case !already:
			tell("create", f)
		case !f.Folder && (old.Bytes != f.Bytes || old.ModifiedMS != f.ModifiedMS):
			tell("modify", f)
		}
	}
	return out
}

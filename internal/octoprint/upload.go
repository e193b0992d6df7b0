package octoprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// What flows here: the parts of a form, in whatever order they come → fields, which are kept, and the file, which goes through to the store and is
// nowhere else → with the form's end its name, and what is to be done with it.

const (
	maxParts  = 64
	maxFields = 128 << 10 // bytes, all together
	maxDrain  = 256 << 20 // bytes of an upload that are read though it is refused
)

// form is a multipart form as it comes in.
type form struct {
	parts  *multipart.Reader
	end    *ending
	fields map[string]string
	left   int // bytes that fields may still have
	count  int
}

var (
	errForm    = refuse(http.StatusBadRequest, "No file to upload and no folder to create")
	errBadForm = refuse(http.StatusBadRequest, "The form is not one that can be read.")
	errCutOff  = refuse(http.StatusBadRequest, "The form ended too early.")
)

// ending watches a form go by for its last boundary: without it a form is not whole, whatever the parts say.
type ending struct {
	r    io.Reader
	mark []byte
	last []byte // bytes that may be the beginning of mark
	seen bool
}

func (e *ending) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if !e.seen {
		keep := len(e.mark) - 1
		e.last = append(e.last, p[:min(n, keep)]...)
		e.seen = bytes.Contains(e.last, e.mark) || bytes.Contains(p[:n], e.mark)
		if n >= keep {
			e.last = append(e.last[:0], p[n-keep:n]...)
		} else {
			e.last = append(e.last[:0], e.last[max(len(e.last)-keep, 0):]...)
		}
	}
	return n, err
}

// formOf reads the head of a form. The fields of the address count too, where the form does not say otherwise.
func formOf(r *http.Request, body io.Reader) (*form, error) {
	f := &form{fields: map[string]string{}, left: maxFields}
	for _, key := range []string{"select", "print", "path", "noOverwrite"} {
		if v := r.URL.Query().Get(key); v != "" && len(v) < maxFields {
			f.fields[key] = v
		}
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && kind == "multipart/form-data" && params["boundary"] != "" && len(params["boundary"]) <= 200:
		f.end = &ending{r: body, mark: []byte("--" + params["boundary"] + "--")}
		f.parts = multipart.NewReader(f.end, params["boundary"])
		return f, nil
	case err == nil && kind == "application/x-www-form-urlencoded":
		text, err := io.ReadAll(io.LimitReader(body, maxFields+1))
		values, err2 := url.ParseQuery(string(text))
		if err != nil || err2 != nil || len(text) > maxFields {
			return nil, errors.Join(err, errBadForm)
		}
		for key := range values {
			f.fields[key] = values.Get(key)
		}
		return f, nil
	case err == nil && kind == "application/json": // as octorest makes folders
		text, err := io.ReadAll(io.LimitReader(body, maxFields+1))
		var in map[string]any
		if err != nil || len(text) > maxFields || json.Unmarshal(text, &in) != nil {
			return nil, errors.Join(err, errBadForm)
		}
		for key, v := range in {
			if s, ok := v.(string); ok {
				f.fields[key] = s
			}
		}
		return f, nil
	}
	return nil, errForm
}

// next reads fields until there is a file; nil when the form has ended, whole.
func (f *form) next() (file *multipart.Part, name string, err error) {
	for f.parts != nil {
		part, err := f.parts.NextRawPart() // raw: what says of itself that it is quoted-printable is taken as it is
		if err == io.EOF && f.end.seen {
			return nil, "", nil
		}
		if err != nil {
			return nil, "", formError(err)
		}
		if f.count++; f.count > maxParts {
			return nil, "", errBadForm
		}
		if name := fileName(part); name != "" {
			return part, name, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, int64(f.left)+1))
		if err != nil {
			return nil, "", formError(err)
		}
		if f.left -= len(text); f.left < 0 {
			return nil, "", errBadForm
		}
		f.fields[part.FormName()] = string(text)
	}
	return nil, "", nil
}

// formError is what people are told of a form that cannot be read; that it came too slowly, or too long, they are told as always.
func formError(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return errCutOff
	case strings.HasPrefix(text, "multipart:") || strings.HasPrefix(text, "malformed MIME"):
		return errBadForm
	}
	return err
}

// fileName is the name of a part's file, "" for a field. Older clients send it in Latin-1.
func fileName(part *multipart.Part) string {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return ""
	}
	name := params["filename"]
	if !utf8.ValidString(name) {
		runes := make([]rune, len(name))
		for i := range len(name) {
			runes[i] = rune(name[i])
		}
		name = string(runes)
	}
	return name
}

// target is where a file of that name is to be: as its fields say, as far as they have come.
func (f *form) target(name string) (string, error) {
	name = strings.ReplaceAll(name, "\\", "/")
	if other := f.fields["filename"]; other != "" {
		name = other
	}
	if dir, there := f.fields["path"]; there && dir != "" {
		name = dir + "/" + path.Base(name)
	} else if strings.Contains(name, "..") {
		name = path.Base(name) // some clients send where the file lay on their own disk
	}
	return cleaned(name)
}

// tail is a file that ends when its whole form has.
type tail struct {
	file io.Reader
	form *form
}

func (t *tail) Read(p []byte) (int, error) {
	n, err := t.file.Read(p)
	if err == io.EOF {
		more, _, bad := t.form.next()
		switch {
		case bad != nil:
			return n, bad
		case more != nil:
			return n, refuse(http.StatusBadRequest, "One file is taken at a time.")
		}
	} else if err != nil {
		err = formError(err)
	}
	return n, err
}

// Uploaded is the answer to an upload.
type Uploaded struct {
	Files  map[string]Copied `json:"files"`
	Done   bool              `json:"done"`
	Select bool              `json:"effectiveSelect"`
	Print  bool              `json:"effectivePrint"`
}

func (a *API) upload(w http.ResponseWriter, r *http.Request, me access.Identity) (err error) {
	free, err := a.s.TakeUpload(me)
	if err != nil {
		return err
	}
	defer free()
	body := a.s.Patient(w, r)
	defer func() {
		if err != nil { // slicers hear an answer only when they have sent everything: before, a connection that ends is all they tell of
			io.CopyN(io.Discard, body, maxDrain)
		}
	}()
	f, err := formOf(r, body)
	if err != nil {
		return err
	}
	part, name, err := f.next()
	switch {
	case err != nil:
		return err
	case part == nil && f.fields["foldername"] != "":
		return a.makeFolder(w, r, me, f)
	case part == nil || part.FormName() != "file":
		return errForm
	}
	file, err := a.receive(r, f, part, name)
	if err != nil {
		return err
	}
	server.Noted(r, file.Path)
	base := a.s.Base(r)
	out := Uploaded{Done: true, Files: map[string]Copied{local: {Name: file.Name, Path: file.Path, Origin: local,
		Refs: Refs{Resource: resource(base, local, file.Path), Download: downloadOf(base, file.Path)}}}}
	// A printer that cannot print now is no error: the original says in the answer what it has done.
	if a.s.State(me).State == printer.Idle {
		out.Select, out.Print = truth(f.fields["select"]), truth(f.fields["print"])
	}
	if out.Select || out.Print {
		a.s.Select(file.Path)
	}
	if out.Print {
		if err := a.start(r.Context(), me, file.Path); err != nil {
			text, status := a.explain(err)
			return refuse(status, "The file was uploaded, and its print was not started: "+text)
		}
	}
	w.Header().Set("Location", out.Files[local].Refs.Resource)
	a.s.WriteJSON(w, http.StatusCreated, out)
	return nil
}

// receive stores the file of a form. Fields that come after it have the last word on its name.
func (a *API) receive(r *http.Request, f *form, part *multipart.Part, name string) (store.File, error) {
	early, err := f.target(name)
	if err != nil {
		return store.File{}, err
	}
	_, placed := f.fields["path"]
	file, _, err := a.s.PutLate(r.Context(), early, &tail{part, f}, -1, !placed || !truth(f.fields["noOverwrite"]), func() (string, bool, error) {
		at, err := f.target(name)
		return at, !truth(f.fields["noOverwrite"]), err
	})
	switch {
	case errors.Is(err, store.ErrInUse):
		err = refuse(http.StatusConflict, "Trying to overwrite file that is currently being printed")
	case errors.Is(err, store.ErrExists):
		err = refuse(http.StatusConflict, "File already exists and noOverwrite was set")
	}
	return file, err
}

// makeFolder makes a folder; one that is there already is well.
func (a *API) makeFolder(w http.ResponseWriter, r *http.Request, me access.Identity, f *form) error {
	name, err := cleaned(f.fields["path"] + "/" + f.fields["foldername"])
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
		err = refuse(http.StatusConflict, "Can't create folder, please try another name")
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

package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// What flows here: the parts of a form of another API, in whatever order they come → fields, which are kept, and the file, which goes through to the
// store and is nowhere else.

const (
	maxParts  = 64
	maxFields = 128 << 10 // bytes, all together
	maxOthers = 8 << 20   // bytes of files that nobody asked for, all together
)

// Form is a multipart form as it comes in. Fields has those that have come; a client's text.
type Form struct {
	Fields map[string]string

	parts  *multipart.Reader
	end    *ending
	left   int   // bytes that fields may still have
	others int64 // bytes of other files that were passed over
	count  int
}

// Errors of a Form, besides those of its connection.
var (
	ErrNoForm  error = &refusal{code: "bad_form", message: "There is no form with a file."}
	ErrBadForm error = &refusal{code: "bad_form", message: "The form is not one that can be read."}
	ErrCutOff  error = &refusal{code: "bad_form", message: "The form ended too early."}
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

// ReadForm reads the head of a form. Those of the named fields that the address has count too, where the form does not say otherwise.
func ReadForm(r *http.Request, body io.Reader, fromAddress ...string) (*Form, error) {
	f := &Form{Fields: map[string]string{}, left: maxFields}
	for _, key := range fromAddress {
		if v := r.URL.Query().Get(key); v != "" && len(v) < maxFields {
			f.Fields[key] = v
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
			return nil, errors.Join(err, ErrBadForm)
		}
		for key := range values {
			f.Fields[key] = values.Get(key)
		}
		return f, nil
	case err == nil && kind == "application/json": // as octorest makes folders
		text, err := io.ReadAll(io.LimitReader(body, maxFields+1))
		var in map[string]any
		if err != nil || len(text) > maxFields || json.Unmarshal(text, &in) != nil {
			return nil, errors.Join(err, ErrBadForm)
		}
		for key, v := range in {
			if s, ok := v.(string); ok {
				f.Fields[key] = s
			}
		}
		return f, nil
	}
	return nil, ErrNoForm
}

// Next reads fields until there is the file, which is the part with the name "file"; nil when the form has ended, whole. Files under other names
// are passed over, as OctoPrint does: some clients send one by mistake. The file must be read before Next is called again.
func (f *Form) Next() (file *FormFile, err error) {
	for f.parts != nil {
		part, err := f.parts.NextRawPart() // raw: what says of itself that it is quoted-printable is taken as it is
		if err == io.EOF && f.end.seen {
			return nil, nil
		}
		if err != nil {
			return nil, formError(err)
		}
		if f.count++; f.count > maxParts {
			return nil, ErrBadForm
		}
		name, field := fileName(part), part.FormName()
		switch {
		case name != "" && field == "file":
			return &FormFile{Name: name, part: part, form: f}, nil
		case name != "":
			n, err := io.CopyN(io.Discard, part, maxOthers-f.others+1)
			if f.others += n; err == nil {
				return nil, ErrBadForm
			} else if err != io.EOF {
				return nil, formError(err)
			}
			continue
		}
		text, err := io.ReadAll(io.LimitReader(part, int64(f.left)+1))
		if err != nil {
			return nil, formError(err)
		}
		if f.left -= len(text); f.left < 0 {
			return nil, ErrBadForm
		}
		f.Fields[field] = string(text)
	}
	return nil, nil
}

// FormFile is a file in a form. It ends when its whole form has: then all Fields are known. A second file is an error.
type FormFile struct {
	Name string // the client's text

	part *multipart.Part
	form *Form
	over error // how it has ended
}

func (t *FormFile) Read(p []byte) (n int, err error) {
	if t.over != nil {
		return 0, t.over
	}
	n, t.over = t.read(p)
	return n, t.over
}

func (t *FormFile) read(p []byte) (int, error) {
	n, err := t.part.Read(p)
	if err == io.EOF {
		more, bad := t.form.Next()
		switch {
		case bad != nil:
			return n, bad
		case more != nil:
			return n, &refusal{code: "bad_form", message: "One file is taken at a time."}
		}
	} else if err != nil {
		err = formError(err)
	}
	return n, err
}

// formError is what people are told of a form that cannot be read; that it came too slowly, or too long, they are told as always.
func formError(err error) error {
	switch text := err.Error(); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return ErrCutOff
	case strings.HasPrefix(text, "multipart:") || strings.HasPrefix(text, "malformed MIME"):
		return ErrBadForm
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

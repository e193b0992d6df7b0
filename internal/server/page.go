package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"layerd/internal/access"
)

// What flows here: the built page → a file of it, read and compressed when it is first asked for → browsers, which keep assets for ever
// because their names hold a hash of their content.

// page is all files of the page by the path of their URL. It never changes.
type page struct{ files map[string]*pageFile }

type pageFile struct {
	mediaType string
	forever   bool                      // its name changes with its content
	read      func() ([]byte, error)    // as it is; each time anew, for few browsers take no gzip
	known     func() (pageFacts, error) // once
}

// pageFacts are of a file that somebody has asked for, as nobody does of most.
type pageFacts struct {
	etag   string
	packed []byte // gzip; nil when that saves nothing
}

// mediaTypes are the kinds of file that a built page holds; a system's own table may know fewer.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webmanifest": "application/manifest+json", ".json": "application/json",
}

// newPage finds all files. A page that is not there has none.
func newPage(files fs.FS) *page {
	p := &page{files: map[string]*pageFile{}}
	if files == nil {
		return p
	}
	fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return nil // what is not found is answered with 404
		}
		f := &pageFile{mediaType: mediaTypes[path.Ext(name)], forever: strings.HasPrefix(name, "assets/"), read: func() ([]byte, error) { return fs.ReadFile(files, name) }}
		f.known = sync.OnceValues(f.look)
		if f.mediaType == "" {
			f.mediaType = mime.TypeByExtension(path.Ext(name))
		}
		if f.mediaType == "" {
			f.mediaType = "application/octet-stream"
		}
		p.files["/"+name] = f
		return nil
	})
	for _, index := range []string{"/index.html", "/placeholder.html"} {
		if f := p.files[index]; f != nil {
			p.files["/"] = f
			break
		}
	}
	return p
}

func (p *page) has(path string) bool { return p.files[path] != nil }

func (f *pageFile) look() (facts pageFacts, err error) {
	body, err := f.read()
	if err != nil {
		return facts, err
	}
	sum := sha256.Sum256(body)
	facts.etag = `"` + hex.EncodeToString(sum[:16]) + `"`
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return facts, err
	}
	z.Write(body) // into memory: cannot fail
	z.Close()
	if out.Len() < len(body)*9/10 {
		facts.packed = bytes.Clone(out.Bytes()) // without the room that it grew by
	}
	return facts, nil
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	f := s.page.files[r.URL.Path]
	facts, err := f.known()
	if err != nil {
		return fmt.Errorf("read %s of the page: %w", r.URL.Path, err)
	}
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("ETag", facts.etag)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	if match := r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, facts.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := facts.packed
	if body != nil && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
	} else if body, err = f.read(); err != nil {
		return fmt.Errorf("read %s of the page: %w", r.URL.Path, err)
	}
	writeSized(w, int64(len(body)))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // the client is gone when this fails
	return nil
}

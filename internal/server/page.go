package server

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"

	"layerd/internal/access"
)

// What flows here: the built page, read once → compressed once, when first asked for → browsers, which keep assets for ever
// because their names hold a hash of their content.

// page is all files of the page by the path of their URL. It never changes.
type page struct{ files map[string]*pageFile }

type pageFile struct {
	body      []byte
	mediaType string
	etag      string
	forever   bool // its name changes with its content
	pack      sync.Once
	packed    []byte // gzip; nil when that saves nothing
}

// mediaTypes are the kinds of file that a built page holds; a system's own table may know fewer.
var mediaTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml", ".png": "image/png", ".ico": "image/x-icon", ".webmanifest": "application/manifest+json", ".json": "application/json",
}

// newPage reads all files. A page that is not there, or cannot be read, has none.
func newPage(files fs.FS) *page {
	p := &page{files: map[string]*pageFile{}}
	if files == nil {
		return p
	}
	fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
			return nil // what cannot be read is answered with 404
		}
		body, err := fs.ReadFile(files, name)
		if err != nil {
			return nil
		}
		sum := sha256.Sum256(body)
		f := &pageFile{body: body, etag: `"` + hex.EncodeToString(sum[:16]) + `"`, forever: strings.HasPrefix(name, "assets/"), mediaType: mediaTypes[path.Ext(name)]}
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

// compressed is the file in gzip, or nil when that saves nothing.
func (f *pageFile) compressed() []byte {
	f.pack.Do(func() {
		var out bytes.Buffer
		z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
		if err != nil {
			return
		}
		z.Write(f.body) // into memory: cannot fail
		z.Close()
		if out.Len() < len(f.body)*9/10 {
			f.packed = out.Bytes()
		}
	})
	return f.packed
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	f := s.page.files[r.URL.Path]
	h := w.Header()
	h.Set("Content-Type", f.mediaType)
	h.Set("ETag", f.etag)
	h.Set("Cache-Control", "no-cache")
	if f.forever {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	h.Set("Vary", "Accept-Encoding")
	if match := r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, f.etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body := f.body
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if packed := f.compressed(); packed != nil {
			body = packed
			h.Set("Content-Encoding", "gzip")
		}
	}
	writeSized(w, int64(len(body)))
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.Write(body) // the client is gone when this fails
	return nil
}

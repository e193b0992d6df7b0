package server

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/store"
)

// What flows here: a file of the store → the layers that a page asks for, as they are drawn (gcode.Toolpath). Few are read at a time, a print that runs
// goes first (polite.go), and who goes away ends his own reading.

const (
	pathAnswer = 256 << 10 // bytes of layers after which an answer ends
	pathPiece  = 128 << 10 // of a file that are read at once while a print runs
	pathsKept  = 4         // files whose layers somebody has looked at
)

// toolpaths are the files that were looked at last, the newest last.
type toolpaths struct {
	reading slots
	mu      sync.Mutex
	kept    []keptPath
}

type keptPath struct {
	sha256 string
	path   *gcode.Toolpath
}

func newToolpaths() *toolpaths { return &toolpaths{reading: make(slots, 2)} }

// of returns that of a content; nil when it is not kept.
func (p *toolpaths) of(sha256 string) *gcode.Toolpath {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(sha256)
}

func (p *toolpaths) find(sha256 string) *gcode.Toolpath {
	i := slices.IndexFunc(p.kept, func(k keptPath) bool { return k.sha256 == sha256 })
	if i < 0 {
		return nil
	}
	one := p.kept[i]
	p.kept = append(slices.Delete(p.kept, i, i+1), one)
	return one.path
}

// keep keeps that of a content, unless somebody was first, and drops the one that was not looked at for longest.
func (p *toolpaths) keep(sha256 string, path *gcode.Toolpath) *gcode.Toolpath {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept := p.find(sha256); kept != nil {
		return kept
	}
	p.kept = append(slices.Delete(p.kept, 0, max(0, len(p.kept)-pathsKept+1)), keptPath{sha256, path})
	return path
}

// serveToolpath answers GET /v1/toolpaths/PATH with where the file's layers are, and with ?from= with layers. docs/PROTOCOL.md has the form.
func (s *Server) serveToolpath(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	name, err := filePath(r)
	if err != nil {
		return err
	}
	ask, err := readPathQuery(r.URL.Query())
	if err != nil {
		return err
	}
	open := s.openToolpath
	if ask.arcs {
		open = s.openFittedPath
	}
	f, file, path, err := open(r.Context(), name)
	if err != nil {
		return err
	}
	defer f.Close()
	if !strings.HasPrefix(file.SHA256, ask.version) {
		return errOtherFile
	}
	h := w.Header()
	h.Set("ETag", fmt.Sprintf(`"%d-%s-%s"`, gcode.ToolpathVersion, file.SHA256, ask))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("Cache-Control", "private, no-cache")
	if ask.version != "" {
		h.Set("Cache-Control", "private, max-age=86400, immutable")
	}
	if strings.Contains(r.Header.Get("If-None-Match"), h.Get("ETag")) {
		w.WriteHeader(http.StatusNotModified) // without reading the file
		return nil
	}
	body, err := s.drawn(r.Context(), path, f, file, ask)
	if err != nil {
		h.Del("ETag")
		h.Set("Cache-Control", "no-store")
		return fmt.Errorf("draw %s: %w", name, err)
	}
	writeSized(w, int64(len(body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// openToolpath opens a file. What is known of its layers is that of the same content, which may be replaced at any time.
func (s *Server) openToolpath(ctx context.Context, name string) (f *os.File, file store.File, path *gcode.Toolpath, err error) {
	f, file, err = s.cfg.Files.OpenFile(ctx, name)
	if err != nil {
		return nil, file, nil, err
	}
	if path = s.toolpaths.of(file.SHA256); path != nil && file.SHA256 != "" {
		return f, file, path, nil
	}
	survey, err := s.cfg.Files.Survey(ctx, name)
	var now store.File
	if err == nil {
		now, err = s.cfg.Files.Stat(ctx, name) // which has a hash by now, also when it was copied in by hand
	}
	if err == nil && (now.Bytes != file.Bytes || now.ModifiedMS != file.ModifiedMS || file.SHA256 != "" && now.SHA256 != file.SHA256) {
		err = errOtherFile
	}
	if err != nil {
		f.Close()
		return nil, file, nil, err
	}
	return f, now, s.toolpaths.keep(now.SHA256, gcode.NewToolpath(&survey)), nil
}

// openFittedPath is openToolpath for the copy with arcs that was made for a print.
func (s *Server) openFittedPath(ctx context.Context, name string) (*os.File, store.File, *gcode.Toolpath, error) {
	f, made, err := s.cfg.Files.OpenFitted(ctx, name)
	if err != nil {
		return nil, store.File{}, nil, err
	}
	path := s.toolpaths.of(made.SHA256)
	if path == nil {
		path = s.toolpaths.keep(made.SHA256, gcode.NewToolpath(&made.Survey))
	}
	return f, store.File{Path: name, Bytes: made.Bytes, SHA256: made.SHA256}, path, nil
}

func (s *Server) drawn(ctx context.Context, path *gcode.Toolpath, f *os.File, file store.File, ask pathQuery) ([]byte, error) {
	if ask.index {
		var hash [32]byte
		if sum, err := hex.DecodeString(file.SHA256); err == nil {
			copy(hash[:], sum)
		}
		return path.AppendIndex(nil, hash), nil
	}
	if ask.from >= path.Layers() {
		return nil, badCommand("The file has fewer layers.")
	}
	select {
	case s.toolpaths.reading <- struct{}{}:
		defer s.toolpaths.reading.free()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	polite := &politeBody{printing: s.printing, turn: s.working, max: pathPiece}
	defer polite.Done()
	open := func(offset int64) io.Reader {
		polite.r = &whileWanted{ctx, io.NewSectionReader(f, offset, file.Bytes-offset)}
		return polite
	}
	body, _, err := path.AppendLayers(nil, open, ask.from, ask.to, ask.step, pathAnswer)
	return body, err
}

// whileWanted reads until nobody waits for it any more.
type whileWanted struct {
	ctx context.Context
	r   io.Reader
}

func (w *whileWanted) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}

var errOtherFile = &refusal{code: "other_file"}

// pathQuery is what of a file is asked for.
type pathQuery struct {
	index          bool // where the layers are; else these
	from, to, step int
	arcs           bool   // of the copy with arcs
	version        string // how the content's SHA-256 begins; "" = whatever it is
}

func (q pathQuery) String() string {
	if q.index {
		return "index"
	}
	return fmt.Sprint(q.from, "-", q.to, "-", q.step)
}

func readPathQuery(v url.Values) (q pathQuery, err error) {
	q = pathQuery{index: !v.Has("from"), to: gcode.MaxLayers, step: 1, version: v.Get("v"), arcs: v.Get("arcs") == "1"}
	for name, n := range map[string]*int{"from": &q.from, "to": &q.to, "step": &q.step} {
		if text := v.Get(name); text != "" {
			if *n, err = strconv.Atoi(text); err != nil || *n < 0 || *n > gcode.MaxLayers {
				return q, badCommand(name + " must be a number of layers.")
			}
		}
	}
	if q.step == 0 || q.to <= q.from {
		return q, badCommand("to must be beyond from, and step at least 1.")
	}
	return q, nil
}

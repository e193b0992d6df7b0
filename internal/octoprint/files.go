package octoprint

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/printer"
)

// fileRoutes are about files: ours, which are "local", and those of the printer's own card, which are "sdcard".
func (a *API) fileRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/files", Least: access.Viewer, Serve: a.listLocal},
		{Method: "GET", Path: "/api/files/local", Least: access.Viewer, Serve: a.listLocal},
		{Method: "GET", Path: "/api/files/sdcard", Least: access.Viewer, Serve: a.listCard},
		{Method: "GET", Path: "/api/files/*", Least: access.Viewer, Serve: a.showFile},
		{Method: "POST", Path: "/api/files/test", Least: access.Viewer, Serve: a.testFile},
		{Method: "POST", Path: "/api/files/local", Least: access.Operator, Deed: "upload", Serve: a.s.Uploading(a.upload)},
		{Method: "POST", Path: "/api/files/sdcard", Least: access.Operator, Serve: a.uploadToCard},
		{Method: "POST", Path: "/api/files/*", Least: access.Operator, Serve: a.fileCommand},
		{Method: "DELETE", Path: "/api/files/*", Least: access.Operator, Serve: a.deleteFile},
		{Method: "GET", Path: "/downloads/files/local/*", Least: access.Operator, Deed: "download", Serve: a.download},
		{Method: "GET", Path: thumbnails + "*", Least: access.Viewer, Ticket: true, Serve: a.thumbnail},
	}
}

// thumbnails is where a well-known plugin of the original has the pictures that slicers put into files.
const thumbnails = "/plugin/prusaslicerthumbnails/thumbnail/"

// Entry is a file or folder. Date is Unix seconds.
type Entry struct {
	Name       string      `json:"name"`
	Display    string      `json:"display"`
	Path       string      `json:"path"`
	Origin     string      `json:"origin"`
	Type       string      `json:"type"`
	TypePath   []string    `json:"typePath"`
	Size       *int64      `json:"size,omitempty"`
	Date       *int64      `json:"date,omitempty"`
	Hash       string      `json:"hash,omitempty"`
	Refs       Refs        `json:"refs"`
	Analysis   *Analysis   `json:"gcodeAnalysis,omitempty"`
	Prints     *Prints     `json:"prints,omitempty"`
	Statistics *Statistics `json:"statistics,omitempty"`
	Thumbnail  string      `json:"thumbnail,omitempty"` // as the plugin says it: below the address
	Source     string      `json:"thumbnail_src,omitempty"`
	Children   []*Entry    `json:"children,omitzero"` // of a folder: never null
}

// Refs are addresses.
type Refs struct {
	Resource  string `json:"resource"`
	Download  string `json:"download,omitempty"`
	Thumbnail string `json:"thumbnail,omitempty"`
}

// Analysis is what is known of a file's content: seconds, mm.
type Analysis struct {
	Time       float64             `json:"estimatedPrintTime"`
	Filament   map[string]Filament `json:"filament"`
	Dimensions *Dimensions         `json:"dimensions,omitempty"`
	Area       *Area               `json:"printingArea,omitempty"`
}

// Dimensions are how big the print is.
type Dimensions struct {
	Width  float64 `json:"width"`
	Depth  float64 `json:"depth"`
	Height float64 `json:"height"`
}

// Area is where on the bed the print is.
type Area struct {
	MinX float64 `json:"minX"`
	MinY float64 `json:"minY"`
	MinZ float64 `json:"minZ"`
	MaxX float64 `json:"maxX"`
	MaxY float64 `json:"maxY"`
	MaxZ float64 `json:"maxZ"`
}

// Prints is how the prints of a content went.
type Prints struct {
	Success int        `json:"success"`
	Failure int        `json:"failure"`
	Last    *LastPrint `json:"last,omitempty"`
}

// LastPrint is the newest of them: Unix seconds, seconds.
type LastPrint struct {
	Date    float64  `json:"date"`
	Success bool     `json:"success"`
	Time    *float64 `json:"printTime,omitempty"`
}

// Statistics is how long prints took, in seconds, by profile: all of them under the one in use, since we count by content alone.
type Statistics struct {
	Average map[string]float64 `json:"averagePrintTime"`
	Last    map[string]float64 `json:"lastPrintTime"`
}

func escaped(p string) string { return (&url.URL{Path: p}).EscapedPath() }

func resource(base, origin, name string) string {
	return base + escaped("/api/files/"+origin+"/"+name)
}
func downloadOf(base, name string) string { return base + escaped("/downloads/files/local/"+name) }

// reader is who reads about files: by which address he came, and the ticket for their pictures, "" when he needs none.
type reader struct{ base, ticket string }

func (a *API) reader(r *http.Request, me access.Identity) reader {
	return reader{a.s.Base(r), a.ticketFor(r, me)}
}

func entryOf(who reader, f store.File, d store.Details) *Entry {
	base := who.base
	date := f.ModifiedMS / 1000
	e := &Entry{Name: f.Name, Display: f.Name, Path: f.Path, Origin: local, Date: &date, Size: &f.Bytes, Refs: Refs{Resource: resource(base, local, f.Path)}}
	if f.Folder {
		e.Type, e.TypePath, e.Children, e.Prints = "folder", []string{"folder"}, []*Entry{}, &Prints{}
		return e
	}
	e.Type, e.TypePath, e.Hash, e.Refs.Download = "machinecode", []string{"machinecode", "gcode"}, f.SHA256, downloadOf(base, f.Path)
	if f.Thumbnail {
		e.Thumbnail, e.Source = strings.TrimPrefix(escaped(thumbnails+f.Path+".png"), "/")+"?"+f.SHA256[:min(8, len(f.SHA256))], "prusaslicerthumbnails"
		if who.ticket != "" {
			e.Thumbnail += "&view=" + url.QueryEscape(who.ticket)
		}
		e.Refs.Thumbnail = base + "/" + e.Thumbnail
	}
	if f.SHA256 != "" {
		e.Analysis = analysisOf(f, d)
	}
	if d.LastMS > 0 {
		last := &LastPrint{Date: float64(d.LastMS) / 1000, Success: d.LastDone}
		if d.LastDone {
			last.Time = &d.LastS
		}
		e.Prints, e.Statistics = &Prints{Success: d.Done, Failure: d.Failed, Last: last}, &Statistics{map[string]float64{}, map[string]float64{}}
		if d.Done > 0 {
			e.Statistics.Average[inUse], e.Statistics.Last[inUse] = d.MeanS, d.DoneS
		}
	}
	return e
}

func analysisOf(f store.File, d store.Details) *Analysis {
	out := &Analysis{Time: f.EstimateS, Filament: filamentOf(f.FilamentMM, d.FilamentMM)}
	if out.Filament == nil {
		out.Filament = map[string]Filament{}
	}
	if b := d.Extent; b != nil {
		out.Dimensions = &Dimensions{b.Max[0] - b.Min[0], b.Max[1] - b.Min[1], b.Max[2] - b.Min[2]}
		out.Area = &Area{b.Min[0], b.Min[1], b.Min[2], b.Max[0], b.Max[1], b.Max[2]}
	}
	return out
}

// tree is all files, the folders among them with what is in them, to the depth that is asked for.
func (a *API) tree(ctx context.Context, who reader) (top []*Entry, byPath map[string]*Entry, err error) {
	cfg := a.s.Config()
	files, err := cfg.Files.Files(ctx)
	if err != nil {
		return nil, nil, err
	}
	details, err := cfg.Files.Details(ctx, "")
	if err != nil {
		return nil, nil, err
	}
	top, byPath = []*Entry{}, map[string]*Entry{}
	for _, f := range files { // sorted: a folder comes before what is in it
		e := entryOf(who, f, details[f.SHA256])
		byPath[f.Path] = e
		dir := path.Dir(f.Path)
		if in := byPath[dir]; in != nil {
			in.Children = append(in.Children, e)
		} else {
			top = append(top, e)
		}
		for ; dir != "." && !f.Folder; dir = path.Dir(dir) {
			if in := byPath[dir]; in != nil {
				*in.Size += f.Bytes
			}
		}
	}
	return top, byPath, nil
}

// trim leaves of a list what is asked for: levels below it, and of its files those of a kind.
func trim(list []*Entry, levels int, kind string) []*Entry {
	other := kind != "" && kind != "machinecode" && kind != "gcode"
	list = slices.DeleteFunc(list, func(e *Entry) bool { return other && e.Type != "folder" })
	slices.SortStableFunc(list, func(a, b *Entry) int { // folders first, as the original
		return strings.Compare(map[bool]string{true: "a", false: "b"}[a.Children != nil], map[bool]string{true: "a", false: "b"}[b.Children != nil])
	})
	for _, e := range list {
		switch {
		case e.Children == nil:
		case levels <= 0:
			e.Children = []*Entry{}
		default:
			e.Children = trim(e.Children, levels-1, kind)
		}
	}
	return list
}

const allLevels = 1 << 20

func levelsOf(r *http.Request) int {
	if queried(r, "recursive") {
		return allLevels
	}
	return 0
}

func (a *API) listLocal(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	top, _, err := a.tree(r.Context(), a.reader(r, me))
	if err != nil {
		return err
	}
	free, total, err := a.s.Config().Files.Disk()
	if err != nil {
		return err
	}
	top = trim(top, levelsOf(r), r.URL.Query().Get("filter"))
	return a.sayNew(w, r, map[string]any{"files": top, "free": free, "total": total}, top)
}

// showFile answers with one file or folder, and what is in it.
func (a *API) showFile(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	origin, name, _ := strings.Cut(r.PathValue("path"), "/")
	if origin == card {
		return a.showCardFile(w, r, me, name)
	}
	if origin != local {
		return errNothing
	}
	file, err := a.s.Config().Files.Stat(r.Context(), name)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrName) {
		return errNothing
	}
	if err != nil {
		return err
	}
	if file.Folder {
		_, byPath, err := a.tree(r.Context(), a.reader(r, me))
		if err != nil {
			return err
		}
		if e := byPath[file.Path]; e != nil {
			e = trim([]*Entry{e}, levelsOf(r)+1, "")[0]
			return a.sayNew(w, r, e, e)
		}
		return errNothing
	}
	details := map[string]store.Details{}
	if file.SHA256 != "" {
		if details, err = a.s.Config().Files.Details(r.Context(), file.SHA256); err != nil {
			return err
		}
	}
	e := entryOf(a.reader(r, me), file, details[file.SHA256])
	return a.sayNew(w, r, e, e)
}

// cardFiles are those on the printer's card. It is asked for them, which is not for who only looks: to him it is empty.
func (a *API) cardFiles(ctx context.Context, me access.Identity) ([]gcode.CardFile, error) {
	if me.Role < access.Operator {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	list, err := a.s.Config().Printer.ListCard(ctx)
	if errors.Is(err, printer.ErrNoCard) || errors.Is(err, printer.ErrNotConnected) {
		return nil, nil
	}
	return list.Files, err
}

func cardEntry(base string, f gcode.CardFile) *Entry {
	name := strings.TrimPrefix(f.Path, "/")
	e := &Entry{Name: path.Base(name), Display: f.Name, Path: name, Origin: card, Type: "machinecode", TypePath: []string{"machinecode", "gcode"}, Refs: Refs{Resource: resource(base, card, name)}}
	if f.Bytes >= 0 {
		e.Size = &f.Bytes
	}
	if at := f.Changed(time.Local); !at.IsZero() {
		date := at.Unix()
		e.Date = &date
	}
	return e
}

func (a *API) listCard(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	files, err := a.cardFiles(r.Context(), me)
	if err != nil {
		return err
	}
	out := []*Entry{}
	for _, f := range files {
		out = append(out, cardEntry(a.s.Base(r), f))
	}
	return a.say(w, map[string]any{"files": out})
}

// cardFile finds a file of the card by the path under which clients know it.
func (a *API) cardFile(ctx context.Context, me access.Identity, name string) (gcode.CardFile, error) {
	files, err := a.cardFiles(ctx, me)
	if err != nil {
		return gcode.CardFile{}, err
	}
	for _, f := range files {
		if strings.TrimPrefix(f.Path, "/") == name {
			return f, nil
		}
	}
	return gcode.CardFile{}, errNothing
}

func (a *API) showCardFile(w http.ResponseWriter, r *http.Request, me access.Identity, name string) error {
	f, err := a.cardFile(r.Context(), me, name)
	if err != nil {
		return err
	}
	return a.say(w, cardEntry(a.s.Base(r), f))
}

// testFile says whether there is a file, or what a name becomes.
func (a *API) testFile(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	needs := []string{"storage", "path", "filename"}
	command, in, err := readCommand(w, r, map[string][]string{"sanitize": needs, "exists": needs})
	if err != nil {
		return err
	}
	storage, _ := in.text("storage")
	dir, _ := in.text("path")
	name, _ := in.text("filename")
	if storage != local {
		return invalid("storage")
	}
	clean := func(name string) (string, error) {
		whole, err := server.CleanName(dir + "/" + name)
		if err == nil {
			whole, err = store.CleanPath(whole)
		}
		return whole, err
	}
	whole, err := clean(name)
	if err != nil {
		return err
	}
	if command == "sanitize" {
		return a.say(w, map[string]string{"sanitized": whole})
	}
	files := a.s.Config().Files
	file, err := files.Stat(r.Context(), whole)
	if errors.Is(err, store.ErrNotFound) {
		return a.say(w, map[string]bool{"exists": false})
	}
	suggestion, ext := "", path.Ext(name)
	for n := 1; err == nil; n++ {
		suggestion = strings.TrimSuffix(name, ext) + "_" + strconv.Itoa(n) + ext
		if whole, err = clean(suggestion); err == nil {
			_, err = files.Stat(r.Context(), whole)
		}
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	return a.say(w, map[string]any{"exists": true, "suggestion": suggestion, "size": file.Bytes, "date": file.ModifiedMS / 1000})
}

func (a *API) download(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	return a.s.ServeFile(w, r, r.PathValue("path"))
}

func (a *API) thumbnail(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	return a.s.ServeThumbnail(w, r, strings.TrimSuffix(r.PathValue("path"), ".png"))
}

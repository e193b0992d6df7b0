package octofolder

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"time"
)

// metadata is a folder's .metadata.json, as far as it is of use: what OctoPrint knows of each file in it.
type metadata map[string]struct {
	History []struct {
		Timestamp float64 `json:"timestamp"` // of its end, Unix s
		PrintTime float64 `json:"printTime"` // s; none of a print that failed
		Success   bool    `json:"success"`
		Profile   string  `json:"printerProfile"`
	} `json:"history"`
}

// uploads reads the list of files, and when each was printed.
func (r *reading) uploads(ctx context.Context) {
	if info, err := fs.Lstat(r.files.files, "uploads"); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		r.odd("uploads is a link to somewhere else: put what it leads to in its place")
		return
	}
	known, runs := map[string]metadata{}, 0
	err := fs.WalkDir(r.files.files, "uploads", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil && name == "uploads":
			return err
		case err != nil:
			r.odd("%s: %v", name, err)
			return nil
		case entry.IsDir():
			known[name] = r.metadata(name + "/.metadata.json")
			return nil
		case strings.HasPrefix(entry.Name(), "."):
			return nil
		case !entry.Type().IsRegular():
			r.odd("%s: it is no file", name)
			return nil
		case len(r.found.Uploads) >= maxFiles:
			r.odd("there are more than %d files: the rest is left out", maxFiles)
			return fs.SkipAll
		}
		info, err := entry.Info()
		if err != nil {
			r.odd("%s: %v", name, err)
			return nil
		}
		u := Upload{Path: strings.TrimPrefix(name, "uploads/"), Bytes: info.Size()}
		for _, h := range known[path.Dir(name)][entry.Name()].History {
			if runs++; runs > maxRuns || !(h.Timestamp > 0 && h.Timestamp < 1e11) {
				continue
			}
			took := math.Max(0, math.Min(h.PrintTime, 1e8))
			u.Runs = append(u.Runs, Run{Ended: time.UnixMilli(int64(h.Timestamp * 1000)), Took: time.Duration(took * float64(time.Second)), Done: h.Success, Profile: plain(h.Profile, shown)})
		}
		slices.SortFunc(u.Runs, func(a, b Run) int { return cmp.Compare(a.Ended.UnixMilli(), b.Ended.UnixMilli()) })
		r.found.Uploads = append(r.found.Uploads, u)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.odd("uploads: %v", err)
	}
	if runs > maxRuns {
		r.odd("there are more than %d prints: the rest is left out", maxRuns)
	}
}

func (r *reading) metadata(name string) metadata {
	text := r.text(name, maxMeta)
	if text == nil {
		return nil
	}
	var all metadata
	var some *json.UnmarshalTypeError
	switch err := json.Unmarshal(text, &all); {
	case errors.As(err, &some): // the rest was read
		r.odd("%s: a part of it is not of the form that is expected", name)
	case err != nil:
		r.odd("%s: %v", name, err)
		return nil
	}
	return all
}

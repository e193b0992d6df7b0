package guard

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
)

// What was recorded, for who wants to see it, to give it away, or to delete it. A folder is named by the ID of its print, and nothing that a client says becomes a
// path: an ID is looked up among those that are there.

// ErrNoRecording is what is said of an ID that has none.
var ErrNoRecording = errors.New("there is no such recording")

// Recording is what was kept of one print.
type Recording struct {
	Job   string `json:"job"`
	File  string `json:"file"`  // what was printed; "" the history does not know it any more. The server fills it in
	AtMS  int64  `json:"at_ms"` // of its newest look, Unix milliseconds
	Looks int    `json:"looks"`
	Bytes int64  `json:"bytes"`
}

// kept are the files that record.go writes, and no others: a number of four figures or more, and which of its frames.
var kept = regexp.MustCompile(`^[0-9]{4,9}(-[0-9]\.jpg|\.json)$`)

// Recordings are all that was kept, the newest first. It waits for the disk.
func (g *Guard) Recordings() ([]Recording, error) {
	all := []Recording{}
	if g.cfg.Dir == "" {
		return all, nil
	}
	folders, err := os.ReadDir(g.cfg.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	for _, folder := range folders {
		pack, err := g.OpenRecording(folder.Name())
		if errors.Is(err, ErrNoRecording) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, pack.Recording)
		pack.Close()
	}
	slices.SortFunc(all, func(a, b Recording) int { return cmp.Or(cmp.Compare(b.AtMS, a.AtMS), strings.Compare(b.Job, a.Job)) })
	return all, nil
}

// Pack is one recording that is open. Who has it closes it.
type Pack struct {
	Recording
	root  *os.Root // of its folder: no link in it leads out
	files []fs.FileInfo
}

// OpenRecording opens the recording of a print; ErrNoRecording. It waits for the disk.
func (g *Guard) OpenRecording(job string) (*Pack, error) {
	if g.cfg.Dir == "" || !plainID.MatchString(job) {
		return nil, ErrNoRecording
	}
	all, err := os.OpenRoot(g.cfg.Dir)
	if err == nil {
		defer all.Close()
		if info, err := all.Lstat(job); err != nil || !info.IsDir() {
			return nil, ErrNoRecording
		}
		var root *os.Root
		if root, err = all.OpenRoot(job); err == nil {
			return openPack(root, job)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNoRecording
	}
	return nil, fmt.Errorf("open a recording: %w", err)
}

func openPack(root *os.Root, job string) (*Pack, error) {
	p := &Pack{Recording: Recording{Job: job}, root: root}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		root.Close()
		if errors.Is(err, fs.ErrNotExist) { // it was deleted meanwhile
			return nil, ErrNoRecording
		}
		return nil, fmt.Errorf("read a recording: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !kept.MatchString(info.Name()) {
			continue // it was deleted meanwhile, or is none of ours
		}
		if strings.HasSuffix(info.Name(), ".json") {
			p.Looks++
		}
		p.files, p.Bytes, p.AtMS = append(p.files, info), p.Bytes+info.Size(), max(p.AtMS, info.ModTime().UnixMilli())
	}
	if len(p.files) == 0 {
		root.Close()
		return nil, ErrNoRecording
	}
	return p, nil
}

// Close lets go of its folder.
func (p *Pack) Close() error { return p.root.Close() }

// Zip writes all of it as an archive, file by file: pictures do not become smaller. What is deleted meanwhile, to make room, is left out. It ends with ctx.
func (p *Pack) Zip(ctx context.Context, w io.Writer) error {
	archive := zip.NewWriter(w)
	for _, info := range p.files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := p.add(archive, info); err != nil {
			return fmt.Errorf("pack %s of a recording: %w", info.Name(), err)
		}
	}
	return archive.Close()
}

func (p *Pack) add(archive *zip.Writer, info fs.FileInfo) error {
	f, err := p.root.Open(info.Name())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	to, err := archive.CreateHeader(&zip.FileHeader{Name: p.Job + "/" + info.Name(), Modified: info.ModTime(), Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = io.Copy(to, io.LimitReader(f, info.Size())) // what is still being written is not followed
	return err
}

// DeleteRecording deletes the recording of a print. ErrNoRecording; ErrBusy while that print is being recorded.
func (g *Guard) DeleteRecording(ctx context.Context, job string) error {
	pack, err := g.OpenRecording(job)
	if err != nil {
		return err
	}
	pack.Close()
	err = g.ask(ctx, func(o *owner) error {
		if o.print != nil && o.print.order.job == job && o.settings.Record {
			return fmt.Errorf("%w: this print is being recorded", ErrBusy)
		}
		return nil
	})
	if err != nil {
		return err
	}
	all, err := os.OpenRoot(g.cfg.Dir)
	if err == nil {
		defer all.Close()
		err = all.RemoveAll(job)
	}
	if err == nil {
		err = syncFolder(all) // it must not come back with a power cut
	}
	if err != nil {
		return fmt.Errorf("delete a recording: %w", err)
	}
	return nil
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(dir *os.Root) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

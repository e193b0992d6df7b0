package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"layerd/internal/powercut"
	"layerd/internal/store"
)

// The write-ahead log has a head, and then frames, each a head and a page: https://www.sqlite.org/fileformat2.html#the_write_ahead_log. SQLite writes a frame's
// head by itself: which page it is, and, in the last one of a transaction, how big the database is then.
const (
	walHead   = 32 // bytes
	frameHead = 24
	pageBytes = 4096
)

// causes books who has written what.
type causes struct {
	data   string            // layerd's directory
	pages  map[uint32]string // the table or index of each page
	parts  []*part
	tables map[string]bool // that the transaction changes which is being written
	frames int64           // of it
}

// tellCauses reads what strace saw. layerd has ended.
func (c *card) tellCauses(ctx context.Context, trace string, parts []*part) error {
	k := causes{data: filepath.Join(c.mount, "data"), parts: parts, tables: map[string]bool{}}
	st, err := store.OpenShared(k.data)
	if err != nil {
		return err
	}
	defer st.Close()
	if k.pages, err = st.Pages(ctx); err != nil {
		return err
	}
	return powercut.ReadTrace(trace, c.mount, k.note)
}

func (k *causes) note(op powercut.Op) error {
	var p *part
	for _, one := range k.parts {
		if !op.At.Before(one.from) && op.At.Before(one.to) {
			p = one
		}
	}
	if p == nil || op.Call == "write" && op.FD <= 2 {
		return nil
	}
	name := strings.TrimPrefix(op.Path, k.data+"/")
	switch {
	case strings.HasSuffix(op.Call, "sync"):
		p.add("fsync of "+kind(name), 1, 0)
	case op.Bytes == 0:
	case !strings.HasSuffix(name, "-wal"):
		p.add("writes to "+kind(name), 1, op.Bytes)
	case op.Bytes == frameHead && op.Offset >= walHead && len(op.Data) >= 8:
		k.noteFrame(p, binary.BigEndian.Uint32(op.Data), binary.BigEndian.Uint32(op.Data[4:]) != 0)
	}
	return nil
}

func (k *causes) noteFrame(p *part, page uint32, last bool) {
	k.frames++
	of := k.pages[page]
	if of == "" {
		of = "a page that is free now"
	}
	k.tables[of] = true
	if last {
		p.add("commits of "+strings.Join(slices.Sorted(maps.Keys(k.tables)), ", "), 1, k.frames*(frameHead+pageBytes))
		k.tables, k.frames = map[string]bool{}, 0
	}
}

// kind is what a file is, for people.
func kind(name string) string {
	folder, _, below := strings.Cut(name, "/")
	switch {
	case path.IsAbs(name):
		return "the data folder"
	case below:
		return folder + "/"
	case strings.HasPrefix(name, "layerd.db"):
		return "the database" + strings.TrimPrefix(name, "layerd.db")
	}
	return name
}

func (p *part) add(what string, times, bytes int64) {
	if p.rows[what] == nil {
		p.rows[what] = &row{}
	}
	p.rows[what].times += times
	p.rows[what].bytes += bytes
}

// print tells a part: what is long enough for it, by the hour.
func (p *part) print() {
	per, of := "", func(n int64) float64 { return float64(n) }
	if took := p.to.Sub(p.from); took.Minutes() >= 1 {
		per, of = " an hour", func(n int64) float64 { return p.hourly(float64(n)) }
		fmt.Printf("\n%s, measured for %.0f s:\n", p.name, took.Seconds())
	} else {
		fmt.Printf("\n%s, as a whole:\n", p.name)
	}
	fmt.Printf("  %-66s %9.1f kB%s\n", "the card got", of(p.disk.bytes)/1e3, per)
	fmt.Printf("  %-66s %9.0f   %s\n", "… and was told to bring all it has to its cells", of(p.disk.flushes), per)
	fmt.Printf("  %-66s %9.1f kB%s\n", "… of which layerd's own, by /proc/PID/io", of(p.process)/1e3, per)
	fmt.Printf("  %-66s %9.1f kB%s\n", "not on it: layerd's log, for the journal", of(p.log)/1e3, per)
	for _, what := range slices.Sorted(maps.Keys(p.rows)) {
		r := p.rows[what]
		fmt.Printf("    %-64s %9.1f kB%s, %.0f times\n", what, of(r.bytes)/1e3, per, of(r.times))
	}
}

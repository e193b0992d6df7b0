package printer

import (
	"context"
	"layerd/internal/latest"
	"strings"
	"sync"
	"time"
)

// Entry is one line of the conversation.
type Entry struct {
	Seq  uint64 `json:"seq"` // from 1
	AtMS int64  `json:"at_ms"`
	Dir  string `json:"dir"` // "out", "in", or "note" for our own remarks
	Text string `json:"text"`
}

// Console is the ring of the last lines in both directions. The owner adds; anybody may read.
type Console struct {
	mu      sync.Mutex // guards entries and last; held for a copy, never longer
	entries [consoleLines]Entry
	last    uint64 // Seq of the newest entry
	newest  *latest.Value[uint64]
}

const consoleLines = 2048

func newConsole() *Console { return &Console{newest: latest.New(uint64(0))} }

func (c *Console) add(now time.Time, dir, text string) {
	c.mu.Lock()
	c.last++
	seq := c.last
	c.entries[seq%consoleLines] = Entry{Seq: seq, AtMS: now.UnixMilli(), Dir: dir, Text: strings.ToValidUTF8(text, "\uFFFD")}
	c.mu.Unlock()
	c.newest.Set(seq)
}

// Since returns up to max entries newer than seq, the oldest first, and waits for one when there is none. Entries that have
// fallen out of the ring are skipped. It ends with ctx's error.
func (c *Console) Since(ctx context.Context, seq uint64, max int) ([]Entry, error) {
	for after := uint64(0); ; {
		newest, at, err := c.newest.Next(ctx, after)
		if err != nil {
			return nil, err
		}
		after = at
		if seq > newest {
			seq = newest // a page that outlived a restart of ours
		}
		if newest > seq {
			return c.copy(seq, max), nil
		}
	}
}

func (c *Console) copy(seq uint64, max int) []Entry {
	c.mu.Lock()
	defer c.mu.Unlock()
	first := seq + 1
	if c.last >= consoleLines && first < c.last-consoleLines+1 {
		first = c.last - consoleLines + 1
	}
	out := []Entry{}
	for ; first <= c.last && len(out) < max; first++ {
		out = append(out, c.entries[first%consoleLines])
	}
	return out
}

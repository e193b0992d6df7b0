package printer

import (
	"context"
	"layerd/gcode"
	"layerd/internal/latest"
	"slices"
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

// Console is the ring of the last lines in both directions. The owner adds, in two steps, so that no reader comes between an answer and the line
// that it lets go: note keeps a line for itself, without a lock, and tell shows what was noted when the port has its line. Anybody may read.
type Console struct {
	fresh   []noted    // the owner's, not shown yet
	mu      sync.Mutex // guards entries and last; held for a copy of a few KiB, never longer
	entries [consoleLines]noted
	last    uint64 // Seq of the newest entry
	newest  *latest.Value[uint64]
}

// noted is an Entry in the ring. Its buffer is used again and again, so that adding a line allocates nothing.
type noted struct {
	at   time.Time
	dir  string
	text []byte
}

const (
	consoleLines = 2048
	usualLine    = 64 // bytes
)

func newConsole() *Console { return &Console{newest: latest.New(uint64(0))} }

// note keeps a copy of text, to be shown by the next tell.
func (c *Console) note(now time.Time, dir string, text []byte) {
	if len(c.fresh) == cap(c.fresh) {
		c.fresh = append(c.fresh, noted{})
	} else {
		c.fresh = c.fresh[:len(c.fresh)+1]
	}
	e := &c.fresh[len(c.fresh)-1]
	e.at, e.dir = now, dir
	e.text = append(slices.Grow(e.text[:0], usualLine), text[:min(len(text), gcode.MaxReply)]...)
}

// tell shows what was noted since the last.
func (c *Console) tell() {
	if len(c.fresh) == 0 {
		return
	}
	c.mu.Lock()
	for i := range c.fresh {
		c.last++
		e := &c.entries[c.last%consoleLines]
		*e, c.fresh[i] = c.fresh[i], *e // and its buffer is there for the next
	}
	c.newest.Set(c.last) // before anybody can have read that far, and ask for more
	c.mu.Unlock()
	c.fresh = c.fresh[:0]
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

const (
	loggedLines = 50  // of a failed print are kept
	loggedText  = 200 // bytes of each
)

// tail is a copy of the last lines, for the log of a failed print. Only the owner, who adds them, may call it.
func (c *Console) tail() []Entry {
	c.tell()
	last, _ := c.newest.Get()
	entries := c.copy(last-min(last, loggedLines), loggedLines)
	for i := range entries {
		if text := &entries[i].Text; len(*text) > loggedText {
			*text = strings.ToValidUTF8((*text)[:loggedText], "") + "…"
		}
	}
	return entries
}

// copy makes entries of what is newer than seq. It holds the lock a few times for a moment, and makes nothing meanwhile.
func (c *Console) copy(seq uint64, max int) []Entry {
	out := []Entry{}
	var some [64]noted
	var raw [2 * gcode.MaxReply]byte
	for len(out) < max {
		first, n := c.pick(seq, some[:min(len(some), max-len(out))], raw[:])
		if n == 0 {
			break
		}
		for i, e := range some[:n] {
			seq = first + uint64(i)
			out = append(out, Entry{Seq: seq, AtMS: e.at.UnixMilli(), Dir: e.dir, Text: strings.ToValidUTF8(string(e.text), "\uFFFD")})
		}
	}
	return out
}

// pick copies the oldest n entries newer than seq, as many as there is room for. Their texts go to raw.
func (c *Console) pick(seq uint64, into []noted, raw []byte) (first uint64, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if first = seq + 1; c.last >= consoleLines {
		first = max(first, c.last-consoleLines+1)
	}
	for ; n < len(into) && first+uint64(n) <= c.last; n++ {
		e := &c.entries[(first+uint64(n))%consoleLines]
		if len(e.text) > len(raw) {
			break
		}
		size := copy(raw, e.text)
		into[n] = noted{e.at, e.dir, raw[:size]}
		raw = raw[size:]
	}
	return first, n
}

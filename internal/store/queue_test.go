package store

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// queueOf is a store with files a to e, all queued once.
func queueOf(t *testing.T, names string) *Store {
	t.Helper()
	s := open1(t)
	for _, name := range strings.Split(names, "") {
		put(t, s, name+".gcode", part(1))
		if _, err := s.AddToQueue(t.Context(), name+".gcode", 1, "Anna"); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func order(t *testing.T, s *Store) string {
	t.Helper()
	q, err := s.Queue(t.Context())
	must(t, err)
	text := ""
	for _, e := range q {
		text += strings.TrimSuffix(e.File, ".gcode")
		if e.Copies != 1 {
			text += fmt.Sprint(e.Copies)
		}
		if e.Print != "" {
			text += "!"
		}
	}
	return text
}

func TestQueueIsReordered(t *testing.T) {
	s := queueOf(t, "abcd") // IDs 1 to 4
	for _, c := range []struct {
		id, before int64
		want       string
	}{{4, 1, "dabc"}, {4, 0, "abcd"}, {1, 3, "bacd"}, {1, 1, "bacd"}, {3, 4, "bacd"}, {2, 0, "acdb"}} {
		must(t, s.MoveInQueue(t.Context(), c.id, c.before))
		if got := order(t, s); got != c.want {
			t.Errorf("%d before %d: got %s, want %s", c.id, c.before, got, c.want)
		}
	}
	for _, c := range [][2]int64{{9, 1}, {1, 9}} {
		if err := s.MoveInQueue(t.Context(), c[0], c[1]); !errors.Is(err, ErrNoEntry) {
			t.Errorf("%v: got %v, want ErrNoEntry", c, err)
		}
	}
	must(t, s.SetCopies(t.Context(), 3, 5))
	must(t, s.Unqueue(t.Context(), 4))
	if got := order(t, s); got != "ac5b" {
		t.Errorf("got %s", got)
	}
	for _, err := range []error{s.SetCopies(t.Context(), 4, 2), s.Unqueue(t.Context(), 4)} {
		if !errors.Is(err, ErrNoEntry) {
			t.Errorf("of one that is gone: got %v, want ErrNoEntry", err)
		}
	}
	for _, copies := range []int{0, -1, 1000} {
		if err := s.SetCopies(t.Context(), 1, copies); !errors.Is(err, ErrQueue) {
			t.Errorf("%d copies: got %v, want ErrQueue", copies, err)
		}
	}
	if _, err := s.AddToQueue(t.Context(), "gone.gcode", 1, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("a file that is not there: got %v, want ErrNotFound", err)
	}
}

// Several phones reorder, add and take out at once: every entry is there once in the end, and each move was made as a whole.
func TestQueueUnderManyHands(t *testing.T) {
	s := queueOf(t, "abcdefgh")
	var hands sync.WaitGroup
	for hand := range int64(8) {
		hands.Go(func() {
			for i := range int64(12) {
				id, before := (hand*5+i*3)%8+1, (hand+i*7)%9 // 0: to the end
				if err := s.MoveInQueue(t.Context(), id, before); err != nil {
					t.Errorf("move %d before %d: %v", id, before, err)
				}
			}
		})
	}
	hands.Go(func() {
		for range 5 {
			e, err := s.AddToQueue(t.Context(), "a.gcode", 2, "")
			if err == nil {
				err = s.Unqueue(t.Context(), e.ID)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	hands.Wait()
	got := order(t, s)
	if len(got) != 8 {
		t.Fatalf("got %s, want eight entries", got)
	}
	for _, name := range "abcdefgh" {
		if strings.Count(got, string(name)) != 1 {
			t.Errorf("got %s: %c is there %d times", got, name, strings.Count(got, string(name)))
		}
	}
	must(t, s.MoveInQueue(t.Context(), 8, 0))
	if got := order(t, s); !strings.HasSuffix(got, "h") {
		t.Errorf("got %s, want h last", got)
	}
}

func TestQueueCountsCopiesDown(t *testing.T) {
	s := queueOf(t, "ab")
	ctx := t.Context()
	must(t, s.SetCopies(ctx, 1, 2))
	run := func(id, outcome, during, after string) {
		t.Helper()
		must(t, s.BeginPrint(ctx, Print{ID: id, File: "a.gcode", Entry: 1}))
		if got := order(t, s); got != during {
			t.Errorf("%s under way: got %s, want %s", outcome, got, during)
		}
		must(t, s.EndPrint(ctx, Print{ID: id, Outcome: outcome}))
		if got := order(t, s); got != after {
			t.Errorf("%s: got %s, want %s", outcome, got, after)
		}
	}
	run("p1", "failed", "a2!b", "a2b")
	run("p2", "cancelled", "a2!b", "a2b")
	run("p3", "done", "a2!b", "ab")
	if err := s.EndPrint(ctx, Print{ID: "p3", Outcome: "done"}); !errors.Is(err, ErrNoPrint) {
		t.Errorf("ended twice: %v", err)
	}
	must(t, s.BeginPrint(ctx, Print{ID: "other", File: "a.gcode"})) // from the list of files
	must(t, s.EndPrint(ctx, Print{ID: "other", Outcome: "done"}))
	if got := order(t, s); got != "ab" {
		t.Errorf("a print beside the queue: got %s", got)
	}
	run("p4", "done", "a!b", "b")
	if err := s.BeginPrint(ctx, Print{ID: "p5", File: "a.gcode", Entry: 1}); !errors.Is(err, ErrNoEntry) {
		t.Errorf("of an entry that is gone: got %v, want ErrNoEntry", err)
	}
	if _, found, _ := s.LastPrint(ctx); !found {
		t.Error("the history is gone")
	}
}

func TestQueueFollowsItsFiles(t *testing.T) {
	s := queueOf(t, "ab")
	ctx := t.Context()
	if _, err := s.MakeFolder(ctx, "toys"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rename(ctx, "a.gcode", "toys/c.gcode"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Rename(ctx, "toys", "old"); err != nil {
		t.Fatal(err)
	}
	if got := order(t, s); got != "old/cb" {
		t.Errorf("got %s", got)
	}
	must(t, s.Delete(ctx, "b.gcode")) // its entry stays, and the page says that the file is gone
	if got := order(t, s); got != "old/cb" {
		t.Errorf("got %s", got)
	}
}

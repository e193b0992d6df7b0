package store

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func TestHistory(t *testing.T) {
	s := open1(t)
	if _, found, err := s.LastPrint(t.Context()); found || err != nil {
		t.Fatalf("empty history: got %v, %v", found, err)
	}
	begun := Print{ID: "p1", File: "a/b.gcode", SHA256: "00ff", By: "Anna", StartedMS: 1000, Layers: 9}
	if err := s.BeginPrint(t.Context(), begun); err != nil {
		t.Fatal(err)
	}
	if got, found, err := s.LastPrint(t.Context()); !found || err != nil || !reflect.DeepEqual(got, begun) {
		t.Errorf("begun: got %+v, %v, want %+v", got, err, begun)
	}
	going := begun
	going.ElapsedS, going.FilamentMM, going.Line, going.Offset, going.Layer, going.ZMM, going.Percent = 12.5, 300.25, 1<<33, 1<<40, 4, 1.2, 44.4
	if err := s.Journal(t.Context(), going); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := s.LastPrint(t.Context()); !reflect.DeepEqual(got, going) {
		t.Errorf("going: got %+v, want %+v", got, going)
	}
	ended := going
	ended.EndedMS, ended.Outcome, ended.Reason, ended.Fault, ended.Percent = 5000, "failed", "the printer went away", "port_gone", 50
	ended.LinesAgain, ended.ResendPercent, ended.StarvedS, ended.StarvedBy = 1<<33, 2.5, 61.4, "wire"
	if err := s.EndPrint(t.Context(), ended); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := s.LastPrint(t.Context()); !reflect.DeepEqual(got, ended) {
		t.Errorf("ended: got %+v, want %+v", got, ended)
	}
	for doing, err := range map[string]error{
		"journal after the end": s.Journal(t.Context(), going),
		"journal of nothing":    s.Journal(t.Context(), Print{ID: "none"}),
		"end twice":             s.EndPrint(t.Context(), ended),
	} {
		if !errors.Is(err, ErrNoPrint) {
			t.Errorf("%s: got %v, want ErrNoPrint", doing, err)
		}
	}
	for _, bad := range []Print{{}, {ID: "x"}, {File: "a.g"}, {ID: "x", File: "a.g", Outcome: "done"}, begun} {
		if err := s.BeginPrint(t.Context(), bad); err == nil {
			t.Errorf("begun: %+v", bad)
		}
	}
	if err := s.EndPrint(t.Context(), Print{ID: "p1"}); err == nil {
		t.Error("ended without an outcome")
	}
}

func TestEndIsWrittenWhateverTheContext(t *testing.T) {
	s := open1(t)
	put(t, s, "a.gcode", part(1))
	if err := s.BeginPrint(t.Context(), Print{ID: "p", File: "a.gcode"}); err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.EndPrint(over, Print{ID: "p", Outcome: "interrupted"}); err != nil {
		t.Fatal(err)
	}
	if p, _, _ := s.LastPrint(t.Context()); p.Outcome != "interrupted" || p.EndedMS == 0 {
		t.Errorf("got %+v", p)
	}
	if err := s.Delete(t.Context(), "a.gcode"); err != nil {
		t.Errorf("the file is still held: %v", err)
	}
}

func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	s := openIn(t, dir)
	for _, p := range []Print{{ID: "done", File: "a.g", StartedMS: 1}, {ID: "killed", File: "b.g", StartedMS: 2}, {ID: "unborn", File: "c.g", StartedMS: 1 << 50}} {
		if err := s.BeginPrint(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.EndPrint(t.Context(), Print{ID: "done", Outcome: "done", EndedMS: 77}); err != nil {
		t.Fatal(err)
	}
	if err := s.Journal(t.Context(), Print{ID: "killed", Line: 42, Offset: 4242, Layer: 3, ZMM: 0.6}); err != nil {
		t.Fatal(err)
	}
	var journalled int64
	if err := s.db.QueryRow(`SELECT journal_ms FROM prints WHERE id = 'killed'`).Scan(&journalled); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s = openIn(t, dir)
	prints, err := s.Prints(t.Context(), 0, 0)
	if err != nil || len(prints) != 3 {
		t.Fatalf("got %+v, %v", prints, err)
	}
	if p := prints[0]; p.ID != "unborn" || p.Outcome != interrupted || p.EndedMS != 1<<50 {
		t.Errorf("a start in the future: got %+v, want it to end no earlier", p)
	}
	if p := prints[1]; p.ID != "killed" || p.Outcome != interrupted || p.Reason != stoppedPrinting || p.EndedMS != journalled || p.Line != 42 || p.Offset != 4242 {
		t.Errorf("got %+v, want interrupted at %d, line 42", p, journalled)
	}
	if p := prints[2]; p.Outcome != "done" || p.EndedMS != 77 {
		t.Errorf("got %+v, want it as it was", p)
	}
}

func TestPrintsByPage(t *testing.T) {
	s := open1(t)
	for i := range 7 {
		if err := s.BeginPrint(t.Context(), Print{ID: fmt.Sprint(i), File: "a.g", StartedMS: int64(10 * (i + 1))}); err != nil {
			t.Fatal(err)
		}
	}
	var got string
	for before := int64(0); ; {
		page, err := s.Prints(t.Context(), before, 3)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, p := range page {
			got += p.ID
			before = p.StartedMS
		}
		got += " "
	}
	if want := "654 321 0 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCountsPerContent(t *testing.T) {
	s := open1(t)
	a := put(t, s, "a.gcode", part(1))
	put(t, s, "copy of a.gcode", part(1))
	put(t, s, "b.gcode", part(2))
	for i, outcome := range []string{"done", "failed", "done", "cancelled"} {
		id := fmt.Sprint(i)
		if err := s.BeginPrint(t.Context(), Print{ID: id, File: "a.gcode"}); err != nil { // the hash comes from the file
			t.Fatal(err)
		}
		changed := s.Changed()
		if err := s.EndPrint(t.Context(), Print{ID: id, Outcome: outcome}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
		default:
			t.Error("the end of a print does not announce a change of the list")
		}
	}
	if p, _, _ := s.LastPrint(t.Context()); p.SHA256 != a.SHA256 {
		t.Errorf("hash: got %q, want %q", p.SHA256, a.SHA256)
	}
	files, err := s.Files(t.Context())
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	for i, want := range []struct {
		prints  int
		outcome string
	}{{2, "cancelled"}, {0, ""}, {2, "cancelled"}} {
		if files[i].Prints != want.prints || files[i].LastOutcome != want.outcome {
			t.Errorf("%s: got %d, %q, want %+v", files[i].Path, files[i].Prints, files[i].LastOutcome, want)
		}
	}
}

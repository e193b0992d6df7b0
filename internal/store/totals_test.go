package store

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"
)

func printed(t *testing.T, s *Store, id, outcome string, started time.Time, elapsedS, filamentMM float64) {
	t.Helper()
	if err := s.BeginPrint(t.Context(), Print{ID: id, File: id + ".gcode", StartedMS: started.UnixMilli()}); err != nil {
		t.Fatal(err)
	}
	if outcome == "" {
		return
	}
	if err := s.EndPrint(t.Context(), Print{ID: id, Outcome: outcome, ElapsedS: elapsedS, FilamentMM: filamentMM}); err != nil {
		t.Fatal(err)
	}
}

func TestTotals(t *testing.T) {
	s := open1(t)
	if got, err := s.Totals(t.Context(), time.UTC); err != nil || len(got) != 0 {
		t.Errorf("nothing printed: got %v, %v", got, err)
	}
	day := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	printed(t, s, "a", "done", day("2026-10-31T12:00:00Z"), 3600, 1000)
	printed(t, s, "b", "done", day("2026-10-31T23:30:00Z"), 60, 10)
	printed(t, s, "c", "failed", day("2026-11-02T10:00:00Z"), 5, 1)
	printed(t, s, "d", "cancelled", day("2026-11-03T10:00:00Z"), 6, 2)
	printed(t, s, "e", "interrupted", day("2026-11-04T10:00:00Z"), 7, 4)
	printed(t, s, "f", "", day("2026-11-05T10:00:00Z"), 0, 0) // under way
	november := Month{Month: "2026-11", Prints: 3, Cancelled: 1, Failed: 1, Interrupted: 1, PrintedS: 18, FilamentMM: 7}
	october := Month{Month: "2026-10", Prints: 2, Done: 2, PrintedS: 3660, FilamentMM: 1010}
	if got, err := s.Totals(t.Context(), time.UTC); err != nil || !reflect.DeepEqual(got, []Month{november, october}) {
		t.Errorf("in UTC: got %+v, %v", got, err)
	}
	// Where the clock is an hour ahead, the print of half past eleven is November's.
	november.Prints, november.Done, november.PrintedS, november.FilamentMM = 4, 1, 78, 17
	october = Month{Month: "2026-10", Prints: 1, Done: 1, PrintedS: 3600, FilamentMM: 1000}
	if got, err := s.Totals(t.Context(), time.FixedZone("CET", 3600)); err != nil || !reflect.DeepEqual(got, []Month{november, october}) {
		t.Errorf("an hour ahead: got %+v, %v", got, err)
	}
}

func TestEachPrint(t *testing.T) {
	s := open1(t)
	want := 2*eachBatch + 3
	for i := range want {
		printed(t, s, fmt.Sprint(i), "done", time.UnixMilli(int64(1000-i)), 1, 1) // a clock that goes backwards
	}
	var got []string
	err := s.EachPrint(t.Context(), func(p Print) error { got = append(got, p.ID); return nil })
	if err != nil || len(got) != want {
		t.Fatalf("got %d rows, %v, want %d", len(got), err, want)
	}
	for i, id := range got {
		if id != fmt.Sprint(i) {
			t.Fatalf("row %d: got print %s", i, id)
		}
	}
	stop := errors.New("the phone is gone")
	seen := 0
	err = s.EachPrint(t.Context(), func(Print) error {
		if seen++; seen == eachBatch+1 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || seen != eachBatch+1 {
		t.Errorf("stopped in the second batch: got %v after %d rows", err, seen)
	}
}

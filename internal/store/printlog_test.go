package store

import (
	"context"
	"fmt"
	"slices"
	"testing"
)

func TestPrintLog(t *testing.T) {
	s := open1(t)
	kept := []LogLine{{AtMS: 1, Dir: "out", Text: "G1 X1"}, {AtMS: 2, Dir: "in", Text: "Error:\x00 \"Thermal\" '; DROP TABLE prints; --"}}
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.KeepLog(late, "p1", kept[:1]); err != nil {
		t.Errorf("after its context has ended: %v", err)
	}
	if err := s.KeepLog(t.Context(), "p1", kept); err != nil { // as after a disk that was full
		t.Fatal(err)
	}
	if err := s.KeepLog(t.Context(), "p2", nil); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string][]LogLine{"p1": kept, "p2": {}, "none": {}} {
		if got, err := s.PrintLog(t.Context(), id); err != nil || got == nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %+v, %v, want %+v", id, got, err, want)
		}
	}
	for i := range keptLogs {
		if err := s.KeepLog(t.Context(), fmt.Sprint("more", i), kept); err != nil {
			t.Fatal(err)
		}
	}
	for id, want := range map[string]int{"p1": 0, "more0": 2, fmt.Sprint("more", keptLogs-1): 2} {
		if got, err := s.PrintLog(t.Context(), id); err != nil || len(got) != want {
			t.Errorf("%s, after %d more: got %d lines, %v, want %d", id, keptLogs, len(got), err, want)
		}
	}
}

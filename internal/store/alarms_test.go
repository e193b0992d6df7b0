package store

import (
	"bytes"
	"context"
	"errors"
	"testing"
)

func TestAlarms(t *testing.T) {
	s := open1(t)
	first, err := s.KeepAlarm(t.Context(), Alarm{Print: "p1", AtMS: 1000, About: []byte(`{"layer":1}`), Before: []byte("good")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AlarmPicture(t.Context(), first, true); !errors.Is(err, ErrNotKept) {
		t.Errorf("the second picture: got %v, want none yet", err)
	}
	if id, err := s.KeepAlarm(t.Context(), Alarm{ID: first, Print: "p1", About: []byte(`{"layer":2}`), Before: []byte("good"), After: []byte("bad")}); id != first || err != nil {
		t.Errorf("kept again: got %d, %v, want %d", id, err, first)
	}
	if jpeg, err := s.AlarmPicture(t.Context(), first, true); string(jpeg) != "bad" || err != nil {
		t.Errorf("the second picture: got %q, %v", jpeg, err)
	}
	big, err := s.KeepAlarm(t.Context(), Alarm{Print: "p1", AtMS: 2000, About: []byte(`{}`), After: make([]byte, maxEvidenceBytes+1)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.AlarmPicture(t.Context(), big, true); !errors.Is(err, ErrNotKept) {
		t.Errorf("a picture that is too big: got %v, want that it is left out", err)
	}
	list, err := s.Alarms(t.Context(), "p1")
	if err != nil || len(list) != 2 || list[0].ID != first || list[0].AtMS != 1000 || !bytes.Equal(list[0].About, []byte(`{"layer":2}`)) {
		t.Errorf("the list: got %+v, %v", list, err)
	}
	for range keptAlarms {
		if _, err := s.KeepAlarm(t.Context(), Alarm{Print: "p2", About: []byte(`{}`)}); err != nil {
			t.Fatal(err)
		}
	}
	if list, err := s.Alarms(t.Context(), "p1"); err != nil || len(list) != 0 {
		t.Errorf("of the oldest: got %d, %v, want none", len(list), err)
	}
	if _, err := s.KeepAlarm(t.Context(), Alarm{ID: first, Print: "p1"}); !errors.Is(err, ErrNotKept) {
		t.Errorf("one that is gone: got %v, want ErrNotKept", err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if _, err := s.KeepAlarm(over, Alarm{Print: "p3", About: []byte(`{}`)}); !errors.Is(err, context.Canceled) {
		t.Errorf("when nobody waits any more: got %v", err)
	}
}

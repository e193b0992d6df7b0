package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
)

func TestDeciC(t *testing.T) {
	for c, want := range map[float64]string{0: "0", 21.34: "21.3", 209.96: "210", -12.25: "-12.3", 3000: "3000",
		3000.1: "null", -1e9: "null", math.Inf(1): "null", math.NaN(): "null"} {
		text, err := json.Marshal(DeciOf(c))
		if err != nil || string(text) != want {
			t.Errorf("%v °C: got %s, %v, want %s", c, text, err, want)
		}
		var back DeciC
		if err := json.Unmarshal(text, &back); err != nil || back != DeciOf(c) {
			t.Errorf("%s read back: got %v, %v, want %v", text, back, err, DeciOf(c))
		}
	}
	var d DeciC
	if err := json.Unmarshal([]byte(`"hot"`), &d); err == nil {
		t.Error("a word was read as a temperature")
	}
}

func TestCurveIsKept(t *testing.T) {
	s := open1(t)
	if _, err := s.Curve(t.Context(), "p"); !errors.Is(err, ErrNotKept) {
		t.Errorf("before: got %v, want ErrNotKept", err)
	}
	if err := s.BeginPrint(t.Context(), Print{ID: "p", File: "a.g"}); err != nil {
		t.Fatal(err)
	}
	has := func() [3]bool {
		p, _, err := s.LastPrint(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return [3]bool{p.HasCurve, p.HasPicture, p.HasLog}
	}
	if err := s.KeepCurve(t.Context(), "p", Curve{}); err != nil || has() != [3]bool{} {
		t.Errorf("nothing to keep: got %v and curve, picture, log %v, want none", err, has())
	}
	first := Curve{FromMS: 1000, GapMS: 15000, AfterMS: []int64{0}, Heaters: []HeaterCurve{{Name: "bed", ActualC: []DeciC{603}, TargetC: []DeciC{600}}}}
	second := Curve{FromMS: 1000, GapMS: 15000, AfterMS: []int64{0, 900}, Heaters: []HeaterCurve{{Name: "bed", ActualC: []DeciC{603, UnknownC}, TargetC: []DeciC{600, 0}}}}
	for _, want := range []Curve{first, second} {
		if err := s.KeepCurve(t.Context(), "p", want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Curve(t.Context(), "p"); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	if has() != [3]bool{true, false, false} {
		t.Errorf("got curve, picture, log %v, want the curve", has())
	}
	if err := s.KeepPicture(t.Context(), "p", []byte("\xff\xd8\xff\xd9")); err != nil {
		t.Fatal(err)
	}
	if err := s.KeepLog(t.Context(), "p", []LogLine{{Text: "Error"}}); err != nil || has() != [3]bool{true, true, true} {
		t.Errorf("got %v and curve, picture, log %v, want all", err, has())
	}
}

// A journalled curve is written many times. That must not push out those of other prints, which the newest row's number would tell.
func TestCurvesAndPicturesAreBounded(t *testing.T) {
	s := open1(t)
	one := Curve{AfterMS: []int64{0}}
	for i := range keptCurves + 5 {
		if err := s.KeepCurve(t.Context(), fmt.Sprint(i), one); err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if err := s.KeepCurve(t.Context(), "5", one); err != nil {
			t.Fatal(err)
		}
	}
	for i := range keptPictures + 3 {
		if err := s.KeepPicture(t.Context(), fmt.Sprint(i), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	for table, want := range map[string]int{"print_curves": keptCurves, "print_pictures": keptPictures} {
		var n int
		if err := s.db.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil || n != want {
			t.Errorf("%s: got %d rows, %v, want %d", table, n, err, want)
		}
	}
	for id, want := range map[string]error{"4": ErrNotKept, "5": nil, fmt.Sprint(keptCurves + 4): nil} {
		if _, err := s.Curve(t.Context(), id); !errors.Is(err, want) {
			t.Errorf("curve %s: got %v, want %v", id, err, want)
		}
	}
	if _, err := s.Picture(t.Context(), "2"); !errors.Is(err, ErrNotKept) {
		t.Errorf("the oldest picture: got %v, want ErrNotKept", err)
	}
}

func TestPictureIsKept(t *testing.T) {
	s := open1(t)
	if _, err := s.Picture(t.Context(), "p"); !errors.Is(err, ErrNotKept) {
		t.Errorf("before: got %v, want ErrNotKept", err)
	}
	big := bytes.Repeat([]byte{0xff}, MaxPictureBytes)
	for _, want := range [][]byte{[]byte("one"), big} {
		if err := s.KeepPicture(t.Context(), "p", want); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Picture(t.Context(), "p"); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %d bytes, %v, want the %d that were kept", len(got), err, len(want))
		}
	}
	if err := s.KeepPicture(t.Context(), "p", append(big, 0)); err == nil {
		t.Error("a picture over the limit was kept")
	}
	if err := s.KeepPicture(t.Context(), "p", nil); err != nil {
		t.Errorf("no picture: got %v", err)
	}
	if got, _ := s.Picture(t.Context(), "p"); !bytes.Equal(got, big) {
		t.Error("the one before is gone")
	}
}

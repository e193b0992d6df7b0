package server

import (
	"encoding/json"
	"fmt"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

func TestCardList(t *testing.T) {
	r := newRig(t)
	r.printer.card = printer.CardList{ListedMS: 7, Files: []gcode.CardFile{{Path: "A~1.GCO", Name: "a b.gcode", Bytes: 12, Stamp: 0x5976643c}, {Path: "a b.gco", Name: "<b>", Bytes: -1}}}
	w := r.do("GET", "/v1/card", "operator", nil)
	var got CardList
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
		t.Fatalf("got %d %s, %v", w.Code, w.Body, err)
	}
	if !got.Present || got.ListedMS != 7 || len(got.Files) != 2 || got.Files[0].ModifiedMS == 0 || !got.Files[0].Fits || got.Files[1].ModifiedMS != 0 || got.Files[1].Fits || got.Files[1].Name != "<b>" {
		t.Errorf("got %+v", got)
	}
	for err, want := range map[error]struct {
		status int
		code   string
	}{
		printer.ErrNoCard: {200, ""}, printer.ErrNotConnected: {409, "not_connected"}, fmt.Errorf("%w: the printer is halted", printer.ErrWrongState): {409, "wrong_state"},
	} {
		r.printer.failWith(err)
		w := r.do("GET", "/v1/card", "owner", nil)
		if w.Code != want.status || want.code != "" && errorCode(t, w.Body.Bytes()) != want.code {
			t.Errorf("%v: got %d %s", err, w.Code, w.Body)
		}
		if want.status == 200 && w.Body.String() != `{"present":false,"files":[],"listed_ms":0}`+"\n" {
			t.Errorf("%v: got %s", err, w.Body)
		}
	}
}

func TestStartCard(t *testing.T) {
	r := newRig(t)
	if code, a := r.command(t, "operator", `{"id":"1","do":"start_card","file":"A.GCO"}`); code != 200 || a.Job != "card-1" || a.Rev == 0 {
		t.Errorf("got %d %+v", code, a)
	}
	for err, want := range map[error]string{
		fmt.Errorf("%w: it could not be opened, and may be gone", printer.ErrCardFile): "card_file", printer.ErrNoCard: "no_card", printer.ErrWrongState: "wrong_state",
	} {
		r.printer.failWith(err)
		if _, a := r.command(t, "operator", `{"do":"start_card","file":"A.GCO"}`); a.Error == nil || a.Error.Code != want || a.Error.Message == "" || a.Job != "" {
			t.Errorf("%v: got %+v", err, a.Error)
		}
	}
	r.printer.failWith(nil)
	if code, a := r.command(t, "operator", `{"do":"start_card"}`); code != 400 || a.Error.Code != "bad_command" {
		t.Errorf("without file: got %d %+v", code, a.Error)
	}
	before := len(r.printer.called())
	r.printer.change(func(s *printer.Snapshot) {
		s.State, s.Card = printer.Printing, &printer.CardStatus{Present: true, Printing: true, ID: "card-1"}
	})
	for _, text := range []string{`{"do":"start_card","file":"A.GCO"}`, `{"do":"start","file":"cube.gcode"}`} {
		_, a := r.command(t, "operator", text)
		if a.Error == nil || a.Error.Code != "wrong_state" || a.Error.Message != "Not possible in this state: the printer is printing from its card." {
			t.Errorf("%s while it prints from its card: got %+v", text, a.Error)
		}
	}
	if got := r.printer.called(); len(got) != before {
		t.Errorf("it asked the printer %q", got[before:])
	}
	if code, _ := r.command(t, "operator", `{"do":"pause","job":"card-1"}`); code != 200 {
		t.Errorf("pause: got %d", code)
	}
}

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"layerd/internal/power"
	"layerd/printer"
)

func (p *fakePrinter) SetScripts(ctx context.Context, scripts printer.Scripts) (uint64, error) {
	return p.call(ctx, "set_scripts", len(scripts))
}
func (p *fakePrinter) CheckButtons(ctx context.Context, groups []printer.ButtonGroup) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fail
}
func (p *fakePrinter) Press(ctx context.Context, b printer.Button, number float64) (uint64, error) {
	return p.call(ctx, "press", b.Label, number)
}

// exampleCustom is two profiles, and two buttons.
func exampleCustom() Custom {
	other := printer.Presets()[4]
	other.Name = "Other"
	shelf, err := printer.NewShelf(printer.Presets()[0]).Add(other)
	if err != nil {
		panic(err)
	}
	return Custom{Shelf: shelf, Lamp: power.Way{Kind: power.Lines, OnLines: "M355 S1", OffLines: "M355 S0"}, Buttons: Buttons{LastID: 4, Groups: []printer.ButtonGroup{{Name: "Filament", Buttons: []printer.Button{
		{ID: 3, Label: "Light", Lines: "M355 S1"},
		{ID: 4, Label: "Load", Lines: "M104 S{value}\nM117 Load", Confirm: "Is filament at hand?", Number: &printer.ButtonNumber{Label: "Temperature", Unit: "°C", Min: 180, Max: 250, Step: 5, Default: 210}},
	}}}}}
}

// kept are settings in memory, as JSON.
type kept map[string]string

func (k kept) Setting(_ context.Context, key string, v any) (bool, error) {
	text, found := k[key]
	if !found {
		return false, nil
	}
	return true, json.Unmarshal([]byte(text), v)
}

// What an older layerd has kept is there again, and nothing of it is lost.
func TestReadCustom(t *testing.T) {
	old := `{"name":"Kim's","width_mm":235,"depth_mm":235,"height_mm":250,"bed":"rectangle","origin":"corner","nozzles":1,"nozzle_mm":0.6,"max_nozzle_c":300}`
	for _, c := range []struct {
		name        string
		kept        kept
		used        string
		profiles    int
		nozzleC     float64
		scripts     int
		lastID      int
		kinematicss string
	}{
		{"nothing", kept{}, printer.Presets()[0].Name, 1, 260, 0, 0, "cartesian"},
		{"one profile", kept{"profile": old}, "Kim's", 1, 300, 0, 0, "cartesian"},
		{"a delta of before kinematics were asked for", kept{"profile": `{"name":"Rostock","width_mm":200,"depth_mm":200,"bed":"circle","origin":"center","max_nozzle_c":250}`}, "Rostock", 1, 250, 0, 0, "delta"},
		{"several", kept{"profile": old, "profiles": `{"in_use":"b","profiles":[{"name":"a","max_nozzle_c":1},{"name":"b","max_nozzle_c":2,"kinematics":"corexy"}]}`, "scripts": `{"done":"M117 x"}`,
			"buttons": `{"last_id":9,"groups":[{"name":"g","buttons":[]}]}`}, "b", 2, 2, 1, 9, "corexy"},
		{"the one in use is missing", kept{"profiles": `{"in_use":"c","profiles":[{"name":"a","max_nozzle_c":1}]}`}, "a", 1, 1, 0, 0, "cartesian"},
		{"none is saved", kept{"profile": old, "profiles": `{}`}, "Kim's", 1, 300, 0, 0, "cartesian"},
	} {
		got, err := ReadCustom(t.Context(), c.kept)
		used := got.Shelf.Used()
		if err != nil || used.Name != c.used || len(got.Shelf.Profiles) != c.profiles || used.MaxNozzleC != c.nozzleC || len(got.Scripts) != c.scripts || got.Buttons.LastID != c.lastID || used.Kinematics != c.kinematicss {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
	for _, key := range []string{"profile", "profiles", "scripts", "buttons", "lamp"} {
		if _, err := ReadCustom(t.Context(), kept{key: `[`}); err == nil {
			t.Errorf("a broken %s: got no error", key)
		}
	}
}

func TestProfiles(t *testing.T) {
	r := newRig(t)
	ask := func(text string, want int) Answer {
		t.Helper()
		code, a := r.command(t, "owner", text)
		if code != want {
			t.Errorf("%s: got %d %+v, want %d", text, code, a.Error, want)
		}
		return a
	}
	first := printer.Presets()[0].Name
	mine := printer.Presets()[5]
	mine.Name = "Mine"
	text, err := json.Marshal(mine)
	if err != nil {
		t.Fatal(err)
	}
	rev := r.settingsRev.Load()
	ask(`{"do":"save_profile","profile":`+string(text)+`}`, 200)
	if got := r.settingsRev.Load(); got == rev {
		t.Errorf("settings_rev stays %d", got)
	}
	if a := ask(`{"do":"save_profile","profile":`+string(text)+`}`, 409); a.Error == nil || a.Error.Code != "exists" {
		t.Errorf("the name again: got %+v", a.Error)
	}
	ask(`{"do":"choose_profile","name":"Mine"}`, 200)
	ask(`{"do":"choose_profile","name":"Nobody's"}`, 404)
	ask(`{"do":"rename_profile","name":"Mine","to":"Ours"}`, 200)
	ask(`{"do":"rename_profile","name":"Ours","to":"Other"}`, 409)
	ask(`{"do":"rename_profile","name":"Ours","to":"`+strings.Repeat("x", 81)+`"}`, 422)
	ask(`{"do":"rename_profile","name":"Ours"}`, 400)
	ask(`{"do":"delete_profile","name":"Ours"}`, 409)
	ask(`{"do":"delete_profile","name":"Other"}`, 200)
	ask(`{"do":"delete_profile"}`, 400)
	ask(`{"do":"choose_profile"}`, 400)
	ask(`{"do":"save_profile"}`, 400)

	r.printer.failWith(fmt.Errorf("%w: a print is under way", printer.ErrWrongState))
	ask(`{"do":"choose_profile","name":"`+first+`"}`, 409)
	r.printer.failWith(nil)
	want := []string{"set_profile Mine", "set_profile Ours", "set_profile " + first}
	if got := r.printer.called(); !reflect.DeepEqual(got, want) {
		t.Errorf("the printer was asked %q, want %q", got, want)
	}
	var list ProfileList
	if err := json.Unmarshal(r.do("GET", "/v1/profiles", "viewer", nil).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if list.InUse != "Ours" || len(list.Profiles) != 2 || list.Used().HeightMM != mine.HeightMM || len(list.Presets) != len(printer.Presets()) {
		t.Errorf("got %+v", list)
	}
	if kept, ok := r.files.settings["profiles"].(printer.Shelf); !ok || !reflect.DeepEqual(kept, list.Shelf) {
		t.Errorf("kept is %+v, want %+v", r.files.settings["profiles"], list.Shelf)
	}
}

func TestScriptsAreKept(t *testing.T) {
	r := newRig(t)
	bad := printer.Problems{{In: "done", Line: 2, Message: "M112 is the emergency stop"}, {In: "paused", Line: 1, Message: "no"}}
	r.printer.failWith(bad)
	code, a := r.command(t, "owner", `{"do":"set_scripts","scripts":{"done":"M117 x\nM112"}}`)
	if code != 422 || a.Error.Code != "bad_script" || !reflect.DeepEqual(printer.Problems(a.Error.Problems), bad) || a.Error.Message != "Done, line 2: M112 is the emergency stop (and 1 more)." {
		t.Errorf("got %d %+v", code, a.Error)
	}
	if r.files.settings["scripts"] != nil {
		t.Errorf("kept what was refused: %v", r.files.settings["scripts"])
	}
	r.printer.failWith(nil)
	if code, a := r.command(t, "owner", `{"do":"set_scripts","scripts":{"done":"M117 x"}}`); code != 200 {
		t.Errorf("got %d %+v", code, a.Error)
	}
	if code, _ := r.command(t, "owner", `{"do":"set_scripts"}`); code != 400 {
		t.Errorf("no scripts: got %d", code)
	}
	var list ScriptList
	if err := json.Unmarshal(r.do("GET", "/v1/scripts", "viewer", nil).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Scripts) != len(printer.Events()) || list.Scripts[5].Text != "M117 x" || list.Scripts[0].Text != "" || len(list.Values) < 10 {
		t.Errorf("got %+v", list)
	}
}

func TestButtonsAreKeptAndPressed(t *testing.T) {
	r := newRig(t)
	ask := func(role, text string, want int) Answer {
		t.Helper()
		code, a := r.command(t, role, text)
		if code != want {
			t.Errorf("%s: got %d %+v, want %d", text, code, a.Error, want)
		}
		return a
	}
	ask("operator", `{"do":"press","button":4,"value":205}`, 200)
	ask("operator", `{"do":"press","button":3}`, 200)
	ask("operator", `{"do":"press","button":3,"value":1}`, 400)
	ask("operator", `{"do":"press","button":4}`, 400)
	ask("operator", `{"do":"press"}`, 400)
	if a := ask("operator", `{"do":"press","button":5}`, 404); a.Error == nil || a.Error.Code != "no_button" {
		t.Errorf("got %+v", a.Error)
	}
	if got, want := r.printer.called(), []string{"press Load 205", "press Light 0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("the printer was asked %q, want %q", got, want)
	}
	// The button 3 is gone, and its number is never another's.
	ask("owner", `{"do":"set_buttons","groups":[{"name":"New","buttons":[{"id":0,"label":"Fan","lines":"M106","confirm":"","number":null},{"id":4,"label":"Load","lines":"M105","confirm":"","number":null}]}]}`, 200)
	ask("operator", `{"do":"press","button":3}`, 404)
	ask("owner", `{"do":"set_buttons","groups":[{"name":"New","buttons":[{"id":77,"label":"Fan","lines":"M106","confirm":"","number":null}]}]}`, 400)
	ask("owner", `{"do":"set_buttons"}`, 400)
	button := `{"id":0,"label":"Long","lines":"` + strings.Repeat("M117 Hello\\n", 60) + `","confirm":"","number":null}`
	long := `{"do":"set_buttons","groups":[{"name":"Long","buttons":[` + button + strings.Repeat(","+button, maxButtonsJSON/len(button)) + `]}]}`
	if a := ask("owner", long, 422); a.Error == nil || len(a.Error.Problems) != 1 {
		t.Errorf("%d bytes of buttons: got %+v, want one problem", len(long), a.Error)
	}
	r.printer.failWith(printer.Problems{{In: "Fan", Line: 1, Message: "no"}})
	ask("owner", `{"do":"set_buttons","groups":[]}`, 422)
	r.printer.failWith(nil)
	var list ButtonList
	if err := json.Unmarshal(r.do("GET", "/v1/buttons", "viewer", nil).Body.Bytes(), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Groups) != 1 || list.Groups[0].Buttons[0].ID != 5 || list.Groups[0].Buttons[1].ID != 4 {
		t.Errorf("got %+v", list)
	}
	ask("owner", `{"do":"set_buttons","groups":[]}`, 200)
	if kept, ok := r.files.settings["buttons"].(Buttons); !ok || kept.LastID != 5 || len(kept.Groups) != 0 {
		t.Errorf("kept is %+v", r.files.settings["buttons"])
	}
}

// What cannot be kept on the disk is not shown as if it were.
func TestCustomIsNotChangedWhenItCannotBeKept(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Files = failing{c.Files} })
	if code, _ := r.command(t, "owner", `{"do":"choose_profile","name":"Other"}`); code != 500 {
		t.Errorf("got %d, want 500", code)
	}
	if got := r.custom.get().Shelf.InUse; got == "Other" {
		t.Errorf("%s is shown as the one in use", got)
	}
	want := []string{"set_profile Other", "set_profile " + printer.Presets()[0].Name}
	if got := r.printer.called(); !reflect.DeepEqual(got, want) {
		t.Errorf("the printer was asked %q, want %q: it has what is kept", got, want)
	}
}

type fullDisk = Files

type failing struct{ fullDisk }

func (failing) SetSetting(context.Context, string, any) error { return errors.New("the disk is gone") }

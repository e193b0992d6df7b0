package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
)

// shelf is a store with two spools, of which the first is on tool 0.
func shelf(t *testing.T) (s *Store, red, blue ActiveSpool) {
	t.Helper()
	s = open1(t)
	on := func(name string) ActiveSpool {
		id, err := s.SaveSpool(t.Context(), SpoolEdit{Name: name, Material: "PLA", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
		if err != nil {
			t.Fatal(err)
		}
		return ActiveSpool{Spool: id, Name: name, GPerM: GPerM(1.75, 1.24)}
	}
	red, blue = on("red"), on("blue")
	must(t, s.PutOn(t.Context(), red))
	return s, red, blue
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func used(t *testing.T, s *Store) map[string]float64 {
	t.Helper()
	spools, err := s.Spools(t.Context())
	must(t, err)
	mm := map[string]float64{}
	for _, p := range spools {
		if p.UsedMM != 0 {
			mm[p.Name] = math.Round(p.UsedMM*100) / 100
		}
	}
	return mm
}

// Whoever corrects a spool's size does not say that some of it was used, or came back.
func TestWhatIsLeftStaysWhenTheSizeIsCorrected(t *testing.T) {
	s := open1(t)
	left := 400.0
	e := SpoolEdit{Name: "a", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, LeftG: &left}
	var err error
	e.ID, err = s.SaveSpool(t.Context(), e)
	must(t, err)
	e.LeftG = nil
	for _, c := range []struct {
		doing   string
		correct func()
		want    float64
	}{
		{"nothing", func() {}, 400},
		{"its weight", func() { e.WeightG = 750 }, 400},
		{"its density", func() { e.DensityGCM3 = 2.48 }, 400},
		{"its diameter", func() { e.DiameterMM = 2.85 }, 400},
		{"its weight, to less than was left", func() { e.WeightG = 250 }, 250},
		{"a full one's weight", func() { e.WeightG = 300 }, 300},
	} {
		c.correct()
		_, err := s.SaveSpool(t.Context(), e)
		must(t, err)
		all, err := s.Spools(t.Context())
		must(t, err)
		if math.Abs(all[0].LeftG-c.want) > 1e-6 {
			t.Errorf("after %s: got %g g left, want %g", c.doing, all[0].LeftG, c.want)
		}
	}
}

func TestSpoolsAreKept(t *testing.T) {
	s := open1(t)
	left := 250.0
	id, err := s.SaveSpool(t.Context(), SpoolEdit{Name: "PLA «red»", Material: "PLA", Colour: "#FF0000", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, SpoolG: 200, Cost: 19.9, LeftG: &left})
	must(t, err)
	got, err := s.Spools(t.Context())
	must(t, err)
	perM := GPerM(1.75, 1.24) // 2.9825 g/m, as every table has it
	if math.Abs(perM-2.9825) > 0.001 {
		t.Fatalf("got %v g/m", perM)
	}
	want := Spool{ID: id, Name: "PLA «red»", Material: "PLA", Colour: "#ff0000", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, SpoolG: 200, Cost: 19.9}
	p := got[0]
	p.UsedMM, p.LeftMM, p.LeftG = 0, 0, 0
	if len(got) != 1 || p != want || math.Abs(got[0].LeftG-250) > 1e-6 || math.Abs(got[0].LeftMM-250_000/perM) > 1e-6 || math.Abs(got[0].UsedMM-750_000/perM) > 1e-6 {
		t.Errorf("got %+v, want %+v with 250 g left", got, want)
	}
	// Changing the name alone leaves what is left; archiving takes it off its tool.
	must(t, s.PutOn(t.Context(), ActiveSpool{Tool: 1, Spool: id, Name: "x", GPerM: 1}))
	_, err = s.SaveSpool(t.Context(), SpoolEdit{ID: id, Name: "new", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
	must(t, err)
	if on, _ := s.ActiveSpools(t.Context()); len(on) != 1 || on[0] != (ActiveSpool{1, id, "new", perM}) {
		t.Errorf("on the tools: %+v", on)
	}
	_, err = s.SaveSpool(t.Context(), SpoolEdit{ID: id, Name: "new", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000, Archived: true})
	must(t, err)
	if got, _ = s.Spools(t.Context()); math.Abs(got[0].LeftG-250) > 1e-6 || !got[0].Archived || got[0].Name != "new" {
		t.Errorf("got %+v", got)
	}
	if on, _ := s.ActiveSpools(t.Context()); len(on) != 0 {
		t.Errorf("an archived spool is on a tool: %+v", on)
	}
}

func TestSpoolsThatCannotBe(t *testing.T) {
	s := open1(t)
	fine := SpoolEdit{Name: "a", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000}
	for name, change := range map[string]func(*SpoolEdit){
		"no name":        func(e *SpoolEdit) { e.Name = "" },
		"a long name":    func(e *SpoolEdit) { e.Name = strings.Repeat("é", 61) },
		"a control byte": func(e *SpoolEdit) { e.Name = "a\x1b[2J" },
		"no diameter":    func(e *SpoolEdit) { e.DiameterMM = 0 },
		"no number":      func(e *SpoolEdit) { e.DensityGCM3 = math.NaN() },
		"heavy":          func(e *SpoolEdit) { e.WeightG = 1e9 },
		"a colour":       func(e *SpoolEdit) { e.Colour = "red" },
		"more colour":    func(e *SpoolEdit) { e.Colour = "#12345g" },
		"less than none": func(e *SpoolEdit) { e.LeftG = new(float64); *e.LeftG = -1 },
	} {
		bad := fine
		change(&bad)
		if _, err := s.SaveSpool(t.Context(), bad); !errors.Is(err, ErrSpool) {
			t.Errorf("%s: got %v, want ErrSpool", name, err)
		}
	}
	fine.ID = 7
	if _, err := s.SaveSpool(t.Context(), fine); !errors.Is(err, ErrNoSpool) {
		t.Errorf("one that is not there: got %v, want ErrNoSpool", err)
	}
	if err := s.PutOn(t.Context(), ActiveSpool{Tool: 16, Spool: 1}); !errors.Is(err, ErrSpool) {
		t.Errorf("on tool 16: got %v, want ErrSpool", err)
	}
	if got, _ := s.Spools(t.Context()); len(got) != 0 {
		t.Errorf("kept %+v", got)
	}
}

// What a print uses is booked once, however often it is written, to the spool that was on at the time.
func TestUseIsBookedOnce(t *testing.T) {
	s, red, blue := shelf(t)
	ctx := t.Context()
	must(t, s.BeginPrint(ctx, Print{ID: "a", File: "a.gcode"}))
	at := func(mm ...float64) Print { return Print{ID: "a", Outcome: "done", FilamentMM: 1, ToolsMM: mm} }
	for _, mm := range []float64{100, 250, 250, 250} { // a repeat changes nothing
		must(t, s.Journal(ctx, at(mm)))
	}
	wants := func(when string, want map[string]float64) {
		t.Helper()
		if got := used(t, s); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: used %v, want %v", when, got, want)
		}
	}
	wants("before the change", map[string]float64{"red": 250})
	must(t, s.PutOn(ctx, blue))
	must(t, s.PutOn(ctx, blue)) // the same tap twice
	wants("after the change", map[string]float64{"red": 250})
	must(t, s.Journal(ctx, at(400)))
	must(t, s.PutOn(ctx, red)) // and back
	must(t, s.Journal(ctx, at(401)))
	must(t, s.PutOn(ctx, ActiveSpool{})) // off
	must(t, s.Journal(ctx, at(411)))
	must(t, s.PutOn(ctx, blue))
	must(t, s.EndPrint(ctx, at(500)))
	want := map[string]float64{"red": 251, "blue": 150 + 89}
	wants("after the end", want)
	if err := s.EndPrint(ctx, at(900)); !errors.Is(err, ErrNoPrint) {
		t.Errorf("ended twice: got %v", err)
	}
	if err := s.Journal(ctx, at(900)); !errors.Is(err, ErrNoPrint) {
		t.Errorf("journalled after the end: got %v", err)
	}
	must(t, s.PutOn(ctx, red)) // the print is over
	wants("in the end", want)
	p, _, err := s.LastPrint(ctx)
	must(t, err)
	if perM := GPerM(1.75, 1.24); math.Abs(p.FilamentG-perM*0.490) > 1e-6 || p.Spools != "red,blue" && p.Spools != "blue,red" {
		t.Errorf("the history says %v g of %q, want %v g of both", p.FilamentG, p.Spools, perM*0.49)
	}
}

func TestUseByTool(t *testing.T) {
	s, _, blue := shelf(t)
	ctx := t.Context()
	blue.Tool = 2
	must(t, s.PutOn(ctx, blue))
	must(t, s.BeginPrint(ctx, Print{ID: "a", File: "a.gcode"}))
	must(t, s.Journal(ctx, Print{ID: "a", ToolsMM: []float64{10, 20, 30}}))
	if got := used(t, s); !reflect.DeepEqual(got, map[string]float64{"red": 10, "blue": 30}) {
		t.Errorf("used %v", got)
	}
	// A spool is on one tool at a time: blue goes from tool 2 to tool 1, in mid-print.
	blue.Tool = 1
	must(t, s.PutOn(ctx, blue))
	must(t, s.EndPrint(ctx, Print{ID: "a", Outcome: "cancelled", ToolsMM: []float64{11, 25, 40}}))
	if got := used(t, s); !reflect.DeepEqual(got, map[string]float64{"red": 11, "blue": 35}) {
		t.Errorf("used %v", got)
	}
	if on, _ := s.ActiveSpools(ctx); len(on) != 2 || on[1].Tool != 1 {
		t.Errorf("on the tools: %+v", on)
	}
}

// Without spools a print is counted as before, and one that is put on in the middle counts from there.
func TestASpoolThatIsPutOnInMidPrint(t *testing.T) {
	s, red, _ := shelf(t)
	ctx := t.Context()
	must(t, s.PutOn(ctx, ActiveSpool{}))
	must(t, s.BeginPrint(ctx, Print{ID: "a", File: "a.gcode"}))
	must(t, s.Journal(ctx, Print{ID: "a", ToolsMM: []float64{100}}))
	must(t, s.PutOn(ctx, red))
	must(t, s.EndPrint(ctx, Print{ID: "a", Outcome: "failed", ToolsMM: []float64{130}}))
	if got := used(t, s); !reflect.DeepEqual(got, map[string]float64{"red": 30}) {
		t.Errorf("used %v", got)
	}
}

func TestWhatSpoolmanIsTold(t *testing.T) {
	s := open1(t)
	s.SpoolsFrom(Spoolman)
	ctx := t.Context()
	due := func() string {
		t.Helper()
		uses, err := s.DueUses(ctx)
		must(t, err)
		text := ""
		for _, u := range uses {
			text += fmt.Sprintf("%s/%d/%d spool %d %g (%g of %g) ", u.Print, u.Tool, u.Part, u.Spool, u.MM, u.SendingMM, u.SeenMM)
		}
		return strings.TrimSpace(text)
	}
	is := func(want string) {
		t.Helper()
		if got := due(); got != want {
			t.Errorf("due is %q, want %q", got, want)
		}
	}
	must(t, s.PutOn(ctx, ActiveSpool{Spool: 12, Name: "far", GPerM: 3}))
	must(t, s.BeginPrint(ctx, Print{ID: "a", File: "a.gcode"}))
	must(t, s.Journal(ctx, Print{ID: "a", ToolsMM: []float64{100}}))
	is("") // a part that goes on is told when it has ended
	if mm, _ := s.UntoldMM(ctx); mm[12] != 100 {
		t.Errorf("untold: %v", mm)
	}
	must(t, s.PutOn(ctx, ActiveSpool{Spool: 13, Name: "near", GPerM: 3}))
	is("a/0/0 spool 12 100 (0 of 0)")
	uses, _ := s.DueUses(ctx)
	must(t, s.SendingUse(ctx, uses[0], 7))
	is("a/0/0 spool 12 100 (100 of 7)")
	must(t, s.UnsentUse(ctx, uses[0]))
	must(t, s.SendingUse(ctx, uses[0], 8))
	must(t, s.SentUse(ctx, uses[0]))
	is("")
	must(t, s.EndPrint(ctx, Print{ID: "a", Outcome: "done", ToolsMM: []float64{150}}))
	is("a/0/1 spool 13 50 (0 of 0)")
	uses, _ = s.DueUses(ctx)
	must(t, s.LostUse(ctx, uses[0]))
	is("")
	if got := used(t, s); len(got) != 0 {
		t.Errorf("our own spools have lost %v", got)
	}
}

func TestSpoolsRing(t *testing.T) {
	s, red, _ := shelf(t)
	rang := func(what string, do func(context.Context) error) {
		t.Helper()
		heard := s.SpoolsChanged()
		must(t, do(t.Context()))
		select {
		case <-heard:
		default:
			t.Errorf("%s: nobody was told", what)
		}
	}
	rang("put on", func(ctx context.Context) error { return s.PutOn(ctx, red) })
	rang("save", func(ctx context.Context) error {
		_, err := s.SaveSpool(ctx, SpoolEdit{Name: "a", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
		return err
	})
	must(t, s.BeginPrint(t.Context(), Print{ID: "a", File: "a.gcode"}))
	rang("the end of a print", func(ctx context.Context) error { return s.EndPrint(ctx, Print{ID: "a", Outcome: "done"}) })
}

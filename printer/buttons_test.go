package printer

import (
	"errors"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestButtonsAreChecked(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	number := ButtonNumber{Label: "Temperature", Unit: "°C", Min: 150, Max: 250, Step: 5, Default: 200}
	good := Button{ID: 1, Label: "Preheat", Lines: "M104 S{value}\nM117 {value} at layer {layer}", Confirm: "Really?", Number: &number}
	for _, c := range []struct {
		name   string
		change func(b *Button, n *ButtonNumber)
		line   int
		want   string // "" = it is fine
	}{
		{"as it is", func(*Button, *ButtonNumber) {}, 0, ""},
		{"a macro", func(b *Button, _ *ButtonNumber) { b.Lines = "LOAD_FILAMENT TEMP={value}" }, 0, ""},
		{"no label", func(b *Button, _ *ButtonNumber) { b.Label = "  " }, 0, "label"},
		{"a label that cannot be seen", func(b *Button, _ *ButtonNumber) { b.Label = "a\u202eb" }, 0, "label"},
		{"no lines", func(b *Button, _ *ButtonNumber) { b.Lines = "; nothing" }, 0, "no line"},
		{"many lines", func(b *Button, _ *ButtonNumber) { b.Lines = "M104 S{value}" + strings.Repeat("\nM105", 20) }, 21, "at most 20"},
		{"a question without end", func(b *Button, _ *ButtonNumber) { b.Confirm = strings.Repeat("?", 201) }, 0, "question"},
		{"too hot at most", func(_ *Button, n *ButtonNumber) { n.Max = 300 }, 1, "300"},
		{"no number asked", func(b *Button, _ *ButtonNumber) { b.Number = nil }, 1, "asks for none"},
		{"number unused", func(b *Button, _ *ButtonNumber) { b.Lines = "M105" }, 0, "no line has {value}"},
		{"unknown name", func(b *Button, _ *ButtonNumber) { b.Lines += "\nM117 {file}" }, 3, "no value {file}"},
		{"M112", func(b *Button, _ *ButtonNumber) { b.Lines += "\nm112" }, 3, "M112"},
		{"M110", func(b *Button, _ *ButtonNumber) { b.Lines += "\nM110 N1" }, 3, "M110"},
		{"a number of its own", func(b *Button, _ *ButtonNumber) { b.Lines += "\nN1 M112" }, 3, "numbers the lines"},
		{"limits turned round", func(_ *Button, n *ButtonNumber) { n.Min = 260 }, 0, "not below"},
		{"no step", func(_ *Button, n *ButtonNumber) { n.Step = 0 }, 0, "step"},
		{"begins outside", func(_ *Button, n *ButtonNumber) { n.Default = 20 }, 0, "begins at 20"},
		{"no end of numbers", func(_ *Button, n *ButtonNumber) { n.Max = 1e9 }, 0, "between -100000"},
		{"no name of the number", func(_ *Button, n *ButtonNumber) { n.Label = "" }, 0, "number's name"},
	} {
		b, n := good, number
		b.Number = &n
		c.change(&b, &n)
		problems := s.checkButtons([]ButtonGroup{{Name: "Heat", Buttons: []Button{b}}})
		if c.want == "" {
			if len(problems) > 0 {
				t.Errorf("%s: got %v", c.name, problems)
			}
			continue
		}
		if len(problems) == 0 || problems[0].Line != c.line || !strings.Contains(problems.Error(), c.want) {
			t.Errorf("%s: got %v, want %q in line %d", c.name, problems, c.want, c.line)
		}
	}
	for want, groups := range map[string][]ButtonGroup{
		"two buttons have the id 1": {{Name: "a", Buttons: []Button{good, good}}},
		"group's name":              {{Name: ""}},
		"at most 20":                make([]ButtonGroup, 21),
		"at most 30 buttons":        {{Name: "a", Buttons: make([]Button, 31)}},
	} {
		if problems := s.checkButtons(groups); !strings.Contains(problems.Error(), want) {
			t.Errorf("got %v, want %q", problems, want)
		}
	}
}

// A button is pressed as if its lines were typed: all or none, and in the middle of a print by the console's rules.
func TestPress(t *testing.T) {
	whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud = 250000 }, func(r *rig) {
		r.becomes(Idle)
		heat := Button{Label: "Preheat", Lines: "M104 S{value}\nM140 S60", Number: &ButtonNumber{Label: "Temperature", Unit: "°C", Min: 150, Max: 250, Step: 5, Default: 200}}
		r.must(r.p.Press(r.Context(), heat, 185.5))
		await(r.T, r.p, func(s *Snapshot) bool {
			return len(s.Nozzles) > 0 && s.Nozzles[0].TargetC == 185.5 && s.Bed.TargetC == 60
		})
		for _, v := range []float64{149, 251} {
			if _, err := r.p.Press(r.Context(), heat, v); !errors.Is(err, ErrLimit) {
				r.Errorf("%g: got %v", v, err)
			}
		}
		if _, err := r.p.Press(r.Context(), Button{Label: "x", Lines: "M117 {layer}"}, 0); err == nil || !strings.Contains(err.Error(), "nobody knows {layer}") {
			r.Errorf("a layer without a print: got %v", err)
		}
		r.print("j1", "G28\n"+strings.Repeat("G1 X5 F600\nG1 X50\n", 500), nil)
		r.becomes(Printing)
		if _, err := r.p.Press(r.Context(), Button{Label: "Centre", Lines: "M117 never\nG1 X100"}, 0); !errors.Is(err, ErrBadCommand) || !strings.Contains(err.Error(), "line 2") {
			r.Errorf("a move in the middle of a print: got %v", err)
		}
		r.must(r.p.Press(r.Context(), Button{Label: "Tell", Lines: "M117 at {percent}"}, 0))
		r.must(r.p.Cancel(r.Context(), "j1"))
		r.becomes(Idle)
		if slices.ContainsFunc(r.sim.Executed(), func(l string) bool { return strings.Contains(l, "M117 never") }) {
			r.Error("part of a refused button was sent")
		}
		if _, err := r.p.Press(r.Context(), Button{Label: "x", Lines: "M112"}, 0); !errors.Is(err, ErrBadCommand) {
			r.Errorf("an emergency stop in disguise: got %v", err)
		}
	})
}

// After a fault a button only cools.
func TestPressAfterAFault(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	s.open, s.state, s.fault = true, Faulted, &Fault{Code: FaultLine}
	for lines, want := range map[string]string{"M104 S0\nM107": "", "G28": "after a fault only", "M104 S200": "after a fault only", "MACRO": "only G, M and T"} {
		_, err := s.pressed(time.Now(), Button{Label: "x", Lines: lines}, 0)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", lines, err, want)
		}
	}
}

func TestShelf(t *testing.T) {
	a, b := Presets()[0], Presets()[4]
	s := NewShelf(a)
	must := func(s Shelf, err error) Shelf {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	with := must(s.Add(b))
	if len(s.Profiles) != 1 || with.Used().Name != a.Name {
		t.Errorf("adding chose the new one, or changed the old shelf: %+v", with)
	}
	chosen := must(with.Choose(b.Name))
	renamed := b
	renamed.Name = "Mine"
	kept := must(chosen.Replace(b.Name, renamed))
	if kept.InUse != "Mine" || kept.Used().WidthMM != b.WidthMM || chosen.InUse != b.Name {
		t.Errorf("got %+v", kept)
	}
	if left := must(kept.Delete(a.Name)); len(left.Profiles) != 1 || len(kept.Profiles) != 2 {
		t.Errorf("got %+v", left)
	}
	taken := renamed
	taken.Name = a.Name
	many := s
	for i := range maxProfiles - 1 {
		p := b
		p.Name = strings.Repeat("x", i+1)
		many = must(many.Add(p))
	}
	for what, err := range map[string]error{
		"the same name":     second(with.Add(b)),
		"choose nobody":     second(with.Choose("none")),
		"delete the chosen": second(chosen.Delete(b.Name)),
		"delete nobody":     second(chosen.Delete("none")),
		"replace nobody":    second(chosen.Replace("none", b)),
		"take a name":       second(kept.Replace("Mine", taken)),
		"too many":          second(many.Add(b)),
	} {
		if err == nil {
			t.Errorf("%s: got no error", what)
		}
	}
	if _, ok := (Shelf{InUse: "x"}).Whole(); ok {
		t.Error("a shelf without its profile is whole")
	}
}

func second(_ Shelf, err error) error { return err }

package printer

import (
	"encoding/json"
	"errors"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
)

// A profile that was kept before its newest keys were there loads, and means what it meant.
func TestOldProfilesLoad(t *testing.T) {
	for _, c := range []struct{ text, kinematics string }{
		{`{"name":"a","width_mm":220,"bed":"rectangle","origin":"corner","nozzles":1}`, "cartesian"},
		{`{"name":"b","width_mm":220,"bed":"rectangle","origin":"center","nozzles":2}`, "cartesian"},
		{`{"name":"c","width_mm":200,"bed":"circle","origin":"center","nozzles":1}`, "delta"},
		{`{"name":"d","bed":"circle","origin":"center","kinematics":"cartesian"}`, "cartesian"},
	} {
		var p Profile
		if err := json.Unmarshal([]byte(c.text), &p); err != nil {
			t.Fatal(err)
		}
		whole := p.Whole()
		if whole.Kinematics != c.kinematics || whole.Tools == nil || whole.SharedNozzle || whole.Name != p.Name || whole.WidthMM != p.WidthMM {
			t.Errorf("%s: got %+v", c.text, whole)
		}
	}
	if p := (Profile{Nozzles: 3, Mixing: true}).Whole(); !p.SharedNozzle || p.heaters() != 1 {
		t.Errorf("filaments that are mixed come out of one nozzle: got %+v", p)
	}
}

// A tool beside the first one reaches less far on one side, and parks where it can.
func TestToolOffsets(t *testing.T) {
	p := Presets()[0]
	p.Nozzles, p.Tools = 3, []Tool{{}, {XMM: 18, YMM: -5}}
	for _, c := range []struct {
		axis, tool int
		low, high  float64
	}{{0, 0, 0, 220}, {0, 1, 18, 220}, {1, 1, 0, 215}, {2, 1, 0, 250}, {0, 2, 0, 220}} {
		if low, high := p.span(c.axis, Position{}, c.tool); low != c.low || high != c.high {
			t.Errorf("axis %d of tool %d: got %g to %g, want %g to %g", c.axis, c.tool, low, high, c.low, c.high)
		}
	}
	for tool, want := range [][2]float64{{5, 210}, {18, 210}, {5, 210}} {
		if x, y := p.park(tool); x != want[0] || y != want[1] {
			t.Errorf("tool %d parks at %g %g, want %v", tool, x, y, want)
		}
	}
	p.Tools[1].XMM = 400
	if low, high := p.span(0, Position{}, 1); low > high {
		t.Errorf("a tool that reaches nothing: got %g to %g", low, high)
	}
}

// What is switched off, and what comes back after a pause, by how many nozzles there are.
func TestHeatersOfTools(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Profile)
		said   int // nozzles that the firmware reports
		off    []string
		back   []string // after T1 and M104 S200
	}{
		{"one", func(*Profile) {}, 1, []string{"M104 S0", "M140 S0"}, []string{"M104 S200", "M109 S200"}},
		{"two", func(p *Profile) { p.Nozzles = 2 }, 2, []string{"M104 T0 S0", "M104 T1 S0", "M140 S0"}, []string{"M104 S200", "M109 S200"}},
		{"shared", func(p *Profile) { p.Nozzles, p.SharedNozzle = 3, true }, 1, []string{"M104 S0", "M140 S0"}, []string{"M104 S200", "M109 S200"}},
		{"mixing", func(p *Profile) { p.Nozzles, p.Mixing = 2, true }, 1, []string{"M104 S0", "M140 S0"}, []string{"M104 S200", "M109 S200"}},
		{"shared, and two are reported", func(p *Profile) { p.Nozzles, p.SharedNozzle = 2, true }, 2,
			[]string{"M104 S0", "M104 T0 S0", "M104 T1 S0", "M140 S0"}, []string{"M104 S200", "M109 S200"}},
	} {
		p := Presets()[0]
		c.change(&p)
		s := newSession(p.Whole(), nil, func(string, []byte) {})
		s.seen.nozzles = make([]Heater, c.said)
		s.seen.nozzles[0].ActualC = 200
		if got := s.heatersOff(); !slices.Equal(got, c.off) {
			t.Errorf("%s: off is %q, want %q", c.name, got, c.off)
		}
		s.modal.apply([]byte("T1"), true)
		s.modal.apply([]byte("M104 S200"), true)
		if got := reheat(s.modal); !slices.Equal(got, c.back) {
			t.Errorf("%s: it heats again with %q, want %q", c.name, got, c.back)
		}
		if hot, want := s.hot(), p.Whole().shares(); c.name != "one" && hot != want {
			t.Errorf("%s: with T1 in use the nozzle is hot: %v, want %v", c.name, hot, want)
		}
	}
}

// Whichever tool is meant, the nozzle that they share is heated, without a word that would only set a standby target.
func TestSharedNozzleIsHeated(t *testing.T) {
	shared := Presets()[0]
	shared.Nozzles, shared.SharedNozzle = 3, true
	whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud, c.Profile = 250000, shared }, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetNozzle(r.Context(), 2, 200))
		await(r.T, r.p, func(s *Snapshot) bool { return len(s.Nozzles) > 0 && s.Nozzles[0].TargetC == 200 })
		if _, err := r.p.SetNozzle(r.Context(), 3, 200); !errors.Is(err, ErrLimit) {
			r.Errorf("a tool that is not there: got %v", err)
		}
		if !slices.Contains(r.sim.Executed(), "M104 S200") {
			r.Errorf("it executed %q", r.sim.Executed())
		}
	})
}

// A delta homes all axes whichever is named, and not in the middle of a print.
func TestDeltaHomesAll(t *testing.T) {
	whole(t, printertest.Config{Baud: 250000, Speed: 1, Heat: 1}, func(c *Config) { c.Baud, c.Profile = 250000, Presets()[len(Presets())-1] }, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.Home(r.Context(), "x"))
		await(r.T, r.p, func(s *Snapshot) bool { return s.Homed })
		r.print("j1", strings.Repeat("G1 X5 F600\nG1 X0\n", 200), nil)
		r.becomes(Printing)
		r.must(r.p.Pause(r.Context(), "j1"))
		r.becomes(Paused)
		if _, err := r.p.Home(r.Context(), "x"); !errors.Is(err, ErrBadCommand) {
			r.Errorf("in a pause: got %v", err)
		}
	})
}

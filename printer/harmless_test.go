package printer

import (
	"errors"
	"strings"
	"testing"
)

// Every rule of the console in mid-print: what is harmless goes, what breaks something is refused with what, and what nobody knows is refused too.
func TestHarmless(t *testing.T) {
	type expectation struct {
		line, why string          // why "" = it is taken
		paused    map[bool]string // another in a pause
	}
	var all []expectation
	for name := range harmless {
		all = append(all, expectation{line: name})
	}
	for name, letters := range asks {
		all = append(all, expectation{line: name})
		for _, letter := range letters {
			all = append(all, expectation{line: name + " " + string(letter)}, expectation{line: name + " " + string(letter) + "1"})
		}
		why := "it is not known"
		if what, ok := breaks[name]; ok {
			why = what
		}
		all = append(all, expectation{line: name + " Z5", why: why}, expectation{line: name + " S1 V", why: why})
	}
	for name, what := range breaks {
		if _, ok := asks[name]; ok {
			continue
		}
		e := expectation{line: name + " X1", why: "during a print it would change " + what}
		if undone[name] {
			e.paused = map[bool]string{true: ""}
		}
		all = append(all, e)
	}
	for name, why := range instead {
		all = append(all, expectation{line: name + " S5", why: why})
	}
	all = append(all, expectation{line: "T0", why: "the tool"}, expectation{line: "T1", why: "the tool"}, expectation{line: "M4711", why: "not known"},
		expectation{line: "SAVE_CONFIG", why: "not known"}, expectation{line: "SET_PRESSURE_ADVANCE ADVANCE=0.05"}, expectation{line: "M42 P4 S255", why: "not known"},
		expectation{line: "M851", why: ""}, expectation{line: "M851 Z-1.2", why: "the bed's levelling"}, expectation{line: "M420 V1", why: ""}, expectation{line: "M420 S0", why: "the bed's levelling"})
	for _, e := range all {
		for _, state := range []State{Starting, Printing, Pausing, Paused, Resuming, Cancelling, Finishing} {
			s := newSession(Presets()[0], nil, nil)
			s.state = state
			want := e.why
			if other, ok := e.paused[state == Paused]; ok {
				want = other
			}
			_, err := s.typedLine(e.line)
			switch {
			case want == "" && err != nil:
				t.Errorf("%v: %q: got %v, want it taken", state, e.line, err)
			case want != "" && (!errors.Is(err, ErrBadCommand) || !strings.Contains(err.Error(), want)):
				t.Errorf("%v: %q: got %v, want it refused with %q", state, e.line, err, want)
			}
		}
		s := newSession(Presets()[0], nil, nil)
		s.state = Idle
		if _, err := s.typedLine(e.line); err != nil {
			t.Errorf("idle: %q: got %v", e.line, err)
		}
	}
	if len(all) < 120 {
		t.Errorf("only %d rules were tried", len(all))
	}
}

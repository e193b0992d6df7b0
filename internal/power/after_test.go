package power

import (
	"testing"
	"time"

	"layerd/printer"
)

// moment is what happens in a print's life, and what must come of it.
type moment struct {
	after time.Duration // since the one before
	see   func(*printer.Snapshot)
	do    func(a *after, now time.Time)
	alarm bool
	power State
	want  Phase
	off   bool
	why   string
}

func printing(id string) func(*printer.Snapshot) {
	return func(s *printer.Snapshot) {
		s.State, s.Job = printer.Printing, &printer.JobStatus{ID: id}
		s.Nozzles, s.Bed = []printer.Heater{{ActualC: 210, TargetC: 210}}, &printer.Heater{ActualC: 60, TargetC: 60}
	}
}

func ended(outcome string) func(*printer.Snapshot) {
	return func(s *printer.Snapshot) {
		s.State, s.LastJob, s.Job = printer.Idle, &printer.JobOutcome{ID: s.Job.ID, Outcome: outcome}, nil
	}
}

// heat sets the nozzle and all targets.
func heat(actual, target float64) func(*printer.Snapshot) {
	return func(s *printer.Snapshot) {
		s.Nozzles, s.Bed = []printer.Heater{{ActualC: actual, TargetC: target}}, &printer.Heater{ActualC: 40, TargetC: target}
	}
}

func TestWhenThePowerGoesOff(t *testing.T) {
	always := Settings{AfterPrint: true, AfterCancelled: true, CoolC: 50}
	never := Settings{CoolC: 50}
	choose := func(off bool) func(*after, time.Time) {
		return func(a *after, now time.Time) { a.choose(now, off) }
	}
	touch := func(a *after, _ time.Time) { a.touched() }
	cooling := []moment{{see: printing("a"), want: Print}, {see: ended("done"), want: Cooling}, {see: heat(180, 0), want: Cooling}}
	counting := append(cooling[:3:3], moment{after: 5 * time.Minute, see: heat(49, 0), want: Counting})
	for name, c := range map[string]struct {
		rules   Settings
		moments []moment
	}{
		"after each print": {always, append(counting[:4:4], moment{after: 59 * time.Second, want: Counting}, moment{after: time.Second, off: true})},
		"the end leaves heat on, and the keeper takes it off": {always, []moment{{see: printing("a"), want: Print}, {see: ended("done"), want: Cooling}, {after: time.Hour, see: heat(210, 210), want: Cooling},
			{after: time.Second, see: heat(200, 0), want: Cooling}, {after: time.Minute, see: heat(40, 0), want: Counting}}},
		"never":                     {never, []moment{{see: printing("a")}, {see: ended("done")}, {see: heat(20, 0)}}},
		"chosen for this print":     {never, []moment{{do: func(a *after, _ time.Time) { a.next = chosen{"a", true} }}, {see: printing("a"), want: Print}, {see: ended("done"), want: Cooling}}},
		"not chosen for this print": {always, []moment{{do: func(a *after, _ time.Time) { a.next = chosen{"a", false} }}, {see: printing("a")}, {see: ended("done")}}},
		"chosen for another print":  {never, []moment{{do: func(a *after, _ time.Time) { a.next = chosen{"b", true} }}, {see: printing("a")}, {see: ended("done")}}},
		"chosen in mid-print":       {never, []moment{{see: printing("a")}, {do: choose(true), want: Print}, {see: ended("done"), want: Cooling}}},
		"chosen, and taken back":    {always, []moment{{see: printing("a"), want: Print}, {do: choose(false)}, {see: ended("done")}}},
		"cancelled":                 {always, []moment{{see: printing("a"), want: Print}, {see: ended("cancelled"), want: Cooling}}},
		"cancelled, and not wanted": {Settings{AfterPrint: true, CoolC: 50}, []moment{{see: printing("a"), want: Print}, {see: ended("cancelled"), why: "the print did not end well"}}},
		"failed":                    {always, []moment{{see: printing("a"), want: Print}, {see: ended("failed"), why: "the print did not end well"}}},
		"off after cool-down, now":  {never, []moment{{see: heat(120, 0)}, {do: choose(true), want: Cooling}, {after: time.Minute, see: heat(45, 0), want: Counting}, {after: time.Minute, off: true}}},
		"keep on":                   {always, append(counting[:4:4], moment{do: choose(false), why: "somebody wants it so"}, moment{after: time.Hour, why: "somebody wants it so"})},
		"a tap":                     {always, append(counting[:4:4], moment{do: touch, why: "somebody uses the printer"})},
		"a tap while it cools":      {always, append(cooling[:3:3], moment{do: touch, why: "somebody uses the printer"})},
		"heat":                      {always, append(counting[:4:4], moment{see: heat(49, 200), why: "the printer was heated"})},
		"heat while it cools":       {always, append(cooling[:3:3], moment{see: heat(180, 200), why: "the printer was heated"})},
		"an alarm":                  {always, append(counting[:4:4], moment{alarm: true, why: "an alarm is not answered yet"})},
		"a new print":               {always, append(counting[:4:4], moment{see: printing("b"), want: Print})},
		"a fault":                   {always, append(counting[:4:4], moment{see: func(s *printer.Snapshot) { s.State = printer.Faulted }, why: "the printer is not ready any more"})},
		"the cable":                 {always, append(cooling[:3:3], moment{see: func(s *printer.Snapshot) { s.State = printer.Disconnected }, why: "the printer is not ready any more"})},
		"it is off already":         {always, append(counting[:4:4], moment{power: Off})},
		"never cool":                {always, append(cooling[:3:3], moment{after: 4 * time.Hour, see: heat(60, 0), why: "the printer has not cooled in four hours"})},
		"no report for a minute":    {always, append(cooling[:3:3], moment{after: time.Minute, see: func(s *printer.Snapshot) { heat(20, 0)(s); s.TempsAtMS -= 60_000 }, want: Cooling})},
		"the clock was set back":    {always, append(cooling[:3:3], moment{after: time.Minute, see: func(s *printer.Snapshot) { heat(20, 0)(s); s.TempsAtMS += 3_600_000 }, want: Cooling})},
		"a print from the card": {always, []moment{{see: func(s *printer.Snapshot) {
			s.State, s.Card = printer.Printing, &printer.CardStatus{Printing: true, ID: "c"}
		}, want: Print}, {see: func(s *printer.Snapshot) {
			s.State, s.Card, s.LastJob = printer.Idle, nil, &printer.JobOutcome{ID: "c", Outcome: "done"}
		}, want: Cooling}}},
		"an end of before the start":  {always, []moment{{see: func(s *printer.Snapshot) { s.LastJob = &printer.JobOutcome{ID: "old", Outcome: "done"} }}, {see: heat(20, 0)}}},
		"a print that is lost":        {always, []moment{{see: printing("a"), want: Print}, {see: func(s *printer.Snapshot) { s.State = printer.Faulted }, want: Print}, {see: printing("a"), want: Print}}},
		"why is forgotten by a print": {always, append(counting[:4:4], moment{do: touch, why: "somebody uses the printer"}, moment{see: printing("b"), want: Print})},
	} {
		t.Run(name, func(t *testing.T) {
			var a after
			now := time.Unix(1795348800, 0)
			snap := printer.Snapshot{State: printer.Idle}
			for i, m := range c.moments {
				now = now.Add(m.after)
				snap.TempsAtMS = now.UnixMilli()
				if m.do != nil {
					m.do(&a, now)
				}
				if m.see != nil {
					m.see(&snap)
				}
				seen := snap
				off := a.see(sight{now: now, snap: &seen, power: m.power, alarm: m.alarm, rules: c.rules})
				if off != m.off || a.phase != m.want || a.why != m.why {
					t.Fatalf("moment %d: got off %v, %q, %q, want %v, %q, %q", i, off, a.phase, a.why, m.off, m.want, m.why)
				}
				if waits := a.phase == Cooling || a.phase == Counting; waits == a.at.IsZero() {
					t.Fatalf("moment %d: %q, and it is due at %v", i, a.phase, a.at)
				}
			}
		})
	}
}

func TestWhenThePowerMayGoOff(t *testing.T) {
	hot, warm := []printer.Heater{{ActualC: 51}}, []printer.Heater{{ActualC: 50}}
	for _, c := range []struct {
		snap   *printer.Snapshot
		anyway bool
		want   error
	}{
		{nil, false, nil},
		{&printer.Snapshot{State: printer.Idle, Nozzles: warm}, false, nil},
		{&printer.Snapshot{State: printer.Idle, Nozzles: hot}, false, ErrHot},
		{&printer.Snapshot{State: printer.Idle, Nozzles: []printer.Heater{{ActualC: 20, TargetC: 200}}}, false, ErrHot},
		{&printer.Snapshot{State: printer.Idle, Nozzles: hot}, true, nil},
		{&printer.Snapshot{State: printer.Faulted, Nozzles: hot}, true, nil},
		{&printer.Snapshot{State: printer.Disconnected, Nozzles: hot}, false, nil},
		{&printer.Snapshot{State: printer.Printing}, true, ErrPrinting},
		{&printer.Snapshot{State: printer.Paused}, true, ErrPrinting},
		{&printer.Snapshot{State: printer.Finishing}, true, ErrPrinting},
		{&printer.Snapshot{State: printer.Faulted, Lost: &printer.LostPrint{}}, true, ErrPrinting},
	} {
		if got := mayOff(c.snap, hotC, c.anyway); !is(got, c.want) {
			t.Errorf("%+v, anyway %v: got %v, want %v", c.snap, c.anyway, got, c.want)
		}
	}
}

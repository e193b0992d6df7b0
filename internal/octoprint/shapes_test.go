package octoprint

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"layerd/internal/store"
	"layerd/printer"
)

var updateShapes = flag.Bool("update-shapes", false, "write the golden file of testdata/shapes.json anew")

// shape is what clients are told of one state of the printer.
type shape struct {
	Case  string          `json:"case"`
	State State           `json:"state"`
	Job   Job             `json:"job"`
	Done  Progress        `json:"progress"`
	Temps map[string]Heat `json:"temperature"`
}

// What clients are told of each state that the printer can be in, and of the jobs in it.
func TestShapes(t *testing.T) {
	g := newStage(t)
	const line = "G28\nG1 X1 Y1 Z0.2 E5 F600\n"
	g.Keep(t, "small.gcode", line)
	g.Keep(t, "sub/big.gcode", line+line)
	warm := func(s *printer.Snapshot) {
		s.Nozzles, s.Bed = []printer.Heater{{ActualC: 209.8, TargetC: 210}}, &printer.Heater{ActualC: 60.1, TargetC: 60}
	}
	print := func(s *printer.Snapshot) {
		warm(s)
		s.State = printer.Printing
		s.Job = &printer.JobStatus{ID: "1", File: "sub/big.gcode", Name: "big", By: "kim", Offset: 26, Size: 52, Percent: 37.5, ElapsedS: 61.7, LeftS: 102.9, LeftBy: "slicer"}
	}
	fault := &printer.Fault{Code: "usb", Message: "The USB connection was lost."}
	cases := []struct {
		name     string
		selected string
		change   func(s *printer.Snapshot)
	}{
		{"idle, nothing selected", "", warm},
		{"idle, before the first report", "", func(*printer.Snapshot) {}},
		{"selected", "sub/big.gcode", warm},
		{"selected, and gone since", "gone.gcode", warm},
		{"offline, though a file is selected", "sub/big.gcode", func(s *printer.Snapshot) { s.State = printer.Disconnected }},
		{"offline after error", "", func(s *printer.Snapshot) { s.State, s.Fault = printer.Disconnected, fault }},
		{"connecting", "", func(s *printer.Snapshot) { s.State = printer.Connecting }},
		{"printing", "", print},
		{"printing with a chamber and M73", "", func(s *printer.Snapshot) {
			print(s)
			s.Job.LeftBy, s.Chamber = "printer", &printer.Heater{ActualC: 31}
		}},
		{"printing, and its end is foreseen by what it has shown", "", func(s *printer.Snapshot) { print(s); s.Job.LeftBy = printer.LeftByPrint }},
		{"printing for an unknown time", "", func(s *printer.Snapshot) { print(s); s.Job.LeftS, s.Job.LeftBy = -1, "" }},
		{"printing a file that is gone", "", func(s *printer.Snapshot) { print(s); s.Job.File = "gone.gcode" }},
		{"pausing", "", func(s *printer.Snapshot) { print(s); s.State = printer.Pausing }},
		{"paused by a fault", "", func(s *printer.Snapshot) { print(s); s.State, s.Fault = printer.Paused, fault }},
		{"cancelling", "", func(s *printer.Snapshot) { print(s); s.State = printer.Cancelling }},
		{"lost, and may go on", "", func(s *printer.Snapshot) {
			print(s)
			s.State, s.Fault, s.Lost = printer.Faulted, fault, &printer.LostPrint{}
		}},
		{"halted", "sub/big.gcode", func(s *printer.Snapshot) { s.State, s.Halt = printer.Halted, &printer.Halt{Confirmed: true} }},
		{"done", "small.gcode", func(s *printer.Snapshot) {
			s.LastJob = &printer.JobOutcome{ID: "1", File: "small.gcode", Outcome: "done", ElapsedS: 12.5}
		}},
		{"cancelled", "small.gcode", func(s *printer.Snapshot) {
			s.LastJob = &printer.JobOutcome{ID: "1", File: "small.gcode", Outcome: "cancelled", ElapsedS: 12.5}
		}},
		{"another selected after it was done", "sub/big.gcode", func(s *printer.Snapshot) {
			s.LastJob = &printer.JobOutcome{ID: "1", File: "small.gcode", Outcome: "done", ElapsedS: 12.5}
		}},
		{"printing from the card", "small.gcode", func(s *printer.Snapshot) {
			s.State = printer.Printing
			s.Card = &printer.CardStatus{Present: true, Printing: true, ID: "2", File: "/PARTS/LONG~1.GCO", Name: "long name.gcode", Bytes: 50, Size: 200, Percent: 25, ElapsedS: 7}
		}},
		{"done from the card", "/PARTS/LONG~1.GCO", func(s *printer.Snapshot) {
			s.Card = &printer.CardStatus{Present: true}
			s.LastJob = &printer.JobOutcome{ID: "2", File: "/PARTS/LONG~1.GCO", Name: "long name.gcode", Outcome: "done", ElapsedS: 70, Card: true}
		}},
	}
	blank, _ := g.Snaps.Get()
	var all []shape
	for _, c := range cases {
		snap := *blank
		c.change(&snap)
		g.Snaps.Set(&snap)
		g.Select(c.selected)
		st := g.Shown()
		job, done := g.api.jobOf(st)
		if job.File.Date != nil { // the clock of this machine
			*job.File.Date = 1795771424
		}
		all = append(all, shape{c.name, stateOf(st), job, done, tempsOf(st)})
	}
	got, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/shapes.json", got)
}

// golden compares with a file, or writes it anew.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	got = append(got, '\n')
	if *updateShapes {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", file, got, want)
	}
}

// printed is what the history has of prints of a file that went well, each of so many seconds.
func printed(t testing.TB, g *stage, name string, tookS ...float64) {
	t.Helper()
	file, err := g.Store.Stat(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	for i, took := range tookS {
		p := store.Print{ID: string(rune('a' + i)), File: file.Path, SHA256: file.SHA256, StartedMS: int64(1000 + i)}
		if err := g.Store.BeginPrint(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		p.EndedMS, p.Outcome, p.ElapsedS = int64(2000+i), "done", took
		if err := g.Store.EndPrint(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
}

// A file's earlier prints say how long it takes; they are asked for once as long as nothing changes.
func TestJobFromHistory(t *testing.T) {
	g := newStage(t)
	g.Keep(t, "a.gcode", "G28\nG1 X1 E5 F600\n")
	printed(t, g, "a.gcode", 100, 50)
	g.Select("a.gcode")
	for range 2 {
		job, _ := g.api.jobOf(g.Shown())
		if job.LastPrintTime == nil || *job.LastPrintTime != 50 || *job.AveragePrintTime != 75 {
			t.Fatalf("got %v, %v; want the last 50 s, the mean 75 s", job.LastPrintTime, job.AveragePrintTime)
		}
	}
	if err := g.Store.Delete(t.Context(), "a.gcode"); err != nil {
		t.Fatal(err)
	}
	if job, _ := g.api.jobOf(g.Shown()); job.LastPrintTime == nil {
		t.Error("the file was asked for again though the list of files has not changed")
	}
	g.Change(func(s *printer.Snapshot) { s.LastJob = &printer.JobOutcome{ID: "c", File: "b.gcode"} })
	g.Select("a.gcode")
	if job, _ := g.api.jobOf(g.Shown()); job.File.Name != nil {
		t.Errorf("got %q, want nothing of a file that is gone", *job.File.Name)
	}
}

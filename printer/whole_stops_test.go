package printer

import (
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"slices"
	"strings"
	"testing"
	"time"
)

// startStops begins a job that pauses by itself.
func (r *rig) startStops(text string, shots Shots, stops ...StopAt) {
	r.Helper()
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		r.Fatal(err)
	}
	r.must(r.p.Start(r.Context(), JobInfo{ID: "j1", File: "a.gcode", Size: int64(len(text)), Survey: survey, Shots: shots, Stops: stops}, io.NopCloser(strings.NewReader(text))))
}

// before are the moves of a tower before its layer n, from 1.
func before(text string, n int) []string {
	text, _, _ = strings.Cut(text, fmt.Sprintf(";LAYER:%d\n", n-1))
	return ownLines(commands(text))
}

// standsBefore waits for the pause before layer n, and checks that all before it was executed, and nothing of it, however long it lasts.
func (r *rig) standsBefore(text string, n int, change bool) *Snapshot {
	r.Helper()
	snap := await(r.T, r.p, func(s *Snapshot) bool { return s.State == Paused || s.LastJob != nil })
	time.Sleep(time.Minute)
	if snap.Pause == nil || *snap.Pause != (PauseInfo{By: "stop", Layer: n, Filament: change, Held: snap.Pause.Held}) {
		r.Errorf("got pause %+v, want it before layer %d", snap.Pause, n)
	}
	if got, want := only(ownLines(commands(text)), r.sim.Executed()), before(text, n); !slices.Equal(got, want) {
		r.Errorf("before layer %d it executed %d moves, want %d", n, len(got), len(want))
	}
	if n > 1 && (snap.Job == nil || snap.Job.Layer != n-1 || snap.Job.Begun != n) {
		r.Errorf("it stands before layer %d, and says %+v", n, snap.Job)
	}
	return r.now()
}

// ends waits for the end of a job, of which each move was executed once and in order, and extruded what plain has.
func (r *rig) ends(text string, plain printertest.Body) *Snapshot {
	r.Helper()
	end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Paused })
	if end.LastJob == nil || end.LastJob.Outcome != "done" {
		r.Fatalf("got %v, %+v, %v", end.State, end.Pause, end.Fault)
	}
	if got, want := only(ownLines(commands(text)), r.sim.Executed()), ownLines(commands(text)); !slices.Equal(got, want) {
		r.Errorf("executed %d moves of %d, or in another order", len(got), len(want))
	}
	sameTrail(r.T, r.sim.Body(), plain)
	return end
}

// It pauses before the first line of the layer, wherever the pause came from and whatever comes between, and the print is what it is without.
func TestStopsBeforeTheFirstLine(t *testing.T) {
	add := func(at StopAt) func(*rig) {
		return func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 2 })
			r.must(r.p.SetStop(r.Context(), "j1", at))
		}
	}
	for name, c := range map[string]struct {
		stops  []StopAt
		shots  ShotMode
		during func(*rig)
	}{
		"layer":  {stops: []StopAt{{Layer: 4}}},
		"height": {stops: []StopAt{{ZMM: 0.8}}}, // layer 3 is at 0.7 mm, layer 4 at 0.9
		"added":  {during: add(StopAt{Layer: 4})},
		"added height": {during: func(r *rig) {
			add(StopAt{Layer: 5})(r)
			r.must(r.p.SetStop(r.Context(), "", StopAt{ZMM: 0.9}))
			r.must(r.p.RemoveStop(r.Context(), "j1", 5))
		}},
		"with pictures": {stops: []StopAt{{Layer: 4}}, shots: ShotsStill},
		"with parking":  {stops: []StopAt{{Layer: 4}}, shots: ShotsPark},
		"after a pause": {stops: []StopAt{{Layer: 4}}, during: func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 2 })
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			r.must(r.p.Resume(r.Context(), "j1"))
			await(r.T, r.p, func(s *Snapshot) bool { return s.State == Printing })
		}},
		"set in a pause": {during: func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 2 })
			r.must(r.p.Pause(r.Context(), "j1"))
			r.becomes(Paused)
			r.must(r.p.SetStop(r.Context(), "j1", StopAt{Layer: 4}))
			r.must(r.p.Resume(r.Context(), "j1"))
			await(r.T, r.p, func(s *Snapshot) bool { return s.State == Printing })
		}},
		"cable out and in": {stops: []StopAt{{Layer: 4}}, during: func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 2 })
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
			if snap := r.becomes(Faulted); snap.Job == nil || len(snap.Job.Stops) != 1 {
				r.Errorf("lost with %+v", snap.Job)
			}
			await(r.T, r.p, func(s *Snapshot) bool { return s.State == Printing })
		}},
		"cable out for long": {stops: []StopAt{{Layer: 4}}, during: func(r *rig) {
			await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer == 2 })
			r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Minute})
			r.becomes(Faulted)
			r.becomes(Paused)
			r.must(r.p.Resume(r.Context(), "j1"))
			await(r.T, r.p, func(s *Snapshot) bool { return s.State == Printing })
		}},
	} {
		for _, mode := range []string{"M82", "M83"} {
			text := tower(6, 12, "G90", mode)
			var plain printertest.Body
			whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
				r.becomes(Idle)
				r.startStops(text, Shots{})
				await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
				plain = r.sim.Body()
			})
			t.Run(name+"/"+mode, func(t *testing.T) {
				whole(t, printertest.Config{Baud: 115200, USBLatency: time.Millisecond, Speed: 1, Heat: 20}, within, func(r *rig) {
					r.becomes(Idle)
					r.startStops(text, Shots{Mode: c.shots}, c.stops...)
					if c.during != nil {
						c.during(r)
					}
					snap := r.standsBefore(text, 4, false)
					if got := snap.Job.Stops; len(got) != 1 || !got[0].Passed || got[0].Layer != 4 || !near(got[0].ZMM, 0.9, 1e-6) || got[0].Percent < 40 || got[0].Percent > 70 {
						t.Errorf("got stops %+v", got)
					}
					if c.shots != ShotsOff && (snap.Job.Shot == nil || snap.Job.Shot.Layer != 3 || snap.Job.Shot.N != 3 || snap.Job.Shot.Still) {
						t.Errorf("got shot %+v, want that of the finished layer before the pause", snap.Job.Shot)
					}
					if b := r.sim.Body(); !near(b.True[0], snap.Profile.ParkXMM, 0.01) || !near(b.True[2], 0.7+snap.Profile.LiftMM, 0.01) {
						t.Errorf("it stands at %v, want it parked above layer 3", b.True)
					}
					r.must(r.p.Resume(r.Context(), "j1"))
					if c.shots != ShotsOff {
						last := await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Shot.N == 5 })
						if last.Job.Shot.Layer != 5 {
							t.Errorf("the last shot is %+v: one came twice", last.Job.Shot)
						}
					}
					r.ends(text, plain)
				})
			})
		}
	}
}

// The end of this layer is the end of the one whose lines go out, also while the print stands there already.
func TestStopAtTheEndOfThisLayer(t *testing.T) {
	text := tower(6, 12, "G90", "M83")
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		r.startStops(text, Shots{}, StopAt{Layer: 1})
		r.standsBefore(text, 1, false)
		if begun := r.now().Job.Begun; begun != 1 {
			r.Errorf("it stands before layer 1, and says that lines of layer %d go out", begun)
		}
		r.must(r.p.SetStop(r.Context(), "j1", StopAt{ThisLayer: true}))
		r.must(r.p.Resume(r.Context(), "j1"))
		r.standsBefore(text, 2, false)
		r.must(r.p.SetStop(r.Context(), "j1", StopAt{ThisLayer: true, Note: "insert\nthe magnet"}))
		r.must(r.p.Resume(r.Context(), "j1"))
		await(r.T, r.p, func(s *Snapshot) bool { return s.State == Printing })
		snap := r.becomes(Paused)
		if *snap.Pause != (PauseInfo{By: "stop", Layer: 3, Message: "insert the magnet"}) {
			t.Errorf("got %+v", snap.Pause)
		}
		r.must(r.p.Resume(r.Context(), "j1"))
		end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
		if got, want := only(ownLines(commands(text)), r.sim.Executed()), ownLines(commands(text)); end.LastJob.Outcome != "done" || !slices.Equal(got, want) {
			t.Errorf("%s: executed %d moves of %d", end.LastJob.Outcome, len(got), len(want))
		}
		if _, err := r.p.SetStop(r.Context(), "j1", StopAt{Layer: 4}); !errors.Is(err, ErrOtherJob) {
			t.Errorf("after the end: got %v", err)
		}
		r.must(r.p.Start(r.Context(), JobInfo{ID: "j2", Size: 4}, io.NopCloser(strings.NewReader("G28\n"))))
		if end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil && s.LastJob.ID == "j2" }); end.LastJob.Outcome != "done" {
			t.Errorf("the next print has inherited a pause: %+v", end.LastJob)
		}
	})
}

// A change of filament there is what it is for M600 in a file: by the firmware where it has one, else by hand.
func TestStopToChangeFilament(t *testing.T) {
	text := tower(5, 12, "G90", "M83")
	for firmware, held := range map[string]bool{"marlin2": true, "marlin2-plain": false, "marlin1": false, "klipper": false} {
		t.Run(firmware, func(t *testing.T) {
			whole(t, printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
				r.becomes(Idle)
				r.startStops(text, Shots{}, StopAt{Layer: 3, Change: true})
				snap := r.standsBefore(text, 3, true)
				if snap.Pause.Held != held || snap.Job.Line == 0 {
					t.Errorf("got %+v in line %d", snap.Pause, snap.Job.Line)
				}
				if held {
					if snap.Prompt == nil {
						t.Fatalf("the firmware asks nothing")
					}
					for r.now().State != Printing {
						if p := r.now().Prompt; p != nil {
							_, _ = r.p.Answer(r.Context(), p.ID, len(p.Buttons)-1)
						}
						time.Sleep(time.Second)
					}
				} else {
					r.must(r.p.Extrude(r.Context(), -50))
					r.must(r.p.Extrude(r.Context(), 50))
					r.must(r.p.Resume(r.Context(), "j1"))
				}
				end := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
				if got, want := only(ownLines(commands(text)), r.sim.Executed()), ownLines(commands(text)); end.LastJob.Outcome != "done" || !slices.Equal(got, want) {
					t.Errorf("%+v: executed %d moves of %d", end.LastJob, len(got), len(want))
				}
				if n := len(slices.DeleteFunc(r.sim.Executed(), func(l string) bool { return l != "M600" })); held != (n == 1) {
					t.Errorf("M600 was executed %d times", n)
				}
			})
		})
	}
}

// What cannot be is refused with its reason, and changes nothing.
func TestStopsRefused(t *testing.T) {
	text := tower(40, 12, "G90", "M83")
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		refused := func(err error, words string) {
			t.Helper()
			if !errors.Is(err, ErrStop) || !strings.Contains(err.Error(), words) {
				t.Errorf("got %v, want %q", err, words)
			}
		}
		if _, err := r.p.SetStop(r.Context(), "", StopAt{Layer: 2}); !errors.Is(err, ErrWrongState) {
			t.Errorf("without a print: got %v", err)
		}
		_, err := r.p.Start(r.Context(), JobInfo{ID: "j0", Stops: []StopAt{{Layer: 2}}}, nil)
		if refused(err, "finds no layers"); r.now().State != Idle {
			t.Errorf("it was started all the same")
		}
		r.startStops(text, Shots{}, StopAt{Layer: 10})
		r.standsBefore(text, 10, false)
		set := func(at StopAt) error { _, err := r.p.SetStop(r.Context(), "j1", at); return err }
		refused(set(StopAt{Layer: 10}), "layer 10 has begun already")
		refused(set(StopAt{Layer: 3}), "layer 3 has begun already")
		refused(set(StopAt{Layer: 41}), "there is no layer 41, the last one is 40")
		refused(set(StopAt{Layer: -1}), "there is no layer -1")
		refused(set(StopAt{ZMM: 0.5}), "no layer to come reaches 0.5 mm")
		refused(set(StopAt{ZMM: 100}), "no layer to come reaches 100 mm")
		refused(set(StopAt{ZMM: -1}), "no layer to come reaches -1 mm")
		refused(set(StopAt{}), "one of them only")
		refused(set(StopAt{Layer: 12, ThisLayer: true}), "one of them only")
		_, err = r.p.RemoveStop(r.Context(), "j1", 10) // it is being made
		refused(err, "none is set before layer 10")
		_, err = r.p.RemoveStop(r.Context(), "j1", 12)
		refused(err, "none is set before layer 12")
		if _, err := r.p.SetStop(r.Context(), "j0", StopAt{Layer: 12}); !errors.Is(err, ErrOtherJob) {
			t.Errorf("another job: got %v", err)
		}
		if got := r.now().Job.Stops; len(got) != 1 {
			t.Errorf("got %+v", got)
		}
		for i := range MaxStops - 1 {
			if err := set(StopAt{Layer: 40 - i%29, Note: fmt.Sprint(i)}); i < 29 && err != nil { // twice before the same: changed
				t.Errorf("stop %d: %v", i, err)
			}
		}
		if got := r.now().Job.Stops; len(got) != 30 || got[0].Layer != 10 || got[1].Layer != 12 || got[29].Layer != 40 || got[29].Note != "29" {
			t.Errorf("got %d: %+v", len(got), got)
		}
		r.must(r.p.Cancel(r.Context(), "j1"))
	})
}

// The list is bounded: a mark of what has been gives way, and what is to come does not.
func TestStopsAreBounded(t *testing.T) {
	v := gcode.Survey{Layers: make([]gcode.Layer, 100)}
	r := jobRun{begun: -1}
	for i := range MaxStops {
		if err := r.setStop(&v, StopAt{Layer: 1 + 2*i}); err != nil {
			t.Fatal(err)
		}
	}
	was := r.stops
	if err := r.setStop(&v, StopAt{Layer: 40}); !errors.Is(err, ErrStop) || len(r.stops) != MaxStops {
		t.Errorf("one too many: got %v, %d", err, len(r.stops))
	}
	r.begun = 0
	if err := r.setStop(&v, StopAt{Layer: 40}); err != nil || len(r.stops) != MaxStops || r.stops[0].Layer != 3 || !slices.IsSortedFunc(r.stops, func(a, b Stop) int { return a.Layer - b.Layer }) {
		t.Errorf("got %v, %+v", err, r.stops)
	}
	if was[0].Layer != 1 || was[19].Layer != 39 || was[20].Layer != 41 {
		t.Errorf("a list that was published has changed: %+v", was)
	}
}

// A height is where the print reaches it from below: of objects that are printed one after the other each does.
func TestHeightOfAStop(t *testing.T) {
	var layers []gcode.Layer
	for _, z := range []float64{0.2, 0, 0.4, 0.6000001, 0.2, 0.4, 0.6, 0.8, 0.2} {
		layers = append(layers, gcode.Layer{ZMM: z})
	}
	for _, c := range []struct {
		begun int
		z     float64
		want  int
	}{{-1, 0.1, 0}, {-1, 0.2, 0}, {-1, 0.3, 2}, {-1, 0.4, 2}, {1, 0.4, 2}, {2, 0.4, 5}, {3, 0.5, 6}, {0, 0.2, 4}, {-1, 0.6, 3}, {-1, 0.7, 7}, {7, 0.7, -1}, {7, 0.2, 8}, {5, 9, -1}, {8, 0.2, -1}} {
		if got := reaches(layers, c.begun, c.z); got != c.want {
			t.Errorf("%g mm after %d: got %d, want %d", c.z, c.begun, got, c.want)
		}
	}
}

package printer

import (
	"errors"
	"fmt"
	"layerd/printer/printertest"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// An object is skipped before the first line, the line is noisy, and the cable comes out for a moment: what is executed is what skipping alone would send,
// each line once and in order.
func TestSkipIsTheSamePrintThroughTrouble(t *testing.T) {
	for _, firmware := range []string{"marlin2", "prusa"} {
		for seed := range uint64(6) {
			t.Run(fmt.Sprint(firmware, "/", seed), func(t *testing.T) {
				file := plate(rand.New(rand.NewPCG(seed, 9)))
				_, sent, _ := skippingFrom(t, []byte(file), map[int]int64{1: 0}, firmware == "marlin2")
				cfg := printertest.Config{Firmware: firmware, Baud: 115200, Speed: 1, Heat: 4, USBLatency: time.Millisecond, Seed: seed, Faults: printertest.Faults{Flip: 0.0005, Drop: 0.0003, LostOK: 0.002}}
				whole(t, cfg, within, func(r *rig) {
					r.becomes(Idle)
					r.print("j1", file, nil)
					r.must(r.p.SkipObject(r.Context(), "j1", 1, true))
					await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Line >= 60 })
					r.sim.Inject(printertest.Trigger{Kind: printertest.Unplug, For: time.Second})
					snap := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil })
					if snap.LastJob.Outcome != "done" {
						t.Fatalf("it ended as %+v", snap.LastJob)
					}
					want := slices.DeleteFunc(texts(sent), func(l string) bool { // what the pretend firmware does not know
						return l == "G10" || l == "G11" || strings.HasPrefix(l, "M486") || strings.HasPrefix(l, "EXCLUDE")
					})
					if _, times := r.sim.Unplugged(); times != 1 {
						t.Fatalf("the cable was out %d times", times)
					}
					if got := only(want, r.sim.Executed()); !slices.Equal(got, want) {
						for i := range min(len(got), len(want)) {
							if got[i] != want[i] {
								t.Fatalf("executed line %d is %q, want %q", i, got[i], want[i])
							}
						}
						t.Fatalf("executed %d lines of %d", len(got), len(want))
					}
				})
			})
		}
	}
}

// In the middle of a print: the status says so, what is printed of the object stays, and it cannot be taken back; before it could.
func TestSkipInMidPrint(t *testing.T) {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nM83\nG1 X1 Y1 Z0.2 F3000\n")
	for layer := range 40 {
		for object, name := range []string{"A", "B", "C"} {
			fmt.Fprintf(&b, "EXCLUDE_OBJECT_START NAME=%s\nG0 X%d Y20 Z%.1f F6000\nG1 X%d Y40 E1 F1200\nG1 X%d Y60 E1\nEXCLUDE_OBJECT_END NAME=%s\n",
				name, 10+50*object, 0.2*float64(layer+1), 30+50*object, 10+50*object, name)
		}
	}
	whole(t, printertest.Config{Firmware: "klipper", Speed: 1, Heat: 10}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.SkipObject(r.Context(), "", 0, true); !errors.Is(err, ErrWrongState) {
			t.Errorf("without a print: %v", err)
		}
		r.print("j1", b.String(), nil)
		skip := func(object int, skip bool) error {
			_, err := r.p.SkipObject(r.Context(), "j1", object, skip)
			return err
		}
		if err := skip(3, true); !errors.Is(err, ErrLimit) {
			t.Errorf("an object that is not there: %v", err)
		}
		for object, want := range []error{nil, nil, ErrWrongState} { // the last that is left
			if err := skip(object, true); !errors.Is(err, want) {
				t.Errorf("skip %d: %v, want %v", object, err, want)
			}
		}
		for object := range 2 {
			if err := skip(object, false); err != nil {
				t.Errorf("taken back before it began: %v", err)
			}
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Layer >= 10 && s.Job.Object == 1 })
		if err := skip(1, true); err != nil {
			t.Fatal(err)
		}
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && len(s.Job.LeftOut) > 0 })
		if j := snap.Job; !slices.Equal(j.Skipped, []int{1}) || !slices.Equal(j.LeftOut, []int{1}) || j.Objects != 3 {
			t.Errorf("the status says skipped %v, left out %v of %d", j.Skipped, j.LeftOut, j.Objects)
		}
		if err := skip(1, false); !errors.Is(err, ErrWrongState) {
			t.Errorf("taken back too late: %v", err)
		}
		r.must(r.p.Pause(r.Context(), "j1"))
		r.becomes(Paused)
		r.must(r.p.Resume(r.Context(), "j1"))
		await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil && s.LastJob.Outcome == "done" })
		count := map[byte]int{}
		executed := r.sim.Executed()
		strokes, _ := machine(slices.DeleteFunc(slices.Clone(executed), func(l string) bool { return l == "" }))
		for _, s := range extruding(strokes) {
			count["ABC"[int(s.from[0])/50]]++
		}
		if count['A'] != 80 || count['C'] != 80 || count['B'] < 18 || count['B'] > 36 {
			t.Errorf("printed %v strokes, want 80 of A and C, and some 20 of B", count)
		}
		told, forgot := slices.Index(executed, "EXCLUDE_OBJECT NAME=B"), slices.Index(executed, "EXCLUDE_OBJECT RESET=1 NAME=B")
		if told < 0 || forgot < told {
			t.Errorf("the firmware was told in line %d, and made to forget in %d", told, forgot)
		}
	})
}

// A file without marks says so.
func TestSkipWithoutMarks(t *testing.T) {
	whole(t, printertest.Config{Speed: 1, Heat: 10}, nil, func(r *rig) {
		r.becomes(Idle)
		r.print("j1", square(200, 200, true, "M83"), nil)
		if _, err := r.p.SkipObject(r.Context(), "j1", 0, true); !errors.Is(err, ErrNoObjects) {
			t.Errorf("got %v", err)
		}
		if j := r.now().Job; j.Objects != 0 || j.Object != -1 {
			t.Errorf("it says %d objects, and that it is at %d", j.Objects, j.Object)
		}
	})
}

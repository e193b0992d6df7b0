package guard_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"layerd/camera"
	"layerd/gcode"
	"layerd/internal/guard"
	"layerd/printer"
	"layerd/printer/printertest"
)

// The guard with a real Printer, a pretend machine that loses steps, and a camera that draws it, in fake time.

// world is all of that.
type world struct {
	*testing.T
	sim     *printertest.Sim
	printer *printer.Printer
	guard   *guard.Guard
	cfg     guard.Config

	mu       sync.Mutex // guards what follows
	kept     guard.Kept
	evidence []guard.Evidence
	beside   float64 // mm that the head is drawn further to the right than it is
}

// watch runs test in such a world; change, where not nil, makes it different before.
func watch(t *testing.T, machine printertest.Config, change func(*world), test func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		machine.Speed, machine.Heat, machine.Baud = 1, 50, 250000
		sim, err := printertest.New(machine)
		if err != nil {
			t.Fatal(err)
		}
		w := &world{T: t, sim: sim}
		w.printer = printer.New(printer.Config{Port: "/dev/pretend", Baud: 250000, Profile: printer.Presets()[0], Log: slog.New(slog.DiscardHandler), Cooling: printer.UsualCooling(),
			Open: func(_ context.Context, _ string, baud int) (printer.Port, error) {
				port := sim.Open()
				return port, port.SetBaud(baud)
			}})
		cam := camera.New(camera.Config{Setup: camera.Setup{Settings: camera.Settings{Device: "simulated"}}, Simulated: func(camera.Settings) camera.Source { return camera.NewSimulated(w.scene, 2, 480, 270) }})
		w.cfg = guard.Config{Printer: w.printer, Settings: guard.UsualSettings(), Camera: func(id int) guard.Camera {
			if id == 0 {
				return cam
			}
			return nil
		}, Keep: func(_ context.Context, k guard.Kept) error { w.mu.Lock(); defer w.mu.Unlock(); w.kept = k; return nil }, KeepEvidence: w.keepEvidence}
		w.cfg.Settings.SharePercent = 20 // of a short print, too, there are some looks
		if change != nil {
			change(w)
		}
		w.guard = guard.New(w.cfg)
		ctx, cancel := context.WithCancel(context.Background())
		var all sync.WaitGroup
		for _, run := range []func(context.Context) error{sim.Run, w.printer.Run, cam.Run, w.guard.Run} {
			all.Go(func() {
				if err := run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		defer all.Wait()
		defer cancel()
		w.until("an idle printer", func(s *printer.Snapshot) bool { return s.State == printer.Idle })
		test(w)
	})
}

func (w *world) keepEvidence(_ context.Context, e guard.Evidence) (int64, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Alarm.ID == 0 {
		e.Alarm.ID = int64(len(w.evidence)) + 1
		w.evidence = append(w.evidence, e)
	}
	w.evidence[e.Alarm.ID-1] = e
	return e.Alarm.ID, nil
}

// scene is what the camera draws. Pictures of a head that moves are looked at by nobody, and drawing them was most of what these tests took: there are few.
func (w *world) scene() camera.Scene {
	b := w.sim.Body()
	for range 40 {
		time.Sleep(50 * time.Millisecond)
		before := b.True
		if b = w.sim.Body(); b.True == before {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	s := camera.Scene{X: b.True[0] + w.beside, Y: b.True[1], Z: b.True[2], NozzleC: b.NozzleC, NozzleTargetC: b.NozzleTargetC, BedC: b.BedC, FanPercent: b.FanPercent, Clock: time.Now()}
	for _, t := range b.Trail {
		s.Trail = append(s.Trail, camera.Segment{X1: float32(t.From[0]), Y1: float32(t.From[1]), X2: float32(t.To[0]), Y2: float32(t.To[1]), Z: float32(t.To[2])})
	}
	return s
}

// until waits for a snapshot; sees for a state of the guard.
func (w *world) until(what string, is func(*printer.Snapshot) bool) *printer.Snapshot {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 12*time.Minute)
	defer cancel()
	for seq := uint64(0); ; {
		s, n, err := w.printer.Snapshots().Next(ctx, seq)
		if err != nil {
			now, _ := w.printer.Snapshots().Get()
			g, _ := w.guard.States().Get()
			w.Fatalf("waiting for %s: the printer is %v, %+v, the guard %+v", what, now.State, now.Fault, g)
		}
		if seq = n; is(s) {
			return s
		}
	}
}

func (w *world) sees(what string, is func(*guard.State) bool) *guard.State {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 12*time.Minute)
	defer cancel()
	for seq := uint64(0); ; {
		s, n, err := w.guard.States().Next(ctx, seq)
		if err != nil {
			now, _ := w.printer.Snapshots().Get()
			g, _ := w.guard.States().Get()
			w.Fatalf("waiting for %s: the printer is %v, job %+v, the guard %+v, setup %+v, drill %+v", what, now.State, now.Job, g, g.Setup, g.Drill)
		}
		if seq = n; is(s) {
			return s
		}
	}
}

// setUp does the set-up.
func (w *world) setUp() *guard.State {
	w.Helper()
	if err := w.guard.SetUp(w.Context()); err != nil {
		w.Fatal(err)
	}
	return w.sees("the end of the set-up", func(s *guard.State) bool {
		return s.Setup != nil && (s.Setup.Step == "done" || s.Setup.Step == "failed")
	})
}

// tower is a job of layers, each of which takes some six seconds.
func tower(layers int) string {
	var b strings.Builder
	b.WriteString("G28\nM109 S200\nG90\nM83\nG1 F1800\n")
	for l := range layers {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.2f\n", l, 0.3+0.2*float64(l))
		for i := range 6 {
			fmt.Fprintf(&b, "G1 X%d Y%d E0.5\n", []int{80, 110, 110, 80}[i%4], []int{80, 80, 110, 110}[i%4])
		}
	}
	return b.String()
}

// print begins a job as the server does.
func (w *world) print(text string, film printer.Shots) {
	w.Helper()
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		w.Fatal(err)
	}
	shots, watch, err := w.guard.Arrange(w.Context(), guard.Order{Job: "j1", Film: film, Survey: &survey})
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.printer.Start(w.Context(), printer.JobInfo{ID: "j1", File: "a.gcode", Size: int64(len(text)), Survey: survey, Shots: shots, Watch: watch}, io.NopCloser(strings.NewReader(text))); err != nil {
		w.Fatal(err)
	}
}

func TestSetUpAndDrill(t *testing.T) {
	watch(t, printertest.Config{}, nil, func(w *world) {
		s := w.setUp()
		c := s.Card
		if s.Setup.Step != "done" || c == nil || c.CameraID != 0 || c.XMM <= 0 || c.XMM > 0.8 || c.YMM <= 0 || c.YMM > 0.8 || !c.BedMoves || !c.Endstops.X.Usable || !c.Endstops.Y.Usable || c.CheckS <= 0 {
			t.Fatalf("got %+v, %+v", s.Setup, c)
		}
		if s.Mode != printer.WatchPause || s.Endstops.Status != guard.WitnessReady || s.Camera.Status != guard.WitnessReady {
			t.Errorf("after it: %+v", s)
		}
		synctest.Wait()
		w.mu.Lock()
		if w.kept.Card == nil || w.kept.Calibration == nil || w.kept.Bed == nil || w.kept.Bed.At.YMM == w.kept.Calibration.Park.YMM {
			t.Errorf("kept: %+v", w.kept)
		}
		w.mu.Unlock()
		for _, axis := range []string{"x", "y"} {
			if err := w.guard.Drill(w.Context(), axis); err != nil {
				t.Fatal(err)
			}
			d := w.sees("the end of the drill", func(s *guard.State) bool { return s.Drill != nil && !s.Drill.Running && s.Drill.Axis == axis }).Drill
			if !d.Paused || d.Why != "" || !strings.Contains(d.Camera, "0.8 mm") || !strings.Contains(d.Endstops, "0.8 mm") {
				t.Errorf("the drill of %s: got %+v", axis, d)
			}
		}
	})
}

// A print in which nothing is lost is looked at, and goes through.
func TestNothingIsLost(t *testing.T) {
	watch(t, printertest.Config{}, nil, func(w *world) {
		w.setUp()
		w.films()
		w.print(tower(14), printer.Shots{Mode: printer.ShotsPark})
		end := w.until("the end", func(s *printer.Snapshot) bool { return s.LastJob != nil })
		s := w.sees("the end", func(s *guard.State) bool { return s.Job == "j1" })
		seen, right := 0, 0
		for _, l := range s.Layers {
			if l.XMM != nil && l.YMM != nil {
				seen++
			}
			if l.Check == printer.CheckRight {
				right++
			}
		}
		if end.LastJob.Outcome != "done" || s.Alarm != nil || seen < 5 || right < 1 || len(w.evidence) > 0 {
			t.Errorf("got %+v, %d layers that were seen, %d checks, %+v", end.LastJob, seen, right, s)
		}
	})
}

// lose prints, has the motor of an axis lose steps, and waits for the alarm.
func (w *world) lose(fault string, film printer.Shots) *guard.State {
	w.Helper()
	layers := 70
	if film.Mode != printer.ShotsOff { // with a picture of each layer each takes longer
		layers = 22
	}
	w.print(tower(layers), film)
	w.sees("some looks or checks", func(s *guard.State) bool { return s.Job == "j1" && len(s.Layers) >= 4 })
	faults, err := printertest.ParseFaults(fault)
	if err != nil {
		w.Fatal(err)
	}
	w.sim.Inject(faults.At...)
	return w.sees("an alarm", func(s *guard.State) bool { return s.Alarm != nil })
}

func TestALossIsFoundAndMended(t *testing.T) {
	for name, c := range map[string]struct {
		machine   printertest.Config
		change    func(*world)
		fault     string
		film      printer.Shots
		confirmed bool
		x, y      float64
	}{
		"camera and endstops": {film: printer.Shots{Mode: printer.ShotsPark}, fault: "lose@x:8:1", confirmed: true, x: 1.6},
		"the endstops alone":  {change: func(w *world) { w.cfg.Camera = func(int) guard.Camera { return nil } }, fault: "lose@y:-4:1", confirmed: true, y: -0.8},
		"the camera alone":    {machine: printertest.Config{X: printertest.Switch{Kind: printertest.NoSwitch}, Y: printertest.Switch{Kind: printertest.NoSwitch}}, fault: "lose@x:4:1", x: 0.8},
	} {
		if testing.Short() && name == "the camera alone" { // most of the pictures, which the race detector makes slow; the first has all goroutines of it
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			watch(t, c.machine, c.change, func(w *world) {
				if s := w.setUp(); s.Setup.Step != "done" {
					t.Fatalf("set-up: %+v", s.Setup)
				}
				if c.film.Mode != printer.ShotsOff {
					w.films()
				}
				a := w.lose(c.fault, c.film).Alarm
				if near := func(a, b float64) bool { return a-b < 0.15 && b-a < 0.15 }; a.Confirmed != c.confirmed || !near(a.XMM, c.x) || !near(a.YMM, c.y) || !a.Paused || a.Since < 1 || a.Since > a.Layer || a.Job != "j1" {
					t.Errorf("got %+v", a)
				}
				w.until("the pause", func(s *printer.Snapshot) bool { return s.State == printer.Paused && s.Pause.By == "shift" })
				s := w.sees("its pictures", func(s *guard.State) bool {
					return s.Alarm != nil && s.Alarm.ID == 1 && (s.Alarm.Pictures || name == "the endstops alone")
				})
				if w.evidence[0].Alarm.Sentence != s.Alarm.Sentence || len(s.Alarm.Statements) == 0 {
					t.Errorf("kept: %+v, shown: %+v", w.evidence[0].Alarm, s.Alarm)
				}
				if !c.confirmed { // there is no switch by which it could be homed anew
					if err := w.guard.FalseAlarm(w.Context(), "j1"); err != nil {
						t.Fatal(err)
					}
					return
				}
				if _, err := w.printer.Rehome(w.Context(), "j1"); err != nil {
					t.Fatal(err)
				}
				w.sees("homed anew", func(s *guard.State) bool {
					return s.Alarm != nil && s.Alarm.Rehoming != nil && !s.Alarm.Rehoming.Running && s.Alarm.Rehoming.OK
				})
				if _, err := w.printer.Resume(w.Context(), "j1"); err != nil {
					t.Fatal(err)
				}
				w.sees("no alarm any more", func(s *guard.State) bool { return s.Alarm == nil })
				end := w.until("the end", func(s *printer.Snapshot) bool { return s.LastJob != nil || s.State == printer.Paused })
				if end.LastJob == nil || end.LastJob.Outcome != "done" {
					t.Errorf("got %v, %+v", end.State, end.LastJob)
				}
				synctest.Wait()
				if len(w.evidence) != 1 || w.evidence[0].Alarm.Label != guard.LabelTrue {
					t.Errorf("kept: %+v", w.evidence)
				}
			})
		})
	}
}

// A second loss is found though it is as large as the first, with which the print went on as it was.
func TestASecondLossOfTheSameSize(t *testing.T) {
	watch(t, printertest.Config{}, func(w *world) { w.cfg.Camera = func(int) guard.Camera { return nil } }, func(w *world) {
		if s := w.setUp(); s.Setup.Step != "done" {
			t.Fatalf("set-up: %+v", s.Setup)
		}
		w.lose("lose@y:-4:1", printer.Shots{})
		w.until("the pause", func(s *printer.Snapshot) bool { return s.State == printer.Paused && s.Pause.By == "shift" })
		if _, err := w.printer.Resume(w.Context(), "j1"); err != nil {
			t.Fatal(err)
		}
		w.sees("no alarm any more", func(s *guard.State) bool { return s.Alarm == nil })
		faults, err := printertest.ParseFaults("lose@y:-4:1")
		if err != nil {
			t.Fatal(err)
		}
		w.sim.Inject(faults.At...)
		again := w.until("the second pause", func(s *printer.Snapshot) bool { return s.State == printer.Paused || s.LastJob != nil })
		if again.LastJob != nil || again.Pause.By != "shift" {
			t.Errorf("got %v %+v", again.State, again.LastJob)
		}
	})
}

// films stands in for a timelapse: it takes a picture of each shot, and says so to the guard.
func (w *world) films() {
	ctx := w.Context()
	go func() {
		for last := 0; ; {
			s, err := w.next(ctx, func(s *printer.Snapshot) bool { return s.Job != nil && s.Job.Shot != nil && s.Job.Shot.N != last })
			if err != nil {
				return
			}
			if last = s.Job.Shot.N; s.Job.Shot.Still {
				time.Sleep(50 * time.Millisecond)
				w.guard.ShotTaken(ctx, s.Job.ID, last)
			}
		}
	}()
}

func (w *world) next(ctx context.Context, is func(*printer.Snapshot) bool) (*printer.Snapshot, error) {
	for seq := uint64(0); ; {
		s, n, err := w.printer.Snapshots().Next(ctx, seq)
		if err != nil {
			return nil, err
		}
		if seq = n; is(s) {
			return s, nil
		}
	}
}

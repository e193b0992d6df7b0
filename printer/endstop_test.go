package printer

import (
	"layerd/printer/printertest"
	"strings"
	"testing"
	"time"
)

// What M119, M211 and M420 answer, in every form that is known, and damaged: then it is not believed.
func TestHark(t *testing.T) {
	h := func(text string) *hark { return &hark{lines: strings.Split(text, "|")} }
	for _, c := range []struct {
		text          string
		axis          int
		max           bool
		closed, known bool
	}{
		{"Reporting endstop status|x_min: open|y_min: TRIGGERED|z_min: open", 0, false, false, true},
		{"Reporting endstop status|x_min: open|y_min: TRIGGERED|z_min: open", 1, false, true, true},
		{"x_min: open|x_max: TRIGGERED", 0, true, true, true},
		{"x_min: open|x_max: TRIGGERED", 0, false, false, true},
		{"y_min: open|y_min: TRIGGERED", 1, false, false, false}, // one of them was x_min
		{"y_min: open|y_min: open", 1, false, false, true},
		{"stepper_x:TRIGGERED stepper_y:open stepper_z:open", 0, false, true, true},
		{"x:open y:TRIGGERED z:open", 1, true, true, true},
		{"endstops hit: x_min:L y_min:H z_min:L", 1, false, true, true},
		{"X_min:0 Y_min:1 Z_min:0 Probe: 0", 1, false, true, true},
		{"Endstops - X: at min stop, Y: not stopped, Z: not stopped", 0, false, true, true},
		{"Endstops - X: at max stop, Y: not stopped, Z: not stopped", 0, true, true, true},
		{"ok x_min:open y_min:triggered z_min:open", 1, false, true, true},
		{"x_min: opeo|x_mhn: open", 0, false, false, false},
		{"X:1.00 Y:0.00 Z:1.00 E:0.00 Count X:80 Y:0 Z:400|ok", 0, false, false, false},
		{"", 0, false, false, false},
	} {
		if closed, known := h(c.text).endstop(c.axis, c.max); closed != c.closed || known != c.known {
			t.Errorf("%s: %c: got %v, known %v", c.text, "XY"[c.axis], closed, known)
		}
	}
	want := [2][2]float64{{-5, 220}, {0, 210.5}}
	for text, on := range map[string]bool{
		"  M211 S1 ; ON|  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00|ok": true,
		"  M211 S0 ; OFF|  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00":   false,
		"echo:Soft endstops: On   Min: X-5.00 Y0.00 Z0.00  Max: X220.00 Y210.50 Z210":  true,
		"Soft endstops: OFF  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00": false,
	} {
		if l, ok := h(text).limits(); !ok || l.on != on || l.axis != want {
			t.Errorf("%s: got %+v, %v", text, l, ok)
		}
	}
	for _, text := range []string{"", "ok", "  M211 S0 ; ON|  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00", "  M211 S1 ; ON",
		"  Min:  X-5.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00", "  M211 S1 ; ON|  Min:  X-5.0.0 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00",
		"  M211 S1 ; ON|  Min:  X99999.00 Y0.00 Z0.00   Max:  X220.00 Y210.50 Z250.00", "echo:Unknown command: \"M211\""} {
		if l, ok := h(text).limits(); ok {
			t.Errorf("%s: got %+v", text, l)
		}
	}
	for text, want := range map[string]string{"echo:Bed Leveling On|echo:Fade Height 7.00": "true Z7", "echo:Bed Leveling Off|echo:Fade Height Off": "false Z0", "echo:Bed Leveling ON": "true", "ok": ""} {
		on, fade, ok := h(text).levelling()
		got := strings.TrimSpace(map[bool]string{true: map[bool]string{true: "true", false: "false"}[on]}[ok] + fade)
		if got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// What is lost is put into steps and teeth where it is a multiple of them, and where somebody knows how far they are: not for motors that may be of 0.9°, screws, CoreXY.
func TestFindings(t *testing.T) {
	for _, c := range []struct {
		stepsPerMM float64
		kinematics string
		off        float64
		want       AxisFinding
	}{
		{80, "cartesian", 0.8, AxisFinding{OffMM: 0.8, Steps: 4}}, {80, "", -0.72, AxisFinding{OffMM: -0.72, Steps: -4}}, {80.4, "", 1.63, AxisFinding{OffMM: 1.63, Steps: 8}},
		{80, "", 2.02, AxisFinding{OffMM: 2.02, Teeth: 1}}, {80, "", -4, AxisFinding{OffMM: -4, Steps: -20, Teeth: -2}}, {80, "", 0.4, AxisFinding{OffMM: 0.4}},
		{80, "", 1.2, AxisFinding{OffMM: 1.2}}, {80, "", -8.05, AxisFinding{OffMM: -8.05, Steps: -40, Teeth: -4}},
		{100, "", 0.64, AxisFinding{OffMM: 0.64, Steps: 4}}, {100, "", 2.56, AxisFinding{OffMM: 2.56, Steps: 16}}, {100, "", 0.96, AxisFinding{OffMM: 0.96}},
		{160, "", 0.8, AxisFinding{OffMM: 0.8}}, {160, "", 2, AxisFinding{OffMM: 2, Teeth: 1}}, {200, "", 0.64, AxisFinding{OffMM: 0.64}},
		{400, "", 0.8, AxisFinding{OffMM: 0.8}}, {0, "", 4, AxisFinding{OffMM: 4}}, {80, "corexy", 0.8, AxisFinding{OffMM: 0.8}}, {80, "corexy", 4, AxisFinding{OffMM: 4}},
	} {
		c.want.Checked = true
		if got := driveOf(c.stepsPerMM, c.kinematics).finding(c.off); got != c.want {
			t.Errorf("%g steps to a mm, %s: %g is %+v, want %+v", c.stepsPerMM, c.kinematics, c.off, got, c.want)
		}
	}
	for text, want := range map[string][2]float64{
		"echo:; Steps per unit:|echo: M92 X80.00 Y160.00 Z400.00 E93.00|ok": {80, 160}, "echo:  M92 X100.50 Y80.00": {100.5, 80}, "M92 Y80": {0, 80},
		"echo:Unknown command: \"M503\"|ok": {}, "echo: M92 X80 Y80|echo: M92 X8 Y80": {}, "M92 X-80 Y10000000": {},
	} {
		if got := (&hark{lines: strings.Split(text, "|")}).stepsPerMM(); got != want {
			t.Errorf("%s: got %v", text, got)
		}
	}
}

// Checks take no more of a print's time than they are to, with the first of them after the first layer; and a print that is not worth one has none.
func TestChecksKeepTheirShare(t *testing.T) {
	for share, most := range map[float64]float64{0: 1, 5: 5} {
		whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
			r.becomes(Idle)
			r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
			r.watched(tower(150, 24, "M83"), Watch{Mode: WatchPause, SharePercent: share})
			first := await(r.T, r.p, func(s *Snapshot) bool { return s.Job != nil && s.Job.Checks > 0 || s.LastJob != nil })
			var job JobStatus
			end := await(r.T, r.p, func(s *Snapshot) bool {
				if s.Job != nil {
					job = *s.Job
				}
				return s.LastJob != nil
			})
			took := 100 * job.ChecksS / end.LastJob.ElapsedS
			t.Logf("%g %%: %d checks took %.1f s of %.0f s, %.2f %%", share, job.Checks, job.ChecksS, end.LastJob.ElapsedS, took)
			if first.Job == nil || first.Job.Check.Layer != 1 || job.Checks < 3 || took > most*1.15 || end.LastJob.StarvedS != 0 {
				t.Errorf("first %+v; %d took %.2f %%, want at most %g; starved for %.1f s", first.Job, job.Checks, took, most, end.LastJob.StarvedS)
			}
		})
	}
	whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
		r.becomes(Idle)
		r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
		r.watched(tower(10, 8, "M83"), Watch{Mode: WatchPause})
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.LastJob != nil || s.Job != nil && s.Job.Check != nil })
		if snap.LastJob == nil {
			t.Errorf("got %+v", snap.Job.Check)
		}
	})
}

// However little of a print's time checks are to take, and however long the first of them takes, no loss goes unseen for more than eight minutes.
func TestChecksComeInTime(t *testing.T) {
	for _, share := range []float64{0, 0.3} {
		whole(t, printertest.Config{Baud: 115200, Speed: 1, Heat: 20}, nil, func(r *rig) {
			r.becomes(Idle)
			r.must(r.p.SetSwitches(r.Context(), usualSwitches(r.machine(), true)))
			r.watched(tower(200, 24, "M83"), Watch{Mode: WatchPause, SharePercent: share})
			var last *EndstopCheck
			for n := 0; ; n++ {
				snap := r.checkedAfter(n)
				if snap.LastJob != nil {
					if n < 5 || n > 9 {
						t.Errorf("%g %%: %d checks in %.0f s", share, n, snap.LastJob.ElapsedS)
					}
					return
				}
				c := snap.Job.Check
				if last != nil && (c.AtMS-last.AtMS > 480_000+5_000 || c.AtMS-last.AtMS < 240_000) {
					t.Errorf("%g %%: %.0f s between checks %d and %d", share, float64(c.AtMS-last.AtMS)/1000, n, n+1)
				}
				last = c
			}
		})
	}
}

// A fire drill finds what it was moved aside by, and forgets it; what cannot be drilled is refused; and nothing else moves the machine meanwhile.
func TestDrill(t *testing.T) {
	whole(t, printertest.Config{Baud: 115200, Speed: 1}, nil, func(r *rig) {
		r.becomes(Idle)
		if _, err := r.p.Drill(r.Context(), 'x', 0.8); err == nil {
			t.Error("drilled without homing")
		}
		r.must(r.p.Send(r.Context(), "G28", "G1 X50 Y60 Z20 F6000"))
		time.Sleep(time.Minute)
		if _, err := r.p.Drill(r.Context(), 'x', 0.8); err == nil || !strings.Contains(err.Error(), "not been measured") {
			t.Errorf("got %v", err)
		}
		r.must(r.p.CalibrateSwitches(r.Context()))
		for _, refused := range []error{errorOf(r.p.Jog(r.Context(), 'x', 5)), errorOf(r.p.Home(r.Context(), "x")), errorOf(r.p.CalibrateSwitches(r.Context())), errorOf(r.p.Drill(r.Context(), 'x', 1))} {
			if refused == nil {
				t.Error("it was allowed in a calibration")
			}
		}
		await(r.T, r.p, func(s *Snapshot) bool { return s.Calibration != nil && !s.Calibration.Running })
		before := r.sim.Body().State()
		for i, mm := range []float64{0.8, -0.8, 0, 2.4} {
			from := r.now().Drilled
			r.must(r.p.Drill(r.Context(), "xyxy"[i], mm))
			got := await(r.T, r.p, func(s *Snapshot) bool { return s.Drilled != from && s.Drilled != nil }).Drilled
			f := []AxisFinding{got.X, got.Y}
			if !near(f[i%2].OffMM, mm, 0.06) || f[1-i%2].OffMM != 0 || got.Verdict == CheckLost != (mm != 0) {
				t.Errorf("%g: got %+v", mm, got)
			}
		}
		after := r.sim.Body().State()
		if before.PlannedMM != after.PlannedMM || before.TrueMM != after.TrueMM || !after.SoftLimits {
			t.Errorf("before %+v\nafter %+v", before, after)
		}
		r.must(r.p.CalibrateSwitches(r.Context()))
		time.Sleep(20 * time.Second)
		r.must(r.p.StopCalibration(r.Context()))
		snap := await(r.T, r.p, func(s *Snapshot) bool { return s.Calibration != nil && !s.Calibration.Running })
		if snap.Calibration.Why != "it was stopped" || !snap.Switches.X.Usable || !r.sim.Body().State().SoftLimits {
			t.Errorf("got %+v, %+v", snap.Calibration, snap.Switches)
		}
		profile := Presets()[0]
		profile.WidthMM = 300
		r.must(r.p.SetProfile(r.Context(), profile))
		if sw := r.now().Switches; sw.X.Usable || !strings.Contains(sw.X.Why, "profile") {
			t.Errorf("got %+v", sw)
		}
	})
}

func errorOf(_ uint64, err error) error { return err }

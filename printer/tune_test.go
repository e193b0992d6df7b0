package printer

import (
	"fmt"
	"strings"
	"testing"

	"layerd/gcode"
)

// tuneBy is what transcripts ask for: babystep MM, advance TOOL FACTOR, accelerate MM/S².
func (s *session) tuneBy(what, arg string) (err error) {
	var tool int
	var v float64
	if what == "advance" {
		if _, err := fmt.Sscanf(arg, "%d %g", &tool, &v); err != nil {
			return err
		}
		return s.pressureAdvance(tool, v)
	}
	if _, err := fmt.Sscanf(arg, "%g", &v); err != nil {
		return err
	}
	if what == "babystep" {
		return s.babystep(v)
	}
	return s.acceleration(v)
}

// told is a Tuning in words, for transcripts.
func told(t Tuning) string {
	k := "?"
	if t.PressureAdvance != nil {
		k = fmt.Sprint(*t.PressureAdvance)
	}
	return fmt.Sprintf("babystep:%g unsaved:%g advance:%s acceleration:%g has:%v,%v,%v", t.BabystepMM, t.UnsavedMM, k, t.AccelerationMMS2,
		t.HasBabystep, t.HasAdvance, t.HasAcceleration)
}

// What lines of a job or a person have tuned is followed, as the firmware follows them.
func TestTuneFollowsLines(t *testing.T) {
	for _, c := range []struct{ dialect, lines, want string }{
		{"marlin", "M290 Z0.05|M290 P0 Z-.02|M290 S.01", "0.04 ? 0"},
		{"marlin", "M290 Z0.05|G28 X", "0.05 ? 0"},
		{"marlin", "M290 Z0.05|G28 Z", "0 ? 0"},
		{"marlin", "M290 Z0.05|G28", "0 ? 0"},
		{"marlin", "M290 X0.05", "0 ? 0"},
		{"marlin", "G20|M290 Z0.01|G21", "0.254 ? 0"},
		{"marlin", "M900 K0.08|M204 P500 T900|M900", "0 0.08 500"},
		{"marlin", "M900 T1 K0.08|M900 T0 K.1|M204 S700", "0 0.1 700"},
		{"marlin", "M900 K0.08|M204 P500|M501", "0 ? 0"},
		{"prusa", "M204 S1250 T1250|M900 K30", "0 30 1250"},
		{"klipper", "SET_GCODE_OFFSET Z_ADJUST=0.05 MOVE=1|SET_GCODE_OFFSET Z_ADJUST=-0.01|G28", "0.04 ? 0"},
		{"klipper", "set_gcode_offset z=.2|SET_GCODE_OFFSET Z_ADJUST=nan", "0.2 ? 0"},
		{"klipper", "SET_PRESSURE_ADVANCE ADVANCE=.04|SET_PRESSURE_ADVANCE EXTRUDER=extruder1 ADVANCE=1|SET_VELOCITY_LIMIT ACCEL=3000", "0 0.04 3000"},
		{"reprapfirmware", "M290 S0.05|G28|M290 S0.05|M572 D1 S.3|M572 D0 S.2", "0.1 0.2 0"},
		{"reprapfirmware", "M290 S0.05|M290 R0 S0.01", "0.01 ? 0"},
		{"repetier", "M204 X30 Y20 S5|M900", "0 ? 0"},
	} {
		d := unknown
		for _, known := range dialects {
			if known.name == c.dialect {
				d = known
			}
		}
		m := freshModal(Presets()[0])
		for line := range strings.SplitSeq(c.lines, "|") {
			m.apply([]byte(line), d.g90SetsE)
			m.tune([]byte(line), &d)
		}
		k := "?"
		if m.tuned.advanced {
			k = fmt.Sprint(m.tuned.advance)
		}
		if got := fmt.Sprintf("%g %s %g", m.tuned.babystepMM, k, m.tuned.accelMMS2); got != c.want {
			t.Errorf("%s, %s: got %s, want %s", c.dialect, c.lines, got, c.want)
		}
	}
}

// The answers in which firmware tells what it has, as its sources make them.
func TestTuneReadsAnswers(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"echo:Advance K=0.05", "0.05 ? ?"},
		{"Advance S0 K0.05(S1 K0.20)", "0.05 ? ?"},
		{"Advance K 0:0.02 1:0.03", "0.02 ? ?"},
		{"// pressure_advance: 0.050000", "0.05 ? ?"},
		{"Extruder pressure advance: 0.060, 0.000", "0.06 ? ?"},
		{"Acceleration: P500.00 R3000.00 T1500.00", "? 500 ?"},
		{"echo:  M204 P500.00 R500.00 T500.00", "? 500 ?"},
		{"Setting Print Acceleration: 3000.00", "? 3000 ?"},
		{"Maximum printing acceleration 900.0, maximum travel acceleration 1000.0", "? 900 ?"},
		{"echo:  M851 X-40.00 Y-10.00 Z-1.25 ; (mm)", "? ? -1.25"},
		{"M851 X0 Y0 Z2.10 ;", "? ? 2.1"},
		{"echo:Probe Offset X-40.00 Y-10.00 Z-2.35", "? ? -2.35"},
		{"echo:Probe Offset Z-0.80", "? ? -0.8"},
		{"echo:Probe Z Offset: -1.20", "? ? -1.2"},
		{"echo:Probe Z Offset Z-1.20", "? ? -1.2"},
		{"echo:  M851 Z-1.30", "? ? -1.3"},
		{`echo:Unknown command: "M851"`, "? ? ?"},
		{"T:21.0 /0.0", "? ? ?"},
	} {
		show := func(v float64, ok bool) string {
			if !ok {
				return "?"
			}
			return fmt.Sprint(v)
		}
		lines := []string{"nothing", c.text}
		k, kOK := said(saysAdvance, lines)
		a, aOK := said(saysAccel, lines)
		z, zOK := said(saysOffset, lines)
		if got := show(k, kOK) + " " + show(a, aOK) + " " + show(z, zOK); got != c.want {
			t.Errorf("%s: got %s, want %s", c.text, got, c.want)
		}
	}
}

// Each dialect's commands are ones that it can take as one line, and that its own follower understands.
func TestTunesAreUnderstood(t *testing.T) {
	for _, d := range append(dialects, unknown) {
		m := freshModal(Presets()[0])
		for _, command := range []string{d.tunes.babystep, d.tunes.advance, d.tunes.accel} {
			if command != "" {
				text := []byte(command + "0.125")
				m.tune(text, &d)
				if room := d.room(); room > 0 && len(text) > room {
					t.Errorf("%s: %s is too long", d.name, text)
				}
				if strings.HasPrefix(command, "M") && gcode.ParseCommand(text).Letter != 'M' {
					t.Errorf("%s: %s is no command", d.name, text)
				}
			}
		}
		want := func(command string, got float64) {
			if (command != "") != (got == 0.125) {
				t.Errorf("%s: after %s… the follower has %g", d.name, command, got)
			}
		}
		want(d.tunes.babystep, m.tuned.babystepMM)
		want(d.tunes.advance, m.tuned.advance)
		want(d.tunes.accel, m.tuned.accelMMS2)
	}
}

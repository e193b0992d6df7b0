package printer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"
)

func TestModal(t *testing.T) {
	for _, c := range []struct {
		lines    string
		g90SetsE bool
		want     string
	}{
		{"G91", true, "relXYZ relE"},
		{"G91", false, "relXYZ"},
		{"M83|G90", true, ""},
		{"M83|G90", false, "relE"},
		{"G91|M82", true, "relXYZ"},
		{"G20|G1 X1 F50|G21", false, "feed50"},
		{"G0 F100|G1 X1|G1 F0|G1 F-5|G2 F300 I1", false, "feed300"},
		{"T1|M104 S200|M104 T0 S190|M109 R150|T0", false, "nozzles map[0:190 1:150]"},
		{"M104 T99 S200|T99|M104 T-1 S5", false, ""},
		{"M140 S60|M190 R50|M141 S40", false, "bed50 chamber40"},
		{"M106 S127.5", false, "fan50"},
		{"M106", false, "fan100"},
		{"M106 S999|M106 P1 S0", false, "fan100"},
		{"M106 S255|M107", false, ""},
		{"M220 S80|M221 S110|M220|M221 S0", false, "speed80 flow110"},
		{"M73 P50 R12|M73 P60", false, "left12"},
		{"M73 R" + strings.Repeat("9", 308), false, ""},
		{"M117 G91 M83|M118 M106|; G91", true, ""},
	} {
		m := freshModal(Profile{})
		for _, l := range strings.Split(c.lines, "|") {
			m.apply([]byte(l), c.g90SetsE)
		}
		if got := describeModal(m); got != c.want {
			t.Errorf("%.60s: got %q, want %q", c.lines, got, c.want)
		}
		copied := m.clone()
		m.apply([]byte("M104 S1"), false)
		if got := describeModal(copied); got != c.want {
			t.Errorf("%.60s: its copy changed to %q", c.lines, got)
		}
	}
}

// describeModal says what differs from fresh.
func describeModal(m modal) string {
	var out []string
	say := func(set bool, form string, args ...any) {
		if set {
			out = append(out, fmt.Sprintf(form, args...))
		}
	}
	say(m.relXYZ, "relXYZ")
	say(m.relE, "relE")
	say(m.inches, "inches")
	say(m.feed != 0, "feed%g", m.feed)
	say(m.tool != 0, "tool%d", m.tool)
	say(len(m.nozzleC) > 0, "nozzles %v", m.nozzleC)
	say(m.bedC != 0, "bed%g", m.bedC)
	say(m.chamberC != 0, "chamber%g", m.chamberC)
	say(m.fanPercent != 0, "fan%g", math.Round(m.fanPercent))
	say(m.speedPercent != 100, "speed%g", m.speedPercent)
	say(m.flowPercent != 100, "flow%g", m.flowPercent)
	say(m.leftMin != -1, "left%g", m.leftMin)
	return strings.Join(out, " ")
}

// Progress never goes back, ends at 100, and the time left is never negative nor no number, whatever the file claims.
func TestProgress(t *testing.T) {
	layers := []gcode.Layer{{ZMM: 0.2, Offset: 100, ElapsedS: 10}, {ZMM: 0.4, Offset: 500, ElapsedS: 300}}
	for name, v := range map[string]gcode.Survey{
		"layers":   {FirstOffset: 10, LastOffset: 990, TimeS: 600, SlicerTimeS: 660, Layers: layers, Lines: 100},
		"no moves": {Lines: 100},
		"guess":    {TimeS: 600, LastOffset: 1000},
	} {
		now := time.Unix(1e9, 0)
		run := startRun(now)
		before := -1.0
		for end := int64(0); end <= 1000; end += 10 {
			now = now.Add(time.Second)
			info := JobInfo{Size: 1000, Survey: v}
			run.landed(now, &flight{pos: jobPos{line: end / 10, end: end, layer: v.LayerAt(end)}}, &job{info: info}, &modal{speedPercent: 100})
			st := run.status(now, info, &modal{leftMin: -1})
			if st.Percent < before || st.Percent > 100 || math.IsNaN(st.LeftS) || st.LeftS < -1 {
				t.Errorf("%s: at byte %d: %g %% after %g %%, %g s left", name, end, st.Percent, before, st.LeftS)
			}
			if (st.LeftS == -1) != (st.LeftBy == "") {
				t.Errorf("%s: %g s left by %q", name, st.LeftS, st.LeftBy)
			}
			before = st.Percent
		}
		if before != 100 {
			t.Errorf("%s: ends at %g %%", name, before)
		}
		if st := run.status(now, JobInfo{Survey: v}, &modal{leftMin: 7}); st.PrinterLeftS != 420 || (st.LeftBy == LeftByPrinter) != (v.TimeS == 0) {
			t.Errorf("%s: with M73: %g s and %g s left by %q", name, st.PrinterLeftS, st.LeftS, st.LeftBy)
		}
	}
}

// A run's clock stands still in a pause.
func TestElapsed(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(1e9+int64(s), 0) }
	run := startRun(at(0))
	run.stop(at(10))
	run.stop(at(20))
	run.start(at(30))
	run.start(at(35))
	if got := run.elapsed(at(40)); got != 20*time.Second {
		t.Errorf("got %v, want 20s", got)
	}
}

func TestProfiles(t *testing.T) {
	names := map[string]bool{}
	for _, p := range Presets() {
		if err := p.Check(); err != nil || names[p.Name] {
			t.Errorf("%s: %v, twice %v", p.Name, err, names[p.Name])
		}
		names[p.Name] = true
	}
	if p := Presets()[0]; p.MaxNozzleC != 260 || p.MaxBedC != 110 {
		t.Errorf("defaults are %g and %g °C", p.MaxNozzleC, p.MaxBedC)
	}
	round := Presets()[len(Presets())-1]
	for _, c := range []struct {
		change func(*Profile)
		want   string // "" = it is fine
	}{
		{func(p *Profile) { p.WidthMM = math.NaN() }, "width_mm"},
		{func(p *Profile) { p.HeightMM = math.Inf(1) }, "height_mm"},
		{func(p *Profile) { p.Nozzles = 0 }, "nozzles"},
		{func(p *Profile) { p.ParkXMM = -1 }, "park_x_mm"},
		{func(p *Profile) { p.Origin = "center" }, "park_y_mm"},
		{func(p *Profile) { p.Bed = "hexagon" }, "hexagon"},
		{func(p *Profile) { p.Origin = "" }, "origin"},
		{func(p *Profile) { p.Name = "" }, "name"},
		{func(p *Profile) { p.LiftMMS = 0 }, "lift_mm_s"},
		{func(p *Profile) { *p = round; p.ParkXMM, p.ParkYMM = 80, 80 }, "circle"},
		{func(p *Profile) { *p = round; p.ParkXMM, p.ParkYMM = 60, 70 }, ""},
		{func(p *Profile) { p.Kinematics = "" }, ""}, // of before there were any
		{func(p *Profile) { p.Kinematics = "scara" }, "scara"},
		{func(p *Profile) { p.Mixing = true }, "mixing"},
		{func(p *Profile) { p.Mixing, p.Nozzles = true, 2 }, ""},
		{func(p *Profile) { p.Tools = []Tool{{}, {XMM: 18}} }, "2 places"},
		{func(p *Profile) { p.Nozzles, p.Tools = 2, []Tool{{}, {YMM: math.NaN()}} }, "y_mm of tool 1"},
		{func(p *Profile) { p.Nozzles, p.Tools = 2, []Tool{{}, {XMM: 18}} }, ""},
	} {
		p := Presets()[0]
		c.change(&p)
		if err := p.Check(); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
	for _, c := range []struct {
		axis      int
		at        Position
		low, high float64
	}{{0, Position{}, -100, 100}, {0, Position{YMM: 60}, -80, 80}, {1, Position{XMM: -80}, -60, 60}, {0, Position{YMM: 150}, 0, 0}, {2, Position{}, 0, 250}} {
		if low, high := round.span(c.axis, c.at, 0); !near(low, c.low, 1e-9) || !near(high, c.high, 1e-9) {
			t.Errorf("axis %d at %+v: got %g to %g, want %g to %g", c.axis, c.at, low, high, c.low, c.high)
		}
	}
}

func TestDialectOf(t *testing.T) {
	for firmware, want := range map[string]string{
		"Marlin bugfix-2.1.x (Nov 22 2026)": "marlin", "Marlin 1.1.9": "marlin", "Prusa-Firmware 3.13.3 based on Marlin": "prusa", "Prusa-Firmware-Buddy 5.1": "prusa",
		"Klipper": "klipper", "Repetier_0.92.9": "repetier", "RepRapFirmware for Duet 2": "reprapfirmware", "Smoothieware": "smoothie", "Teacup": "teacup",
		"Malyan": "malyan", "ANET_A8_20160801": "repetier", "": "unknown",
	} {
		d := dialectOf(firmware)
		if d.name != want {
			t.Errorf("%q: got %s, want %s", firmware, d.name, want)
		}
		if room := MaxCommand(d.name); d.maxLine > 0 && len(gcode.AppendFrame(nil, 12345678, make([]byte, room))) > d.maxLine+1 {
			t.Errorf("%s: a command of %d bytes does not fit", d.name, room)
		}
	}
}

// What people may type, in Idle, in mid-print and in a pause.
func TestTypedLine(t *testing.T) {
	const refused = "refused"
	for _, c := range []struct{ text, idle, printing, paused string }{
		{"g28", "G28", refused, refused},
		{"G1 x10 y5 ; go", "G1 X10 Y5", refused, "G1 X10 Y5"},
		{"  m104 s200  ", "M104 S200", "M104 S200", "M104 S200"},
		{"M104 S261", refused, refused, refused},
		{"M109 R300", refused, refused, refused},
		{"m190 s111", refused, refused, refused},
		{"M141 S61", refused, refused, refused},
		{"m117 Hello you", "M117 Hello you", "M117 Hello you", "M117 Hello you"},
		{"m118 A1 action:cancel", "M118 A1 action:cancel", "refused", "refused"},
		{"M110 N5", refused, refused, refused},
		{"N5 M105*22", "M105", "M105", "M105"},
		{"T1", "T1", refused, refused},
		{"t0", "T0", refused, refused},
		{"G91", "G91", refused, "G91"},
		{"G92 E0", "G92 E0", refused, refused},
		{"M84", "M84", refused, refused},
		{"M999", "M999", refused, refused},
		{"M108", "M108", "M108", "M108"},
		{"M290 z0.05", "M290 Z0.05", "M290 Z0.05", "M290 Z0.05"},
		{"SET_PRESSURE_ADVANCE ADVANCE=0.05", "SET_PRESSURE_ADVANCE ADVANCE=0.05", "SET_PRESSURE_ADVANCE ADVANCE=0.05", "SET_PRESSURE_ADVANCE ADVANCE=0.05"},
		{"", refused, refused, refused},
		{"; only a remark", refused, refused, refused},
		{"M105\nG28", refused, refused, refused},
		{"M105\rG28", refused, refused, refused},
		{"M1\x0005\x07", "M105", "M105", "M105"},
		{"M117 " + strings.Repeat("ü", 60), "M117 " + strings.Repeat("ü", 38), "M117 " + strings.Repeat("ü", 38), "M117 " + strings.Repeat("ü", 38)},
		{"G1 " + strings.Repeat("X1 ", 40), refused, refused, refused},
		{strings.Repeat("M", 10<<20), refused, refused, refused},
	} {
		s := newSession(Presets()[0], nil, nil)
		for state, want := range map[State]string{Idle: c.idle, Printing: c.printing, Paused: c.paused} {
			s.state = state
			got, err := s.typedLine(c.text)
			if err != nil {
				if got = []byte(refused); !errors.Is(err, ErrBadCommand) && !errors.Is(err, ErrLimit) && !errors.Is(err, gcode.ErrLongLine) {
					t.Errorf("%.40q: %v: got the error %v", c.text, state, err)
				}
			}
			if string(got) != want {
				t.Errorf("%.40q: %v: got %q, want %q", c.text, state, got, want)
			}
		}
	}
}

// A file may hold what belongs to its host; the printer does not get it.
func TestJobLeavesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := openJob(JobInfo{}, io.NopCloser(strings.NewReader("@resume\n@pauses\nN1 M110 N1*125\nm110 N0\nG28\n@pause  now\n")))
		synctest.Wait()
		l, err := j.next()
		if err != nil || string(l.text) != "G28" || l.pos.line != 5 {
			t.Errorf("got %q at line %d, %v", l.text, l.pos.line, err)
		}
		j.taken()
		if l, err := j.next(); err != nil || string(l.text) != "@pause  now" {
			t.Errorf("got %q, %v", l.text, err)
		}
		j.taken()
		if _, err := j.next(); err != io.EOF {
			t.Errorf("got %v", err)
		}
		j.unread([]jobLine{l})
		if again, err := j.next(); err != nil || string(again.text) != "G28" || j.starved() {
			t.Errorf("put back: got %q, %v", again.text, err)
		}
		j.close()
		j.close()
	})
}

func TestConsole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConsole()
		got := make(chan []Entry)
		go func() {
			entries, err := c.Since(t.Context(), 0, 10)
			if err != nil {
				t.Error(err)
			}
			got <- entries
		}()
		synctest.Wait()
		c.note(time.Now(), "in", []byte("bad \xff byte"))
		c.tell()
		if e := <-got; len(e) != 1 || e[0].Seq != 1 || e[0].Text != "bad \uFFFD byte" || e[0].Dir != "in" {
			t.Errorf("got %+v", e)
		}
		for i := range consoleLines + 10 {
			c.note(time.Now(), "out", fmt.Append(nil, i))
			c.tell()
		}
		for _, w := range []struct {
			since       uint64
			max         int
			first, last uint64
		}{{0, 1 << 20, 12, 2059}, {2000, 5, 2001, 2005}, {2058, 5, 2059, 2059}, {5, 1, 12, 12}} {
			e, err := c.Since(t.Context(), w.since, w.max)
			if err != nil || e[0].Seq != w.first || e[len(e)-1].Seq != w.last {
				t.Errorf("since %d: got %d to %d, want %d to %d", w.since, e[0].Seq, e[len(e)-1].Seq, w.first, w.last)
			}
		}
		for _, max := range []int{0, -1} {
			if e, err := c.Since(t.Context(), 0, max); err != nil || len(e) != 0 {
				t.Errorf("at most %d: got %d entries, %v", max, len(e), err)
			}
		}
		// A reader from before a restart of ours, or that has all, waits.
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if e, err := c.Since(ctx, 1<<60, 10); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("from the future: got %d entries, %v", len(e), err)
		}
	})
}

// The log of a failed print is a copy of the last lines, and each is bounded whatever the firmware says.
func TestConsoleTail(t *testing.T) {
	c := newConsole()
	if log := c.tail(); len(log) != 0 {
		t.Errorf("of nothing: got %d lines", len(log))
	}
	for i := range consoleLines + 3 {
		c.note(time.Unix(1e9, 0), "in", []byte(fmt.Sprint(i, strings.Repeat("ü", 2000))))
	}
	log := c.tail()
	if len(log) != loggedLines || log[0].Seq != consoleLines+4-loggedLines || log[loggedLines-1].Seq != consoleLines+3 {
		t.Fatalf("got %d lines from %d", len(log), log[0].Seq)
	}
	for _, e := range log {
		if len(e.Text) > loggedText+len("…") || !utf8.ValidString(e.Text) {
			t.Errorf("got %d bytes: %q", len(e.Text), e.Text)
		}
	}
	if text := c.entries[log[0].Seq%consoleLines].text; len(text) < 4000 {
		t.Errorf("the console itself was cut to %d bytes", len(text))
	}
}

func TestNeverANumberThatJSONCannotHold(t *testing.T) {
	s := newSession(Presets()[0], nil, func(string, []byte) {})
	s.opened(time.Unix(1e9, 0), Connection{Port: "p"}, []int{115200})
	for _, l := range []string{"ok T:1e999 /nan B:inf", "T15:1999 /1999", "X:1e300 Y:1 Z:1 E:1", "X:9999999 Y:1 Z:1 E:9999999", "C:5 B:7"} {
		s.hear(time.Unix(1e9, 0), gcode.ParseReply([]byte(l)))
	}
	for _, l := range []string{"M220 S" + strings.Repeat("9", 308), "M106 S" + strings.Repeat("9", 400), "M73 R1" + strings.Repeat("0", 307), "M221 S" + strings.Repeat("9", 308)} {
		s.modal.apply([]byte(l), true)
	}
	for range 3 {
		for _, l := range []string{"M290 Z" + strings.Repeat("9", 308), "M290 Z-" + strings.Repeat("9", 308), "M900 K" + strings.Repeat("9", 308),
			"M204 P" + strings.Repeat("9", 308), "SET_GCODE_OFFSET Z_ADJUST=1e308", "SET_PRESSURE_ADVANCE ADVANCE=inf"} {
			s.modal.tune([]byte(l), &marlin)
		}
	}
	s.job, s.run = &job{}, startRun(time.Unix(1e9, 0))
	for range 1000 {
		s.run.spent.push([]byte("G1 E9999999"), &s.modal)
	}
	if _, err := json.Marshal(s.snapshot(time.Unix(2e9, 0))); err != nil {
		t.Error(err)
	}
	if n := len(s.seen.nozzles); n != 16 {
		t.Errorf("got %d nozzles, want 16", n)
	}
}

// The keys of a snapshot are the contract with the page and with scripts.
func TestSnapshotKeys(t *testing.T) {
	full := Snapshot{Position: &Position{}, Bed: &Heater{}, Job: &JobStatus{Shot: &Shot{}, Stops: []Stop{{}}, Check: &EndstopCheck{}, Rehomed: &Rehome{}}, LastJob: &JobOutcome{}, Fault: &Fault{}, Halt: &Halt{}, Lost: &LostPrint{}, Nozzles: []Heater{{}},
		Switches: Switches{X: Switch{LimitsMM: &[2]float64{}}}, Calibration: &Calibration{}, Drilled: &EndstopCheck{}, Witness: &FirmwareWitness{},
		Pause: &PauseInfo{Shift: &EndstopCheck{}}, Prompt: &Prompt{}, Card: &CardStatus{}, Profile: Profile{Tools: []Tool{{}}},
		Connection: Connection{Ports: []PortInfo{{}}}}
	b, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]any
	if err := json.Unmarshal(b, &read); err != nil {
		t.Fatal(err)
	}
	var keys []string
	var walk func(at string, v any)
	walk = func(at string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				keys = append(keys, at+k)
				walk(at+k+".", v[k])
			}
		case []any:
			walk(at, v[0])
		}
	}
	walk("", read)
	want, err := os.ReadFile("testdata/snapshot.keys")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(keys, "\n") + "\n"; got != string(want) {
		t.Errorf("got keys\n%s\nwant\n%s", got, want)
	}
	for s := range stateCount {
		var back State
		text, _ := s.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != s {
			t.Errorf("%v: got %v, %v", s, back, err)
		}
	}
	if err := new(State).UnmarshalText([]byte("Idle")); err == nil {
		t.Error("states are lower case")
	}
}

// Where to connect to is known while there is no connection: what was chosen or configured, else where there was an answer.
func TestWanted(t *testing.T) {
	d := newDial(Config{})
	for _, step := range []struct {
		what string
		do   func(c *Connection)
		port string
		baud int
	}{
		{"nothing yet", func(*Connection) {}, "", 0},
		{"a port on which nobody has answered", func(c *Connection) { c.Port, c.Baud = "/dev/a", 9600 }, "", 0},
		{"an answer", func(c *Connection) { c.Port, c.Baud, c.SinceMS = "/dev/b", 250000, 1 }, "/dev/b", 250000},
		{"disconnected", func(*Connection) {}, "/dev/b", 250000},
		{"chosen", func(*Connection) { d.choice(time.Now(), "/dev/c", 115200) }, "/dev/c", 115200},
		{"to be found", func(*Connection) { d.choice(time.Now(), "", 0) }, "/dev/b", 250000},
	} {
		var c Connection
		step.do(&c)
		if d.describe(&c); c.WantPort != step.port || c.WantBaud != step.baud {
			t.Errorf("%s: got %s at %d, want %s at %d", step.what, c.WantPort, c.WantBaud, step.port, step.baud)
		}
	}
}

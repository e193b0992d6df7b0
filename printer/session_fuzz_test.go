package printer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"layerd/gcode"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// A fuzzer's bytes are read as a conversation: each says what happens next, and some take the bytes behind them as their text or number.
type fuzzed struct {
	*testing.T
	s       *session
	now     time.Time
	data    []byte
	told    int64  // job line that was accepted last
	job     int    // numbers them
	last    []byte // written last
	visited [stateCount]int
	looks   int
	parked  int // looks at a shot whose head is aside
}

var fuzzReplies = []string{"ok", "ok T:21.0 /0.0 B:20.0 /0.0 @:0 B@:0", "X:1.00 Y:2.00 Z:3.00 E:4.00 Count X:0 Y:0 Z:0", "start", "wait",
	"echo:busy: processing", "echo:busy: paused for user", "Error:checksum mismatch, Last Line: 3", "Error:Printer halted. kill() called!",
	"Error:Printer stopped due to errors.", "!! Must home axis first", "// Klipper state: Shutdown", "// Klipper state: Disconnect", "// Klipper state: Ready",
	"FIRMWARE_NAME:Marlin 2.1 MACHINE_TYPE:x", "FIRMWARE_NAME:Repetier_1", "ok FIRMWARE_NAME:Klipper", "FIRMWARE_NAME: RepRapFirmware", "Cap:AUTOREPORT_TEMP:1",
	"\xff\xfe\x80\x81", "Resend: 0", "Resend: 1", "T:200 E:0 W:?", "T15:20 /0 B:1e9", "Emergency Stop! Reset the controller to continue.", "fatal:x", "TargetExtr0:200",
	"FIRMWARE_NAME:Smoothieware, X-AXES:4", "!!", "rs  Checksum error on line 3", "ok Emergency Stop Requested", "!! Heater not heating",
	"//action:pause", "//action:paused", "//action:pause filament_runout 0", "//action:resumed", "//action:resume", "//action:cancel", "//action:disconnect",
	"//action:prompt_begin What", "//action:prompt_button Yes", "//action:prompt_show", "echo:Unknown command: \"M600\""}

var fuzzCard = []string{"SD printing byte 5/99", "SD printing byte 99/99", "SD printing byte 1/7", "Not SD printing", "Not SD printing", "SD print paused", "Current file: A.GCO a",
	"Current file: (no file)", "File opened: A.GCO Size: 99", "Done printing file", "echo:No media", "echo:SD card ok", "//action:pause", "//action:resume", "//action:cancel",
	"//action:sd_ejected", "echo:Unknown command: \"M27\"", "/A.GCO"}

var fuzzTyped = []string{"M108", "G28", "m104 s200", "M84", "M105", "M112", "G91", "M110", "T1", "M117 Hü", "M876 S0", "M999", ""}

func (f *fuzzed) byte() byte {
	if len(f.data) == 0 {
		return 0
	}
	b := f.data[0]
	f.data = f.data[1:]
	return b
}

// text takes up to n bytes, up to a zero.
func (f *fuzzed) text(n int) []byte {
	b := f.data[:min(n, len(f.data))]
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	f.data = f.data[min(len(f.data), len(b)+1):]
	return b
}

func (f *fuzzed) hear(text string) { f.s.hear(f.now, gcode.ParseReply([]byte(text))) }

// answer is what a well-behaved firmware says to the oldest line in flight.
func (f *fuzzed) answer() {
	if len(f.s.aloft) == 0 {
		f.hear("T:200.0 /200.0 B:60.0 /60.0")
		return
	}
	switch f.s.stream.at(0).needs {
	case temps:
		f.hear("ok T:200.0 /200.0 B:60.0 /60.0")
		return
	case position:
		f.hear("X:10.00 Y:20.00 Z:30.00 E:4.00 Count X:0 Y:0 Z:0")
	case name:
		f.hear("FIRMWARE_NAME:Marlin 2.1")
		f.hear("Cap:AUTOREPORT_TEMP:1")
	}
	f.hear("ok")
}

// event does what the next byte says.
func (f *fuzzed) event() {
	s, op := f.s, f.byte()
	switch {
	case op < 40:
		f.hear(fuzzReplies[int(op)%len(fuzzReplies)])
	case op < 96:
		f.answer()
	case op < 100:
		f.hear(fuzzCard[int(f.byte())%len(fuzzCard)])
	case op < 110: // a number near the count
		n := s.next - 4 + int64(f.byte()%8)
		f.hear(fmt.Sprintf([]string{"Resend: %d", "ok N%d P15 B3", "ok %d", "rs N%d"}[op%4], n))
	case op < 120:
		f.hear(string(f.text(40)))
	case op < 150:
		f.pass([]time.Duration{time.Millisecond, 60 * time.Millisecond, time.Second, 6 * time.Second, 40 * time.Second, 10 * time.Minute}[op%6])
	case op < 152:
		_ = s.answer(s.dialog.lastID, int(f.byte()%4)-1)
	case op < 160:
		_ = s.home(string(f.text(3)))
	case op < 170:
		_ = s.jog("xyzq"[op%4], math.Float64frombits(uint64(f.byte())<<56|uint64(f.byte())<<48))
	case op < 175:
		_ = s.extrude(float64(int8(f.byte())), 0)
	case op == 178:
		_ = s.babystep(float64(int8(f.byte())) / 500)
	case op == 179:
		_ = s.tuneBy([]string{"advance", "accelerate"}[f.byte()%2], "0 0.5")
	case op == 177:
		s.shotTaken(f.now)
	case op < 180:
		_ = s.heat("M104", float64(f.byte())*3, s.profile.MaxNozzleC)
	case op < 190:
		if line, err := s.typedLine(fuzzTyped[int(f.byte())%len(fuzzTyped)]); err == nil {
			_ = s.queue(string(line))
		}
	case op < 195:
		if line, err := s.typedLine(string(f.text(100))); err == nil {
			_ = s.queue(string(line))
		}
	case op < 215:
		if s.state == Idle && s.card.has && op%4 == 0 {
			s.startCard(f.now, gcode.CardFile{Path: "A.GCO", Name: "a", Bytes: 99})
		} else if s.state == Idle {
			f.job++
			f.told = 0
			s.start(f.now, fuzzJob(f.job, f.text(60)))
		}
	case op < 225:
		if s.state == Starting || s.state == Printing {
			s.pause(f.now)
		} else if s.onCard() {
			_ = s.pauseCard(f.now)
		}
	case op < 232:
		if s.state == Paused {
			_ = s.resume(f.now, f.now.Second()%2 == 0)
		} else if s.onCard() {
			_ = s.resumeCard(f.now)
		}
	case op < 237:
		switch s.state {
		case Starting, Printing, Pausing, Paused, Resuming:
			s.cancel(f.now, "cancelled", "")
		case fromCard:
			_ = s.cancelCard(f.now)
		}
	case op < 241:
		if s.open {
			s.emergencyStop(f.now)
		}
	case op < 246:
		switch s.state {
		case Faulted, Halting, Halted:
			s.dismiss(f.now)
		}
	case op < 249:
		if s.open {
			s.closed(f.now, &Fault{Code: FaultPortLost, Message: "lost", Next: "plug"})
		}
	default:
		if s.state == Disconnected {
			s.opened(f.now, Connection{Port: "/dev/x", Baud: 115200}, [][]int{{115200}, {115200, 250000}}[op%2])
		}
	}
	f.flow()
}

// fuzzJob is a job that has read all of its lines ahead; each byte of text is one.
func fuzzJob(id int, text []byte) *job {
	lines := []string{"G1 X1 E1", "G28", "M104 S200", "M84", "T1", "M83", "G91", "G20", "M117 " + strings.Repeat("ü", 60), "M73 P1 R99", "M106 S300",
		"M0", "G1 " + strings.Repeat("X1 ", 30), "M109 S200", "G92 E0", "*", "M600", "@pause", "@cancel", "M0 S1"}
	info := JobInfo{ID: fmt.Sprint(id), Size: int64(len(text)), Survey: gcode.Survey{Layers: make([]gcode.Layer, len(text)+1)},
		Shots: Shots{Mode: []ShotMode{ShotsOff, ShotsPark, ShotsStill, ShotsPark}[id%4]}}
	j := &job{info: info, batches: make(chan batch, 1), stop: make(chan struct{})}
	b := batch{err: io.EOF}
	for i, c := range text {
		if c == 0xff {
			b.err = errors.New("bad disk")
			break
		}
		b.lines = append(b.lines, jobLine{[]byte(lines[int(c)%len(lines)]), jobPos{int64(i + 1), int64(i + 1), i/2 - 1, 0, time.Second, c%3 == 0}})
	}
	j.batches <- b
	return j
}

// pass lets time go by, in the session's own steps.
func (f *fuzzed) pass(d time.Duration) {
	for end := f.now.Add(d); ; {
		next := f.s.deadline(false)
		if next.IsZero() || next.After(end) {
			f.now = end
			return
		}
		f.now = next
		f.flow()
	}
}

// flow does what the owner's loop does, and looks at all that comes of it.
func (f *fuzzed) flow() {
	s := f.s
	for i := 0; ; i++ {
		if i > 200 {
			f.Fatalf("it writes without end; state %v, last %q", s.state, f.last)
		}
		s.tick(f.now)
		do := s.orders
		if do.leave { // as hangUp does
			s.orders = orders{}
			s.closed(f.now, nil)
			s.state, s.fault, s.halt = Disconnected, nil, nil
			continue
		}
		if do.close {
			s.orders = orders{}
			s.closed(f.now, s.fault)
			continue
		}
		var b []byte
		if len(do.urgent) == 0 {
			b = s.write(f.now)
		} else if s.orders = (orders{}); s.state != Halting && s.state != Halted && s.state != Connecting && (s.state != Faulted || string(do.urgent) != "\nSTATUS\n" && !s.fault.ofHeat() && !strings.Contains(string(do.urgent), "M140 S0")) {
			f.Fatalf("urgent %q in state %v", do.urgent, s.state)
		}
		f.look(b)
		if b == nil && len(do.urgent) == 0 {
			break
		}
		f.last = append(f.last[:0], b...)
	}
	for _, writing := range []bool{false, true} {
		if next := s.deadline(writing); !next.IsZero() && !next.After(f.now) && !s.orders.close {
			f.Fatalf("writing %v: it wants to be woken at %v, which is past; state %v, in flight %d, hello %+v", writing, next.Sub(f.now), s.state, len(s.aloft), s.hello)
		}
	}
}

func (f *fuzzed) look(b []byte) {
	s := f.s
	f.visited[s.state]++
	if b != nil {
		line := bytes.TrimPrefix(b, []byte("\n"))
		switch {
		case !s.open || s.state == Disconnected || s.state == Halting || s.state == Halted:
			f.Fatalf("in state %v it wrote %q", s.state, b)
		case len(line) < 2 || bytes.Count(line, []byte("\n")) != 1 || line[len(line)-1] != '\n':
			f.Fatalf("it wrote %q", b)
		case s.d.maxLine > 0 && len(line)-1 > s.d.maxLine:
			f.Fatalf("it wrote %d bytes, %s takes %d: %q", len(line)-1, s.d.name, s.d.maxLine, b)
		}
		if line[0] == 'N' {
			if _, _, err := gcode.ParseFrame(line); err != nil {
				f.Fatalf("it wrote %q: %v", b, err)
			}
		}
	}
	bare, newest, inRing := 0, int64(-1), 0
	for i, n := range s.aloft {
		if l := s.stream.at(i); i > 0 && i >= s.flow.queue && n >= 0 && l.lane != lanePoll {
			inRing += len(l.frame)
		}
		if n < 0 {
			bare++
		} else if n <= newest || n >= s.next || s.stream.at(i).n != n {
			f.Fatalf("in flight %v of %d", s.aloft, s.next)
		}
		newest = max(newest, n)
		if i > 0 && n >= 0 && s.state == Printing && s.script != nil && s.stream.at(i).lane != lanePoll {
			if before := s.stream.at(i - 1); before.lane == laneScript && before.script == s.script.id {
				f.Fatalf("behind a script's %q goes %q", before.text, s.stream.at(i).text)
			}
		}
	}
	switch {
	case bare != len(s.stream.bare) || inRing > ringBytes+maxProbes*16:
		f.Fatalf("in flight %v, %d without number", s.aloft, len(s.stream.bare))
	case len(s.typed) > maxTyped+1 || len(s.seen.nozzles) > maxTools || len(s.seen.conn.Capabilities) > 100:
		f.Fatalf("%d typed lines, %d nozzles, %d capabilities", len(s.typed), len(s.seen.nozzles), len(s.seen.conn.Capabilities))
	case s.state.HasJob() != (s.job != nil || s.onCard()), s.onCard() && (s.job != nil || s.card.run == nil || s.card.run.lost || s.paused != nil):
		f.Fatalf("state %v, job %v, card %+v", s.state, s.job, s.card.run)
	case s.onCard() && s.card.run.wanted != "" && s.script == nil, s.snapshot(f.now).State == fromCard:
		f.Fatalf("from the card %q, and nothing to do, shown as %v", s.card.run.wanted, s.shown())
	case (s.state == Faulted) && s.fault == nil, s.state.HasJob() && s.fault != nil && s.state != Pausing && s.state != Paused, s.state == Idle && s.fault != nil:
		f.Fatalf("state %v, fault %v", s.state, s.fault)
	case (s.state == Halting || s.state == Halted) != (s.halt != nil):
		f.Fatalf("state %v, halt %v", s.state, s.halt)
	case s.script == nil && (s.state == Starting || s.state == Pausing || s.state == Resuming || s.state == Cancelling || s.state == Finishing):
		f.Fatalf("state %v, and nothing to do", s.state)
	case s.script == nil && s.state == Connecting && !s.hello.waiting && !s.orders.close:
		f.Fatal("connecting, and nothing to do")
	case s.script != nil && (s.state == Idle && !s.probing() || s.state == Printing && !s.detouring() || s.state == Paused && !s.held() && !s.rehoming() || s.state == Faulted || s.state == Disconnected):
		f.Fatalf("state %v, with a script of stages %d", s.state, len(s.script.then))
	case len(s.parting) > 0 && s.state != Faulted, len(s.startLeft) > 0 && s.job == nil, s.hurry > 0 && s.job == nil:
		f.Fatalf("state %v, and left of scripts are %q, %v, %d", s.state, s.parting, s.startLeft, s.hurry)
	case s.fault != nil && (s.fault.Next == "" || s.fault.Message == ""):
		f.Fatalf("fault without a word: %+v", s.fault)
	}
	if s.job != nil {
		if at := s.run.pos.line; at > f.told+mostQueue || at < f.told && (s.paused == nil || s.paused.meant == nil) {
			f.Fatalf("job line %d was accepted after %d", at, f.told)
		}
		f.told = s.run.pos.line
	}
	if s.standing() && s.run.detour.place.parked {
		f.parked++
	}
	if f.looks++; f.looks%16 == 0 {
		if _, err := json.Marshal(s.snapshot(f.now)); err != nil {
			f.Fatal(err)
		}
	}
}

// fuzzScripts has some lines that will not do, and some that will only at times.
var fuzzScripts = Scripts{OnConnected: "M117 a\nG28\nM155 S1", OnStarted: "G28\nM109 S200\nG1 X5\nG20\nG91\nM112", OnPaused: "G91\nG1 X1\nM104 S100\nG28\nM117 {x_mm}",
	OnResumed: "G1 E1\nM104 S5\nG20", OnCancelled: "G28 X\nG4 S1\nM104 S9", OnDone: "G1 E1\nG20\nM83", OnFailed: "M117 {percent}\nM104 S0\nG28"}

// fuzz plays data as a conversation, with scripts or without.
func fuzz(t *testing.T, data []byte) *fuzzed {
	z := &fuzzed{T: t, s: newSession(Presets()[0], nil, func(string, []byte) {}), now: time.Unix(1e9, 0), data: data}
	if len(data)%2 == 1 {
		z.s.custom, _ = readScripts(fuzzScripts)
	}
	for len(z.data) > 0 {
		z.event()
	}
	return z
}

// Long conversations at random, most of them with sense.
func TestSessionWalks(t *testing.T) {
	var visited [stateCount]int
	parked := 0
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 2))
		data := []byte{250, 50, 50, 50, 50, 50, 50}
		for range 1000 + seed%2 {
			data = append(data, byte(r.IntN(256)))
			for range r.IntN(6) {
				data = append(data, 50)
			}
		}
		walked := fuzz(t, data)
		parked += walked.parked
		for s, n := range walked.visited {
			visited[s] += n
		}
	}
	for s, n := range visited {
		if n == 0 {
			t.Errorf("no walk came to %v", State(s))
		}
	}
	if parked == 0 {
		t.Error("no walk came to a shot with the head aside")
	}
}

func FuzzSession(f *testing.F) {
	const answers = "22222222"
	start := "\xfa" + answers + "\xc8\x01\x02\x03\x04\x00" // open, introduce; G28, M104 S200, M84, T1
	f.Add([]byte(start + answers))
	f.Add([]byte(start + "22\xd7" + answers + answers + "\xa0\x40\x14" + "2\xe1" + answers + answers + answers)) // pause, jog, resume
	f.Add([]byte(start + "22\xe8" + answers + answers))                                                          // cancel
	f.Add([]byte(start + "22\x07\x64\x04\x00\x96\x15\x15\xee\x8f\xf1"))                                          // resend, stop, dismiss
	f.Add([]byte("\xfb\x13\x13\x13\x13\x13\x92\x92\x92\x92\x92\x92"))                                            // rubbish at two speeds
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		fuzz(t, data)
	})
}

// chunks is a port that delivers what the fuzzer cut.
type chunks struct {
	flood
	data []byte
}

func (c *chunks) Read(b []byte) (int, error) {
	if len(c.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, c.data[:min(len(c.data), 1+int(c.data[0])*17)])
	c.data = c.data[n:]
	return n, nil
}

// Whatever comes, it is cut into lines as it would be if it came at once, and none is longer than a reply.
func FuzzLine(f *testing.F) {
	f.Add([]byte("ok\nT:1 B:2\r\n\n \x00\nstart"))
	f.Add(bytes.Repeat([]byte("x"), 3*gcode.MaxReply))
	f.Fuzz(func(t *testing.T, data []byte) {
		var want [][]byte
		whole := bytes.Split(data, []byte("\n"))
		for _, l := range whole[:len(whole)-1] {
			if l = l[:min(len(l), gcode.MaxReply)]; len(bytes.Trim(l, "\r\x00 ")) > 0 {
				want = append(want, l)
			}
		}
		l := openLine(&chunks{flood{ended: make(chan struct{})}, data})
		var got [][]byte
		for text := range l.heard() {
			got = append(got, text)
		}
		<-l.shut()
		if len(got) != len(want) {
			t.Fatalf("got %d lines %q, want %d %q", len(got), got, len(want), want)
		}
		for i := range got {
			if !bytes.Equal(got[i], want[i]) {
				t.Errorf("line %d: got %q, want %q", i, got[i], want[i])
			}
		}
	})
}

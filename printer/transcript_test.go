package printer

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"layerd/gcode"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A transcript is a conversation, one event a line:
//
//	-> text      the session writes this next (without line end)
//	<- text      the firmware says this
//	.. 5s        time passes
//	.. 5m hung   time passes, and nobody wakes the session at its deadlines
//	** action    somebody asks for something; see act
//	** action ! text     … and is refused with an error that contains text
//	== state [words]     the session is in this state; a fault's, halt's, waiting's, pause's, prompt's or notice's text contains the words
//
// Between events everything that the session wants to write has been compared: a line too many fails like one too few.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { playTranscript(t, file) })
		})
	}
}

type transcript struct {
	t    *testing.T
	s    *session
	said []string // written and not yet compared
	took int64    // number of the line that was taken last
	want Shots    // of the job that is started next
}

func playTranscript(t *testing.T, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p := Presets()[0]
	tr := &transcript{t: t, s: newSession(p, nil, func(string, []byte) {})}
	scan := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; scan.Scan(); n++ {
		l := strings.TrimRight(scan.Text(), " ")
		if l == "" || l[0] == '#' {
			continue
		}
		kind, rest, _ := strings.Cut(l, " ")
		if err := tr.event(kind, rest); err != nil {
			t.Fatalf("%s:%d: %s\n%v", file, n, l, err)
		}
	}
	if len(tr.said) > 0 {
		t.Errorf("%s: at the end it also wrote %q", file, tr.said)
	}
	if tr.s.job != nil {
		tr.s.job.close()
	}
}

func (tr *transcript) event(kind, rest string) error {
	if kind != "->" && !strings.HasPrefix(rest, "take ") && len(tr.said) > 0 {
		return fmt.Errorf("before this it also wrote %q", tr.said)
	}
	switch kind {
	case "->":
		if len(tr.said) == 0 {
			return fmt.Errorf("it wrote nothing; state %v, in flight %d", tr.s.state, len(tr.s.aloft))
		}
		got := tr.said[0]
		if tr.said = tr.said[1:]; got != rest {
			return fmt.Errorf("it wrote %q", got)
		}
		return nil
	case "<-":
		tr.s.hear(time.Now(), gcode.ParseReply([]byte(rest)))
	case "..":
		long, hung := strings.CutSuffix(rest, " hung")
		d, err := time.ParseDuration(long)
		if err != nil {
			return err
		}
		if hung {
			time.Sleep(d)
			tr.flow()
			return nil
		}
		tr.pass(d)
		return nil
	case "**":
		action, wanted, refused := strings.Cut(rest, " ! ")
		err := tr.act(strings.Fields(action))
		if refused != (err != nil) || refused && !strings.Contains(err.Error(), wanted) {
			return fmt.Errorf("got %v", err)
		}
	case "==":
		state, words, _ := strings.Cut(rest, " ")
		now := tr.s.snapshot(time.Now())
		said := fmt.Sprintf("%+v %+v %v %+v pause:%+v prompt:%+v %v %s", now.Fault, now.Halt, now.Waiting, now.LastJob, now.Pause, now.Prompt, now.Notice, told(now.Tuning))
		if now.Witness != nil {
			said += fmt.Sprintf(" witness:%s %s %s", now.Witness.Kind, now.Witness.Axis, now.Witness.Said)
		}
		if now.Job != nil && now.Job.Shot != nil {
			said += fmt.Sprintf(" shot:%+v", *now.Job.Shot)
		}
		if tr.s.shown().String() != state || !strings.Contains(said, words) {
			return fmt.Errorf("it is %v, %s", tr.s.state, said)
		}
	default:
		return fmt.Errorf("unknown event %q", kind)
	}
	tr.flow()
	return nil
}

// pass lets time go by, waking the session at its deadlines.
func (tr *transcript) pass(d time.Duration) {
	for end := time.Now().Add(d); ; {
		now := time.Now()
		next := tr.s.deadline(false)
		if next.IsZero() || next.After(end) {
			time.Sleep(end.Sub(now))
			tr.flow()
			return
		}
		time.Sleep(max(next.Sub(now), 0))
		before := len(tr.said)
		tr.flow()
		if next := tr.s.deadline(false); !next.After(time.Now()) && len(tr.said) == before && !next.IsZero() {
			tr.t.Fatalf("it asks to be woken at once, again and again; state %v", tr.s.state)
		}
	}
}

// flow collects what the session wants to write now.
func (tr *transcript) flow() {
	for range 1000 {
		synctest.Wait() // the job has read ahead
		now := time.Now()
		tr.s.tick(now)
		b := append(append([]byte(nil), tr.s.orders.urgent...), tr.s.write(now)...)
		if tr.s.orders.reset {
			tr.said = append(tr.said, "(reset)")
		}
		if tr.s.orders.baud != 0 {
			tr.said = append(tr.said, fmt.Sprintf("(%d baud)", tr.s.orders.baud))
		}
		if tr.s.orders.leave {
			tr.said = append(tr.said, "(leave)")
			tr.s.closed(now, nil)
		}
		if tr.s.orders.close {
			tr.said = append(tr.said, "(close)")
			tr.s.orders.close = false
			tr.s.closed(now, tr.s.fault)
		}
		tr.s.orders = orders{}
		if len(b) == 0 {
			return
		}
		for _, l := range strings.FieldsFunc(string(b), func(c rune) bool { return c == '\n' }) {
			tr.said = append(tr.said, l)
		}
	}
	tr.t.Fatal("it writes without end")
}

// act asks the session for something, as the owner's commands do.
func (tr *transcript) act(f []string) error {
	s, now := tr.s, time.Now()
	arg := strings.Join(f[1:], " ")
	switch f[0] {
	case "open": // open [baud…]
		try := []int{115200}
		if len(f) > 1 {
			try = bauds[:3]
		}
		s.opened(now, Connection{Port: "/dev/ttyTEST", Baud: try[0]}, try)
	case "ready": // ready FIRMWARE_NAME [Cap or -Cap …]: the whole introduction, already had
		s.opened(now, Connection{Port: "/dev/ttyTEST", Baud: 115200}, []int{115200})
		tr.flow()
		tr.hear("ok")
		tr.hear("FIRMWARE_NAME:" + f[1])
		for _, c := range f[2:] {
			on := map[bool]string{true: ":1", false: ":0"}[c[0] != '-']
			tr.hear("Cap:" + strings.TrimPrefix(c, "-") + on)
		}
		tr.hear("ok")
		if s.seen.autoTemps {
			tr.hear("ok")
		}
		if s.seen.conn.Capabilities["PROMPT_SUPPORT"] {
			tr.hear("ok")
		}
		tr.hear("ok T:21.0 /0.0 B:21.0 /0.0 @:0 B@:0")
		tr.hear("X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0")
		tr.hear("ok")
		tr.said = nil
	case "start": // start G1 X1 | G1 X2
		text := strings.ReplaceAll(arg, " | ", "\n")
		v, err := gcode.SurveyFile(strings.NewReader(text))
		if err != nil {
			return err
		}
		s.start(now, openJob(JobInfo{ID: "j1", File: "a.gcode", Size: int64(len(text)), Survey: v, Shots: tr.want}, io.NopCloser(strings.NewReader(text))))
	case "shots": // shots park|still
		tr.want.Mode = ShotMode(arg)
	case "taken":
		s.shotTaken(now)
	case "lines": // lines 600: a job of so many moves, G1 X1, G1 X2, …, one at a time
		s.flow.bar()
		var text strings.Builder
		for i := range number(arg) {
			fmt.Fprintf(&text, "G1 X%d | ", i+1)
		}
		return tr.act([]string{"start", strings.TrimSuffix(text.String(), " | ")})
	case "take": // take 600: so many moves are written in order, each is answered with ok
		return tr.take(number(arg))
	case "pause":
		if s.onCard() {
			return s.pauseCard(now)
		}
		s.pause(now)
	case "resume":
		if s.onCard() {
			return s.resumeCard(now)
		}
		return s.resume(now, false)
	case "cancel":
		if s.onCard() {
			return s.cancelCard(now)
		}
		s.cancel(now, "cancelled", "stopped by hand")
	case "script": // script EVENT G1 X1 | G1 X2
		scripts := Scripts{}
		for e, lines := range s.custom {
			for _, l := range lines {
				scripts[e] += l.text + "\n"
			}
		}
		scripts[Event(f[1])] = strings.ReplaceAll(strings.Join(f[2:], " "), " | ", "\n")
		lines, problems := s.checkScripts(scripts)
		if len(problems) > 0 {
			return problems
		}
		s.custom = lines
	case "shutdown":
		s.ending = true
		s.cancel(now, "interrupted", "layerd was stopped")
	case "send":
		line, err := s.typedLine(arg)
		if err != nil {
			return err
		}
		return s.queue(string(line))
	case "queue": // what the console would refuse
		return s.queue(arg)
	case "answer": // answer BUTTON [how many prompts ago]
		var button, ago int
		if n, err := fmt.Sscanf(arg+" 0", "%d %d", &button, &ago); n < 2 {
			return err
		}
		return s.answer(s.dialog.lastID-int64(ago), button)
	case "home":
		return s.home(arg)
	case "jog":
		var axis byte
		var by float64
		if _, err := fmt.Sscanf(arg, "%c %g", &axis, &by); err != nil {
			return err
		}
		return s.jog(axis, by)
	case "extrude":
		var by float64
		if _, err := fmt.Sscanf(arg, "%g", &by); err != nil {
			return err
		}
		return s.extrude(by, 0)
	case "nozzle":
		var c float64
		if _, err := fmt.Sscanf(arg, "%g", &c); err != nil {
			return err
		}
		return s.heat("M104", c, s.profile.MaxNozzleC)
	case "babystep", "advance", "accelerate":
		return s.tuneBy(f[0], arg)
	case "stop":
		s.emergencyStop(now)
	case "again":
		s.dismiss(now)
	case "unplug":
		s.closed(now, &Fault{Code: FaultPortLost, Message: "lost"})
	default:
		return fmt.Errorf("unknown action %q", f[0])
	}
	return nil
}

// take answers the next count moves of a job of lines. Each stands at its place in the count: the job's first line is the 6th.
func (tr *transcript) take(count int) error {
	for range count {
		if len(tr.said) == 0 {
			return fmt.Errorf("after line %d it wrote nothing; state %v", tr.took, tr.s.state)
		}
		n, text, err := gcode.ParseFrame([]byte(tr.said[0]))
		if want := fmt.Sprintf("G1 X%d", n-5); err != nil || string(text) != want || tr.took > 0 && n != tr.took+1 {
			return fmt.Errorf("after line %d it wrote %q", tr.took, tr.said[0])
		}
		tr.took, tr.said = n, tr.said[1:]
		tr.hear("ok")
	}
	tr.took = 0
	return nil
}

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

func (tr *transcript) hear(text string) {
	tr.s.hear(time.Now(), gcode.ParseReply([]byte(text)))
	tr.flow()
}

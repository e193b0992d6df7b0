package printer

import (
	"context"
	"fmt"
	"io"
	"layerd/gcode"
	"layerd/printer/printertest"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The product's promise, over many seeds: with flipped and lost bytes in both directions, oks lost and said twice, repeated requests and
// stalls, what the firmware executed is exactly the job's lines, once and in order; or the print stopped with a named fault, and what it
// executed until then is the beginning of the job, once and in order.
func TestSoak(t *testing.T) {
	seeds := soakSeeds(t, 200)
	var sum soakSum
	for seed := range uint64(seeds) {
		if !t.Run(fmt.Sprint("seed", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { soak(t, seed, &sum) })
		}) {
			t.FailNow()
		}
	}
	t.Logf("%d seeds: %d lines executed once and in order, %d prints done, %d stopped with a fault %v; %d paused for a line out of turn; "+
		"%d settings made too early; %d resends, %d probes, %d overruns, up to %d bytes ahead", seeds, sum.lines, sum.done, sum.faulted, sum.codes, sum.held, sum.early, sum.resends, sum.probes, sum.overruns, sum.window)
	if sum.done < seeds*19/20 {
		t.Errorf("only %d of %d prints were done: the faults are too many to show anything", sum.done, seeds)
	}
	if sum.early > 1+seeds/500 {
		t.Errorf("%d settings were made too early", sum.early)
	}
	if sum.resends == 0 || sum.probes == 0 {
		t.Error("no fault ever had to be mended")
	}
}

// soakSeeds is how many seeds are tried, if nobody wants another number.
func soakSeeds(t *testing.T, usual int) int {
	s := os.Getenv("LAYERD_SOAK_SEEDS")
	if s == "" {
		return few(usual)
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// few is a quarter of the usual number with -short, which the race detector comes with: it makes all ten times as slow, and sees as much in few.
func few(usual int) int {
	if testing.Short() {
		return max(usual/4, 1)
	}
	return usual
}

type soakSum struct {
	lines, resends, probes int64
	done, faulted, held    int
	codes                  map[FaultCode]int
	window                 int
	overruns               int64
	out                    int // cables
	early                  int // settings made too early without a word
}

// count takes the end of a print in.
func (sum *soakSum) count(t *testing.T, end *Snapshot, held int) {
	sum.held += held
	switch end.LastJob.Outcome {
	case "done":
		sum.done++
	case "failed", "interrupted":
		sum.faulted++
		if end.Fault == nil || end.Fault.Code == "" {
			t.Errorf("failed without a named fault: %+v", end.LastJob)
			return
		}
		if sum.codes == nil {
			sum.codes = map[FaultCode]int{}
		}
		sum.codes[end.Fault.Code]++
	default:
		t.Errorf("got outcome %q", end.LastJob.Outcome)
	}
}

func (sum *soakSum) add(c printertest.Counters) { sum.overruns += c.OverrunEvents }

// watched waits for the end of a print like a person who resumes when a pause came by itself. It returns how often that was.
func watched(t *testing.T, p *Printer) (end *Snapshot, held int) {
	for {
		snap := await(t, p, func(s *Snapshot) bool { return s.LastJob != nil || s.State == Paused })
		if snap.LastJob != nil {
			return snap, held
		}
		if snap.Fault == nil || snap.Fault.Code == "" {
			t.Errorf("it paused without a named fault")
		}
		held++
		if _, err := p.Resume(t.Context(), "soak"); err != nil {
			t.Fatal(err)
		}
	}
}

// onceOnly leaves out the first of two executions of a line, which is the one out of turn, as often as that was told.
func onceOnly(executed []string, told int) []string {
	last := map[string]int{}
	for i, l := range executed {
		last[l] = i
	}
	var out []string
	for i, l := range executed {
		if told > 0 && last[l] != i {
			told--
			continue
		}
		out = append(out, l)
	}
	return out
}

// soakFaults draws a mixture: each kind in about half of the seeds.
func soakFaults(r *rand.Rand) printertest.Faults {
	some := func(rate float64) float64 {
		if r.IntN(2) == 0 {
			return 0
		}
		return rate * r.Float64()
	}
	return printertest.Faults{Flip: some(2e-3), Drop: some(1e-3), FlipBack: some(1e-3), DropBack: some(1e-3), LostOK: some(0.02), DoubleOK: some(0.02),
		DupResend: some(0.2), FlushDelay: time.Duration(some(8e6)), Stall: some(0.005), StallFor: time.Duration(r.IntN(20)) * time.Second}
}

// soakFirmwares verify the checksum of each line that comes with a number, and want one; those behind bearOne bear one line at a time.
var soakFirmwares = []string{"marlin2", "marlin2-plain", "marlin1", "prusa", "malyan", "repetier-forced", "sprinter"}

const bearOne = 4

func soak(t *testing.T, seed uint64, sum *soakSum) {
	r := rand.New(rand.NewPCG(seed, 1))
	faults := soakFaults(r)
	which := r.IntN(len(soakFirmwares) + 5)
	if which >= len(soakFirmwares) { // most have several lines in flight
		which %= bearOne
	}
	firmware := soakFirmwares[which]
	baud := []int{0, 115200, 250000, 1000000}[r.IntN(4)]
	cfg := printertest.Config{Firmware: firmware, Baud: baud, USBLatency: time.Duration(r.IntN(9)) * time.Millisecond,
		TxBuffer: []int{-1, 0, 1, 32}[r.IntN(4)], Faults: faults, Seed: seed, KeepExecuted: true}
	if which < bearOne {
		cfg.AdvancedOK = r.IntN(2) == 0
		cfg.RxBuffer, cfg.BufSize = []int{128, 128, 256, 1024}[r.IntN(4)], []int{1, 4, 4, 8, 32}[r.IntN(5)]
	}
	// While the firmware does not read no more may come than its ring holds: one in 256 of what a full one leaves has the right checksum.
	if baud == 0 || baud > 250000 {
		cfg.Faults.FlushDelay, cfg.Faults.Stall = 0, 0
	} else {
		cfg.Faults.FlushDelay = min(cfg.Faults.FlushDelay, 100*10*time.Second/time.Duration(baud))
	}
	sim, err := printertest.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	text, want := soakJob(r, 300)
	p, stop := run(t, sim, func(c *Config) { c.Baud = max(baud, 9600) })
	defer stop()
	await(t, p, func(s *Snapshot) bool { return s.State == Idle })
	survey, err := gcode.SurveyFile(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Start(t.Context(), JobInfo{ID: "soak", Size: int64(len(text)), Survey: survey}, io.NopCloser(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	snap, held := watched(t, p)
	time.Sleep(time.Minute) // what is in the firmware's queue is executed
	got := jobLines(sim.Executed())
	if held > 0 {
		got = onceOnly(only(want, got), 6*held) // what was on its way can do that more than once
	}
	// When the answer to a setting that came too early is lost as well, nothing tells. It is made again in its turn.
	if settled := onceOnly(got, 1); len(settled) < len(got) && got[firstTwice(got)][0] == 'M' && faults.FlipBack+faults.DropBack+faults.LostOK > 0 {
		got = settled
		sum.early++
	}
	sum.count(t, snap, held)
	sum.add(sim.Counters())
	if snap.LastJob.Outcome != "done" {
		want = want[:min(len(got), len(want))]
	}
	sum.lines += int64(len(got))
	sum.resends += snap.Link.Resends
	sum.window = max(sum.window, snap.Link.WindowBytes)
	sum.probes += snap.Link.Probes
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			lo := max(0, i-3)
			t.Errorf("%s, baud %d, ring %d, faults %+v, %s: command %d of %d differs (executed %d):\ngot  %q\nwant %q", firmware, baud, cfg.RxBuffer, faults, snap.LastJob.Outcome, i, len(want), len(got),
				got[min(lo, len(got)):min(i+3, len(got))], want[min(lo, len(want)):min(i+3, len(want))])
			entries, _ := p.console.Since(t.Context(), 0, consoleLines)
			for _, e := range entries[max(0, len(entries)-60):] {
				t.Logf("%d %s %s", e.AtMS, e.Dir, e.Text)
			}
			return
		}
	}
}

// soakJob makes a job in which no two lines are the same, and returns its text and its commands.
func soakJob(r *rand.Rand, n int) (text string, want []string) {
	var b strings.Builder
	for i := range n {
		l := fmt.Sprintf("G1 X%d.%03d Y%.3f E%.4f", i%200, i, r.Float64()*200, float64(i)*0.01)
		switch r.IntN(12) {
		case 0:
			l = fmt.Sprintf("M106 S%d P0.%03d", r.IntN(256), i)
		case 1:
			l = fmt.Sprintf("M204 P%d", 500+i)
		case 2:
			l = fmt.Sprintf("M117 Layer %d of many", i)
		}
		want = append(want, l)
		b.WriteString(l)
		if r.IntN(5) == 0 {
			b.WriteString(" ; a remark")
		}
		b.WriteString("\n")
		if r.IntN(9) == 0 {
			b.WriteString("\n;TYPE:WALL-INNER\n")
		}
	}
	return b.String(), want
}

// firstTwice is the first of the lines that were executed more than once.
func firstTwice(executed []string) int {
	last := map[string]int{}
	for i, l := range executed {
		last[l] = i
	}
	return slices.IndexFunc(executed, func(l string) bool { return slices.Index(executed, l) != last[l] })
}

// jobLines leaves out what the host says of its own accord.
func jobLines(executed []string) []string {
	var out []string
	for _, l := range executed {
		switch word, _, _ := strings.Cut(l, " "); {
		case word == l && strings.HasPrefix(l, "M1"): // a question of ours that was damaged into another
		case strings.HasPrefix(word, "S"), strings.HasPrefix(word, "M114"): // the end of a damaged line, or two in one, that happens to be a question
		case slices.Contains([]string{"M105", "M110", "M114", "M115", "M155", "M400", "M876"}, word):
		default:
			out = append(out, l)
		}
	}
	return out
}

// only leaves out all but the job's lines: what a pause says may be the same as some.
func only(job, executed []string) []string {
	known := make(map[string]bool, len(job))
	for _, l := range job {
		known[l] = true
	}
	return slices.DeleteFunc(executed, func(l string) bool { return !known[l] })
}

// run starts a Printer on a pretend one; stop ends both.
func run(t *testing.T, sim *printertest.Sim, change func(*Config)) (*Printer, func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cfg := Config{Port: "/dev/pretend", Baud: 115200, Profile: Presets()[0], Log: slog.New(slog.DiscardHandler),
		Open: func(_ context.Context, _ string, baud int) (Port, error) {
			port := sim.Open()
			return port, port.SetBaud(baud)
		}}
	if change != nil {
		change(&cfg)
	}
	p := New(cfg)
	ended := make(chan error, 2)
	go func() { ended <- sim.Run(ctx) }()
	go func() { ended <- p.Run(ctx) }()
	return p, func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
}

// await waits for a snapshot that satisfies.
func await(t *testing.T, p *Printer, satisfies func(*Snapshot) bool) *Snapshot {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 24*time.Hour) // of the bubble's time
	defer cancel()
	for seq := uint64(0); ; {
		snap, at, err := p.Snapshots().Next(ctx, seq)
		if err != nil {
			last, _ := p.Snapshots().Get()
			entries, _ := p.console.Since(context.Background(), 0, consoleLines)
			for _, e := range entries[max(0, len(entries)-30):] {
				t.Logf("%d %s %s", e.AtMS, e.Dir, e.Text)
			}
			t.Fatalf("it never came: state %v, fault %v, job %+v", last.State, last.Fault, last.Job)
		}
		if seq = at; satisfies(snap) {
			return snap
		}
	}
}

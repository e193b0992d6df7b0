package server

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"layerd/camera"
	"layerd/internal/health"
	"layerd/internal/latest"
	"layerd/internal/overlay"
	"layerd/printer"
)

// family is what a strict reader makes of one name.
type metricFamily struct {
	kind, help string
	samples    map[string]float64 // by name and labels, as they are written, the labels' values as they were meant
	order      []string
}

var (
	metricName = regexp.MustCompile(`^layerd_[a-z0-9_]+$`)
	labelName  = regexp.MustCompile(`^[a-z_]+$`)
)

// parseMetrics reads the text format of Prometheus, version 0.0.4, and forgives nothing: each family once, HELP and TYPE once and before its samples, no sample twice,
// names by the conventions, histograms that are whole.
func parseMetrics(text string) (map[string]*metricFamily, error) {
	if !utf8.ValidString(text) || !strings.HasSuffix(text, "\n") {
		return nil, fmt.Errorf("not whole lines of UTF-8")
	}
	all := map[string]*metricFamily{}
	var now *metricFamily
	var name string
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		if words := strings.SplitN(line, " ", 4); words[0] == "#" {
			if len(words) != 4 || words[3] == "" || !metricName.MatchString(words[2]) {
				return nil, fmt.Errorf("%q", line)
			}
			switch words[1] {
			case "HELP":
				if all[words[2]] != nil {
					return nil, fmt.Errorf("%s comes twice", words[2])
				}
				name, now = words[2], &metricFamily{help: words[3], samples: map[string]float64{}}
				all[name] = now
			case "TYPE":
				if now == nil || words[2] != name || now.kind != "" || len(now.samples) > 0 || !slices.Contains([]string{"gauge", "counter", "histogram"}, words[3]) {
					return nil, fmt.Errorf("%q has no place here", line)
				}
				now.kind = words[3]
			default:
				return nil, fmt.Errorf("%q", line)
			}
			continue
		}
		sample, labels, v, err := parseSample(line)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		suffix := strings.TrimPrefix(sample, name)
		if now == nil || now.kind == "" || !strings.HasPrefix(sample, name) || now.kind == "histogram" != (suffix != "") || !slices.Contains([]string{"", "_bucket", "_sum", "_count"}, suffix) {
			return nil, fmt.Errorf("%q does not belong to %s", line, name)
		}
		if now.kind == "counter" && (!strings.HasSuffix(name, "_total") || v < 0) || now.kind == "gauge" && strings.HasSuffix(name, "_total") {
			return nil, fmt.Errorf("%q is a %s", line, now.kind)
		}
		key := sample + labels
		if _, twice := now.samples[key]; twice {
			return nil, fmt.Errorf("%s comes twice", key)
		}
		now.samples[key], now.order = v, append(now.order, key)
	}
	for name, f := range all {
		if len(f.samples) == 0 {
			return nil, fmt.Errorf("%s has no samples", name)
		}
		if f.kind == "histogram" {
			if err := f.isWhole(name); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// isWhole: buckets are cumulative, their bounds grow, the last is +Inf and equals the count.
func (f *metricFamily) isWhole(name string) error {
	last, bound := 0.0, math.Inf(-1)
	for _, key := range f.order {
		le, isBucket := strings.CutPrefix(key, name+`_bucket{le="`)
		if !isBucket {
			continue
		}
		b, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64)
		if err != nil || b <= bound || f.samples[key] < last {
			return fmt.Errorf("%s is out of order", key)
		}
		last, bound = f.samples[key], b
	}
	if count, there := f.samples[name+"_count"]; !there || !math.IsInf(bound, 1) || count != last || len(f.samples) < 4 {
		return fmt.Errorf("%s: the count is %g, the last bucket %g up to %g", name, count, last, bound)
	}
	if _, there := f.samples[name+"_sum"]; !there {
		return fmt.Errorf("%s has no sum", name)
	}
	return nil
}

// parseSample reads NAME{LABEL="VALUE",…} NUMBER. The labels come back as they are written, but with their values' escapes undone.
func parseSample(line string) (name, labels string, v float64, err error) {
	end := strings.IndexAny(line, "{ ")
	if end < 0 || !metricName.MatchString(line[:end]) {
		return "", "", 0, fmt.Errorf("no name")
	}
	name, rest := line[:end], line[end:]
	if strings.HasPrefix(rest, "{") {
		var pairs []string
		for rest = rest[1:]; ; rest = rest[1:] {
			label, after, found := strings.Cut(rest, `="`)
			if !found || !labelName.MatchString(label) {
				return "", "", 0, fmt.Errorf("no label")
			}
			var value strings.Builder
			i := 0
			for ; i < len(after) && after[i] != '"'; i++ {
				c := after[i]
				if c == '\\' {
					i++
					switch after[i] {
					case 'n':
						c = '\n'
					case '"', '\\':
						c = after[i]
					default:
						return "", "", 0, fmt.Errorf("an escape that is none")
					}
				}
				value.WriteByte(c)
			}
			if i+1 >= len(after) {
				return "", "", 0, fmt.Errorf("no end of a value")
			}
			pairs = append(pairs, label+`="`+value.String()+`"`)
			if rest = after[i+1:]; rest[0] == '}' {
				break
			}
			if rest[0] != ',' {
				return "", "", 0, fmt.Errorf("no comma")
			}
		}
		labels, rest = "{"+strings.Join(pairs, ",")+"}", rest[1:]
	}
	number, found := strings.CutPrefix(rest, " ")
	if !found {
		return "", "", 0, fmt.Errorf("no number")
	}
	v, err = strconv.ParseFloat(number, 64)
	return name, labels, v, err
}

// hostile is a name that somebody gives a camera, or a version.
const hostile = "a\"} 1\n# TYPE layerd_evil_total counter\\\\n\xff{é"

// whole is a server with all that can be measured.
func measured(t *testing.T) *rig {
	temperature, dBm, load := 61.5, -48.0, 0.4
	bits, alarm, memory, swap, kills, total := uint32(0x50005), true, int64(900e6), int64(0), int64(2), int64(32e9)
	r := newRig(t, func(c *Config) {
		c.Version = "1\"\\\n2"
		c.Reports = latest.New(&health.Report{AtMS: goldenMS, Level: health.Warn, Checks: []health.Check{{ID: "power", Level: health.Warn, Found: "Now."}},
			Numbers: health.Numbers{TemperatureC: &temperature, Throttled: &bits, UnderVoltage: &alarm, SignalDBm: &dBm, Load1: &load, AvailableBytes: &memory, SwapBytes: &swap, OOMKills: &kills, DiskTotal: &total}})
		c.Figures = Figures{Since: time.UnixMilli(goldenMS), Alarms: func() int64 { return 1 }, DatabaseBytes: func() int64 { return 409600 },
			Cameras: func() []camera.Counts {
				return []camera.Counts{{ID: 0, Name: hostile, Frames: 900, Late: 1, Damaged: 2, Opened: 3}}
			},
			Tally: func() printer.Tally {
				return printer.Tally{Sent: 41300, SentAgain: 2, Resends: 2, Damaged: 1, Checks: 7, TurnSum: 3200 * time.Millisecond,
					Turns:   []printer.Turn{{UpTo: time.Millisecond, Lines: 10}, {UpTo: 5 * time.Millisecond, Lines: 30}, {Lines: 2}},
					Starved: []printer.Starved{{By: "wire", For: 1500 * time.Millisecond, Events: 4}, {By: "file"}}}
			}}
	})
	r.cameras.status.Set([]camera.Status{{ID: 0, Name: hostile, Live: true, FPS: 14.9}, {ID: 2, Name: hostile}})
	r.overlay.statuses.Set(overlay.Status{Kind: overlay.Tailnet, State: overlay.Running, Paths: []overlay.Path{{Direct: true}, {}}})
	r.printer.change(func(s *printer.Snapshot) {
		s.State, s.Nozzles, s.Bed, s.Chamber = printer.Printing, []printer.Heater{{ActualC: 209.8, TargetC: 210}, {ActualC: 25}}, &printer.Heater{ActualC: 60, TargetC: 60}, &printer.Heater{ActualC: 31}
		s.Job = &printer.JobStatus{Percent: 37.5, LeftS: 2994}
	})
	return r
}

func TestMetrics(t *testing.T) {
	w := measured(t).do("GET", "/metrics", "viewer", nil)
	if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, "text/plain; version=0.0.4") {
		t.Errorf("Content-Type: got %q", got)
	}
	all, err := parseMetrics(w.Body.String())
	if err != nil {
		t.Fatalf("%v in\n%s", err, w.Body)
	}
	shown := strings.ToValidUTF8(hostile, "?")
	for key, want := range map[string]float64{
		"layerd_build_info{version=\"1\"\\\n2\"}": 1, `layerd_printer_state{state="printing"}`: 1, `layerd_printer_state{state="idle"}`: 0, `layerd_temperature_celsius{heater="nozzle0",kind="actual"}`: 209.8,
		`layerd_temperature_celsius{heater="bed",kind="target"}`: 60, "layerd_job_progress_ratio": 0.375, "layerd_job_left_seconds": 2994, "layerd_lines_sent_total": 41300, "layerd_resends_total": 2,
		"layerd_live_sockets": 0, "layerd_camera_viewers": 0, "layerd_sessions": 1, "layerd_shift_checks_total": 7, "layerd_shift_alarms_total": 1, "layerd_database_bytes": 409600,
		`layerd_line_turnaround_seconds_bucket{le="0.001"}`: 10, `layerd_line_turnaround_seconds_bucket{le="0.005"}`: 40, `layerd_line_turnaround_seconds_bucket{le="+Inf"}`: 42,
		"layerd_line_turnaround_seconds_sum": 3.2, "layerd_line_turnaround_seconds_count": 42, `layerd_starved_seconds_total{cause="wire"}`: 1.5, `layerd_starvations_total{cause="wire"}`: 4,
		`layerd_camera_live{camera="0",name="` + shown + `"}`: 1, `layerd_camera_live{camera="2",name="` + shown + `"}`: 0, `layerd_camera_frames_total{camera="0"}`: 900, `layerd_camera_damaged_frames_total{camera="0"}`: 2,
		`layerd_overlay_joined{network="tailnet"}`: 1, `layerd_overlay_paths{way="relay"}`: 1, `layerd_host_health{level="warn"}`: 1, `layerd_host_health{level="ok"}`: 0, "layerd_host_temperature_celsius": 61.5,
		"layerd_host_throttled_bits": 0x50005, "layerd_host_under_voltage": 1, "layerd_host_wifi_signal_dbm": -48, "layerd_host_oom_kills_total": 2, "layerd_disk_size_bytes": 32e9, "layerd_start_time_seconds": goldenMS / 1000,
	} {
		name, _, _ := strings.Cut(key, "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		if f := all[name]; f == nil {
			t.Errorf("there is no %s", name)
		} else if got, there := f.samples[key]; !there || got != want {
			t.Errorf("%s: got %g (%v), want %g, of %v", key, got, there, want, f.order)
		}
	}
	for _, name := range []string{"layerd_process_cpu_seconds_total", "layerd_process_resident_memory_bytes", "layerd_go_heap_bytes"} {
		if f := all[name]; f == nil || f.samples[name] <= 0 {
			t.Errorf("%s is not measured: %+v", name, f)
		}
	}
}

// What is not known is left out: a graph must not show that a machine without a thermometer has 0 °C.
func TestMetricsOfAnEmptyLayerd(t *testing.T) {
	all, err := parseMetrics(newRig(t).do("GET", "/metrics", "viewer", nil).Body.String())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"layerd_host_temperature_celsius", "layerd_host_throttled_bits", "layerd_disk_free_bytes", "layerd_job_progress_ratio", "layerd_line_turnaround_seconds", "layerd_temperature_celsius"} {
		if all[name] != nil {
			t.Errorf("%s is there: %+v", name, all[name].samples)
		}
	}
	if f := all["layerd_host_health"]; f == nil || slices.Max([]float64{f.samples[`layerd_host_health{level="ok"}`], f.samples[`layerd_host_health{level="bad"}`]}) != 0 {
		t.Errorf("nobody has looked, and the health is %+v", f)
	}
}

// The reader above can fail.
func TestTheReaderOfMetricsForgivesNothing(t *testing.T) {
	const head = "# HELP layerd_a_total x\n# TYPE layerd_a_total counter\n"
	const hist = "# HELP layerd_h x\n# TYPE layerd_h histogram\n"
	for _, text := range []string{"", "layerd_a_total 1\n", head, head + "layerd_a_total -1\n", head + "layerd_a_total 1\nlayerd_a_total 1\n", head + "layerd_b_total 1\n", head + "layerd_a_total{x=\"\n\"} 1\n",
		head + `layerd_a_total{x="a"b"} 1` + "\n", head + `layerd_a_total{x="\z"} 1` + "\n", head + "layerd_a_total 1", head + "layerd_a_total 1\n" + head + "layerd_a_total 2\n", head + "layerd_a_total one\n",
		"# HELP layerd_a x\n# TYPE layerd_a counter\nlayerd_a 1\n", hist + "layerd_h_bucket{le=\"1\"} 3\nlayerd_h_bucket{le=\"+Inf\"} 2\nlayerd_h_sum 1\nlayerd_h_count 2\n",
		hist + "layerd_h_bucket{le=\"1\"} 1\nlayerd_h_sum 1\nlayerd_h_count 1\n", hist + "layerd_h_bucket{le=\"+Inf\"} 2\nlayerd_h_sum 1\nlayerd_h_count 3\n"} {
		if _, err := parseMetrics(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	if _, err := parseMetrics(hist + "layerd_h_bucket{le=\"1\"} 1\nlayerd_h_bucket{le=\"+Inf\"} 2\nlayerd_h_sum 1\nlayerd_h_count 2\n"); err != nil {
		t.Error(err)
	}
}

func FuzzLabel(f *testing.F) {
	f.Add(hostile)
	f.Fuzz(func(t *testing.T, value string) {
		var e exposition
		e.family("gauge", "layerd_a", "x", sample{label("x", value), 1})
		all, err := parseMetrics(e.b.String())
		if err != nil {
			t.Fatalf("%q: %v", e.b.String(), err)
		}
		if _, there := all["layerd_a"].samples[`layerd_a{x="`+strings.ToValidUTF8(value, "?")+`"}`]; !there {
			t.Errorf("%q became %v", value, all["layerd_a"].order)
		}
	})
}

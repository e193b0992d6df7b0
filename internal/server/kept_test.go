package server

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"layerd/internal/store"
	"layerd/internal/thermo"
)

func TestTemperatures(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/v1/temperatures", "/v1/temperatures?since_ms=0", "/v1/temperatures?since_ms=1795348800000"} {
		w := r.do("GET", target, "viewer", nil)
		var got thermo.Recent
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got.Curve, exampleCurve()) {
			t.Errorf("%s: got %d %s, %v", target, w.Code, w.Body, err)
		}
	}
	if want := []int64{0, 0, goldenMS}; !slices.Equal(r.temps.asked, want) {
		t.Errorf("asked for what is newer than %v, want %v", r.temps.asked, want)
	}
	for _, bad := range []string{"-1", "now", "1e3", "99999999999999999999"} {
		if w := r.do("GET", "/v1/temperatures?since_ms="+bad, "viewer", nil); w.Code != 400 || errorCode(t, w.Body.Bytes()) != "bad_command" {
			t.Errorf("since_ms=%s: got %d %s, want 400", bad, w.Code, w.Body)
		}
	}
}

func TestPackedAnswers(t *testing.T) {
	r := newRig(t)
	for _, target := range []string{"/v1/temperatures", "/v1/curves/01jd8q0000"} {
		plain := r.do("GET", target, "viewer", nil)
		packed := r.do("GET", target, "viewer", nil, func(q *http.Request) { q.Header.Set("Accept-Encoding", "br, gzip") })
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		text, err := io.ReadAll(z)
		if err != nil || string(text) != plain.Body.String() || packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: got %q, %v, want %q, once packed and once not", target, text, err, plain.Body)
		}
	}
}

func TestCurves(t *testing.T) {
	r := newRig(t)
	for id, want := range map[string]int64{"01jd8q0000": 15_000, "running": 999} {
		w := r.do("GET", "/v1/curves/"+id, "viewer", nil)
		var got store.Curve
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.GapMS != want || len(got.AfterMS) != 2 {
			t.Errorf("%s: got %d %s, %v", id, w.Code, w.Body, err)
		}
	}
	for _, target := range []string{"/v1/curves/none", "/v1/pictures/none", "/v1/pictures/..%2f..%2fetc%2fpasswd"} {
		if w := r.do("GET", target, "viewer", nil); w.Code != 404 || errorCode(t, w.Body.Bytes()) != "not_kept" {
			t.Errorf("%s: got %d %s, want 404 not_kept", target, w.Code, w.Body)
		}
	}
}

func TestPicture(t *testing.T) {
	r := newRig(t)
	w := r.do("GET", "/v1/pictures/01jd8q0000", "viewer", nil)
	if w.Header().Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(w.Body.String(), "\xff\xd8") {
		t.Errorf("got %q of type %q", w.Body, w.Header().Get("Content-Type"))
	}
	again := r.do("GET", "/v1/pictures/01jd8q0000", "viewer", nil, func(q *http.Request) { q.Header.Set("If-None-Match", w.Header().Get("ETag")) })
	if again.Code != 304 {
		t.Errorf("asked again: got %d, want 304", again.Code)
	}
}

func TestTotalsAreOfTheZone(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Zone = time.FixedZone("CET", 3600) })
	var got Totals
	if err := json.Unmarshal(r.do("GET", "/v1/totals", "viewer", nil).Body.Bytes(), &got); err != nil || len(got.Months) != 1 || got.Months[0].Month != "2026-11 CET" {
		t.Errorf("got %+v, %v, want the printer's zone asked for", got, err)
	}
}

// export reads the exported history back: the header and the rows.
func export(t *testing.T, r *rig) (header []string, rows [][]string) {
	t.Helper()
	w := r.do("GET", "/v1/prints.csv", "viewer", nil)
	if kind := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(kind, "text/csv") || !strings.Contains(w.Header().Get("Content-Disposition"), ".csv") {
		t.Fatalf("got %d, %q, %q", w.Code, kind, w.Header())
	}
	if text := w.Body.String(); strings.Count(text, "\n") != strings.Count(text, "\r\n") || !strings.HasSuffix(text, "\r\n") {
		t.Errorf("lines do not end as RFC 4180 has it: %q", text)
	}
	all, err := csv.NewReader(w.Body).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[0], all[1:]
}

func TestHistoryAsCSV(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Zone = time.FixedZone("CET", 3600) })
	r.files.rows["a"] = store.Print{ID: "a", File: "toys/cube.gcode", SHA256: "00ff", By: "Kim's phone", StartedMS: goldenMS, EndedMS: goldenMS + 61_000, Outcome: "failed",
		Reason: `It said "no", twice.`, Fault: "port_lost", ElapsedS: 61, FilamentMM: 1234.5, Percent: 12.34, Layer: 3, Layers: 9, LinesAgain: 2, ResendPercent: 0.5, StarvedS: 1.25, StarvedBy: "wire"}
	r.files.rows["b"] = store.Print{ID: "b", File: "cube.gcode", StartedMS: goldenMS}
	header, rows := export(t, r)
	if len(rows) != 2 || header[0] != "Started (local time)" || header[6] != "Printed (s)" || header[7] != "Filament (m)" {
		t.Fatalf("got header %q and %d rows", header, len(rows))
	}
	want := []string{"2026-11-22 13:00:00", "2026-11-22 13:01:01", "toys/cube.gcode", "failed", `It said "no", twice.`, "port_lost", "61", "1.234", "12.3", "3", "9", "2", "0.5",
		"1.2", "wire", "Kim's phone", "a", "00ff"}
	if !slices.Equal(rows[0], want) {
		t.Errorf("got  %q\nwant %q", rows[0], want)
	}
	if rows[1][1] != "" || rows[1][3] != "under way" {
		t.Errorf("under way: got %q", rows[1])
	}
}

// A name must not become a formula in the spreadsheet of whoever opens the export, and must not break out of its cell.
func TestHostileNamesInCSV(t *testing.T) {
	for name, want := range map[string]string{
		`=cmd|'/c calc'!A1.gcode`:    `'=cmd|'/c calc'!A1.gcode`,
		`+1.gcode`:                   `'+1.gcode`,
		`-2+3.gcode`:                 `'-2+3.gcode`,
		`@SUM(A1).gcode`:             `'@SUM(A1).gcode`,
		"\t=1.gcode":                 "' =1.gcode",
		"  =1.gcode":                 "'  =1.gcode",
		"\ufeff=1.gcode":             "'\ufeff=1.gcode",
		`＝1.gcode`:                   `'＝1.gcode`,
		"a\r\n=1+1,b.gcode":          "a  =1+1,b.gcode",
		`"; DROP.gcode`:              `"; DROP.gcode`,
		`a",=1+1,".gcode`:            `a",=1+1,".gcode`,
		"bad \xff\xfe bytes.gcode":   "bad \uFFFD bytes.gcode",
		"nul \x00 and \x1b[2J.gcode": "nul   and  [2J.gcode",
		"a-b=c@d+e.gcode":            "a-b=c@d+e.gcode",
		"Würfel 5 €.gcode":           "Würfel 5 €.gcode",
		"":                           "",
	} {
		r := newRig(t)
		r.files.rows["a"] = store.Print{ID: "a", File: name, Reason: name, By: name, StartedMS: 1}
		_, rows := export(t, r)
		if len(rows) != 1 || len(rows[0]) != len(csvHeader) {
			t.Errorf("%q: got %d rows: %q", name, len(rows), rows)
			continue
		}
		for _, column := range []int{2, 4, 15} {
			if rows[0][column] != want {
				t.Errorf("%q in column %s: got %q, want %q", name, csvHeader[column], rows[0][column], want)
			}
		}
	}
}

// An export that ends early must not look whole.
func TestBrokenExport(t *testing.T) {
	r := newRig(t)
	r.files.failEach = errors.New("the disk is gone")
	if w := r.do("GET", "/v1/prints.csv", "viewer", nil); w.Code != 500 || errorCode(t, w.Body.Bytes()) != "internal" || w.Header().Get("Content-Disposition") != "" {
		t.Errorf("before anything was sent: got %d %s %v, want an error", w.Code, w.Body, w.Header())
	}
	for i := range 3 * csvFlush {
		id := string(rune('a'+i%26)) + strings.Repeat("x", i)
		r.files.rows[id] = store.Print{ID: id, File: "a.gcode", StartedMS: 1}
	}
	q, err := http.NewRequest("GET", "http://"+r.listen(t)+"/v1/prints.csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	q.Header.Set("Authorization", "Bearer viewer")
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if got, err := io.ReadAll(answer.Body); err == nil || len(got) == 0 {
		t.Errorf("in the middle: got %d bytes and %v, want a part and a broken connection", len(got), err)
	}
}

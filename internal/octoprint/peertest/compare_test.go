package peertest

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const golden = "../testdata/octoprint-1.11.8.json"

func loadGolden(t *testing.T) Recording {
	t.Helper()
	r, err := Load(golden)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestEqualRecordings: the recording of OctoPrint, which has all that the comparison will meet, is like itself.
func TestEqualRecordings(t *testing.T) {
	fields := Compare(loadGolden(t), loadGolden(t), nil)
	if len(fields) < 3000 {
		t.Errorf("%d fields were compared, want thousands", len(fields))
	}
	for _, f := range fields {
		if f.Verdict != Equal {
			t.Error(f)
		}
	}
}

// TestBrokenRecordings breaks one thing of an answer at a time. Each must be seen, and nothing else.
func TestBrokenRecordings(t *testing.T) {
	const job, upload = "printing: GET /api/job", "files: POST /api/files/local print=false path= file=@peer-small.gcode"
	for _, c := range []struct {
		name, answer string
		break_       func(a Answer) Answer
		path         string
		want         Verdict
	}{
		{"status", job, func(a Answer) Answer { a.Status = 500; return a }, "status", Differing},
		{"no header", upload, func(a Answer) Answer { delete(a.Headers, "Location"); return a }, "header Location", Missing},
		{"header", upload, func(a Answer) Answer { a.Headers["Location"] = "/there"; return a }, "header Location", Differing},
		{"more headers", job, func(a Answer) Answer { a.Headers["Location"] = "/there"; return a }, "header Location", Extra},
		{"no field", job, func(a Answer) Answer { delete(a.Body, "progress.completion"); return a }, "progress.completion", Missing},
		{"more fields", job, func(a Answer) Answer { a.Body["layer"] = Kinds{"int"}; return a }, "layer", Extra},
		{"text for a number", job, func(a Answer) Answer { a.Body["progress.completion"] = Kinds{"string"}; return a }, "progress.completion", Differing},
		{"nothing for a number", job, func(a Answer) Answer { a.Body["progress.filepos"] = Kinds{"null"}; return a }, "progress.filepos", Differing},
		{"a fraction for a whole number", job, func(a Answer) Answer { a.Body["progress.filepos"] = Kinds{"float"}; return a }, "progress.filepos", Differing},
		{"another state", job, func(a Answer) Answer { a.Body["state"] = Kinds{"string=printing"}; return a }, "state", Differing},
		{"a flag", "printing: GET /api/printer", func(a Answer) Answer { a.Body["state.flags.printing"] = Kinds{"bool=false"}; return a }, "state.flags.printing", Differing},
		{"another type in a list", "idle: GET /api/connection", func(a Answer) Answer { a.Body["options.ports[]"] = Kinds{"object"}; return a }, "options.ports[]", Differing},
		{"a state never reached", "printing: until Printing", func(a Answer) Answer { a.Body[""] = Kinds{"never reached"}; return a }, "", Differing},
		{"no object, and so nothing in it", job, func(a Answer) Answer {
			maps.DeleteFunc(a.Body, func(path string, _ Kinds) bool { return strings.HasPrefix(path, "job.file") })
			return a
		}, "job.file", Missing},
		{"nothing for an object", job, func(a Answer) Answer {
			maps.DeleteFunc(a.Body, func(path string, _ Kinds) bool { return strings.HasPrefix(path, "job.file.") })
			a.Body["job.file"] = Kinds{"null"}
			return a
		}, "job.file", Differing},
		{"a refusal", job, func(Answer) Answer { return Answer{Status: 404, Body: Shape{"": {"object"}, "error": {"string"}}} }, "status", Differing},
		{"strings in frames", "push: by framed websocket", func(a Answer) Answer { a.Body["frame a[]"] = Kinds{"string"}; return a }, "frame a[]", Differing},
	} {
		t.Run(c.name, func(t *testing.T) {
			ours := loadGolden(t)
			a, there := ours[c.answer]
			if !there {
				t.Fatalf("the recording has no %q", c.answer)
			}
			ours[c.answer] = c.break_(a)
			fields := slices.DeleteFunc(Compare(loadGolden(t), ours, nil), func(f Field) bool { return f.Verdict == Equal })
			if len(fields) != 1 || fields[0].Answer != c.answer || fields[0].Path != c.path || fields[0].Verdict != c.want {
				t.Fatalf("got %v, want %q of %q %s", fields, c.path, c.answer, c.want)
			}
			if wrong := Unexplained(fields); (len(wrong) == 1) != (c.want != Extra) {
				t.Errorf("%d are wrong", len(wrong))
			}
		})
	}
	t.Run("no answer", func(t *testing.T) {
		ours := loadGolden(t)
		delete(ours, job)
		if wrong := Unexplained(Compare(loadGolden(t), ours, nil)); len(wrong) != 1 || wrong[0].Verdict != Missing {
			t.Errorf("got %v, want one that is missing", wrong)
		}
	})
}

func TestFits(t *testing.T) {
	for _, c := range []struct {
		want, got string
		fits      bool
	}{
		{"float", "int", true},
		{"int", "float", false},
		{"float=100", "int=100", true},
		{"float=100", "int=99", false},
		{"float", "int=100", true},
		{"float | null", "float", true},
		{"float | null", "null", false},
		{"null", "null", true},
		{"null", "object", false},
		{"string", "string=Printing", true},
		{"string=Printing", "string", false},
		{"string=folder", "string=folder", true},
		{"string=gcode | string=machinecode", "string=machinecode", false},
		{"array", "object", false},
	} {
		var want, got Kinds
		want.UnmarshalText([]byte(c.want))
		got.UnmarshalText([]byte(c.got))
		if is := fits(want, got); is != c.fits {
			t.Errorf("%q for %q fits: got %v, want %v", c.got, c.want, is, c.fits)
		}
	}
}

func TestShape(t *testing.T) {
	const body = `{"api":"0.1","completion":100.0,"files":[{"type":"folder","size":1},{"type":"machinecode","hash":"x","refs":{"download":"http://h:1/d/peer-a.gcode"}}],
		"flags":{"ready":true},"none":null,"0123456789012345678901234567890123456789":[],"ports":["a",2],"error":"` + "a text for people, which is of no use to a program and may be changed" + `"}`
	got := make(Shape)
	if err := got.add([]byte(body), "http://h:1"); err != nil {
		t.Fatal(err)
	}
	want := `{"":"object","*":"array","api":"string=0.1","completion":"float=100","error":"string","files":"array","files[folder]":"object","files[folder].size":"int",` +
		`"files[folder].type":"string=folder","files[machinecode]":"object","files[machinecode].hash":"string","files[machinecode].refs":"object",` +
		`"files[machinecode].refs.download":"string=BASE/d/peer-a.gcode","files[machinecode].type":"string=machinecode","flags":"object","flags.ready":"bool=true",` +
		`"none":"null","ports":"array","ports[]":"int | string"}`
	if text, err := json.Marshal(got); err != nil || string(text) != want {
		t.Errorf("got  %s, %v\nwant %s", text, err, want)
	}
}

// TestExplained: a reason covers what it names and nothing else, and is told when it covers nothing.
func TestExplained(t *testing.T) {
	file := filepath.Join(t.TempDir(), "differences.md")
	text := strings.Join([]string{
		"# Differences", "| answers | fields | why |", "|---|---|---|",
		"| `printing: GET /api/job`, `paused: GET /api/job` | `progress.completion` | told | otherwise |",
		"| `*` | `*user`, `header *`, `nothing` | not what is read |",
		"| `*` | `*` | too much: it covers no status, no answer, and nothing that clients read |",
		"| `around: GET /api/users` | `the answer` | said by its name |",
		"| `not code | `x` | passed over |",
		"| `code` and more | `x` | passed over |",
	}, "\n")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ours := loadGolden(t)
	delete(ours["printing: GET /api/job"].Body, "progress.completion")
	delete(ours["printing: GET /api/job"].Body, "job.user")
	delete(ours["paused: GET /api/job"].Body, "progress.completion")
	delete(ours["paused: GET /api/job"].Body, "progress.printTime")
	delete(ours["idle: GET /api/settings"].Body, "webcam.streamUrl")
	delete(ours["idle: GET /api/settings"].Body, "devel")
	delete(ours["files: GET /api/files"].Headers, "Content-Type")
	delete(ours, "around: GET /api/users")
	delete(ours, "around: GET /api/slicing")
	broken := filepath.Join(t.TempDir(), "ours.json")
	if err := ours.Save(broken); err != nil {
		t.Fatal(err)
	}
	ours, err := Load(broken)
	if err != nil {
		t.Fatal(err)
	}
	wrong, idle, err := Judge(golden, file, ours)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range wrong {
		got = append(got, f.Answer+" "+f.Path)
	}
	if want := []string{"around: GET /api/slicing ", "idle: GET /api/settings webcam.streamUrl", "paused: GET /api/job progress.printTime"}; !slices.Equal(got, want) {
		t.Errorf("not explained are %q, want %q", got, want)
	}
	if len(idle) != 1 || idle[0].Fields != "nothing" {
		t.Errorf("got idle %v, want the one of no use", idle)
	}
	if err := os.WriteFile(file, []byte("| `a` | `b` | |"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadExplained(file); err == nil {
		t.Error("an explanation without a reason was taken")
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a", "a", true}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*c*", "abc", true},
		{"a*c", "abd", false}, {"*[folder]*", "files[folder].size", true}, {"a?", "ab", false},
	} {
		if got := glob(c.pattern, c.text); got != c.want {
			t.Errorf("%q of %q: got %v, want %v", c.pattern, c.text, got, c.want)
		}
	}
}

// TestRead: whatever clients are said to read is there in what OctoPrint has answered, or nothing would guard it.
func TestRead(t *testing.T) {
	var fields []Field
	for name, a := range loadGolden(t) {
		fields = append(fields, compareAnswers(name, a, a)...)
	}
	for _, r := range read {
		for pattern := range strings.FieldsSeq(r.fields) {
			if !slices.ContainsFunc(fields, func(f Field) bool { return glob(r.answers, f.Answer) && glob(pattern, f.Path) }) {
				t.Errorf("%s has no %s", r.answers, pattern)
			}
		}
	}
}

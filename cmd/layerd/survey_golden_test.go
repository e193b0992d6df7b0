package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"layerd/gcode"
)

var update = flag.Bool("update", false, "write the golden surveys of testdata/surveys anew")

// goldenSurvey is a survey in a form that can be looked at: of the layers the first three, the one in the middle, and the last.
type goldenSurvey struct {
	surveyed
	Layers []gcode.Layer `json:"layers"`
	Error  string        `json:"error"`
}

// What is said of each file of the corpus, figure by figure. The goldens are read by a person when they change; the files themselves are not part of
// this project.
func TestGoldenSurveys(t *testing.T) {
	t.Parallel()
	const corpus = "../../../shared/corpus"
	if _, err := os.Stat(corpus); err != nil {
		t.Skipf("the corpus of real files is absent: %v", err)
	}
	seen := 0
	err := filepath.WalkDir(corpus, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.Contains(entry.Name(), "gcode") {
			return err
		}
		if seen++; testing.Short() && strings.HasSuffix(name, ".gz") { // the long ones: without the race detector they take seconds
			return nil
		}
		t.Run(entry.Name(), func(t *testing.T) { checkGolden(t, name) })
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d files, %v", seen, err)
	}
}

func checkGolden(t *testing.T, name string) {
	of, err := surveyNamed(name)
	of.File = filepath.Base(name)
	golden := goldenSurvey{surveyed: of, Layers: []gcode.Layer{}}
	if err != nil {
		golden.Error = strings.TrimPrefix(err.Error(), name+": ")
	}
	for i, l := range of.Layers {
		if i < 3 || i == len(of.Layers)/2 || i == len(of.Layers)-1 {
			golden.Layers = append(golden.Layers, l)
		}
	}
	got, err := json.MarshalIndent(golden, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata/surveys", of.File+".json")
	if *update {
		if err := os.WriteFile(path, append(got, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(want, &b); err != nil {
		t.Fatal(err)
	}
	for _, differs := range differences("", a, b) {
		t.Errorf("%s (go test -update writes it anew)", differs)
	}
}

// differences names what differs between two JSON values. Numbers may differ by as much as another machine's arithmetic makes of them.
func differences(at string, got, want any) (list []string) {
	switch w := want.(type) {
	case map[string]any:
		g, _ := got.(map[string]any)
		for key := range w {
			list = append(list, differences(at+"."+key, g[key], w[key])...)
		}
		for key := range g {
			if _, known := w[key]; !known {
				list = append(list, fmt.Sprintf("%s.%s is new", at, key))
			}
		}
		return list
	case []any:
		g, _ := got.([]any)
		if len(g) != len(w) {
			return []string{fmt.Sprintf("%s has %d, want %d", at, len(g), len(w))}
		}
		for i := range w {
			list = append(list, differences(fmt.Sprintf("%s[%d]", at, i), g[i], w[i])...)
		}
		return list
	case float64:
		if g, ok := got.(float64); ok && math.Abs(g-w) <= 0.002+1e-6*math.Abs(w) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s is %v, want %v", at, got, want)}
}

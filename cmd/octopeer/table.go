package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"layerd/internal/octoprint/peertest"
)

// compareGolden: OctoPrint must answer as was recorded, or all else is measured with a wrong stick.
func compareGolden(path string, recorded peertest.Recording) error {
	golden, err := peertest.Load(path)
	if err != nil {
		return err
	}
	unlike := 0
	for _, f := range peertest.Compare(golden, recorded, nil) {
		if f.Verdict != peertest.Equal {
			fmt.Println(f)
			unlike++
		}
	}
	if unlike > 0 {
		return fmt.Errorf("OctoPrint answers otherwise than %s in %d fields; --renew makes this the recording", path, unlike)
	}
	fmt.Printf("OctoPrint answers as recorded in %s\n\n", path)
	return nil
}

// compare prints what ours is worth.
func compare(golden, explainedIn string, ours peertest.Recording, all bool) error {
	peer, err := peertest.Load(golden)
	if err != nil {
		return err
	}
	explained, err := peertest.LoadExplained(explainedIn)
	if err != nil {
		return err
	}
	fields := peertest.Compare(peer, ours, explained)
	printTable(peer, fields)
	wrong := peertest.Unexplained(fields)
	printFields("not explained", wrong)
	if all {
		printFields("explained, equal or more", slices.DeleteFunc(slices.Clone(fields), func(f peertest.Field) bool { return slices.Contains(wrong, f) }))
	}
	idle := peertest.Idle(fields, explained)
	for _, e := range idle {
		fmt.Printf("explains nothing any more: `%s` `%s` %s\n", e.Answers, e.Fields, e.Why)
	}
	if len(wrong)+len(idle) > 0 {
		return fmt.Errorf("%d fields are missing or differ, and %s does not say why; %d of its explanations explain nothing", len(wrong), explainedIn, len(idle))
	}
	fmt.Println("nothing is unexplained")
	return nil
}

// row counts the fields of one endpoint, over all that it was asked.
type row struct {
	equal, missing, extra, differing, explained int
	by                                          []string
}

func printTable(peer peertest.Recording, fields []peertest.Field) {
	rows := make(map[string]*row)
	for _, f := range fields {
		at := endpoint(f.Answer)
		r := rows[at]
		if r == nil {
			r = new(row)
			rows[at] = r
		}
		for by := range strings.SplitSeq(peer[f.Answer].By, ", ") {
			if by != "" && !slices.Contains(r.by, by) {
				r.by = append(r.by, by)
			}
		}
		switch {
		case f.Because != "":
			r.explained++
		case f.Verdict == peertest.Equal:
			r.equal++
		case f.Verdict == peertest.Missing:
			r.missing++
		case f.Verdict == peertest.Differing:
			r.differing++
		case f.Verdict == peertest.Extra:
			r.extra++
		}
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "endpoint\tequal\tmissing\tdiffering\texplained\textra\tasked by")
	total := new(row)
	for _, at := range slices.Sorted(maps.Keys(rows)) {
		r := rows[at]
		slices.Sort(r.by)
		fmt.Fprintf(out, "%s\t%d\t%d\t%d\t%d\t%d\t%s\n", at, r.equal, r.missing, r.differing, r.explained, r.extra, strings.Join(r.by, ", "))
		total.equal, total.missing, total.differing = total.equal+r.equal, total.missing+r.missing, total.differing+r.differing
		total.explained, total.extra = total.explained+r.explained, total.extra+r.extra
	}
	fmt.Fprintf(out, "all\t%d\t%d\t%d\t%d\t%d\t\n", total.equal, total.missing, total.differing, total.explained, total.extra)
	out.Flush()
}

// endpoint of an answer's name: "idle: GET /api/printer?history=true" is asked of "GET /api/printer".
func endpoint(answer string) string {
	phase, asked, _ := strings.Cut(answer, ": ")
	words := strings.Fields(asked)
	if phase == "push" || len(words) < 2 || words[0] == "until" {
		return map[bool]string{true: "push", false: "states"}[phase == "push"]
	}
	path, _, _ := strings.Cut(words[1], "?")
	return words[0] + " " + path
}

func printFields(title string, fields []peertest.Field) {
	if len(fields) == 0 {
		return
	}
	fmt.Printf("\n%s:\n", title)
	for _, f := range fields {
		if f.Because != "" {
			fmt.Printf("  %s (%s)\n", f, f.Because)
		} else {
			fmt.Printf("  %s\n", f)
		}
	}
	fmt.Println()
}

package peertest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Verdict is what became of one field.
type Verdict string

const (
	Equal     Verdict = "equal"
	Missing   Verdict = "missing"   // the peer has it, we have not
	Differing Verdict = "differing" // of another type, or another of the values that clients compare
	Extra     Verdict = "extra"     // we have it, the peer has not: clients do not look
)

// Field is one part of one answer: "status", "header Location", a path of the body, or "" for the whole answer.
type Field struct {
	Answer, Path string
	Verdict      Verdict
	Peer, Ours   string // what it is
	Because      string // of the explanation that covers it; "" = none
}

// name is its path, as people read it.
func (f Field) name() string { return cmp.Or(f.Path, "the answer") }

// String says it in one line.
func (f Field) String() string {
	path := f.name()
	switch f.Verdict {
	case Missing:
		return fmt.Sprintf("%s: %s is missing: want %s", f.Answer, path, f.Peer)
	case Extra:
		return fmt.Sprintf("%s: %s is more: %s", f.Answer, path, f.Ours)
	}
	return fmt.Sprintf("%s: %s is %s, want %s", f.Answer, path, f.Ours, f.Peer)
}

// Compare puts ours beside the peer's, field by field and sorted, and marks what is explained.
func Compare(peer, ours Recording, explained []Explanation) (fields []Field) {
	for _, name := range slices.Sorted(maps.Keys(peer)) {
		our, answered := ours[name]
		if !answered {
			fields = append(fields, Field{Answer: name, Verdict: Missing, Peer: fmt.Sprintf("an answer with %d fields", len(peer[name].Body))})
			continue
		}
		fields = append(fields, compareAnswers(name, peer[name], our)...)
	}
	for _, name := range slices.Sorted(maps.Keys(ours)) {
		if _, known := peer[name]; !known {
			fields = append(fields, Field{Answer: name, Verdict: Extra, Ours: fmt.Sprintf("an answer with %d fields", len(ours[name].Body))})
		}
	}
	for i := range fields {
		explain(&fields[i], explained)
	}
	return fields
}

// Unexplained are those that must not be: missing or differing, without a reason.
func Unexplained(fields []Field) (wrong []Field) {
	for _, f := range fields {
		if (f.Verdict == Missing || f.Verdict == Differing) && f.Because == "" {
			wrong = append(wrong, f)
		}
	}
	return wrong
}

// Judge is Compare with the files of the repository: what is wrong with ours, and which explanations explain nothing.
func Judge(golden, explainedIn string, ours Recording) (wrong []Field, idle []Explanation, err error) {
	peer, err := Load(golden)
	if err != nil {
		return nil, nil, err
	}
	explained, err := LoadExplained(explainedIn)
	if err != nil {
		return nil, nil, err
	}
	fields := Compare(peer, ours, explained)
	return Unexplained(fields), Idle(fields, explained), nil
}

func compareAnswers(name string, peer, ours Answer) (fields []Field) {
	put := func(path string, verdict Verdict, want, got string) {
		fields = append(fields, Field{Answer: name, Path: path, Verdict: verdict, Peer: want, Ours: got})
	}
	putEqual := func(path string, equal bool, want, got string) {
		if equal {
			put(path, Equal, want, got)
		} else {
			put(path, Differing, want, got)
		}
	}
	putEqual("status", peer.Status == ours.Status, fmt.Sprint(peer.Status), fmt.Sprint(ours.Status))
	if peer.Status/100 != ours.Status/100 { // one has what was asked for and the other does not: there is nothing else to compare
		return fields
	}
	for _, header := range slices.Sorted(maps.Keys(peer.Headers)) {
		if got, there := ours.Headers[header]; there {
			putEqual("header "+header, got == peer.Headers[header], peer.Headers[header], got)
		} else {
			put("header "+header, Missing, peer.Headers[header], "")
		}
	}
	for _, header := range slices.Sorted(maps.Keys(ours.Headers)) {
		if _, known := peer.Headers[header]; !known {
			put("header "+header, Extra, "", ours.Headers[header])
		}
	}
	unlike := "\x00" // the last that is missing or differs: what is in it is no difference of its own
	for _, path := range peer.Body.paths() {
		want := peer.Body[path]
		got, there := ours.Body[path]
		switch {
		case there:
			putEqual(path, fits(want, got), strings.Join(want, between), strings.Join(got, between))
		case !strings.HasPrefix(path, unlike+".") && !strings.HasPrefix(path, unlike+"["):
			put(path, Missing, strings.Join(want, between), "")
		}
		if last := fields[len(fields)-1]; last.Path == path && last.Verdict != Equal {
			unlike = path
		}
	}
	for _, path := range ours.Body.paths() {
		if _, known := peer.Body[path]; !known {
			put(path, Extra, "", strings.Join(ours.Body[path], between))
		}
	}
	return fields
}

// fits: whatever we say the peer might say as well, and where it says more than null, so do we.
func fits(want, got Kinds) bool {
	for _, kind := range got {
		if !slices.ContainsFunc(want, func(w string) bool { return covers(w, kind) }) {
			return false
		}
	}
	for _, kind := range want {
		if kind != "null" && !slices.ContainsFunc(got, func(g string) bool { return covers(kind, g) }) {
			return false
		}
	}
	return true
}

// covers: a whole number is written without its point by most, and read by all that read fractions.
func covers(want, got string) bool {
	if want == got || want == "float" && got == "int" {
		return true
	}
	value, whole := strings.CutPrefix(got, "int=")
	if whole && want == "float="+value {
		return true
	}
	wantType, _, wantsValue := strings.Cut(want, "=")
	gotType, _, hasValue := strings.Cut(got, "=")
	return hasValue && !wantsValue && (wantType == gotType || wantType == "float" && gotType == "int")
}

package peertest

import (
	"fmt"
	"os"
	"strings"
)

// Explanation is a difference that is meant: which fields of which answers, and why. A '*' in a pattern stands for any text.
type Explanation struct {
	Answers, Fields string
	Why             string
}

// LoadExplained reads the explanations of a file of Markdown: the rows of its tables whose first two columns are code, `answers` and `fields`, and whose
// third says why. All else is passed over, so they may stand where people read them.
func LoadExplained(path string) (all []Explanation, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for number, line := range strings.Split(string(text), "\n") {
		columns := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(columns) < 3 {
			continue
		}
		answers, isCode := code(columns[0])
		fields, isCodeToo := code(columns[1])
		if !isCode || !isCodeToo {
			continue
		}
		why := strings.TrimSpace(strings.Join(columns[2:], "|"))
		if why == "" {
			return nil, fmt.Errorf("%s:%d: the difference is not explained", path, number+1)
		}
		all = append(all, Explanation{answers, fields, why})
	}
	return all, nil
}

func code(column string) (string, bool) {
	column = strings.TrimSpace(column)
	inside := strings.Trim(column, "`")
	return inside, inside != "" && column == "`"+inside+"`"
}

// explain names the first reason for a difference, if there is one.
func explain(f *Field, explained []Explanation) {
	if f.Verdict != Missing && f.Verdict != Differing {
		return
	}
	for _, e := range explained {
		if e.covers(*f) {
			f.Because = e.Why
			return
		}
	}
}

func (e Explanation) covers(f Field) bool { return glob(e.Answers, f.Answer) && glob(e.Fields, f.Path) }

// Idle are the explanations of nothing: the difference is gone, and so should they be.
func Idle(fields []Field, explained []Explanation) (idle []Explanation) {
	for _, e := range explained {
		used := false
		for _, f := range fields {
			used = used || (f.Verdict == Missing || f.Verdict == Differing) && e.covers(f)
		}
		if !used {
			idle = append(idle, e)
		}
	}
	return idle
}

func glob(pattern, text string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	text, begins := strings.CutPrefix(text, first)
	switch {
	case !begins:
		return false
	case !star:
		return text == ""
	}
	for at := range len(text) + 1 {
		if glob(rest, text[at:]) {
			return true
		}
	}
	return false
}

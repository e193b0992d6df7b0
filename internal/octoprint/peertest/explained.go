package peertest

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Explanation is a difference that is meant: which fields of which answers, and why. A '*' in a pattern stands for any text, but a field that
// clients read is explained by its whole name alone: see isRead. The answer itself is the field "the answer".
type Explanation struct {
	Answers, Fields string
	Why             string
}

// LoadExplained reads the explanations of a file of Markdown: the rows of its tables whose first two columns are code, `answers` and `fields`, and whose
// third says why. A column may have several, `a`, `b`: each of them is an explanation of its own. All other text is passed over, so they may stand where
// people read them.
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
		answers, fields := code(columns[0]), code(columns[1])
		if answers == nil || fields == nil {
			continue
		}
		why := strings.TrimSpace(strings.Join(columns[2:], "|"))
		if why == "" {
			return nil, fmt.Errorf("%s:%d: the difference is not explained", path, number+1)
		}
		for _, a := range answers {
			for _, f := range fields {
				all = append(all, Explanation{a, f, why})
			}
		}
	}
	return all, nil
}

// code is what a column has, when it has nothing but code with commas in between.
func code(column string) (parts []string) {
	span := regexp.MustCompile("`[^`]+`")
	if strings.Trim(span.ReplaceAllString(column, ""), ", ") != "" {
		return nil
	}
	for _, s := range span.FindAllString(column, -1) {
		parts = append(parts, strings.Trim(s, "`"))
	}
	return parts
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

func (e Explanation) covers(f Field) bool {
	return glob(e.Answers, f.Answer) && glob(e.Fields, f.name()) && (e.Fields == f.name() || !isRead(f))
}

// Idle are the explanations of nothing: the difference is gone, and so should they be. So is what another explains before.
func Idle(fields []Field, explained []Explanation) (idle []Explanation) {
	used := make(map[Explanation]bool)
	for _, f := range fields {
		for _, e := range explained {
			if (f.Verdict == Missing || f.Verdict == Differing) && e.covers(f) {
				used[e] = true
				break
			}
		}
	}
	for _, e := range explained {
		if !used[e] {
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

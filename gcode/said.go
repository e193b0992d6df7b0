package gcode

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Word is a command word of a file: "M204", "G29", "START_PRINT".
type Word struct {
	Word  string `json:"word"`
	Count int64  `json:"count"`
	Line  int64  `json:"line"` // where it comes first
}

// MaxWords bounds a survey's memory.
const MaxWords = 128

const (
	maxNumbered = 1024 // G and M below it are counted by their numbers
	maxNamed    = 48   // others
	maxWord     = 40   // bytes
)

// said counts the command words of a file.
type said struct {
	g, m  [maxNumbered]count
	named []Word
}

type count struct{ n, line int64 }

func (s *said) take(c Command, line Line) {
	switch {
	case c.Sub != 0 || c.Number >= maxNumbered:
		if c.Letter == 'G' || c.Letter == 'M' {
			s.name(wordOf(line.Text), line.Number)
		}
	case c.Letter == 'G':
		s.g[c.Number].add(line.Number)
	case c.Letter == 'M':
		s.m[c.Number].add(line.Number)
	case c.Letter == 0 && isMacro(line.Text):
		s.name(wordOf(line.Text), line.Number)
	}
}

func (c *count) add(line int64) {
	if c.n == 0 {
		c.line = line
	}
	c.n++
}

// wordOf is the word that a line begins with.
func wordOf(text []byte) []byte {
	n := 0
	for n < len(text) && n < maxWord && (isLetter(text[n]) || isDigit(text[n]) || text[n] == '_' || text[n] == '.') {
		n++
	}
	return text[:n]
}

func (s *said) name(word []byte, line int64) {
	for i := range s.named {
		if string(word) == s.named[i].Word {
			s.named[i].Count++
			return
		}
	}
	if len(s.named) < maxNamed {
		s.named = append(s.named, Word{Word: string(word), Count: 1, Line: line})
	}
}

func (s *said) finish() []Word {
	list := append([]Word{}, s.named...)
	for letter, counts := range map[string]*[maxNumbered]count{"G": &s.g, "M": &s.m} {
		for number, c := range counts {
			if c.n > 0 {
				list = append(list, Word{letter + strconv.Itoa(number), c.n, c.line})
			}
		}
	}
	slices.SortFunc(list, func(a, b Word) int { return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Word, b.Word)) })
	return list[:min(len(list), MaxWords)]
}

// MarlinKnows reports whether a command word is one of Marlin 2's (gcode.h). Which of them a certain build has depends on its options; a word that
// is none is answered with "Unknown command", and does nothing.
func MarlinKnows(word string) bool {
	if len(word) < 2 {
		return false
	}
	base, sub, dotted := strings.Cut(word[1:], ".")
	number, err := strconv.Atoi(base)
	if err != nil || number < 0 {
		return false
	}
	var ranges [][2]int
	switch word[0] {
	case 'T':
		return !dotted
	case 'G':
		if dotted {
			return number == 38 && sub >= "2" && sub <= "5" || number == 59 || number == 92
		}
		ranges = [][2]int{{0, 6}, {10, 12}, {17, 21}, {26, 35}, {38, 38}, {42, 42}, {53, 61}, {76, 76}, {80, 80}, {90, 92}, {425, 425}}
	case 'M':
		if dotted {
			return false
		}
		ranges = [][2]int{{0, 1}, {3, 5}, {7, 12}, {16, 18}, {20, 34}, {42, 43}, {48, 48}, {73, 73}, {75, 78}, {80, 85}, {92, 92}, {100, 100}, {102, 102}, {104, 115},
			{117, 123}, {125, 129}, {140, 141}, {143, 143}, {145, 145}, {149, 150}, {154, 155}, {163, 166}, {190, 193}, {200, 209}, {211, 211}, {217, 218}, {220, 221},
			{226, 226}, {240, 240}, {250, 250}, {255, 256}, {260, 261}, {280, 282}, {290, 290}, {300, 306}, {309, 309}, {350, 351}, {355, 355}, {360, 364}, {380, 381},
			{400, 407}, {410, 410}, {412, 414}, {420, 423}, {425, 425}, {428, 428}, {430, 430}, {485, 486}, {493, 493}, {500, 504}, {510, 512}, {524, 524}, {540, 540},
			{552, 554}, {569, 569}, {575, 575}, {592, 593}, {600, 600}, {603, 603}, {605, 605}, {665, 666}, {672, 672}, {701, 709}, {808, 808}, {810, 819}, {851, 852},
			{860, 869}, {871, 871}, {876, 876}, {900, 900}, {906, 919}, {928, 928}, {936, 936}, {951, 951}, {993, 995}, {997, 997}, {999, 999}, {3426, 3426}, {7219, 7219}}
	}
	return slices.ContainsFunc(ranges, func(r [2]int) bool { return number >= r[0] && number <= r[1] })
}

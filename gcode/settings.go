package gcode

import (
	"errors"
	"fmt"
	"strings"
)

// Setting is one line of what a firmware says of its settings (M503).
type Setting struct {
	Text    string // the command as it can be sent ("M92 X80.00 Y80.00"), or the firmware's words
	Command string // "M92"; "" when the line is words
	Words   []SettingWord
	Note    string // the words before it that belong to it ("Maximum feedrates - stealth (mm/s)"); "" for none
	// Changeable: CheckSetting takes it. False for lines such as Prusa's second M203, which shows the limits of a mode that cannot be set alone.
	Changeable bool
}

// SettingWord is a letter and its number.
type SettingWord struct {
	Letter byte
	Value  float64
}

const (
	maxSettings    = 1000
	maxSettingText = 90 // bytes that any firmware takes as one line, with number and checksum
)

// ParseSettings reads the answer to M503, with or without "echo:". Comments behind a command are left out.
//
//	echo:; Steps per unit:                    Marlin 2 (gcode.cpp, report_heading)
//	echo: M92 X80.00 Y80.00 Z400.00 E500.00
//	echo:Steps per unit:                      Marlin 1, Prusa (ConfigurationStore.cpp, Config_PrintSettings)
//	echo:  M92 X80.00 Y80.00 Z400.00 E500.00
func ParseSettings(lines []string) (all []Setting) {
	note := ""
	for _, line := range lines {
		if len(all) == maxSettings {
			break
		}
		line = strings.TrimSpace(line)
		if len(line) >= 5 && strings.EqualFold(line[:5], "echo:") {
			line = strings.TrimSpace(line[5:])
		}
		text, _, _ := strings.Cut(line, ";")
		text = strings.TrimSpace(text)
		c := ParseCommand([]byte(text))
		switch {
		case line == "":
			continue
		case text == "": // "; Steps per unit:"
			note = strings.TrimSpace(strings.TrimLeft(line, "; "))
			continue
		case c.Letter != 'G' && c.Letter != 'M':
			note = line
			all = append(all, Setting{Text: line})
			continue
		}
		s := Setting{Text: text, Command: fmt.Sprintf("%c%d", c.Letter, c.Number), Words: settingWords(c.Args), Note: note}
		_, err := CheckSetting(text)
		s.Changeable = err == nil && !strings.Contains(strings.ToLower(note), "stealth")
		all = append(all, s)
	}
	return withoutHeadings(all)
}

// withoutHeadings leaves out words that stand as the note of the command behind them.
func withoutHeadings(all []Setting) (kept []Setting) {
	for i, s := range all {
		if s.Command == "" && i+1 < len(all) && all[i+1].Command != "" && all[i+1].Note == s.Text {
			continue
		}
		kept = append(kept, s)
	}
	return kept
}

func settingWords(args []byte) (words []SettingWord) {
	for i := 0; i < len(args); {
		var w word
		if w, i = nextWord(args, i); w.letter != 0 && w.valued {
			words = append(words, SettingWord{w.letter, w.value})
		}
	}
	return words
}

// bounds are what a setting may be set to.
type bounds struct{ low, high float64 }

// settingBounds are the settings that can be changed, by command and letter. What is beyond the bounds is a slip of the finger on any machine.
var settingBounds = map[string]map[byte]bounds{
	"M92":  axes(bounds{0.1, 100000}),
	"M201": axes(bounds{1, 1e6}),
	"M203": axes(bounds{0.01, 30000}), // RepRapFirmware counts in mm/min
	"M204": {'P': {1, 1e6}, 'R': {1, 1e6}, 'T': {1, 1e6}, 'S': {1, 1e6}},
	"M205": {'X': {0, 1000}, 'Y': {0, 1000}, 'Z': {0, 1000}, 'E': {0, 1000}, 'J': {0, 10}, 'B': {0, 1e6}, 'Q': {0, 1e6}, 'S': {0, 1000}, 'T': {0, 1000}},
	"M206": {'X': {-500, 500}, 'Y': {-500, 500}, 'Z': {-500, 500}},
	"M207": {'S': {0, 100}, 'W': {0, 100}, 'F': {1, 60000}, 'Z': {0, 20}},
	"M208": {'S': {-100, 100}, 'W': {-100, 100}, 'F': {1, 60000}, 'R': {1, 60000}},
	"M209": {'S': {0, 1}},
	"M145": {'S': {0, 20}, 'H': {0, 500}, 'B': {0, 200}, 'C': {0, 150}, 'F': {0, 255}},
	"M301": {'E': {0, 15}, 'P': {0, 10000}, 'I': {0, 10000}, 'D': {0, 100000}, 'C': {0, 10000}, 'L': {0, 10000}, 'F': {0, 10000}},
	"M304": {'P': {0, 10000}, 'I': {0, 10000}, 'D': {0, 100000}},
	"M666": {'X': {-20, 20}, 'Y': {-20, 20}, 'Z': {-20, 20}},
	"M851": {'X': {-300, 300}, 'Y': {-300, 300}, 'Z': {-30, 30}},
	"M900": {'T': {0, 15}, 'K': {0, 10}, 'L': {0, 10}, 'S': {0, 1}},
}

func axes(b bounds) map[byte]bounds {
	return map[byte]bounds{'X': b, 'Y': b, 'Z': b, 'E': b, 'T': {0, 15}}
}

// ErrSetting: a line is no setting that can be changed, or out of bounds. Wrapped with what is wrong.
var ErrSetting = errors.New("not a setting that can be changed")

// CheckSetting returns a line as it may be sent: one of the known setting commands, with at least one number, each within bounds, each letter once,
// and nothing else.
func CheckSetting(text string) (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", fmt.Errorf("%w: %s", ErrSetting, fmt.Sprintf(format, args...))
	}
	fields := strings.Fields(text)
	if len(fields) < 2 || len(text) > maxSettingText {
		return refuse("a command and its numbers are needed, in at most %d bytes", maxSettingText)
	}
	command := strings.ToUpper(fields[0])
	allowed, ok := settingBounds[command]
	if !ok {
		return refuse("%.20q is not one of them", command)
	}
	seen := map[byte]bool{}
	out := command
	for _, field := range fields[1:] {
		letter := upper(field[0])
		limit, ok := allowed[letter]
		v, n, finite := parseNumber(field[1:])
		switch {
		case !ok:
			return refuse("%s has no %.10q", command, field)
		case n == 0 || n != len(field)-1 || !finite:
			return refuse("%.20q is no letter with a number", field)
		case seen[letter]:
			return refuse("%c comes twice", letter)
		case v < limit.low || v > limit.high:
			return refuse("%c must be between %g and %g", letter, limit.low, limit.high)
		}
		seen[letter] = true
		out += " " + string(letter) + field[1:]
	}
	return out, nil
}

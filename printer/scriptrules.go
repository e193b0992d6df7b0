package printer

import (
	"bytes"
	"fmt"
	"layerd/gcode"
	"math"
	"slices"
	"strings"
)

// What a script may do, by its event. Nobody may be there when it runs, so the rules are those of a careful person who is away: besides them each line
// must be one that could be typed (plainLine).

const (
	maxDwellS = 10  // of a G4 or an M300: Stop waits for it
	minFeed   = 60  // mm/min, for the same reason
	maxPushMM = 200 // of filament, as by hand
)

// never lists what no script may do, and why. Numbers are those of M commands.
var never = map[int]string{
	0: waits, 1: waits, 25: waits, 125: waits, 226: waits, 600: waits, 601: waits, 108: "answers for a person", 876: "answers for a person",
	16: "may stop the firmware", 112: "is the emergency stop", 410: "would stop the moves under way", 999: "would break the line count", 997: "replaces the firmware", 502: "throws the settings away",
	306: "heats by itself", 568: "sets how hot a tool is, in a way that layerd does not know", 701: waits, 702: waits,
	110: "would break the line count that layerd keeps", 575: "changes the speed of the connection", 302: "takes the extruder's protection away", 303: "heats by itself",
	21: onCard, 22: onCard, 23: onCard, 24: onCard, 26: onCard, 28: onCard, 29: onCard, 30: onCard, 32: onCard, 33: onCard, 928: onCard,
	98: macro, 810: macro, 811: macro, 812: macro, 813: macro, 814: macro, 815: macro, 816: macro, 817: macro, 818: macro, 819: macro,
}

const (
	waits  = "waits for a person, and the script would stand still"
	onCard = "is about files on the printer's own card"
	macro  = "is a macro, and what it does cannot be checked"
)

// What each kind of script may say.
var (
	modesG  = []int{4, 20, 21, 90, 91}
	movesG  = []int{0, 1, 2, 3}
	signals = []int{42, 117, 118, 150, 300, 355} // lights, sounds and words
	coolM   = []int{104, 107, 140, 141}
	// still is what moves and heats nothing: settings and questions.
	still = []int{73, 82, 83, 92, 105, 106, 111, 114, 115, 119, 145, 149, 154, 155, 200, 201, 203, 204, 205, 207, 208, 209, 217, 218, 220, 221, 240, 250, 301, 304, 350, 404,
		412, 413, 420, 501, 503, 569, 592, 593, 851, 900, 906, 907, 911, 912, 913, 914}
	// pauseM is what Resume brings back, or what it need not.
	pauseM = []int{73, 82, 83, 105, 106, 107, 114, 115, 119, 155, 240, 400}
)

// allowed says why a line must not stand in the script of an event; nil when it may.
func allowed(e Event, c gcode.Command, p Profile) error {
	refuse := func(why string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrBadCommand, fmt.Sprintf(why, args...))
	}
	name := fmt.Sprintf("%c%d", c.Letter, c.Number)
	switch c.Letter {
	case 'G', 'M', 'T':
	default:
		return refuse("only G, M and T commands can be checked, so only they may stand in a script")
	}
	if why, bad := never[c.Number]; bad && c.Letter == 'M' {
		return refuse("%s %s", name, why)
	}
	if !(c.Letter == 'M' && spoken(c.Number)) && (c.Repeats() || bytes.IndexByte(c.Args, '"') >= 0) {
		return refuse("a letter twice in %s, or one in quotes, means one thing to one firmware and another to the next", name)
	}
	if err := allowedWords(c, name, refuse); err != nil {
		return err
	}
	switch e {
	case OnConnected:
		if !isOne(c, 'G', modesG) && !isOne(c, 'M', still, signals, coolM) || warms(c) {
			return refuse("%s could move or heat, and nobody may be there when the printer connects", name)
		}
	case OnFailed:
		if !isOne(c, 'M', signals, coolM) && !c.Is('M', 106) || warms(c) || c.Is('M', 106) && !zero(c, 'S') {
			return refuse("after a fault only heaters and fans off, lights, sounds and M117 are sent, and not %s", name)
		}
	case OnPaused, OnResumed:
		if !isOne(c, 'G', modesG, movesG) && !isOne(c, 'M', pauseM, signals, coolM) {
			return refuse("in a pause %s would change what Resume cannot bring back", name)
		}
		if e == OnResumed && isOne(c, 'M', []int{104, 140, 141}) {
			return refuse("Resume has just brought the temperatures of the print back, and %s would change them", name)
		}
	case OnCancelled, OnDone:
		return allowedAtEnd(c, name, p, refuse)
	}
	return nil
}

// allowedAtEnd is for when the print is over, and stands on the bed.
func allowedAtEnd(c gcode.Command, name string, p Profile, refuse func(string, ...any) error) error {
	switch {
	case warms(c) || isOne(c, 'M', []int{109, 116, 190, 191}):
		return refuse("when a print is over nothing is heated, and nobody waits for heat: %s", name)
	case c.Is('G', 28) && p.Kinematics != "delta" && (c.Has('Z') || !c.Has('X') && !c.Has('Y')):
		return refuse("homing Z would press the nozzle into the print: home X and Y only")
	case c.Letter == 'T', c.Letter == 'G' && !isOne(c, 'G', modesG, movesG, []int{10, 11, 27, 28, 92}):
		return refuse("%s could run into the print that stands on the bed", name)
	case c.Letter == 'M' && (!staysPut(c.Number) || c.Number == 290) && !isOne(c, 'M', pauseM, signals):
		return refuse("%s is not known to leave the head where it is, and the print stands on the bed", name)
	}
	return nil
}

// allowedWords refuses what a command's parameters make of it, in any script.
func allowedWords(c gcode.Command, name string, refuse func(string, ...any) error) error {
	switch {
	case c.Is('G', 92) && (c.Has('X') || c.Has('Y') || c.Has('Z') || len(c.Args) == 0):
		return refuse("G92 may set E only: layerd would no longer know where the head is")
	case c.Is('G', 10) && len(c.Args) > 0: // RepRapFirmware's tool temperatures; Marlin's long retraction
		return refuse("only a plain G10 is possible: with parameters some firmware heats")
	case c.Is('G', 76):
		return refuse("G76 heats by itself")
	case isOne(c, 'G', movesG):
		if f, ok := c.Float('F'); ok && f < minFeed {
			return refuse("a feed of less than %d mm/min could take for ever, and Stop waits for it", minFeed)
		}
		if e, ok := c.Float('E'); ok && math.Abs(e) > maxPushMM {
			return refuse("at most %d mm of filament are moved at once", maxPushMM)
		}
	case c.Is('G', 4), c.Is('M', 300):
		s, _ := c.Float('S')
		ms, _ := c.Float('P')
		if c.Is('M', 300) {
			s = 0 // its pitch
		}
		if s > maxDwellS || ms > maxDwellS*1000 {
			return refuse("%s may last %d s at most: Stop waits for it", name, maxDwellS)
		}
	case c.Is('M', 42) && c.Has('I'):
		return refuse("M42 I may switch a heater's pin")
	case c.Is('M', 118) && strings.Contains(strings.ToLower(string(c.Args)), "action"):
		return refuse("M118 would have the printer tell layerd what to do")
	case heatsUp(c): // Marlin knows more words there, such as I for a material and F for autotemp (M104_M109.cpp)
		for _, letter := range []byte("ABCDEFGIJKLMNOQUVWXYZ") {
			if c.Has(letter) {
				return refuse("%s %c is not known to layerd, which cannot tell how hot it makes it", name, letter)
			}
		}
	}
	return nil
}

// isOne reports whether a command is one of those.
func isOne(c gcode.Command, letter byte, numbers ...[]int) bool {
	if c.Letter != letter {
		return false
	}
	for _, some := range numbers {
		if slices.Contains(some, c.Number) {
			return true
		}
	}
	return false
}

// heatsUp reports whether a command sets a heater's target.
func heatsUp(c gcode.Command) bool { return isOne(c, 'M', []int{104, 109, 140, 141, 190, 191}) }

// warms reports whether a command sets a target above nothing, or one that cannot be told.
func warms(c gcode.Command) bool {
	return heatsUp(c) && !(zero(c, 'S') && !c.Has('R') || zero(c, 'R') && !c.Has('S'))
}

func zero(c gcode.Command, letter byte) bool {
	v, ok := c.Float(letter)
	return ok && v == 0
}

// travels reports whether a command moves the head to a place, for which somebody must know where it is. Homing makes it known.
func travels(c gcode.Command) bool {
	switch {
	case c.Letter == 'T':
		return true
	case isOne(c, 'G', []int{0, 1}):
		return c.Has('X') || c.Has('Y') || c.Has('Z')
	}
	return c.Letter == 'G' && !isOne(c, 'G', modesG, []int{10, 11, 28, 92})
}

package printer

import (
	"strings"
	"time"
)

// dialect is what the conversation does differently with one family of firmware. It is data: nothing else in the package
// asks for a firmware by name. docs/FIRMWARE.md says where each fact comes from.
type dialect struct {
	name     string
	names    []string      // lower-case parts of FIRMWARE_NAME that give it away
	numbered bool          // lines are numbered and checksummed, and it checks them
	maxLine  int           // longest line that it can take, with number and checksum, in bytes; 0 = no limit that matters
	temps    bool          // its ok to M105 carries the temperatures
	g90SetsE bool          // G90 and G91 set the mode of E too
	several  bool          // it is known to bear several lines in flight: a receive ring of ringBytes, and a queue behind it
	single   bool          // one line at a time whatever it says: it does not notice a missing line, or its oks name the last line that came
	early    bool          // its ok says that a line was received, and answers come behind it
	fatal    bool          // any "!!" error ends what it was doing
	why      string        // what asks it why it has stopped, where it does not say so by itself
	quiet    bool          // its Resend comes without an ok
	ahead    time.Duration // motion that it plans ahead at least, in however many lines
	restart  string        // what brings it back after it has stopped, without a reset line
	protects bool          // it watches its heaters by itself, whatever M115 says or does not say
	changes  bool          // it changes filament by M600, leading the person through it, or says that it does not know M600
	goOn     string        // what makes it go on after a pause of its own that holds up no line
	forget   string        // what makes it forget such a pause
	cardAsk  string        // what asks it how far a print from its own card is; "" = it is not asked
	cardFile string        // what asks it which file of the card is open: none, when no print stands still
	cardStop string        // what ends such a print, if it knows that
	buttons  bool          // a button of its prompts carries the command that it means ("Label|COMMAND|colour"); others are answered by number
	homeFlat string        // what keeps G28 from raising Z
	tunes    tunes
}

// Marlin cuts a line after 95 characters (MAX_CMD_SIZE 96), and with it the checksum, so a longer numbered line can never succeed.
const marlinLine = 95

var (
	marlin = dialect{name: "marlin", names: []string{"marlin"}, numbered: true, maxLine: marlinLine, temps: true, g90SetsE: true, several: true, changes: true,
		tunes: marlinTunes, homeFlat: " R0", cardAsk: "M27", cardFile: "M27 C", cardStop: "M524"}
	dialects = []dialect{
		{name: "prusa", names: []string{"prusa-firmware", "prusa"}, protects: true, numbered: true, maxLine: marlinLine, temps: true, several: true, changes: true, goOn: "M602",
			// M27 alone is answered with the long name, on a line of its own, and that may be any word of the conversation ("ok.gcode"); with P it is
			// a path, which begins with "/" (cardreader.cpp, getStatus).
			tunes: prusaTunes, cardAsk: "M27 P", cardStop: "M603"},
		{name: "klipper", names: []string{"klipper"}, protects: true, temps: true, several: true, fatal: true, why: "STATUS", ahead: 2 * time.Second, restart: "FIRMWARE_RESTART", changes: true,
			goOn: "RESUME", forget: "CLEAR_PAUSE", buttons: true, tunes: klipperTunes},
		{name: "repetier", names: []string{"repetier", "anet_a8"}, numbered: true, maxLine: marlinLine, single: true, early: true, tunes: repetierTunes},
		{name: "reprapfirmware", names: []string{"reprapfirmware", "duet"}, protects: true, numbered: true, maxLine: 200, temps: true, single: true, quiet: true, restart: "M999", tunes: repRapTunes},
		{name: "smoothie", names: []string{"smoothie"}, numbered: true, maxLine: marlinLine, temps: true, g90SetsE: true, single: true, quiet: true, restart: "M999", tunes: smoothieTunes},
		{name: "teacup", names: []string{"teacup"}, numbered: true, maxLine: marlinLine, temps: true, single: true, quiet: true},
		{name: "malyan", names: []string{"malyan"}, numbered: true, maxLine: marlinLine, g90SetsE: true, single: true},
		marlin,
	}
	// unknown is assumed until M115 is answered, and of firmware that nobody knows: Marlin's rules and nobody's virtues.
	unknown = dialect{name: "unknown", numbered: true, maxLine: marlinLine, g90SetsE: true}
)

// dialectOf finds the dialect by the FIRMWARE_NAME that M115 answered.
func dialectOf(firmware string) dialect {
	lower := strings.ToLower(firmware)
	for _, d := range dialects {
		for _, name := range d.names {
			if strings.Contains(lower, name) {
				return d
			}
		}
	}
	return unknown
}

// MaxCommand is the longest command, in bytes without number and checksum, that the named dialect (Connection.Dialect) can take;
// 0 means that there is no limit that matters.
func MaxCommand(name string) int {
	if name == unknown.name {
		return unknown.room()
	}
	for i := range dialects {
		if dialects[i].name == name {
			return dialects[i].room()
		}
	}
	return 0
}

func (d *dialect) room() int {
	if d.maxLine == 0 {
		return 0
	}
	return d.maxLine - len("N10000000 ") - len("*255")
}

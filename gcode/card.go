package gcode

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// What firmware says of its own memory card flows through here: a line about a print from it is a CardWord (ParseCardWord), and the lines of a
// listing are CardFiles (ParseCardList). All of it, file names above all, was written by strangers.

// CardFile is a file on a printer's memory card.
type CardFile struct {
	Path  string // as the firmware lists it: DOS names in capitals, folders with "/"
	Name  string // for people: the long name where the firmware tells it, else Path without its first "/"
	Bytes int64  // -1 unknown
	Stamp uint32 // DOS date and time of its last change; 0 unknown
}

// Bounds of a listing. What is beyond is left out.
const (
	maxCardFiles = 1000
	maxCardName  = 200 // bytes
)

// Changed is when the file was changed, by the clock of loc: DOS knows no time zones. It is zero when the card does not say, or says nonsense.
func (f CardFile) Changed(loc *time.Location) time.Time {
	date, clock := int(f.Stamp>>16), int(f.Stamp&0xffff)
	year, month, day := 1980+date>>9, date>>5&15, date&31
	hour, minute, second := clock>>11, clock>>5&63, clock&31*2
	if month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, loc)
}

// ParseCardList reads the answer to M20. ok is false when there was no listing in it. Lines that are none of a listing's are passed over.
//
//	BENCHY~1.GCO 1234                                   Marlin, plain
//	/TOYS/CUBE.GCO 99 0x58a1b2c3 Toys/Cube 20.gcode     Marlin 2.1, M20 L T
//	DIR_ENTER: /TOYS/ "Toys"                            Prusa, M20 L T, before what is in a folder,
//	/TOYS/CUBE.GCO 99 0x58a1b2c3 "Cube 20.gcode"        and DIR_EXIT behind it
func ParseCardList(lines []string) (files []CardFile, ok bool) {
	inside, folders := false, []string(nil)
	for _, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "Begin file list":
			inside, ok = true, true
			continue
		case line == "End file list":
			return files, ok
		case !inside, line == "":
			continue
		case line == "DIR_EXIT":
			folders = folders[:max(0, len(folders)-1)]
			continue
		}
		if rest, enter := strings.CutPrefix(line, "DIR_ENTER: "); enter {
			_, long, _ := strings.Cut(rest, " ")
			if len(folders) < 20 {
				folders = append(folders, strings.Trim(long, `"`))
			}
			continue
		}
		f, is := parseCardFile(line)
		if !is || len(files) == maxCardFiles {
			continue
		}
		if f.Name == "" {
			f.Name = strings.TrimPrefix(f.Path, "/")
		} else if len(folders) > 0 {
			f.Name = strings.Join(append(folders[:len(folders):len(folders)], f.Name), "/")
		}
		f.Path, f.Name = cutText(f.Path), cutText(strings.TrimPrefix(f.Name, "/"))
		files = append(files, f)
	}
	return files, ok
}

// parseCardFile reads a file's line: its path, its size, and perhaps a date in hexadecimal and the long name, with or without quotes. Older Prusa
// firmware says the long name before the size; others list long names with spaces, and nothing but the size behind them.
func parseCardFile(line string) (f CardFile, ok bool) {
	path, rest, _ := strings.Cut(line, " ")
	f = CardFile{Path: path, Bytes: -1}
	rest = strings.TrimSpace(rest)
	if long, after, quoted := quotedFirst(rest); quoted {
		f.Name, rest = long, after
	}
	word, more, _ := strings.Cut(rest, " ")
	size, err := strconv.ParseInt(word, 10, 64)
	if rest != "" && (err != nil || size < 0) {
		i := strings.LastIndexByte(line, ' ')
		if size, err = strconv.ParseInt(line[i+1:], 10, 64); err != nil || size < 0 {
			return f, false
		}
		f.Path, f.Bytes = strings.TrimSpace(line[:i]), size
		return f, true
	}
	if rest != "" {
		f.Bytes = size
	}
	more = strings.TrimSpace(more)
	if hex, after, _ := strings.Cut(more, " "); strings.HasPrefix(hex, "0x") {
		if stamp, err := strconv.ParseUint(hex[2:], 16, 32); err == nil {
			f.Stamp, more = uint32(stamp), strings.TrimSpace(after)
		}
	}
	if long, _, quoted := quotedFirst(more); quoted {
		f.Name = long
	} else if more != "" {
		f.Name = more
	}
	return f, true
}

func quotedFirst(text string) (inside, after string, ok bool) {
	if !strings.HasPrefix(text, `"`) {
		return "", text, false
	}
	end := strings.LastIndexByte(text, '"')
	if end == 0 {
		return "", text, false
	}
	return text[1:end], strings.TrimSpace(text[end+1:]), true
}

func cutText(text string) string {
	if len(text) > maxCardName {
		return strings.ToValidUTF8(text[:maxCardName], "")
	}
	return text
}

// CardPathFits reports whether a path can stand in a line such as M23 without meaning anything else there: no spaces, quotes, comments or
// checksums.
func CardPathFits(path string) bool {
	if path == "" || len(path) > 70 || strings.Contains(path, "//") || strings.Contains(path, "..") {
		return false
	}
	for _, c := range []byte(path) {
		if !(c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || isDigit(c) || strings.IndexByte("_-~.+/#&@!", c) >= 0) {
			return false
		}
	}
	return path[0] != '@' && path[len(path)-1] != '/'
}

// CardWordKind is what a line about the card means.
type CardWordKind uint8

const (
	CardNothing  CardWordKind = iota
	CardPrinting              // "SD printing byte 12/345": At and Bytes
	CardStill                 // "Not SD printing": nothing is printed, or what is printed stands still
	CardPaused                // "SD print paused" (Prusa)
	CardOpened                // "File opened: X.GCO Size: 345": Path and Bytes
	CardRefused               // "open failed, File: X.GCO."
	CardCurrent               // "Current file: X.GCO Long name": Path and Name; both empty for "(no file)"
	CardDone                  // "Done printing file"
	CardIn                    // "SD card ok"
	CardOut                   // "No media", "SD init fail", "SD card released", …
)

// CardWord is a line about the card. What it says of names is bounded; they are a stranger's.
type CardWord struct {
	Kind  CardWordKind
	Path  string
	Name  string
	At    int64
	Bytes int64
}

// ParseCardWord says what a line means for a print from the card. (Marlin's core/language.h and sd/cardreader.cpp, Prusa's cardreader.cpp.)
func ParseCardWord(text []byte) CardWord {
	s := text
	if hasPrefixFold(s, "echo:") {
		s = bytes.TrimLeft(s[len("echo:"):], " ")
	}
	after := func(prefix string) (string, bool) {
		if !hasPrefix(s, prefix) {
			return "", false
		}
		return strings.TrimSpace(string(s[len(prefix):])), true
	}
	if rest, ok := after("SD printing byte"); ok {
		at, of, _ := strings.Cut(rest, "/")
		a, errA := strconv.ParseInt(at, 10, 64)
		b, errB := strconv.ParseInt(of, 10, 64)
		if errA != nil || errB != nil || a < 0 || b < 0 {
			return CardWord{}
		}
		return CardWord{Kind: CardPrinting, At: a, Bytes: b}
	}
	if rest, ok := after("File opened:"); ok {
		w := CardWord{Kind: CardOpened, Path: rest, Bytes: -1}
		if i := strings.LastIndex(rest, "Size:"); i >= 0 {
			w.Path = strings.TrimSpace(rest[:i])
			if n, err := strconv.ParseInt(strings.TrimSpace(rest[i+len("Size:"):]), 10, 64); err == nil && n >= 0 {
				w.Bytes = n
			}
		}
		w.Path = cutText(w.Path)
		return w
	}
	if rest, ok := after("Current file:"); ok {
		path, name, _ := strings.Cut(rest, " ")
		if strings.HasPrefix(rest, "(no file)") {
			path, name = "", ""
		}
		return CardWord{Kind: CardCurrent, Path: cutText(path), Name: cutText(name)}
	}
	if rest, ok := after("open failed, File:"); ok {
		return CardWord{Kind: CardRefused, Path: cutText(strings.TrimSuffix(rest, "."))}
	}
	for _, w := range cardWords {
		if hasPrefix(s, w.text) {
			return CardWord{Kind: w.kind}
		}
	}
	return CardWord{}
}

var cardWords = []struct {
	text string
	kind CardWordKind
}{
	{"Not SD printing", CardStill}, {"SD print paused", CardPaused}, {"Done printing file", CardDone}, {"SD card ok", CardIn},
	{"No media", CardOut}, {"No SD card", CardOut}, {"SD init fail", CardOut}, {"SD card released", CardOut}, {"volume.init failed", CardOut},
	{"openRoot failed", CardOut},
}

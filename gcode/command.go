package gcode

// Command is a command word with its parameters, for those who need to know what a line does. It shares the line's memory.
type Command struct {
	Letter byte // 'G', 'M', 'T', … upper case; 0 when the line is not a command of that form
	Number int  // 28 of G28
	Sub    int  // 1 of G29.1; 0 when absent
	Args   []byte
}

// maxCommandDigits bounds the number of a command word, so that it fits an int everywhere.
const maxCommandDigits = 9

// ParseCommand splits text (no comment, no line number) into the command word and its arguments. It does not allocate.
// A line of another form (a Klipper macro, "@pause") gives Letter 0 and the whole line as Args. Lower case is understood,
// though Marlin itself does not ("m105" is an unknown command to it).
func ParseCommand(text []byte) Command {
	i := 0
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	text = text[i:]
	other := Command{Args: text}
	if len(text) < 2 || !isLetter(text[0]) {
		return other
	}
	letter := upper(text[0])
	i = 1
	// Marlin skips spaces between the letter and its number (parser.cpp, GCodeParser::parse).
	if letter == 'G' || letter == 'M' || letter == 'T' {
		for i < len(text) && text[i] == ' ' {
			i++
		}
	}
	number, n := shortInt(text[i:])
	if n == 0 {
		return other
	}
	i += n
	sub := 0
	if i < len(text) && text[i] == '.' {
		i++
		sub, n = shortInt(text[i:])
		i += n
	}
	// What follows must be the end, a space or a parameter: "M600X" is M600 to Marlin, "T0_OFFSET" is a macro.
	if i < len(text) {
		if c := text[i]; !isSpace(c) && !isLetter(c) && c != '"' && c != '*' {
			return other
		}
	}
	for i < len(text) && isSpace(text[i]) {
		i++
	}
	return Command{Letter: letter, Number: number, Sub: sub, Args: text[i:]}
}

// shortInt reads up to maxCommandDigits digits; n is 0 when there is none or there are more.
func shortInt(b []byte) (v, n int) {
	for n < len(b) && isDigit(b[n]) {
		if n == maxCommandDigits {
			return 0, 0
		}
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// Is reports whether the command is letter+number, whatever the Sub.
func (c Command) Is(letter byte, number int) bool { return c.Letter == letter && c.Number == number }

// Float returns the value of a parameter ("X12.5", "S 200", "E-.8") by its upper-case letter. ok is false when it is absent or has
// no finite number. It does not allocate. What stands in double quotes is no parameter.
func (c Command) Float(letter byte) (v float64, ok bool) {
	for i := 0; i < len(c.Args); {
		var w word
		w, i = nextWord(c.Args, i)
		if w.letter == letter {
			return w.value, w.valued
		}
	}
	return 0, false
}

// Has reports whether a parameter letter is present, with or without a value (the X of "G28 X").
func (c Command) Has(letter byte) bool {
	for i := 0; i < len(c.Args); {
		var w word
		w, i = nextWord(c.Args, i)
		if w.letter == letter {
			return true
		}
	}
	return false
}

// Repeats reports whether a parameter letter comes twice: which of them counts depends on the firmware.
func (c Command) Repeats() bool {
	seen := uint32(0)
	for i := 0; i < len(c.Args); {
		var w word
		if w, i = nextWord(c.Args, i); w.letter == 0 {
			return false
		}
		bit := uint32(1) << (w.letter - 'A')
		if seen&bit != 0 {
			return true
		}
		seen |= bit
	}
	return false
}

// word is one parameter: a letter, upper case, with or without a finite value. Letter 0 is the end.
type word struct {
	letter byte
	valued bool
	value  float64
}

// nextWord reads the first parameter at or after args[i] and returns where to go on.
func nextWord(args []byte, i int) (word, int) {
	for i < len(args) && !isLetter(args[i]) {
		if args[i] == '"' {
			i = skipQuoted(args, i)
			continue
		}
		i++
	}
	if i == len(args) {
		return word{}, i
	}
	w := word{letter: args[i] &^ 0x20}
	i++
	j := i
	for j < len(args) && isSpace(args[j]) {
		j++
	}
	v, n, ok := parseNumber(args[j:])
	if n == 0 {
		return w, i
	}
	if ok {
		w.value, w.valued = v, true
	}
	return w, j + n
}

// skipQuoted returns the place behind the string that opens at args[i], or behind the quote when it never closes.
func skipQuoted(args []byte, i int) int {
	for j := i + 1; j < len(args); j++ {
		if args[j] == '"' {
			return j + 1
		}
	}
	return i + 1
}

// words are all parameters of a line, read in one pass. Of a letter that comes twice the first one counts, as in Float.
type words struct {
	seen   uint32 // bit per letter: present
	valued uint32 // bit per letter: present with a finite value
	value  [26]float64
}

func (w *words) read(args []byte) {
	w.seen, w.valued = 0, 0
	for i := 0; i < len(args); {
		if args[i] == ' ' {
			i++
			continue
		}
		var one word
		one, i = nextWord(args, i)
		if one.letter == 0 {
			return
		}
		k := one.letter - 'A'
		if bit := uint32(1) << k; w.seen&bit == 0 {
			w.seen |= bit
			if one.valued {
				w.valued |= bit
				w.value[k] = one.value
			}
		}
	}
}

func (w *words) has(letter byte) bool { return w.seen>>(letter-'A')&1 != 0 }

func (w *words) get(letter byte) (float64, bool) {
	if w.valued>>(letter-'A')&1 == 0 {
		return 0, false
	}
	return w.value[letter-'A'], true
}

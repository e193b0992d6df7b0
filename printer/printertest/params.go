package printertest

// params are the lettered parameters of a command, as firmware reads them: upper-case letters, each with or without a number.
type params struct {
	seen, valued uint32
	value        [26]float64
}

// limit bounds every number that a line can carry, so that no arithmetic on them can overflow.
const limit = 1e9

func (p *params) has(letter byte) bool { return p.seen&(1<<(letter-'A')) != 0 }

func (p *params) float(letter byte) (float64, bool) {
	if p.valued&(1<<(letter-'A')) == 0 {
		return 0, false
	}
	return p.value[letter-'A'], true
}

// or is the parameter's value, or d when it has none.
func (p *params) or(letter byte, d float64) float64 {
	if v, ok := p.float(letter); ok {
		return v
	}
	return d
}

// parse reads args into p.
func (p *params) parse(args []byte) {
	p.seen, p.valued = 0, 0
	for i := 0; i < len(args); {
		c := args[i]
		i++
		if c == '"' {
			for i < len(args) && args[i] != '"' {
				i++
			}
			i++
			continue
		}
		if c < 'A' || c > 'Z' {
			continue
		}
		bit := uint32(1) << (c - 'A')
		p.seen |= bit
		for i < len(args) && args[i] == ' ' {
			i++
		}
		v, n := number(args[i:])
		if n == 0 {
			p.valued &^= bit
			continue
		}
		i += n
		p.valued |= bit
		p.value[c-'A'] = max(-limit, min(limit, v))
	}
}

// pow10 are the divisors of number.
var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// number reads a decimal number without an exponent at the start of s, and how many bytes it took; 0 when there is none.
func number(s []byte) (v float64, n int) {
	neg := false
	if n < len(s) && (s[n] == '-' || s[n] == '+') {
		neg = s[n] == '-'
		n++
	}
	var mantissa uint64
	digits, decimals, point := 0, 0, false
	for ; n < len(s); n++ {
		c := s[n]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		digits++
		if mantissa >= 1e17 || decimals == len(pow10)-1 { // more digits than a number can use
			if !point {
				decimals--
			}
			continue
		}
		mantissa = mantissa*10 + uint64(c-'0')
		if point {
			decimals++
		}
	}
	if digits == 0 {
		return 0, 0
	}
	v = float64(mantissa)
	switch {
	case decimals > 0:
		v /= pow10[decimals]
	case decimals < 0:
		v = 2 * limit
	}
	if neg {
		v = -v
	}
	return v, n
}

// integer reads a whole number as C's strtol does: after spaces, 0 when there is none.
func integer(s []byte) int64 {
	i, neg := 0, false
	for i < len(s) && (s[i] == ' ' || s[i] == '\t') {
		i++
	}
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		neg = s[i] == '-'
		i++
	}
	var v int64
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		if v < 1<<31 { // firmware has 32 bits; beyond that any value will do
			v = v*10 + int64(s[i]-'0')
		}
	}
	if neg {
		return -v
	}
	return v
}

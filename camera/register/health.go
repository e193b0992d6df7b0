package register

// health knows pictures in which nothing can be seen.
type health struct {
	sharp float64 // how sharp they are when all is well; 0 = not known
}

// of says what is wrong with a picture, or nothing.
func (h *health) of(p *picture) Blind {
	switch {
	case p.mean < 10 || p.sharp < 0.4 && p.mean < 60:
		return Dark
	case p.white > 0.4:
		return Overexposed
	case p.sharp < 0.25 || p.sharp < 0.45*h.sharp:
		return Blurred
	}
	return ""
}

// learn takes a good picture as the measure of others, slowly.
func (h *health) learn(p *picture) { h.sharp += 0.1 * (p.sharp - h.sharp) }

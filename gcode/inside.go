package gcode

// Inside follows a file's lines and comments in their order, and knows before which lines the head can leave a layer that is being printed and come back, with no
// mark that anybody sees: the first push of a line of infill or support to which it has travelled. There it would stand still for a moment anyway. In a wall, or
// on a surface, it never is; nor behind a change of filament, before the new one has been pushed; nor in a file whose slicer does not say what is printed. The zero
// value is before the first line.
type Inside struct {
	hidden    bool // what is printed now is inside of the part, or no part of it
	travelled bool // the head has come here without pushing
}

// Comment takes in a comment, without its semicolon.
func (i *Inside) Comment(text []byte) {
	if text = trimSpaces(text); len(text) == 0 || text[0] != 'T' && text[0] != 'F' && text[0] != 'f' && text[0] != '\'' { // nearly all
		return
	}
	if feature, ok := featureOf(text); ok {
		i.hidden = feature == infill || feature == support || feature == wipeTower
	}
}

// Before takes in a command, and reports whether the head can leave before it.
func (i *Inside) Before(c Command) bool {
	if c.Letter == 'T' || c.Is('M', 600) { // what is in the nozzle now nobody should pull at
		i.travelled = false
	}
	if c.Letter != 'G' || c.Number < 0 || c.Number > 3 || !c.Has('X') && !c.Has('Y') {
		return false
	}
	came := i.travelled
	i.travelled = !c.Has('E')
	return i.hidden && came && !i.travelled
}

package gcode

// LimitsOf are the limits that a printer tells (M503, read by ParseSettings), where it tells speeds and accelerations in Marlin's units. What it leaves out is as
// usual.
func LimitsOf(settings []Setting) (l Limits, told bool) {
	l = OurLimits()
	l.By = LimitsPrinter
	speeds, accelerations := false, false
	var w words
	for _, s := range settings {
		c := ParseCommand([]byte(s.Text))
		if s.Command == "" || !s.Changeable || c.Letter != 'M' { // also the limits of a quiet mode (Prusa)
			continue
		}
		switch w.read(c.Args); c.Number {
		case 203:
			for _, axis := range [...]byte{'X', 'Y'} { // more makes no difference, and would be taken for mm/min
				w.value[axis-'A'] = min(w.value[axis-'A'], noSpeedMMS)
			}
			speeds = l.command(203, &w) || speeds
		case 201:
			accelerations = l.command(201, &w) || accelerations
		case 204, 205:
			l.command(c.Number, &w)
		}
	}
	return l, speeds && accelerations
}

// Suits reports whether the times of the survey are right on a printer with such limits: they were reckoned with them, or the file or its slicer says its own.
func (s *Survey) Suits(printer Limits) bool {
	return s.Limits.By == LimitsFile || s.Limits.By == LimitsConfig || s.Machine != nil && *s.Machine == printer
}

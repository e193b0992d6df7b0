package gcode

// Wire is what a file asks of the link to the printer, in lines a second of our own reckoning. A link that brings fewer lets the head stop and
// go in mid-line where that lasts for longer than the firmware's queue.
type Wire struct {
	MeanLinesS float64   `json:"mean_lines_s"`
	PeakLinesS float64   `json:"peak_lines_s"` // in the densest second
	PeakLine   int64     `json:"peak_line"`    // about where that begins
	PeakAtS    float64   `json:"peak_at_s"`    // and when, in seconds of print time
	Stretches  []Stretch `json:"stretches"`    // by LinesS, for each rate that is exceeded at all
}

// Stretch is where a file asks for more than LinesS lines a second.
type Stretch struct {
	LinesS   float64 `json:"lines_s"`
	LongestS float64 `json:"longest_s"` // the longest time on end
	Line     int64   `json:"line"`      // about where that begins
	TotalS   float64 `json:"total_s"`   // all of them together
}

// Above returns where a file asks for more than a link that brings linesS lines a second, by the next rate that was looked at; false when
// it never does.
func (w *Wire) Above(linesS float64) (Stretch, bool) {
	for _, s := range w.Stretches {
		if s.LinesS >= linesS {
			return s, true
		}
	}
	return Stretch{}, false
}

// rates are the ones that are looked at: Marlin at 115200 takes 100 to 200 lines a second, at 250000 or by USB up to a thousand.
func rates() [12]float64 {
	return [...]float64{25, 50, 75, 100, 125, 150, 200, 300, 400, 500, 750, 1000}
}

// wire looks at every eighth command.
type wire struct {
	ring      [512]moment // back to a second ago
	first, n  int
	from      moment // of the second that stretches are made of
	stretches [12]stretch
	peak      Wire
}

type stretch struct {
	Stretch
	now     float64
	nowLine int64
}

// moment is when a command is carried out.
type moment struct {
	command int64
	line    int64
	s       float64
}

const lookEvery = 8 // commands

// look takes the command that has left the planner last.
func (w *wire) look(m moment) {
	if w.n == len(w.ring) {
		w.first, w.n = (w.first+1)%len(w.ring), w.n-1
	}
	w.ring[(w.first+w.n)%len(w.ring)] = m
	w.n++
	for w.n > 2 && m.s-w.ring[(w.first+1)%len(w.ring)].s >= 1 {
		w.first, w.n = (w.first+1)%len(w.ring), w.n-1
	}
	began := w.ring[w.first]
	// A full ring that is shorter than a second still says that so many lines come in one.
	if d := m.s - began.s; d >= 1 || w.n == len(w.ring) {
		if rate := float64(m.command-began.command) / max(d, 1); rate > w.peak.PeakLinesS {
			w.peak.PeakLinesS, w.peak.PeakLine, w.peak.PeakAtS = rate, began.line, began.s
		}
	}
	if d := m.s - w.from.s; d >= 1 {
		w.second(float64(m.command-w.from.command)/d, d)
		w.from = m
	}
}

// second takes a piece of a second or a little more.
func (w *wire) second(rate, seconds float64) {
	for i, least := range rates() {
		s := &w.stretches[i]
		if rate <= least {
			s.now = 0
			continue
		}
		if s.now == 0 {
			s.nowLine = w.from.line
		}
		s.now += seconds
		s.TotalS += seconds
		if s.now > s.LongestS {
			s.LongestS, s.Line = s.now, s.nowLine
		}
	}
}

func (w *wire) finish(commands int64, seconds float64) Wire {
	out := w.peak
	if seconds > 0 {
		out.MeanLinesS = rounded(min(float64(commands)/max(seconds, 1), 1e9))
	}
	out.PeakLinesS, out.PeakAtS = rounded(out.PeakLinesS), rounded(min(out.PeakAtS, maxSeconds))
	out.Stretches = []Stretch{}
	for i, rate := range rates() {
		if s := w.stretches[i].Stretch; s.TotalS > 0 {
			out.Stretches = append(out.Stretches, Stretch{rate, rounded(min(s.LongestS, maxSeconds)), s.Line, rounded(min(s.TotalS, maxSeconds))})
		}
	}
	return out
}

// LinesAt is how many lines a second a serial line of baud carries, at 38 bytes for one with its number and checksum.
func LinesAt(baud int) float64 { return float64(baud) / 384 }

package gcode

import (
	"bytes"
	"io"
	"sort"
)

// A file flows through SurveyFile once: its beginning is checked for other kinds of file (survey_refuse.go), commands go to
// the motion (motion.go), comments to the notes (notes.go) and thumbnails (thumbnails.go), and both mark layers (layers.go).

// Survey is what one pass over a file tells: enough to show it in a list, to refuse rubbish and to follow a print.
// It is stored as JSON beside the file.
type Survey struct {
	Lines    int64 `json:"lines"`    // all lines
	Commands int64 `json:"commands"` // lines that are sent
	Bytes    int64 `json:"bytes"`
	Moves    int64 `json:"moves"`     // G0–G3
	Extrudes int64 `json:"extrudes"`  // moves that push filament
	Odd      int64 `json:"odd"`       // commands that look like no G-code at all
	FirstOdd int64 `json:"first_odd"` // line number of the first such, 0 for none

	Slicer        string    `json:"slicer"`            // "PrusaSlicer 2.5.0", "" unknown
	TimeS         float64   `json:"time_s"`            // our own estimate of motion and dwell, seconds; heating and homing are HeatS
	CruiseS       float64   `json:"cruise_s"`          // of that, at the speed that the file asks for: what changes with the speed factor
	HeatS         float64   `json:"heat_s"`            // rough: what heating and homing take, seconds
	SlicerTimeS   float64   `json:"slicer_time_s"`     // what the slicer says, 0 for nothing
	Limits        Limits    `json:"limits"`            // with which TimeS was reckoned, as they are at the end of the file
	LimitsLate    bool      `json:"limits_late"`       // they came too late to be reckoned with
	Machine       *Limits   `json:"machine,omitempty"` // the printer's own, as they were at the beginning, where those counted
	FilamentMM    []float64 `json:"filament_mm"`       // what E pushes, by tool, up to the last that pushes any
	FilamentTypes []string  `json:"filament_types"`    // by tool, as the slicer says: "PLA"; empty when it does not

	MaxNozzleC     float64     `json:"max_nozzle_c"`    // highest target, as TargetsOf reads it
	MaxNozzleLine  int64       `json:"max_nozzle_line"` // and where it stands
	MaxBedC        float64     `json:"max_bed_c"`
	MaxBedLine     int64       `json:"max_bed_line"`
	MaxChamberC    float64     `json:"max_chamber_c"`
	MaxChamberLine int64       `json:"max_chamber_line"`
	Extent         *Box        `json:"extent_mm"` // bounds of extruding moves; nil when nothing extrudes
	LayerHeightMM  float64     `json:"layer_height_mm"`
	Layers         []Layer     `json:"layers"`          // at most MaxLayers
	LongestCommand int         `json:"longest_command"` // bytes, without comment; shortened, where it is longer than plenty; ForPeople does not count
	LongestLine    int64       `json:"longest_line"`    // and where it stands
	HasM73         bool        `json:"has_m73"`
	FirstOffset    int64       `json:"first_offset"` // of the first command's first byte
	LastOffset     int64       `json:"last_offset"`  // of the byte after the last command's line
	Thumbnails     []Thumbnail `json:"-"`            // biggest last; at most 8 of at most 512 KiB each
	Contents
	Checks

	late Limits // when LimitsLate
}

// Box is a part of space, in mm: X Y Z.
type Box struct {
	Min [3]float64 `json:"min"`
	Max [3]float64 `json:"max"`
}

// Layer is where a layer begins.
type Layer struct {
	Offset   int64   `json:"o"` // byte in the file
	Line     int64   `json:"l"`
	ZMM      float64 `json:"z"` // of the first extruding move in it, mm; 0 unknown
	ElapsedS float64 `json:"t"` // our own estimate of print time up to here, in seconds
	CruiseS  float64 `json:"c"` // of that, at the speed that the file asks for, and not speeding up or slowing down
}

// MaxLayers bounds a survey's memory.
const MaxLayers = 20000

// Thumbnail is a picture that the slicer put into the file. Data is a PNG or JPEG whose header has been checked.
type Thumbnail struct {
	Width, Height int
	Type          string // "image/png" or "image/jpeg"
	Data          []byte
}

// LayerAt returns the index into Layers of the layer that the byte at offset belongs to, -1 before the first.
func (s *Survey) LayerAt(offset int64) int {
	return sort.Search(len(s.Layers), func(i int) bool { return s.Layers[i].Offset > offset }) - 1
}

// ElapsedAt returns our own estimate of the print time up to the byte at offset, in seconds: from 0 before the first command
// to TimeS behind the last, never falling. Between the beginnings of two layers it goes with the bytes.
func (s *Survey) ElapsedAt(offset int64) float64 {
	from, fromS := s.FirstOffset, 0.0
	to, toS := s.LastOffset, s.TimeS
	i := s.LayerAt(offset)
	if i >= 0 {
		from, fromS = s.Layers[i].Offset, s.Layers[i].ElapsedS
	}
	if i+1 < len(s.Layers) {
		to, toS = s.Layers[i+1].Offset, s.Layers[i+1].ElapsedS
	}
	switch {
	case offset <= from:
		return fromS
	case offset >= to:
		return max(fromS, toS)
	}
	return fromS + max(0, toS-fromS)*(float64(offset-from)/float64(to-from))
}

// Estimate is how long the print takes, in seconds, and by whom: the slicer if it says so, else by our own reckoning ("moves").
func (s *Survey) Estimate() (seconds float64, by string) {
	if s.SlicerTimeS > 0 {
		return s.SlicerTimeS, "slicer"
	}
	return s.TimeS, "moves"
}

// Filament is what all tools push, in mm.
func (s *Survey) Filament() (mm float64) {
	for _, tool := range s.FilamentMM {
		mm += tool
	}
	return mm
}

// maxSeconds bounds every estimate, so that none overflows a time.Duration: ten years.
const maxSeconds = 10 * 366 * 24 * 3600

// surveyor is one pass over a file.
type surveyor struct {
	out    Survey
	scan   *Scanner
	motion motion
	plan   planner
	config Limits // of the comments
	own    Limits // of commands alone, 0 where they have said nothing
	based  bool   // it began with limits that the file tells
	told   bool   // commands before the first move have said all
	heater heatTime
	layers layers
	notes  notes
	thumbs thumbnails
	words  words
	short  []byte

	contents contents
	checks   checks
}

// plenty is a length that every firmware takes, so that longer commands only need be shortened to be judged.
const plenty = 64

// SurveyFile reads a whole file once, in memory that does not grow with it (besides Layers and Thumbnails).
// It fails with a *LineError naming the line for what can never be printed: ErrEmpty (no command at all), ErrBinary
// (NUL or control bytes in number, a known binary header, or no line that looks like G-code), ErrLongLine; and with
// the reader's own error. The Survey returned with an error is what was learned until then.
//
// A slicer may say what the machine's limits are only at the end of the file, in comments. When r is an io.ReadSeeker, that end is looked at first;
// else such a survey is made with usual limits, and LimitsLate.
func SurveyFile(r io.Reader) (Survey, error) { return SurveyFor(r, OurLimits()) }

// SurveyFor is SurveyFile for a printer whose limits are known: they count where the file and its slicer say none.
func SurveyFor(r io.Reader, printer Limits) (Survey, error) {
	limits, err := limitsAtEnd(r, printer)
	if err != nil {
		return Survey{}, err
	}
	v, err := SurveyWith(r, limits)
	if v.Limits.By == LimitsPrinter {
		v.Machine = &printer
	}
	return v, err
}

// SurveyWith is SurveyFile with the machine's limits as they are known from elsewhere; what the file sets itself still counts.
func SurveyWith(r io.Reader, limits Limits) (Survey, error) {
	head := make([]byte, headSize)
	n, err := io.ReadFull(r, head)
	head = head[:n]
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Survey{Bytes: int64(n)}, err
	}
	if err := refuseHead(head); err != nil {
		return Survey{Bytes: int64(n)}, err
	}
	s := &surveyor{scan: NewScanner(io.MultiReader(bytes.NewReader(head), r))}
	s.motion.reset()
	s.plan.reset(limits)
	s.based = limits.By == LimitsConfig
	s.config = OurLimits()
	s.scan.OnComment(s.comment)
	for s.scan.Scan() {
		s.command(s.scan.Line())
		if s.scan.control > controlLimit && s.scan.control > s.out.Commands/8 {
			break
		}
	}
	s.finish()
	return s.out, s.verdict()
}

// comment takes a comment that stands on a line of its own.
func (s *surveyor) comment(c []byte, number, offset int64) {
	c = trimSpaces(c)
	if len(c) == 0 {
		return
	}
	if was := s.contents.objects.kind; s.contents.objects.Comment(c, number, offset) { // first of all: who follows the objects later does nothing else
		s.marked(was)
		return
	}
	if s.thumbs.read(c) {
		return
	}
	if kind := layerMark(c); kind != noMark {
		if s.layers.counts(kind) {
			at, cruise := s.plan.soFar()
			s.layers.mark(Layer{Offset: offset, Line: number, ElapsedS: at, CruiseS: cruise})
		}
		return
	}
	if s.config.comment(c) {
		s.configured()
		return
	}
	s.notes.read(c)
	s.contentComment(c, number, offset)
	if s.out.Moves == 0 {
		s.machineOf(c)
	}
}

func (s *surveyor) command(line Line) {
	if line.Text[0] == '@' {
		s.contentCommand(Command{}, line)
		return // for the host; never sent
	}
	o := &s.out
	if o.Commands == 0 {
		o.FirstOffset = line.Offset
	}
	o.Commands++
	o.LastOffset = line.End
	s.plan.of.command = uint32(o.Commands)
	if o.Commands%lookEvery == 0 {
		s.contents.wire.look(moment{int64(s.plan.left), line.Number - o.Commands + int64(s.plan.left), s.plan.seconds})
	}
	c := ParseCommand(line.Text)
	if n := len(line.Text); n > o.LongestCommand && !ForPeople(c) {
		if n > plenty {
			s.short = AppendShort(s.short[:0], line.Text)
			n = len(s.short)
		}
		if n > o.LongestCommand {
			o.LongestCommand, o.LongestLine = n, line.Number
		}
	}
	switch c.Letter {
	case 'G':
		s.g(c, line)
	case 'M':
		s.m(c, line)
	case 'T':
		s.changeTool(c.Number)
	default:
		s.contentCommand(c, line)
		s.macro(c, line)
		if isOdd(line.Text) {
			o.Odd++
			if o.FirstOdd == 0 {
				o.FirstOdd = line.Number
			}
		}
	}
}

func (s *surveyor) g(c Command, line Line) {
	switch c.Number {
	case 0, 1, 2, 3:
		s.words.read(c.Args)
		m := s.motion.move(c.Number, &s.words)
		if s.out.Moves == 0 {
			s.told = s.own.whole()
		}
		s.out.Moves++
		if m.extrudes {
			s.out.Extrudes++
			s.layers.extrude(m, line, &s.plan)
			s.checks.push(&s.motion, line.Number)
		}
		s.plan.move(m)
		if c.Number >= 2 {
			s.contents.out.Arcs++
		}
		return
	case 4:
		s.words.read(c.Args)
		s.plan.wait(dwell(&s.words))
	case 28, 29:
		s.plan.wait(0)
		s.heater.homing(c.Number)
		fallthrough
	case 17, 18, 19, 20, 21, 90, 91, 92:
		s.words.read(c.Args)
		s.motion.other(c, &s.words)
	case 10:
		s.heat(line, false)
	}
	s.contentCommand(c, line)
}

func (s *surveyor) m(c Command, line Line) {
	switch c.Number {
	case 73:
		s.out.HasM73 = true
		s.notes.remaining(c)
	case 82, 83, 200, 220:
		s.words.read(c.Args)
		s.motion.other(c, &s.words)
	case 201, 203, 204, 205, 566:
		s.words.read(c.Args)
		if s.plan.limits.command(c.Number, &s.words) {
			s.plan.limits.By = LimitsFile
		}
		if s.out.Moves == 0 && s.own.command(c.Number, &s.words) {
			s.own.By = LimitsFile
		}
	case 0, 1, 25, 226, 400, 600, 601:
		s.plan.wait(0)
	case 104, 109, 140, 141, 190, 191, 303, 568:
		s.heat(line, c.Number == 109 || c.Number == 190 || c.Number == 191)
	}
	s.contentCommand(c, line)
}

// macro takes what is no command of a letter and a number.
func (s *surveyor) macro(c Command, line Line) {
	if c.Letter != 0 {
		return
	}
	if rest, ok := cutFold(line.Text, "SET_VELOCITY_LIMIT "); ok {
		s.plan.limits.velocity(string(rest))
	}
	s.heat(line, !hasPrefixBytesFold(line.Text, "SET_HEATER_TEMPERATURE")) // START_PRINT and its like wait
}

// mostTargetC is more than any limit. A macro may be told "inf", for which JSON has no word.
const mostTargetC = 1e6

// heat keeps the highest targets and where they stand, and how long the file waits for them.
func (s *surveyor) heat(line Line, waits bool) {
	t, o := TargetsOf(line.Text), &s.out
	if t == (Targets{}) {
		return
	}
	t = Targets{min(t.NozzleC, mostTargetC), min(t.BedC, mostTargetC), min(t.ChamberC, mostTargetC)}
	if waits {
		s.plan.wait(0)
	}
	s.heater.set(t, waits, s.plan.seconds)
	s.warm(t)
	if t.NozzleC > o.MaxNozzleC {
		o.MaxNozzleC, o.MaxNozzleLine = t.NozzleC, line.Number
	}
	if t.BedC > o.MaxBedC {
		o.MaxBedC, o.MaxBedLine = t.BedC, line.Number
	}
	if t.ChamberC > o.MaxChamberC {
		o.MaxChamberC, o.MaxChamberLine = t.ChamberC, line.Number
	}
}

func (s *surveyor) finish() {
	o := &s.out
	o.Lines = s.scan.number
	o.Bytes = s.scan.base + int64(s.scan.pos)
	o.FilamentMM = s.motion.byTool()
	o.FilamentTypes = s.notes.filaments
	s.book(func(c *contents) { c.object = 0 })
	s.contents.objects.endAt(o.Bytes)
	s.motion.takeBounds()
	if o.Extrudes > 0 {
		o.Extent = &Box{Min: s.motion.all.low, Max: s.motion.all.high}
	}
	s.plan.wait(0)
	o.TimeS, o.Limits = min(s.plan.seconds, maxSeconds), s.plan.limits
	o.HeatS, o.CruiseS = min(s.heater.seconds, maxSeconds), min(s.plan.cruise, o.TimeS)
	o.Layers = s.layers.list()
	var before Layer
	for i := range o.Layers { // the end of a queue was guessed at each, so that a short one may seem to begin before the last
		l := &o.Layers[i]
		l.ElapsedS = min(max(l.ElapsedS, before.ElapsedS), o.TimeS)
		l.CruiseS = min(max(l.CruiseS, before.CruiseS), o.CruiseS)
		before = *l
	}
	o.Slicer = s.notes.name()
	o.SlicerTimeS = s.notes.seconds()
	o.LayerHeightMM = s.notes.layerHeightMM
	if o.LayerHeightMM == 0 {
		o.LayerHeightMM = usualStep(o.Layers)
	}
	o.Thumbnails = s.thumbs.list()
	s.finishContents()
}

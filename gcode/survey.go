package gcode

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"sort"
	"time"
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

	Slicer         string      `json:"slicer"`          // "PrusaSlicer 2.5.0", "" unknown
	EstimateS      float64     `json:"estimate_s"`      // seconds the slicer says; else our own estimate from lengths and feed rates
	EstimateBy     string      `json:"estimate_by"`     // "slicer" or "moves"
	FilamentMM     float64     `json:"filament_mm"`     // sum of what E pushes, all tools
	ToolsMM        []float64   `json:"tools_mm"`        // the same by tool, up to the last that pushes any
	FilamentTypes  []string    `json:"filament_types"`  // by tool, as the slicer says: "PLA"; empty when it does not
	MaxNozzleC     float64     `json:"max_nozzle_c"`    // highest target, as TargetsOf reads it
	MaxNozzleLine  int64       `json:"max_nozzle_line"` // and where it stands
	MaxBedC        float64     `json:"max_bed_c"`
	MaxBedLine     int64       `json:"max_bed_line"`
	MaxChamberC    float64     `json:"max_chamber_c"`
	MaxChamberLine int64       `json:"max_chamber_line"`
	Min, Max       [3]float64  `json:"-"`         // bounds of extruding moves in mm, X Y Z; valid when Extrudes > 0
	BoundsMM       *[6]float64 `json:"bounds_mm"` // the same for JSON: min x y z, max x y z; null when nothing extrudes
	LayerHeightMM  float64     `json:"layer_height_mm"`
	Layers         []Layer     `json:"layers"`          // at most MaxLayers
	LongestCommand int         `json:"longest_command"` // bytes, without comment; shortened, where it is longer than plenty; ForPeople does not count
	LongestLine    int64       `json:"longest_line"`    // and where it stands
	HasM73         bool        `json:"has_m73"`
	MovesS         float64     `json:"moves_s"`      // our own estimate for the whole file, seconds; EstimateS when EstimateBy is "moves"
	FirstOffset    int64       `json:"first_offset"` // of the first command's first byte
	LastOffset     int64       `json:"last_offset"`  // of the byte after the last command's line
	Thumbnails     []Thumbnail `json:"-"`            // biggest last; at most 8 of at most 512 KiB each
}

// Layer is where a layer begins.
type Layer struct {
	Offset   int64   `json:"o"` // byte in the file
	Line     int64   `json:"l"`
	ZMM      float64 `json:"z"` // of the first extruding move in it, mm; 0 unknown
	ElapsedS float64 `json:"t"` // our own estimate of print time up to here, in seconds
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
// to MovesS behind the last, never falling. Between the beginnings of two layers it goes with the bytes. Where the slicer's
// total is known, ElapsedAt/MovesS is the share of it.
func (s *Survey) ElapsedAt(offset int64) float64 {
	from, fromS := s.FirstOffset, 0.0
	to, toS := s.LastOffset, s.MovesS
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

// Estimate is EstimateS as a duration.
func (s *Survey) Estimate() time.Duration { return time.Duration(s.EstimateS * float64(time.Second)) }

// maxSeconds bounds every estimate, so that none overflows a time.Duration: ten years.
const maxSeconds = 10 * 366 * 24 * 3600

// surveyor is one pass over a file.
type surveyor struct {
	out    Survey
	scan   *Scanner
	motion motion
	layers layers
	notes  notes
	thumbs thumbnails
	words  words
	short  []byte
}

// plenty is a length that every firmware takes, so that longer commands only need be shortened to be judged.
const plenty = 64

// SurveyFile reads a whole file once, in memory that does not grow with it (besides Layers and Thumbnails).
// It fails with a *LineError naming the line for what can never be printed: ErrEmpty (no command at all), ErrBinary
// (NUL or control bytes in number, a known binary header, or no line that looks like G-code), ErrLongLine; and with
// the reader's own error. The Survey returned with an error is what was learned until then.
func SurveyFile(r io.Reader) (Survey, error) {
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
	if len(c) == 0 || s.thumbs.read(c) {
		return
	}
	if kind := layerMark(c); kind != noMark {
		s.layers.mark(kind, Layer{Offset: offset, Line: number, ElapsedS: s.motion.seconds})
		return
	}
	s.notes.read(c)
}

func (s *surveyor) command(line Line) {
	if line.Text[0] == '@' {
		return // for the host; never sent
	}
	o := &s.out
	if o.Commands == 0 {
		o.FirstOffset = line.Offset
	}
	o.Commands++
	o.LastOffset = line.End
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
		s.motion.setTool(c.Number)
	default:
		s.heat(line)
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
		s.out.Moves++
		if m.extrudes {
			s.out.Extrudes++
			s.layers.extrude(m, line)
		}
	case 4, 28, 20, 21, 90, 91, 92:
		s.words.read(c.Args)
		s.motion.other(c, &s.words)
	case 10:
		s.heat(line)
	}
}

func (s *surveyor) m(c Command, line Line) {
	switch c.Number {
	case 73:
		s.out.HasM73 = true
		s.notes.remaining(c)
	case 82, 83, 204, 220:
		s.words.read(c.Args)
		s.motion.other(c, &s.words)
	case 104, 109, 140, 141, 190, 191, 303, 568:
		s.heat(line)
	}
}

// heat keeps the highest targets, and where they stand.
func (s *surveyor) heat(line Line) {
	t, o := TargetsOf(line.Text), &s.out
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
	o.FilamentMM = s.motion.filament()
	o.ToolsMM = s.motion.byTool()
	o.FilamentTypes = s.notes.filaments
	if o.Extrudes > 0 {
		o.Min, o.Max = s.motion.low, s.motion.high
		o.BoundsMM = &[6]float64{o.Min[0], o.Min[1], o.Min[2], o.Max[0], o.Max[1], o.Max[2]}
	}
	o.MovesS = min(s.motion.seconds, maxSeconds)
	o.Layers = s.layers.list()
	for i := range o.Layers {
		o.Layers[i].ElapsedS = min(o.Layers[i].ElapsedS, maxSeconds)
	}
	o.Slicer = s.notes.name()
	o.EstimateS, o.EstimateBy = s.notes.seconds(), "slicer"
	if o.EstimateS == 0 {
		o.EstimateS, o.EstimateBy = o.MovesS, "moves"
	}
	o.LayerHeightMM = s.notes.layerHeightMM
	if o.LayerHeightMM == 0 {
		o.LayerHeightMM = usualStep(o.Layers)
	}
	o.Thumbnails = s.thumbs.list()
}

// verdict says why the file cannot be printed, nil when it can.
func (s *surveyor) verdict() error {
	err := s.scan.Err()
	binary := s.scan.control > controlLimit && s.scan.control > s.out.Commands/8
	switch {
	case err != nil && !errors.Is(err, ErrLongLine):
		return err
	case binary:
		return &LineError{Line: s.scan.controlFirst, Err: refusal("control bytes from here on")}
	case s.out.Odd > s.out.Commands/2:
		return &LineError{Line: s.out.FirstOdd, Err: refusal("most lines are no commands")}
	case err != nil:
		return err
	case s.out.Commands == 0:
		return &LineError{Err: ErrEmpty}
	}
	return nil
}

// usualStep is the median height of a layer in mm, 0 when there are too few to say.
func usualStep(layers []Layer) float64 {
	var steps []float64
	for i := 1; i < len(layers); i++ {
		if d := layers[i].ZMM - layers[i-1].ZMM; layers[i-1].ZMM > 0 && d > sameZ {
			steps = append(steps, d)
		}
	}
	if len(steps) == 0 {
		return 0
	}
	slices.SortFunc(steps, cmp.Compare[float64])
	return math.Round(steps[len(steps)/2]*1000) / 1000
}

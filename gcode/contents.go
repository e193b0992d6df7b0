package gcode

import (
	"bytes"
	"math"
)

// What flows here: comments and the few commands that are no moves ─▶ contents, which keeps what the slicer says (made.go), and who the time and
// filament of the moves belong to (feature.go, object.go). Moves themselves cost nothing here: the planner books the time of each under the slot
// that was set when it came.

// Contents is what a file has in it, besides what a Survey always tells. Lists are never nil, and bounded.
type Contents struct {
	Flavour      string    `json:"flavour"`        // the firmware it was made for, in the slicer's word: "marlin2"; "" it does not say
	Printer      string    `json:"printer"`        // the machine it was made for, in the slicer's words
	NozzleMM     []float64 `json:"nozzle_mm"`      // diameter of the nozzle by tool, as the slicer says
	FirstNozzleC float64   `json:"first_nozzle_c"` // target while the first layer is printed
	NozzleC      float64   `json:"nozzle_c"`       // and behind it
	FirstBedC    float64   `json:"first_bed_c"`    // the same of the bed
	BedC         float64   `json:"bed_c"`

	FilamentG          []float64 `json:"filament_g"`             // weight by tool, as FilamentMM
	FilamentGBy        string    `json:"filament_g_by"`          // GramsSlicer and so on; "" where nothing is pushed
	FilamentDiameterMM []float64 `json:"filament_diameter_mm"`   // by tool, as the slicer says; 0 it does not
	FilamentDensity    []float64 `json:"filament_density_g_cm3"` // the same
	FilamentColours    []string  `json:"filament_colours"`       // "#FF8000" by tool, as the slicer says; "" for none
	SlicerFilamentMM   []float64 `json:"slicer_filament_mm"`     // length by tool or of all, as the slicer says, to compare

	Tools       []int    `json:"tools"`        // that push filament
	ToolChanges int64    `json:"tool_changes"` // while it prints
	Arcs        int64    `json:"arcs"`         // G2 and G3
	Features    []Spent  `json:"features"`     // by time, most first; empty when the slicer marks none
	Objects     []Object `json:"objects"`      // by their marks, at most MaxObjects
	ObjectsBy   string   `json:"objects_by"`   // the kind of marks that tells them: "m486" and so on, objectKind; "" none
	Pauses      []Pause  `json:"pauses"`       // at most MaxPauses
	Wire        Wire     `json:"wire"`
	Words       []Word   `json:"words"` // of commands other than G0 to G3, in their order; at most MaxWords
}

// Spent is what goes into a kind of line.
type Spent struct {
	Name       string  `json:"name"`        // "outer_wall" and so on: featureName
	TimeS      float64 `json:"time_s"`      // with the travel to it
	FilamentMM float64 `json:"filament_mm"` // pushed
}

// contents collects them.
type contents struct {
	out     Contents
	made    made
	feature int // index into features, of what comes now
	marked  bool
	objects ObjectMarks
	object  int                                       // its number, of what comes now
	reached [slots / maxFeatures]reach                // by object
	pushed  [slots / maxFeatures][maxFeatures]float64 // mm by object and feature
	booked  float64                                   // mm of them all
	pauses  pauses
	said    said
	wire    wire
}

// slots are the ways in which time can be booked: under one of MaxObjects or none, and under a feature.
const (
	maxFeatures = 32
	slots       = (MaxObjects + 1) * maxFeatures
)

// book puts what has been pushed since the last change under what was printed then, and moves to come under what is printed now.
func (s *surveyor) book(change func(c *contents)) {
	c := &s.contents
	total := 0.0
	for i := range s.motion.tools {
		total += s.motion.tools[i].peak
	}
	c.pushed[c.object][c.feature] += total - c.booked
	c.booked = total
	was := c.object
	change(c)
	if c.object != was {
		c.reached[was].add(s.motion.takeBounds())
	}
	s.plan.of.slot = uint32(c.object*maxFeatures + c.feature)
}

// contentComment takes a comment that marks no layer, trimmed and not empty.
func (s *surveyor) contentComment(c []byte, line, offset int64) {
	switch c[0] {
	case 'T', 'F', 'f', '\'':
		if feature, ok := featureOf(c); ok {
			s.contents.marked = true
			if feature != s.contents.feature {
				s.book(func(c *contents) { c.feature = feature })
			}
			return
		}
	case 'W', 'H', 'Z': // WIDTH, WIPE_START, HEIGHT, Z: many, and of no use here
		return
	}
	if kind := pauseComment(c); kind != "" {
		s.pause(Pause{Kind: kind, Text: cutShort(string(printable(c)), maxPauseText), Line: line, Offset: offset}, true)
		return
	}
	s.contents.made.read(c, &s.notes)
	s.checks.comment(c, line, &s.contents.made)
}

// marked is called behind a mark of an object, with the kind that counted before it. What was booked by marks that are trusted less belongs to none.
func (s *surveyor) marked(was objectKind) {
	c := &s.contents
	if was != noObjects && was != c.objects.kind {
		s.book(func(c *contents) { c.object = 0 })
		c.pushed = [slots / maxFeatures][maxFeatures]float64{0: c.allPushed()}
		c.reached = [slots / maxFeatures]reach{}
		s.plan.spent.forget()
	}
	if now := c.objects.Current(); now != c.object {
		s.book(func(c *contents) { c.object = now })
	}
}

// allPushed is what has been pushed by feature, whatever the object.
func (c *contents) allPushed() (all [maxFeatures]float64) {
	for object := range c.pushed {
		for feature, mm := range c.pushed[object] {
			all[feature] += mm
		}
	}
	return all
}

// pause keeps a pause; a comment that announces one becomes one with the command that follows.
func (s *surveyor) pause(p Pause, announced bool) {
	if s.contents.pauses.full() {
		return
	}
	p.Layer = s.layers.count() - 1
	p.ZMM = s.motion.at[2]
	p.ElapsedS, _ = s.plan.soFar()
	s.contents.pauses.take(p, announced)
}

// contentCommand takes a command that is no move.
func (s *surveyor) contentCommand(c Command, line Line) {
	s.contents.said.take(c, line)
	s.checks.command(c, line, s.motion.tool)
	if was := s.contents.objects.kind; s.contents.objects.Command(c, line.Number, line.Offset) {
		s.marked(was)
		return
	}
	if kind := pauseCommand(c, line.Text); kind != "" {
		s.pause(Pause{Kind: kind, Text: cutShort(string(printable(line.Text)), maxPauseText), Line: line.Number, Offset: line.Offset}, false)
	}
}

// warm keeps what the heaters are set to while it prints: before the second layer begins, and behind that.
func (s *surveyor) warm(t Targets) {
	o := &s.contents.out
	set := func(first, later *float64, c float64) {
		switch {
		case c <= 0:
		case s.layers.count() <= 1:
			*first = c
		case *later == 0:
			*later = c
		}
	}
	set(&o.FirstNozzleC, &o.NozzleC, t.NozzleC)
	set(&o.FirstBedC, &o.BedC, t.BedC)
}

// changeTool follows a T.
func (s *surveyor) changeTool(n int) {
	was := s.motion.tool
	s.motion.setTool(n)
	if s.motion.tool != was && s.out.Extrudes > 0 {
		s.contents.out.ToolChanges++
	}
}

// finishContents is called when all moves have been planned, and the Survey's own part is done.
func (s *surveyor) finishContents() {
	c := &s.contents
	o := &c.out
	o.NozzleC, o.BedC = orElse(o.NozzleC, o.FirstNozzleC), orElse(o.BedC, o.FirstBedC)
	c.made.fill(o, &s.out)
	o.Tools = []int{}
	for tool, mm := range s.out.FilamentMM {
		if mm > 0 {
			o.Tools = append(o.Tools, tool)
		}
	}
	o.Features = c.features(s.plan.spent)
	o.Objects, o.ObjectsBy = c.objectsFound(s.plan.spent), c.objects.kind.String()
	o.Pauses = c.pauses.finish(s.out.TimeS)
	if s.plan.seconds > 0 {
		c.wire.look(moment{s.out.Commands, s.out.Lines, s.plan.seconds}) // the planner is empty now
	}
	o.Wire = c.wire.finish(s.out.Commands, s.out.TimeS)
	o.Words = c.said.finish()
	s.out.Contents = *o
	s.out.Checks = s.checks.finish(&s.out, s.scan.number)
	s.out.FilamentMM, s.out.FilamentTypes = orEmpty(s.out.FilamentMM), orEmpty(s.out.FilamentTypes)
}

func orElse(v, other float64) float64 {
	if v == 0 {
		return other
	}
	return v
}

// rounded is a number as people and JSON want it: to a thousandth, and never one that JSON has no word for.
func rounded(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return math.Round(v*1000) / 1000
}

// sentence reports whether c begins with the words, in whatever case, and returns the rest.
func sentence(c []byte, words string) ([]byte, bool) {
	rest, ok := cutFold(c, words)
	return bytes.TrimLeft(rest, " "), ok
}

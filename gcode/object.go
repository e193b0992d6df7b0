package gcode

import (
	"bytes"
	"path"
	"strconv"
	"strings"
)

// Object is one of the things on the plate, as the file marks them.
type Object struct {
	Name       string       `json:"name"`
	ID         int          `json:"id"`         // of M486, or the slicer's; -1 for none
	Extent     *Box         `json:"extent_mm"`  // bounds of extruding moves; nil when nothing extrudes
	CenterMM   *[2]float64  `json:"center_mm"`  // X Y, as the slicer says; nil when it does not
	PolygonMM  [][2]float64 `json:"polygon_mm"` // its outline, the same; at most maxPolygon points
	TimeS      float64      `json:"time_s"`     // with the travel in it
	FilamentMM float64      `json:"filament_mm"`
	Line       int64        `json:"line"` // where it begins first; 0 it never does
	Offset     int64        `json:"offset"`
}

// MaxObjects bounds a survey's memory.
const MaxObjects = 255

const (
	maxObjectName = 80
	maxPolygon    = 64   // points of one
	maxPoints     = 4096 // points of all
)

// objectKind is a way in which files mark objects, the more trustworthy the greater. Files of some slicers have several at once.
type objectKind uint8

const (
	noObjects      objectKind = iota
	meshComment               // "MESH:cube.stl"   Cura; "PRINTING: cube"   ideaMaker
	labelComment              // "start printing object, unique label id: 12"   Bambu Studio, OrcaSlicer
	objectSentence            // "printing object cube id:0 copy 0"   PrusaSlicer and its kin
	objectNumber              // M486
	objectMacro               // EXCLUDE_OBJECT_START NAME=cube   Klipper
)

// objectMark is what one line says of objects.
type objectMark struct {
	kind    objectKind
	key     string // tells it from others; "" is none: the end
	name    string // "" as it was
	id      int
	define  bool // it is only described
	center  *[2]float64
	polygon [][2]float64
}

// objects are numbered from 1; 0 is what belongs to none.
type objects struct {
	kind   objectKind
	list   []Object
	keys   []string
	boxes  []reach
	now    int
	points int
}

// mark takes what a line of their kind says.
func (o *objects) mark(m objectMark, line, offset int64) {
	index := 0
	switch m.key {
	case "":
	case currentObject:
		if index = o.now; index == 0 {
			return
		}
	default:
		index = o.find(&m)
	}
	if index > 0 {
		object := &o.list[index-1]
		if m.name != "" {
			object.Name = m.name
		}
		if m.define {
			object.CenterMM, object.PolygonMM = m.center, nil
			if o.points+len(m.polygon) <= maxPoints {
				o.points += len(m.polygon)
				object.PolygonMM = m.polygon
			}
			return
		}
		if object.Line == 0 {
			object.Line, object.Offset = line, offset
		}
	}
	if !m.define {
		o.now = index
	}
}

// find returns the number of an object, a new one's if need be, 0 when there are too many.
func (o *objects) find(m *objectMark) int {
	if o.now > 0 && o.keys[o.now-1] == m.key {
		return o.now
	}
	for i, key := range o.keys {
		if key == m.key {
			return i + 1
		}
	}
	if len(o.list) == MaxObjects {
		return 0
	}
	o.list, o.keys, o.boxes = append(o.list, Object{Name: m.name, ID: m.id}), append(o.keys, m.key), append(o.boxes, reach{})
	return len(o.list)
}

// bounds adds what was extruded while the object was printed.
func (o *objects) bounds(number int, b reach) {
	if number > 0 && number <= len(o.boxes) {
		o.boxes[number-1].add(b)
	}
}

func (o *objects) finish(spent *spending, pushed *[slots / maxFeatures][maxFeatures]float64) []Object {
	list := []Object{}
	for i, object := range o.list {
		for feature := range maxFeatures {
			object.TimeS += spent[(i+1)*maxFeatures+feature]
			object.FilamentMM += pushed[i+1][feature]
		}
		object.TimeS, object.FilamentMM = rounded(min(object.TimeS, maxSeconds)), rounded(object.FilamentMM)
		if b := o.boxes[i]; b.any {
			object.Extent = &Box{Min: b.low, Max: b.high}
		}
		if object.PolygonMM == nil {
			object.PolygonMM = [][2]float64{}
		}
		list = append(list, object)
	}
	return list
}

// reach is the bounds of extruding moves.
type reach struct {
	low, high [3]float64
	any       bool
}

func (b *reach) add(c reach) {
	switch {
	case !c.any:
	case !b.any:
		*b = c
	default:
		for i := range 3 {
			b.low[i], b.high[i] = min(b.low[i], c.low[i]), max(b.high[i], c.high[i])
		}
	}
}

// objectComment reads comments that begin or end an object.
func objectComment(c []byte) (m objectMark, ok bool) {
	text := string(printable(c[:min(len(c), 200)]))
	start := func(kind objectKind, key, name string, id int) (objectMark, bool) {
		return objectMark{kind: kind, key: cutShort(key, 2*maxObjectName), name: cutShort(name, maxObjectName), id: id}, true
	}
	if rest, is := strings.CutPrefix(text, "printing object "); is {
		name, id := sentenceObject(rest)
		return start(objectSentence, rest, name, id)
	}
	if strings.HasPrefix(text, "stop printing object, unique label") {
		return start(labelComment, "", "", -1)
	}
	if strings.HasPrefix(text, "stop printing object") {
		return start(objectSentence, "", "", -1)
	}
	if rest, is := strings.CutPrefix(text, "start printing object, unique label id:"); is {
		rest = strings.TrimSpace(rest)
		return start(labelComment, rest, "object "+rest, number(rest))
	}
	if rest, is := strings.CutPrefix(text, "MESH:"); is {
		if rest == "NONMESH" {
			return start(meshComment, "", "", -1)
		}
		return start(meshComment, rest, path.Base(strings.ReplaceAll(rest, `\`, "/")), -1)
	}
	if rest, is := strings.CutPrefix(text, "PRINTING:"); is {
		if rest = strings.TrimSpace(rest); rest == "NON-OBJECT" {
			rest = ""
		}
		return start(meshComment, rest, rest, -1)
	}
	return m, false
}

// sentenceObject reads "cube.stl id:0 copy 1": the second of them is "cube.stl (2)".
func sentenceObject(text string) (name string, id int) {
	i := strings.LastIndex(text, " id:")
	if i < 0 {
		return text, -1
	}
	numbers := strings.Fields(text[i+len(" id:"):])
	if len(numbers) == 0 {
		return text, -1
	}
	name, id = cutShort(text[:i], maxObjectName-8), number(numbers[0])
	if copied := number(numbers[len(numbers)-1]); copied > 0 && len(numbers) == 3 {
		name += " (" + strconv.Itoa(copied+1) + ")"
	}
	return name, id
}

// number is a count or -1.
func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 1e9 {
		return -1
	}
	return n
}

// objectCommand reads M486 and Klipper's EXCLUDE_OBJECT_… (klippy/extras/exclude_object.py).
//
//	M486 T5    five will come        M486 S0    the first begins, S-1 none        M486 Acube    its name
func objectCommand(c Command, text []byte) []objectMark {
	if c.Letter == 0 {
		return macroObject(string(printable(text)))
	}
	marks := []objectMark{{kind: objectNumber, define: true}}
	if n, ok := c.Float('S'); ok && n >= -1 && n < 1e6 && n == float64(int(n)) {
		m := objectMark{kind: objectNumber, id: int(n)}
		if n >= 0 {
			m.key = strconv.Itoa(int(n))
		}
		marks = append(marks, m)
	}
	if name, ok := nameOf(c.Args); ok {
		marks = append(marks, objectMark{kind: objectNumber, key: currentObject, name: cutShort(name, maxObjectName)})
	}
	return marks
}

// currentObject is the key of the one under way.
const currentObject = "\x00now"

// nameOf is what stands behind the A of an M486, which may hold letters and spaces.
func nameOf(args []byte) (string, bool) {
	for i := range args {
		if upper(args[i]) == 'A' && (i == 0 || isSpace(args[i-1])) {
			return strings.Trim(string(printable(args[i+1:])), `" `), true
		}
	}
	return "", false
}

func macroObject(text string) []objectMark {
	verb, rest, _ := strings.Cut(text, " ")
	m := objectMark{kind: objectMacro, id: -1}
	for rest != "" {
		var key, value string
		key, value, rest = nextKey(rest)
		switch strings.ToUpper(key) {
		case "NAME":
			m.key, m.name = cutShort(value, 2*maxObjectName), cutShort(value, maxObjectName)
		case "CENTER":
			if p := pointsOf(value, 1); len(p) == 1 {
				m.center = &p[0]
			}
		case "POLYGON":
			m.polygon = pointsOf(value, maxPolygon)
		}
	}
	switch strings.ToUpper(verb) {
	case "EXCLUDE_OBJECT_DEFINE":
		m.define = true
	case "EXCLUDE_OBJECT_START":
	case "EXCLUDE_OBJECT_END":
		m.key, m.name = "", ""
	default:
		return nil
	}
	if m.define && m.key == "" {
		return nil // "EXCLUDE_OBJECT_DEFINE RESET=1"
	}
	return []objectMark{m}
}

// nextKey takes KEY=VALUE off the text; a value may be quoted.
func nextKey(text string) (key, value, rest string) {
	key, rest, _ = strings.Cut(strings.TrimLeft(text, " "), "=")
	for _, quote := range [...]string{`"`, "'"} {
		if quoted, ok := strings.CutPrefix(rest, quote); ok {
			value, rest, _ = strings.Cut(quoted, quote)
			return key, value, strings.TrimLeft(rest, " ")
		}
	}
	value, rest, _ = strings.Cut(rest, " ")
	return key, value, strings.TrimLeft(rest, " ")
}

// pointsOf reads "50,60" and "[[1,2],[3,4]]", at most so many points.
func pointsOf(text string, most int) (points [][2]float64) {
	var pair [2]float64
	n := 0
	for word := range bytes.FieldsFuncSeq([]byte(text), func(r rune) bool { return strings.ContainsRune("[], ", r) }) {
		v, digits, ok := parseNumber(word)
		if !ok || digits != len(word) || v < -maxCoordinate || v > maxCoordinate || len(points) == most {
			return points
		}
		if pair[n] = rounded(v); n == 1 {
			points = append(points, pair)
		}
		n = 1 - n
	}
	return points
}

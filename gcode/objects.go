package gcode

import (
	"bytes"
	"strconv"
	"strings"
)

// A file says which object of the plate its lines are of: in commands that some firmware knows (M486, EXCLUDE_OBJECT_…), or in comments. ObjectMarks follows
// either through a file:
//
//	comment, command ─▶ mark ─▶ Current ─▶ whose a move is: its bounds in the survey; left out, when a person skips it

// Object is one of the things that a file prints, by its marks.
type Object struct {
	Name    string       `json:"name"` // at most 64 bytes that can be seen; "Object 3" where the file says none
	ID      string       `json:"id"`   // by which the firmware knows it: the number of M486, the NAME of EXCLUDE_OBJECT; "" it does not
	Min     [2]float64   `json:"min"`  // bounds of what is extruded, X Y in mm; equal to Max when nothing is
	Max     [2]float64   `json:"max"`
	Polygon [][2]float64 `json:"polygon,omitempty"` // its outline as the slicer says, at most 64 corners
	Printed bool         `json:"printed"`           // something is extruded in it
}

const (
	MaxObjects    = 256 // those after it count as none, and cannot be skipped
	maxObjectName = 64
	maxObjectKey  = 256 // bytes of a name that tell one from another
	maxCorners    = 64
)

// objectMarks are the ways in which files mark objects. The first that is seen counts: a file may have several, which say the same.
type objectMarks uint8

const (
	noObjects       objectMarks = iota
	objectsM486                 // "M486 S3", "M486 ACube", "M486 S-1"   Marlin, RepRapFirmware
	objectsExclude              // "EXCLUDE_OBJECT_START NAME=cube"   Klipper
	objectsPrinting             // "; printing object cube.stl id:0 copy 0"   PrusaSlicer and its kin, for OctoPrint
	objectsLabel                // "; start printing object, unique label id: 15"   Bambu Studio, OrcaSlicer
	objectsMesh                 // ";MESH:cube.stl", ";MESH:NONMESH"   Cura
)

// ObjectMarks follows the marks of objects through a file from its beginning. Whoever follows the same file gets the same numbers. The zero value is ready.
type ObjectMarks struct {
	Objects []Object
	kind    objectMarks
	current int // 1-based; 0 = none
	byKey   map[string]int
}

// Current is the number of the object that the lines from here on are of: from 1, as in Objects; 0 for none.
func (o *ObjectMarks) Current() int { return o.current }

// ByCommand reports whether the marks are commands, so that a firmware that knows them knows the objects too, and by which: 'M' for M486, 'E' for EXCLUDE_OBJECT.
func (o *ObjectMarks) ByCommand() byte {
	switch o.kind {
	case objectsM486:
		return 'M'
	case objectsExclude:
		return 'E'
	}
	return 0
}

// Comment takes a comment that stands on a line of its own, without its ';'.
func (o *ObjectMarks) Comment(c []byte) {
	c = trimSpaces(c)
	if len(c) < len("MESH:x") {
		return
	}
	switch c[0] {
	case 'M':
		if rest, ok := bytes.CutPrefix(c, []byte("MESH:")); ok && o.is(objectsMesh) {
			if name := string(rest); name == "NONMESH" {
				o.current = 0
			} else {
				o.begin(name, name, "")
			}
		}
	case 'p':
		if rest, ok := bytes.CutPrefix(c, []byte("printing object ")); ok && o.is(objectsPrinting) {
			o.begin(string(rest), printingName(string(rest)), "")
		}
	case 's':
		const label = ", unique label id:"
		if rest, ok := bytes.CutPrefix(c, []byte("start printing object"+label)); ok && o.is(objectsLabel) {
			o.begin(string(trimSpaces(rest)), "", "")
		} else if rest, ok := bytes.CutPrefix(c, []byte("stop printing object")); ok {
			if kind := objectsPrinting; o.kind == objectsLabel && bytes.HasPrefix(rest, []byte(label)) || o.kind == kind && !bytes.HasPrefix(rest, []byte(label)) {
				o.current = 0
			}
		}
	}
}

// printingName is the name in "cube.stl id:0 copy 1": copies are told apart.
func printingName(s string) string {
	name, rest, found := cutLast(s, " id:")
	if !found {
		return s
	}
	if _, n, ok := cutLast(rest, " copy "); ok && n != "0" {
		if i, err := strconv.Atoi(n); err == nil {
			return name + " (" + strconv.Itoa(i+1) + ")"
		}
	}
	return name
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}

// Command takes a command. It reports whether it is a mark.
func (o *ObjectMarks) Command(c Command) bool {
	switch {
	case c.Is('M', 486):
		o.m486(c)
	case c.Letter == 0 && len(c.Args) > 0 && upper(c.Args[0]) == 'E' && hasPrefixBytesFold(c.Args, "EXCLUDE_OBJECT_"):
		o.exclude(c.Args[len("EXCLUDE_OBJECT_"):])
	default:
		return false
	}
	return true
}

// m486 knows "T3" (how many), "S1" (which from here on, less than 0 for none) and "AName" (its name, to the line's end).
func (o *ObjectMarks) m486(c Command) {
	if !o.is(objectsM486) {
		return
	}
	args := c.Args
	if len(args) > 0 && upper(args[0]) == 'A' {
		o.rename(args[1:])
		return
	}
	s, ok := c.Float('S')
	if !ok || s != s || s > 1e6 {
		return
	}
	if s < 0 {
		o.current = 0
		return
	}
	id := strconv.Itoa(int(s))
	o.begin(id, "", id)
	if i := bytes.IndexAny(args, " \""); i >= 0 { // RepRapFirmware: M486 S1 A"Name"
		if rest := trimSpaces(args[i:]); len(rest) > 1 && upper(rest[0]) == 'A' {
			o.rename(rest[1:])
		}
	}
}

func (o *ObjectMarks) rename(name []byte) {
	if n := objectName(string(bytes.Trim(trimSpaces(name), `"`))); o.current > 0 && n != "" {
		o.Objects[o.current-1].Name = n
	}
}

// exclude knows DEFINE NAME= CENTER= POLYGON=, START NAME= and END NAME=.
func (o *ObjectMarks) exclude(args []byte) {
	verb, rest, _ := strings.Cut(string(args), " ")
	if !o.is(objectsExclude) {
		return
	}
	words := macroWords(rest)
	name := words["NAME"]
	switch strings.ToUpper(verb) {
	case "DEFINE":
		if name == "" {
			return
		}
		was := o.current
		o.begin(strings.ToUpper(name), name, name)
		if i := o.current; i > 0 {
			o.Objects[i-1].Polygon = corners(words["POLYGON"])
		}
		o.current = was
	case "START":
		if name != "" {
			o.begin(strings.ToUpper(name), name, name) // Klipper takes names as upper case (exclude_object.py)
		}
	case "END":
		o.current = 0
	}
}

// macroWords reads KEY=value of a macro; a value may stand in quotes.
func macroWords(s string) map[string]string {
	words := map[string]string{}
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		key, rest, ok := strings.Cut(s, "=")
		if !ok {
			break
		}
		value := ""
		if rest != "" && (rest[0] == '\'' || rest[0] == '"') {
			value, rest, _ = strings.Cut(rest[1:], rest[:1])
		} else {
			value, rest, _ = strings.Cut(rest, " ")
		}
		words[strings.ToUpper(strings.TrimSpace(key))], s = value, rest
	}
	return words
}

// corners reads "[[1,2],[3,4.5],…]"; nil for anything else.
func corners(s string) (out [][2]float64) {
	s = strings.ReplaceAll(s, " ", "")
	s, ok := strings.CutPrefix(s, "[[")
	if s, ok = strings.CutSuffix(s, "]]"); !ok {
		return nil
	}
	for pair := range strings.SplitSeq(s, "],[") {
		xs, ys, _ := strings.Cut(pair, ",")
		x, n, okX := parseNumber([]byte(xs))
		y, m, okY := parseNumber([]byte(ys))
		if !okX || !okY || n != len(xs) || m != len(ys) || max(x, y) > maxCoordinate || min(x, y) < -maxCoordinate || len(out) == maxCorners {
			return nil
		}
		out = append(out, [2]float64{x, y})
	}
	return out
}

// is reports whether this kind of marks counts: the first that comes does.
func (o *ObjectMarks) is(kind objectMarks) bool {
	if o.kind == noObjects {
		o.kind = kind
	}
	return o.kind == kind
}

// begin says that the lines from here on are of the object with this key.
func (o *ObjectMarks) begin(key, name, id string) {
	if len(key) > maxObjectKey {
		key = key[:maxObjectKey]
	}
	i, known := o.byKey[key]
	if !known && len(o.Objects) < MaxObjects {
		if o.byKey == nil {
			o.byKey = map[string]int{}
		}
		i = len(o.Objects) + 1
		if name = objectName(name); name == "" {
			name = "Object " + strconv.Itoa(i)
		}
		if !sendable(id) {
			id = ""
		}
		o.Objects = append(o.Objects, Object{Name: name, ID: id})
		o.byKey[strings.Clone(key)] = i
	}
	o.current = i
}

// objectName makes a name fit to be shown.
func objectName(s string) string {
	return strings.TrimSpace(cutShort(string(printable([]byte(s[:min(len(s), maxObjectKey)]))), maxObjectName))
}

// sendable reports whether a name can stand in a command without quotes.
func sendable(id string) bool {
	return len(id) <= maxObjectName && !strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("'\"`;#*=\\", r)
	})
}

// extruded widens the bounds of the current object by a move.
func (o *ObjectMarks) extruded(m *motion, by *moved) {
	if o.current == 0 {
		return
	}
	one := &o.Objects[o.current-1]
	if by.by[0] == 0 && by.by[1] == 0 {
		return
	}
	for i := range 2 {
		low, high := min(m.at[i], m.at[i]-by.by[i]), max(m.at[i], m.at[i]-by.by[i])
		if by.curve.length > 0 {
			low, high = min(low, by.curve.low[i]), max(high, by.curve.high[i])
		}
		if !one.Printed {
			one.Min[i], one.Max[i] = low, high
		}
		one.Min[i], one.Max[i] = min(one.Min[i], low), max(one.Max[i], high)
	}
	one.Printed = true
}

// list is what was found, never nil.
func (o *ObjectMarks) list() []Object {
	if o.Objects == nil {
		return []Object{}
	}
	return o.Objects
}

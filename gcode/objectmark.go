package gcode

import (
	"bytes"
	"path"
	"strconv"
	"strings"
)

// objectMark is what one line says of objects.
type objectMark struct {
	kind    objectKind
	does    markDoes
	key     string // tells it from others; none where one ends
	name    string // as people see it; "" the file says none
	id      string // as firmware knows it
	center  *[2]float64
	polygon [][2]float64
}

type markDoes uint8

const (
	begins markDoes = iota
	ends
	describes
)

func begin(kind objectKind, key, name string) (objectMark, bool) {
	return objectMark{kind: kind, key: cutShort(key, maxObjectKey), name: strings.TrimSpace(cutShort(name, maxObjectName))}, true
}

func end(kind objectKind) (objectMark, bool) { return objectMark{kind: kind, does: ends}, true }

// mayMark sorts out most comments at a look.
func mayMark(c []byte) bool {
	if len(c) < len("MESH:x") {
		return false
	}
	switch c[0] {
	case 'M':
		return c[4] == ':'
	case 'P':
		return c[1] == 'R'
	case 'p', 's':
		return bytes.Contains(c[:min(len(c), 24)], []byte("printing object"))
	}
	return false
}

// objectComment reads comments that begin or end an object.
func objectComment(c []byte) (objectMark, bool) {
	const label = ", unique label id:"
	text := string(printable(c[:min(len(c), maxObjectKey)]))
	if rest, is := strings.CutPrefix(text, "printing object "); is {
		return begin(objectSentence, rest, sentenceObject(rest))
	}
	if rest, is := strings.CutPrefix(text, "start printing object"+label); is {
		rest = strings.TrimSpace(rest)
		return begin(labelComment, rest, "Object "+rest)
	}
	if rest, is := strings.CutPrefix(text, "stop printing object"); is {
		if strings.HasPrefix(rest, label) {
			return end(labelComment)
		}
		return end(objectSentence)
	}
	if rest, is := strings.CutPrefix(text, "MESH:"); is {
		if rest == "NONMESH" {
			return end(meshComment)
		}
		return begin(meshComment, rest, path.Base(strings.ReplaceAll(rest, `\`, "/")))
	}
	if rest, is := strings.CutPrefix(text, "PRINTING:"); is {
		if rest = strings.TrimSpace(rest); rest == "NON-OBJECT" || rest == "" {
			return end(meshComment)
		}
		return begin(meshComment, rest, rest)
	}
	return objectMark{}, false
}

// sentenceObject is the name in "cube.stl id:0 copy 1": the second of them is "cube.stl (2)".
func sentenceObject(text string) string {
	i := strings.LastIndex(text, " id:")
	if i < 0 {
		return text
	}
	name := text[:i]
	numbers := strings.Fields(text[i+len(" id:"):])
	if len(numbers) == 3 {
		if n, err := strconv.Atoi(numbers[2]); err == nil && n > 0 && n < 9999 {
			copied := " (" + strconv.Itoa(n+1) + ")"
			name = cutShort(name, maxObjectName-len(copied)) + copied
		}
	}
	return name
}

// ObjectOfM486 is the number of the object that an M486 begins; less than 0 for none. What stands in a name is no number.
//
//	M486 T5    five will come        M486 S0    the first begins, S-1 none        M486 Acube    its name
func ObjectOfM486(c Command) (number int, ok bool) {
	c.Args = c.Args[:nameAt(c.Args)]
	n, ok := c.Float('S')
	return int(n), ok && n > -1e6 && n < 1e6
}

func numberMark(c Command) (objectMark, bool) {
	n, ok := ObjectOfM486(c)
	if !ok || n < 0 {
		m, _ := end(objectNumber)
		return m, ok
	}
	id := strconv.Itoa(n)
	return objectMark{kind: objectNumber, key: id, id: id}, true
}

// nameAt is where the A of an M486 stands, behind which all is the name; the end, where there is none.
func nameAt(args []byte) int {
	for i := range args {
		if upper(args[i]) == 'A' && (i == 0 || isSpace(args[i-1])) {
			return i
		}
	}
	return len(args)
}

func nameOf(args []byte) (name string, ok bool) {
	if i := nameAt(args); i < len(args) {
		args = args[i+1:]
		return strings.TrimSpace(cutShort(strings.Trim(string(printable(args[:min(len(args), maxObjectKey)])), `" `), maxObjectName)), true
	}
	return "", false
}

// macroMark reads Klipper's EXCLUDE_OBJECT_DEFINE, _START and _END, which takes names in any case (klippy/extras/exclude_object.py).
func macroMark(text string) (objectMark, bool) {
	verb, rest, _ := strings.Cut(text, " ")
	m := objectMark{kind: objectMacro}
	for rest != "" {
		var key, value string
		key, value, rest = nextKey(rest)
		switch strings.ToUpper(key) {
		case "NAME":
			m.key, m.id, m.name = strings.ToUpper(cutShort(value, maxObjectKey)), value, strings.TrimSpace(cutShort(value, maxObjectName))
		case "CENTER":
			if p := pointsOf(value); len(p) == 1 {
				m.center = &p[0]
			}
		case "POLYGON":
			m.polygon = thinned(pointsOf(value))
		}
	}
	switch strings.ToUpper(verb) {
	case "EXCLUDE_OBJECT_DEFINE": // "EXCLUDE_OBJECT_DEFINE RESET=1" has no name
		m.does = describes
		return m, m.key != ""
	case "EXCLUDE_OBJECT_START":
		return m, m.key != ""
	case "EXCLUDE_OBJECT_END":
		return end(objectMacro)
	}
	return m, false
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

// pointsOf reads "50,60" and "[[1,2],[3,4]]"; nil for anything else.
func pointsOf(text string) (points [][2]float64) {
	var pair [2]float64
	n := 0
	for word := range bytes.FieldsFuncSeq([]byte(text), func(r rune) bool { return strings.ContainsRune("[], ", r) }) {
		v, digits, ok := parseNumber(word)
		if !ok || digits != len(word) || v < -maxCoordinate || v > maxCoordinate {
			return nil
		}
		if pair[n] = rounded(v); n == 1 {
			points = append(points, pair)
		}
		n = 1 - n
	}
	return points
}

// thinned keeps at most maxPolygon points of an outline, evenly.
func thinned(points [][2]float64) [][2]float64 {
	if len(points) <= maxPolygon {
		return points
	}
	kept := make([][2]float64, maxPolygon)
	for i := range kept {
		kept[i] = points[i*len(points)/maxPolygon]
	}
	return kept
}

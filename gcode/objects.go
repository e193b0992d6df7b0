package gcode

import (
	"strconv"
	"strings"
)

// A file says which object of the plate its lines are of: in commands that some firmware knows (M486, EXCLUDE_OBJECT_…), or in comments. ObjectMarks follows
// them through a file, for the survey and for the printer alike:
//
//	comment, command ─▶ objectMark (objectmark.go) ─▶ Current ─▶ whose a move is: its time, filament and bounds in the survey; left out, when a person skips it

// Object is one of the things on the plate, as the file marks them.
type Object struct {
	Name       string       `json:"name"`       // at most 64 bytes that can be seen; "Object 3" where the file says none
	ID         string       `json:"id"`         // by which firmware knows it: the number of M486, the NAME of EXCLUDE_OBJECT; "" it does not
	Extent     *Box         `json:"extent_mm"`  // bounds of extruding moves; nil when nothing extrudes
	CenterMM   *[2]float64  `json:"center_mm"`  // X Y, as the slicer says; nil when it does not
	PolygonMM  [][2]float64 `json:"polygon_mm"` // its outline, the same; at most maxPolygon points, never nil in a survey
	TimeS      float64      `json:"time_s"`     // with the travel in it
	FilamentMM float64      `json:"filament_mm"`
	Line       int64        `json:"line"` // where it begins first; 0 it never does
	Offset     int64        `json:"offset"`
	End        int64        `json:"end"` // byte where it ends last
}

// MaxObjects bounds a survey's memory. Those after it count as none.
const MaxObjects = 255

const (
	maxObjectName = 64
	maxObjectKey  = 256  // bytes of a name that tell one from another
	maxPolygon    = 64   // points of one
	maxPoints     = 4096 // points of all
)

// objectKind is a way in which files mark objects, the more trustworthy the greater. Files of some slicers have several at once.
type objectKind uint8

const (
	noObjects      objectKind = iota
	meshComment               // ";MESH:cube.stl", ";MESH:NONMESH"   Cura; ";PRINTING: cube"   ideaMaker
	labelComment              // "; start printing object, unique label id: 12"   Bambu Studio, OrcaSlicer
	objectSentence            // "; printing object cube id:0 copy 0"   PrusaSlicer and its kin, for OctoPrint
	objectNumber              // "M486 S3", "M486 Acube", "M486 S-1"   Marlin, RepRapFirmware
	objectMacro               // "EXCLUDE_OBJECT_START NAME=cube"   Klipper
)

// String is the kind's word in Contents.ObjectsBy.
func (k objectKind) String() string {
	return [...]string{"", "mesh_comment", "label_comment", "comment", "m486", "exclude_object"}[k]
}

// ObjectMarks follows the marks of objects through a file from its beginning, and numbers the objects in the order in which they are named. What names an object of a
// kind that is trusted more begins anew: the objects until then, of the other kind, are the same things. Who reads the file once more takes FollowObjects and comes to the
// survey's numbers from the first line on. What only describes or ends objects does not decide on the kind. The zero value is ready.
type ObjectMarks struct {
	Objects []Object // only with what marks tell of them

	kind   objectKind
	fixed  bool // kind does not change
	now    int
	keys   []string
	byKey  map[string]int
	early  *ObjectMarks // by what describes objects of a kind that has not begun any
	points int
}

// FollowObjects follows a file whose survey has found objects by this kind of marks (Contents.ObjectsBy): only they count. By no kind, or one that is not known,
// there are no objects.
func FollowObjects(by string) ObjectMarks {
	o := ObjectMarks{fixed: true}
	for k := meshComment; k <= objectMacro; k++ {
		if k.String() == by {
			o.kind = k
		}
	}
	return o
}

// Current is the number of the object that the lines from here on are of: from 1, as in Objects; 0 for none.
func (o *ObjectMarks) Current() int { return o.now }

// Comment takes a comment that stands on a line of its own, without its ';', and where it stands. It reports whether it is a mark.
func (o *ObjectMarks) Comment(c []byte, line, offset int64) bool {
	c = trimSpaces(c)
	if !mayMark(c) {
		return false
	}
	m, ok := objectComment(c)
	if ok {
		o.take(&m, line, offset)
	}
	return ok
}

// Command takes a command, and where it stands. It reports whether it is a mark.
func (o *ObjectMarks) Command(c Command, line, offset int64) bool {
	switch {
	case c.Letter == 'M' && c.Number == 486:
		if m, ok := numberMark(c); ok {
			o.take(&m, line, offset)
		}
		if name, ok := nameOf(c.Args); ok && o.kind == objectNumber && o.now > 0 && name != "" {
			o.Objects[o.now-1].Name = name
		}
	case c.Letter == 0 && hasPrefixBytesFold(c.Args, "EXCLUDE_OBJECT"):
		if m, ok := macroMark(string(printable(c.Args))); ok {
			o.take(&m, line, offset)
		}
	default:
		return false
	}
	return true
}

func (o *ObjectMarks) take(m *objectMark, line, offset int64) {
	switch {
	case m.kind == o.kind:
	case o.fixed || m.kind < o.kind:
		return
	case m.does == describes:
		if o.early == nil {
			o.early = &ObjectMarks{kind: m.kind, fixed: true}
		}
		o.early.take(m, line, offset)
		return
	case m.does != begins:
		return
	default:
		o.trust(m.kind)
	}
	now := 0
	switch m.does {
	case ends:
	case describes:
		now = o.now
		if i := o.find(m); i > 0 {
			one := &o.Objects[i-1]
			if o.points -= len(one.PolygonMM); o.points+len(m.polygon) > maxPoints {
				m.polygon = nil
			}
			o.points += len(m.polygon)
			one.CenterMM, one.PolygonMM = m.center, m.polygon
		}
	case begins:
		if now = o.find(m); now > 0 && o.Objects[now-1].Line == 0 {
			o.Objects[now-1].Line, o.Objects[now-1].Offset = line, offset
		}
	}
	if o.now != now {
		o.endAt(offset)
	}
	o.now = now
}

// endAt says where the object under way ends.
func (o *ObjectMarks) endAt(offset int64) {
	if o.now > 0 {
		o.Objects[o.now-1].End = offset
	}
}

// trust begins anew with marks of another kind, and with what has described its objects so far.
func (o *ObjectMarks) trust(kind objectKind) {
	if early := o.early; early != nil && early.kind == kind {
		*o = *early
	} else {
		*o = ObjectMarks{kind: kind, early: early}
	}
	o.fixed = false
}

// find returns the number of an object, a new one's if need be, 0 when there are too many.
func (o *ObjectMarks) find(m *objectMark) int {
	if o.now > 0 && o.keys[o.now-1] == m.key {
		return o.now
	}
	i, known := o.byKey[m.key]
	if known || len(o.Objects) == MaxObjects {
		return i
	}
	if o.byKey == nil {
		o.byKey = map[string]int{}
	}
	i = len(o.Objects) + 1
	key := strings.Clone(m.key)
	name, id := m.name, m.id
	if name == "" {
		name = "Object " + strconv.Itoa(i)
	}
	if !sendable(id) {
		id = ""
	}
	o.Objects, o.keys = append(o.Objects, Object{Name: strings.Clone(name), ID: strings.Clone(id)}), append(o.keys, key)
	o.byKey[key] = i
	return i
}

// sendable reports whether a name can stand in a command without quotes.
func sendable(id string) bool {
	return len(id) <= maxObjectName && !strings.ContainsFunc(id, func(r rune) bool {
		return r <= ' ' || r > '~' || strings.ContainsRune("'\"`;#*=\\", r)
	})
}

// objectsFound is what a survey tells of them. Time and filament are booked by their numbers.
func (c *contents) objectsFound(spent *spending) []Object {
	list := []Object{}
	for i, object := range c.objects.Objects {
		for feature := range maxFeatures {
			object.TimeS += spent[(i+1)*maxFeatures+feature]
			object.FilamentMM += c.pushed[i+1][feature]
		}
		object.TimeS, object.FilamentMM = rounded(min(object.TimeS, maxSeconds)), rounded(object.FilamentMM)
		if b := c.reached[i+1]; b.any {
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

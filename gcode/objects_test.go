package gcode

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

// follow gives the number of the object of each move of a file, and the objects.
func follow(file string) (of []int, objects []Object) {
	var marks ObjectMarks
	scan := NewScanner(strings.NewReader(file))
	scan.OnComment(func(c []byte, _, _ int64) { marks.Comment(c) })
	for scan.Scan() {
		if c := ParseCommand(scan.Line().Text); !marks.Command(c) && c.Letter == 'G' {
			of = append(of, marks.Current())
		}
	}
	return of, marks.Objects
}

func TestObjectMarks(t *testing.T) {
	for name, c := range map[string]struct {
		file  string
		of    string
		names []string
	}{
		"none": {"G1 X1\n; a comment\nG1 X2", "[0 0]", nil},
		"PrusaSlicer": {"G1 X0\n; printing object cube.stl id:0 copy 0\nG1 X1\n; stop printing object cube.stl id:0 copy 0\nG1 X2\n; printing object cube.stl id:0 copy 1\nG1 X3\n; stop printing object cube.stl id:0 copy 1\n; printing object cube.stl id:0 copy 0\nG1 X4",
			"[0 1 0 2 1]", []string{"cube.stl", "cube.stl (2)"}},
		"OrcaSlicer, both ways": {"; start printing object, unique label id: 15\n; printing object Cube_id_0_copy_0 id:0 copy 0\nG1 X1\n; stop printing object Cube_id_0_copy_0 id:0 copy 0\n; stop printing object, unique label id: 15\nG1 X2\n; start printing object, unique label id: 20\nG1 X3",
			"[1 0 2]", []string{"Object 1", "Object 2"}},
		"Cura":       {";MESH:a.stl\nG1 X1\n;MESH:NONMESH\nG1 X2\n;MESH:b.stl\nG1 X3\n;MESH:a.stl\nG1 X4", "[1 0 2 1]", []string{"a.stl", "b.stl"}},
		"M486":       {"M486 T2\nM486 S0\nM486 AThe cube, left\nG1 X1\nM486 S-1\nG1 X2\nM486 S1 A\"Other one\"\nG1 X3\nM486 S0\nG1 X4", "[1 0 2 1]", []string{"The cube, left", "Other one"}},
		"M486 first": {"M486 S3\nG1 X1\n;MESH:a.stl\nG1 X2\nM486 S-1\nG1 X3", "[1 1 0]", []string{"Object 1"}},
		"Klipper": {"EXCLUDE_OBJECT_DEFINE NAME=a_id_0 CENTER=1,2 POLYGON=[[0,0],[2,0],[2,4.5]]\nEXCLUDE_OBJECT_DEFINE NAME='b b'\nG1 X0\nEXCLUDE_OBJECT_START NAME=\"b b\"\nG1 X1\nEXCLUDE_OBJECT_END\nG1 X2\nEXCLUDE_OBJECT_START NAME=A_ID_0\nG1 X3\nEXCLUDE_OBJECT_END NAME=a_id_0\nG1 X4",
			"[0 2 0 1 0]", []string{"a_id_0", "b b"}},
		"hostile names": {";MESH:\x1b[31m\xff\xfe" + strings.Repeat("é", 200) + "\nG1 X1\n; MESH:\u202eevil\nG1 X2", "[1 2]", nil},
	} {
		of, objects := follow(c.file)
		if got := fmt.Sprint(of); got != c.of {
			t.Errorf("%s: moves of %s, want %s", name, got, c.of)
		}
		for i, o := range objects {
			if c.names != nil && (len(objects) != len(c.names) || o.Name != c.names[i]) {
				t.Errorf("%s: object %d of %d is %q, want %q", name, i, len(objects), o.Name, c.names)
			}
			if len(o.Name) > maxObjectName || !utf8.ValidString(o.Name) || strings.ContainsAny(o.Name, "\x1b\n") {
				t.Errorf("%s: the name %q", name, o.Name)
			}
		}
	}
	_, objects := follow("EXCLUDE_OBJECT_DEFINE NAME=a POLYGON=[[0,0],[2,0],[2,4.5]]\nEXCLUDE_OBJECT_DEFINE NAME=b;M112\nEXCLUDE_OBJECT_DEFINE NAME=c POLYGON=[[0,x]]\nEXCLUDE_OBJECT_DEFINE NAME='d e'")
	if len(objects) != 4 || fmt.Sprint(objects[0].Polygon) != "[[0 0] [2 0] [2 4.5]]" || objects[0].ID != "a" || objects[2].Polygon != nil || objects[3].ID != "" {
		t.Errorf("got %+v", objects)
	}
}

// The survey has the bounds of each object, arcs included.
func TestObjectBounds(t *testing.T) {
	s, err := SurveyFile(strings.NewReader("G28\nG92 E0\nG1 X5 Y5 Z.2 F3000\nG1 X6 Y6 E1\nM486 S0\nG0 X20 Y30\nG1 X40 Y30 E2\nG2 X60 Y30 I10 J0 E3\nM486 S-1\nG1 X200 Y200 E4\nM486 S7\nG0 X1 Y1\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Objects) != 2 || s.Objects[1].Printed {
		t.Fatalf("got %+v", s.Objects)
	}
	if o := s.Objects[0]; !o.Printed || o.Min != [2]float64{20, 30} || o.Max[0] != 60 || o.Max[1] < 39.9 || o.Max[1] > 40.1 || o.ID != "0" {
		t.Errorf("got %+v", o)
	}
}

func TestObjectsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range 3 * MaxObjects {
		fmt.Fprintf(&b, ";MESH:part %d\nG1 X%d\n", i, i)
	}
	of, objects := follow(b.String())
	if len(objects) != MaxObjects || of[MaxObjects-1] != MaxObjects || of[MaxObjects] != 0 {
		t.Errorf("%d objects; the one too many is %d", len(objects), of[MaxObjects])
	}
}

func FuzzObjectMarks(f *testing.F) {
	for _, seed := range []string{"; printing object a id:0 copy 1\nM486 S1", "M486 S1 A\"x\nM486 A", "EXCLUDE_OBJECT_DEFINE NAME='a POLYGON=[[1,2]", ";MESH:\nEXCLUDE_OBJECT_START NAME==", "M486 S1e9\nM486 Snan"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		file = bytes.ReplaceAll(file, []byte("|"), []byte("\n"))
		_, objects := follow(string(file))
		for _, o := range objects {
			if o.Name == "" || len(o.Name) > maxObjectName || !utf8.ValidString(o.Name) || len(o.ID) > maxObjectName || strings.ContainsAny(o.ID, " \n;*'\"") || len(o.Polygon) > maxCorners {
				t.Errorf("got %+v", o)
			}
		}
		if len(objects) > MaxObjects {
			t.Errorf("%d objects", len(objects))
		}
	})
}

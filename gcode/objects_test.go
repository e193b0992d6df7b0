package gcode

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// follow gives the number of the object of each move of a file, and the objects.
func follow(marks ObjectMarks, file []byte) (of []int, objects []Object) {
	scan := NewScanner(bytes.NewReader(file))
	scan.OnComment(func(c []byte, number, offset int64) { marks.Comment(c, number, offset) })
	for scan.Scan() {
		l := scan.Line()
		if c := ParseCommand(l.Text); !marks.Command(c, l.Number, l.Offset) && c.Letter == 'G' {
			of = append(of, marks.Current())
		}
	}
	return of, marks.Objects
}

// checkAgreed follows a file as the printer does, and compares with the survey: the same objects, which begin in the same lines.
func checkAgreed(t *testing.T, s *Survey, file []byte) {
	t.Helper()
	of, objects := follow(FollowObjects(s.ObjectsBy), file)
	if len(objects) != len(s.Objects) || (len(objects) == 0) != (s.ObjectsBy == "") {
		t.Fatalf("the survey has %d objects by %q, the printer %d", len(s.Objects), s.ObjectsBy, len(objects))
	}
	moves := make([]bool, len(objects)+1)
	for _, i := range of {
		moves[i] = true
	}
	for i, o := range objects {
		if v := s.Objects[i]; v.Name != o.Name || v.ID != o.ID || v.Line != o.Line || v.Offset != o.Offset || v.Line > 0 && v.End <= v.Offset || len(v.PolygonMM) != len(o.PolygonMM) {
			t.Fatalf("object %d is %+v to the survey, %+v to the printer", i+1, v, o)
		} else if v.Extent != nil && !moves[i+1] {
			t.Fatalf("object %d has extruding moves to the survey, no moves to the printer: %+v", i+1, v)
		}
		if o.Name == "" || len(o.Name) > maxObjectName || !utf8.ValidString(o.Name) || strings.ContainsAny(o.Name, "\x1b\n") || len(o.ID) > maxObjectName || strings.ContainsAny(o.ID, " \n;*'\"") || len(o.PolygonMM) > maxPolygon {
			t.Fatalf("got %+v", o)
		}
	}
	if len(objects) > MaxObjects {
		t.Fatalf("%d objects", len(objects))
	}
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
			"[1 0 0]", []string{"Cube_id_0_copy_0"}},
		"Cura":                            {";MESH:a.stl\nG1 X1\n;MESH:NONMESH\nG1 X2\n;MESH:b.stl\nG1 X3\n;MESH:a.stl\nG1 X4", "[1 0 2 1]", []string{"a.stl", "b.stl"}},
		"M486":                            {"M486 T2\nM486 S0\nM486 AThe cube, left\nG1 X1\nM486 S-1\nG1 X2\nM486 S1 A\"Other one\"\nG1 X3\nM486 S0\nG1 X4", "[1 0 2 1]", []string{"The cube, left", "Other one"}},
		"a name that looks like a number": {"M486 S0\nM486 ABS1 S5\nG1 X1", "[1]", []string{"BS1 S5"}},
		"M486 first":                      {"M486 S3\nG1 X1\n;MESH:a.stl\nG1 X2\nM486 S-1\nG1 X3", "[1 1 0]", []string{"Object 1"}},
		"ends and counts decide nothing":  {"M486 T3\nM486 S-1\nEXCLUDE_OBJECT_END\nEXCLUDE_OBJECT_DEFINE NAME=x\n;MESH:a.stl\nG1 X2\nM486 S-1\nG1 X3", "[1 1]", []string{"a.stl"}},
		"Klipper": {"EXCLUDE_OBJECT_DEFINE NAME=a_id_0 CENTER=1,2 POLYGON=[[0,0],[2,0],[2,4.5]]\nEXCLUDE_OBJECT_DEFINE NAME='b b'\nG1 X0\nEXCLUDE_OBJECT_START NAME=\"b b\"\nG1 X1\nEXCLUDE_OBJECT_END\nG1 X2\nEXCLUDE_OBJECT_START NAME=A_ID_0\nG1 X3\nEXCLUDE_OBJECT_END NAME=a_id_0\nG1 X4",
			"[0 2 0 1 0]", []string{"a_id_0", "b b"}},
		"hostile names": {";MESH:\x1b[31m\xff\xfe" + strings.Repeat("é", 200) + "\nG1 X1\n; MESH:\u202eevil\nG1 X2", "[1 2]", nil},
	} {
		s := survey(t, c.file+"\nG1 X9\n")
		of, objects := follow(FollowObjects(s.ObjectsBy), []byte(c.file))
		checkAgreed(t, &s, []byte(c.file+"\nG1 X9\n"))
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
	_, objects := follow(FollowObjects("exclude_object"), []byte("EXCLUDE_OBJECT_DEFINE NAME=a POLYGON=[[0,0],[2,0],[2,4.5]]\nEXCLUDE_OBJECT_DEFINE NAME=b;M112\nEXCLUDE_OBJECT_DEFINE NAME=c POLYGON=[[0,x]]\nEXCLUDE_OBJECT_DEFINE NAME='d e'"))
	if len(objects) != 4 || fmt.Sprint(objects[0].PolygonMM) != "[[0 0] [2 0] [2 4.5]]" || objects[0].ID != "a" || objects[2].PolygonMM != nil || objects[3].ID != "" {
		t.Errorf("got %+v", objects)
	}
}

// The survey has the bounds of each object, arcs included.
func TestObjectBounds(t *testing.T) {
	s := survey(t, "G28\nG92 E0\nG1 X5 Y5 Z.2 F3000\nG1 X6 Y6 E1\nM486 S0\nG0 X20 Y30\nG1 X40 Y30 E2\nG2 X60 Y30 I10 J0 E3\nM486 S-1\nG1 X200 Y200 E4\nM486 S7\nG0 X1 Y1\n")
	if len(s.Objects) != 2 || s.Objects[1].Extent != nil {
		t.Fatalf("got %+v", s.Objects)
	}
	if o := s.Objects[0]; o.Extent == nil || o.Extent.Min[0] != 20 || o.Extent.Min[1] != 30 || o.Extent.Max[0] != 60 || o.Extent.Max[1] < 39.9 || o.Extent.Max[1] > 40.1 || o.ID != "0" {
		t.Errorf("got %+v", o)
	}
}

// Two things: the first is printed from X 10 to 20, the second from 30 to 50, with 1 and 2 mm of filament.
func TestObjects(t *testing.T) {
	const first, second = "G1 X10 Y10 Z0.2 F600\nG1 X20 Y12 E1\n", "G1 X30 Y10\nG1 X50 Y12 E2\n"
	for _, c := range []struct {
		name, file string
		names      []string
		ids        []string
	}{
		{"PrusaSlicer", "; printing object cube.stl id:0 copy 0\n" + first + "; stop printing object cube.stl id:0 copy 0\n; printing object cube.stl id:0 copy 1\n" + second + "; stop printing object cube.stl id:0 copy 1\n",
			[]string{"cube.stl", "cube.stl (2)"}, []string{"", ""}},
		{"Bambu Studio", "; start printing object, unique label id: 15\n" + first + "; stop printing object, unique label id: 15\n; start printing object, unique label id: 27\n" + second + "; stop printing object, unique label id: 27\n",
			[]string{"Object 15", "Object 27"}, []string{"", ""}},
		{"Cura", ";MESH:/home/me/cube.stl\n" + first + ";MESH:NONMESH\nG1 X0\n;MESH:C:\\things\\ring.stl\n" + second + ";MESH:NONMESH\n", []string{"cube.stl", "ring.stl"}, []string{"", ""}},
		{"ideaMaker", ";PRINTING: cube\n;PRINTING_ID: 0\n" + first + ";PRINTING: NON-OBJECT\n;PRINTING_ID: -1\nG1 X0\n;PRINTING: ring\n;PRINTING_ID: 1\n" + second + ";PRINTING: NON-OBJECT\n", []string{"cube", "ring"}, []string{"", ""}},
		{"M486", "M486 T2\nM486 S0\nM486 Acube of mine\n" + first + "M486 S-1\nM486 S1 A\"ring\"\n" + second + "M486 S-1\n", []string{"cube of mine", "ring"}, []string{"0", "1"}},
		{"Klipper", "EXCLUDE_OBJECT_START NAME=cube\n" + first + "EXCLUDE_OBJECT_END NAME=cube\nEXCLUDE_OBJECT_START NAME=\"a ring\"\n" + second + "EXCLUDE_OBJECT_END\n", []string{"cube", "a ring"}, []string{"cube", ""}},
		{"comments, then commands", "; printing object x id:0 copy 0\nM486 S0\nM486 Acube\n" + first + "M486 S-1\n; stop printing object x id:0 copy 0\nM486 S1\nM486 Aring\n; printing object y id:1 copy 0\n" + second + "; stop printing object y id:1 copy 0\nM486 S-1\n",
			[]string{"cube", "ring"}, []string{"0", "1"}},
	} {
		s := survey(t, "G28\nM83\nG1 X0 Y0 Z5 F600\nG1 X5 E7\n"+c.file+"G1 X99 E4\n")
		if len(s.Objects) != 2 {
			t.Errorf("%s: %d objects, want 2: %+v", c.name, len(s.Objects), s.Objects)
			continue
		}
		for i, o := range s.Objects {
			from, to := []float64{10, 30}[i], []float64{20, 50}[i]
			if o.Name != c.names[i] || o.ID != c.ids[i] || o.FilamentMM != float64(i+1) || o.Extent == nil || o.Extent.Min[0] != from || o.Extent.Max[0] != to || o.TimeS < 1 || o.TimeS > 6 || o.Line == 0 {
				t.Errorf("%s: %d is %+v (%+v), want %q %q from X %v to %v", c.name, i, o, o.Extent, c.names[i], c.ids[i], from, to)
			}
		}
		if s.Extent.Min[0] != 0 || s.Extent.Max[0] != 99 || s.Extent.Max[2] != 5 {
			t.Errorf("%s: bounds of all are %v", c.name, *s.Extent)
		}
	}
}

func TestObjectDefinitions(t *testing.T) {
	s := survey(t, "EXCLUDE_OBJECT_DEFINE RESET=1\nEXCLUDE_OBJECT_DEFINE NAME=cube CENTER=50,60.5 POLYGON=[[40,50],[60,50.25],[60,71]]\nexclude_object_define name='no shape'\nM83\n; printing object cube id:0 copy 0\n"+
		"EXCLUDE_OBJECT_START NAME=cube\nG1 X5 E1\nEXCLUDE_OBJECT_END NAME=cube\n")
	if len(s.Objects) != 2 {
		t.Fatalf("%+v", s.Objects)
	}
	cube, other := s.Objects[0], s.Objects[1]
	if cube.CenterMM == nil || *cube.CenterMM != [2]float64{50, 60.5} || !slices.Equal(cube.PolygonMM, [][2]float64{{40, 50}, {60, 50.25}, {60, 71}}) || cube.Line != 6 || cube.FilamentMM != 1 {
		t.Errorf("got %+v", cube)
	}
	if other.Name != "no shape" || other.CenterMM != nil || len(other.PolygonMM) != 0 || other.Extent != nil || other.Line != 0 {
		t.Errorf("got %+v", other)
	}
}

func TestObjectsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("M83\n")
	for i := range MaxObjects + 50 {
		fmt.Fprintf(&b, "EXCLUDE_OBJECT_DEFINE NAME=%d POLYGON=[%s[1,1]]\nEXCLUDE_OBJECT_START NAME=%d\nG1 X%d E1\nEXCLUDE_OBJECT_END\n", i, strings.Repeat("[1,2],", 90), i, i%3)
	}
	s := survey(t, b.String())
	points := 0
	for _, o := range s.Objects {
		points += len(o.PolygonMM)
	}
	if len(s.Objects) != MaxObjects || points > maxPoints || points < maxPoints-maxPolygon {
		t.Errorf("%d objects with %d points, want %d with at most %d", len(s.Objects), points, MaxObjects, maxPoints)
	}
}

// markedFile has marks of all kinds in any order, with moves between them.
func markedFile(r *rand.Rand) []byte {
	lines := []string{"; printing object %[1]s id:%[2]d copy %[3]d", "; stop printing object %[1]s id:%[2]d copy %[3]d", "; start printing object, unique label id: %[2]d", "; stop printing object, unique label id: %[2]d",
		";MESH:%[1]s", ";MESH:NONMESH", ";PRINTING: %[1]s", ";PRINTING: NON-OBJECT", "M486 T%[2]d", "M486 S%[2]d", "M486 S-1", "M486 A%[1]s", "M486 S%[2]d A\"%[1]s\"",
		"EXCLUDE_OBJECT_DEFINE NAME=%[1]s POLYGON=[[1,2],[%[2]d,4]]", "EXCLUDE_OBJECT_START NAME=%[1]s", "EXCLUDE_OBJECT_END NAME=%[1]s", "; thumbnail begin 16x16 %[2]d", "; thumbnail end", ";LAYER_CHANGE", ";TYPE:Skirt",
		"G28", "G1 X%[2]d E1", "G1 X%[2]d E1", "G1 X%[2]d E1", "@pause %[1]s", "T%[3]d"}
	kinds := 1 + r.IntN(len(lines)) // some files have few kinds
	var b bytes.Buffer
	b.WriteString("M83\nG1 X1 Y1 Z1 F600\n")
	for range r.IntN(200) {
		i := r.IntN(kinds)
		if r.IntN(3) == 0 {
			i = r.IntN(len(lines))
		}
		text := fmt.Sprintf(lines[i], []string{"a", "B", "b c", "x'y"}[r.IntN(4)], r.IntN(5), r.IntN(3))
		if j := strings.Index(text, "%!"); j >= 0 { // of what the line has no place for
			text = text[:j]
		}
		b.WriteString(text + "\n")
	}
	return b.Bytes()
}

// Whatever the marks, and however many kinds of them: survey and printer give the same numbers to the same objects.
func TestObjectsAreAgreed(t *testing.T) {
	by := map[string]int{}
	for seed := range uint64(3000) {
		file := markedFile(rand.New(rand.NewPCG(seed, 9)))
		s, err := SurveyFile(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		checkAgreed(t, &s, file)
		if by[s.ObjectsBy]++; t.Failed() {
			t.Fatalf("seed %d:\n%s", seed, file)
		}
	}
	if len(by) != 6 {
		t.Errorf("not all kinds were tried: %v", by)
	}
}

func FuzzObjectMarks(f *testing.F) {
	for _, seed := range []string{"; printing object a id:0 copy 1\nM486 S1", "M486 S1 A\"x\nM486 A", "EXCLUDE_OBJECT_DEFINE NAME='a POLYGON=[[1,2]", ";MESH:\nEXCLUDE_OBJECT_START NAME==", "M486 S1e9\nM486 Snan", "; thumbnail begin 9x9 9\n;MESH:a\nEXCLUDE_OBJECT_DEFINE NAME=b\nEXCLUDE_OBJECT_START NAME=c"} {
		f.Add([]byte(seed))
	}
	for seed := range uint64(8) {
		f.Add(markedFile(rand.New(rand.NewPCG(seed, 9))))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := SurveyFile(bytes.NewReader(file))
		if err == nil {
			checkAgreed(t, &s, file)
		}
	})
}

// The plates of the corpus: what the survey knows of them, and the printer as well.
func TestObjectsOfTheCorpus(t *testing.T) {
	for name, want := range map[string]struct {
		by string
		n  int
	}{
		"ps_plate_multi.gcode": {"comment", 5}, "cura_cube20_rawcli.gcode": {"mesh_comment", 1}, "public/mini_cube_ps2.8.1.gcode": {"m486", 1}, "public/gp_vase.gcode": {"comment", 1},
		"ps_cube20.gcode": {"", 0},
	} {
		file := corpusFile(t, name)
		s, err := SurveyFile(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		checkAgreed(t, &s, file)
		if s.ObjectsBy != want.by || len(s.Objects) != want.n {
			t.Errorf("%s: %d objects by %q, want %d by %q", name, len(s.Objects), s.ObjectsBy, want.n, want.by)
		}
		of, _ := follow(FollowObjects(s.ObjectsBy), file)
		in := 0
		for _, i := range of {
			if i > 0 {
				in++
			}
		}
		for _, o := range s.Objects {
			if o.Extent == nil || o.FilamentMM <= 0 || o.TimeS <= 0 || in*2 < len(of) {
				t.Errorf("%s: %+v, and %d of %d moves are of objects", name, o, in, len(of))
			}
		}
	}
}

package moonraker

import (
	"reflect"
	"strings"
	"testing"

	"layerd/gcode"
	"layerd/printer"
)

// A client that asks for one object gets that one, however alike their names are.
func TestKlipperNames(t *testing.T) {
	got := klipperNames([]gcode.Object{{Name: "a_3"}, {Name: "a"}, {Name: "A"}, {ID: "Clip\"; M112"}, {Name: "Object 5", ID: "4"}})
	if want := []string{"A_3", "A", "A_3_4", "CLIP___M112", "OBJECT_5"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// The map of the plate, and its button, which an operator has.
func TestExcludeObject(t *testing.T) {
	g := newStage(t)
	g.ask(200, "viewer", "GET", "/printer/objects/query?exclude_object", "", "result/status/exclude_object", map[string]any{"objects": []any{}, "excluded_objects": []any{}, "current_object": nil})
	plate := "M83\nG28\nM109 S200\nG1 X1 Y1 Z0.2 F3000\n; printing object a cube.stl id:0 copy 0\nG1 X10 Y20 E5\nG1 X30 Y40 E5\n; stop printing object a cube.stl id:0 copy 0\n; printing object a cube.stl id:0 copy 1\nG1 X60 Y20 E5\n; stop printing object a cube.stl id:0 copy 1\n"
	if _, _, err := g.Put(t.Context(), "plate.gcode", strings.NewReader(plate), int64(len(plate)), true); err != nil {
		t.Fatal(err)
	}
	g.Change(func(s *printer.Snapshot) {
		s.State, s.Job = printer.Printing, &printer.JobStatus{ID: "0123456789", File: "plate.gcode", Objects: 2, Object: 1, Skipped: []int{0}}
	})
	const query = "/printer/objects/query?exclude_object"
	g.ask(200, "viewer", "GET", query, "", "result/status/exclude_object/objects/0/name", "A_CUBE.STL", "result/status/exclude_object/objects/0/polygon/0", []any{1.0, 1.0}, "result/status/exclude_object/current_object", "A_CUBE.STL__2_",
		"result/status/exclude_object/excluded_objects", []any{"A_CUBE.STL"})
	told := func(want ...string) {
		t.Helper()
		if got := g.Printer.Told(); !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
			t.Errorf("the printer was told %q, want %q", got, want)
		}
	}
	const script = "/printer/gcode/script"
	g.ask(403, "viewer", "POST", script, `{"script":"EXCLUDE_OBJECT NAME=a_cube.stl"}`)
	g.ask(200, "operator", "POST", script, `{"script":"EXCLUDE_OBJECT NAME=a_cube.stl__2_"}`, "result", "ok")
	told("skip object 0123456789 1 true")
	g.ask(200, "operator", "POST", script, `{"script":"exclude_object current=1"}`, "result", "ok")
	told("skip object 0123456789 1 true")
	g.ask(200, "operator", "POST", script, `{"script":"EXCLUDE_OBJECT RESET=1"}`, "result", "ok")
	told("skip object 0123456789 0 false")
	for _, line := range []string{"EXCLUDE_OBJECT", "EXCLUDE_OBJECT NAME=other", "EXCLUDE_OBJECT NAME="} {
		g.ask(400, "operator", "POST", script, `{"script":"`+line+`"}`)
	}
	g.ask(403, "operator", "POST", script, `{"script":"EXCLUDE_OBJECT NAME=a_cube.stl\nM112"}`)
	g.ask(403, "operator", "POST", script, `{"script":"EXCLUDE_OBJECT_START NAME=a_cube.stl"}`)
	told()
	g.Change(func(s *printer.Snapshot) {
		s.Job = &printer.JobStatus{ID: "9", File: "gone.gcode", Objects: 2, Object: 1}
	})
	g.ask(200, "viewer", "GET", query, "", "result/status/exclude_object/objects", []any{}, "result/status/exclude_object/current_object", nil)
}

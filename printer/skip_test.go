package printer

import (
	"bytes"
	"fmt"
	"io"
	"layerd/gcode"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// stroke is a move as a machine makes it: where from, where to, what it pushes, and how much of the filament was held back before.
type stroke struct {
	from, to     [3]float64
	way          string // of an arc: its centre
	push, held   float64
	feed         float64
	pulled       bool // by G10
	travels      bool // it moves, and extrudes nothing
	tool         int
	line         int // of the lines that were given, from 0
	highest      float64
	overExtruded float64 // filament pushed without a move beyond what was held back
}

// machine follows lines as a Marlin does that forgets M83 at G90. It is made for this test alone, and knows nothing of course.
func machine(lines []string) (strokes []stroke, fan []string) {
	at, e := [3]float64{}, 0.0
	net, most := map[int]float64{}, map[int]float64{}
	absolute, absoluteE, scale, feed, tool, pulled, top := true, true, 1.0, 0.0, 0, false, 0.0
	for n, line := range lines {
		words := strings.Fields(line)
		has := map[byte]float64{}
		for _, w := range words[1:] {
			if v, err := strconv.ParseFloat(w[1:], 64); err == nil {
				has[w[0]] = v
			}
		}
		switch words[0] {
		case "G20":
			scale = 25.4
		case "G21":
			scale = 1
		case "G90", "G91":
			absolute = words[0] == "G90"
			absoluteE = absolute
		case "M82", "M83":
			absoluteE = words[0] == "M82"
		case "G92":
			if v, ok := has['E']; ok {
				e = v * scale
			}
		case "G10", "G11":
			pulled = words[0] == "G10"
		case "T0", "T1":
			tool = int(words[0][1] - '0')
		case "G0", "G1", "G2", "G3":
			s := stroke{from: at, held: most[tool] - net[tool], tool: tool, line: n, pulled: pulled}
			if v, ok := has['F']; ok {
				feed = v * scale
			}
			for i, letter := range []byte("XYZ") {
				if v, ok := has[letter]; ok && absolute {
					at[i] = v * scale
				} else if ok {
					at[i] += v * scale
				}
			}
			by := 0.0
			if v, ok := has['E']; ok {
				if by = v * scale; absoluteE {
					by -= e
				}
				e += by
			}
			if len(has) == 1 && has['F'] != 0 {
				continue
			}
			s.to, s.push, s.feed = at, by, feed
			net[tool] += by
			if words[0] > "G1" {
				s.way = fmt.Sprintf("%s I%g J%g", words[0], has['I'], has['J'])
			}
			moves := s.from != s.to
			if s.travels = moves && by <= 0; moves && by > 0 {
				top = max(top, at[2], s.from[2])
			}
			if !moves {
				s.overExtruded = net[tool] - most[tool]
			}
			s.highest = top
			most[tool] = max(most[tool], net[tool])
			strokes = append(strokes, s)
		default:
			fan = append(fan, line)
		}
	}
	return strokes, fan
}

// extruding are the strokes that bring out filament, and the primes in place.
func extruding(strokes []stroke) (out []stroke) {
	for _, s := range strokes {
		if s.push > 0 && (s.from != s.to || s.overExtruded > 2e-3) {
			out = append(out, s)
		}
	}
	return out
}

// skipping is what is sent of a file: all of it, and without the objects that are skipped from a line on (later, where that one does not go).
func skipping(t *testing.T, file []byte, skip map[int]int64) (all []jobLine, sent []jobLine, objects []gcode.Object) {
	t.Helper()
	return skippingFrom(t, file, skip, true)
}

func skippingFrom(t *testing.T, file []byte, skip map[int]int64, g90SetsE bool) (all []jobLine, sent []jobLine, objects []gcode.Object) {
	t.Helper()
	survey, err := gcode.SurveyFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	j := openJob(JobInfo{ID: "t", Size: int64(len(file)), Survey: survey}, io.NopCloser(bytes.NewReader(file)))
	defer j.close()
	j.skip.profile, j.skip.g90SetsE, j.skip.objects = Presets()[0], g90SetsE, survey.Objects
	plain := openJob(JobInfo{ID: "t", Survey: survey}, io.NopCloser(bytes.NewReader(file)))
	defer plain.close()
	read := func(j *job, ask bool) (out []jobLine) {
		for {
			l, err := j.next()
			if err == errStarved {
				j.feed(<-j.batches)
				continue
			}
			if err != nil {
				if err != io.EOF {
					t.Fatal(err)
				}
				return out
			}
			for object, line := range skip {
				if line == 0 && ask { // before the first
					j.skip.asked[object+1] = true
				}
				if ask && l.pos.line >= line && !j.skip.asked[object+1] && len(j.back) == 0 {
					skip[object] = l.pos.line // which goes
					if err := j.skip.ask(object, true); err != nil {
						t.Fatal(err)
					}
				}
			}
			out = append(out, l)
			j.taken()
		}
	}
	return read(plain, false), read(j, true), survey.Objects
}

func texts(lines []jobLine) (out []string) {
	for _, l := range lines {
		out = append(out, string(l.text))
	}
	return out
}

// same fails unless what is printed of sent is what is printed of all, less the skipped objects' from the line on that each was asked at.
func same(t *testing.T, all, sent []jobLine, skip map[int]int64) {
	t.Helper()
	whole, _ := machine(texts(all))
	less, _ := machine(texts(sent))
	want := slices.DeleteFunc(extruding(whole), func(s stroke) bool {
		pos := all[s.line].pos
		line, skipped := skip[pos.object-1]
		return skipped && pos.line > line // the one at which it was asked is on its way
	})
	got := extruding(less)
	for i := range min(len(got), len(want)) {
		g, w := got[i], want[i]
		if off := distance(g, w); off > 2e-4 || g.way != w.way || g.tool != w.tool || g.pulled != w.pulled || math.Abs(g.feed-w.feed) > 0.01 {
			t.Fatalf("stroke %d is %+v (%s), want %+v (line %d %s)", i, g, sent[g.line].text, w, all[w.line].pos.line, all[w.line].text)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d strokes, want %d of %d", len(got), len(want), len(extruding(whole)))
	}
	// What the file does not say moves only above all that is printed, pulled back as far as the file pulls, and brings out nothing.
	from := map[string]bool{}
	for _, l := range all {
		from[fmt.Sprint(l.pos.line, string(l.text))] = true
	}
	for _, s := range less {
		if from[fmt.Sprint(sent[s.line].pos.line, string(sent[s.line].text))] {
			continue
		}
		if s.overExtruded > 2e-3 || s.push > 0 && s.from != s.to {
			t.Fatalf("%s brings out %g mm", sent[s.line].text, s.overExtruded)
		}
		if across := s.from[0] != s.to[0] || s.from[1] != s.to[1]; across && (s.from[2] < s.highest+0.5 || s.to[2] != s.from[2]) {
			t.Fatalf("%s goes across at %g, where %g is printed", sent[s.line].text, s.from[2], s.highest)
		}
	}
}

func distance(a, b stroke) (off float64) {
	for i := range 3 {
		off = max(off, math.Abs(a.from[i]-b.from[i]), math.Abs(a.to[i]-b.to[i]))
	}
	return max(off, math.Abs(a.push-b.push), math.Abs(a.held-b.held))
}

// Of a real plate any object can be skipped, at any line: the others are printed to the last digit as without that.
func TestSkipOnARealPlate(t *testing.T) {
	for _, name := range []string{"ps_plate_multi.gcode", "cura_cube20_rawcli.gcode"} {
		t.Run(name, func(t *testing.T) {
			const corpus = "../../shared/corpus"
			if _, err := os.Stat(corpus); err != nil {
				t.Skipf("the corpus of real files is absent: %v", err)
			}
			file, err := os.ReadFile(filepath.Join(corpus, name))
			if err != nil {
				t.Fatal(err)
			}
			if name != "ps_plate_multi.gcode" { // one mesh: a second one lets it be skipped
				file = append(file, []byte(";MESH:another\nG92 E0\nG1 X10 Y10 E1 F600\n")...)
			}
			all, _, objects := skipping(t, file, nil)
			if name == "ps_plate_multi.gcode" && len(objects) != 5 {
				t.Fatalf("%d objects, want 5: %+v", len(objects), objects)
			}
			for _, at := range []int64{3050, 0, 9000}[:few(3)] {
				for object := range objects {
					skip := map[int]int64{object: at}
					all, sent, _ := skipping(t, file, skip)
					same(t, all, sent, skip)
				}
			}
			if len(objects) > 3 {
				skip := map[int]int64{0: 500, 2: 3000, 3: 3000, 4: 6000}
				all, sent, _ := skipping(t, file, skip)
				same(t, all, sent, skip)
				if len(sent) > len(all)/2 {
					t.Errorf("%d of %d lines are sent of one object in five", len(sent), len(all))
				}
			}
			_, sent, _ := skipping(t, file, nil)
			if !slices.Equal(texts(all), texts(sent)) {
				t.Error("nothing is skipped, and other lines are sent")
			}
		})
	}
}

// plate writes a file of three objects, in a way that r chooses.
func plate(r *rand.Rand) string {
	var b strings.Builder
	say := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	relE, inches, g10, marks, hops, tools := r.IntN(2) == 0, r.IntN(4) == 0, r.IntN(3) == 0, r.IntN(4), r.IntN(2) == 0, r.IntN(3) == 0
	unit := 1.0
	if inches {
		unit = 1 / 25.4
	}
	e := 0.0
	ext := func(mm float64) string {
		if e += mm * unit; relE {
			return fmt.Sprintf("E%.6f", mm*unit)
		}
		return fmt.Sprintf("E%.6f", e)
	}
	say("G28\nM109 S200")
	if inches {
		say("G20")
	}
	say(map[bool]string{true: "M83", false: "M82"}[relE])
	say("G92 E0\nG1 X%.4f Y%.4f Z%.4f F%.3f", 5*unit, 5*unit, 0.3*unit, 3000*unit)
	layers := 6
	one := func(object, layer int) {
		name := string(rune('A' + object))
		switch marks {
		case 0:
			say("; printing object %s id:%d copy 0", name, object)
		case 1:
			say("M486 S%d", object)
		case 2:
			say("EXCLUDE_OBJECT_START NAME=%s", name)
		case 3:
			say(";MESH:%s", name)
		}
		z := 0.2 * float64(layer+1)
		if hops {
			say("G91\nG1 Z%.4f\nG90\n%s", 0.5*unit, map[bool]string{true: "M83", false: "M82"}[relE])
		}
		if r.IntN(4) == 0 {
			say("M106 S%d", r.IntN(255))
		}
		if r.IntN(6) == 0 {
			say("M204 S%d", 500+r.IntN(500))
		}
		if g10 {
			say("G10")
		} else {
			say("G1 %s F%.3f", ext(-2), 2400*unit)
		}
		if tools {
			say("T%d", object%2)
		}
		x, y := float64(20+60*object), 30+r.Float64()*20
		say("G0 X%.4f Y%.4f F%.3f", x*unit, y*unit, 9000*unit)
		say("G1 Z%.4f", z*unit)
		if g10 {
			say("G11")
		} else {
			say("G1 %s F%.3f", ext(2+float64(r.IntN(2))*0.05), 1800*unit)
		}
		say("G1 F%.3f", float64(1000+r.IntN(1000))*unit)
		for range 3 + r.IntN(5) {
			if r.IntN(3) == 0 {
				say("G2 X%.4f Y%.4f I%.4f J0 %s", (x+4)*unit, y*unit, 2*unit, ext(0.3))
				x += 4
				continue
			}
			x, y = x+r.Float64()*5, y+r.Float64()*5
			say("G1 X%.4f Y%.4f %s", x*unit, y*unit, ext(0.2+r.Float64()))
		}
		if r.IntN(3) == 0 {
			say("G92 E0")
			e = 0
		}
		switch marks {
		case 0:
			say("; stop printing object %s id:%d copy 0", name, object)
		case 1:
			say("M486 S-1")
		case 2:
			say("EXCLUDE_OBJECT_END NAME=%s", name)
		case 3:
			say(";MESH:NONMESH")
		}
	}
	if r.IntN(2) == 0 { // one after the other
		for object := range 3 {
			for layer := range layers {
				one(object, layer)
			}
		}
	} else {
		for layer := range layers {
			say(";LAYER:%d\nG1 Z%.4f F%.3f", layer, 0.2*float64(layer+1)*unit, 600*unit)
			for object := range 3 {
				one(object, layer)
			}
		}
	}
	say("G1 %s F%.3f\nG91\nG1 Z%.4f\nG90\nG0 X0 Y%.4f\nM107\nM84", ext(-1), 2400*unit, 5*unit, 200*unit)
	return b.String()
}

// However a file is written (absolute or relative E, inches, arcs, G91, G10, objects by layer or one after the other), skipping leaves exactly the rest.
func TestSkipOfAnyPlate(t *testing.T) {
	for seed := range uint64(few(400)) {
		r := rand.New(rand.NewPCG(seed, 8))
		file := []byte(plate(r))
		lines := int64(bytes.Count(file, []byte("\n")))
		skip := map[int]int64{r.IntN(3): r.Int64N(lines)}
		if r.IntN(2) == 0 {
			skip[r.IntN(3)] = r.Int64N(lines)
		}
		all, sent, _ := skipping(t, file, skip)
		same(t, all, sent, skip)
		if t.Failed() {
			t.Fatalf("seed %d, skip %v:\n%s\n---\n%s", seed, skip, file, strings.Join(texts(sent), "\n"))
		}
		// All that does not move is sent, and the head ends where the file ends.
		_, whole := machine(texts(all))
		_, less := machine(texts(sent))
		mark := func(l string) bool { return strings.HasPrefix(l, "M486") || strings.HasPrefix(l, "EXCLUDE") }
		if w, l := slices.DeleteFunc(whole, mark), slices.DeleteFunc(less, mark); !slices.Equal(w, l) {
			t.Fatalf("seed %d: sent besides moves %q, want %q", seed, l, w)
		}
		a, _ := machine(texts(all))
		b, _ := machine(texts(sent))
		if end, want := b[len(b)-1].to, a[len(a)-1].to; math.Abs(end[0]-want[0])+math.Abs(end[1]-want[1])+math.Abs(end[2]-want[2]) > 1e-3 {
			t.Fatalf("seed %d: it ends at %v, the file at %v", seed, end, want)
		}
	}
}

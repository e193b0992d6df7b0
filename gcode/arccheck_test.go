package gcode

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
)

// checkArcs compares a file with what was fitted, with nothing of FitArcs: its own reader, its own geometry, and firmware's way of making an arc
// done as firmware does it. What it finds wrong is its error.

// arcCheck is what it learned.
type arcCheck struct {
	arcs, moves int
	off         float64 // greatest distance of any arc and its moves, mm
}

type plainMove struct {
	word map[byte]float64
	tail string
}

// readMove reads "G1 X1 Y2 ; comment"; ok is false for anything else.
func readMove(line string, codes ...string) (m plainMove, code string, ok bool) {
	text, _, _ := strings.Cut(strings.TrimRight(line, "\r\n"), ";")
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return m, "", false
	}
	for _, c := range codes {
		ok = ok || fields[0] == c
	}
	m.word = map[byte]float64{}
	for _, f := range fields[1:] {
		v, err := strconv.ParseFloat(f[1:], 64)
		if err != nil {
			return m, "", false
		}
		m.word[f[0]] = v
	}
	m.tail = line[len(strings.TrimRight(text, " \t")):]
	return m, fields[0], ok
}

type point3 [3]float64

func (a point3) to(b point3) float64 { return math.Hypot(a[0]-b[0], a[1]-b[1]) }

// asFirmware makes an arc's points as Marlin's plan_arc does, with pieces of about 1 mm.
func asFirmware(from, to point3, i, j float64, clockwise bool) (way []point3, radius, sweep float64) {
	rx, ry := -i, -j
	cx, cy := from[0]+i, from[1]+j
	tx, ty := to[0]-cx, to[1]-cy
	radius = math.Hypot(rx, ry)
	sweep = math.Atan2(rx*ty-ry*tx, rx*tx+ry*ty)
	if sweep < 0 {
		sweep += 2 * math.Pi
	}
	if clockwise {
		sweep -= 2 * math.Pi
	}
	pieces := max(1, int(radius*math.Abs(sweep)))
	angle := sweep / float64(pieces)
	sin, cos := angle-angle*angle*angle/6, 1-angle*angle/2
	way = append(way, from)
	for n := 1; n < pieces; n++ {
		if n%25 == 0 {
			s, c := math.Sincos(float64(n) * angle)
			rx, ry = -i*c+j*s, -i*s-j*c
		} else {
			rx, ry = rx*cos-ry*sin, rx*sin+ry*cos
		}
		way = append(way, point3{cx + rx, cy + ry, from[2] + (to[2]-from[2])*float64(n)/float64(pieces)})
	}
	return append(way, to), radius, math.Abs(sweep)
}

// apart is how far any point of way is from the line other, in XY; points on way are 0.2 mm apart at most.
func apart(way, other []point3) (most float64) {
	for n := 1; n < len(way); n++ {
		a, b := way[n-1], way[n]
		parts := 2 + int(a.to(b)/0.2)
		for k := 0; k <= parts; k++ {
			t := float64(k) / float64(parts)
			p := point3{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}
			nearest := math.Inf(1)
			for o := 1; o < len(other); o++ {
				nearest = min(nearest, toSegment(p, other[o-1], other[o]))
			}
			most = max(most, nearest)
		}
	}
	return most
}

// fromCircle is how far any corner of way, or the middle of any of its moves, is from a circle.
func fromCircle(way []point3, centre point3, radius float64) (most float64) {
	for n, p := range way {
		most = max(most, math.Abs(p.to(centre)-radius))
		if n > 0 {
			most = max(most, math.Abs(point3{(p[0] + way[n-1][0]) / 2, (p[1] + way[n-1][1]) / 2}.to(centre)-radius))
		}
	}
	return most
}

func toSegment(p, a, b point3) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l))
	}
	return p.to(point3{a[0] + dx*t, a[1] + dy*t})
}

// headAt follows the moves of a file that says where it goes in absolute XYZ.
type headAt struct {
	at       point3
	e, f     float64
	relative bool
}

func (h *headAt) line(line string) {
	m, code, _ := readMove(line)
	switch code {
	case "M82":
		h.relative = false
	case "M83":
		h.relative = true
	case "G92":
		if e, ok := m.word['E']; ok {
			h.e = e
		}
	case "G0", "G1", "G2", "G3":
		h.move(&m)
	}
}

func (h *headAt) move(m *plainMove) (pushed float64) {
	for i, axis := range []byte("XYZ") {
		if v, ok := m.word[axis]; ok {
			h.at[i] = v
		}
	}
	if v, ok := m.word['F']; ok {
		h.f = v
	}
	if v, ok := m.word['E']; ok && h.relative {
		pushed = v
		h.e += v
	} else if ok {
		pushed = v - h.e
		h.e = v
	}
	return pushed
}

// checkArcs walks through both files. tolerance in mm.
func checkArcs(before, after []byte, tolerance float64) (c arcCheck, err error) {
	old := strings.SplitAfter(string(before), "\n")
	var h headAt
	n := 0
	for _, line := range strings.SplitAfter(string(after), "\n") {
		if n < len(old) && line == old[n] {
			h.line(line)
			n++
			continue
		}
		arc, code, ok := readMove(line, "G2", "G3")
		if !ok {
			return c, fmt.Errorf("line %d of the file became %q", n+1, line)
		}
		used, off, err := checkArc(old[n:], &h, &arc, code == "G2", tolerance)
		if err != nil {
			return c, fmt.Errorf("%q for lines %d to %d: %w", line, n+1, n+used, err)
		}
		n += used
		c.arcs++
		c.moves += used
		c.off = max(c.off, off)
	}
	if n != len(old) {
		return c, fmt.Errorf("lines from %d are lost", n+1)
	}
	return c, nil
}

func checkArc(old []string, h *headAt, arc *plainMove, clockwise bool, tolerance float64) (used int, off float64, err error) {
	now := *h // as the arc leaves it
	pushed := now.move(arc)
	way := []point3{h.at}
	var pushes []float64
	total := 0.0
	for way[len(way)-1].to(now.at) != 0 || math.Abs(total-pushed) > 1e-7 {
		if used == len(old) {
			return used, 0, fmt.Errorf("no move ends where it does")
		}
		m, _, ok := readMove(old[used], "G1")
		if !ok || len(m.word) < 2 || m.tail != arc.tail {
			return used, 0, fmt.Errorf("%q is in the way", old[used])
		}
		pushes = append(pushes, h.move(&m))
		total += pushes[used]
		way = append(way, h.at)
		used++
		if h.f != now.f {
			return used, 0, fmt.Errorf("feed %v became %v", h.f, now.f)
		}
		if last := pushes[used-1]; last <= 0 {
			return used, 0, fmt.Errorf("%q pushes %v", old[used-1], last)
		}
	}
	if used < 3 || h.at != now.at || math.Abs(h.e-now.e) > 1e-6 {
		return used, 0, fmt.Errorf("%d moves to %v with E %v end at %v with E %v", used, h.at, h.e, now.at, now.e)
	}
	length := 0.0
	for i := range pushes {
		length += way[i].to(way[i+1])
	}
	made, radius, sweep := asFirmware(way[0], now.at, arc.word['I'], arc.word['J'], clockwise)
	if sweep*180/math.Pi > 350 || math.Abs(radius*sweep/length-1) > 0.021 {
		return used, 0, fmt.Errorf("it turns by %v rad with radius %v for %v mm", sweep, radius, length)
	}
	centre := point3{way[0][0] + arc.word['I'], way[0][1] + arc.word['J']}
	off = max(apart(way, made), apart(made, way), fromCircle(way, centre, radius))
	if off > tolerance+1e-4 {
		return used, off, fmt.Errorf("%v mm off", off)
	}
	done, sum := 0.0, 0.0
	for i, push := range pushes {
		long := way[i].to(way[i+1])
		if rate := pushed / length; math.Abs(push-rate*long) > rate*(0.021*long+0.0025)+2e-5 {
			return used, off, fmt.Errorf("move %d pushes %v in %v mm, the arc %v in %v mm", i, push, long, pushed, length)
		}
		done += long
		sum += push
		if z := way[0][2] + (now.at[2]-way[0][2])*done/length; math.Abs(z-way[i+1][2]) > tolerance/10+1e-6 {
			return used, off, fmt.Errorf("move %d is at Z %v, the arc at %v", i, way[i+1][2], z)
		}
	}
	*h = now
	return used, off, nil
}

// The checker finds what is wrong: else its word is worth nothing.
func TestArcCheckerFinds(t *testing.T) {
	before := "G90\nM83\n" + circleLines(10, 0, 0.1, 30, "")
	after, _ := fitted(t, before, ArcTolerance)
	if _, err := checkArcs([]byte(before), []byte(after), ArcTolerance); err != nil || !strings.Contains(after, "\nG3 ") {
		t.Fatalf("%v in %q", err, after)
	}
	arc := after[strings.Index(after, "\nG3 ")+1:]
	arc = arc[:strings.IndexByte(arc, '\n')+1]
	word := func(letter byte, v float64) string { // the arc with another word
		fields := strings.Fields(arc)
		for i, f := range fields {
			if f[0] == letter {
				fields[i] = fmt.Sprintf("%c%.3f", letter, v)
			}
		}
		return strings.Join(fields, " ") + "\n"
	}
	m, _, _ := readMove(arc, "G3")
	for name, wrong := range map[string]string{
		"centre": word('I', m.word['I']+0.2), "end": word('X', m.word['X']+0.01), "filament": word('E', m.word['E']+0.01),
		"direction": "G2" + arc[2:], "feed": arc[:len(arc)-1] + " F900\n", "comment": arc[:len(arc)-1] + " ; a\n", "gone": "", "height": arc[:len(arc)-1] + " Z1\n",
	} {
		bad := bytes.Replace([]byte(after), []byte(arc), []byte(wrong), 1)
		if _, err := checkArcs([]byte(before), bad, ArcTolerance); err == nil {
			t.Errorf("%s: nothing found in %q", name, wrong)
		}
		if _, err := CheckArcs(strings.NewReader(before), bytes.NewReader(bad), ArcTolerance); err == nil {
			t.Errorf("%s: the daemon's checker finds nothing in %q", name, wrong)
		}
	}
}

package gcode

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
)

// A file and what was fitted to it flow through here side by side: lines that are the same are followed (motion.go), and where they differ an arc must
// stand for some G1 moves (run), which is looked at by taking points on both. Nothing here is FitArcs': who checks shall not make the same mistake.

// CheckArcs tells whether after is before with arcs in the place of moves, as FitArcs promises: every other line is there, in its place; each arc ends
// exactly where its moves do, with their filament, feed and comment; and its pieces, as firmware makes them, are nowhere farther than toleranceMM from the
// moves, nor these from them. It returns what it has found; DeviationMM is measured. It needs memory that does not grow with the file, and blocks as the
// readers do. What is wrong is a *LineError with a line of before.
func CheckArcs(before, after io.Reader, toleranceMM float64) (found ArcsFitted, err error) {
	c := &arcChecker{before: lineReader{r: bufio.NewReaderSize(before, bufferSize)}, after: lineReader{r: bufio.NewReaderSize(after, bufferSize)}, tolerance: toleranceMM}
	c.head.reset()
	for {
		was, errBefore := c.before.next()
		now, errAfter := c.after.next()
		switch {
		case errBefore == io.EOF && errAfter == io.EOF:
			return c.found, nil
		case errBefore != nil || errAfter != nil:
			return c.found, c.wrong(unlike(errBefore, errAfter))
		case bytes.Equal(was, now):
			c.follow(was)
			continue
		}
		if err := c.arc(was, now); err != nil {
			return c.found, c.wrong(err)
		}
	}
}

func (c *arcChecker) wrong(err error) error { return &LineError{Line: c.before.number, Err: err} }

// unlike is why only one of both files goes on.
func unlike(before, after error) error {
	switch {
	case before != nil && before != io.EOF:
		return before
	case after != nil && after != io.EOF:
		return after
	case before == io.EOF:
		return errors.New("there are lines behind its end")
	}
	return errors.New("lines are missing at the end")
}

// lineReader reads lines with their ends.
type lineReader struct {
	r      *bufio.Reader
	number int64
}

func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	switch {
	case err == io.EOF && len(line) > 0:
	case err == bufio.ErrBufferFull:
		return nil, fmt.Errorf("%w: it cannot be compared", ErrLongLine)
	case err != nil:
		return nil, err
	}
	l.number++
	return line, nil
}

type arcChecker struct {
	before, after lineReader
	tolerance     float64
	head          motion
	words         words
	otherPlane    bool // G18, G19
	found         ArcsFitted

	tail      []byte // of the arc
	way, made curve  // the moves, and the arc as firmware makes it
	pushes    []float64
}

// mostMoves bounds what one arc may stand for.
const mostMoves = 1024

// command is what a line says, and what stands behind its words: comment and line end.
func (c *arcChecker) command(line []byte) (command Command, tail []byte) {
	text := bytes.TrimRight(line, "\r\n")
	if i := bytes.IndexByte(text, ';'); i >= 0 {
		text = text[:i]
	}
	text = bytes.TrimRight(text, " \t")
	command = ParseCommand(bytes.TrimLeft(text, " \t"))
	c.words.read(command.Args)
	return command, line[len(text):]
}

func (c *arcChecker) follow(line []byte) {
	switch command, _ := c.command(line); {
	case command.Letter == 'G' && command.Number < 4:
		c.head.move(command.Number, &c.words)
	case command.Is('G', 18), command.Is('G', 19):
		c.otherPlane = true
	case command.Letter == 'G', command.Letter == 'M':
		c.head.other(command, &c.words)
	case command.Letter == 'T':
		c.head.setTool(command.Number)
	}
}

// arc compares an arc with the moves that it stands for, of which was is the first.
func (c *arcChecker) arc(was, now []byte) error {
	command, tail := c.command(now)
	if !command.Is('G', 2) && !command.Is('G', 3) {
		return errors.New("it became another line")
	}
	i, hasI := c.words.get('I')
	j, hasJ := c.words.get('J')
	if !hasI || !hasJ || c.otherPlane || c.head.inch || c.head.relative || !c.head.known[0] || !c.head.known[1] {
		return errors.New("it became an arc where none can be")
	}
	c.tail = append(c.tail[:0], tail...)
	goal := c.head // where the arc leads to
	to := *goal.move(command.Number, &c.words)
	from := [3]float64(c.head.at[:3])
	if err := c.moves(was, &goal, &to); err != nil {
		return err
	}
	end := [3]float64(goal.at[:3])
	radius, sweep := c.made.asFirmware(from, end, i, j, command.Number == 2)
	length := c.way.length()
	if !(sweep <= 350*math.Pi/180 && math.Abs(radius*sweep/length-1) <= 0.021) {
		return fmt.Errorf("an arc of %.3g rad and %.3g mm stands for %.3g mm", sweep, radius, length)
	}
	off := max(c.way.apart(&c.made), c.made.apart(&c.way), c.way.off([2]float64{from[0] + i, from[1] + j}, radius))
	if !(off <= c.tolerance+1e-4) {
		return fmt.Errorf("the arc is %.3g mm off", off)
	}
	c.found.Arcs++
	c.found.Moves += int64(len(c.pushes))
	c.found.DeviationMM = max(c.found.DeviationMM, off)
	return c.spread(length, to.by[3])
}

// moves follows the moves of before until they are where the arc leads to.
func (c *arcChecker) moves(was []byte, goal *motion, to *moved) error {
	c.way.begin([3]float64(c.head.at[:3]))
	c.pushes = c.pushes[:0]
	for {
		command, tail := c.command(was)
		if !command.Is('G', 1) || !c.words.has('X') && !c.words.has('Y') || !bytes.Equal(tail, c.tail) || len(c.pushes) == mostMoves {
			return errors.New("it is no move of the arc before it")
		}
		did := c.head.move(1, &c.words)
		if !(did.by[3] > 0) || did.speed != to.speed {
			return fmt.Errorf("it pushes %.3g mm at %.3g mm/s, the arc goes at %.3g", did.by[3], did.speed, to.speed)
		}
		c.pushes = append(c.pushes, did.by[3])
		c.way.add([3]float64(c.head.at[:3]))
		if [3]float64(c.head.at[:3]) == [3]float64(goal.at[:3]) && math.Abs(c.head.at[3]-goal.at[3]) < 1e-6 {
			break
		}
		var err error
		if was, err = c.before.next(); err != nil {
			return fmt.Errorf("no move ends where the arc does: %w", err)
		}
	}
	if len(c.pushes) < 3 {
		return errors.New("an arc stands for fewer than three moves")
	}
	return nil
}

// spread tells whether filament and height are where the moves had them.
func (c *arcChecker) spread(length, push float64) error {
	rate := push / length
	first, last := c.way.at[0][2], c.way.at[len(c.way.at)-1][2]
	for i, pushed := range c.pushes {
		long := c.way.along[i+1] - c.way.along[i]
		if !(math.Abs(pushed-rate*long) <= rate*(0.021*long+0.0025)+2e-5) {
			return fmt.Errorf("move %d of the arc pushes %.5f mm in %.3f mm, the arc %.5f in %.3f", i+1, pushed, long, push, length)
		}
		if z := first + (last-first)*c.way.along[i+1]/length; !(math.Abs(z-c.way.at[i+1][2]) <= c.tolerance/10+1e-6) {
			return fmt.Errorf("move %d of the arc is at Z %.3f, the arc at %.3f", i+1, c.way.at[i+1][2], z)
		}
	}
	return nil
}

// curve is a way of straight pieces; along is how far each point is from the first, in XY.
type curve struct {
	at    [][3]float64
	along []float64
}

func (v *curve) begin(p [3]float64) { v.at, v.along = append(v.at[:0], p), append(v.along[:0], 0) }

func (v *curve) add(p [3]float64) {
	last := v.at[len(v.at)-1]
	v.along = append(v.along, v.length()+math.Hypot(p[0]-last[0], p[1]-last[1]))
	v.at = append(v.at, p)
}

func (v *curve) length() float64 { return v.along[len(v.along)-1] }

// asFirmware makes the points of an arc as Marlin's plan_arc does, with the coarsest pieces that it comes with: whole millimetres.
func (v *curve) asFirmware(from, to [3]float64, i, j float64, clockwise bool) (radius, sweep float64) {
	x, y := -i, -j
	centre := [2]float64{from[0] + i, from[1] + j}
	endX, endY := to[0]-centre[0], to[1]-centre[1]
	radius, sweep = math.Hypot(x, y), math.Atan2(x*endY-y*endX, x*endX+y*endY)
	if sweep < 0 {
		sweep += 2 * math.Pi
	}
	if clockwise {
		sweep -= 2 * math.Pi
	}
	pieces := int(min(max(1, radius*math.Abs(sweep)), 1e4))
	angle := sweep / float64(pieces)
	sin, cos := angle-angle*angle*angle/6, 1-angle*angle/2
	v.begin(from)
	for n := 1; n < pieces; n++ {
		if n%25 == 0 { // N_ARC_CORRECTION
			s, c := math.Sincos(float64(n) * angle)
			x, y = -i*c+j*s, -i*s-j*c
		} else {
			x, y = x*cos-y*sin, x*sin+y*cos
		}
		v.add([3]float64{centre[0] + x, centre[1] + y, from[2] + (to[2]-from[2])*float64(n)/float64(pieces)})
	}
	v.add(to)
	return radius, math.Abs(sweep)
}

const (
	between = 0.2 // mm between the points that are looked at
	aside   = 1.0 // mm along the other way, within which the nearest place is looked for
)

// apart is how far any point of v is from the way other, in XY. Both are of nearly the same length, so the nearest place is about as far along.
func (v *curve) apart(other *curve) (most float64) {
	stretch, low := other.length()/v.length(), 1
	for n := 1; n < len(v.at); n++ {
		a, b := v.at[n-1], v.at[n]
		long := v.along[n] - v.along[n-1]
		parts := 2 + int(long/between)
		for k := range parts + 1 {
			t := float64(k) / float64(parts)
			p, at := [2]float64{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}, (v.along[n-1]+long*t)*stretch
			for low < len(other.at)-1 && other.along[low] < at-aside {
				low++
			}
			nearest := math.Inf(1)
			for o := low; o < len(other.at) && other.along[o-1] <= at+aside; o++ {
				nearest = min(nearest, toPiece(p, other.at[o-1], other.at[o]))
			}
			most = max(most, nearest)
		}
	}
	return most
}

// off is how far any end or middle of the pieces of v is from a circle.
func (v *curve) off(centre [2]float64, radius float64) (most float64) {
	away := func(x, y float64) float64 { return math.Abs(math.Hypot(x-centre[0], y-centre[1]) - radius) }
	for n, p := range v.at {
		most = max(most, away(p[0], p[1]))
		if n > 0 {
			most = max(most, away((p[0]+v.at[n-1][0])/2, (p[1]+v.at[n-1][1])/2))
		}
	}
	return most
}

func toPiece(p [2]float64, a, b [3]float64) float64 {
	dx, dy := b[0]-a[0], b[1]-a[1]
	t := 0.0
	if l := dx*dx + dy*dy; l > 0 {
		t = max(0, min(1, ((p[0]-a[0])*dx+(p[1]-a[1])*dy)/l))
	}
	return math.Hypot(p[0]-a[0]-dx*t, p[1]-a[1]-dy*t)
}

package printer

import (
	"bytes"
	"layerd/gcode"
	"math"
	"time"
)

// Lines of an object that a person skips are left out of the job, on their way from the file's reader to the session:
//
//	line of the file ─▶ skipper.judge ─┬─▶ it goes as it is
//	                                   ├─▶ left out: only where it leads to is kept in mind (want)
//	                                   └─▶ the way from where the head is to where the file thinks it is, and then the line
//
// Moves are left out, and what says how moves are meant (modes), heats, cools or shows something goes. When the object is over, travels and retractions of the
// lines behind it are left out too, until one extrudes: so the head goes once, pulled back and above all that is printed, from the last place where it extruded
// to the next. What the extruder holds back, E, feed and modes are then as the file has them. A line is judged once, in the order of the file, whatever is sent
// again: so a print that goes on after a lost connection is the same print.
type skipper struct {
	profile  Profile
	g90SetsE bool
	objects  []gcode.Object
	asked    [gcode.MaxObjects + 1]bool // by number
	begun    [gcode.MaxObjects + 1]bool // lines of it have been left out: it cannot be printed any more
	told     [gcode.MaxObjects + 1]bool // the firmware knows
	knows    byte                       // by which marks the firmware knows objects, as it has shown: 'M', 'E', 0 = none

	want    course // of all lines of the file so far
	is      course // of those that were sent, while behind
	behind  bool   // these differ
	deepest float64
	byG10   bool   // the file pulls back by G10
	last    jobPos // of the line that was judged last
}

// judge decides on the next line of the file. asIs: it goes; else those of instead go, if any.
func (k *skipper) judge(l jobLine) (instead []jobLine, asIs bool) {
	c := gcode.ParseCommand(l.text)
	out := k.asked[l.pos.object]
	defer func() { k.last = l.pos }()
	if !k.behind {
		if !out || !k.want.located() { // without a place there is no way back: better printed than crashed
			k.follow(c)
			return nil, true
		}
		k.is, k.behind, k.deepest, k.byG10 = k.want, true, k.want.heldMM(), k.want.pulled
	}
	if out {
		k.begun[l.pos.object] = true
	}
	switch part := partOf(c); {
	case part == partMove && (out || !k.prints(c)), part == partPlaceE, part == partMark && out:
		k.want.apply(c, k.g90SetsE)
		k.deepest, k.byG10 = max(k.deepest, k.want.heldMM()), k.byG10 || k.want.pulled
		return nil, false
	case part == partMove:
		instead = append(k.restore(true), l)
		k.behind = false
		k.want.apply(c, k.g90SetsE)
		return instead, false
	case c.Letter == 'T' && c.Number != k.want.tool:
		if instead = k.settle(); instead != nil {
			instead = append(instead, l)
		}
		k.want.apply(c, k.g90SetsE)
		k.is.apply(c, k.g90SetsE)
		k.deepest = k.want.heldMM() // of the other tool's nothing is known here
		return instead, instead == nil
	case part == partMode || part == partMark:
		k.want.apply(c, k.g90SetsE)
		k.is.apply(c, k.g90SetsE)
		return nil, true
	}
	instead = append(k.restore(false), l)
	known := k.want.known
	k.want.apply(c, k.g90SetsE)
	k.is.apply(c, k.g90SetsE)
	k.want.known = known // what the file does not say again behind it, it takes to be as it was
	return instead, false
}

// follow takes in a command that goes. Behind one that nobody knows the file takes the head to be where it was; behind a homing it does not.
func (k *skipper) follow(c gcode.Command) {
	known := k.want.known
	if k.want.apply(c, k.g90SetsE); c.Letter != 'G' {
		k.want.known = known
	}
}

// prints reports whether a move brings out filament: all that must happen exactly where the file says.
func (k *skipper) prints(c gcode.Command) bool {
	next := k.want
	next.apply(c, k.g90SetsE)
	now, then := k.want.reels[k.want.tool], next.reels[next.tool]
	return then.netMM > now.netMM && (next.mm[0] != k.want.mm[0] || next.mm[1] != k.want.mm[1] || next.mm[2] != k.want.mm[2]) || then.netMM > now.mostMM+primeMM
}

// finish is the way to where the file ends, if it has not been gone.
func (k *skipper) finish() []jobLine {
	if !k.behind {
		return nil
	}
	k.behind = false
	return k.restore(false)
}

// part says what to do with a line while lines are left out.
type part uint8

const (
	partOther  part = iota // it depends on the place, or nobody knows
	partMove               // G0–G3, G5, G10, G11
	partPlaceE             // G92 E alone
	partMode               // it does the same wherever the head is
	partMark               // of an object's beginning
)

func partOf(c gcode.Command) part {
	switch c.Letter {
	case 'G':
		switch c.Number {
		case 0, 1, 2, 3, 5:
			return partMove
		case 10, 11:
			if firmwareRetracts(c) {
				return partMove
			}
			return partMode
		case 17, 20, 21, 90, 91:
			return partMode
		case 92:
			if c.Sub == 0 && c.Has('E') && !c.Has('X') && !c.Has('Y') && !c.Has('Z') {
				return partPlaceE
			}
		}
	case 'M':
		switch n := c.Number; {
		case n == 486:
			return m486Part(c)
		case n == 109 || n == 190 || n == 191 || n == 116 || n == 17 || n == 18 || n == 84 || n == 400 || n == 303 || n == 290:
			return partOther // it waits, or lets go: where, the file says
		case staysPut(n) || standsStill(c):
			return partMode
		}
	case 'T':
		return partMode
	default:
		if len(c.Args) > 0 && c.Args[0] == '@' {
			return partMode
		}
		if startsFold(c.Args, "EXCLUDE_OBJECT_START") {
			return partMark
		}
		if harmlessMacro(c.Args) {
			return partMode
		}
	}
	return partOther
}

// m486Part tells the beginning of an object from the rest: firmware that is told to skip it would not move there even to park.
func m486Part(c gcode.Command) part {
	if n, ok := gcode.ObjectOfM486(c); ok && n >= 0 {
		return partMark
	}
	return partMode
}

// harmlessMacro reports whether a macro is known to move nothing.
func harmlessMacro(text []byte) bool {
	return startsFold(text, "SET_") && !startsFold(text, "SET_GCODE_OFFSET") && !startsFold(text, "SET_KINEMATIC") || startsFold(text, "EXCLUDE_OBJECT")
}

func startsFold(text []byte, prefix string) bool {
	return len(text) >= len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix))
}

// clearMM is how far above all that is printed the head goes on its way past what is skipped.
const clearMM = 1.0

// restore is the way from where the head is to where the file thinks it is: pulled back as far as the file pulls back, up, across, down; and with push
// the extruder is brought to hold back what the file thinks. Last come E, feed and modes.
func (k *skipper) restore(push bool) []jobLine {
	w, is, p := &k.want, &k.is, &k.profile
	r := &route{pos: k.last}
	r.pos.took, r.pos.inside = 0, false
	for i, o := range k.objects {
		if t := tellOf(k.knows, o.ID); push && k.begun[i+1] && !k.told[i+1] && t != "" {
			k.told[i+1] = true
			r.say(t)
		}
	}
	if w.inches {
		r.say("G21")
	}
	r.say("G90")
	r.say("M83")
	feed := gcode.FeedWord
	across := math.Hypot(w.mm[0]-is.mm[0], w.mm[1]-is.mm[1])
	if up := math.Abs(w.mm[2] - is.mm[2]); across > 0 || up > 0 || !is.located() {
		k.push(r, is.heldMM()-max(k.deepest, w.heldMM(), is.heldMM()))
		if k.byG10 && !is.pulled {
			r.say("G10")
			is.pulled = true
		}
		if across > 0 || !is.located() {
			top := max(is.topMM, is.mm[2], w.mm[2])
			z := math.Min(top+math.Min(p.LiftMM, clearMM), math.Max(top, p.HeightMM))
			r.add(math.Abs(z-is.mm[2])/p.LiftMM, word("G0 Z", z)+word(" F", feed(p.LiftMMS)))
			r.add(across/p.TravelMMS, place5("G0 X", w.mm[0])+place5(" Y", w.mm[1])+word(" F", feed(p.TravelMMS)))
			up = z - w.mm[2]
		}
		r.add(math.Abs(up)/p.LiftMMS, place5("G0 Z", w.mm[2])+word(" F", feed(p.LiftMMS)))
	}
	if push {
		k.push(r, is.heldMM()-w.heldMM())
		if is.pulled != w.pulled {
			r.say(retraction(w.pulled))
		}
	}
	r.say(place5("G92 E", w.mm[3]))
	if w.feed > 0 {
		r.say(word("G1 F", w.feed))
	}
	k.modes(r)
	held, pulled := is.reels, is.pulled
	w.topMM = is.topMM // what was left out is not in the way
	*is = *w
	is.reels, is.pulled = held, pulled
	return r.lines
}

// settle brings the extruder to hold back what the file thinks, before another tool is taken: what is left out until then is not made up for later.
func (k *skipper) settle() []jobLine {
	r := &route{pos: k.last}
	r.pos.took, r.pos.inside = 0, false
	by := k.is.heldMM() - k.want.heldMM()
	if math.Abs(by) < 1e-4 && k.is.pulled == k.want.pulled {
		return nil
	}
	if k.want.inches {
		r.say("G21")
	}
	r.say("M83")
	k.push(r, by)
	if k.is.pulled != k.want.pulled {
		r.say(retraction(k.want.pulled))
		k.is.pulled = k.want.pulled
	}
	k.modes(r)
	return r.lines
}

// modes are as the file has them again.
func (k *skipper) modes(r *route) {
	if k.want.inches {
		r.say("G20")
	}
	r.say(map[bool]string{true: "G91", false: "G90"}[k.want.relXYZ])
	r.say(map[bool]string{true: "M83", false: "M82"}[k.want.relE]) // after G90 and G91, which set the mode of E too on some firmware
}

func retraction(pulled bool) string { return map[bool]string{true: "G10", false: "G11"}[pulled] }

// push moves filament by itself.
func (k *skipper) push(r *route, by float64) {
	if math.Abs(by) < 1e-4 {
		return
	}
	f := k.want.pushFeed
	if by < 0 {
		f = k.want.pullFeed
	}
	if f <= 0 {
		f = gcode.FeedWord(k.profile.ExtrudeMMS * 5)
	}
	k.is.reels[k.is.tool].netMM += by
	r.add(math.Abs(by)/f*60, place5("G1 E", by)+word(" F", f))
}

// learn takes in what the firmware made of a line of the job: one that takes a mark knows objects.
func (k *skipper) learn(text []byte, refused bool) {
	if len(k.objects) == 0 || len(text) == 0 || text[0]|0x20 != 'm' && text[0]|0x20 != 'e' {
		return
	}
	c := gcode.ParseCommand(text)
	switch {
	case partOf(c) != partMark:
	case refused:
		k.knows = 0
	case c.Letter == 'M':
		k.knows = 'M'
	default:
		k.knows = 'E'
	}
}

// tellOf says to a firmware that knows objects that one is skipped, so that its own display shows it; "" where it cannot be said. layerd leaves the lines out
// all the same: Marlin, while it skips, would not move for a pause either, and says that it is where it is not.
func tellOf(knows byte, id string) string {
	switch {
	case id == "":
	case knows == 'M':
		return "M486 P" + id
	case knows == 'E':
		return "EXCLUDE_OBJECT NAME=" + id
	}
	return ""
}

// forget takes back what the firmware was told: its next print may have an object of that name.
func (k *skipper) forget() (out []string) {
	for i, o := range k.objects {
		switch {
		case !k.told[i+1]:
		case k.knows == 'M':
			out = append(out, "M486 U"+o.ID)
		case k.knows == 'E':
			out = append(out, "EXCLUDE_OBJECT RESET=1 NAME="+o.ID)
		}
	}
	return out
}

// route collects lines that are put in: their place in the file is that of the line before them.
type route struct {
	pos   jobPos
	lines []jobLine
}

func (r *route) say(text string) { r.add(0, text) }

func (r *route) add(seconds float64, text string) {
	pos := r.pos
	if seconds > 0 && seconds < 3600 {
		pos.took = time.Duration(seconds * float64(time.Second))
	}
	r.lines = append(r.lines, jobLine{[]byte(text), pos})
}

func place5(prefix string, mm float64) string {
	return string(gcode.AppendNumber([]byte(prefix), mm, 5))
}

package printer

import (
	"layerd/gcode"
	"math"
)

// course is where lines of a job lead to: the head's place, what the extruder holds back, and the modes that say how a move is meant. A job has one of all
// the file's lines and, while an object is skipped, one of those that were sent. Places are in mm, in the job's coordinates.
type course struct {
	mm           [4]float64 // X Y Z E
	known        [3]bool    // of X Y Z: said since something moved the head that nobody follows
	relXYZ, relE bool
	inches       bool
	feed         float64 // mm/min; 0 = none yet
	tool         int
	reels        [maxTools]reel // in the file's E
	pulled       bool           // G10 without its G11
	pullFeed     float64        // of the last retraction by itself, mm/min; 0 = none yet
	pushFeed     float64        // and of what was pushed back
	topMM        float64        // the highest place where something was extruded
}

// located reports whether the head's place is known.
func (c *course) located() bool { return c.known == [3]bool{true, true, true} }

// heldMM is the length of filament that is pulled back.
func (c *course) heldMM() float64 { return c.reels[c.tool].mostMM - c.reels[c.tool].netMM }

// apply follows one command. g90SetsE: see dialect.
func (c *course) apply(cmd gcode.Command, g90SetsE bool) {
	switch cmd.Letter {
	case 'G':
		c.applyG(cmd, g90SetsE)
	case 'M':
		switch {
		case cmd.Number == 82 || cmd.Number == 83:
			c.relE = cmd.Number == 83
		case !staysPut(cmd.Number) && !standsStill(cmd):
			c.known = [3]bool{}
		}
	case 'T': // firmware that changes tools goes back to where it was
		if cmd.Number >= 0 && cmd.Number < maxTools {
			c.tool = cmd.Number
		}
	default:
		if !harmlessMacro(cmd.Args) {
			c.known = [3]bool{}
		}
	}
}

func (c *course) applyG(cmd gcode.Command, g90SetsE bool) {
	switch cmd.Number {
	case 0, 1, 2, 3, 5:
		c.move(cmd)
	case 4, 17:
	case 10, 11:
		if firmwareRetracts(cmd) {
			c.pulled = cmd.Number == 10
		}
	case 20, 21:
		c.inches = cmd.Number == 20
	case 90, 91:
		c.relXYZ = cmd.Number == 91
		if g90SetsE {
			c.relE = c.relXYZ
		}
	case 92:
		c.rename(cmd)
	default:
		c.known = [3]bool{}
	}
}

func (c *course) move(cmd gcode.Command) {
	if f, ok := cmd.Float('F'); ok && f > 0 {
		c.feed = f * c.unit()
	}
	from := c.mm
	for i := range c.mm {
		v, ok := cmd.Float(headAxes[i])
		if v *= c.unit(); !ok || math.Abs(v) > farthestMM {
			continue
		}
		if c.relXYZ || i == 3 && c.relE { // G91 counts for E too, as in spent
			c.mm[i] += v // and stays unknown if it was
			continue
		}
		if c.mm[i] = v; i < 3 {
			c.known[i] = true
		}
	}
	still := from[0] == c.mm[0] && from[1] == c.mm[1] && from[2] == c.mm[2]
	by, r := c.mm[3]-from[3], &c.reels[c.tool]
	r.netMM += by
	switch {
	case by > 0 && !still:
		c.topMM = max(c.topMM, from[2], c.mm[2])
	case by > 0 && r.netMM <= r.mostMM+primeMM:
		c.pushFeed = c.feed
	case by < 0 && still:
		c.pullFeed = c.feed
	}
	r.mostMM = max(r.mostMM, r.netMM)
}

// primeMM is more than the roundings of a retraction and its way back make up.
const primeMM = 1e-3

func (c *course) unit() float64 {
	if c.inches {
		return 25.4
	}
	return 1
}

// rename follows G92. Without words, or with a subcode, it does different things in different firmware.
func (c *course) rename(cmd gcode.Command) {
	if cmd.Sub != 0 || len(cmd.Args) == 0 {
		c.known = [3]bool{}
		c.mm[3] = 0
		return
	}
	for i := range c.mm {
		if v, ok := cmd.Float(headAxes[i]); ok {
			if c.mm[i] = v * c.unit(); i < 3 {
				c.known[i] = true
			}
		}
	}
}

// firmwareRetracts reports whether a G10 or G11 is a retraction: with P, L or R it sets something else (RepRapFirmware).
func firmwareRetracts(c gcode.Command) bool { return !c.Has('P') && !c.Has('L') && !c.Has('R') }

// standsStill reports whether an M command is a pause: who pauses goes back to where it was.
func standsStill(c gcode.Command) bool {
	switch c.Number {
	case 0, 1, 25, 226, 600, 601:
		return true
	}
	return false
}

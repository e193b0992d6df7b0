package guard

import (
	"math"
	"time"

	"layerd/camera/register"
	"layerd/gcode"
	"layerd/printer"
)

// plan is how a print's time is spent.
type plan struct {
	everyS     int     // least seconds between the guard's own shots; 0 = it asks for none
	checkShare float64 // percent of the time for checks
}

// budget divides the share of a print's time that people allow between pictures and checks. shotS is what a shot takes; 0 = the timelapse has them taken anyway. While the camera is blind there are fewer
// pictures, only to see whether it still is, and twice the checks; so there are when a driver is too hot.
func budget(share, shotS float64, looks, checks, blind, hot bool) (p plan) {
	forLooks := 0.0
	if looks && shotS > 0 {
		if forLooks = share; checks {
			forLooks = share / 2
		}
		if blind {
			forLooks /= 4
		}
		p.everyS = max(int(math.Ceil(shotS/(forLooks/100))), int(lookEvery/time.Second))
	}
	if checks {
		p.checkShare = share - forLooks
		if blind && looks || hot {
			p.checkShare = 2 * share
		}
	}
	return p
}

const mostEager = 6 // looks: as many as learn a light, and two

// eager counts looks in a row after which the next is wanted at once: the camera has learned too little yet, of a scene or of a new light, or has seen a step and is to see it again. before is what it was.
func eager(before int, l register.Look) int {
	if l.Why == register.Learning || l.Why == register.Relit || l.Step.Sure > 0 && l.Step.Sure < 3 {
		return before + 1
	}
	return 0
}

// soon has the next layers looked at, whatever that costs, but not for long: a scene that is never learned is looked at as seldom as any.
func (p plan) soon(eager int) plan {
	if p.everyS > 0 && eager > 0 && eager <= mostEager {
		p.everyS = int(lookEvery / time.Second)
	}
	return p
}

// shotCost is what one parked shot of a file takes, in seconds.
func shotCost(p printer.Profile, survey *gcode.Survey) float64 {
	if survey == nil || len(survey.Layers) < 2 {
		return 4
	}
	return max(printer.ShotsTime(p, printer.Shots{Mode: printer.ShotsPark}, *survey).Seconds()/float64(len(survey.Layers)-1), 1)
}

package power

import (
	"time"

	"layerd/printer"
)

// Phase is where switching off by itself stands.
type Phase string

const (
	Not      Phase = ""         // nothing is meant to go off
	Print    Phase = "print"    // after the print under way
	Cooling  Phase = "cooling"  // it is waited for the printer to cool
	Counting Phase = "counting" // it goes off at Status.OffMS
)

const (
	countdown = time.Minute
	tooLong   = 4 * time.Hour    // what has not cooled by then is meant to stay warm
	tempsGood = 15 * time.Second // how old a report may be that says that it is cool
)

// sight is what can be seen at one moment.
type sight struct {
	now   time.Time
	snap  *printer.Snapshot
	power State
	alarm bool // one about the print is not answered yet
	rules Settings
}

// after decides when the power goes off by itself. It is a plain value without clock or goroutine; see is told of each change, and when at has come.
type after struct {
	phase  Phase
	job    string    // the print under way, as it was seen last
	chosen *bool     // for that print; nil = as the settings say
	next   chosen    // for one that is about to start
	cold   bool      // all heaters have been off since it waits
	since  time.Time // that it waits
	at     time.Time // when see is due again by itself; zero = not
	why    string    // what kept it on, for people; "" nothing
}

type chosen struct {
	job string
	off bool
}

// see reports whether the power is to go off now.
func (a *after) see(v sight) (off bool) {
	if v.snap == nil {
		return false
	}
	if id := underWay(v.snap); id != "" {
		if id != a.job {
			a.job, a.chosen, a.why = id, nil, ""
			if a.next.job == id {
				a.chosen = &a.next.off
			}
		}
		a.phase, a.at = Not, time.Time{}
		if a.wants(v.rules) {
			a.phase = Print
		}
		return false
	}
	if a.job != "" && !v.snap.State.HasJob() {
		a.ended(v)
	}
	if a.phase != Cooling && a.phase != Counting {
		return false
	}
	return a.wait(v)
}

func (a *after) wants(rules Settings) bool {
	if a.chosen != nil {
		return *a.chosen
	}
	return rules.AfterPrint
}

// underWay is the ID of the print under way, "" none.
func underWay(snap *printer.Snapshot) string {
	switch {
	case snap.Job != nil:
		return snap.Job.ID
	case snap.Card != nil && snap.Card.Printing:
		return snap.Card.ID
	}
	return ""
}

// ended decides what comes of a print that has ended.
func (a *after) ended(v sight) {
	wants, last := a.wants(v.rules), v.snap.LastJob
	well := last != nil && last.ID == a.job && (last.Outcome == "done" || last.Outcome == "cancelled" && v.rules.AfterCancelled)
	a.job, a.chosen, a.phase = "", nil, Not
	switch {
	case wants && well:
		a.begin(v.now)
	case wants:
		a.why = "the print did not end well"
	}
}

// begin waits for the printer to cool.
func (a *after) begin(now time.Time) {
	a.phase, a.cold, a.since, a.at, a.why = Cooling, false, now, now.Add(tooLong), ""
}

// wait is Cooling and Counting.
func (a *after) wait(v sight) (off bool) {
	hot := false
	for _, h := range heaters(v.snap) {
		hot = hot || h.TargetC > 0
	}
	cool := len(v.snap.Nozzles) > 0 && v.now.Sub(time.UnixMilli(v.snap.TempsAtMS)).Abs() < tempsGood // of the future, when the clock was set back
	for _, h := range v.snap.Nozzles {
		cool = cool && h.ActualC < v.rules.CoolC
	}
	switch {
	case v.power == Off && a.phase == Counting: // before it may be old: it is asked while it cools
		a.keep("")
	case v.alarm:
		a.keep("an alarm is not answered yet")
	case v.snap.State != printer.Idle || v.snap.Fault != nil:
		a.keep("the printer is not ready any more")
	case hot && (a.cold || a.phase == Counting):
		a.keep("the printer was heated")
	case v.now.Sub(a.since) >= tooLong:
		a.keep("the printer has not cooled in four hours")
	case hot:
	case a.phase == Cooling && cool:
		a.cold, a.phase, a.at = true, Counting, v.now.Add(countdown)
	case a.phase == Cooling:
		a.cold = true
	case !v.now.Before(a.at):
		a.keep("")
		return true
	}
	return false
}

// keep leaves the power on.
func (a *after) keep(why string) { a.phase, a.at, a.why = Not, time.Time{}, why }

// choose says what becomes of the print under way, else of the printer as it stands: off once it is cool, or not.
func (a *after) choose(now time.Time, off bool) {
	switch {
	case a.job != "":
		if a.chosen, a.phase = &off, Not; off {
			a.phase = Print
		}
	case off:
		a.begin(now)
	default:
		a.keep("somebody wants it so")
	}
}

// touched is told that a person has moved or heated something.
func (a *after) touched() {
	if a.phase == Cooling || a.phase == Counting {
		a.keep("somebody uses the printer")
	}
}

// heaters are all there are.
func heaters(snap *printer.Snapshot) []printer.Heater {
	all := append([]printer.Heater{}, snap.Nozzles...)
	for _, h := range []*printer.Heater{snap.Bed, snap.Chamber} {
		if h != nil {
			all = append(all, *h)
		}
	}
	return all
}

package moonraker

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

	"layerd/gcode"
	"layerd/internal/server"
)

// Objects of a plate, as Klipper's exclude_object has them: clients show a map of them, and send EXCLUDE_OBJECT NAME=… for one that they tap.

// plate remembers the objects of the print under way: clients are told of every change of it, and a survey is long.
type plate struct {
	mu    sync.Mutex // guards the rest
	job   string
	names []string // as clients know them
	all   []object
}

// of is what the print under way is made of. It may wait for the disk when a print has begun.
func (p *plate) of(ctx context.Context, a *API, st server.State) (names []string, all []object) {
	if st.Job == nil || st.Job.Objects == 0 {
		return nil, []object{}
	}
	p.mu.Lock()
	known := p.job == st.Job.ID
	names, all = p.names, p.all
	p.mu.Unlock()
	if known {
		return names, all
	}
	survey, err := a.s.Config().Files.Survey(ctx, st.Job.File)
	if err != nil || len(survey.Objects) != st.Job.Objects { // the file is another now
		return nil, []object{}
	}
	names, all = klipperNames(survey.Objects), []object{}
	for i, o := range survey.Objects {
		one := object{"name": names[i]}
		if o.CenterMM != nil {
			one["center"] = o.CenterMM
		}
		switch {
		case len(o.PolygonMM) > 2:
			one["polygon"] = o.PolygonMM
		case o.Extent != nil:
			low, high := o.Extent.Min, o.Extent.Max
			one["polygon"] = [][2]float64{{low[0], low[1]}, {high[0], low[1]}, {high[0], high[1]}, {low[0], high[1]}}
		}
		if o.CenterMM == nil && o.Extent != nil {
			one["center"] = [2]float64{(o.Extent.Min[0] + o.Extent.Max[0]) / 2, (o.Extent.Min[1] + o.Extent.Max[1]) / 2}
		}
		all = append(all, one)
	}
	p.mu.Lock()
	p.job, p.names, p.all = st.Job.ID, names, all
	p.mu.Unlock()
	return names, all
}

// klipperNames are names that can stand in a command without quotes, in upper case as Klipper has them, no two of them alike.
func klipperNames(objects []gcode.Object) []string {
	names := []string{}
	for i, o := range objects {
		name := o.ID
		if name == "" || strings.Trim(name, "0123456789") == "" { // a number says nothing to a person
			name = o.Name
		}
		name = strings.ToUpper(strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune("-_.", r) {
				return r
			}
			return '_'
		}, name))
		for n := i + 1; slices.Contains(names, name); n++ {
			name += "_" + strconv.Itoa(n)
		}
		names = append(names, name)
	}
	return names
}

// excluded is the status object of it.
func (a *API) excluded(ctx context.Context, st server.State) object {
	names, all := a.plate.of(ctx, a, st)
	skipped := []string{}
	var current any
	if st.Job != nil && len(names) > 0 {
		for _, i := range st.Job.Skipped {
			skipped = append(skipped, names[i])
		}
		if st.Job.Object >= 0 {
			current = names[st.Job.Object]
		}
	}
	return object{"objects": all, "excluded_objects": skipped, "current_object": current}
}

// objectsFor are all objects, with the plate's where somebody wants them.
func (a *API) objectsFor(ctx context.Context, st server.State, wanted selection) map[string]object {
	all := objectsOf(st)
	if _, asked := wanted["exclude_object"]; asked {
		all["exclude_object"] = a.excluded(ctx, st)
	}
	return all
}

// exclude takes EXCLUDE_OBJECT NAME=…, or CURRENT=1, while a print has objects: one is skipped, whatever the firmware; with RESET=1 it is printed after all, or all are.
// Other lines it leaves to the printer.
func (a *API) exclude(c call, line string) (taken bool, err error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	st := a.s.State(c.me)
	if !strings.EqualFold(verb, "EXCLUDE_OBJECT") || strings.ContainsAny(line, "\r\n") {
		return false, nil
	}
	names, _ := a.plate.of(c.r.Context(), a, st)
	if len(names) == 0 {
		return false, nil
	}
	words := map[string]string{}
	for _, word := range strings.Fields(rest) {
		key, value, _ := strings.Cut(word, "=")
		words[strings.ToUpper(key)] = strings.Trim(value, `"'`)
	}
	do, which := "skip_object", []int{}
	if words["RESET"] == "1" {
		do = "keep_object"
	}
	switch {
	case words["NAME"] != "":
		which = append(which, slices.Index(names, strings.ToUpper(words["NAME"])))
	case words["CURRENT"] == "1":
		which = append(which, st.Job.Object)
	case do == "keep_object":
		which = st.Job.Skipped
	default:
		return true, server.Refuse("bad_form", "Say which object, as in EXCLUDE_OBJECT NAME="+names[0]+".")
	}
	for _, i := range which {
		if i < 0 {
			return true, server.Refuse("bad_form", "There is no such object in this print.")
		}
		if err := a.s.Try(c.r.Context(), c.me, server.Command{Do: do, Job: st.Job.ID, Object: &i}); err != nil {
			return true, err
		}
	}
	return true, nil
}

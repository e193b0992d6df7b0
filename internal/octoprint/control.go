package octoprint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/printer"
)

// commandRoutes have the printer do something: each command of theirs becomes one or more of ours, which look at the role and at the limits again.
func (a *API) commandRoutes() []server.Route {
	return []server.Route{
		{Method: "POST", Path: "/api/printer/tool", Least: access.Operator, Serve: a.tool},
		{Method: "POST", Path: "/api/printer/bed", Least: access.Operator, Serve: a.heat(isBed, "set_bed")},
		{Method: "POST", Path: "/api/printer/chamber", Least: access.Operator, Serve: a.heat(isChamber, "set_chamber")},
		{Method: "POST", Path: "/api/printer/printhead", Least: access.Operator, Serve: a.head},
		{Method: "POST", Path: "/api/printer/sd", Least: access.Operator, Serve: a.sdCommand},
		{Method: "POST", Path: "/api/printer/storage", Least: access.Operator, Serve: a.sdCommand},
		{Method: "POST", Path: "/api/printer/command", Least: access.Owner, Serve: a.send},
	}
}

// printing reports whether a print is under way and not paused: the head is its own then.
func printing(st server.State) bool { return stateOf(st).Flags.Printing }

func (a *API) tool(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st, err := a.operational(me)
	if err != nil {
		return err
	}
	command, in, err := readCommand(w, r, map[string][]string{"select": {"tool"}, "target": {"targets"}, "offset": {"offsets"}, "extrude": {"amount"}, "flowrate": {"factor"}})
	if err != nil {
		return err
	}
	switch command {
	case "select":
		err = a.selectTool(r, me, st, in)
	case "target":
		err = a.target(r, me, in)
	case "offset":
		err = offsets(in, "offsets")
	case "extrude":
		if printing(st) {
			return refuse(http.StatusConflict, "The printer is printing.")
		}
		err = a.extrude(r, me, in)
	case "flowrate":
		err = a.factor(r, me, in, "set_flow")
	}
	if err != nil {
		return err
	}
	return done(w)
}

// toolOf is the number in "tool1"; "tool" is the one in use, of which nobody can tell but that there is one.
func toolOf(name string) (n int, ok bool) {
	digits, ok := strings.CutPrefix(name, "tool")
	if !ok || digits == "" {
		return 0, ok
	}
	n, err := strconv.Atoi(digits)
	return n, err == nil && n >= 0 && n < 16 && digits == strconv.Itoa(n)
}

// selectTool changes the tool, where there are several. It is a line of the console, and so the owner's.
func (a *API) selectTool(r *http.Request, me access.Identity, st server.State, in asked) error {
	name, err := in.text("tool")
	n, ok := toolOf(name)
	if err != nil || !ok || name == "tool" || n >= max(st.Profile.Nozzles, 1) {
		return invalid("tool")
	}
	if st.Profile.Nozzles <= 1 {
		return nil
	}
	return a.s.Try(r.Context(), me, server.Command{Do: "send", Line: "T" + strconv.Itoa(n)})
}

// target heats tools, in their order: all of the request is understood before the first is.
func (a *API) target(r *http.Request, me access.Identity, in asked) error {
	var targets map[string]json.RawMessage
	if json.Unmarshal(in["targets"], &targets) != nil {
		return invalid("targets")
	}
	byTool := map[int]float64{}
	for name, raw := range targets {
		n, ok := toolOf(name)
		if !ok {
			return refuse(http.StatusBadRequest, "There is no such tool.")
		}
		c, err := numberIn(raw)
		if err != nil {
			return refuse(http.StatusBadRequest, "A target is a temperature in degrees.")
		}
		byTool[n] = c
	}
	for _, n := range slices.Sorted(maps.Keys(byTool)) {
		c := byTool[n]
		if err := a.s.Try(r.Context(), me, server.Command{Do: "set_nozzle", Tool: n, TargetC: &c}); err != nil {
			return err
		}
	}
	return nil
}

// offsets are taken when they are none: what a file says is what the printer is told.
func offsets(in asked, key string) error {
	all := map[string]json.RawMessage{}
	if key == "offset" {
		all[key] = in[key]
	} else if json.Unmarshal(in[key], &all) != nil {
		return invalid(key)
	}
	for _, raw := range all {
		if c, err := numberIn(raw); err != nil {
			return invalid(key)
		} else if c != 0 {
			return refuse(http.StatusConflict, "layerd adds nothing to the temperatures of a file. Set the target itself.")
		}
	}
	return nil
}

// maxExtrude is the fastest speed that is passed on, in mm/s: the original too takes a greater one as a wish.
const maxExtrude = 20

func (a *API) extrude(r *http.Request, me access.Identity, in asked) error {
	mm, err := in.number("amount")
	if err != nil {
		return invalid("amount")
	}
	mmMin := 0.0
	if in.has("speed") && string(in["speed"]) != "null" {
		if mmMin, err = in.number("speed"); err != nil || mmMin < 0 {
			return invalid("speed")
		}
	}
	if mm == 0 {
		return nil
	}
	return a.s.Try(r.Context(), me, server.Command{Do: "extrude", ByMM: mm, MMS: min(mmMin/60, maxExtrude)})
}

// factor sets speed or flow: a whole number is per cent, one with a fraction is a factor.
func (a *API) factor(r *http.Request, me access.Identity, in asked, do string) error {
	percent, err := in.number("factor")
	if err != nil {
		return invalid("factor")
	}
	if bytes.ContainsAny(in["factor"], ".eE") {
		percent *= 100
	}
	return a.s.Try(r.Context(), me, server.Command{Do: do, Percent: &percent})
}

func (a *API) heat(which which, do string) func(http.ResponseWriter, *http.Request, access.Identity) error {
	return func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
		st, err := a.operational(me)
		if err == nil {
			err = hasHeater(st, which)
		}
		if err != nil {
			return err
		}
		command, in, err := readCommand(w, r, map[string][]string{"target": {"target"}, "offset": {"offset"}})
		if err != nil {
			return err
		}
		if command == "offset" {
			err = offsets(in, "offset")
		} else {
			c, bad := in.number("target")
			if bad != nil {
				return invalid("target")
			}
			err = a.s.Try(r.Context(), me, server.Command{Do: do, TargetC: &c})
		}
		if err != nil {
			return err
		}
		return done(w)
	}
}

func (a *API) head(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	command, in, err := readCommand(w, r, map[string][]string{"jog": nil, "home": {"axes"}, "feedrate": {"factor"}})
	if err != nil {
		return err
	}
	st := a.s.State(me)
	if !stateOf(st).Flags.Operational || printing(st) && command != "feedrate" {
		return refuse(http.StatusConflict, "The printer is printing, or is not connected.")
	}
	switch command {
	case "jog":
		err = a.jog(r, me, in)
	case "home":
		err = a.home(r, me, in)
	case "feedrate":
		err = a.factor(r, me, in, "set_speed")
	}
	if err != nil {
		return err
	}
	return done(w)
}

// jog moves axes one after the other, at the profile's speeds.
func (a *API) jog(r *http.Request, me access.Identity, in asked) error {
	var moves []server.Command
	for _, axis := range []string{"x", "y", "z"} {
		if !in.has(axis) || string(in[axis]) == "null" {
			continue
		}
		mm, err := in.number(axis)
		if err != nil {
			return invalid("axis value")
		}
		move := server.Command{Do: "jog", Axes: axis, ByMM: mm}
		if in.is("absolute") {
			move.ByMM, move.ToMM = 0, &mm
		} else if mm == 0 {
			continue
		}
		moves = append(moves, move)
	}
	if len(moves) == 0 && !in.has("x") && !in.has("y") && !in.has("z") {
		return refuse(http.StatusBadRequest, "Name an axis, and how far it is to go.")
	}
	for _, move := range moves {
		if err := a.s.Try(r.Context(), me, move); err != nil {
			return err
		}
	}
	return nil
}

// home homes axes, a list or a text of them; none means all.
func (a *API) home(r *http.Request, me access.Identity, in asked) error {
	var axes []string
	if json.Unmarshal(in["axes"], &axes) != nil {
		text, err := in.text("axes")
		if err != nil {
			return invalid("axis")
		}
		axes = strings.Split(text, "")
	}
	all := ""
	for _, axis := range axes {
		switch {
		case len(axis) != 1 || !strings.Contains("xyz", axis):
			return invalid("axis")
		case !strings.Contains(all, axis):
			all += axis
		}
	}
	return a.s.Try(r.Context(), me, server.Command{Do: "home", Axes: all})
}

// sdCommand has the card looked at again. layerd does so by itself, and never lets go of it.
func (a *API) sdCommand(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	if st := a.s.State(me); !stateOf(st).Flags.Operational || st.State != printer.Idle {
		return refuse(http.StatusConflict, "The printer is busy, or is not connected.")
	}
	command, _, err := readCommand(w, r, map[string][]string{"init": nil, "refresh": nil, "release": nil})
	if err != nil {
		return err
	}
	if command == "release" {
		return refuse(http.StatusConflict, "layerd does not release the printer's card. Send M22, if that is what you want.")
	}
	if _, err := a.s.Config().Printer.ListCard(r.Context()); err != nil {
		return err
	}
	return done(w)
}

// place is a parameter's in a command: %(name)s, %(name).2f.
var place = regexp.MustCompile(`%\(([^)]*)\)([0-9.]*)([sdfg])|%%`)

// filled is a command with its parameters in their places, as Python's % puts them there.
func filled(line string, values map[string]any) (_ string, err error) {
	if len(values) == 0 {
		return line, nil
	}
	line = place.ReplaceAllStringFunc(line, func(found string) string {
		if found == "%%" {
			return "%"
		}
		parts := place.FindStringSubmatch(found)
		v, there := values[parts[1]]
		number, isNumber := v.(float64)
		digits, bad := strconv.Atoi(strings.TrimPrefix(parts[2], "."))
		switch {
		case !there || parts[3] != "s" && !isNumber || bad == nil && digits > 20:
			err = invalid("parameters")
		case parts[3] == "d":
			return strconv.FormatFloat(math.Trunc(number), 'f', 0, 64)
		case parts[3] == "f" && bad == nil:
			return strconv.FormatFloat(number, 'f', digits, 64)
		case parts[3] == "f":
			return strconv.FormatFloat(number, 'f', 6, 64)
		case isNumber:
			return strconv.FormatFloat(number, 'g', -1, 64)
		}
		return fmt.Sprint(v)
	})
	return line, err
}

// send gives lines to the printer, as the console of our page does: the owner's alone.
func (a *API) send(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	if _, err := a.operational(me); err != nil {
		return err
	}
	in, err := read(w, r)
	if err != nil {
		return err
	}
	one, many, script := in.has("command"), in.has("commands"), in.has("script")
	var lines []string
	switch {
	case one && many:
		return refuse(http.StatusBadRequest, "Send command or commands, not both.")
	case (one || many) && script:
		return refuse(http.StatusBadRequest, "Send commands or a script, not both.")
	case script:
		return refuse(http.StatusNotFound, "There is no such script.")
	case one:
		line, bad := in.text("command")
		lines, err = []string{line}, bad
	case many:
		err = json.Unmarshal(in["commands"], &lines)
	default:
		return refuse(http.StatusBadRequest, "Send command, commands or script.")
	}
	if err != nil {
		return invalid("commands")
	}
	if in.has("parameters") && string(in["parameters"]) != "null" {
		var values map[string]any
		if json.Unmarshal(in["parameters"], &values) != nil {
			return invalid("parameters")
		}
		for i := range lines {
			if lines[i], err = filled(lines[i], values); err != nil {
				return err
			}
		}
	}
	if strings.TrimSpace(strings.Join(lines, "")) == "" {
		return done(w) // as the original, which has nothing to do then
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: "send", Line: strings.Join(lines, "\n")}); err != nil {
		return err
	}
	return done(w)
}

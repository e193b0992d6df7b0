package moonraker

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"layerd/internal/server"
	"layerd/printer"
)

// What flows here: our state → Klipper's objects, as clients know them → the fields that somebody asks for. What is null is not known to us.

const (
	ready        = "ready"
	startup      = "startup"
	shutdown     = "shutdown"
	disconnected = "disconnected"
)

// klippyOf is the state of the printer's host, as Klipper would have it, and a sentence for people.
func klippyOf(st server.State) (state, message string) {
	switch {
	case st.State == printer.Connecting:
		return startup, "The printer is being connected."
	case st.State == printer.Disconnected && st.Fault != nil:
		return disconnected, st.Fault.Message
	case st.State == printer.Disconnected:
		return disconnected, "The printer is not connected."
	case st.State == printer.Halting, st.State == printer.Halted:
		return shutdown, "The printer was stopped in an emergency."
	case st.State == printer.Faulted && st.Fault != nil:
		return shutdown, st.Fault.Message
	case st.State == printer.Faulted:
		return shutdown, "Something is wrong with the printer."
	}
	return ready, "Printer is ready"
}

// progress is what is known of a print, under way or over. State is Klipper's word.
type progress struct {
	state, file, message string
	printS, totalS       float64
	filamentMM, part     float64 // part of the whole, 0–1
	at, size             int64   // bytes
	layer, layers        any     // null = not known
}

func known(n int) any {
	if n <= 0 {
		return nil
	}
	return n
}

// progressOf is the print under way, else the last one on this connection: it stays until the next begins.
func progressOf(st server.State) (p progress) {
	p.state = "standby"
	switch last := st.LastJob; {
	case st.Job != nil:
		j := st.Job
		p = progress{state: "printing", file: j.File, printS: j.ElapsedS, totalS: math.Max(float64(st.NowMS-j.StartedMS)/1000, j.ElapsedS), filamentMM: j.FilamentMM, part: j.Percent / 100,
			at: j.Offset, size: j.Size, layer: known(j.Layer), layers: known(j.Layers)}
	case st.Card != nil && st.Card.Printing:
		p = progress{state: "printing", file: st.Card.Name, printS: st.Card.ElapsedS, totalS: st.Card.ElapsedS, part: st.Card.Percent / 100, at: st.Card.Bytes, size: st.Card.Size}
	case last != nil && last.EndedMS >= st.Connection.SinceMS:
		p = progress{state: "error", file: last.File, message: last.Reason, printS: last.ElapsedS, totalS: last.ElapsedS, filamentMM: last.FilamentMM, part: last.Percent / 100,
			layer: known(last.Layer), layers: known(last.Layers)}
		switch last.Outcome {
		case "done":
			p.state = "complete"
		case "cancelled":
			p.state = "cancelled"
		}
	}
	if p.state == "printing" && st.State == printer.Paused { // not before: clients that see it may ask for the print to go on at once
		p.state = "paused"
	}
	if st.Fault != nil && (st.State == printer.Faulted || st.State == printer.Disconnected) {
		p.state, p.message = "error", st.Fault.Message
	}
	return p
}

// objectsOf are all objects. Heaters are among them as far as they have been heard of.
func objectsOf(st server.State) map[string]object {
	state, message := klippyOf(st)
	if state == disconnected {
		state = "error"
	}
	p := progressOf(st)
	under := p.state == "printing" || p.state == "paused"
	var notice any
	if st.Notice != "" {
		notice = st.Notice
	}
	idle := map[bool]string{true: "Printing", false: "Ready"}[p.state == "printing"]
	position, homed := []any{nil, nil, nil, nil}, ""
	if st.Position != nil {
		position = []any{st.Position.XMM, st.Position.YMM, st.Position.ZMM, st.Position.EMM}
	}
	if st.Homed {
		homed = "xyz"
	}
	low, high := bounds(st.Profile)
	all := map[string]object{
		"webhooks":       {"state": state, "state_message": message},
		"print_stats":    {"state": p.state, "filename": p.file, "message": p.message, "print_duration": p.printS, "total_duration": p.totalS, "filament_used": p.filamentMM, "info": object{"current_layer": p.layer, "total_layer": p.layers}},
		"virtual_sdcard": {"file_path": p.file, "progress": p.part, "is_active": p.state == "printing", "file_position": p.at, "file_size": p.size},
		"display_status": {"progress": p.part, "message": notice},
		"pause_resume":   {"is_paused": p.state == "paused"},
		"idle_timeout":   {"state": idle, "printing_time": map[bool]float64{true: p.totalS}[under]},
		"toolhead":       {"position": position, "homed_axes": homed, "extruder": "extruder", "axis_minimum": low, "axis_maximum": high},
		"gcode_move": {"position": position, "gcode_position": position, "homing_origin": []float64{0, 0, 0, 0}, "speed": nil, "speed_factor": st.SpeedPercent / 100,
			"extrude_factor": st.FlowPercent / 100},
		"fan":          {"speed": st.FanPercent / 100, "rpm": nil},
		"configfile":   configOf(st.Profile),
		"system_stats": {"sysload": nil, "cputime": nil, "memavail": nil},
	}
	for i, h := range st.Nozzles {
		name := "extruder"
		if i > 0 {
			name += strconv.Itoa(i)
		}
		all[name] = object{"temperature": h.ActualC, "target": h.TargetC, "power": 0.0, "can_extrude": h.ActualC >= st.Profile.MinExtrudeC}
	}
	if st.Bed != nil {
		all["heater_bed"] = object{"temperature": st.Bed.ActualC, "target": st.Bed.TargetC, "power": 0.0}
	}
	if st.Chamber != nil {
		all["heater_generic chamber"] = object{"temperature": st.Chamber.ActualC, "target": st.Chamber.TargetC, "power": 0.0}
	}
	return all
}

// bounds are where the head can be, X Y Z E in mm.
func bounds(p printer.Profile) (low, high []float64) {
	if p.Origin == "center" {
		return []float64{-p.WidthMM / 2, -p.DepthMM / 2, 0, 0}, []float64{p.WidthMM / 2, p.DepthMM / 2, p.HeightMM, 0}
	}
	return []float64{0, 0, 0, 0}, []float64{p.WidthMM, p.DepthMM, p.HeightMM, 0}
}

// configOf is the printer's profile as far as clients look for it in Klipper's configuration: there as text, and as numbers in its settings.
func configOf(p printer.Profile) object {
	text := func(f float64) string { return strconv.FormatFloat(f, 'g', -1, 64) }
	kinematics := p.Kinematics
	config := object{"printer": object{"kinematics": kinematics}, "extruder": object{"nozzle_diameter": text(p.NozzleMM), "min_extrude_temp": text(p.MinExtrudeC), "max_temp": text(p.MaxNozzleC)}}
	settings := object{"printer": object{"kinematics": kinematics}, "extruder": object{"nozzle_diameter": p.NozzleMM, "min_extrude_temp": p.MinExtrudeC, "max_temp": p.MaxNozzleC}}
	if p.HeatedBed {
		config["heater_bed"], settings["heater_bed"] = object{"max_temp": text(p.MaxBedC)}, object{"max_temp": p.MaxBedC}
	}
	return object{"config": config, "settings": settings, "warnings": []any{}, "save_config_pending": false, "save_config_pending_items": object{}}
}

// selection is which fields of which objects somebody wants; nil = all fields.
type selection map[string][]string

var errSelection = server.Refuse("bad_form", "No objects, or not as {\"name\": null or [\"field\", …]}.")

// selectionOf reads the objects of a request: {"objects": {"name": null, "name": ["field"]}}, or name and name=field,field in its address.
func selectionOf(in asked) (selection, error) {
	s := selection{}
	if raw, there := in["objects"]; there {
		var objects map[string][]string
		if json.Unmarshal(raw, &objects) != nil || objects == nil {
			return nil, errSelection
		}
		s = objects
	} else {
		for name, raw := range in {
			var fields string
			if json.Unmarshal(raw, &fields) != nil {
				return nil, errSelection
			}
			s[name] = nil
			if fields != "" {
				s[name] = strings.Split(fields, ",")
			}
		}
	}
	if len(s) == 0 {
		return nil, errSelection
	}
	return s, nil
}

// from takes the selection out of all objects. Of one that does not exist there is nothing, of a field null: as Klipper has it.
func (s selection) from(all map[string]object) map[string]object {
	out := map[string]object{}
	for name, fields := range s {
		o := object{}
		if fields == nil {
			o = all[name]
		} else if all[name] != nil {
			for _, f := range fields {
				o[f] = all[name][f]
			}
		}
		if o == nil {
			o = object{}
		}
		out[name] = o
	}
	return out
}

// eventTime is the time of a state, in seconds.
func eventTime(st server.State) float64 { return float64(st.NowMS) / 1000 }

func (a *API) objects(c call) (any, error) {
	names := []string{}
	for name := range a.objectsFor(c.r.Context(), a.s.State(c.me), selection{"exclude_object": nil}) {
		names = append(names, name)
	}
	slices.Sort(names)
	return object{"objects": names}, nil
}

func (a *API) query(c call) (any, error) {
	wanted, err := selectionOf(c.in)
	if err != nil {
		return nil, err
	}
	st := a.s.State(c.me)
	return object{"eventtime": eventTime(st), "status": wanted.from(a.objectsFor(c.r.Context(), st, wanted))}, nil
}

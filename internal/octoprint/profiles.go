package octoprint

import (
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/printer"
)

// profileRoutes are about the printer's profiles. The one in use has the ID that the original gives its first, since many clients ask for
// that one without looking; the others' are made of their names.
func (a *API) profileRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/printerprofiles", Least: access.Viewer, Serve: a.listProfiles},
		{Method: "GET", Path: "/api/printerprofiles/*", Least: access.Viewer, Serve: a.showProfile},
		{Method: "POST", Path: "/api/printerprofiles", Least: access.Owner, Serve: a.addProfile},
		{Method: "PATCH", Path: "/api/printerprofiles/*", Least: access.Owner, Serve: a.changeProfile},
		{Method: "DELETE", Path: "/api/printerprofiles/*", Least: access.Owner, Serve: a.deleteProfile},
	}
}

const inUse = "_default"

// profile is one of ours under its ID.
type profile struct {
	printer.Profile
	id string
}

// profiles are all of them, the one in use first.
func (a *API) profiles() []profile {
	shelf := a.s.Profiles()
	all, taken := []profile{{shelf.Used(), inUse}}, map[string]bool{inUse: true, "": true}
	for _, p := range shelf.Profiles {
		if p.Name == shelf.InUse {
			continue
		}
		id := slug(p.Name)
		for base, n := id, 2; taken[id]; n++ {
			id = base + "_" + strconv.Itoa(n)
		}
		taken[id] = true
		all = append(all, profile{p, id})
	}
	return all
}

func (a *API) profile(id string) (profile, bool) {
	for _, p := range a.profiles() {
		if p.id == id {
			return p, true
		}
	}
	return profile{}, false
}

// slug is a name as an ID: letters and digits.
func slug(name string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(name)), "_")
}

// Profile is a printer as clients know it. Lengths are mm, speeds mm/min.
type Profile struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Model    string          `json:"model"`
	Color    string          `json:"color"`
	Default  bool            `json:"default"`
	Current  bool            `json:"current"`
	Resource string          `json:"resource"`
	Bed      bool            `json:"heatedBed"`
	Chamber  bool            `json:"heatedChamber"`
	Volume   Volume          `json:"volume"`
	Extruder Extruder        `json:"extruder"`
	Axes     map[string]Axis `json:"axes"`
}

// Volume is where the head may go.
type Volume struct {
	FormFactor string  `json:"formFactor"` // "rectangular" or "circular"
	Origin     string  `json:"origin"`     // "lowerleft" or "center"
	Width      float64 `json:"width"`
	Depth      float64 `json:"depth"`
	Height     float64 `json:"height"`
	Custom     bool    `json:"custom_box"` // false: the head goes no farther than that
}

// Extruder is the tools.
type Extruder struct {
	Count   int          `json:"count"`
	Nozzle  float64      `json:"nozzleDiameter"`
	Shared  bool         `json:"sharedNozzle"`
	Length  float64      `json:"defaultExtrusionLength"`
	Offsets [][2]float64 `json:"offsets"`
}

// Axis is how fast an axis goes.
type Axis struct {
	Speed    float64 `json:"speed"`
	Inverted bool    `json:"inverted"`
}

func (p profile) shape(base string) Profile {
	out := Profile{ID: p.id, Name: p.Name, Model: p.Name, Color: "default", Default: p.id == inUse, Current: p.id == inUse, Resource: base + "/api/printerprofiles/" + p.id,
		Bed: p.HeatedBed, Chamber: p.HeatedChamber,
		Volume:   Volume{FormFactor: "rectangular", Origin: "lowerleft", Width: p.WidthMM, Depth: p.DepthMM, Height: p.HeightMM},
		Extruder: Extruder{Count: p.Nozzles, Nozzle: p.NozzleMM, Shared: p.SharedNozzle || p.Mixing, Length: 5, Offsets: make([][2]float64, p.Nozzles)}}
	if p.Profile.Bed == "circle" {
		out.Volume.FormFactor = "circular"
	}
	if p.Origin == "center" {
		out.Volume.Origin = "center"
	}
	for i, t := range p.Tools[:min(len(p.Tools), p.Nozzles)] {
		out.Extruder.Offsets[i] = [2]float64{t.XMM, t.YMM}
	}
	perMin := func(mmS float64) Axis { return Axis{Speed: math.Round(mmS * 60)} }
	out.Axes = map[string]Axis{"x": perMin(p.TravelMMS), "y": perMin(p.TravelMMS), "z": perMin(p.LiftMMS), "e": perMin(p.ExtrudeMMS)}
	return out
}

func (a *API) listProfiles(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	all := map[string]Profile{}
	for _, p := range a.profiles() {
		all[p.id] = p.shape(a.s.Base(r))
	}
	return a.sayNew(w, r, map[string]any{"profiles": all}, all)
}

func (a *API) showProfile(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	p, known := a.profile(r.PathValue("path"))
	if !known {
		return errNothing
	}
	return a.say(w, p.shape(a.s.Base(r)))
}

// readProfile reads {"profile": {…}} over what base has: the keys that it knows and the original's clients send.
func readProfile(w http.ResponseWriter, r *http.Request, base profile) (out printer.Profile, in asked, err error) {
	in, err = read(w, r)
	if err != nil {
		return out, nil, err
	}
	wanted := base.shape("")
	if !in.has("profile") {
		return out, nil, refuse(http.StatusBadRequest, "Send the profile.")
	}
	if json.Unmarshal(in["profile"], &wanted) != nil {
		return out, nil, invalid("profile")
	}
	out = base.Profile
	out.Name, out.HeatedBed, out.HeatedChamber = wanted.Name, wanted.Bed, wanted.Chamber
	v, e := wanted.Volume, wanted.Extruder
	out.WidthMM, out.DepthMM, out.HeightMM = v.Width, v.Depth, v.Height
	out.Bed, out.Origin = "rectangle", "corner"
	if v.FormFactor == "circular" {
		out.Bed = "circle"
	}
	if v.Origin == "center" {
		out.Origin = "center"
	}
	out.Nozzles, out.NozzleMM, out.SharedNozzle, out.Tools = e.Count, e.Nozzle, e.Shared, nil
	for _, at := range e.Offsets[:max(min(len(e.Offsets), e.Count), 0)] {
		out.Tools = append(out.Tools, printer.Tool{XMM: at[0], YMM: at[1]})
	}
	// A bed that became smaller leaves the parking place behind: it goes along, as near as it can be.
	out.ParkXMM, out.ParkYMM = clampPark(out)
	return out, in, nil
}

// clampPark is the parking place within the bed, round or not.
func clampPark(p printer.Profile) (x, y float64) {
	midX, midY := p.WidthMM/2, p.DepthMM/2
	if p.Origin == "center" {
		midX, midY = 0, 0
	}
	x, y = p.ParkXMM-midX, p.ParkYMM-midY
	x, y = math.Min(math.Max(x, -p.WidthMM/2), p.WidthMM/2), math.Min(math.Max(y, -p.DepthMM/2), p.DepthMM/2)
	if far, most := math.Hypot(x, y), math.Min(p.WidthMM, p.DepthMM)/2; p.Bed == "circle" && far > most {
		x, y = x*most/far*0.99, y*most/far*0.99
	}
	return midX + x, midY + y
}

// addProfile saves a new one: what the request leaves out is as in the one in use.
func (a *API) addProfile(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	base, _ := a.profile(inUse)
	p, _, err := readProfile(w, r, base)
	if err != nil {
		return err
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: "save_profile", Profile: &p}); err != nil {
		return err
	}
	return a.sayProfile(w, r, p.Name)
}

// changeProfile changes a profile. {"default": true} takes it into use. One that is not in use is saved anew.
func (a *API) changeProfile(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	base, known := a.profile(r.PathValue("path"))
	if !known {
		return errNothing
	}
	p, in, err := readProfile(w, r, base)
	if err != nil {
		return err
	}
	var flags struct{ Default, Current bool }
	if json.Unmarshal(in["profile"], &flags) != nil {
		return invalid("profile")
	}
	try := func(cmd server.Command) {
		if err == nil {
			err = a.s.Try(r.Context(), me, cmd)
		}
	}
	switch {
	case base.id == inUse:
		try(server.Command{Do: "set_profile", Profile: &p})
	case flags.Default || flags.Current:
		try(server.Command{Do: "choose_profile", Name: base.Name})
		try(server.Command{Do: "set_profile", Profile: &p})
	case p.Name != base.Name:
		try(server.Command{Do: "save_profile", Profile: &p})
		try(server.Command{Do: "delete_profile", Name: base.Name})
	default:
		if bad := p.Check(); bad != nil {
			return refuse(http.StatusBadRequest, bad.Error())
		}
		try(server.Command{Do: "delete_profile", Name: base.Name})
		try(server.Command{Do: "save_profile", Profile: &p})
	}
	if err != nil {
		return err
	}
	return a.sayProfile(w, r, p.Name)
}

func (a *API) sayProfile(w http.ResponseWriter, r *http.Request, name string) error {
	for _, p := range a.profiles() {
		if p.Name == name {
			return a.say(w, map[string]any{"profile": p.shape(a.s.Base(r))})
		}
	}
	return errNothing
}

func (a *API) deleteProfile(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	p, known := a.profile(r.PathValue("path"))
	switch {
	case !known:
		return errNothing
	case p.id == inUse:
		return refuse(http.StatusConflict, "The profile in use cannot be deleted.")
	}
	if err := a.s.Try(r.Context(), me, server.Command{Do: "delete_profile", Name: p.Name}); err != nil {
		return err
	}
	return done(w)
}

package octoprint

import (
	"cmp"
	"net/http"
	"slices"

	"layerd/internal/access"
	"layerd/internal/server"
)

// connectionRoutes are about the port that the printer is at.
func (a *API) connectionRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/connection", Least: access.Viewer, Serve: a.connection},
		{Method: "POST", Path: "/api/connection", Least: access.Owner, Serve: a.connect},
	}
}

// Connection is the answer to /api/connection.
type Connection struct {
	Current struct {
		State     string  `json:"state"`
		Port      *string `json:"port"`
		Baud      *int    `json:"baudrate"`
		ProfileID string  `json:"printerProfile"`
	} `json:"current"`
	Options struct {
		Ports          []string      `json:"ports"`
		Bauds          []int         `json:"baudrates"`
		Profiles       []ProfileName `json:"printerProfiles"`
		PrefersPort    *string       `json:"portPreference"`
		PrefersBaud    int           `json:"baudratePreference"`
		PrefersProfile string        `json:"printerProfilePreference"`
	} `json:"options"`
}

// ProfileName is a profile to choose.
type ProfileName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (a *API) connection(w http.ResponseWriter, _ *http.Request, me access.Identity) error {
	st := a.s.State(me)
	var c Connection
	c.Current.State, c.Current.ProfileID = stateOf(st).Text, inUse
	if c.Current.State == "Offline" {
		c.Current.State = "Closed" // here alone
	}
	if st.Connection.Port != "" {
		c.Current.Port = &st.Connection.Port
		if st.Connection.Baud > 0 {
			c.Current.Baud = &st.Connection.Baud
		}
	}
	c.Options.Ports, c.Options.Bauds = a.ports(st), baudsOf(st)
	c.Options.PrefersProfile = inUse
	if len(c.Options.Ports) > 0 {
		c.Options.PrefersPort = &c.Options.Ports[0]
	}
	c.Options.PrefersBaud = cmp.Or(baudOf(st), c.Options.Bauds[0]) // the likeliest
	for _, p := range a.profiles() {
		c.Options.Profiles = append(c.Options.Profiles, ProfileName{p.id, p.Name})
	}
	return a.say(w, c)
}

// ports are those that a printer may be at, the one in use first, or the one that it would be at: no other list need have that one.
func (a *API) ports(st server.State) []string {
	all := []string{}
	if port := portOf(st); port != "" {
		all = append(all, port)
	}
	if list := a.s.Config().Ports; list != nil {
		found, _ := list() // the list is a help and no more: without it there are the port in use and the configured one
		for _, p := range found {
			if !slices.Contains(all, p.Path) {
				all = append(all, p.Path)
			}
		}
	}
	return all
}

// portOf is the port in use, or the one that would be; "" when it is still to be found.
func portOf(st server.State) string { return cmp.Or(st.Connection.Port, st.Connection.WantPort) }

// baudOf is the speed in use, or the one that would be; 0 when it is still to be found.
func baudOf(st server.State) int { return cmp.Or(st.Connection.Baud, st.Connection.WantBaud) }

// baudsOf are those to choose from, which those of one printer need not be among.
func baudsOf(st server.State) []int {
	all := server.Bauds()
	if baud := baudOf(st); baud != 0 && !slices.Contains(all, baud) {
		all = append(all, baud)
	}
	return all
}

// connect connects and disconnects. A lost acknowledgement, which fake_ack stands in for, layerd notices itself.
func (a *API) connect(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	command, in, err := readCommand(w, r, map[string][]string{"connect": nil, "disconnect": nil, "fake_ack": nil, "repair": nil})
	if err != nil {
		return err
	}
	st := a.s.State(me)
	switch command {
	case "connect":
		err = a.connectAs(r, me, st, in)
	case "disconnect":
		if st.Connection.Port != "" {
			err = a.s.Try(r.Context(), me, server.Command{Do: "disconnect"})
		}
	}
	if err != nil {
		return err
	}
	return done(w)
}

func (a *API) connectAs(r *http.Request, me access.Identity, st server.State, in asked) error {
	port, err := in.text("port")
	if err != nil && string(in["port"]) != "null" {
		return invalid("port")
	}
	if port == "AUTO" {
		port = ""
	}
	if port != "" && !slices.Contains(a.ports(st), port) {
		return invalid("port")
	}
	baud := 0.0
	if in.has("baudrate") && string(in["baudrate"]) != "null" {
		if baud, err = in.number("baudrate"); err != nil || baud != 0 && !slices.Contains(baudsOf(st), int(baud)) || baud != float64(int(baud)) {
			return invalid("baudrate")
		}
	}
	if in.has("printerProfile") && string(in["printerProfile"]) != "null" {
		id, err := in.text("printerProfile")
		p, known := a.profile(id)
		if err != nil || !known {
			return invalid("printerProfile")
		}
		if p.id != inUse {
			if err := a.s.Try(r.Context(), me, server.Command{Do: "choose_profile", Name: p.Name}); err != nil {
				return err
			}
		}
	}
	if f := stateOf(st).Flags; f.Operational && (port == "" || port == st.Connection.Port) && (baud == 0 || int(baud) == st.Connection.Baud) {
		return nil // it is connected just so
	}
	return a.s.Try(r.Context(), me, server.Command{Do: "connect", Port: port, Baud: int(baud)})
}

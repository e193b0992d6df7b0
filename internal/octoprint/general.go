package octoprint

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
)

// generalRoutes say who we are, and who asks.
func (a *API) generalRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/version", Least: access.Viewer, Serve: a.version},
		{Method: "GET", Path: "/api/server", Least: access.Viewer, Serve: a.server},
		{Method: "POST", Path: "/api/login", Least: access.Nobody, Deed: "login", Serve: a.login},
		{Method: "POST", Path: "/api/logout", Least: access.Nobody, Deed: "logout", Serve: a.logout},
		{Method: "GET", Path: "/api/currentuser", Least: access.Nobody, Serve: a.currentUser},
		{Method: "GET", Path: "/plugin/discovery/discovery.xml", Least: access.Nobody, Serve: a.description},
	}
}

// Version is the answer to /api/version. Slicers look whether Text begins with "OctoPrint"; what comes after is ours.
type Version struct {
	API          string          `json:"api"`
	Server       string          `json:"server"`
	Text         string          `json:"text"`
	Capabilities map[string]bool `json:"capabilities"` // PrusaSlicer's: that files can be sent to /api/v1/files, as package prusalink takes them
}

// PrusaLink is the same for who shows a Digest: only PrusaLink's clients do, and some of them refuse an older API.
type PrusaLink struct {
	Version
	Release  string  `json:"version"`
	Printer  string  `json:"printer"`
	Firmware string  `json:"firmware"`
	Hostname string  `json:"hostname"`
	NozzleMM float64 `json:"nozzle_diameter"`
}

const (
	emulated     = "1.11.8" // the version of OctoPrint whose API this is
	emulatedLink = "0.8.1"  // and of PrusaLink
)

func (a *API) version(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	cfg, st := a.s.Config(), a.s.State(me)
	v := Version{API: "0.1", Server: emulated, Text: "OctoPrint " + emulated + " (layerd " + cfg.Version + ")", Capabilities: map[string]bool{"upload-by-put": true}}
	if !access.ShowsDigest(r) {
		return a.say(w, v)
	}
	v.API, v.Server, v.Text = "2.0.0", emulatedLink, "PrusaLink "+emulatedLink+" (layerd "+cfg.Version+")"
	return a.say(w, PrusaLink{Version: v, Release: emulatedLink, Printer: st.Profile.Name, Firmware: st.Connection.Firmware, Hostname: cfg.Host, NozzleMM: st.Profile.NozzleMM})
}

// description answers who has found us by SSDP, with what the LAN is told anyway.
func (a *API) description(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if a.Description == nil {
		return errNothing
	}
	w.Header().Set("Content-Type", "application/xml")
	w.Write(a.Description(r.Host)) // the client is gone when this fails
	return nil
}

func (a *API) server(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	return a.say(w, map[string]any{"version": emulated, "safemode": nil})
}

// User is somebody as clients know people. Session, behind the name and a colon, opens the push socket.
type User struct {
	Name        *string             `json:"name"`
	Active      bool                `json:"active"`
	User        bool                `json:"user"`
	Admin       bool                `json:"admin"`
	APIKey      *string             `json:"apikey"`
	Settings    map[string]any      `json:"settings"`
	Groups      []string            `json:"groups"`
	Needs       map[string][]string `json:"needs"`
	Permissions []string            `json:"permissions"` // beyond those of the groups: none
	Roles       []string            `json:"roles"`
}

func userOf(me access.Identity) User {
	u := User{Active: true, User: me.Role > access.Nobody, Admin: me.Role == access.Owner, Settings: map[string]any{}, Groups: []string{groupOf(me.Role)},
		Needs: map[string][]string{"group": {groupOf(me.Role)}}, Permissions: []string{}, Roles: []string{}}
	if u.User {
		u.Name, u.Roles, u.Needs["role"] = &me.Name, append(u.Roles, "user"), needs(me.Role)
	}
	if u.Admin {
		u.Roles = append(u.Roles, "admin")
	}
	return u
}

// LoggedIn is the answer to /api/login.
type LoggedIn struct {
	User
	Session   string `json:"session"`
	External  bool   `json:"_is_external_client"`
	Mechanism string `json:"_login_mechanism"`
	Seen      any    `json:"_credentials_seen"` // when a key or password was shown, false before
}

// login logs in with a name and a password, or, passively, says who has shown himself already: by key, by cookie, by his network.
func (a *API) login(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	in, err := readAny(w, r)
	if err != nil {
		return err
	}
	out := LoggedIn{Seen: time.Now().UTC().Format(time.RFC3339)}
	var me access.Identity
	switch {
	case in.has("user") && in.has("pass"):
		name, err := in.text("user")
		pass, err2 := in.text("pass")
		if errors.Join(err, err2) != nil {
			return invalid("user or pass")
		}
		if me, err = a.s.LogIn(w, r, name, pass); err != nil {
			return err
		}
		out.Mechanism = "password"
	case in.has("passive"):
		if me, err = a.s.Identify(r); err != nil {
			if errors.Is(err, access.ErrDenied) && !shows(r) {
				return refuse(http.StatusBadRequest, "Nothing was shown to log in with: neither a key nor the cookie of a session.")
			}
			return err
		}
		out.Session = keyOf(r)
		out.Mechanism = map[bool]string{true: "apikey", false: "session"}[out.Session != ""]
	default:
		return refuse(http.StatusBadRequest, "To log in send user and pass, or passive.")
	}
	if out.User = userOf(me); out.Session != "" {
		out.APIKey = &out.Session
	}
	return a.say(w, out)
}

// keyOf is the key in the Authorization header, where server has put it wherever it was shown; "" when there is none.
func keyOf(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// ticketFor is what addresses of pictures carry for who came by a key, since apps ask for pictures without it; "" for others.
func (a *API) ticketFor(r *http.Request, me access.Identity) string {
	if keyOf(r) == "" {
		return ""
	}
	return a.s.Config().Gate.ViewTicket(me)
}

// shows reports whether a request shows anything that could say who it comes from.
func shows(r *http.Request) bool {
	_, err := r.Cookie(access.CookieName)
	_, err2 := r.Cookie(access.SecureCookieName)
	return keyOf(r) != "" || err == nil || err2 == nil
}

func (a *API) logout(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	if err := a.s.LogOut(w, r); err != nil {
		return err
	}
	return a.say(w, userOf(access.Identity{}))
}

// currentUser says who asks: a guest, when he has shown nothing that is good.
func (a *API) currentUser(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	me, err := a.s.Identify(r)
	if errors.Is(err, access.ErrDenied) { // a wrong key too makes a guest
		me, err = access.Identity{}, nil
	}
	if err != nil {
		return err
	}
	u := userOf(me)
	return a.say(w, map[string]any{"name": u.Name, "groups": u.Groups, "permissions": permissionsOf(me.Role)})
}

package server

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	"layerd/internal/access"
	"layerd/internal/store"
)

// Who may do what: people, and where they are logged in.

// People keeps people, keys, sessions and the audit log; *store.Store is one.
type People interface {
	People(ctx context.Context) ([]store.Person, error)
	AddPerson(ctx context.Context, p store.Person) (store.Person, error)
	ChangePerson(ctx context.Context, id string, change store.PersonChange, except string, elsewhere bool) (store.Person, error)
	DeletePerson(ctx context.Context, id string, elsewhere bool) error
	Person(ctx context.Context, id string) (store.Person, error)
	Tokens(ctx context.Context) ([]store.Token, error)
	CreateToken(ctx context.Context, t store.Token) (secret string, made store.Token, err error)
	DeleteToken(ctx context.Context, id string, elsewhere bool) error
	Sessions(ctx context.Context, of string) ([]store.Session, error)
	DeleteSession(ctx context.Context, id string) error
	Audit(ctx context.Context, deeds []store.Deed) error
	TellPeople() // that somebody may do something else, by what is kept elsewhere
	Deeds(ctx context.Context, before int64, limit int) ([]store.Deed, error)
}

// PeopleList is the answer to GET /v1/people.
type PeopleList struct {
	People      []store.Person     `json:"people"`
	Configured  []ConfiguredPerson `json:"configured"`   // by the configuration, which alone can change them
	DefaultRole string             `json:"default_role"` // of others on the tailnet; "nobody" lets none in
}

// ConfiguredPerson is somebody whom the configuration names.
type ConfiguredPerson struct {
	Login string      `json:"login"`
	Role  access.Role `json:"role"`
}

// PersonForm is a new person, or what is to be changed of one; what is left out stays.
type PersonForm struct {
	Name     *string `json:"name,omitempty"`
	Role     *string `json:"role,omitempty"`
	Password *string `json:"password,omitempty"`
	Tailnet  bool    `json:"tailnet,omitempty"` // a new one: known by name on the tailnet, without a password
}

func (s *Server) servePeople(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	people, err := s.cfg.People.People(r.Context())
	if err != nil {
		return err
	}
	list := PeopleList{People: people, Configured: []ConfiguredPerson{}, DefaultRole: s.cfg.Gate.DefaultRole().String()}
	for login, role := range s.cfg.Gate.Configured() {
		list.Configured = append(list.Configured, ConfiguredPerson{login, role})
	}
	slices.SortFunc(list.Configured, func(a, b ConfiguredPerson) int { return cmp.Compare(a.Login, b.Login) })
	s.writeJSON(w, http.StatusOK, list)
	return nil
}

func (s *Server) serveAddPerson(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	var f PersonForm
	if err := readForm(w, r, &f); err != nil {
		return err
	}
	if f.Name == nil || f.Role == nil || (f.Password == nil) != f.Tailnet {
		return badCommand("A person needs name, role, and either password or tailnet.")
	}
	noteOf(r).detail = *f.Name + ": " + *f.Role
	p := store.Person{Name: *f.Name, Role: *f.Role, Tailnet: f.Tailnet}
	if f.Password != nil {
		var err error
		if p.Hash, err = s.cfg.Gate.Hash(r.Context(), *f.Password); err != nil {
			return err
		}
	}
	p, err := s.cfg.People.AddPerson(r.Context(), p)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, p)
	return nil
}

// serveChangePerson changes a name, a role or a password. Whoever has another password is logged out everywhere, but for the one who changes his own.
func (s *Server) serveChangePerson(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id := r.PathValue("path")
	var f PersonForm
	if err := readForm(w, r, &f); err != nil {
		return err
	}
	p, err := s.cfg.People.Person(r.Context(), id)
	if err != nil {
		return err
	}
	noteOf(r).detail = p.Name
	if f.Tailnet || p.Tailnet && f.Password != nil {
		return badCommand("Somebody who comes by the tailnet has no password; remove and add the person instead.")
	}
	change := store.PersonChange{Name: f.Name, Role: f.Role}
	if f.Name != nil {
		noteOf(r).detail += ", now " + *f.Name
	}
	if f.Role != nil {
		noteOf(r).detail += ": " + *f.Role
	}
	if f.Password != nil {
		noteOf(r).detail += ", password"
		hash, err := s.cfg.Gate.Hash(r.Context(), *f.Password)
		if err != nil {
			return err
		}
		change.Hash = &hash
	}
	if p, err = s.cfg.People.ChangePerson(r.Context(), id, change, me.Session, s.cfg.Gate.HasConfiguredOwner()); err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, p)
	return nil
}

func (s *Server) serveRemovePerson(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	id := r.PathValue("path")
	p, err := s.cfg.People.Person(r.Context(), id)
	if err != nil {
		return err
	}
	noteOf(r).detail = p.Name
	if err := s.cfg.People.DeletePerson(r.Context(), id, s.cfg.Gate.HasConfiguredOwner()); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// SessionList is the answer to GET /v1/sessions.
type SessionList struct {
	Sessions []SessionRow `json:"sessions"`
}

// SessionRow is a session, and whether it is the one that asks.
type SessionRow struct {
	store.Session
	Current bool `json:"current"`
}

// ownSessions are those of who asks. A link is for several people, who are not to see each other's addresses, nor to throw each other out.
func (s *Server) ownSessions(ctx context.Context, me access.Identity) ([]store.Session, error) {
	all, err := s.cfg.People.Sessions(ctx, me.ID)
	return slices.DeleteFunc(all, func(one store.Session) bool { return one.Via == "link" && one.ID != me.Session }), err
}

// serveSessions lists one's own sessions, or, for an owner with ?all=1, everybody's.
func (s *Server) serveSessions(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	sessions, err := s.ownSessions(r.Context(), me)
	if r.URL.Query().Get("all") == "1" {
		if me.Role < access.Owner {
			return roleTooLow(access.Owner)
		}
		sessions, err = s.cfg.People.Sessions(r.Context(), "")
	}
	if err != nil {
		return err
	}
	list := SessionList{Sessions: []SessionRow{}}
	for _, one := range sessions {
		list.Sessions = append(list.Sessions, SessionRow{one, one.ID == me.Session})
	}
	s.writeJSON(w, http.StatusOK, list)
	return nil
}

// serveEndSession ends a session of one's own; an owner may end those of others, when he has shown again that it is him.
func (s *Server) serveEndSession(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id := r.PathValue("path")
	own, err := s.ownSessions(r.Context(), me)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(own, func(one store.Session) bool { return one.ID == id }) {
		switch {
		case me.Role < access.Owner:
			return store.ErrSession // whether others have one of this ID is not his to know
		case !me.Confirmed:
			return errConfirm
		}
	}
	if err := s.cfg.People.DeleteSession(r.Context(), id); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

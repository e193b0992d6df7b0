package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Person is somebody with an account: with a password, or known by name on the tailnet.
type Person struct {
	ID        string `json:"id"`
	Name      string `json:"name"` // unique, whatever the case; on the tailnet the login name
	Role      string `json:"role"`
	Tailnet   bool   `json:"tailnet"`
	CreatedMS int64  `json:"created_ms"`
	UsedMS    int64  `json:"used_ms"` // to the minute; 0 never
	Hash      string `json:"-"`       // of the password; "" for who comes by the tailnet
}

// maxPeople bounds what a page of people has to show.
const maxPeople = 200

// PeopleChanged is closed when somebody may do something else than at the call, or can no longer come in.
func (s *Store) PeopleChanged() <-chan struct{} { return s.people.heard() }

// TellPeople says so to who listens, for what is kept elsewhere.
func (s *Store) TellPeople() { s.people.ring() }

// personColumns: who has a session was here when that was used.
const personColumns = `id, name, role, tailnet, created_ms, max(used_ms, coalesce((SELECT max(s.used_ms) / 60000 * 60000 FROM sessions s WHERE s.person = people.id), 0)), hash`

func scanPerson(scan func(...any) error) (p Person, err error) {
	err = scan(&p.ID, &p.Name, &p.Role, &p.Tailnet, &p.CreatedMS, &p.UsedMS, &p.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrPerson
	}
	return p, err
}

// collect reads all rows of a query and closes them; err is the query's own. what is listed is named in errors.
func collect[T any](what string, rows *sql.Rows, err error, scan func(func(...any) error) (T, error)) ([]T, error) {
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", what, err)
	}
	defer rows.Close()
	all := []T{}
	for rows.Next() {
		one, err := scan(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list %s: %w", what, err)
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

// People returns everybody, the oldest first.
func (s *Store) People(ctx context.Context) ([]Person, error) {
	s.writeSeen(ctx)
	rows, err := s.db.QueryContext(ctx, `SELECT `+personColumns+` FROM people ORDER BY created_ms, id`)
	return collect("people", rows, err, scanPerson)
}

// Person returns who has this ID. ErrPerson: nobody.
func (s *Store) Person(ctx context.Context, id string) (Person, error) {
	return scanPerson(s.db.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE id = ?`, id).Scan)
}

// PersonByName returns who has this name, in whatever case. ErrPerson: nobody.
func (s *Store) PersonByName(ctx context.Context, name string) (Person, error) {
	return scanPerson(s.db.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE folded = ?`, fold(name)).Scan)
}

// PersonSeen notes that somebody was here, to the minute.
func (s *Store) PersonSeen(ctx context.Context, p Person) { s.used(ctx, "people", p.ID, &p.UsedMS) }

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// AddPerson makes an account from Name, Role, Tailnet and Hash. ErrTaken: somebody has that name; ErrName, ErrRole.
func (s *Store) AddPerson(ctx context.Context, p Person) (Person, error) {
	return s.addPerson(ctx, p, false)
}

// AddFirstOwner is AddPerson for an owner with a password, while there is none yet. ErrTaken: there is one.
func (s *Store) AddFirstOwner(ctx context.Context, name, hash string) (Person, error) {
	return s.addPerson(ctx, Person{Name: name, Role: "owner", Hash: hash}, true)
}

func (s *Store) addPerson(ctx context.Context, p Person, first bool) (_ Person, err error) {
	if p.Name, err = cleanName(p.Name); err == nil {
		err = checkRole(p.Role)
	}
	if err != nil {
		return Person{}, fmt.Errorf("add person: %w", err)
	}
	p.ID, p.CreatedMS, p.UsedMS = newID(), time.Now().UnixMilli(), 0
	err = s.changePeople(ctx, func(tx *sql.Tx) error {
		var all, owners, same int
		err := tx.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE role = 'owner' AND hash <> ''), count(*) FILTER (WHERE folded = ?) FROM people`, fold(p.Name)).
			Scan(&all, &owners, &same)
		switch {
		case err != nil:
			return err
		case same > 0 || first && owners > 0:
			return ErrTaken
		case all >= maxPeople:
			return fmt.Errorf("%w: there are %d people already", ErrName, all)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO people (id, name, folded, role, tailnet, hash, created_ms, used_ms) VALUES (?,?,?,?,?,?,?,0)`,
			p.ID, p.Name, fold(p.Name), p.Role, p.Tailnet, p.Hash, p.CreatedMS)
		return err
	})
	if err != nil {
		return Person{}, fmt.Errorf("add person: %w", err)
	}
	return p, nil
}

// PersonChange is what is to be changed of a person; nil leaves it.
type PersonChange struct {
	Name, Role, Hash *string
	Old              *string // when not nil, the Hash that there must be still
}

// ChangePerson changes a person. A new password, which is a new Hash, ends all of his sessions but the one with the ID except. ErrPassword: the hash is not
// Old any more. ErrLastOwner: no owner with a password would be left, nor a key of one that never expires, and elsewhere says that there is no owner besides
// those.
func (s *Store) ChangePerson(ctx context.Context, id string, change PersonChange, except string, elsewhere bool) (Person, error) {
	var p Person
	err := s.changePeople(ctx, func(tx *sql.Tx) (err error) {
		if p, err = scanPerson(tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE id = ?`, id).Scan); err != nil {
			return err
		}
		if change.Old != nil && p.Hash != *change.Old {
			return ErrPassword
		}
		owned := p.owns()
		if change.Name != nil {
			if p.Name, err = cleanName(*change.Name); err != nil {
				return err
			}
			var same int
			if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM people WHERE folded = ? AND id <> ?`, fold(p.Name), id).Scan(&same); err != nil {
				return err
			}
			if same > 0 {
				return ErrTaken
			}
		}
		if change.Role != nil {
			if err := checkRole(*change.Role); err != nil {
				return err
			}
			p.Role = *change.Role
		}
		if change.Hash != nil {
			p.Hash = *change.Hash
			if _, err := tx.ExecContext(ctx, `DELETE FROM sessions WHERE person = ? AND id <> ?`, id, except); err != nil {
				return err
			}
		}
		if _, err := tx.ExecContext(ctx, `UPDATE people SET name = ?, folded = ?, role = ?, hash = ? WHERE id = ?`, p.Name, fold(p.Name), p.Role, p.Hash, id); err != nil {
			return err
		}
		if !owned || p.owns() || elsewhere {
			return nil
		}
		return ownerLeft(ctx, tx)
	})
	if err != nil {
		return Person{}, fmt.Errorf("change person: %w", err)
	}
	return p, nil
}

// SetHash keeps another hash of the same password: nobody has to log in again.
func (s *Store) SetHash(ctx context.Context, id, old, hash string) error {
	_, err := s.db.ExecContext(ctx, `UPDATE people SET hash = ? WHERE id = ? AND hash = ?`, hash, id, old)
	return noSpace(err)
}

// DeletePerson ends an account and its sessions. ErrPerson; ErrLastOwner as for ChangePerson.
func (s *Store) DeletePerson(ctx context.Context, id string, elsewhere bool) error {
	err := s.changePeople(ctx, func(tx *sql.Tx) error {
		p, err := scanPerson(tx.QueryRowContext(ctx, `SELECT `+personColumns+` FROM people WHERE id = ?`, id).Scan)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM people WHERE id = ?`, id); err != nil {
			return err
		}
		if !p.owns() || elsewhere {
			return nil
		}
		return ownerLeft(ctx, tx)
	})
	if err != nil {
		return fmt.Errorf("delete person: %w", err)
	}
	return nil
}

// owns: he may do everything, whether the tailnet is there or not.
func (p Person) owns() bool { return p.Role == "owner" && p.Hash != "" }

// ownerLeft is ErrLastOwner when nobody is left who may do everything for good.
func ownerLeft(ctx context.Context, tx *sql.Tx) error {
	var left bool
	err := tx.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM people WHERE role = 'owner' AND hash <> '') OR EXISTS (SELECT 1 FROM tokens WHERE role = 'owner' AND expires_ms = 0)`).Scan(&left)
	if err == nil && !left {
		err = ErrLastOwner
	}
	return err
}

// HasAccounts says whether anybody has a password, and whether an owner does.
func (s *Store) HasAccounts(ctx context.Context) (any, owner bool, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM people WHERE hash <> ''), EXISTS (SELECT 1 FROM people WHERE hash <> '' AND role = 'owner')`).Scan(&any, &owner)
	return any, owner, err
}

// changePeople runs change as one transaction, and tells who listens.
func (s *Store) changePeople(ctx context.Context, change func(*sql.Tx) error) error {
	if err := s.write(ctx, change); err != nil {
		return noSpace(err)
	}
	s.people.ring()
	return nil
}

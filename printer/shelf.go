package printer

import (
	"errors"
	"fmt"
	"slices"
)

// ErrNoProfile means that no profile of that name is saved.
var ErrNoProfile = errors.New("there is no such profile")

// ErrProfileName means that a profile of that name is saved already.
var ErrProfileName = errors.New("there is already a profile of that name")

// maxProfiles bounds those that are saved.
const maxProfiles = 50

// Shelf is the profiles that are saved, by name, and which of them is in use. It is a value: its methods return another one.
type Shelf struct {
	InUse    string    `json:"in_use"`
	Profiles []Profile `json:"profiles"` // the one in use is among them
}

// NewShelf is the shelf with one profile.
func NewShelf(p Profile) Shelf { return Shelf{InUse: p.Name, Profiles: []Profile{p.Whole()}} }

// Whole fills in what a shelf from before a key was there lacks, and reports whether it is one.
func (s Shelf) Whole() (Shelf, bool) {
	out := Shelf{InUse: s.InUse, Profiles: make([]Profile, 0, len(s.Profiles))}
	for _, p := range s.Profiles {
		out.Profiles = append(out.Profiles, p.Whole())
	}
	return out, s.find(s.InUse) >= 0
}

// Used is the profile in use.
func (s Shelf) Used() Profile {
	if i := s.find(s.InUse); i >= 0 {
		return s.Profiles[i]
	}
	return Presets()[0]
}

func (s Shelf) find(name string) int {
	return slices.IndexFunc(s.Profiles, func(p Profile) bool { return p.Name == name })
}

// Choose takes the named profile into use.
func (s Shelf) Choose(name string) (Shelf, error) {
	if s.find(name) < 0 {
		return s, fmt.Errorf("%w: %.80s", ErrNoProfile, name)
	}
	return Shelf{name, s.Profiles}, nil
}

// Add saves a new profile. It is not in use yet.
func (s Shelf) Add(p Profile) (Shelf, error) {
	switch {
	case s.find(p.Name) >= 0:
		return s, fmt.Errorf("%w: %s", ErrProfileName, p.Name)
	case len(s.Profiles) >= maxProfiles:
		return s, fmt.Errorf("%w: at most %d profiles are kept", ErrLimit, maxProfiles)
	}
	return Shelf{s.InUse, append(slices.Clone(s.Profiles), p.Whole())}, nil
}

// Replace saves p in place of the named profile. p may have another name.
func (s Shelf) Replace(name string, p Profile) (Shelf, error) {
	i := s.find(name)
	if i < 0 {
		return s, fmt.Errorf("%w: %.80s", ErrNoProfile, name)
	}
	if p.Name != name && s.find(p.Name) >= 0 {
		return s, fmt.Errorf("%w: %s", ErrProfileName, p.Name)
	}
	out := Shelf{s.InUse, slices.Clone(s.Profiles)}
	out.Profiles[i] = p.Whole()
	if s.InUse == name {
		out.InUse = p.Name
	}
	return out, nil
}

// Delete forgets a profile that is not in use.
func (s Shelf) Delete(name string) (Shelf, error) {
	i := s.find(name)
	switch {
	case i < 0:
		return s, fmt.Errorf("%w: %.80s", ErrNoProfile, name)
	case name == s.InUse:
		return s, fmt.Errorf("%w: it is in use; choose another one first", ErrWrongState)
	}
	return Shelf{s.InUse, slices.Delete(slices.Clone(s.Profiles), i, i+1)}, nil
}

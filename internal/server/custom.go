package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"layerd/internal/access"
	"layerd/internal/power"
	"layerd/printer"
)

// What people set up flows here: a command → checked by the printer, whose the rules are → taken over by it → kept in the store → custom, which the
// routes show. What the printer refuses is not kept.

// The settings' keys. "profile" is of before there were several; it is read once, and stays as it was.
const (
	profilesKey   = "profiles"
	oldProfileKey = "profile"
	scriptsKey    = "scripts"
	buttonsKey    = "buttons"
)

// Custom is what people have set up for the printer.
type Custom struct {
	Shelf   printer.Shelf
	Scripts printer.Scripts
	Buttons Buttons
	Lamp    power.Way
	FitArcs bool // prints are of copies with arcs, where the firmware knows them
}

// Buttons are those that people have made. LastID is the greatest that any button ever had: a late tap never finds another one.
type Buttons struct {
	LastID int                   `json:"last_id"`
	Groups []printer.ButtonGroup `json:"groups"`
}

// Settings reads what was kept; *store.Store is one.
type Settings interface {
	Setting(ctx context.Context, key string, v any) (found bool, err error)
}

// ReadCustom reads what was kept. The single profile of an older layerd becomes the first that is saved.
func ReadCustom(ctx context.Context, settings Settings) (Custom, error) {
	var c Custom
	found, err := settings.Setting(ctx, profilesKey, &c.Shelf)
	if err != nil {
		return c, err
	}
	whole, ok := c.Shelf.Whole()
	switch c.Shelf = whole; {
	case found && ok:
	case found && len(whole.Profiles) > 0:
		c.Shelf.InUse = whole.Profiles[0].Name
	default:
		first := printer.Presets()[0]
		first.Kinematics = "" // an old profile does not say: its bed does
		if _, err := settings.Setting(ctx, oldProfileKey, &first); err != nil {
			return c, err
		}
		c.Shelf = printer.NewShelf(first)
	}
	if _, err := settings.Setting(ctx, scriptsKey, &c.Scripts); err != nil {
		return c, err
	}
	if _, err := settings.Setting(ctx, buttonsKey, &c.Buttons); err != nil {
		return c, err
	}
	if _, err := settings.Setting(ctx, lampKey, &c.Lamp); err != nil {
		return c, err
	}
	c.Lamp = c.Lamp.Tidy() // an older layerd knew lines alone
	_, err = settings.Setting(ctx, arcsKey, &c.FitArcs)
	return c, err
}

// custom is what people have set up, as it is now.
type custom struct {
	changing chan struct{} // holds one token while something is being changed
	changed  chan struct{} // kicks the view

	mu  sync.Mutex // guards now
	now Custom
}

func newCustom(c Custom) *custom {
	if len(c.Shelf.Profiles) == 0 {
		c.Shelf = printer.NewShelf(printer.Presets()[0])
	}
	return &custom{changing: make(chan struct{}, 1), changed: make(chan struct{}, 1), now: c}
}

func (c *custom) get() Custom {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// alone waits until nobody else changes anything, and returns what ends that.
func (c *custom) alone(ctx context.Context) (done func(), err error) {
	select {
	case c.changing <- struct{}{}:
		return func() { <-c.changing }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// tell has the pages shown what is new.
func (c *custom) tell() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// change has one thing changed at a time. do says what it becomes, and how to keep it.
func (s *Server) change(ctx context.Context, do func(now Custom) (next Custom, key string, value any, rev uint64, err error)) (uint64, error) {
	done, err := s.custom.alone(ctx)
	if err != nil {
		return 0, err
	}
	defer done()
	next, key, value, rev, err := do(s.custom.get())
	if err != nil {
		return 0, err
	}
	if err := s.cfg.Files.SetSetting(ctx, key, value); err != nil {
		s.takeBack(ctx, s.custom.get(), next)
		return 0, fmt.Errorf("keep the %s: %w", key, err)
	}
	s.custom.mu.Lock()
	s.custom.now = next
	s.custom.mu.Unlock()
	s.settingsRev.Add(1)
	s.custom.tell()
	return rev, nil
}

// takeBack gives the printer what it had, because what it took could not be kept.
func (s *Server) takeBack(ctx context.Context, had, took Custom) {
	var err error
	if !reflect.DeepEqual(had.Shelf.Used(), took.Shelf.Used()) {
		_, err = s.cfg.Printer.SetProfile(ctx, had.Shelf.Used())
	}
	if !reflect.DeepEqual(had.Scripts, took.Scripts) {
		_, err = s.cfg.Printer.SetScripts(ctx, had.Scripts)
	}
	if had.Lamp != took.Lamp {
		err = s.cfg.Power.SetLamp(ctx, had.Lamp)
	}
	if err != nil {
		s.log.Error("the printer has settings that are not kept", "err", err)
	}
}

// changeShelf has the shelf of profiles changed; where that changes the one in use, the printer takes it first.
func (s *Server) changeShelf(ctx context.Context, do func(shelf printer.Shelf) (printer.Shelf, error)) (uint64, error) {
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		shelf, err := do(now.Shelf)
		if err != nil {
			return now, "", nil, 0, err
		}
		rev := s.rev()
		if shelf.InUse != now.Shelf.InUse || !reflect.DeepEqual(shelf.Used(), now.Shelf.Used()) {
			if rev, err = s.cfg.Printer.SetProfile(ctx, shelf.Used()); err != nil {
				return now, "", nil, 0, err
			}
		}
		now.Shelf = shelf
		return now, profilesKey, shelf, rev, nil
	})
}

// profileOf is a command's profile, if it makes sense.
func profileOf(c *call) (printer.Profile, error) {
	if c.Profile == nil {
		return printer.Profile{}, badCommand("This command needs profile.")
	}
	if err := c.Profile.Check(); err != nil {
		return printer.Profile{}, &refusal{code: "bad_profile", message: sentence(err.Error())}
	}
	return c.Profile.Whole(), nil
}

// doSetProfile changes the profile in use, its name too.
func (s *Server) doSetProfile(ctx context.Context, c *call) (uint64, error) {
	profile, err := profileOf(c)
	if err != nil {
		return 0, err
	}
	return s.changeShelf(ctx, func(shelf printer.Shelf) (printer.Shelf, error) { return shelf.Replace(shelf.InUse, profile) })
}

// doSaveProfile saves a profile under a new name. It is not in use yet.
func (s *Server) doSaveProfile(ctx context.Context, c *call) (uint64, error) {
	profile, err := profileOf(c)
	if err != nil {
		return 0, err
	}
	return s.changeShelf(ctx, func(shelf printer.Shelf) (printer.Shelf, error) { return shelf.Add(profile) })
}

func (s *Server) doChooseProfile(ctx context.Context, c *call) (uint64, error) {
	if c.Name == "" {
		return 0, badCommand("This command needs name.")
	}
	return s.changeShelf(ctx, func(shelf printer.Shelf) (printer.Shelf, error) { return shelf.Choose(c.Name) })
}

func (s *Server) doRenameProfile(ctx context.Context, c *call) (uint64, error) {
	if c.Name == "" || c.To == "" {
		return 0, badCommand("This command needs name and to.")
	}
	return s.changeShelf(ctx, func(shelf printer.Shelf) (printer.Shelf, error) {
		i := slices.IndexFunc(shelf.Profiles, func(p printer.Profile) bool { return p.Name == c.Name })
		if i < 0 {
			return shelf, printer.ErrNoProfile
		}
		profile := shelf.Profiles[i]
		profile.Name = c.To
		if err := profile.Check(); err != nil {
			return shelf, &refusal{code: "bad_profile", message: sentence(err.Error())}
		}
		return shelf.Replace(c.Name, profile)
	})
}

func (s *Server) doDeleteProfile(ctx context.Context, c *call) (uint64, error) {
	if c.Name == "" {
		return 0, badCommand("This command needs name.")
	}
	return s.changeShelf(ctx, func(shelf printer.Shelf) (printer.Shelf, error) { return shelf.Delete(c.Name) })
}

// doSetScripts replaces all scripts.
func (s *Server) doSetScripts(ctx context.Context, c *call) (uint64, error) {
	if c.Scripts == nil {
		return 0, badCommand("This command needs scripts.")
	}
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		rev, err := s.cfg.Printer.SetScripts(ctx, c.Scripts)
		now.Scripts = c.Scripts
		return now, scriptsKey, c.Scripts, rev, err
	})
}

// maxButtonsJSON bounds all buttons together, in bytes. All of them are one command: with one more button it must still be heard, so that it can be refused.
const maxButtonsJSON = maxCommand * 3 / 4

// doSetButtons replaces all buttons. One without an id is new, and gets one.
func (s *Server) doSetButtons(ctx context.Context, c *call) (uint64, error) {
	if c.Groups == nil {
		return 0, badCommand("This command needs groups.")
	}
	return s.change(ctx, func(now Custom) (Custom, string, any, uint64, error) {
		next := Buttons{LastID: now.Buttons.LastID, Groups: make([]printer.ButtonGroup, 0, len(c.Groups))}
		for _, g := range c.Groups {
			g.Buttons = append([]printer.Button{}, g.Buttons...)
			for i := range g.Buttons {
				if id := &g.Buttons[i].ID; *id == 0 {
					next.LastID++
					*id = next.LastID
				} else if *id > now.Buttons.LastID {
					return now, "", nil, 0, badCommand("A new button has the id 0; layerd gives it one.")
				}
			}
			next.Groups = append(next.Groups, g)
		}
		if text, err := json.Marshal(next.Groups); err != nil || len(text) > maxButtonsJSON {
			return now, "", nil, 0, printer.Problems{{In: "groups", Message: "they are too long together: shorten or delete some"}}
		}
		if err := s.cfg.Printer.CheckButtons(ctx, next.Groups); err != nil {
			return now, "", nil, 0, err
		}
		now.Buttons = next
		return now, buttonsKey, next, s.rev(), nil
	})
}

// doPress presses a button, as it is kept now.
func (s *Server) doPress(ctx context.Context, c *call) (uint64, error) {
	if c.Button == nil {
		return 0, badCommand("This command needs button.")
	}
	for _, g := range s.custom.get().Buttons.Groups {
		for _, b := range g.Buttons {
			if b.ID != *c.Button {
				continue
			}
			c.about = short(b.Label)
			if (b.Number != nil) != (c.Value != nil) {
				return 0, badCommand(map[bool]string{true: "This button needs value.", false: "This button takes no value."}[b.Number != nil])
			}
			value := 0.0
			if c.Value != nil {
				value = *c.Value
			}
			return s.cfg.Printer.Press(ctx, b, value)
		}
	}
	return 0, &refusal{code: "no_button"}
}

// serveProfiles answers GET /v1/profiles.
func (s *Server) serveProfiles(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	now := s.custom.get()
	s.writeJSON(w, http.StatusOK, ProfileList{Shelf: now.Shelf, Presets: printer.Presets()})
	return nil
}

// serveScripts answers GET /v1/scripts.
func (s *Server) serveScripts(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	s.writeJSON(w, http.StatusOK, scriptList(s.custom.get().Scripts))
	return nil
}

// scriptList has a text for every event, in which there may be none.
func scriptList(scripts printer.Scripts) ScriptList {
	list := ScriptList{Scripts: []Script{}, Values: printer.ScriptValues()}
	for _, e := range printer.Events() {
		list.Scripts = append(list.Scripts, Script{Event: e, Text: scripts[e]})
	}
	return list
}

// serveButtons answers GET /v1/buttons.
func (s *Server) serveButtons(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	groups := s.custom.get().Buttons.Groups
	if groups == nil {
		groups = []printer.ButtonGroup{}
	}
	s.writeJSON(w, http.StatusOK, ButtonList{Groups: groups})
	return nil
}

// problemsOf are the lines that an error is about, nil for none.
func problemsOf(err error) []printer.Problem {
	var problems printer.Problems
	if errors.As(err, &problems) {
		return problems
	}
	return nil
}

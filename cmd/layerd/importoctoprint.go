package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/spf13/pflag"

	"layerd/camera"
	"layerd/internal/octofolder"
	"layerd/internal/server"
	"layerd/internal/store"
)

// moving is the command line of layerd import-octoprint: OctoPrint's folder or backup ─▶ package octofolder ─▶ the store, by its own methods. The daemon
// must not run: it would not see what is written beside it, and write its own over it. Done twice it adds nothing.
type moving struct {
	dry, keys bool

	from  *octofolder.Folder
	found octofolder.Found
	to    *store.Store // nil with dry
	taken []string     // what was, or would be, in words
	not   []string     // what was not, and why
}

func (m *moving) flags(flags *pflag.FlagSet) {
	flags.BoolVar(&m.dry, "dry-run", false, "say what would be taken, and take nothing")
	flags.BoolVar(&m.keys, "with-keys", false, "keys of slicers and programs too: they go on with those they have, as operators")
}

func (m *moving) run(ctx context.Context, a *invocation) (err error) {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if cfg.Data == "" {
		return usageError{errors.New("the demo keeps nothing; name the data directory with --data DIR")}
	}
	if m.from, err = octofolder.Open(a.operands[0]); err != nil {
		return err
	}
	defer m.from.Close()
	if m.found, err = m.from.Read(ctx); err != nil {
		return err
	}
	if !m.dry {
		m.to, err = store.Open(cfg.Data, store.Limits{MaxFileBytes: int64(cfg.Files.MaxMB) << 20, MinFreeBytes: int64(cfg.Files.MinFreeMB) << 20})
		if errors.Is(err, store.ErrLocked) {
			return fmt.Errorf("%w: stop it first, with sudo systemctl stop layerd", err)
		}
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, m.to.Close(), store.Give(cfg.Data)) }()
	}
	for _, part := range []func(context.Context) error{m.uploads, m.profiles, m.camera, m.scripts, m.programs} {
		if err = part(ctx); err != nil {
			break // what was taken is said all the same
		}
	}
	m.others()
	m.say(a.stdout)
	return err
}

func (m *moving) take(format string, args ...any) {
	m.taken = append(m.taken, fmt.Sprintf(format, args...))
}
func (m *moving) leave(format string, args ...any) {
	m.not = append(m.not, fmt.Sprintf(format, args...))
}

func (m *moving) say(out io.Writer) {
	head := "Taken:"
	if m.dry {
		head = "Would be taken:"
	}
	for _, part := range []struct {
		head  string
		lines []string
	}{{head, m.taken}, {"Not taken:", append(m.not, m.found.Odd...)}} {
		if len(part.lines) > 0 {
			fmt.Fprintf(out, "%s\n  %s\n", part.head, strings.Join(part.lines, "\n  "))
		}
	}
}

// uploads takes files, and when each was printed. A file that is there already stays.
func (m *moving) uploads(ctx context.Context) error {
	files, there := 0, 0
	var prints []store.Print
	for _, u := range m.found.Uploads {
		if err := ctx.Err(); err != nil {
			return err
		}
		path, err := store.UploadPath(u.Path)
		if err != nil {
			m.leave("%q: %v", u.Path, err)
			if path, err = store.CleanPath(u.Path); err != nil {
				continue
			}
			prints = append(prints, runsOf(u, store.File{Path: path})...)
			continue
		}
		file := store.File{Path: path}
		if !m.dry {
			file, err = m.to.Stat(ctx, path)
		}
		switch {
		case m.dry:
			files++
		case err == nil:
			there++
		case !errors.Is(err, store.ErrNotFound):
			return err
		default:
			if file, err = m.upload(ctx, u); errors.Is(err, store.ErrNoSpace) || ctx.Err() != nil {
				return err
			} else if err != nil {
				m.leave("%q: %v", u.Path, err)
				file = store.File{Path: path}
			} else {
				files++
			}
		}
		prints = append(prints, runsOf(u, file)...)
	}
	if files > 0 {
		m.take("%s", number(files, "file", "files"))
	}
	if there > 0 {
		m.leave("%s: there already", number(there, "file", "files"))
	}
	added := len(prints)
	if !m.dry {
		var err error
		if added, err = m.to.AdoptPrints(ctx, prints); err != nil {
			return err
		}
	}
	if added > 0 {
		m.take("%s of the history", number(added, "print", "prints"))
	}
	if added < len(prints) {
		m.leave("%s of the history: there already", number(len(prints)-added, "print", "prints"))
	}
	return nil
}

func (m *moving) upload(ctx context.Context, u octofolder.Upload) (store.File, error) {
	f, err := m.from.OpenUpload(u.Path)
	if err != nil {
		return store.File{}, err
	}
	defer f.Close()
	return m.to.Put(ctx, u.Path, f, u.Bytes, false)
}

// runsOf are the prints of a file. Their IDs are made of what they are, so that none comes twice.
func runsOf(u octofolder.Upload, file store.File) (all []store.Print) {
	for _, r := range u.Runs {
		ended := r.Ended.UnixMilli()
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%d", u.Path, ended))
		p := store.Print{ID: "octoprint-" + hex.EncodeToString(sum[:8]), File: file.Path, SHA256: file.SHA256, By: "OctoPrint", StartedMS: ended - r.Took.Milliseconds(), EndedMS: ended,
			Outcome: "cancelled", Reason: "OctoPrint has not kept why it ended early", ElapsedS: r.Took.Seconds()}
		if r.Done {
			p.Outcome, p.Reason, p.Percent, p.FilamentMM = "done", "", 100, file.FilamentMM
		}
		all = append(all, p)
	}
	return all
}

// profiles takes printers. The one that OctoPrint uses is taken into use where nobody has chosen one.
func (m *moving) profiles(ctx context.Context) error {
	custom, chosen := server.Custom{}, false
	if !m.dry {
		var err error
		if custom, err = server.ReadCustom(ctx, m.to); err != nil {
			return err
		}
		if chosen, err = m.to.Setting(ctx, "profiles", new(any)); err != nil {
			return err
		}
	}
	before := custom.Shelf
	for _, from := range m.found.Profiles {
		p := profileOf(from)
		err := p.Check()
		if err == nil {
			custom.Shelf, err = custom.Shelf.Add(p)
		}
		if err != nil {
			m.leave("the printer profile %q: %v", from.Name, err)
			continue
		}
		use := ""
		if from.ID == m.found.Used && !chosen {
			if custom.Shelf, err = custom.Shelf.Choose(p.Name); err != nil {
				return err
			}
			use = ", which is in use now"
		}
		m.take("the printer profile %q%s: set its greatest temperatures and park point in Settings, Printer profiles", p.Name, use)
		if from.Custom {
			m.leave("that the head of %q may leave the bed: layerd keeps it above", p.Name)
		}
		if len(from.Inverted) > 0 {
			m.leave("that %q jogs %s the other way round", p.Name, strings.Join(from.Inverted, ", "))
		}
	}
	if m.dry || reflect.DeepEqual(custom.Shelf, before) {
		return nil
	}
	return server.KeepShelf(ctx, m.to, custom.Shelf)
}

// camera takes how the webcam hangs, and its address where that is another machine's.
func (m *moving) camera(ctx context.Context) error {
	if m.found.Camera == nil {
		return nil
	}
	setup, words := cameraOf(*m.found.Camera)
	if err := setup.Validate(); err != nil {
		m.leave("the camera: %v", err)
		return nil
	}
	if !m.dry {
		set, err := m.to.Setting(ctx, "cameras", new(any))
		if err != nil {
			return err
		}
		if set {
			m.leave("the camera: one is set up already")
			return nil
		}
		if err := server.KeepCameras(ctx, m.to, []camera.Setup{setup}); err != nil {
			return err
		}
	}
	m.take("%s", words)
	return nil
}

// scripts takes those of plain G-code for moments that layerd has no script for.
func (m *moving) scripts(ctx context.Context) error {
	kept := server.Custom{}
	if !m.dry {
		var err error
		if kept, err = server.ReadCustom(ctx, m.to); err != nil {
			return err
		}
	}
	scripts, changed := scriptsOf(kept.Scripts, m.found.Scripts, m.take, m.leave)
	if !changed || m.dry {
		return nil
	}
	return server.KeepScripts(ctx, m.to, scripts)
}

// programs takes the keys of slicers and other programs: OctoPrint keeps them as they are, layerd keeps their hashes.
func (m *moving) programs(ctx context.Context) error {
	if !m.keys {
		if n := len(m.found.Keys); n > 0 {
			m.leave("%s of slicers and programs: with --with-keys they go on with those they have", number(n, "key", "keys"))
		}
		return nil
	}
	for _, k := range m.found.Keys {
		name := k.App
		switch {
		case name == "" && k.User == "":
			name = "OctoPrint's API key"
		case name == "":
			name = "API key of " + k.User
		case k.User != "":
			name += " of " + k.User
		}
		added := true
		if !m.dry {
			var err error
			added, err = m.to.AdoptKey(ctx, cut(name, 64), "operator", k.Secret)
			if errors.Is(err, store.ErrNoSpace) {
				return err
			}
			if err != nil {
				m.leave("the key %q: %v", name, err)
				continue
			}
		}
		if added {
			m.take("the key %q, as an operator's", name)
		} else {
			m.leave("the key %q: there already", name)
		}
	}
	return nil
}

// others says what layerd has another way for.
func (m *moving) others() {
	for _, p := range m.found.People {
		role := "operator"
		if p.Admin {
			role = "owner"
		}
		m.leave("%q, who was %s there: passwords are not taken over; add people in Settings, People", p.Name, role)
	}
	if m.found.Port != "" || m.found.Baud > 0 {
		m.leave("the serial port %q at %d baud: layerd finds both; to settle them, set printer.port and printer.baud in its configuration", m.found.Port, m.found.Baud)
	}
	if n := len(m.found.Presets); n > 0 {
		var names []string
		for _, p := range m.found.Presets[:min(n, 10)] {
			names = append(names, fmt.Sprintf("%s %g/%g °C", p.Name, p.NozzleC, p.BedC))
		}
		m.leave("%s (%s): make them buttons in Settings, Buttons", number(n, "temperature preset", "temperature presets"), strings.Join(names, ", "))
	}
	if n := len(m.found.Films); n > 0 {
		m.leave("%s: they stay in OctoPrint's folder timelapse", number(n, "film", "films"))
	}
}

func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func cut(text string, runes int) string {
	if r := []rune(text); len(r) > runes {
		return string(r[:runes])
	}
	return text
}

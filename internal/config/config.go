// Package config reads the configuration once: defaults, then a YAML file, then LAYERD_* in the environment, then flags.
//
// Flags defines the flags ─▶ Load finds each key's newest value and where it comes from ─▶ the key's own check (keys.go) parses
// it into Config. Everything that is wrong is reported together. This is the only package that knows viper.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// Config is the whole configuration. It is never changed after Load. YAML keys are the names in the comments.
type Config struct {
	Listen  string // listen
	Data    string // data: state directory. "" only in the demo, which then makes itself a temporary one
	Demo    bool   // demo
	Printer struct {
		Port          string // printer.port, "" = detect
		Baud          int    // printer.baud, 0 = detect
		ResumeWithinS int    // printer.resume_within_s, seconds; 0 = always ask
	}
	Camera struct {
		Device string // camera.device: "" = detect, "none", "simulated", or a path
		Width  int    // camera.width, pixels; 0 = the camera decides
		Height int    // camera.height
		FPS    int    // camera.fps
	}
	Files struct {
		MaxMB     int // files.max_mb: biggest upload, in MiB
		MinFreeMB int // files.min_free_mb: disk space that uploads leave, in MiB
	}
	Spoolman struct {
		URL string // spoolman.url: of the Spoolman whose spools are used; "" = our own
	}
	Discovery bool   // discovery: on the local network
	Overlay   string // overlay: "none", "tailnet", "zerotier"; "" = as was chosen on the page
	Tailnet   struct {
		Name        string   // tailnet.name
		ControlURL  string   // tailnet.control_url; "" = Tailscale's own
		Tags        []string // tailnet.tags
		AuthKey     string   // tailnet.auth_key: a secret
		VendorLogs  bool     // tailnet.vendor_logs
		DefaultRole string   // tailnet.default_role: "viewer" or "nobody"
	}
	ZeroTier struct {
		Network   string // zerotier.network
		TokenFile string // zerotier.token_file; "" = where zerotier-one keeps it
	}
	People  map[string]string // people: roles by login name on the tailnet, in lower case
	Proxies []netip.Prefix    // proxies: those whose X-Forwarded-For is believed
	TLS     struct {
		Cert, Key string // tls.cert, tls.key: PEM files; both or none
	}
	Log struct {
		Level string // log.level: debug, info, warn, error
	}
	// Locked says which keys were set by "file", "environment" or "flag", and so cannot be changed on the page.
	Locked map[string]string
}

const (
	defaultFile  = "/etc/layerd/layerd.yaml" // read when it is there, --config is not given and this is no demo
	maxFileBytes = 1 << 20
	envPrefix    = "LAYERD_"
	listenAll    = ":8080"
	listenDemo   = "127.0.0.1:8080" // the demo is for whoever sits at this machine
)

// Flags defines --config, --data, --listen and --demo.
func Flags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration `FILE` in YAML (default "+defaultFile+" when it is there)")
	flags.String("data", "", "`DIR` for files, history and keys (default $STATE_DIRECTORY, else ~/.local/share/layerd)")
	flags.String("listen", "", "`ADDR` to serve on, host:port (default "+listenAll+", in the demo "+listenDemo+")")
	flags.Bool("demo", false, "run with a pretend printer and camera, and never open a real port")
}

// Load reads the whole configuration. The flags have been parsed, those of Flags among them. The error names every unknown key and every bad value,
// where it stands, and what is allowed.
func Load(flags *pflag.FlagSet) (Config, error) {
	return load(flags, os.Environ(), defaultFile)
}

// value is what a key was set to, as text, and where.
type value struct {
	text   string
	origin string // "file", "environment" or "flag"; "" for a default
	where  string // for people: the file's path, the variable's or the flag's name
}

func load(flags *pflag.FlagSet, environ []string, systemFile string) (Config, error) {
	values := make(map[string]value)
	env, err := environment(environ)
	problems := []error{err}

	fromFlags := make(map[string]value)
	flags.Visit(func(f *pflag.Flag) { // those that were given
		if _, ok := find(f.Name); ok {
			fromFlags[f.Name] = value{f.Value.String(), "flag", "--" + f.Name}
		}
	})
	file, err := flags.GetString("config")
	if err != nil {
		return Config{}, fmt.Errorf("flags: %w", err)
	}
	if file == "" && !asksForDemo(env, fromFlags) && exists(systemFile) {
		file = systemFile
	}
	if file != "" {
		fromFile, err := readFile(file)
		problems = append(problems, err)
		merge(values, fromFile)
	}
	merge(values, env)
	merge(values, fromFlags)

	cfg := Config{Locked: make(map[string]string)}
	for _, k := range keys() {
		v, set := values[k.Name]
		if !set {
			v = value{text: k.start}
		} else {
			cfg.Locked[k.Name] = v.origin
		}
		if !k.set(&cfg, v.text) {
			problems = append(problems, fmt.Errorf("%s in %s: %.100q is not possible; allowed: %s", k.Name, v.where, v.text, k.Allowed))
		}
	}
	if err := complete(&cfg, environ); err != nil {
		problems = append(problems, err)
	}
	if err := errors.Join(problems...); err != nil {
		return Config{}, err
	}
	return cfg, nil
}

func merge(into, from map[string]value) {
	for name, v := range from {
		into[name] = v
	}
}

// asksForDemo looks ahead: a demo does not read the configuration of the real printer beside it.
func asksForDemo(sources ...map[string]value) (demo bool) {
	for _, from := range sources { // the later one wins
		if v, set := from["demo"]; set {
			demo = isTrue(v.text)
		}
	}
	return demo
}

// exists reports whether there is a file, as far as we may look; one that is there and cannot be read is an error later.
func exists(file string) bool {
	_, err := os.Stat(file)
	return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission)
}

// readFile reads the keys that a YAML file sets.
func readFile(file string) (map[string]value, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if len(text) > maxFileBytes {
		return nil, fmt.Errorf("read configuration %s: it is longer than %d bytes", file, maxFileBytes)
	}
	v := viper.New()
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("read configuration %s: %w", file, err)
	}
	values := make(map[string]value)
	var problems []error
	names := v.AllKeys()
	slices.Sort(names)
	for _, name := range names {
		set := v.Get(name)
		switch k, known := find(name); {
		case strings.HasPrefix(name, peoplePrefix):
			addPerson(values, strings.TrimPrefix(name, peoplePrefix), plain(set), file)
		case set == nil && (known || isGroup(name)): // "printer:" with nothing below it sets nothing
		case known && k.list:
			values[name] = value{plainList(set), "file", file}
		case known:
			values[name] = value{plain(set), "file", file}
		case isGroup(name):
			problems = append(problems, fmt.Errorf("%s in %s: it is a group of keys, not one; known keys: %s", name, file, keyNames()))
		default:
			problems = append(problems, fmt.Errorf("unknown key %s in %s; known keys: %s", name, file, keyNames()))
		}
	}
	return values, errors.Join(problems...)
}

// plain is a YAML value as text. A list or a map comes out as something that no key allows.
func plain(v any) string {
	switch v.(type) {
	case []any, map[string]any:
		return fmt.Sprintf("\x00%v", v)
	}
	return fmt.Sprint(v)
}

// plainList is a YAML list as text, or one of its elements alone.
func plainList(v any) string {
	all, ok := v.([]any)
	if !ok {
		return plain(v)
	}
	var texts []string
	for _, one := range all {
		texts = append(texts, plain(one))
	}
	return strings.Join(texts, ",")
}

// peoplePrefix begins the keys of the map that people is in a file. Names may hold dots, so they are no keys of their own.
const peoplePrefix = "people."

func addPerson(values map[string]value, login, role, file string) {
	v := values["people"]
	if v.text != "" {
		v.text += ","
	}
	values["people"] = value{v.text + login + "=" + role, "file", file}
}

// environment reads the LAYERD_* variables. An empty one counts as not set, as it does in most service files.
func environment(environ []string) (map[string]value, error) {
	values := make(map[string]value)
	var problems []error
	for _, variable := range environ {
		name, text, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) {
			continue
		}
		k, ok := findEnv(name)
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("unknown variable %s in the environment; known: %s", name, envNames()))
		case text != "":
			values[k.Name] = value{text, "environment", name}
		}
	}
	return values, errors.Join(problems...)
}

// complete fills in what depends on other things than the key itself.
func complete(cfg *Config, environ []string) error {
	if cfg.Listen == "" {
		cfg.Listen = listenAll
		if cfg.Demo {
			cfg.Listen = listenDemo
		}
	}
	if (cfg.TLS.Cert == "") != (cfg.TLS.Key == "") {
		return errors.New("tls.cert and tls.key belong together: set both or none")
	}
	if cfg.Data != "" || cfg.Demo {
		return nil
	}
	env := make(map[string]string, len(environ))
	for _, variable := range environ {
		name, text, _ := strings.Cut(variable, "=")
		env[name] = text
	}
	// systemd lists several directories with ':' between them; the first is ours.
	state, _, _ := strings.Cut(env["STATE_DIRECTORY"], ":")
	switch {
	case state != "":
		cfg.Data = state
	case env["XDG_DATA_HOME"] != "":
		cfg.Data = filepath.Join(env["XDG_DATA_HOME"], "layerd")
	case env["HOME"] != "":
		cfg.Data = filepath.Join(env["HOME"], ".local", "share", "layerd")
	default:
		return errors.New("data: there is no $STATE_DIRECTORY and no home directory; set it with --data DIR")
	}
	return nil
}

package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Key describes one key for people.
type Key struct {
	Name    string // in the YAML file; a '.' stands for a level
	Env     string // the variable that sets it
	Flag    string // the flag that sets it, "" for none
	Default string // in words where it depends
	Allowed string
	Meaning string
}

// key is a Key with its check.
type key struct {
	Key
	start string                            // the default as text
	set   func(c *Config, text string) bool // parses text into the configuration; false when it is not allowed
	list  bool                              // a list in the file is its elements with commas between them
}

// keys are all there are, in the order in which they are explained.
func keys() []key {
	all := []key{
		{Key{Name: "listen", Flag: "--listen", Default: listenAll + ", in the demo " + listenDemo, Allowed: `host:port, such as ":8080" or "127.0.0.1:8080"`,
			Meaning: "address that the page is served on"},
			"", func(c *Config, s string) bool { c.Listen = s; return s == "" || isAddress(s) }, false},
		{Key{Name: "data", Flag: "--data", Default: "$STATE_DIRECTORY, else ~/.local/share/layerd; in the demo a temporary one", Allowed: "a directory",
			Meaning: "where files, history and keys are kept"},
			"", func(c *Config, s string) bool { c.Data = s; return isText(s) }, false},
		{Key{Name: "demo", Flag: "--demo", Default: "false", Allowed: "true or false",
			Meaning: "run with a pretend printer and camera, and never open a real port"},
			"false", func(c *Config, s string) bool { c.Demo = isTrue(s); return isTrue(s) || isFalse(s) }, false},
		{Key{Name: "printer.port", Default: "detect", Allowed: "a path, such as /dev/serial/by-id/usb-…",
			Meaning: "serial port of the printer"},
			"", func(c *Config, s string) bool { c.Printer.Port = s; return isText(s) }, false},
		{Key{Name: "printer.baud", Default: "0 = detect", Allowed: "0 or 300 to 4000000",
			Meaning: "speed of the serial port, in baud"},
			"0", func(c *Config, s string) bool { return s == "0" || number(&c.Printer.Baud, s, 300, 4_000_000) }, false},
		{Key{Name: "printer.resume_within_s", Default: "10", Allowed: "0 to 3600; 0 = always ask",
			Meaning: "a print goes on by itself when its USB connection is back so soon and the printer has kept its place, in seconds"},
			"10", func(c *Config, s string) bool { return number(&c.Printer.ResumeWithinS, s, 0, 3600) }, false},
		{Key{Name: "camera.device", Default: "detect", Allowed: `a path, such as /dev/video0; rpicam:0; the http:// address of a stream or a snapshot; frames:/DIR, recorded frames; "none" or "simulated"`,
			Meaning: "camera"},
			"", func(c *Config, s string) bool { c.Camera.Device = s; return isCamera(s) }, false},
		{Key{Name: "camera.width", Default: "0 = the camera decides", Allowed: "0 to 8192",
			Meaning: "width of the picture, in pixels"},
			"0", func(c *Config, s string) bool { return number(&c.Camera.Width, s, 0, 8192) }, false},
		{Key{Name: "camera.height", Default: "0 = the camera decides", Allowed: "0 to 8192",
			Meaning: "height of the picture, in pixels"},
			"0", func(c *Config, s string) bool { return number(&c.Camera.Height, s, 0, 8192) }, false},
		{Key{Name: "camera.fps", Default: "0 = the camera decides", Allowed: "0 to 120",
			Meaning: "pictures a second"},
			"0", func(c *Config, s string) bool { return number(&c.Camera.FPS, s, 0, 120) }, false},
		{Key{Name: "files.max_mb", Default: "2048", Allowed: "1 to 1000000",
			Meaning: "biggest file that can be uploaded, in MiB"},
			"2048", func(c *Config, s string) bool { return number(&c.Files.MaxMB, s, 1, 1_000_000) }, false},
		{Key{Name: "files.min_free_mb", Default: "200", Allowed: "1 to 1000000",
			Meaning: "disk space that uploads leave free, in MiB"},
			"200", func(c *Config, s string) bool { return number(&c.Files.MinFreeMB, s, 1, 1_000_000) }, false},
		{Key{Name: "spoolman.url", Default: "none: layerd keeps the spools itself", Allowed: "http://host:port, such as http://192.168.1.5:7912",
			Meaning: "the Spoolman whose spools are used, and which is told what prints use of them"},
			"", func(c *Config, s string) bool { c.Spoolman.URL = s; return s == "" || isURL(s) }, false},
		{Key{Name: "discovery", Default: "true", Allowed: "true or false",
			Meaning: "let programs on the local network find layerd, by mDNS and SSDP; never when it listens on this machine alone"},
			"true", func(c *Config, s string) bool { c.Discovery = isTrue(s); return isTrue(s) || isFalse(s) }, false},
		{Key{Name: "overlay", Default: "as chosen on the page; at first none", Allowed: "none, tailnet or zerotier",
			Meaning: "the network by which phones reach layerd from elsewhere"},
			"", func(c *Config, s string) bool {
				c.Overlay = s
				return slices.Contains([]string{"", "none", "tailnet", "zerotier"}, s)
			}, false},
		{Key{Name: "tailnet.name", Default: "layerd", Allowed: "letters a to z, digits and -",
			Meaning: "this machine's name on the tailnet"},
			"", func(c *Config, s string) bool { c.Tailnet.Name = s; return isText(s) && len(s) <= 63 }, false},
		{Key{Name: "tailnet.control_url", Default: "Tailscale's own", Allowed: "http:// or https:// and a host, such as https://headscale.example.com",
			Meaning: "control server of the tailnet"},
			"", func(c *Config, s string) bool { c.Tailnet.ControlURL = s; return s == "" || isURL(s) }, false},
		{Key{Name: "tailnet.tags", Default: "none", Allowed: "tag:NAME, several with commas between them",
			Meaning: "tags that this machine asks for; one with tags need never log in again"},
			"", func(c *Config, s string) bool {
				c.Tailnet.Tags = elements(s)
				return !slices.ContainsFunc(c.Tailnet.Tags, func(t string) bool { return !strings.HasPrefix(t, "tag:") })
			}, true},
		{Key{Name: "tailnet.auth_key", Default: "none: the page shows a link to log in", Allowed: "an auth key",
			Meaning: "lets this machine in when it joins for the first time; not needed after that"},
			"", func(c *Config, s string) bool { c.Tailnet.AuthKey = s; return isText(s) && len(s) <= 512 }, false},
		{Key{Name: "tailnet.vendor_logs", Default: "false", Allowed: "true or false",
			Meaning: "send the logs of the tailnet's node to Tailscale, as some tailnets insist"},
			"false", func(c *Config, s string) bool { c.Tailnet.VendorLogs = isTrue(s); return isTrue(s) || isFalse(s) }, false},
		{Key{Name: "tailnet.default_role", Default: "viewer", Allowed: "viewer or nobody",
			Meaning: "what people of the tailnet may do that nobody has named"},
			"viewer", func(c *Config, s string) bool { c.Tailnet.DefaultRole = s; return s == "viewer" || s == "nobody" }, false},
		{Key{Name: "zerotier.network", Default: "none", Allowed: "16 hexadecimal digits",
			Meaning: "the ZeroTier network that is joined by the zerotier-one beside layerd"},
			"", func(c *Config, s string) bool { c.ZeroTier.Network = s; return s == "" || isNetwork(s) }, false},
		{Key{Name: "zerotier.token_file", Default: "$CREDENTIALS_DIRECTORY/zt-token, else /var/lib/zerotier-one/authtoken.secret", Allowed: "a path",
			Meaning: "where the secret of zerotier-one is"},
			"", func(c *Config, s string) bool { c.ZeroTier.TokenFile = s; return isText(s) }, false},
		{Key{Name: "people", Default: "none", Allowed: "a map of login names to viewer, operator or owner; as one text alice@example.com=owner,bob@example.com=viewer",
			Meaning: "what people of the tailnet may do, by the name that they have there"},
			"", func(c *Config, s string) (ok bool) { c.People, ok = people(s); return ok }, false},
		{Key{Name: "proxies", Default: "none", Allowed: "addresses or networks, such as 192.168.1.2 or 10.0.0.0/8, several with commas between them",
			Meaning: "proxies in front of layerd, whose word is taken for where a request comes from"},
			"", func(c *Config, s string) (ok bool) { c.Proxies, ok = prefixes(s); return ok }, true},
		{Key{Name: "tls.cert", Default: "none: HTTP", Allowed: "a path",
			Meaning: "certificate of the page at listen, in PEM; read again when it changes"},
			"", func(c *Config, s string) bool { c.TLS.Cert = s; return isText(s) }, false},
		{Key{Name: "tls.key", Default: "none", Allowed: "a path",
			Meaning: "its private key, in PEM"},
			"", func(c *Config, s string) bool { c.TLS.Key = s; return isText(s) }, false},
		{Key{Name: "log.level", Default: "info", Allowed: "debug, info, warn or error",
			Meaning: "how much is logged"},
			"info", func(c *Config, s string) bool {
				c.Log.Level = s
				return slices.Contains([]string{"debug", "info", "warn", "error"}, s)
			}, false},
	}
	for i := range all {
		all[i].Env = envPrefix + strings.ToUpper(strings.ReplaceAll(all[i].Name, ".", "_"))
	}
	return all
}

// Describe returns all keys, for the help and the README.
func Describe() []Key {
	var all []Key
	for _, k := range keys() {
		all = append(all, k.Key)
	}
	return all
}

// Table is Describe as a Markdown table, as it stands in the README.
func Table() string {
	var b strings.Builder
	b.WriteString("| Key in the file | Environment | Flag | Default | Allowed | Meaning |\n|---|---|---|---|---|---|\n")
	for _, k := range Describe() {
		flag := ""
		if k.Flag != "" {
			flag = "`" + k.Flag + "`"
		}
		row := fmt.Sprintf("| `%s` | `%s` | %s | %s | %s | %s |\n", k.Name, k.Env, flag, k.Default, k.Allowed, k.Meaning)
		b.WriteString(strings.ReplaceAll(row, "|  |", "| |"))
	}
	return b.String()
}

func find(name string) (key, bool) { return first(func(k key) bool { return k.Name == name }) }

func findEnv(env string) (key, bool) { return first(func(k key) bool { return k.Env == env }) }

func first(is func(key) bool) (key, bool) {
	all := keys()
	if i := slices.IndexFunc(all, is); i >= 0 {
		return all[i], true
	}
	return key{}, false
}

// isGroup reports whether there are keys below name.
func isGroup(name string) bool {
	_, ok := first(func(k key) bool { return strings.HasPrefix(k.Name, name+".") })
	return ok
}

func keyNames() string { return list(func(k Key) string { return k.Name }) }
func envNames() string { return list(func(k Key) string { return k.Env }) }

func list(of func(Key) string) string {
	var all []string
	for _, k := range Describe() {
		all = append(all, of(k))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// number parses a whole number between least and most.
func number(into *int, s string, least, most int) bool {
	n, err := strconv.Atoi(s)
	*into = n
	return err == nil && n >= least && n <= most
}

func isTrue(s string) bool {
	return slices.Contains([]string{"true", "1", "yes", "on"}, strings.ToLower(s))
}
func isFalse(s string) bool {
	return slices.Contains([]string{"false", "0", "no", "off"}, strings.ToLower(s))
}

// isText reports text of sensible length without control characters.
func isText(s string) bool { return len(s) <= 4096 && !strings.ContainsFunc(s, unicode.IsControl) }

func isCamera(s string) bool {
	beginnings := []string{"/", "rpicam:", "http://", "https://", "frames:/"}
	return s == "" || s == "none" || s == "simulated" || isText(s) && slices.ContainsFunc(beginnings, func(b string) bool { return strings.HasPrefix(s, b) })
}

// isURL reports an address of a web server without anything secret in it.
func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

// isNetwork reports the ID of a ZeroTier network.
func isNetwork(s string) bool {
	_, err := strconv.ParseUint(s, 16, 64)
	return err == nil && len(s) == 16
}

// elements are the parts of a text with commas between them, without spaces around them.
func elements(s string) []string {
	var all []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// people reads alice@example.com=owner,bob@example.com=viewer.
func people(s string) (map[string]string, bool) {
	var roles map[string]string
	for _, one := range elements(s) {
		login, role, _ := strings.Cut(one, "=")
		login = strings.ToLower(strings.TrimSpace(login))
		if login == "" || !isText(login) || !slices.Contains([]string{"viewer", "operator", "owner"}, role) {
			return nil, false
		}
		if roles == nil {
			roles = map[string]string{}
		}
		roles[login] = role
	}
	return roles, true
}

// prefixes reads addresses and networks.
func prefixes(s string) (all []netip.Prefix, ok bool) {
	for _, one := range elements(s) {
		network, err := netip.ParsePrefix(one)
		if err != nil {
			address, err := netip.ParseAddr(one)
			if err != nil {
				return nil, false
			}
			network = netip.PrefixFrom(address, address.BitLen())
		}
		all = append(all, network.Masked())
	}
	return all, true
}

// hidden tells that there is a secret, and not what it is.
func hidden(secret string) string {
	if secret == "" {
		return ""
	}
	return "(hidden)"
}

// isAddress reports host:port, where the host may be empty, an address or a name.
func isAddress(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return false
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return false
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._:%", r)
	})
}

// Show lists what the configuration comes to, for people: a line for each key with its value and where that was set.
func (c Config) Show() []string {
	values := []any{c.Listen, c.Data, c.Demo, c.Printer.Port, c.Printer.Baud, c.Printer.ResumeWithinS, c.Camera.Device, c.Camera.Width, c.Camera.Height, c.Camera.FPS,
		c.Files.MaxMB, c.Files.MinFreeMB, c.Spoolman.URL, c.Discovery, c.Overlay, c.Tailnet.Name, c.Tailnet.ControlURL, strings.Join(c.Tailnet.Tags, ","), hidden(c.Tailnet.AuthKey), c.Tailnet.VendorLogs,
		c.Tailnet.DefaultRole, c.ZeroTier.Network, c.ZeroTier.TokenFile, c.People, c.Proxies, c.TLS.Cert, c.TLS.Key, c.Log.Level}
	var out []string
	for i, k := range Describe() {
		origin := c.Locked[k.Name]
		if origin == "" {
			origin = "default"
		}
		out = append(out, fmt.Sprintf("%-18s %-40q (%s)", k.Name, fmt.Sprint(values[i]), origin))
	}
	return out
}

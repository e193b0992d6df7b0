package config

import (
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// loadWith writes yaml into a file (when it is not "") and loads it with these arguments and variables. FILE in an argument is its path.
func loadWith(t *testing.T, yaml string, args, environ []string) (Config, error) {
	t.Helper()
	return loadBeside(t, filepath.Join(t.TempDir(), "absent.yaml"), yaml, args, environ)
}

func loadBeside(t *testing.T, systemFile, yaml string, args, environ []string) (Config, error) {
	t.Helper()
	flags := pflag.NewFlagSet("layerd", pflag.ContinueOnError)
	Flags(flags)
	if yaml != "" {
		args = append(args, "--config", writeFile(t, yaml))
	}
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return load(flags, append([]string{"HOME=/home/anna"}, environ...), systemFile)
}

func writeFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "layerd.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestDefaults(t *testing.T) {
	got, err := loadWith(t, "", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want Config
	want.Listen, want.Data = ":8080", "/home/anna/.local/share/layerd"
	want.Printer.ResumeWithinS = 10
	want.Files.MaxMB, want.Files.MinFreeMB = 2048, 200
	want.Discovery = true
	want.Tailnet.DefaultRole = "viewer"
	want.Log.Level = "info"
	want.Locked = map[string]string{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestEveryKeyFromTheFile(t *testing.T) {
	got, err := loadWith(t, `
listen: "127.0.0.1:9000"
data: /srv/layerd
demo: false
printer:
  port: /dev/ttyUSB0
  baud: 250000
  resume_within_s: 25
camera:
  device: none
  width: 1280
  height: 720
  fps: 15
files: {max_mb: 500, min_free_mb: 50}
spoolman: {url: "http://192.168.1.5:7912"}
discovery: off
overlay: tailnet
tailnet:
  name: voron
  control_url: https://headscale.example.com
  tags: ["tag:printer", "tag:home"]
  auth_key: tskey-auth-1
  vendor_logs: yes
  default_role: nobody
zerotier: {network: 8056c2e21c000001, token_file: /run/zt}
people:
  Alice.B@example.com: owner
  bob: viewer
proxies: [192.168.1.2, "10.0.0.0/8", "fd00::/8"]
tls: {cert: /etc/cert.pem, key: /etc/key.pem}
log:
  level: debug
`, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var want Config
	want.Listen, want.Data = "127.0.0.1:9000", "/srv/layerd"
	want.Printer.Port, want.Printer.Baud, want.Printer.ResumeWithinS = "/dev/ttyUSB0", 250000, 25
	want.Camera.Device, want.Camera.Width, want.Camera.Height, want.Camera.FPS = "none", 1280, 720, 15
	want.Files.MaxMB, want.Files.MinFreeMB = 500, 50
	want.Spoolman.URL = "http://192.168.1.5:7912"
	want.Overlay = "tailnet"
	want.Tailnet.Name, want.Tailnet.ControlURL, want.Tailnet.Tags = "voron", "https://headscale.example.com", []string{"tag:printer", "tag:home"}
	want.Tailnet.AuthKey, want.Tailnet.VendorLogs, want.Tailnet.DefaultRole = "tskey-auth-1", true, "nobody"
	want.ZeroTier.Network, want.ZeroTier.TokenFile = "8056c2e21c000001", "/run/zt"
	want.People = map[string]string{"alice.b@example.com": "owner", "bob": "viewer"}
	want.Proxies = []netip.Prefix{netip.MustParsePrefix("192.168.1.2/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	want.TLS.Cert, want.TLS.Key = "/etc/cert.pem", "/etc/key.pem"
	want.Log.Level = "debug"
	want.Locked = map[string]string{}
	for _, k := range Describe() {
		want.Locked[k.Name] = "file"
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestPrecedence(t *testing.T) {
	const file = "listen: ':1'\ndata: /file\nprinter: {port: /dev/file, baud: 115200}\n"
	environ := []string{"LAYERD_LISTEN=:2", "LAYERD_DATA=/env", "LAYERD_PRINTER_PORT=/dev/env", "LAYERD_CAMERA_FPS=", "PATH=/bin", "LAYER=x"}
	got, err := loadWith(t, file, []string{"--listen", ":3"}, environ)
	if err != nil {
		t.Fatal(err)
	}
	if got.Listen != ":3" || got.Data != "/env" || got.Printer.Port != "/dev/env" || got.Printer.Baud != 115200 {
		t.Errorf("got %+v", got)
	}
	want := map[string]string{"listen": "flag", "data": "environment", "printer.port": "environment", "printer.baud": "file"}
	if !maps.Equal(got.Locked, want) {
		t.Errorf("locked: got %v, want %v", got.Locked, want)
	}
}

func TestYAMLForms(t *testing.T) {
	for name, yaml := range map[string]string{
		"nested":        "printer:\n  baud: 9600\n",
		"one level":     "printer.baud: 9600\n",
		"text":          "printer: {baud: '9600'}\n",
		"capitals":      "Printer: {Baud: 9600}\n",
		"empty groups":  "camera:\nlog: {}\nprinter: {baud: 9600, port: }\nlisten: null\n",
		"comments only": "# nothing\nprinter: {baud: 9600} # but this\n",
	} {
		got, err := loadWith(t, yaml, nil, nil)
		if err != nil || got.Printer.Baud != 9600 || !maps.Equal(got.Locked, map[string]string{"printer.baud": "file"}) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name, yaml    string
		args, environ []string
		says          []string
	}{
		{"unknown key", "printer: {bauds: 9600}", nil, nil, []string{"unknown key printer.bauds in ", "layerd.yaml", "printer.baud, printer.port"}},
		{"unknown group", "printers: {baud: 9600}", nil, nil, []string{"unknown key printers.baud in "}},
		{"unknown key with nothing", "prinster:", nil, nil, []string{"unknown key prinster"}},
		{"group as a key", "printer: /dev/ttyUSB0", nil, nil, []string{"printer in ", "group"}},
		{"unknown variable", "", nil, []string{"LAYERD_PRINTER_BUAD=9600"}, []string{"unknown variable LAYERD_PRINTER_BUAD", "LAYERD_PRINTER_BAUD"}},
		{"unknown variable, empty", "", nil, []string{"LAYERD_FOO="}, []string{"LAYERD_FOO"}},
		{"baud", "", nil, []string{"LAYERD_PRINTER_BAUD=fast"}, []string{`printer.baud in LAYERD_PRINTER_BAUD: "fast"`, "0 or 300 to 4000000"}},
		{"baud too low", "printer: {baud: 299}", nil, nil, []string{`"299"`, "0 or 300"}},
		{"baud too high", "printer: {baud: 4000001}", nil, nil, []string{`"4000001"`}},
		{"baud beyond all numbers", "printer: {baud: 99999999999999999999}", nil, nil, []string{"printer.baud"}},
		{"baud with a fraction", "printer: {baud: 9600.5}", nil, nil, []string{`"9600.5"`}},
		{"a list", "listen: [':80', ':81']", nil, nil, []string{"listen in ", "host:port"}},
		{"listen without port", "", []string{"--listen", "localhost"}, nil, []string{`listen in --listen: "localhost"`, `":8080"`}},
		{"listen on a port alone", "listen: 8080", nil, nil, []string{`"8080"`}},
		{"listen on too high a port", "listen: ':65536'", nil, nil, []string{`":65536"`}},
		{"listen on a named port", "listen: ':http'", nil, nil, []string{`":http"`}},
		{"listen on a URL", "listen: 'http://x:80'", nil, nil, []string{"listen"}},
		{"width", "camera: {width: 8193}", nil, nil, []string{"camera.width", "0 to 8192"}},
		{"height", "camera: {height: -1}", nil, nil, []string{"camera.height", "0 to 8192"}},
		{"spoolman", "spoolman: {url: 'http://me:secret@a/'}", nil, nil, []string{"spoolman.url", "http://host:port"}},
		{"spoolman's scheme", "spoolman: {url: 'file:///etc/passwd'}", nil, nil, []string{"spoolman.url"}},
		{"fps", "camera: {fps: 121}", nil, nil, []string{"camera.fps", "0 to 120"}},
		{"device", "camera: {device: video0}", nil, nil, []string{"camera.device", "/dev/video0"}},
		{"max_mb", "files: {max_mb: 0}", nil, nil, []string{"files.max_mb", "1 to 1000000"}},
		{"min_free_mb", "files: {min_free_mb: lots}", nil, nil, []string{"files.min_free_mb", `"lots"`}},
		{"log level", "log: {level: loud}", nil, nil, []string{"log.level", "debug, info, warn or error"}},
		{"demo", "demo: maybe", nil, nil, []string{"demo in ", "true or false"}},
		{"control characters", `data: "a\nb"`, nil, nil, []string{"data in "}},
		{"broken YAML", "printer: [", nil, nil, []string{"read configuration", "layerd.yaml"}},
		{"the same key twice", "listen: ':1'\nlisten: ':2'\n", nil, nil, []string{"listen"}},
		{"no mapping", "just text", nil, nil, []string{"layerd.yaml"}},
		{"too long", "# " + strings.Repeat("x", 1<<20), nil, nil, []string{"longer than"}},
		{"no such file", "", []string{"--config", "/nowhere/layerd.yaml"}, nil, []string{"/nowhere/layerd.yaml"}},
		{"a directory", "", []string{"--config", "/"}, nil, []string{"read configuration"}},
		{"all at once", "lisen: ':1'\nlog: {level: loud}", []string{"--listen", "x"}, []string{"LAYERD_CAMERA_FPS=1000", "LAYERD_X=1"},
			[]string{"lisen", "log.level", "--listen", "LAYERD_CAMERA_FPS", "LAYERD_X"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := loadWith(t, c.yaml, c.args, c.environ)
			if err == nil {
				t.Fatalf("got %+v, want an error", got)
			}
			for _, want := range c.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want %q in it", err, want)
				}
			}
		})
	}
}

func TestDataDirectory(t *testing.T) {
	for _, c := range []struct {
		environ []string
		want    string
	}{
		{nil, "/home/anna/.local/share/layerd"},
		{[]string{"XDG_DATA_HOME=/xdg"}, "/xdg/layerd"},
		{[]string{"XDG_DATA_HOME=/xdg", "STATE_DIRECTORY=/var/lib/layerd"}, "/var/lib/layerd"},
		{[]string{"STATE_DIRECTORY=/var/lib/layerd:/var/lib/other"}, "/var/lib/layerd"},
		{[]string{"STATE_DIRECTORY=/var/lib/layerd", "LAYERD_DATA=/mine"}, "/mine"},
	} {
		if got, err := loadWith(t, "", nil, c.environ); err != nil || got.Data != c.want {
			t.Errorf("%v: got %q, %v, want %q", c.environ, got.Data, err, c.want)
		}
	}
	if _, err := loadWith(t, "", nil, []string{"HOME="}); err == nil || !strings.Contains(err.Error(), "--data") {
		t.Errorf("without a home: got %v, want advice", err)
	}
}

func TestDemo(t *testing.T) {
	system := writeFile(t, "data: /var/lib/layerd\nlisten: ':80'\nprinter: {port: /dev/ttyUSB0}\n")
	for _, c := range []struct {
		name          string
		yaml          string
		args, environ []string
	}{
		{"flag", "", []string{"--demo"}, []string{"STATE_DIRECTORY=/var/lib/layerd"}},
		{"environment", "", nil, []string{"LAYERD_DEMO=1"}},
		{"file", "demo: yes", nil, nil},
		{"no home", "", []string{"--demo"}, []string{"HOME="}},
	} {
		got, err := loadBeside(t, system, c.yaml, c.args, c.environ)
		if err != nil || !got.Demo || got.Listen != "127.0.0.1:8080" || got.Data != "" || got.Printer.Port != "" {
			t.Errorf("%s: got %+v, %v, want nothing of the real printer", c.name, got, err)
		}
	}
	got, err := loadBeside(t, system, "", []string{"--demo=false"}, []string{"LAYERD_DEMO=1"})
	if err != nil || got.Demo || got.Listen != ":80" || got.Data != "/var/lib/layerd" || got.Locked["printer.port"] != "file" {
		t.Errorf("no demo: got %+v, %v, want the system's file", got, err)
	}
	got, err = loadWith(t, "", []string{"--demo", "--listen", ":9", "--data", "/d"}, nil)
	if err != nil || got.Listen != ":9" || got.Data != "/d" {
		t.Errorf("given: got %+v, %v", got, err)
	}
}

func TestSystemFileIsChecked(t *testing.T) {
	system := writeFile(t, "listn: ':80'\n")
	if _, err := loadBeside(t, system, "", nil, nil); err == nil || !strings.Contains(err.Error(), system) {
		t.Errorf("got %v, want an error that names %s", err, system)
	}
	if got, err := loadBeside(t, system, "listen: ':81'", nil, nil); err != nil || got.Listen != ":81" {
		t.Errorf("--config instead: got %+v, %v", got, err)
	}
}

// Load itself is load with the world around it, which the tests above give by hand.
func TestLoad(t *testing.T) {
	t.Setenv("LAYERD_LOG_LEVEL", "warn")
	flags := pflag.NewFlagSet("layerd", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse([]string{"--demo", "sub", "--listen=:1"}); err != nil {
		t.Fatal(err)
	}
	if got, err := Load(flags); err != nil || got.Log.Level != "warn" || got.Listen != ":1" || !got.Demo {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestFlagsMatchKeys(t *testing.T) {
	flags := pflag.NewFlagSet("layerd", pflag.ContinueOnError)
	Flags(flags)
	for _, k := range Describe() {
		if given := flags.Lookup(k.Name) != nil; given != (k.Flag == "--"+k.Name) {
			t.Errorf("%s: flag %q in the table, defined %v", k.Name, k.Flag, given)
		}
	}
}

func TestDefaultsAreAllowed(t *testing.T) {
	for _, k := range keys() {
		if !k.set(new(Config), k.start) {
			t.Errorf("%s: its own default %q is refused", k.Name, k.start)
		}
	}
}

func TestTable(t *testing.T) {
	rows := strings.Split(strings.TrimSpace(Table()), "\n")
	if len(rows) != len(keys())+2 {
		t.Errorf("got %d rows, want %d", len(rows), len(keys())+2)
	}
	for _, row := range rows {
		if strings.Count(row, "|") != 7 {
			t.Errorf("got %s, want six columns", row)
		}
	}
	if want := "| `printer.baud` | `LAYERD_PRINTER_BAUD` | | 0 = detect | 0 or 300 to 4000000 | speed of the serial port, in baud |"; !strings.Contains(Table(), want) {
		t.Errorf("got %s, want %s in it", Table(), want)
	}
}

func TestREADME(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if os.IsNotExist(err) {
		t.Log("there is no README.md yet")
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "<!-- config -->")
	got, _, closed := strings.Cut(rest, "<!-- /config -->")
	if !ok || !closed {
		t.Fatal("README.md has no <!-- config --> … <!-- /config -->")
	}
	if strings.TrimSpace(got) != strings.TrimSpace(Table()) {
		t.Errorf("the table of README.md is out of date; it should be\n\n%s", Table())
	}
}

func TestPeopleFromTheEnvironment(t *testing.T) {
	got, err := loadWith(t, "", nil, []string{"LAYERD_PEOPLE=Alice@example.com=owner, bob=viewer", "LAYERD_PROXIES=10.0.0.1, 10.0.1.0/24"})
	if want := map[string]string{"alice@example.com": "owner", "bob": "viewer"}; err != nil || !maps.Equal(got.People, want) || len(got.Proxies) != 2 {
		t.Errorf("got %v, %v, %v, want %v and two proxies", got.People, got.Proxies, err, want)
	}
	for _, wrong := range []string{"LAYERD_PEOPLE=alice", "LAYERD_PEOPLE=alice=admin", "LAYERD_PEOPLE==owner", "LAYERD_PROXIES=proxy.lan", "LAYERD_PROXIES=10.0.0.0/99", "LAYERD_TLS_CERT=/c",
		"LAYERD_TAILNET_TAGS=printer", "LAYERD_TAILNET_DEFAULT_ROLE=owner", "LAYERD_ZEROTIER_NETWORK=8056", "LAYERD_OVERLAY=vpn"} {
		if _, err := loadWith(t, "", nil, []string{wrong}); err == nil {
			t.Errorf("%s was taken", wrong)
		}
	}
}

func TestTheAuthKeyIsNotShown(t *testing.T) {
	cfg, err := loadWith(t, "tailnet: {auth_key: tskey-auth-secret}\n", nil, nil)
	if shown := strings.Join(cfg.Show(), "\n"); err != nil || cfg.Tailnet.AuthKey == "" || strings.Contains(shown, "secret") || !strings.Contains(shown, "(hidden)") {
		t.Errorf("got %v\n%s", err, shown)
	}
}

func TestShowNamesEachKeyWithItsValueAndOrigin(t *testing.T) {
	t.Setenv("LAYERD_PRINTER_BAUD", "250000")
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	Flags(flags)
	if err := flags.Parse([]string{"--listen", "127.0.0.1:9", "--data", "/d"}); err != nil {
		t.Fatal(err)
	}
	cfg, err := Load(flags)
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Join(cfg.Show(), "\n")
	for _, want := range []string{`listen .*"127.0.0.1:9" .*\(flag\)`, `printer.baud .*"250000" .*\(environment\)`, `log.level .*"info" .*\(default\)`,
		`files.max_mb .*"2048" .*\(default\)`, `camera.fps .*"0" .*\(default\)`, `data .*"/d" .*\(flag\)`} {
		if !regexp.MustCompile(want).MatchString(shown) {
			t.Errorf("no %s in\n%s", want, shown)
		}
	}
	if got := len(cfg.Show()); got != len(Describe()) {
		t.Errorf("got %d lines, want %d", got, len(Describe()))
	}
}

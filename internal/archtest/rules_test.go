package archtest

import "strings"

// Arrows only point down: cmd → internal/* → printer, camera → gcode, internal/latest. Patterns are import paths; one that ends
// in "/..." means the package and all below it. Test files are held to the rules too, unless a rule lets them off.

// never: a package must not import another.
var never = []struct {
	who, what string
	but       []string // of what
	tests     bool     // tests may
	why       string
}{
	{"layerd/gcode/...", "layerd/...", nil, false, "gcode turns text into values and knows nothing of us"},
	{"layerd/gcode/...", "os", nil, true, "gcode does no I/O"},
	{"layerd/gcode/...", "net/...", nil, false, "gcode does no I/O"},
	{"layerd/gcode/...", "log/...", nil, false, "gcode does no I/O"},
	{"layerd/internal/latest", "layerd/...", nil, false, "it is below everything"},
	{"layerd/printer/...", "layerd/internal/...", []string{"layerd/internal/latest"}, false, "nothing on the print path waits for anything off it"},
	{"layerd/printer/...", "layerd/camera/...", nil, false, "camera and printer do not know each other"},
	{"layerd/printer/...", "net/http", nil, false, "the printer does not know who asks"},
	{"layerd/printer/...", "database/sql", nil, false, "nothing on the print path waits for a disk"},
	{"layerd/camera/...", "layerd/internal/...", []string{"layerd/internal/latest"}, false, "the camera does not know who looks"},
	{"layerd/camera/...", "layerd/printer/...", nil, false, "camera and printer do not know each other"},
	{"layerd/camera/register", "layerd/...", nil, true, "it is arithmetic alone"},
	{"layerd/camera/register", "os", nil, true, "it is arithmetic alone"},
	{"layerd/internal/unpack/...", "layerd/...", []string{"layerd/gcode"}, false, "it turns bytes into text and asks nobody"},
	{"layerd/internal/store/...", "layerd/...", []string{"layerd/gcode", "layerd/internal/unpack", "layerd/internal/powercut"}, false, "the store keeps things and asks nobody"},
	{"layerd/internal/timelapse/...", "layerd/internal/...", []string{"layerd/internal/latest"}, false, "main gives it what it needs"},
	{"layerd/internal/guard/...", "layerd/internal/...", []string{"layerd/internal/latest"}, false, "main gives it what it needs"},
	{"layerd/internal/access/...", "layerd/...", nil, false, "main gives it the keys"},
	{"layerd/internal/config/...", "layerd/...", nil, false, "plain structs out"},
	{"layerd/internal/overlay", "layerd/...", []string{"layerd/internal/latest"}, false, "it is what the networks have in common"},
	{"layerd/internal/tailnet/...", "layerd/...", []string{"layerd/internal/overlay", "layerd/internal/access", "layerd/internal/latest", "layerd/internal/tailnet/..."}, false, "main gives it the page"},
	{"layerd/internal/zerotier/...", "layerd/...", []string{"layerd/internal/overlay", "layerd/internal/latest"}, false, "main tells it the page's port"},
	{"layerd/internal/discovery/...", "layerd/...", nil, false, "main gives it what it tells"},
	{"layerd/internal/vital/...", "layerd/...", nil, false, "main says what is vital"},
	{"layerd/internal/health/...", "layerd/internal/...", []string{"layerd/internal/latest", "layerd/internal/overlay"}, false, "it looks at the machine; main gives it the rest"},
	{"layerd/internal/power/...", "layerd/internal/...", []string{"layerd/internal/latest"}, false, "main gives it what it needs"},
	{"layerd/webui/...", "layerd/...", nil, false, "it is files"},
}

// only: a package is imported from nowhere but here.
var only = []struct {
	what  string
	who   []string
	tests bool // tests may import it anywhere
	why   string
}{
	{"github.com/spf13/viper/...", []string{"layerd/internal/config"}, false, "configuration is read in one place"},
	{"go.bug.st/serial/...", []string{"layerd/printer"}, false, "one file of printer opens ttys"},
	{"github.com/blackjack/webcam/...", []string{"layerd/camera"}, false, "camera wraps its traps"},
	{"tailscale.com/...", []string{"layerd/internal/tailnet/..."}, false, "without it nothing else may change"},
	{"github.com/gorilla/websocket/...", []string{"layerd/internal/server/...", "layerd/internal/octoprint/peertest", "layerd/cmd/camerabench", "layerd/cmd/siegebench", "layerd/cmd/streambench", "layerd/cmd/writebench"}, true, "websockets are the server's"},
	{"github.com/mdlayher/sdnotify/...", []string{"layerd/internal/vital"}, false, "one tells systemd how layerd is"},
	{"modernc.org/sqlite/...", []string{"layerd/internal/store"}, false, "the database is the store's"},
	{"database/sql/...", []string{"layerd/internal/store"}, false, "the database is the store's"},
	{"layerd/internal/server/...", []string{"layerd/cmd/...", "layerd/internal/server/...", "layerd/internal/octoprint/...", "layerd/internal/prusalink/...", "layerd/internal/moonraker/..."}, false, "main wires; APIs of others are translated onto its verbs"},
	{"layerd/internal/config/...", []string{"layerd/cmd/...", "layerd/internal/config/..."}, false, "main hands out what the others need"},
	{"layerd/internal/powercut/...", []string{"layerd/cmd/writebench"}, true, "it is for tests and measurements"},
	{"layerd/internal/spoolman/...", []string{"layerd/cmd/...", "layerd/internal/spools", "layerd/internal/spoolman/..."}, true, "one shelf speaks to it"},
	{"layerd/printer/printertest/...", []string{"layerd/cmd/...", "layerd/printer/printertest/..."}, true, "the pretend printer is for tests, the demo and printsim"},
	{"layerd/internal/octoprint/peertest/...", []string{"layerd/cmd/octopeer", "layerd/internal/octoprint/peertest/..."}, true, "it is for tests and octopeer"},
	{"layerd/internal/zerotier/zerotiertest/...", []string{"layerd/cmd/...", "layerd/internal/zerotier/..."}, true, "the pretend ZeroTier is for tests and zerotiersim"},
	{"layerd/cmd/...", nil, false, "main is the top"},
	{"text/template/...", nil, false, "text from outside is never made into code"},
	{"html/template/...", nil, false, "the page is files, and all else is JSON"},
	{"os/exec", []string{"layerd/camera", "layerd/internal/timelapse", "layerd/cmd/streambench", "layerd/cmd/camerabench", "layerd/cmd/siegebench", "layerd/cmd/awaybench", "layerd/cmd/gcodebench", "layerd/cmd/writebench", "layerd/internal/powercut", "layerd/internal/benchrun", "layerd/cmd/octopeer", "layerd/cmd/shifteval", "layerd/cmd/vmcamera", "layerd/cmd/vmpi"}, true, "programs of constant names, and no shell"},
	{"C", nil, false, "one static binary, cross-compiled without a C compiler"},
	{"unsafe", []string{"layerd/camera", "layerd/printer", "layerd/internal/health", "layerd/internal/power", "layerd/cmd/printsim", "layerd/cmd/vmcamera"}, false, "for system calls alone"},
}

// oneFile: imported by one file at most.
var oneFile = []string{"go.bug.st/serial/...", "github.com/spf13/viper/..."}

// inWords are written with each letter moved on by 13, so that this file may hold them: they belong to how something was made, or to what is
// not finished, and the repository speaks of neither.
var inWords = []string{
	`pynhqr`, `naguebcvp`, `bcranv`, `pungtcg`, `pbcvybg`, `tvguho vffhr`, `yynz[0-9]*`, `trzvav`, `nv nffvfgnag`, `ynathntr zbqry`,
	`gbqb`, `svkzr`,
}

// aNumberedIssue is forbidden too: a comment says its reason itself.
const aNumberedIssue = `issues? #?[0-9]+`

func rot13(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' {
			return 'a' + (r-'a'+13)%26
		}
		return r
	}, s)
}

const (
	maxLines     = 400
	maxTestLines = 600 // tables are long
	longMark     = "This file is long"
	longMarkIn   = 30 // first lines
)

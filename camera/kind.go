package camera

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// kind is what sort of camera a Settings.Device means.
type kind uint8

const (
	kindUnknown kind = iota
	kindFound        // "": whatever there is
	kindNone
	kindSimulated
	kindVideo  // a V4L2 node
	kindModule // rpicam:N
	kindWeb    // http://…, https://…
	kindFrames // frames:DIR
)

// The values of Settings.Device that are words, and the beginnings of others.
const (
	deviceNone      = "none"
	deviceSimulated = "simulated"
	deviceModule    = "rpicam:"
	deviceFrames    = "frames:"
)

func kindOf(device string) kind {
	module, isModule := strings.CutPrefix(device, deviceModule)
	dir, isFrames := strings.CutPrefix(device, deviceFrames)
	switch {
	case device == "":
		return kindFound
	case device == deviceNone:
		return kindNone
	case device == deviceSimulated:
		return kindSimulated
	case isModule && len(module) == 1 && module[0] >= '0' && module[0] <= '9':
		return kindModule
	case isFrames && path.IsAbs(dir) && path.Clean(dir) == dir && len(dir) <= 1024 && !strings.ContainsFunc(dir, unicode.IsControl):
		return kindFrames
	case isVideoNode(device):
		return kindVideo
	case isWebAddress(device):
		return kindWeb
	}
	return kindUnknown
}

// open makes the source for a device that was chosen. It opens nothing yet.
func open(d Device, s Settings) Source {
	switch kindOf(d.ID) {
	case kindModule:
		return newModule(d, s)
	case kindWeb:
		return newWeb(d, s)
	case kindFrames:
		return newReplay(d, s)
	}
	return newV4L2(d, s)
}

// isVideoNode tells whether p is /dev/videoN or a link of /dev/v4l/by-id or by-path, written without detours.
func isVideoNode(p string) bool {
	if len(p) > 255 || path.Clean(p) != p {
		return false
	}
	dir, name := path.Split(p)
	for _, r := range name {
		if r <= ' ' || r == 0x7f {
			return false
		}
	}
	switch dir {
	case "/dev/":
		digits, ok := strings.CutPrefix(name, "video")
		return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
	case "/dev/v4l/by-id/", "/dev/v4l/by-path/":
		return name != ""
	}
	return false
}

// isWebAddress tells whether s is the address of a camera on the network. It may hold a name and a password.
func isWebAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && len(s) <= 1024 && (u.Scheme == "http" || u.Scheme == "https") && u.Hostname() != "" && u.Fragment == ""
}

// IsFolder tells whether device is a folder of recorded frames, which is for the configuration only.
func IsFolder(device string) bool { return kindOf(device) == kindFrames }

// Shown is a device as it may be shown and logged: without the password of a camera on the network, also where that stands behind the question mark.
func Shown(device string) string {
	u, err := url.Parse(device)
	kind := kindOf(device)
	if kind == kindUnknown { // mostly an address with a slip in it, such as a # in its password
		if at := strings.LastIndexByte(device, '@'); at >= 0 {
			device = "xxxxx" + device[at:]
		}
		if before, _, ok := strings.Cut(device, "?"); ok {
			device = before + "?xxxxx"
		}
	}
	if err != nil || kind != kindWeb {
		return device
	}
	u.RawQuery = queryPart.ReplaceAllStringFunc(u.RawQuery, func(q string) string {
		if key, _, _ := strings.Cut(q, "="); isSecret(key) {
			return key + "=xxxxx"
		}
		return q
	})
	return u.Redacted()
}

// queryPart is a key and its value; some cameras take a semicolon between them.
var queryPart = regexp.MustCompile(`[^&;]+`)

// isSecret tells whether a key of a query stands before a password, as cameras name it.
func isSecret(key string) bool {
	key = strings.ToLower(key)
	return key == "p" || slices.ContainsFunc([]string{"pwd", "pass", "psw", "psk", "token", "key", "auth", "secret"}, func(s string) bool { return strings.Contains(key, s) })
}

// WithSecret is s with the password that had has, if s is the same address as it was shown.
func (s Settings) WithSecret(had Settings) Settings {
	if s.Device != had.Device && s.Device == Shown(had.Device) {
		s.Device = had.Device
	}
	return s
}

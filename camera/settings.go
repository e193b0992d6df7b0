package camera

import (
	"errors"
	"fmt"
	"path"
	"strings"
)

// The values of Settings.Device that are not paths.
const (
	deviceNone      = "none"
	deviceSimulated = "simulated"
)

// Limits of Settings. A side of 8192 pixels is also the most that a frame may have.
const (
	minSide = 16
	maxSide = 8192
	maxFPS  = 120
)

// Errors of Set.
var (
	ErrSettings = errors.New("camera settings")                                         // the message names the field and what is allowed
	ErrLocked   = errors.New("camera settings are fixed by the configuration")          // change them where they were made
	ErrStopped  = errors.New("camera has stopped")                                      // the daemon is ending
	errNoDemo   = fmt.Errorf("%w: device %q is for the demo", ErrSettings, "simulated") // nothing to simulate
)

// Validate says what is wrong with s; the error wraps ErrSettings. Devices are limited to video nodes, since settings may
// come from a page: nobody shall have layerd open any other file.
func (s Settings) Validate() error {
	switch s.Device {
	case "", deviceNone, deviceSimulated:
	default:
		if !isVideoNode(s.Device) {
			return fmt.Errorf("%w: device %.100q: want \"\", none, /dev/video… or /dev/v4l/by-id/…", ErrSettings, s.Device)
		}
	}
	if (s.Width == 0) != (s.Height == 0) {
		return fmt.Errorf("%w: width %d and height %d: give both, or neither", ErrSettings, s.Width, s.Height)
	}
	if s.Width != 0 && (s.Width < minSide || s.Width > maxSide || s.Height < minSide || s.Height > maxSide) {
		return fmt.Errorf("%w: %dx%d pixels: want %d to %d each, or 0", ErrSettings, s.Width, s.Height, minSide, maxSide)
	}
	if s.FPS < 0 || s.FPS > maxFPS {
		return fmt.Errorf("%w: fps %d: want 0 to %d", ErrSettings, s.FPS, maxFPS)
	}
	return nil
}

// allowed is Validate and what depends on this daemon.
func (c *Camera) allowed(s Settings) error {
	if err := s.Validate(); err != nil {
		return err
	}
	if s.Device == deviceSimulated && c.cfg.Simulated == nil {
		return errNoDemo
	}
	return nil
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

package camera

import (
	"errors"
	"fmt"
)

// Limits of Settings. A side of 8192 pixels is also the most that a frame may have.
const (
	minSide = 16
	maxSide = 8192
	maxFPS  = 120
)

// Errors of Set.
var (
	ErrSettings = errors.New("camera settings")    // the message names the field and what is allowed
	ErrStopped  = errors.New("camera has stopped") // the daemon is ending
	errNoDemo   = fmt.Errorf("%w: there is nothing to simulate", ErrSettings)
)

// Validate says what is wrong with s; the error wraps ErrSettings. Devices are limited to what is a camera, since settings may
// come from a page: nobody shall have layerd open any other file.
func (s Settings) Validate() error {
	if kindOf(s.Device) == kindUnknown {
		return fmt.Errorf("%w: device %.100q: want \"\", none, /dev/video…, /dev/v4l/by-id/…, rpicam:0, http://…, or frames:/…", ErrSettings, Shown(s.Device))
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
	if s.Rotate < 0 || s.Rotate > 270 || s.Rotate%90 != 0 {
		return fmt.Errorf("%w: rotate %d: want 0, 90, 180 or 270", ErrSettings, s.Rotate)
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

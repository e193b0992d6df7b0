package camera

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxCameras is how many cameras a Rig takes. A USB 2 bus has room for three or four.
const MaxCameras = 8

// Setup is one camera as a person has set it up.
type Setup struct {
	ID   int    `json:"id"`   // names it among the others, 0 to MaxCameras-1
	Name string `json:"name"` // for people; "" = what the device calls itself
	Settings
	Controls map[string]int64 `json:"controls"` // what is not as the camera has it by itself, by Control.ID; never changed once it is set
}

const maxName = 40 // runes

// Validate says what is wrong with s; the error wraps ErrSettings.
func (s Setup) Validate() error {
	if s.ID < 0 || s.ID >= MaxCameras {
		return fmt.Errorf("%w: id %d: want 0 to %d", ErrSettings, s.ID, MaxCameras-1)
	}
	if utf8.RuneCountInString(s.Name) > maxName || !utf8.ValidString(s.Name) || strings.ContainsFunc(s.Name, unicode.IsControl) {
		return fmt.Errorf("%w: a name has at most %d letters", ErrSettings, maxName)
	}
	if len(s.Controls) > maxControls {
		return fmt.Errorf("%w: %d controls: want at most %d", ErrSettings, len(s.Controls), maxControls)
	}
	return s.Settings.Validate()
}

// Control is something about a camera that can be adjusted while it runs: brightness, exposure, focus.
type Control struct {
	ID       string   `json:"id"`   // lasting, such as "exposure_time_absolute"
	Name     string   `json:"name"` // for people
	Kind     string   `json:"kind"` // "number", "switch" (0 or 1), "choice"
	Min      int64    `json:"min"`
	Max      int64    `json:"max"`
	Step     int64    `json:"step"`
	Default  int64    `json:"default"`
	Value    int64    `json:"value"`
	Choices  []Choice `json:"choices"`  // of a "choice", else empty
	Inactive bool     `json:"inactive"` // has no effect now: another control, such as automatic exposure, is in charge
}

// Choice is one value of a Control.
type Choice struct {
	Value int64  `json:"value"`
	Name  string `json:"name"`
}

const maxControls = 100

// Adjustable is a Source with controls. Both methods may be called at any time from any goroutine, and neither waits for the device.
type Adjustable interface {
	Source
	// Controls are those that the device has shown last; none before it was opened.
	Controls() []Control
	// Adjust says what the controls shall be; those that an earlier call named and this one does not, as the device has them by itself. The
	// newest word counts: it is obeyed before the next picture, and each time the device is opened. Unknown ones are ignored, and values put
	// within their bounds.
	Adjust(wanted map[string]int64)
}

// Controls are what can be adjusted at the camera now, nothing while it is not there.
func (c *Camera) Controls() []Control {
	source, _ := c.source.Get()
	if a, ok := source.(Adjustable); ok {
		return a.Controls()
	}
	return []Control{}
}

// adjust passes on what the controls shall be.
func (o *owner) adjust() {
	source, _ := o.c.source.Get()
	if a, ok := source.(Adjustable); ok {
		a.Adjust(o.setup.Controls)
	}
}

// remember keeps what the controls of this device were before to, for a source that does not run now or is about to be another.
func (o *owner) remember(from, to Setup) {
	if to.Device != from.Device {
		o.once = nil
		return
	}
	once := map[string]int64{}
	for _, had := range []map[string]int64{from.Controls, o.once} {
		for id, v := range had {
			if len(once) < 2*maxControls {
				once[id] = v
			}
		}
	}
	o.once = once
}

package octofolder

import (
	"cmp"
	"errors"
	"math"
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What the files of settings say. YAML of another form than expected is taken as far as it is understood: one odd value is no reason to lose the rest.

// Profile is a printer. Lengths are mm; speeds, which OctoPrint has in mm/min, mm/s.
type Profile struct {
	ID, Name                   string
	WidthMM, DepthMM, HeightMM float64
	Round, Centred             bool // the bed is a circle; X0 Y0 is in its middle
	Custom                     bool // the head's room is another than the bed: OctoPrint's custom box
	Nozzles                    int
	SharedNozzle               bool
	OffsetsMM                  [][2]float64 // of each tool, X and Y
	NozzleMM                   float64
	HeatedBed, HeatedChamber   bool
	TravelMMS, LiftMMS         float64
	Inverted                   []string // axes that OctoPrint turns round when it jogs
}

// Camera is the webcam.
type Camera struct {
	Stream, Snapshot         string // addresses; "" none
	FlipH, FlipV, Rotate90CC bool   // turned by 90° against the clock, after the flips
}

// Preset is a set of temperatures, °C; 0 is off.
type Preset struct {
	Name                string
	NozzleC, BedC, ChmC float64
}

// Script is G-code for a moment of a print, by OctoPrint's name of it.
type Script struct {
	Name, Text string
	Plain      bool // else it is Jinja
}

// Person is somebody with an account.
type Person struct {
	Name   string
	Admin  bool
	Active bool
}

// Key is a program's, or an API key that somebody has given to several.
type Key struct {
	App    string // "" of an API key
	User   string // whose it is; "" of the one that all have
	Secret string
}

type camera struct {
	Stream   string `yaml:"stream"`
	Snapshot string `yaml:"snapshot"`
	FlipH    bool   `yaml:"flipH"`
	FlipV    bool   `yaml:"flipV"`
	Rotate90 bool   `yaml:"rotate90"`
}

// decode reads a YAML file. The library refuses documents that grow by their own references.
func (r *reading) decode(name string, into any) bool {
	text := r.text(name, maxText)
	if text == nil {
		return false
	}
	err := yaml.Unmarshal(text, into)
	var some *yaml.TypeError
	switch {
	case errors.As(err, &some): // the rest was read
		r.odd("%s: a part of it is not of the form that is expected", name)
	case err != nil:
		r.odd("%s: %v", name, err)
		return false
	}
	return true
}

func (r *reading) config() {
	var c struct {
		Serial struct {
			Port     string `yaml:"port"`
			Baudrate any    `yaml:"baudrate"`
		} `yaml:"serial"`
		Profiles struct {
			Default string `yaml:"default"`
		} `yaml:"printerProfiles"`
		Temperature struct {
			Profiles []struct {
				Name     string  `yaml:"name"`
				Extruder float64 `yaml:"extruder"`
				Bed      float64 `yaml:"bed"`
				Chamber  float64 `yaml:"chamber"`
			} `yaml:"profiles"`
		} `yaml:"temperature"`
		Webcam  camera `yaml:"webcam"` // before 1.9
		Plugins struct {
			Webcam camera `yaml:"classicwebcam"`
		} `yaml:"plugins"`
		API struct {
			Key string `yaml:"key"`
		} `yaml:"api"`
		Folder struct {
			Uploads string `yaml:"uploads"`
		} `yaml:"folder"`
	}
	if !r.decode("config.yaml", &c) {
		return
	}
	if c.Serial.Port != "AUTO" {
		r.found.Port = plain(c.Serial.Port, 4*shown)
	}
	if baud, ok := c.Serial.Baudrate.(int); ok && baud > 0 {
		r.found.Baud = baud
	}
	r.found.Used = c.Profiles.Default
	r.key(Key{Secret: c.API.Key})
	for _, p := range c.Temperature.Profiles {
		if len(r.found.Presets) < maxOthers {
			r.found.Presets = append(r.found.Presets, Preset{plain(p.Name, shown), p.Extruder, p.Bed, p.Chamber})
		}
	}
	cam := c.Plugins.Webcam
	if cam == (camera{}) {
		cam = c.Webcam
	}
	if cam != (camera{}) {
		r.found.Camera = &Camera{cam.Stream, cam.Snapshot, cam.FlipH, cam.FlipV, cam.Rotate90}
	}
	if c.Folder.Uploads != "" {
		r.odd("its uploads are in another folder, %s: copy them into uploads, or upload them on the page", c.Folder.Uploads)
	}
}

func (r *reading) profiles() {
	for _, name := range r.names("printerProfiles") {
		if path.Ext(name) != ".profile" {
			continue
		}
		var p struct {
			ID     string `yaml:"id"`
			Name   string `yaml:"name"`
			Volume struct {
				Width      float64 `yaml:"width"`
				Depth      float64 `yaml:"depth"`
				Height     float64 `yaml:"height"`
				FormFactor string  `yaml:"formFactor"`
				Origin     string  `yaml:"origin"`
				CustomBox  any     `yaml:"custom_box"` // false, or a map
			} `yaml:"volume"`
			Extruder struct {
				Count        int         `yaml:"count"`
				Offsets      [][]float64 `yaml:"offsets"`
				Nozzle       float64     `yaml:"nozzleDiameter"`
				SharedNozzle bool        `yaml:"sharedNozzle"`
			} `yaml:"extruder"`
			HeatedBed     bool `yaml:"heatedBed"`
			HeatedChamber bool `yaml:"heatedChamber"`
			Axes          map[string]struct {
				Speed    float64 `yaml:"speed"` // mm/min
				Inverted bool    `yaml:"inverted"`
			} `yaml:"axes"`
		}
		if !r.decode("printerProfiles/"+name, &p) {
			continue
		}
		out := Profile{ID: cmp.Or(p.ID, strings.TrimSuffix(name, ".profile")), Name: plain(p.Name, shown), WidthMM: p.Volume.Width, DepthMM: p.Volume.Depth, HeightMM: p.Volume.Height,
			Round: p.Volume.FormFactor == "circular", Centred: p.Volume.Origin == "center", Nozzles: p.Extruder.Count, SharedNozzle: p.Extruder.SharedNozzle,
			NozzleMM: p.Extruder.Nozzle, HeatedBed: p.HeatedBed, HeatedChamber: p.HeatedChamber, LiftMMS: p.Axes["z"].Speed / 60}
		_, out.Custom = p.Volume.CustomBox.(map[string]any)
		out.TravelMMS = math.Min(p.Axes["x"].Speed, p.Axes["y"].Speed) / 60
		for _, axis := range []string{"x", "y", "z"} {
			if p.Axes[axis].Inverted {
				out.Inverted = append(out.Inverted, strings.ToUpper(axis))
			}
		}
		for _, offset := range p.Extruder.Offsets {
			if len(offset) == 2 && len(out.OffsetsMM) < maxOthers {
				out.OffsetsMM = append(out.OffsetsMM, [2]float64{offset[0], offset[1]})
			}
		}
		r.found.Profiles = append(r.found.Profiles, out)
	}
}

func (r *reading) scripts() {
	for _, name := range r.names("scripts/gcode") {
		text := string(r.text("scripts/gcode/"+name, maxText))
		if strings.TrimSpace(text) == "" {
			continue
		}
		jinja := strings.Contains(text, "{{") || strings.Contains(text, "{%") || strings.Contains(text, "{#")
		r.found.Scripts = append(r.found.Scripts, Script{plain(name, shown), text, !jinja})
	}
}

func (r *reading) people() {
	var all map[string]yaml.Node // beside them is _version
	if !r.decode("users.yaml", &all) {
		return
	}
	for name, node := range all {
		var p struct {
			Active bool     `yaml:"active"`
			APIKey string   `yaml:"apikey"`
			Groups []string `yaml:"groups"`
			Roles  []string `yaml:"roles"`
		}
		if node.Kind != yaml.MappingNode || node.Decode(&p) != nil || len(r.found.People) >= maxOthers {
			continue
		}
		admin := slices.Contains(p.Groups, "admins") || slices.Contains(p.Roles, "admin")
		r.found.People = append(r.found.People, Person{Name: plain(name, shown), Admin: admin, Active: p.Active})
		r.prints[name] = p.Active && (admin || slices.Contains(p.Groups, "users") || slices.Contains(p.Roles, "user"))
		r.keyOf(name, Key{User: plain(name, shown), Secret: p.APIKey})
	}
	slices.SortFunc(r.found.People, func(a, b Person) int { return cmp.Compare(a.Name, b.Name) })
}

// keyOf takes the key of somebody who may print. Who was locked out, or may only look, shall not come to more by it.
func (r *reading) keyOf(name string, k Key) {
	if r.prints[name] {
		r.key(k)
	} else if k.Secret != "" {
		r.odd("a key of %s: OctoPrint does not let them in, or lets them do less than print; make another in Settings, Keys, if they shall have one", name)
	}
}

func (r *reading) key(k Key) {
	if k.Secret != "" && len(r.found.Keys) < maxOthers {
		r.found.Keys = append(r.found.Keys, k)
	}
}

func (r *reading) keys() {
	var all map[string][]struct {
		App    string `yaml:"app_id"`
		Secret string `yaml:"api_key"`
	}
	if !r.decode("data/appkeys/keys.yaml", &all) {
		return
	}
	for user, keys := range all {
		for _, k := range keys {
			r.keyOf(user, Key{App: plain(k.App, shown), User: plain(user, shown), Secret: k.Secret})
		}
	}
	slices.SortFunc(r.found.Keys, func(a, b Key) int { return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.App, b.App)) })
}

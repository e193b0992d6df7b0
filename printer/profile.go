package printer

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Profile is what a person tells us of the machine. All lengths are mm, temperatures °C.
type Profile struct {
	Name          string  `json:"name"`
	WidthMM       float64 `json:"width_mm"`      // X
	DepthMM       float64 `json:"depth_mm"`      // Y
	HeightMM      float64 `json:"height_mm"`     // Z
	Bed           string  `json:"bed"`           // "rectangle" or "circle"
	Origin        string  `json:"origin"`        // where X0 Y0 is: "corner" or "center"
	Kinematics    string  `json:"kinematics"`    // "cartesian", "corexy" or "delta", which homes all axes at once
	Nozzles       int     `json:"nozzles"`       // tools, T0 and so on; each has a nozzle, unless they share one
	SharedNozzle  bool    `json:"shared_nozzle"` // the tools push their filaments, one at a time, into one nozzle with one heater
	Mixing        bool    `json:"mixing"`        // they push them into it together
	Tools         []Tool  `json:"tools"`         // from T0 on, at most Nozzles; one that is not listed has no offset
	NozzleMM      float64 `json:"nozzle_mm"`     // diameter
	HeatedBed     bool    `json:"heated_bed"`
	HeatedChamber bool    `json:"heated_chamber"`
	MaxNozzleC    float64 `json:"max_nozzle_c"`
	MaxBedC       float64 `json:"max_bed_c"`
	MaxChamberC   float64 `json:"max_chamber_c"`
	ParkXMM       float64 `json:"park_x_mm"`
	ParkYMM       float64 `json:"park_y_mm"`
	LiftMM        float64 `json:"lift_mm"`     // how far to lift when parking
	RetractMM     float64 `json:"retract_mm"`  // how much filament to pull back when parking
	TravelMMS     float64 `json:"travel_mm_s"` // speed of parking and jogging in X and Y
	LiftMMS       float64 `json:"lift_mm_s"`   // in Z
	ExtrudeMMS    float64 `json:"extrude_mm_s"`
	MinExtrudeC   float64 `json:"min_extrude_c"` // below it nothing is extruded or retracted
}

// Tool is where a tool's nozzle stands beside the first one's, as the firmware has it (Marlin's HOTEND_OFFSET and M218). The firmware moves by it at a
// tool change; so the nozzle's place that it reports reaches as much farther, and less far on the other side.
type Tool struct {
	XMM float64 `json:"x_mm"`
	YMM float64 `json:"y_mm"`
}

// Presets are the profiles to choose from; the first is the default. Sizes are the makers', as slicers' profiles have them too. Limits of temperature
// are no more than the stock hot end bears for long.
func Presets() []Profile {
	base := Profile{Name: "Generic 220 × 220 × 250", WidthMM: 220, DepthMM: 220, HeightMM: 250, Bed: "rectangle", Origin: "corner", Kinematics: "cartesian",
		Nozzles: 1, Tools: []Tool{}, NozzleMM: 0.4, HeatedBed: true, MaxNozzleC: 260, MaxBedC: 110, MaxChamberC: 60, ParkXMM: 5, ParkYMM: 210,
		LiftMM: 10, RetractMM: 2, TravelMMS: 100, LiftMMS: 8, ExtrudeMMS: 3, MinExtrudeC: 170}
	like := func(name string, width, depth, height float64, change ...func(*Profile)) Profile {
		p := base
		p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.ParkYMM = name, width, depth, height, depth-10
		p.Tools = []Tool{}
		for _, f := range change {
			f(&p)
		}
		return p
	}
	upTo := func(nozzleC, bedC float64) func(*Profile) {
		return func(p *Profile) { p.MaxNozzleC, p.MaxBedC = nozzleC, bedC }
	}
	return []Profile{base,
		like("Creality Ender-3, Pro, V2, Neo", 220, 220, 250),
		like("Creality Ender-3 S1", 220, 220, 270),
		like("Creality Ender-3 Max", 300, 300, 340),
		like("Creality CR-10", 300, 300, 400),
		like("Prusa i3 MK3", 250, 210, 210, upTo(290, 120)),
		like("Prusa MINI", 180, 180, 180, upTo(280, 100)),
		like("Anycubic Kobra", 220, 220, 250),
		like("Anycubic i3 Mega", 210, 210, 205),
		like("Generic CoreXY 300", 300, 300, 300, func(p *Profile) { p.Kinematics = "corexy" }),
		like("Generic delta 200", 200, 200, 250, func(p *Profile) {
			p.Kinematics, p.Bed, p.Origin, p.ParkXMM, p.ParkYMM = "delta", "circle", "center", 0, 80
		}),
	}
}

// Whole fills in what a profile from before a key was there lacks: a round bed around the origin was a delta's.
func (p Profile) Whole() Profile {
	if p.Kinematics == "" {
		p.Kinematics = "cartesian"
		if p.Bed == "circle" && p.Origin == "center" {
			p.Kinematics = "delta"
		}
	}
	p.SharedNozzle = p.SharedNozzle || p.Mixing
	p.Tools = append([]Tool{}, p.Tools...) // never null in JSON, and nobody else's
	return p
}

// shares reports whether the tools have one nozzle together.
func (p Profile) shares() bool { return p.SharedNozzle || p.Mixing }

// heaters is how many nozzles can be heated.
func (p Profile) heaters() int {
	if p.shares() {
		return 1
	}
	return p.Nozzles
}

// Check names the first value that makes no sense.
func (p Profile) Check() error {
	between := func(name string, v, low, high float64) error {
		if !(v >= low && v <= high) { // also catches NaN
			return fmt.Errorf("%s is %g, allowed is %g to %g", name, v, low, high)
		}
		return nil
	}
	minX, maxX, minY, maxY := p.area()
	err := errors.Join(p.checkTools(between),
		between("width_mm", p.WidthMM, 10, 5000), between("depth_mm", p.DepthMM, 10, 5000), between("height_mm", p.HeightMM, 10, 5000),
		between("nozzles", float64(p.Nozzles), 1, 16), between("nozzle_mm", p.NozzleMM, 0.05, 5),
		between("max_nozzle_c", p.MaxNozzleC, 0, 500), between("max_bed_c", p.MaxBedC, 0, 250), between("max_chamber_c", p.MaxChamberC, 0, 150),
		between("park_x_mm", p.ParkXMM, minX, maxX), between("park_y_mm", p.ParkYMM, minY, maxY),
		between("lift_mm", p.LiftMM, 0, 100), between("retract_mm", p.RetractMM, 0, 50),
		between("travel_mm_s", p.TravelMMS, 1, 1000), between("lift_mm_s", p.LiftMMS, 0.1, 500), between("extrude_mm_s", p.ExtrudeMMS, 0.1, 100),
		between("min_extrude_c", p.MinExtrudeC, 0, 500))
	switch {
	case err != nil:
	case len(p.Name) == 0 || len(p.Name) > 80:
		err = errors.New("name must have 1 to 80 bytes")
	case p.Bed != "rectangle" && p.Bed != "circle":
		err = fmt.Errorf("bed is %q, allowed are rectangle and circle", p.Bed)
	case p.Origin != "corner" && p.Origin != "center":
		err = fmt.Errorf("origin is %q, allowed are corner and center", p.Origin)
	case !slices.Contains([]string{"", "cartesian", "corexy", "delta"}, p.Kinematics):
		err = fmt.Errorf("kinematics is %q, allowed are cartesian, corexy and delta", p.Kinematics)
	case p.Mixing && p.Nozzles < 2:
		err = errors.New("mixing takes at least 2 nozzles: as many as there are filaments")
	case len(p.Tools) > p.Nozzles:
		err = fmt.Errorf("tools has %d places, and there are %d nozzles", len(p.Tools), p.Nozzles)
	case p.Bed == "circle" && math.Hypot(p.ParkXMM-(minX+maxX)/2, p.ParkYMM-(minY+maxY)/2) > p.radius():
		err = fmt.Errorf("park_x_mm %g and park_y_mm %g are off the circle", p.ParkXMM, p.ParkYMM)
	}
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
}

func (p Profile) checkTools(between func(name string, v, low, high float64) error) (err error) {
	for i, t := range p.Tools {
		err = errors.Join(err, between(fmt.Sprintf("x_mm of tool %d", i), t.XMM, -500, 500), between(fmt.Sprintf("y_mm of tool %d", i), t.YMM, -500, 500))
	}
	return err
}

// area is the box that the head may move in, in the firmware's coordinates.
func (p Profile) area() (minX, maxX, minY, maxY float64) {
	if p.Origin == "center" {
		return -p.WidthMM / 2, p.WidthMM / 2, -p.DepthMM / 2, p.DepthMM / 2
	}
	return 0, p.WidthMM, 0, p.DepthMM
}

// radius is a round bed's, in mm.
func (p Profile) radius() float64 { return math.Min(p.WidthMM, p.DepthMM) / 2 }

// span is how far axis (0 to 2) may go when the head is at, with that tool: on a round bed that depends on the other axis, and a tool beside the
// first one does not reach all of the bed.
func (p Profile) span(axis int, at Position, tool int) (low, high float64) {
	minX, maxX, minY, maxY := p.area()
	low, high = []float64{minX, minY, 0}[axis], []float64{maxX, maxY, p.HeightMM}[axis]
	if p.Bed == "circle" && axis < 2 {
		x, y := (minX+maxX)/2, (minY+maxY)/2
		middle, off := x, at.YMM-y
		if axis == 1 {
			middle, off = y, at.XMM-x
		}
		half := math.Sqrt(math.Max(p.radius()*p.radius()-off*off, 0))
		low, high = middle-half, middle+half
	}
	if axis < 2 && tool < len(p.Tools) {
		by := []float64{p.Tools[tool].XMM, p.Tools[tool].YMM}[axis]
		low, high = math.Min(low+math.Max(by, 0), high), math.Max(high+math.Min(by, 0), low)
	}
	return low, high
}

// park is where to park with that tool, mm.
func (p Profile) park(tool int) (x, y float64) {
	x, y = p.ParkXMM, p.ParkYMM
	if tool < len(p.Tools) && p.Tools[tool] != (Tool{}) {
		at := Position{XMM: x, YMM: y}
		low, high := p.span(0, at, tool)
		x = math.Min(math.Max(x, low), high)
		low, high = p.span(1, at, tool)
		y = math.Min(math.Max(y, low), high)
	}
	return x, y
}

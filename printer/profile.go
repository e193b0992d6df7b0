package printer

import (
	"errors"
	"fmt"
	"math"
)

// Profile is what a person tells us of the machine. All lengths are mm, temperatures °C.
type Profile struct {
	Name          string  `json:"name"`
	WidthMM       float64 `json:"width_mm"`  // X
	DepthMM       float64 `json:"depth_mm"`  // Y
	HeightMM      float64 `json:"height_mm"` // Z
	Bed           string  `json:"bed"`       // "rectangle" or "circle"
	Origin        string  `json:"origin"`    // where X0 Y0 is: "corner" or "center"
	Nozzles       int     `json:"nozzles"`
	NozzleMM      float64 `json:"nozzle_mm"` // diameter
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

// Presets are the profiles to choose from; the first is the default.
func Presets() []Profile {
	base := Profile{Name: "Generic 220 × 220 × 250", WidthMM: 220, DepthMM: 220, HeightMM: 250, Bed: "rectangle", Origin: "corner",
		Nozzles: 1, NozzleMM: 0.4, HeatedBed: true, MaxNozzleC: 260, MaxBedC: 110, MaxChamberC: 60, ParkXMM: 5, ParkYMM: 210,
		LiftMM: 10, RetractMM: 2, TravelMMS: 100, LiftMMS: 8, ExtrudeMMS: 3, MinExtrudeC: 170}
	with := func(change func(*Profile)) Profile { p := base; change(&p); return p }
	return []Profile{base,
		with(func(p *Profile) { p.Name = "Creality Ender-3" }),
		with(func(p *Profile) {
			p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.ParkYMM = "Creality CR-10", 300, 300, 400, 290
		}),
		with(func(p *Profile) {
			p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.ParkYMM, p.MaxNozzleC, p.MaxBedC = "Prusa i3 MK3", 250, 210, 210, 200, 290, 120
		}),
		with(func(p *Profile) {
			p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.ParkYMM, p.MaxNozzleC, p.MaxBedC = "Prusa MINI", 180, 180, 180, 170, 280, 100
		}),
		with(func(p *Profile) {
			p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.ParkYMM = "Anycubic Mega / Kobra", 210, 210, 205, 200
		}),
		with(func(p *Profile) {
			p.Name, p.WidthMM, p.DepthMM, p.HeightMM, p.Bed, p.Origin, p.ParkXMM, p.ParkYMM = "Generic delta 200", 200, 200, 250, "circle", "center", 0, 80
		}),
	}
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
	err := errors.Join(
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
	case p.Bed == "circle" && math.Hypot(p.ParkXMM-(minX+maxX)/2, p.ParkYMM-(minY+maxY)/2) > p.radius():
		err = fmt.Errorf("park_x_mm %g and park_y_mm %g are off the circle", p.ParkXMM, p.ParkYMM)
	}
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return nil
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

// span is how far axis (0 to 2) may go when the head is at: on a round bed that depends on the other axis.
func (p Profile) span(axis int, at Position) (low, high float64) {
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
	return low, high
}

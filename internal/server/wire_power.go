package server

import "layerd/internal/power"

// PowerState is what every page knows of the switch for the printer's power.
type PowerState struct {
	On         power.State `json:"on"`          // "on", "off", "unknown"
	Told       bool        `json:"told"`        // it cannot be asked: on is what it was told last
	Problem    string      `json:"problem"`     // why it is unknown, for people; "" nothing
	After      power.Phase `json:"after"`       // where going off by itself stands: "", "print", "cooling", "counting"
	OffMS      int64       `json:"off_ms"`      // while counting: when it goes off; else 0
	Why        string      `json:"why"`         // why it did not go off by itself, for people; "" nothing
	AfterPrint bool        `json:"after_print"` // prints for which nothing is chosen end so
	CoolC      float64     `json:"cool_c"`      // below it nozzles are cool
}

// PowerAnswer is the answer of GET /v1/power. Passwords are not in it.
type PowerAnswer struct {
	Settings        power.Settings `json:"settings"`
	HasPassword     bool           `json:"has_password"`
	Lamp            power.Way      `json:"lamp"`
	LampHasPassword bool           `json:"lamp_has_password"`
	Chips           []power.Chip   `json:"chips"`         // the GPIO chips of this machine
	ChipsProblem    string         `json:"chips_problem"` // why some could not be looked at, "" nothing
	Machine         MachineCan     `json:"machine"`
}

// MachineCan says which of the commands reboot, shutdown and restart somebody would hear.
type MachineCan struct {
	Reboot   bool `json:"reboot"`
	Shutdown bool `json:"shutdown"`
	Restart  bool `json:"restart"`
}

// PowerTried is the answer of POST /v1/power/try, whose body is a way as of set_power.
type PowerTried struct {
	On      power.State `json:"on"`
	Said    string      `json:"said"`    // by the plug, in its own words; "" nothing
	Problem string      `json:"problem"` // "" it answered
}

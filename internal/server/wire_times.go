package server

// LayerTimes is the answer of GET /v1/layers: the layers and pauses of the file of the print under way; none without one.
type LayerTimes struct {
	Job    string      `json:"job"`
	Layers []LayerTime `json:"layers"`
	Pauses []FilePause `json:"pauses"`
}

// LayerTime is when a layer ends: job.left_s - job.rate * rest_s - job.cruise_rate * cruise_s from now.
type LayerTime struct {
	ZMM     float64 `json:"z_mm"`     // 0 unknown
	CruiseS float64 `json:"cruise_s"` // what the file has to go then, in its own time: at the speed that it asks for …
	RestS   float64 `json:"rest_s"`   // … and speeding up and slowing down
	EndMS   int64   `json:"end_ms"`   // when it ends, as it was foreseen when this was asked; 0 = it has ended, or cannot be told
}

// FilePause is where the file itself waits for a person. When the print comes to it is told by CruiseS and RestS, as of a LayerTime.
type FilePause struct {
	Kind    string  `json:"kind"`    // of a gcode.Pause: "pause" or "filament"
	Text    string  `json:"command"` // a stranger's text
	Layer   int     `json:"layer"`   // that it is in, from 1; 0 = before the first
	ZMM     float64 `json:"z_mm"`    // 0 unknown
	AtS     float64 `json:"at_s"`    // how long the file has printed by then, in its own time
	Percent float64 `json:"percent"` // of the job that is done there, as in JobStatus
	CruiseS float64 `json:"cruise_s"`
	RestS   float64 `json:"rest_s"`
}

// FileTimes is the answer of GET /v1/times/PATH: how long a file prints, and where it waits for a person meanwhile.
type FileTimes struct {
	TimeS       float64     `json:"time_s"`        // by our own model: motion and dwell
	HeatS       float64     `json:"heat_s"`        // besides: warming up and homing, roughly
	SlicerTimeS float64     `json:"slicer_time_s"` // what the slicer says; 0 nothing
	LimitsBy    string      `json:"limits_by"`     // whose limits of speed and acceleration the model took: a gcode.Limits' By
	LimitsLate  bool        `json:"limits_late"`   // the file has limits, and they came too late to be reckoned with
	Pauses      []FilePause `json:"pauses"`
}

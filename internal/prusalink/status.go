package prusalink

import (
	"math"
	"net/http"
	"strconv"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/printer"
)

// Status is the answer to /api/v1/status, which apps poll.
type Status struct {
	Job     *StatusJob    `json:"job,omitempty"`
	Printer StatusPrinter `json:"printer"`
	Storage StatusStorage `json:"storage"`
	Camera  *StatusCamera `json:"camera,omitempty"`
}

// StatusJob is how far the print under way is.
type StatusJob struct {
	ID            int64   `json:"id"`
	Progress      float64 `json:"progress"`                 // percent
	TimeRemaining *int    `json:"time_remaining,omitempty"` // seconds; absent when unknown
	TimePrinting  int     `json:"time_printing"`
}

// StatusPrinter is what the printer does, and how hot it is. What has not been reported is absent.
type StatusPrinter struct {
	State         string   `json:"state"`
	TempNozzle    *float64 `json:"temp_nozzle,omitempty"`
	TargetNozzle  *float64 `json:"target_nozzle,omitempty"`
	TempBed       *float64 `json:"temp_bed,omitempty"`
	TargetBed     *float64 `json:"target_bed,omitempty"`
	AxisX         *float64 `json:"axis_x,omitempty"` // not while it prints
	AxisY         *float64 `json:"axis_y,omitempty"`
	AxisZ         *float64 `json:"axis_z,omitempty"`
	Flow          int      `json:"flow"`
	Speed         int      `json:"speed"`
	FanHotend     int      `json:"fan_hotend"` // revolutions a minute, which nobody reports: 0
	FanPrint      int      `json:"fan_print"`  // the same
	StatusPrinter *Health  `json:"status_printer,omitempty"`
}

// Health says why something does not work.
type Health struct {
	OK      bool   `json:"ok"`
	Message string `json:"message"`
}

// StatusStorage is where files are.
type StatusStorage struct {
	Name      string `json:"name"`
	Path      string `json:"path"`
	ReadOnly  bool   `json:"read_only"`
	FreeSpace int64  `json:"free_space"`
}

// StatusCamera is the first camera that shows something.
type StatusCamera struct {
	ID string `json:"id"`
}

func (a *API) status(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st := a.s.State(me)
	out := Status{Printer: printerOf(st), Storage: StatusStorage{Name: "LOCAL", Path: "/local", ReadOnly: readOnly(me), FreeSpace: max(st.FreeBytes, 0)}}
	if j := jobOf(st); j != nil {
		out.Job = &StatusJob{ID: j.ID, Progress: j.Progress, TimeRemaining: j.TimeRemaining, TimePrinting: j.TimePrinting}
	}
	for _, c := range st.Cameras {
		if c.Live {
			out.Camera = &StatusCamera{ID: strconv.Itoa(c.ID)}
			break
		}
	}
	a.s.WriteJSON(w, http.StatusOK, out)
	return nil
}

// stateOf is a state in PrusaLink's words. FINISHED and STOPPED stay until the next print begins.
func stateOf(st server.State) string {
	switch st.State {
	case printer.Idle:
		switch {
		case st.LastJob == nil || st.LastJob.EndedMS < st.Connection.SinceMS: // what was before the printer was connected is over
			return "IDLE"
		case st.LastJob.Outcome == "done":
			return "FINISHED"
		}
		return "STOPPED"
	case printer.Starting, printer.Printing, printer.Resuming, printer.Finishing:
		return "PRINTING"
	case printer.Paused: // not before: clients that see it may ask for the print to go on at once
		if st.Fault != nil || st.Prompt != nil {
			return "ATTENTION"
		}
		return "PAUSED"
	case printer.Pausing, printer.Cancelling, printer.Connecting:
		return "BUSY"
	}
	return "ERROR" // halted, faulted, or not connected
}

func printerOf(st server.State) StatusPrinter {
	out := StatusPrinter{State: stateOf(st), Flow: int(math.Round(st.FlowPercent)), Speed: int(math.Round(st.SpeedPercent)), StatusPrinter: &Health{OK: true, Message: "OK"}}
	if len(st.Nozzles) > 0 {
		out.TempNozzle, out.TargetNozzle = &st.Nozzles[0].ActualC, &st.Nozzles[0].TargetC
	}
	if st.Bed != nil {
		out.TempBed, out.TargetBed = &st.Bed.ActualC, &st.Bed.TargetC
	}
	if p := st.Position; p != nil {
		out.AxisZ = &p.ZMM
		if out.State != "PRINTING" {
			out.AxisX, out.AxisY = &p.XMM, &p.YMM
		}
	}
	switch {
	case st.Fault != nil:
		out.StatusPrinter = &Health{Message: st.Fault.Message}
	case st.State == printer.Disconnected:
		out.StatusPrinter = &Health{Message: "The printer is not connected."}
	case st.Halt != nil:
		out.StatusPrinter = &Health{Message: "The printer was stopped in an emergency."}
	}
	return out
}

// Info is the answer to /api/v1/info.
type Info struct {
	MMU               bool    `json:"mmu"`
	Name              string  `json:"name"`
	Location          string  `json:"location"`
	FarmMode          bool    `json:"farm_mode"`
	NozzleDiameter    float64 `json:"nozzle_diameter"`
	MinExtrusionTemp  int     `json:"min_extrusion_temp"`
	Serial            string  `json:"serial"` // what names this printer; the name of the machine, since printers do not tell theirs
	SDReady           bool    `json:"sd_ready"`
	ActiveCamera      bool    `json:"active_camera"`
	Hostname          string  `json:"hostname"`
	Port              string  `json:"port"`
	NetworkErrorChime bool    `json:"network_error_chime"`
}

func (a *API) info(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	st, cfg := a.s.State(me), a.s.Config()
	out := Info{Name: st.Profile.Name, NozzleDiameter: st.Profile.NozzleMM, MinExtrusionTemp: int(math.Round(st.Profile.MinExtrudeC)), Serial: cfg.Host, SDReady: st.Card != nil && st.Card.Present,
		Hostname: cfg.Host, Port: st.Connection.Port}
	for _, c := range st.Cameras {
		out.ActiveCamera = out.ActiveCamera || c.Live
	}
	a.s.WriteJSON(w, http.StatusOK, out)
	return nil
}

// Camera is one of the answer to /api/v1/cameras.
type Camera struct {
	ID        string       `json:"camera_id"`
	Config    CameraConfig `json:"config"`
	Connected bool         `json:"connected"`
	Detected  bool         `json:"detected"`
	Stored    bool         `json:"stored"`
	Linked    bool         `json:"linked"` // to Prusa's cloud: never
}

// CameraConfig is how a camera is set up.
type CameraConfig struct {
	Name       string `json:"name"`
	Driver     string `json:"driver"`
	Resolution string `json:"resolution"`
}

// CameraList is the answer to /api/v1/cameras. The description says that it is a bare list, and the program wraps it.
type CameraList struct {
	Cameras []Camera `json:"camera_list"`
}

func (a *API) cameras(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	list := CameraList{Cameras: []Camera{}}
	for _, c := range a.s.State(me).Cameras {
		size := strconv.Itoa(c.Width) + "x" + strconv.Itoa(c.Height)
		list.Cameras = append(list.Cameras, Camera{ID: strconv.Itoa(c.ID), Config: CameraConfig{Name: c.Name, Driver: "V4L2", Resolution: size}, Connected: c.Live, Detected: true, Stored: true})
	}
	a.s.WriteJSON(w, http.StatusOK, list)
	return nil
}

// snapshot answers /api/v1/cameras/snap and /api/v1/cameras/ID/snap with the newest picture.
func (a *API) snapshot(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	id, ok := strings.CutSuffix(r.PathValue("path"), "/snap")
	if r.PathValue("path") == "snap" {
		id, ok = "", true
	}
	if !ok {
		return server.Refuse("no_route", "")
	}
	n := -1
	if id != "" {
		var err error
		if n, err = strconv.Atoi(id); err != nil || n < 0 {
			return server.Refuse("no_camera", "")
		}
	}
	return a.s.ServeSnapshot(w, n)
}

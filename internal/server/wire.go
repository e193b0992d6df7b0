package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"layerd/camera"
	"layerd/gcode"
	"layerd/internal/access"
	"layerd/internal/guard"
	"layerd/internal/overlay"
	"layerd/internal/power"
	"layerd/internal/store"
	"layerd/internal/timelapse"
	"layerd/printer"
)

// This file holds every message that goes over HTTP and the websockets. Its shapes are golden files in testdata/wire,
// which the TypeScript tests of webui/src/wire.ts read too. docs/PROTOCOL.md describes the conversation.

// State is the answer of GET /v1/state and the state message of the live socket: everything a page shows, in one piece.
// The printer's Snapshot is flattened into it, so "state" is the state's name and "rev" the snapshot's revision.
type State struct {
	Type string `json:"type"` // "state"
	printer.Snapshot
	Cameras       []camera.Status   `json:"cameras"`        // in the order in which they are shown
	Lamp          *LampStatus       `json:"lamp"`           // null = none is set up
	Power         *PowerState       `json:"power"`          // null = no switch is set up
	Preparing     *Preparing        `json:"preparing"`      // a print whose file is being made ready; null = none
	FilesRev      uint64            `json:"files_rev"`      // changes when the list of files did
	SettingsRev   uint64            `json:"settings_rev"`   // changes when profiles, scripts or buttons did
	FreeBytes     int64             `json:"free_bytes"`     // free disk space for files; -1 unknown
	SpoolsRev     uint64            `json:"spools_rev"`     // changes when GET /v1/spools did, but for what a print under way uses
	QueueRev      uint64            `json:"queue_rev"`      // changes when GET /v1/queue did
	Queued        int64             `json:"queued"`         // entries in the queue
	TimelapsesRev uint64            `json:"timelapses_rev"` // changes when GET /v1/timelapses did, but for the frames of a print under way
	Timelapse     TimelapseState    `json:"timelapse"`
	Guard         *guard.State      `json:"guard"`
	Overlay       OverlayState      `json:"overlay"`
	OverlayRev    uint64            `json:"overlay_rev"` // changes when GET /v1/overlay did
	Host          HostState         `json:"host"`        // the machine that layerd runs on
	Asking        []AppRequest      `json:"asking"`      // programs that ask for a key; for owners
	Me            access.Identity   `json:"me"`
	Version       string            `json:"version"`
	NewVersion    bool              `json:"new_version"` // one is installed, and takes over when nothing prints and all is cold; or by restart
	Demo          bool              `json:"demo"`
	Locked        map[string]string `json:"locked"` // settings that come from "file", "environment" or "flag"
	NowMS         int64             `json:"now_ms"` // the server's clock when this was sent
}

// TimelapseState is the recording under way.
type TimelapseState struct {
	ID      string `json:"id"` // "" = nothing is recorded yet
	Frames  int    `json:"frames"`
	LastN   int    `json:"last_n"`  // number of the newest frame
	Step    int    `json:"step"`    // between their numbers
	Problem string `json:"problem"` // why no frames come at the moment, for people; "" nothing
}

// TimelapseList is the answer of GET /v1/timelapses, the newest first.
type TimelapseList struct {
	*timelapse.List
}

// LampStatus is what is known of the lamp at the printer.
type LampStatus struct {
	On bool `json:"on"` // as it was asked for last since layerd was started; off before
}

// ShotsTime is the answer of GET /v1/shots/PATH: how much longer a file prints when it is recorded by layer, estimated.
type ShotsTime struct {
	StillS float64 `json:"still_s"`
	ParkS  float64 `json:"park_s"` // the head goes aside for each frame
}

// Heights is the answer of GET /v1/heights/PATH: the height of each layer of a file, from the first on; 0 unknown.
type Heights struct {
	ZMM []float64 `json:"z_mm"`
}

// ObjectList is the answer of GET /v1/objects/PATH: what a file prints, by its marks.
type ObjectList struct {
	Objects []gcode.Object `json:"objects"` // empty when the file has no marks
}

// ID is a command's, chosen by the client: a JSON string of at most 64 bytes, or a number, which is kept as its text.
type ID string

// UnmarshalJSON reads a string or a number.
func (id *ID) UnmarshalJSON(b []byte) error {
	var number json.Number
	if len(b) > 0 && b[0] != '"' && string(b) != "null" {
		if err := json.Unmarshal(b, &number); err != nil {
			return errors.New("id must be a string or a number")
		}
		*id = ID(number)
	} else if err := json.Unmarshal(b, (*string)(id)); err != nil {
		return err
	}
	if len(*id) > 64 {
		return errors.New("id is longer than 64 bytes")
	}
	return nil
}

// Command is one thing to do, over the live socket or POST /v1/do. Which fields count depends on Do; see the table in commands.go.
type Command struct {
	ID         ID                    `json:"id,omitempty"` // a repeat within ten minutes gets the first answer; over HTTP it may be left out
	Do         string                `json:"do,omitempty"`
	Job        string                `json:"job,omitempty"`         // pause, resume, cancel, skip_object, keep_object: the job that is meant; empty = the one under way
	Object     *int                  `json:"object,omitempty"`      // skip_object, keep_object: its index in GET /v1/objects/PATH
	Prompt     int64                 `json:"prompt,omitempty"`      // answer: the ID of the question that is meant
	Button     *int                  `json:"button,omitempty"`      // answer: from 0; -1 = put it away. press: the button's ID
	Value      *float64              `json:"value,omitempty"`       // press: what the button asks for. set_control
	Name       string                `json:"name,omitempty"`        // choose_profile, rename_profile, delete_profile: the one that is meant. set_control
	File       string                `json:"file,omitempty"`        // start, start_card, delete_file, rename_file, make_folder
	To         string                `json:"to,omitempty"`          // rename_file, rename_profile
	Anyway     bool                  `json:"anyway,omitempty"`      // start: in spite of warnings about the file; resume: in spite of a rehome that did not end well; power: off in spite of heat
	OverLimits bool                  `json:"over_limits,omitempty"` // start: hotter than the profile allows, this once; the owner's alone
	Line       string                `json:"line,omitempty"`        // send: one or more lines, separated by \n; change_setting: one
	Axes       string                `json:"axes,omitempty"`        // home: "xyz", "z"; empty = all. jog: one of x y z
	ByMM       float64               `json:"by_mm,omitempty"`       // jog, extrude, babystep
	ToMM       *float64              `json:"to_mm,omitempty"`       // jog: a place instead, once all axes are homed
	MMS        float64               `json:"mm_s,omitempty"`        // extrude: speed; 0 = the profile's
	Tool       int                   `json:"tool,omitempty"`        // set_nozzle, set_advance, set_spool
	TargetC    *float64              `json:"target_c,omitempty"`    // set_nozzle, set_bed, set_chamber
	Percent    *float64              `json:"percent,omitempty"`     // set_fan, set_speed, set_flow
	Port       string                `json:"port,omitempty"`        // connect; empty = configured or detected
	Baud       int                   `json:"baud,omitempty"`        // connect; 0 = detect
	Profile    *printer.Profile      `json:"profile,omitempty"`     // set_profile, save_profile
	Scripts    printer.Scripts       `json:"scripts,omitzero"`      // set_scripts: all of them
	Groups     []printer.ButtonGroup `json:"groups,omitzero"`       // set_buttons: all of them
	Camera     *camera.Setup         `json:"camera,omitempty"`      // set_camera; its id -1 = another one
	CameraID   *int                  `json:"camera_id,omitempty"`   // remove_camera, set_control
	On         *bool                 `json:"on,omitempty"`          // lamp, power, power_after, set_fit_arcs
	OnLines    *string               `json:"on_lines,omitempty"`    // set_lamp: G-code, as of a button
	OffLines   *string               `json:"off_lines,omitempty"`   // set_lamp; both empty = there is no lamp
	Way        *power.Way            `json:"way,omitempty"`         // set_lamp, in place of lines
	Power      *power.Settings       `json:"power,omitempty"`       // set_power: all of it; an empty password = as before
	PowerOff   *bool                 `json:"power_off,omitempty"`   // start, start_next: the power goes off after it, once all is cool; absent = as set_power says
	Record     *timelapse.Choice     `json:"record,omitempty"`      // start, start_next: how it is recorded; absent = as set_timelapse says
	Stops      []printer.StopAt      `json:"stops,omitempty"`       // start, start_next: where it pauses by itself
	Stop       *printer.StopAt       `json:"stop,omitempty"`        // set_stop; remove_stop: its layer
	Timelapse  *timelapse.Settings   `json:"timelapse,omitempty"`   // set_timelapse: all of it
	Guard      *guard.Settings       `json:"guard,omitempty"`       // set_guard: all of it
	Watch      printer.WatchMode     `json:"watch,omitempty"`       // start, start_next: "off", "tell", "pause"; empty = as set_guard says
	Empty      bool                  `json:"empty,omitempty"`       // guard_setup, guard_drill: nothing lies on the bed
	Corners    [][2]float64          `json:"corners,omitempty"`     // guard_corners: front left, front right, back right, back left, in pixels of GET /v1/guard/bed as it is to be seen
	Cooling    *printer.Cooling      `json:"cooling,omitempty"`     // set_cooling
	Overlay    *overlay.Settings     `json:"overlay,omitempty"`     // set_overlay: all of it
	Secret     string                `json:"secret,omitempty"`      // set_overlay, overlay_login: an auth key
	App        string                `json:"app,omitempty"`         // allow_app, deny_app: the ID of the request that is meant
	Role       string                `json:"role,omitempty"`        // allow_app: of the key; empty = operator
	Spool      *store.SpoolEdit      `json:"spool,omitempty"`       // save_spool
	SpoolID    int64                 `json:"spool_id,omitempty"`    // set_spool; 0 = none
	Entry      int64                 `json:"entry,omitempty"`       // queue_move, queue_copies, queue_remove; start_next: the one that is meant, 0 = the first
	Before     int64                 `json:"before,omitempty"`      // queue_move: the entry that it is put before; 0 = to the end
	Copies     int                   `json:"copies,omitempty"`      // queue_add: 0 = 1; queue_copies

	Factor           *float64 `json:"factor,omitempty"`             // set_advance; in the firmware's own unit, of nozzle Tool
	AccelerationMMS2 *float64 `json:"acceleration_mm_s2,omitempty"` // set_acceleration
	Copy             int64    `json:"copy,omitempty"`               // restore_settings: the ID of the copy
}

// Answer says what became of a Command. Exactly one of Error and Rev is meant.
type Answer struct {
	Type  string `json:"type"` // "answer"
	ID    ID     `json:"id"`
	Rev   uint64 `json:"rev,omitempty"` // revision of the snapshot in which it took effect
	Job   string `json:"job,omitempty"` // start, start_card: the print's ID
	Error *Error `json:"error,omitempty"`
}

// Error is a failure for people and programs. Over HTTP it is {"error": {…}} with the status of its code.
type Error struct {
	Code     string            `json:"code"`               // stable; see errors.go
	Message  string            `json:"message"`            // one sentence
	Next     string            `json:"next"`               // what to do about it, "" when there is nothing to say
	Warnings []string          `json:"warnings,omitempty"` // code "warning": what Anyway overrides
	Problems []printer.Problem `json:"problems,omitempty"` // code "bad_script": every line that is wrong
}

// ErrorAnswer is the body of a request over HTTP that failed.
type ErrorAnswer struct {
	Error Error `json:"error"`
}

// FromPage is a message from a client of the live socket: a Command, or one of the other fields.
type FromPage struct {
	Command
	Beat    json.Number `json:"beat,omitempty"`    // the client's clock; echoed
	Console *Watch      `json:"console,omitempty"` // begin or stop to receive console lines
}

// Watch asks for console entries newer than Since, or for no more of them. It takes an operator.
type Watch struct {
	On    bool   `json:"on"`
	Since uint64 `json:"since"`
}

// Beat is sent at least every 2 s when nothing else is, and in answer to a beat. A page that hears nothing for 6 s has lost the link.
type Beat struct {
	Type  string      `json:"type"` // "beat"
	Echo  json.Number `json:"echo,omitempty"`
	NowMS int64       `json:"now_ms"`
}

// ConsoleLines is sent to those who asked.
type ConsoleLines struct {
	Type  string          `json:"type"` // "console"
	Lines []printer.Entry `json:"lines"`
}

// FileList is the answer of GET /v1/files.
type FileList struct {
	Files     []store.File `json:"files"`
	FreeBytes int64        `json:"free_bytes"`
}

// CardList is the answer of GET /v1/card: what is on the printer's own memory card.
type CardList struct {
	Present  bool       `json:"present"` // false: no card is in, as far as the printer says, or it has no reader
	Files    []CardFile `json:"files"`
	ListedMS int64      `json:"listed_ms"` // when the printer was asked: not while it prints; 0 never
}

// CardFile is a file on the printer's card.
type CardFile struct {
	Path       string `json:"path"`        // for start_card
	Name       string `json:"name"`        // for people; a stranger's text
	Bytes      int64  `json:"bytes"`       // -1 unknown
	ModifiedMS int64  `json:"modified_ms"` // 0 unknown
	Fits       bool   `json:"fits"`        // its path can be sent to the printer
}

// PrintList is the answer of GET /v1/prints.
type PrintList struct {
	Prints []store.Print `json:"prints"`
}

// QueueList is the answer of GET /v1/queue, the next one first.
type QueueList struct {
	Entries []QueueEntry `json:"entries"`
}

// QueueEntry is a file in the queue, and what is known of it.
type QueueEntry struct {
	store.Entry
	Name       string  `json:"name"`
	Gone       bool    `json:"gone"` // there is no such file any more
	EstimateS  float64 `json:"estimate_s"`
	FilamentMM float64 `json:"filament_mm"`
	Thumbnail  bool    `json:"thumbnail"`
	SHA256     string  `json:"sha256"`
}

// PrintLog is the answer of GET /v1/logs/ID: the last lines of the conversation before that print failed, at most 50, the oldest first.
type PrintLog struct {
	Lines []store.LogLine `json:"lines"`
}

// Totals is the answer of GET /v1/totals, the newest month first. GET /v1/temperatures answers a thermo.Recent, GET /v1/curves/ID a store.Curve.
type Totals struct {
	Months []store.Month `json:"months"`
}

// Choices is the answer of GET /v1/choices: what the settings screen offers.
type Choices struct {
	Presets []printer.Profile  `json:"presets"`
	Cameras []camera.Device    `json:"cameras"`
	Ports   []printer.PortInfo `json:"ports"`
	Bauds   []int              `json:"bauds"`
	Setups  []CameraSetup      `json:"setups"` // the cameras as they are set up, in the order in which they are shown
	Lamp    Lamp               `json:"lamp"`
	FitArcs bool               `json:"fit_arcs"`   // as set_fit_arcs says
	Arcs    bool               `json:"knows_arcs"` // the firmware that is connected does
}

// CameraSetup is a camera as it is set up, its address without a password, and what can be adjusted at it now.
type CameraSetup struct {
	camera.Setup
	Adjustable []camera.Control `json:"adjustable"`
}

// EEPROM is the answer of GET /v1/eeprom: what the printer's firmware says of its settings now.
type EEPROM struct {
	AtMS     int64        `json:"at_ms"`
	Settings []EEPROMLine `json:"settings"`
}

// EEPROMLine is one setting, or words of the firmware's.
type EEPROMLine struct {
	Text       string       `json:"text"`    // the command as it can be sent to change_setting, or the firmware's words
	Command    string       `json:"command"` // "M92"; "" for words
	Name       string       `json:"name"`    // for people, "" when there is none
	Note       string       `json:"note"`    // the firmware's words before it
	Words      []EEPROMWord `json:"words"`
	Changeable bool         `json:"changeable"`
}

// EEPROMWord is a letter of a setting and its number.
type EEPROMWord struct {
	Letter string  `json:"letter"`
	Value  float64 `json:"value"`
}

// CopyList is the answer of GET /v1/eeprom/copies, the newest first.
type CopyList struct {
	Copies []store.SettingsCopy `json:"copies"`
}

// MeshAnswer is the answer of GET and POST /v1/mesh.
type MeshAnswer struct {
	Mesh     *BedMesh `json:"mesh"`      // as it was read last; null when it never was
	Busy     bool     `json:"busy"`      // somebody is reading or measuring just now
	CanRead  bool     `json:"can_read"`  // it is known how to ask the firmware that is connected
	CanProbe bool     `json:"can_probe"` // and how to have it measured
}

// BedMesh is how high the bed lies at the points of a grid.
type BedMesh struct {
	AtMS     int64        `json:"at_ms"`
	Form     string       `json:"form"` // "bilinear", "mesh", "ubl", "prusa", "klipper"
	Firmware string       `json:"firmware"`
	Rows     [][]*float64 `json:"rows_mm"` // the front row first, in it the left point; null = the firmware does not know
	LowMM    float64      `json:"low_mm"`
	HighMM   float64      `json:"high_mm"`
	MeanMM   float64      `json:"mean_mm"`
}

// ProfileList is the answer of GET /v1/profiles.
type ProfileList struct {
	printer.Shelf
	Presets []printer.Profile `json:"presets"`
}

// ScriptList is the answer of GET /v1/scripts: every event, in the order of a print, and the values that scripts may name.
type ScriptList struct {
	Scripts []Script              `json:"scripts"`
	Values  []printer.ScriptValue `json:"values"`
}

// Script is what is done at an event.
type Script struct {
	Event printer.Event `json:"event"`
	Text  string        `json:"text"` // "" = nothing
}

// ButtonList is the answer of GET /v1/buttons.
type ButtonList struct {
	Groups []printer.ButtonGroup `json:"groups"`
}

// FrameAck is the only text message from a client of the camera socket. Got counts the bytes of all binary messages that have arrived, and is sent
// after each; Ack is the number of the frame that was painted. The first message, with Ack 0, asks for the first frame.
type FrameAck struct {
	Ack  *uint32 `json:"ack,omitempty"`
	Got  *int64  `json:"got,omitempty"`
	Save bool    `json:"save,omitempty"` // the client wants to save data; it cannot be taken back
}

// A frame goes over the camera socket in one binary message or several, one after the other: a header of FrameHeader bytes, big endian, and the JPEG.
//
//	 0 version, 2     1 camera        2 flags
//	 4 sequence       8 taken, Unix ms                 16 width   18 height
//	20 age in ms when the first message was written    24 bytes of the JPEG
const FrameHeader = 28

// The flags of a frame.
const (
	flagStale   = 1 // the camera is not live
	flagSmaller = 2 // made smaller for this link
)

// decode reads exactly one JSON value into v. A key that v does not know is an error that names it: a misspelled "job"
// must not stop the wrong print.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the JSON is not complete")
		}
		return fmt.Errorf("not the JSON that is expected here: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON value")
	}
	return nil
}

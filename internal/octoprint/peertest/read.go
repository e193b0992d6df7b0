package peertest

import "strings"

// What clients read of the answers, as their sources say: a difference in one of these is explained by its own name, or not at all. Each entry is a
// pattern of answers and patterns of fields. Beside these everybody reads the status, where something new is, and whether there is an answer.

type reading struct{ answers, fields string }

const (
	ofFile = "name display path origin type typePath typePath[] size date hash refs.resource refs.download gcodeAnalysis.estimatedPrintTime gcodeAnalysis.filament.tool0.length " +
		"gcodeAnalysis.dimensions.*"
	ofJob = "file.name file.path file.display file.origin file.size file.date estimatedPrintTime lastPrintTime"
)

var read = []reading{
	{"*GET /*api/version*", "api server text"},                                         // PrusaSlicer, OrcaSlicer, Cura, OctoDash
	{"*GET /*api/server*", "version safemode"},                                         // Home Assistant
	{"*POST /api/login {*", "name session active admin user"},                          // OctoPod, OctoDash, octorest
	{"*GET /api/currentuser", "name permissions[] groups[]"},                           // octorest
	{"*GET /api/connection*", "current.* options.*"},                                   // OctoPod, OctoScreen, OctoDash
	{"*GET /api/job*", "state progress.* job.filament.tool0.* " + each("job.", ofJob)}, // all
	{"*GET /api/printer", "state.text state.error state.flags.* sd.ready temperature.*"},
	{"*GET /api/printer?*", "state.text state.error state.flags.* sd.ready temperature.*"},
	{"*GET /api/printer/tool*", "tool0.*"},
	{"*GET /api/printer/bed*", "bed.*"},
	{"*GET /api/printer/sd*", "ready"},
	{"*GET /api/printer/command/custom", "controls"},
	{"*GET /api/files*", "free total " + each("files[machinecode].", ofFile) + " " + each("*children[machinecode].", ofFile) + " *[folder].name *[folder].path *[folder].type *[folder].size *[folder].origin *[folder].display"},
	{"*GET /api/files/local/*.gcode", ofFile + " prints.success prints.failure prints.last.* statistics.*"},
	{"*POST /api/files/*", "done effectiveSelect effectivePrint files.local.* folder.*"},
	{"*GET /api/printerprofiles*", "profiles.* id name model volume.* axes.* extruder.* heatedBed heatedChamber"},
	{"*GET /api/settings", "appearance.name appearance.color feature.* gcodeAnalysis.runAt temperature.profiles* webcam.webcamEnabled webcam.timelapseEnabled webcam.streamUrl webcam.streamRatio " +
		"webcam.snapshotUrl webcam.snapshotSslValidation webcam.flipH webcam.flipV webcam.rotate90 webcam.bitrate webcam.webcams* plugins.discovery.upnpUuid system.actions"}, // Cura, OctoPod, Home Assistant
	{"*GET /api/timelapse*", "enabled config.type files*"},
	{"*GET /api/system/commands*", "core custom *[].action *[].name *[].confirm *[].source *[].resource"}, // OctoPod, OctoScreen
	{"*/plugin/appkeys/*", "app_token auth_dialog message"},                                               // Cura, OctoPod, Home Assistant
	{"*GET /plugin/softwareupdate/check", "information*"},                                                 // OctoPod
	{"*GET /api/plugin/pluginmanager", "plugins"},                                                         // OctoScreen
	{"*GET /sockjs/info*", "websocket origins cookie_needed entropy"},
	{"push: connected", "version display_version permissions"},
	{"push: current*", "state.text state.error state.flags.* progress.* temps* logs messages " + each("job.", ofJob)},
	{"push: history*", "state.text state.error state.flags.* progress.* temps* logs messages " + each("job.", ofJob)},
	{"push: event Print*", "type payload.name payload.path payload.origin payload.time payload.reason"},
	{"push: event Connected", "type payload.port payload.baudrate"},
	{"push: event PrinterStateChanged", "type payload.*"},
	{"push: plugin *", "plugin data.*"},
}

// each puts something in front of several names.
func each(before, names string) string { return before + strings.ReplaceAll(names, " ", " "+before) }

// isRead reports whether a client looks at that field.
func isRead(f Field) bool {
	if f.Path == "status" || f.Path == "header Location" || f.Path == "" {
		return true
	}
	for _, r := range read {
		if !glob(r.answers, f.Answer) {
			continue
		}
		for pattern := range strings.FieldsSeq(r.fields) {
			if glob(pattern, f.Path) {
				return true
			}
		}
	}
	return false
}

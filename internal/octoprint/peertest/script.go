package peertest

// The script is what known clients ask, in the states of a printer in which they ask it. Their names stand beside each request; "" are errors and
// corners that all of them run into.

type phase struct {
	name   string
	asks   []ask
	pushed bool // here all ways of push are tried
}

var script = []phase{
	{name: "keys", asks: keys},
	{name: "offline", asks: offline},
	{name: "idle", asks: idle},
	{name: "files", asks: fileAsks},
	{name: "control", asks: control},
	{name: "printing", asks: printing},
	{name: "paused", asks: paused},
	{name: "cancelled", asks: cancelled},
	{name: "finished", asks: finished, pushed: true},
	{name: "around", asks: around},
	{name: "card", asks: card},
}

const (
	slicers = "PrusaSlicer, OrcaSlicer"
	pages   = "Cura, OctoPod, OctoScreen, OctoDash, octorest"
	home    = "Home Assistant"
)

// keys: who asks, and what becomes of those who may not.
var keys = []ask{
	{by: slicers + ", " + pages, do: "GET /api/version"},
	{do: "GET /api/version", as: nobody},
	{do: "GET /api/version", as: stranger},
	{by: "octorest", do: "GET /api/version", header: "Authorization: Bearer $KEY"},
	{do: "GET /api/version?apikey=$KEY"},
	{by: home, do: "GET //api/version"},
	{by: home, do: "GET /api/server"},
	{do: "GET /api/server", as: nobody},
	{by: pages, do: "POST /api/login", json: `{"passive":true}`},
	{do: "POST /api/login", json: `{"passive":true}`, as: nobody},
	{do: "POST /api/login", json: `{"passive":true}`, as: stranger},
	{do: "POST /api/login", json: `{}`},
	{by: "octorest", do: "POST /api/login", json: `{"user":"peer-nobody","pass":"wrong","remember":false}`},
	{by: "octorest", do: "GET /api/currentuser"},
	{do: "GET /api/currentuser", as: nobody},
	{do: "GET /api/currentuser", as: stranger},
	{do: "GET /api/job", as: nobody},
	{by: home, do: "GET /api/printer", as: stranger},
	{do: "GET /api/files", as: nobody},
	{do: "GET /api/settings", as: nobody},
	{do: "POST /api/job", json: `{"command":"start"}`, as: nobody},
	{do: "POST /api/files/local", form: "file=@peer-small.gcode", as: nobody},
	{do: "GET /api/peer"},
	{do: "GET /api"},
	{do: "DELETE /api/version"},
	{do: "HEAD /api/version"},
	{do: "GET /api/version/"},
	{by: "octorest", do: "POST /api/logout", json: `{}`},
}

// offline: a printer that was connected, and is no longer.
var offline = []ask{
	{do: "POST /api/connection", json: `{"command":"connect","port":"$PORT","baudrate":115200}`},
	{until: "Operational"},
	{until: "temperatures"},
	{by: "Cura, OctoPod, octorest", do: "POST /api/connection", json: `{"command":"disconnect"}`},
	{until: "Offline"},
	{by: pages, do: "GET /api/connection"},
	{by: pages + ", " + home, do: "GET /api/job"},
	{by: pages + ", " + home, do: "GET /api/printer"},
	{do: "GET /api/printer?exclude=temperature,sd"},
	{by: "OctoScreen, octorest", do: "GET /api/printer/tool"},
	{by: "OctoScreen, octorest", do: "GET /api/printer/bed"},
	{by: "octorest", do: "GET /api/printer/chamber"},
	{by: "octorest", do: "GET /api/printer/sd"},
	{do: "GET /api/printer/error"},
	{do: "GET /api/printer/command/custom"},
	{do: "POST /api/printer/tool", json: `{"command":"target","targets":{"tool0":0}}`},
	{by: home, do: "POST //api/printer/bed", json: `{"command":"target","target":0}`},
	{do: "POST /api/printer/chamber", json: `{"command":"target","target":0}`},
	{do: "POST /api/printer/printhead", json: `{"command":"home","axes":["x","y"]}`},
	{do: "POST /api/printer/sd", json: `{"command":"init"}`},
	{do: "POST /api/printer/command", json: `{"commands":["M105"]}`},
	{do: "POST /api/job", json: `{"command":"start"}`},
	{do: "POST /api/job", json: `{"command":"pause","action":"pause"}`},
	{do: "POST /api/job", json: `{"command":"cancel"}`},
	{by: slicers, do: "POST /api/files/local", form: "print=true path= file=@peer-small.gcode"},
	{do: "POST /api/files/local/peer-small.gcode", json: `{"command":"select","print":true}`},
	{do: "DELETE /api/files/local/peer-small.gcode"},
	{by: "octorest", do: "POST /api/connection", json: `{"command":"connect","port":"/dev/peer"}`},
	{do: "POST /api/connection", json: `{"command":"connect","port":"$PORT","baudrate":1}`},
	{do: "POST /api/connection", json: `{"command":"connect","port":"$PORT","printerProfile":"peer"}`},
	{do: "POST /api/connection", json: `{"command":"peer"}`},
}

// idle: connected, and nothing was chosen.
var idle = []ask{
	{by: "Cura, OctoPod, OctoScreen, Home Assistant", do: "POST /api/connection", json: `{"command":"connect"}`},
	{until: "Operational"},
	{until: "temperatures"},
	{by: pages, do: "GET /api/connection"},
	{by: pages + ", " + home, do: "GET /api/job"},
	{by: pages + ", " + home, do: "GET /api/printer"},
	{do: "GET /api/printer?exclude=temperature,sd"},
	{do: "GET /api/printer?exclude=state,sd"},
	{do: "GET /api/printer?exclude=temperature,sd,state"},
	{by: "octorest", do: "GET /api/printer?history=true&limit=2"},
	{by: "OctoScreen, octorest", do: "GET /api/printer/tool"},
	{by: "octorest", do: "GET /api/printer/tool?history=true&limit=2"},
	{by: "OctoScreen, octorest", do: "GET /api/printer/bed"},
	{by: "octorest", do: "GET /api/printer/bed?history=true&limit=2"},
	{by: "octorest", do: "GET /api/printer/chamber"},
	{by: "octorest", do: "GET /api/printer/sd"},
	{do: "GET /api/printer/error"},
	{by: "OctoPod, OctoScreen, octorest", do: "GET /api/printer/command/custom"},
	{by: pages, do: "GET /api/printerprofiles"},
	{by: "OctoScreen, octorest", do: "GET /api/printerprofiles/_default"},
	{do: "GET /api/printerprofiles/peer"},
	{by: "Cura, OctoPod, OctoScreen, Home Assistant, octorest", do: "GET /api/settings", brief: 3},
	{do: "POST /api/job", text: `{`, kind: "application/json"},
	{do: "POST /api/job", text: `[]`, kind: "application/json"},
	{do: "POST /api/job", text: `{"command":"start"}`, kind: "text/plain"},
	{do: "POST /api/job", text: `{"command":"start"}`},
	{do: "POST /api/job", json: `{}`},
	{do: "POST /api/job", json: `{"command":"peer"}`},
	{do: "POST /api/job", json: `{"command":"start"}`},
	{do: "POST /api/job", json: `{"command":"restart"}`},
	{do: "POST /api/job", json: `{"command":"pause"}`},
	{do: "POST /api/job", json: `{"command":"cancel"}`},
}

// control: what can be done to a printer that stands still.
var control = []ask{
	{by: "OctoPod, OctoScreen, octorest", do: "POST /api/printer/printhead", json: `{"command":"home","axes":["x","y","z"]}`},
	{by: "OctoPod, OctoScreen, octorest", do: "POST /api/printer/printhead", json: `{"command":"jog","x":10,"y":5,"z":0.5}`},
	{by: "octorest", do: "POST /api/printer/printhead", json: `{"command":"jog","x":30,"y":30,"absolute":true,"speed":3000}`},
	{by: "OctoPod", do: "POST /api/printer/printhead", json: `{"command":"feedrate","factor":105}`},
	{by: "octorest", do: "POST /api/printer/printhead", json: `{"command":"feedrate","factor":1.0}`},
	{do: "POST /api/printer/printhead", json: `{"command":"feedrate","factor":"peer"}`},
	{do: "POST /api/printer/printhead", json: `{"command":"home","axes":["q"]}`},
	{do: "POST /api/printer/printhead", json: `{"command":"home"}`},
	{do: "POST /api/printer/printhead", json: `{"command":"jog","x":"peer"}`},
	{do: "POST /api/printer/printhead", json: `{"command":"peer"}`},
	{by: "OctoPod, OctoScreen, Home Assistant, octorest", do: "POST /api/printer/tool", json: `{"command":"target","targets":{"tool0":210}}`},
	{do: "POST /api/printer/tool", json: `{"command":"target","targets":{"tool0":"peer"}}`},
	{do: "POST /api/printer/tool", json: `{"command":"target","targets":{"tool9":20}}`},
	{do: "POST /api/printer/tool", json: `{"command":"target","targets":{"bed":20}}`},
	{do: "POST /api/printer/tool", json: `{"command":"target"}`},
	{by: "OctoScreen, octorest", do: "POST /api/printer/tool", json: `{"command":"offset","offsets":{"tool0":5}}`},
	{by: "octorest", do: "POST /api/printer/tool", json: `{"command":"offset","offsets":{"tool0":0}}`},
	{by: "OctoPod, OctoScreen, octorest", do: "POST /api/printer/tool", json: `{"command":"select","tool":"tool0"}`},
	{do: "POST /api/printer/tool", json: `{"command":"select","tool":"peer"}`},
	{by: "OctoPod, OctoScreen, octorest", do: "POST /api/printer/tool", json: `{"command":"extrude","amount":5}`},
	{by: "octorest", do: "POST /api/printer/tool", json: `{"command":"extrude","amount":-5,"speed":300}`},
	{do: "POST /api/printer/tool", json: `{"command":"extrude","amount":"peer"}`},
	{by: "OctoPod, octorest", do: "POST /api/printer/tool", json: `{"command":"flowrate","factor":95}`},
	{do: "POST /api/printer/tool", json: `{"command":"flowrate","factor":500}`},
	{by: "OctoPod, OctoScreen, octorest", do: "POST /api/printer/bed", json: `{"command":"target","target":60}`},
	{by: home, do: "POST //api/printer/bed", json: `{"command":"target","target":55}`},
	{by: "octorest", do: "POST /api/printer/bed", json: `{"command":"offset","offset":0}`},
	{do: "POST /api/printer/bed", json: `{"command":"target","target":"peer"}`},
	{by: "OctoPod, octorest", do: "POST /api/printer/chamber", json: `{"command":"target","target":40}`},
	{by: "OctoPod, Cura", do: "POST /api/printer/command", json: `{"command":"M105"}`},
	{by: "Cura, OctoScreen, octorest", do: "POST /api/printer/command", json: `{"commands":["M105","M114"]}`},
	{by: "OctoPod", do: "POST /api/printer/command", json: `{"commands":["M117 {message}"],"parameters":{"message":"peer"}}`},
	{do: "POST /api/printer/command", json: `{"script":"peer"}`},
	{do: "POST /api/printer/command", json: `{"command":"M105","commands":["M105"]}`},
	{do: "POST /api/printer/command", json: `{"commands":"M105"}`},
	{do: "POST /api/printer/command", json: `{}`},
	{by: pages + ", " + home, do: "GET /api/printer"},
	{do: "POST /api/printer/tool", json: `{"command":"target","targets":{"tool0":0}}`},
	{do: "POST /api/printer/bed", json: `{"command":"target","target":0}`},
}

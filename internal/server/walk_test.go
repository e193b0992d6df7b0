package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
)

// The tables of routes and commands, walked with every role and none, in every way somebody can come in.

// examples are one request for each route that succeeds with the right role. A websocket's route is asked without an upgrade.
var examples = map[string]struct {
	target, body string
	want         int
}{
	"GET /healthz":               {target: "/healthz", want: 200},
	"GET /metrics":               {target: "/metrics", want: 200},
	"GET /v1/door":               {target: "/v1/door", want: 200},
	"POST /v1/setup":             {target: "/v1/setup", body: `{"secret":"x","name":"a","password":"password"}`, want: 409},
	"POST /v1/restore":           {target: "/v1/restore", body: "x", want: 409},
	"GET /v1/backup":             {target: "/v1/backup", want: 200},
	"GET /v1/backup/ready":       {target: "/v1/backup/ready", want: 200},
	"POST /v1/login":             {target: "/v1/login", body: `{"name":"a","password":"viewer"}`, want: 200},
	"POST /v1/confirm":           {target: "/v1/confirm", body: `{"password":"x"}`, want: 204},
	"POST /v1/password":          {target: "/v1/password", body: `{"old":"x","new":"y"}`, want: 204},
	"GET /v1/health":             {target: "/v1/health", want: 200},
	"GET /v1/people":             {target: "/v1/people", want: 200},
	"POST /v1/people":            {target: "/v1/people", body: `{"name":"a","role":"viewer","tailnet":true}`, want: 200},
	"PUT /v1/people/*":           {target: "/v1/people/1", body: `{"role":"viewer"}`, want: 200},
	"DELETE /v1/people/*":        {target: "/v1/people/1", want: 204},
	"GET /v1/tokens":             {target: "/v1/tokens", want: 200},
	"POST /v1/tokens":            {target: "/v1/tokens", body: `{"name":"a","role":"viewer"}`, want: 200},
	"DELETE /v1/tokens/*":        {target: "/v1/tokens/1", want: 204},
	"GET /v1/sessions":           {target: "/v1/sessions", want: 200},
	"DELETE /v1/sessions/*":      {target: "/v1/sessions/1", want: 204},
	"GET /v1/audit":              {target: "/v1/audit", want: 200},
	"POST /v1/logout":            {target: "/v1/logout", want: 204},
	"GET /v1/state":              {target: "/v1/state", want: 200},
	"GET /v1/live":               {target: "/v1/live", want: 400},
	"POST /v1/do":                {target: "/v1/do", body: `{"id":"1","do":"pause"}`, want: 200},
	"GET /v1/files":              {target: "/v1/files", want: 200},
	"GET /v1/files/*":            {target: "/v1/files/cube.gcode", want: 200},
	"PUT /v1/files/*":            {target: "/v1/files/new.gcode", body: "G28\n", want: 201},
	"DELETE /v1/files/*":         {target: "/v1/files/cube.gcode", want: 204},
	"GET /v1/thumbnails/*":       {target: "/v1/thumbnails/cube.gcode", want: 200},
	"GET /v1/toolpaths/*":        {target: "/v1/toolpaths/cube.gcode", want: 200},
	"GET /v1/layers":             {target: "/v1/layers", want: 200},
	"GET /v1/times/*":            {target: "/v1/times/cube.gcode", want: 200},
	"GET /v1/facts/*":            {target: "/v1/facts/cube.gcode", want: 200},
	"GET /v1/card":               {target: "/v1/card", want: 200},
	"GET /v1/prints":             {target: "/v1/prints", want: 200},
	"GET /v1/logs/*":             {target: "/v1/logs/01jd8q0000", want: 200},
	"GET /v1/prints.csv":         {target: "/v1/prints.csv", want: 200},
	"GET /v1/totals":             {target: "/v1/totals", want: 200},
	"GET /v1/curves/*":           {target: "/v1/curves/01jd8q0000", want: 200},
	"GET /v1/pictures/*":         {target: "/v1/pictures/01jd8q0000", want: 200},
	"GET /v1/timelapses":         {target: "/v1/timelapses", want: 200},
	"GET /v1/heights/*":          {target: "/v1/heights/cube.gcode", want: 200},
	"GET /v1/guard/*":            {target: "/v1/guard/7/before", want: 200},
	"GET /v1/alarms/*":           {target: "/v1/alarms/r1", want: 200},
	"GET /v1/recordings":         {target: "/v1/recordings", want: 200},
	"GET /v1/recordings/*":       {target: "/v1/recordings/none", want: 404},
	"DELETE /v1/recordings/*":    {target: "/v1/recordings/r1", want: 204},
	"GET /v1/shots/*":            {target: "/v1/shots/cube.gcode", want: 200},
	"GET /v1/objects/*":          {target: "/v1/objects/cube.gcode", want: 200},
	"GET /v1/timelapses/*":       {target: "/v1/timelapses/ready/video", want: 200},
	"DELETE /v1/timelapses/*":    {target: "/v1/timelapses/ready", want: 204},
	"POST /v1/timelapses/*":      {target: "/v1/timelapses/ready/render", want: 202},
	"GET /v1/temperatures":       {target: "/v1/temperatures", want: 200},
	"GET /v1/spools":             {target: "/v1/spools", want: 200},
	"GET /v1/queue":              {target: "/v1/queue", want: 200},
	"GET /v1/choices":            {target: "/v1/choices", want: 200},
	"GET /v1/mesh":               {target: "/v1/mesh", want: 200},
	"POST /v1/mesh":              {target: "/v1/mesh", want: 200},
	"POST /v1/mesh/probe":        {target: "/v1/mesh/probe", want: 200},
	"GET /v1/eeprom":             {target: "/v1/eeprom", want: 200},
	"GET /v1/eeprom/copies":      {target: "/v1/eeprom/copies", want: 200},
	"GET /v1/eeprom/copies/*":    {target: "/v1/eeprom/copies/1", want: 200},
	"DELETE /v1/eeprom/copies/*": {target: "/v1/eeprom/copies/1", want: 204},
	"GET /v1/profiles":           {target: "/v1/profiles", want: 200},
	"GET /v1/scripts":            {target: "/v1/scripts", want: 200},
	"GET /v1/buttons":            {target: "/v1/buttons", want: 200},
	"GET /v1/overlay":            {target: "/v1/overlay", want: 200},
	"GET /v1/neighbours":         {target: "/v1/neighbours", want: 200},
	"GET /v1/neighbours/*":       {target: "/v1/neighbours/voron", want: 200},
	"GET /v1/power":              {target: "/v1/power", want: 200},
	"POST /v1/power/try":         {target: "/v1/power/try", body: `{"kind":"lines","on_lines":"M80","off_lines":"M81"}`, want: 200},
	"GET /v1/camera":             {target: "/v1/camera", want: 400},
	"GET /webcam/":               {target: "/webcam/?action=snapshot&cacheBuster=17", want: 200},
	"GET /webcam/*":              {target: "/webcam/0/?action=snapshot", want: 200},
	"GET /":                      {target: "/", want: 200},
}

// ways are how somebody may come to a request: with a key, with a session, or with one that has been confirmed.
var ways = map[string]func(r *rig, q *http.Request, role string){
	"key": func(_ *rig, q *http.Request, role string) { q.Header.Set("Authorization", "Bearer "+role) },
	"session": func(_ *rig, q *http.Request, role string) {
		q.AddCookie(&http.Cookie{Name: access.CookieName, Value: role})
		q.Header.Set("Origin", "http://example.com")
	},
	"confirmed": func(r *rig, q *http.Request, role string) {
		r.gate.confirm(role, true)
		q.AddCookie(&http.Cookie{Name: access.CookieName, Value: role})
		q.Header.Set("Origin", "http://example.com")
	},
}

// allowed is what the tables say of somebody: 0 he may, else the status and code of his refusal.
func allowed(least access.Role, a asks, role access.Role, way string) (status int, code string) {
	switch {
	case role < least && role == access.Nobody:
		return 401, "key_needed"
	case role < least:
		return 403, "role_too_low"
	case a == again && way == "session":
		return 403, "confirm"
	}
	return 0, ""
}

func TestEveryRouteWithEveryRole(t *testing.T) {
	for _, route := range append(routes[:len(routes):len(routes)], pageRoute) {
		name := route.method + " " + route.path
		example, ok := examples[name]
		if !ok {
			t.Errorf("%s: no example request; every route needs one", name)
			continue
		}
		for role := access.Nobody; role <= access.Owner; role++ {
			for way, show := range ways {
				want, code := allowed(route.least, route.asks, role, way)
				r := newRig(t)
				r.cameras.take(1)
				w := r.do(route.method, example.target, "", strings.NewReader(example.body), func(q *http.Request) {
					if role > access.Nobody {
						show(r, q, role.String())
					}
				})
				what := name + " as " + role.String() + " with " + way
				if want > 0 {
					if w.Code != want || errorCode(t, w.Body.Bytes()) != code {
						t.Errorf("%s: got %d %s, want %d %s", what, w.Code, w.Body, want, code)
					}
				} else if w.Code != example.want {
					t.Errorf("%s: got %d %s, want %d", what, w.Code, w.Body, example.want)
				}
				if challenge := w.Header().Get("WWW-Authenticate"); (w.Code == 401) != strings.HasPrefix(challenge, "Bearer") {
					t.Errorf("%s: got WWW-Authenticate %q with status %d", what, challenge, w.Code)
				}
				for header, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"} {
					if got := w.Header().Get(header); got != want {
						t.Errorf("%s: %s: got %q, want %q", what, header, got, want)
					}
				}
				if csp := w.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") && csp != "sandbox; default-src 'none'" {
					t.Errorf("%s: Content-Security-Policy: got %q", what, csp)
				}
			}
		}
	}
	if len(examples) != len(routes)+1 {
		t.Errorf("%d examples for %d routes and the page: one is left over", len(examples), len(routes))
	}
}

// What is open, and what a stolen session must not be enough for, is said here a second time: a slip in the tables does not pass.
func TestTheTablesAreNotOpenByMistake(t *testing.T) {
	open := []string{"GET /", "GET /healthz", "GET /v1/door", "POST /v1/login", "POST /v1/logout", "POST /v1/restore", "POST /v1/setup"}
	dangerous := []string{"DELETE /v1/people/*", "DELETE /v1/tokens/*", "GET /v1/backup", "GET /v1/backup/ready", "POST /v1/people", "POST /v1/power/try", "POST /v1/tokens", "PUT /v1/people/*", "allow_app", "overlay_leave", "overlay_login", "reboot", "set_overlay", "set_power", "shutdown"}
	viewers := []string{"POST /v1/confirm", "POST /v1/password", "DELETE /v1/sessions/*"} // that change something
	var isOpen, isDangerous []string
	for _, route := range append(routes[:len(routes):len(routes)], pageRoute) {
		name := route.method + " " + route.path
		if route.least == access.Nobody {
			isOpen = append(isOpen, name)
		}
		if route.asks == again {
			isDangerous = append(isDangerous, name)
			if route.least != access.Owner {
				t.Errorf("%s asks again, and needs no owner", name)
			}
		}
		if changes := route.method != "GET"; changes && route.deed == "" && name != "POST /v1/do" {
			t.Errorf("%s changes something, and the audit log does not say so", name)
		} else if changes && route.least < access.Operator && !slices.Contains(open, name) && !slices.Contains(viewers, name) {
			t.Errorf("%s changes something, and a viewer may do it", name)
		}
	}
	for _, c := range commands {
		if c.least < access.Operator {
			t.Errorf("%s: a %s may give this command", c.name, c.least)
		}
		if c.asks == again {
			isDangerous = append(isDangerous, c.name)
		}
	}
	slices.Sort(isOpen)
	slices.Sort(isDangerous)
	if !slices.Equal(isOpen, open) {
		t.Errorf("open are %q, want %q", isOpen, open)
	}
	if !slices.Equal(isDangerous, dangerous) {
		t.Errorf("what asks again is %q, want %q", isDangerous, dangerous)
	}
}

// commandTexts are one command of each kind that succeeds with the right role.
func commandTexts() map[string]string {
	bodies := map[string]string{
		"set_stop": `"stop":{"layer":3}`, "remove_stop": `"stop":{"layer":3}`,
		"start": `"file":"cube.gcode"`, "start_card": `"file":"A.GCO"`, "jog": `"axes":"x","by_mm":1`, "extrude": `"by_mm":1`, "set_nozzle": `"target_c":200`, "set_bed": `"target_c":60`,
		"set_chamber": `"target_c":40`, "set_fan": `"percent":50`, "set_speed": `"percent":100`, "set_flow": `"percent":100`, "send": `"line":"M105"`, "answer": `"prompt":7,"button":0`,
		"set_camera": `"camera":{}`, "remove_camera": `"camera_id":0`, "set_control": `"camera_id":0,"name":"focus","value":5`,
		"power": `"on":false`, "power_after": `"on":true`, "set_power": `"power":{"power":{"kind":"shelly","address":"http://plug"},"cool_c":50}`,
		"lamp": `"on":true`, "set_lamp": `"on_lines":"M355 S1","off_lines":"M355 S0"`, "set_fit_arcs": `"on":false`, "set_cooling": `"cooling":{"standing_nozzle_min":10,"standing_bed_min":120,"idle_min":30}`, "delete_file": `"file":"cube.gcode"`, "rename_file": `"file":"cube.gcode","to":"b.gcode"`, "make_folder": `"file":"a"`,
		"babystep": `"by_mm":0.05`, "set_advance": `"factor":0.08`, "set_acceleration": `"acceleration_mm_s2":800`, "change_setting": `"line":"M92 X81"`, "restore_settings": `"copy":1`,
		"save_spool": `"spool":{"name":"x","diameter_mm":1.75,"density_g_cm3":1.24,"weight_g":1000}`, "queue_add": `"file":"cube.gcode"`, "queue_move": `"entry":1`,
		"queue_copies": `"entry":1,"copies":2`, "queue_remove": `"entry":1`,
		"set_profile": `"profile":{"name":"x","width_mm":220,"depth_mm":220,"height_mm":250,"bed":"rectangle","origin":"corner","nozzles":1,"nozzle_mm":0.4,"max_nozzle_c":260,"max_bed_c":110,"travel_mm_s":100,"lift_mm_s":8,"extrude_mm_s":3}`,
	}
	bodies["skip_object"], bodies["keep_object"] = `"object":1`, `"object":1`
	bodies["allow_app"], bodies["deny_app"] = `"app":"x"`, `"app":"x"`
	bodies["set_overlay"] = `"overlay":{"kind":"none"}`
	bodies["set_guard"] = `"guard":{"mode":"tell","camera":0,"share_percent":1,"record":false,"record_mb":500}`
	bodies["guard_drill"] = `"axes":"x","empty":true`
	bodies["guard_corners"] = `"corners":[[10,90],[90,90],[70,40],[30,40]]`
	bodies["guard_setup"] = `"empty":true`
	bodies["set_timelapse"] = `"timelapse":{"mode":"time","every_s":10,"park":false,"camera":0,"fps":25,"budget_mb":500,"limit_mb":2000,"render_early":false,"keep_failed":true}`
	bodies["save_profile"], bodies["choose_profile"], bodies["delete_profile"] = bodies["set_profile"], `"name":"Other"`, `"name":"Other"`
	bodies["rename_profile"], bodies["set_scripts"], bodies["set_buttons"], bodies["press"] = `"name":"Other","to":"Third"`, `"scripts":{}`, `"groups":[]`, `"button":3`
	texts := map[string]string{}
	for _, c := range commands {
		texts[c.name] = fmt.Sprintf(`{"id":"1","do":%q`, c.name)
		if more := bodies[c.name]; more != "" {
			texts[c.name] += "," + more
		}
		texts[c.name] += "}"
	}
	return texts
}

func TestEveryCommandWithEveryRole(t *testing.T) {
	owners := map[string]bool{"send": true, "connect": true, "disconnect": true, "set_profile": true, "set_camera": true, "remove_camera": true, "set_control": true, "set_lamp": true, "set_fit_arcs": true, "set_cooling": true, "set_timelapse": true, "set_guard": true, "guard_corners": true,
		"set_power": true, "reboot": true, "shutdown": true, "restart": true, "set_overlay": true, "overlay_login": true, "overlay_leave": true, "allow_app": true, "deny_app": true,
		"save_babystep": true, "change_setting": true, "save_settings": true, "restore_settings": true,
		"save_profile": true, "choose_profile": true, "rename_profile": true, "delete_profile": true, "set_scripts": true, "set_buttons": true}
	texts := commandTexts()
	for _, c := range commands {
		if owners[c.name] != (c.least == access.Owner) {
			t.Errorf("%s: the table says %s", c.name, c.least)
		}
		for role := access.Nobody; role <= access.Owner; role++ {
			for way, show := range ways {
				want, code := allowed(c.least, c.asks, role, way)
				r := newRig(t)
				r.apps.list = []*asking{{AppRequest: AppRequest{ID: "x", App: "Cura"}}}
				w := r.do("POST", "/v1/do", "", strings.NewReader(texts[c.name]), func(q *http.Request) {
					if role > access.Nobody {
						show(r, q, role.String())
					}
				})
				if want == 0 && w.Code != 200 || want > 0 && (w.Code != want || errorCode(t, w.Body.Bytes()) != code) {
					t.Errorf("%s as %s with %s: got %d %s, want %d %s", c.name, role, way, w.Code, w.Body, want, code)
				}
			}
		}
	}
}

// The same over the live socket, where the key was shown long before the command.
func TestEveryCommandOverTheSocket(t *testing.T) {
	texts := commandTexts()
	for role := access.Viewer; role <= access.Owner; role++ {
		for way := range ways {
			r := newRig(t)
			host := r.listen(t)
			header := http.Header{"Authorization": {"Bearer " + role.String()}}
			if way != "key" {
				header = http.Header{"Cookie": {access.CookieName + "=" + role.String()}, "Origin": {"http://" + host}}
			}
			for _, c := range commands {
				r.gate.confirm(role.String(), false)
				conn, _, err := websocket.DefaultDialer.Dial("ws://"+host+"/v1/live", header)
				if err != nil {
					t.Fatal(err)
				}
				r.gate.confirm(role.String(), way == "confirmed") // after the socket was opened: it must not matter when
				p := &phone{t: t, conn: conn}
				p.say(strings.Replace(texts[c.name], `"id":"1"`, fmt.Sprintf(`"id":%q`, c.name), 1))
				answer := p.hearType("answer")
				conn.Close()
				_, code := allowed(c.least, c.asks, role, way)
				got := ""
				if answer.Error != nil && (answer.Error.Code == "role_too_low" || answer.Error.Code == "confirm" || answer.Error.Code == "key_needed") {
					got = answer.Error.Code // others are because of what the commands before did
				}
				if got != code {
					t.Errorf("%s as %s with %s: got %+v, want %q", c.name, role, way, answer.Error, code)
				}
			}
		}
	}
}

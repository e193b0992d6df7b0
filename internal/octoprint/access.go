package octoprint

import (
	"net/http"
	"strings"

	"layerd/internal/access"
	"layerd/internal/server"
)

// accessRoutes show who may do what. Clients look; people change it on our own page.
func (a *API) accessRoutes() []server.Route {
	return []server.Route{
		{Method: "GET", Path: "/api/access/permissions", Least: access.Viewer, Serve: a.permissions},
		{Method: "GET", Path: "/api/access/groups", Least: access.Owner, Serve: a.groups},
		{Method: "GET", Path: "/api/access/groups/*", Least: access.Owner, Serve: a.group},
		{Method: "GET", Path: "/api/access/users", Least: access.Owner, Serve: a.users},
		{Method: "GET", Path: "/api/access/users/*", Least: access.Owner, Serve: a.user},
		{Method: "GET", Path: "/api/users", Least: access.Owner, Serve: a.users}, // the address of older versions
	}
}

// right is something that a role may do, by OctoPrint's name.
type right struct {
	key   string
	least access.Role
	what  string
}

// rights are those of OctoPrint that mean anything here. The commands themselves have the last word.
var rights = []right{
	{"ADMIN", access.Owner, "Everything"},
	{"STATUS", access.Viewer, "See what the printer does"},
	{"CONNECTION", access.Owner, "Connect and disconnect the printer"},
	{"WEBCAM", access.Viewer, "See the cameras"},
	{"SYSTEM", access.Owner, "Run system commands"},
	{"FILES_LIST", access.Viewer, "List files"},
	{"FILES_UPLOAD", access.Operator, "Upload files"},
	{"FILES_DOWNLOAD", access.Operator, "Download files"},
	{"FILES_DELETE", access.Operator, "Delete files"},
	{"FILES_SELECT", access.Operator, "Select files"},
	{"PRINT", access.Operator, "Start, pause and cancel prints"},
	{"GCODE_VIEWER", access.Operator, "See files as they are printed"},
	{"MONITOR_TERMINAL", access.Operator, "See the conversation with the printer"},
	{"CONTROL", access.Operator, "Move and heat"},
	{"TIMELAPSE_LIST", access.Viewer, "List timelapses"},
	{"TIMELAPSE_DOWNLOAD", access.Viewer, "See timelapses"},
	{"TIMELAPSE_DELETE", access.Operator, "Delete timelapses"},
	{"TIMELAPSE_MANAGE_UNRENDERED", access.Operator, "Render timelapses"},
	{"TIMELAPSE_ADMIN", access.Owner, "Change how timelapses are recorded"},
	{"SETTINGS_READ", access.Viewer, "See the settings"},
	{"SETTINGS", access.Owner, "Change the settings"},
	{"PLUGIN_ACTION_COMMAND_NOTIFICATION_SHOW", access.Viewer, "See what the printer says"},
	{"PLUGIN_ACTION_COMMAND_PROMPT_INTERACT", access.Operator, "Answer what the printer asks"},
	{"PLUGIN_APPKEYS_ADMIN", access.Owner, "See and take back keys of apps"},
	{"PLUGIN_APPKEYS_GRANT", access.Owner, "Give keys to apps"},
}

func permissionsOf(role access.Role) []string {
	keys := []string{}
	for _, p := range rights {
		if role >= p.least {
			keys = append(keys, p.key)
		}
	}
	return keys
}

func needs(role access.Role) []string {
	all := permissionsOf(role)
	for i := range all {
		all[i] = strings.ToLower(all[i])
	}
	return all
}

// groupNames are the groups that stand for roles, and for nobody.
var groupNames = [...]struct{ key, name, what string }{
	access.Nobody:   {"guests", "Guests", "Anyone who is not currently logged in"},
	access.Viewer:   {"readonly", "Read-only Access", "Viewers: they look"},
	access.Operator: {"users", "Operator", "Operators: they print"},
	access.Owner:    {"admins", "Admins", "Owners: they may do everything"},
}

func groupOf(role access.Role) string { return groupNames[min(int(role), len(groupNames)-1)].key }

// Permission is a right as clients are told of it.
type Permission struct {
	Key         string              `json:"key"`
	Name        string              `json:"name"`
	Dangerous   bool                `json:"dangerous"`
	Groups      []string            `json:"default_groups"`
	Description string              `json:"description"`
	Needs       map[string][]string `json:"needs"`
}

// permissions are all rights, for the push socket too.
func permissions() []Permission {
	all := []Permission{}
	for _, p := range rights {
		name := strings.ToLower(strings.ReplaceAll(p.key, "_", " "))
		out := Permission{Key: p.key, Name: strings.ToUpper(name[:1]) + name[1:], Dangerous: p.least == access.Owner, Description: p.what, Needs: map[string][]string{"role": {strings.ToLower(p.key)}}}
		for role := access.Owner; role >= p.least; role-- {
			out.Groups = append(out.Groups, groupOf(role))
		}
		all = append(all, out)
	}
	return all
}

func (a *API) permissions(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	return a.say(w, map[string]any{"permissions": permissions()})
}

func groupRecord(role access.Role) map[string]any {
	g := groupNames[role]
	need := map[string][]string{"group": {g.key}}
	if role > access.Nobody {
		need["role"] = needs(role)
	}
	return map[string]any{"key": g.key, "name": g.name, "description": g.what, "permissions": permissionsOf(role), "subgroups": []string{}, "needs": need,
		"default": role == access.Operator, "removable": false, "changeable": false, "toggleable": false, "dangerous": role == access.Owner}
}

func (a *API) groups(w http.ResponseWriter, _ *http.Request, _ access.Identity) error {
	all := []map[string]any{}
	for role := access.Owner; ; role-- {
		all = append(all, groupRecord(role))
		if role == access.Nobody {
			return a.say(w, map[string]any{"groups": all})
		}
	}
}

func (a *API) group(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	for role, g := range groupNames {
		if g.key == r.PathValue("path") {
			return a.say(w, groupRecord(access.Role(role)))
		}
	}
	return errNothing
}

// people are those with a name here, as users. Those whom the network alone knows are in no list.
func (a *API) people(r *http.Request) ([]User, error) {
	people, err := a.s.Config().People.People(r.Context())
	if err != nil {
		return nil, err
	}
	all := []User{}
	for _, p := range people {
		if role, err := access.ParseRole(p.Role); err == nil {
			all = append(all, userOf(access.Identity{ID: p.ID, Name: p.Name, Role: role}))
		}
	}
	return all, nil
}

func (a *API) users(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	all, err := a.people(r)
	if err != nil {
		return err
	}
	return a.say(w, map[string]any{"users": all})
}

// user is one of them, or who asks himself: a key has a name too, and is in no list. Below the name are settings, which are the pages' own.
func (a *API) user(w http.ResponseWriter, r *http.Request, me access.Identity) error {
	name, settings := strings.CutSuffix(r.PathValue("path"), "/settings")
	all, err := a.people(r)
	if err != nil {
		return err
	}
	for _, u := range append(all, userOf(me)) {
		if *u.Name != name {
			continue
		}
		if settings {
			return a.say(w, u.Settings)
		}
		return a.say(w, u)
	}
	return errNothing
}

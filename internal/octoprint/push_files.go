package octoprint

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"layerd/internal/server"
)

// What is told of files, and in the name of plugins.

// listing is the names of all files and folders, as of one revision of the list. All clients share it.
type listing struct {
	rev   uint64
	names map[string]bool // path ─▶ whether it is a folder
}

// listingOf asks the store, once for a revision. nil = it cannot be told.
func (a *API) listingOf(rev uint64) *listing {
	if l := a.listing.Load(); l != nil && l.rev == rev {
		return l
	}
	files, err := a.s.Config().Files.Files(a.s.Life())
	if err != nil {
		return nil
	}
	l := &listing{rev: rev, names: make(map[string]bool, len(files))}
	for _, f := range files {
		l.names[f.Path] = f.Folder
	}
	a.listing.Store(l)
	return l
}

// files tells which files came and went. A file with new content keeps its name: of it there is only UpdatedFiles.
func (t *teller) files(was, is moment) {
	if was.st.FilesRev == is.st.FilesRev {
		return
	}
	if was.files != nil && is.files != nil {
		for _, name := range slices.Sorted(maps.Keys(was.files.names)) {
			if folder, still := is.files.names[name]; !still || folder != was.files.names[name] {
				t.file("Removed", name, was.files.names[name])
			}
		}
		for _, name := range slices.Sorted(maps.Keys(is.files.names)) {
			if folder, already := was.files.names[name]; !already || folder != is.files.names[name] {
				t.file("Added", name, is.files.names[name])
			}
		}
	}
	t.tell("UpdatedFiles", map[string]string{"type": "printables"})
}

func (t *teller) file(what, name string, folder bool) {
	m := map[string]any{"storage": local, "path": name, "name": path.Base(name)}
	if folder {
		t.tell("Folder"+what, m)
		return
	}
	m["type"] = []string{"machinecode", "gcode"}
	m["operation"] = map[string]string{"Added": "add", "Removed": "remove"}[what]
	t.tell("File"+what, m)
}

// PluginMessage is what a plugin tells its part of a client.
type PluginMessage struct {
	Plugin string         `json:"plugin"`
	Data   map[string]any `json:"data"`
}

// pluginsBetween is what OctoPrint's own plugins say of the firmware's questions and words and of programs that ask for a key, and what the best known
// ones of others say of layers and of the power.
// The zero moment is before everything.
func pluginsBetween(was, is moment) (out []PluginMessage) {
	const prompts, notices, keys = "action_command_prompt", "action_command_notification", "appkeys"
	before, now := was.st.Prompt, is.st.Prompt
	switch {
	case now != nil && (before == nil || before.ID != now.ID):
		choices := slices.Clone(now.Buttons)
		if choices == nil {
			choices = []string{}
		}
		out = append(out, PluginMessage{prompts, map[string]any{"action": "show", "text": now.Text, "choices": choices}})
	case now == nil && before != nil:
		out = append(out, PluginMessage{prompts, map[string]any{"action": "close"}})
	}
	switch n := is.st.Notice; {
	case was.st.Rev == 0: // who comes later has missed it
	case n != was.st.Notice && n != "":
		out = append(out, PluginMessage{notices, map[string]any{"message": n}})
	case n != was.st.Notice || disconnects(was.st, is.st): // what was told before counts no more
		out = append(out, PluginMessage{notices, map[string]any{}})
	}
	for _, q := range was.st.Asking {
		if !isAsked(is.st, q.ID) {
			out = append(out, PluginMessage{keys, map[string]any{"type": "end_request", "user_token": q.ID}})
		}
	}
	for _, q := range is.st.Asking {
		if !isAsked(was.st, q.ID) { // for any owner to answer: of no user
			out = append(out, PluginMessage{keys, map[string]any{"type": "request_access", "app_name": q.App, "user_token": q.ID, "user_id": nil, "remote_address": q.From}})
		}
	}
	if l := layersOf(is); l != layersOf(was) && (l.under || was.st.Rev != 0) {
		out = append(out, PluginMessage{"DisplayLayerProgress-websocket-payload", l.message()})
	}
	if p := is.st.Power; p != nil && (was.st.Power == nil || psuOf(was.st.Power) != psuOf(p)) {
		out = append(out, PluginMessage{"psucontrol", map[string]any{"isPSUOn": psuOf(p).On}})
	}
	return out
}

// isAsked reports whether a program's request for a key waits for an answer.
func isAsked(st server.State, id string) bool {
	return slices.ContainsFunc(st.Asking, func(q server.AppRequest) bool { return q.ID == id })
}

// layers is what is told of them, of the fan and of the height, as DisplayLayerProgress has it.
type layers struct {
	under             bool // a print is under way
	layer, total, fan int
	zMM               float64
}

func layersOf(m moment) (l layers) {
	l.fan = int(m.st.FanPercent + 0.5)
	if j := m.st.Job; j != nil {
		l.under, l.layer, l.total, l.zMM = true, j.Layer, j.Layers, j.ZMM
	}
	return l
}

func (l layers) message() map[string]any {
	fan := "Off"
	if l.fan > 0 {
		fan = strconv.Itoa(l.fan) + "%"
	}
	number := func(n int) string {
		if n == 0 {
			return "-"
		}
		return strconv.Itoa(n)
	}
	height := "-"
	if l.zMM > 0 {
		height = strings.TrimRight(strings.TrimRight(strconv.FormatFloat(l.zMM, 'f', 2, 64), "0"), ".")
	}
	return map[string]any{"currentLayer": number(l.layer), "totalLayer": number(l.total), "currentHeight": height, "fanspeed": fan}
}

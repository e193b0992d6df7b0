package octoprint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"runtime"
	"strings"
	"time"

	"layerd/internal/access"
	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/internal/timelapse"
)

const (
	maxLines     = 300              // of the conversation, in one message; as many as OctoPrint keeps
	markedFor    = 30 * time.Minute // what happened longer ago is on no chart
	historyEvery = 2 * time.Second  // between two points of the history
)

// Connected is the first message.
type Connected struct {
	Version        string       `json:"version"`
	DisplayVersion string       `json:"display_version"`
	Branch         string       `json:"branch"`
	PythonVersion  string       `json:"python_version"`
	PluginHash     string       `json:"plugin_hash"` // another one: the page should be loaded again
	ConfigHash     string       `json:"config_hash"`
	Debug          bool         `json:"debug"`
	SafeMode       *string      `json:"safe_mode"`
	Online         bool         `json:"online"`
	Permissions    []Permission `json:"permissions"`
}

func connectedOf(ours string) Connected {
	sum := sha256.Sum256([]byte(ours))
	hash := hex.EncodeToString(sum[:16])
	return Connected{Version: emulated, DisplayVersion: emulated + " (layerd " + ours + ")", Branch: "layerd", PythonVersion: runtime.Version(),
		PluginHash: hash, ConfigHash: hash, Online: true, Permissions: permissions()}
}

// Current is what a client is shown, again and again. History, the first of them, is the same without BusyFiles.
type Current struct {
	State      State            `json:"state"`
	Job        Job              `json:"job"`
	Progress   Progress         `json:"progress"`
	CurrentZ   *float64         `json:"currentZ"` // mm
	Offsets    map[string]any   `json:"offsets"`
	Resends    Resends          `json:"resends"`
	ServerTime float64          `json:"serverTime"` // Unix seconds
	Temps      []map[string]any `json:"temps"`      // since the last message: at most the newest
	Logs       *[]string        `json:"logs,omitempty"`
	Messages   *[]string        `json:"messages,omitempty"`
	BusyFiles  *[]FileRef       `json:"busyFiles,omitempty"`
	Markings   []Marking        `json:"markings"`
}

// Resends count lines that the firmware has asked for again; Ratio is per cent.
type Resends struct {
	Count       int64 `json:"count"`
	Transmitted int64 `json:"transmitted"`
	Ratio       int64 `json:"ratio"`
}

// FileRef names a file.
type FileRef struct {
	Origin string `json:"origin"`
	Path   string `json:"path"`
}

// Marking is something on the chart of temperatures.
type Marking struct {
	Type  string  `json:"type"`
	Label string  `json:"label"`
	Time  float64 `json:"time"` // Unix seconds
}

// base is what history and current have in common.
func (c *client) base() Current {
	st, now := c.now.st, time.Now()
	m := Current{State: stateOf(st), Job: c.now.job, Progress: c.now.done, CurrentZ: heightOf(st), Offsets: map[string]any{},
		ServerTime: float64(now.UnixMilli()) / 1000, Temps: []map[string]any{}, Markings: markingsOf(st, now)}
	m.Resends = Resends{Count: st.Link.Resends, Transmitted: st.Link.Sent}
	if st.Link.Sent > 0 {
		m.Resends.Ratio = st.Link.Resends * 100 / st.Link.Sent
	}
	if c.me.Role >= access.Operator { // they may hold whatever the firmware says
		logs, messages := c.lines()
		logs, messages = c.wants.logs.passed(logs), c.wants.messages.passed(messages)
		m.Logs, m.Messages = &logs, &messages
	}
	return m
}

// current is what is sent again and again.
func (c *client) current() Current {
	m := c.base()
	busy := []FileRef{}
	if file := m.Job.File; c.now.st.State.HasJob() && file.Path != nil {
		busy = append(busy, FileRef{Origin: *file.Origin, Path: *file.Path})
	}
	m.BusyFiles = &busy
	if st := c.now.st; st.TempsAtMS > c.tempsMS {
		c.tempsMS = st.TempsAtMS
		point := blankPoint(st.TempsAtMS)
		for name, h := range tempsOf(st) {
			point[name] = Reading{&h.Actual, &h.Target}
		}
		m.Temps = append(m.Temps, point)
	}
	return m
}

// history is the same with all the temperatures of the last half hour.
func (c *client) history() Current {
	m := c.base()
	c.tempsMS = c.now.st.TempsAtMS
	m.Temps = pointsOf(c.a.s.Config().Temperatures.Since(0).Curve)
	return m
}

// Reading is one heater's at one time; null = not known.
type Reading struct {
	Actual *float64 `json:"actual"`
	Target *float64 `json:"target"`
}

// blankPoint has the heaters that every point has.
func blankPoint(atMS int64) map[string]any {
	return map[string]any{"time": atMS / 1000, "tool0": Reading{}, "bed": Reading{}, "chamber": Reading{}}
}

// pointsOf is a curve in OctoPrint's shape, with as much time between its points.
func pointsOf(c store.Curve) []map[string]any {
	out := []map[string]any{}
	last := int64(math.MinInt64)
	for i, after := range c.AfterMS {
		if last != math.MinInt64 && after-last < historyEvery.Milliseconds() && i != len(c.AfterMS)-1 {
			continue
		}
		last = after
		point := blankPoint(c.FromMS + after)
		for _, h := range c.Heaters {
			point[heaterName(h.Name)] = Reading{celsius(h.ActualC[i]), celsius(h.TargetC[i])}
		}
		out = append(out, point)
	}
	return out
}

func heaterName(ours string) string {
	if n, ok := strings.CutPrefix(ours, "nozzle"); ok {
		return "tool" + n
	}
	return ours
}

func celsius(d store.DeciC) *float64 {
	if d == store.UnknownC {
		return nil
	}
	c := float64(d) / 10
	return &c
}

// heightOf is where the nozzle prints, else where the firmware last said that it is.
func heightOf(st server.State) *float64 {
	switch {
	case st.Job != nil && st.Job.ZMM > 0:
		return &st.Job.ZMM
	case st.Job == nil && st.Position != nil:
		return &st.Position.ZMM
	}
	return nil
}

// markingsOf are the beginnings and ends that are still on the chart.
func markingsOf(st server.State, now time.Time) []Marking {
	out := []Marking{}
	add := func(kind, label string, atMS int64) {
		if atMS > 0 && now.Sub(time.UnixMilli(atMS)) < markedFor {
			out = append(out, Marking{kind, label, float64(atMS) / 1000})
		}
	}
	add("connected", "Connected", st.Connection.SinceMS)
	if st.LastJob != nil {
		kind, label := endMark(st.LastJob.Outcome)
		add(kind, label, st.LastJob.EndedMS)
	}
	if st.Job != nil {
		add("print", "Start", st.Job.StartedMS)
	}
	return out
}

func endMark(outcome string) (kind, label string) {
	if outcome == "done" {
		return "done", "Done"
	}
	return "cancel", "Cancel"
}

// lines are the conversation with the printer since the last time, as a person reads it, and of that what the firmware said. They are the newest maxLines at most.
func (c *client) lines() (logs, messages []string) {
	over, end := context.WithCancel(context.Background())
	end() // nothing is waited for
	const batch = 512
	logs, messages = []string{}, []string{}
	for {
		some, err := c.a.s.Config().Console.Since(over, c.logged, batch)
		if err != nil || len(some) == 0 {
			break
		}
		c.logged = some[len(some)-1].Seq
		for _, e := range some {
			switch e.Dir {
			case "out":
				logs = append(logs, "Send: "+e.Text)
			case "in":
				logs, messages = append(logs, "Recv: "+e.Text), append(messages, e.Text)
			default:
				logs = append(logs, e.Text)
			}
		}
		if len(some) < batch {
			break
		}
	}
	return logs[max(0, len(logs)-maxLines):], messages[max(0, len(messages)-maxLines):]
}

// TimelapseConfig is how prints are recorded.
type TimelapseConfig struct {
	Type    string         `json:"type"` // "timed", "zchange"
	Options map[string]any `json:"options,omitempty"`
	FPS     int            `json:"fps"`
}

// timelapseOf is the settings that count at the moment; nil = nothing is recorded.
func timelapseOf(list *timelapse.List) *TimelapseConfig {
	if list == nil {
		return nil
	}
	switch s := list.Settings; s.Mode {
	case timelapse.ByTime:
		return &TimelapseConfig{Type: "timed", Options: map[string]any{"interval": s.EveryS}, FPS: s.FPS}
	case timelapse.ByLayer:
		return &TimelapseConfig{Type: "zchange", FPS: s.FPS}
	}
	return nil
}

// films are all timelapses.
func (a *API) films() *timelapse.List {
	list, _ := a.s.Config().Timelapses.List().Get()
	return list
}

package octoprint

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"layerd/internal/server"
)

// What clients say: who they are, how often they want to hear of us, and what. What is not understood is ignored, as OctoPrint does.

const (
	maxHeard   = 16 << 10 // bytes of one message
	maxPattern = 256      // bytes of a regular expression
	maxSteps   = 500      // of it, each of which each letter of each line may take: "(.?){999}" is short
	maxFactor  = 1000
)

// wants is what a client has asked for.
type wants struct {
	state           bool // history and current
	logs, messages  filter
	events, plugins names
}

// everything is what a client gets that has asked for nothing.
func everything() wants {
	return wants{state: true, logs: filter{all: true}, messages: filter{all: true}, events: names{all: true}, plugins: names{all: true}}
}

// names are some of many.
type names struct {
	all bool
	of  map[string]bool
}

func (n names) has(name string) bool { return n.all || n.of[name] }

// filter lets some lines through.
type filter struct {
	all     bool
	pattern *regexp.Regexp // nil = none, unless all
}

func (f filter) some() bool { return f.all || f.pattern != nil }

func (f filter) passed(lines []string) []string {
	if f.all {
		return lines
	}
	out := []string{}
	for _, text := range lines {
		if f.pattern != nil && f.pattern.MatchString(text) {
			out = append(out, text)
		}
	}
	return out
}

// fromClient is a message. Of several keys the first of these counts.
type fromClient struct {
	Auth      json.RawMessage `json:"auth"`
	Throttle  json.RawMessage `json:"throttle"`
	Subscribe json.RawMessage `json:"subscribe"`
}

// hear does what a client says. An error sends him away.
func (c *client) hear(ctx context.Context, text []byte) error {
	if c.shown == nil {
		if c.strange++; c.strange > maxStrange {
			return &goodbye{closeStranger, "many words, and no key"}
		}
	}
	var m fromClient
	if json.Unmarshal(text, &m) != nil {
		return nil
	}
	switch {
	case m.Auth != nil:
		if r, ok := c.showing(m.Auth); ok {
			return c.auth(ctx, r)
		}
	case m.Throttle != nil:
		if n, ok := factorOf(m.Throttle); ok {
			c.factor = n
		}
	case m.Subscribe != nil:
		if w, ok := wantsOf(m.Subscribe); ok {
			c.owed = c.owed || c.shown != nil && w.state && !c.wants.sameState(w)
			c.wants = w
		}
	}
	return nil
}

// showing is the request that "NAME:SESSION" stands for: the handshake with that session as its key. Where there is no session, it is the handshake
// itself, with what the network or its cookie says of it, unless a page of another site has made it.
func (c *client) showing(raw json.RawMessage) (*http.Request, bool) {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return nil, false
	}
	at := strings.LastIndexByte(text, ':') // whose a key is, it says itself
	if at < 0 {
		return nil, false
	}
	session := text[at+1:]
	switch {
	case session != "":
		return server.WithBearer(c.r, session), true
	case c.bare && keyOf(c.r) == "":
		return server.WithBearer(c.r, ""), true
	}
	return c.r, true
}

// factorOf reads a throttle: a whole number from 1 on, in a string or not.
func factorOf(raw json.RawMessage) (int, bool) {
	f, err := strconv.ParseFloat(strings.Trim(string(raw), `" `), 64)
	if err != nil || !(f >= 1) {
		return 0, false
	}
	return int(min(f, maxFactor)), true
}

// wantsOf reads a subscription. What it does not name is not wanted.
func wantsOf(raw json.RawMessage) (w wants, ok bool) {
	var m struct {
		State   json.RawMessage `json:"state"`
		Events  json.RawMessage `json:"events"`
		Plugins json.RawMessage `json:"plugins"`
	}
	if json.Unmarshal(raw, &m) != nil || string(raw) == "null" {
		return w, false
	}
	var okState, okEvents, okPlugins bool
	w.state, w.logs, w.messages, okState = stateOfSubscription(m.State)
	w.events, okEvents = namesOf(m.Events)
	w.plugins, okPlugins = namesOf(m.Plugins)
	return w, okState && okEvents && okPlugins
}

// stateOfSubscription reads true, which means with logs, false, or {logs, messages}.
func stateOfSubscription(raw json.RawMessage) (state bool, logs, messages filter, ok bool) {
	if raw == nil || json.Unmarshal(raw, &state) == nil {
		return state, filter{all: state}, filter{}, true
	}
	var m struct{ Logs, Messages json.RawMessage }
	if json.Unmarshal(raw, &m) != nil {
		return false, filter{}, filter{}, false
	}
	logs, okLogs := filterOf(m.Logs)
	messages, okMessages := filterOf(m.Messages)
	return true, logs, messages, okLogs && okMessages
}

// filterOf reads true, false or a regular expression.
func filterOf(raw json.RawMessage) (f filter, ok bool) {
	if raw == nil || json.Unmarshal(raw, &f.all) == nil {
		return f, true
	}
	var pattern string
	if json.Unmarshal(raw, &pattern) != nil || len(pattern) > maxPattern {
		return filter{}, false
	}
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return filter{}, false
	}
	if steps, err := syntax.Compile(tree.Simplify()); err != nil || len(steps.Inst) > maxSteps {
		return filter{}, false
	}
	re, err := regexp.Compile(pattern)
	return filter{pattern: re}, err == nil
}

// namesOf reads true, false or a list.
func namesOf(raw json.RawMessage) (n names, ok bool) {
	if raw == nil || json.Unmarshal(raw, &n.all) == nil {
		return n, true
	}
	var list []string
	if json.Unmarshal(raw, &list) != nil {
		return names{}, false
	}
	n = names{of: map[string]bool{}}
	for _, name := range list {
		n.of[name] = true
	}
	return n, true
}

// sameState reports whether two want the same of the state.
func (w wants) sameState(other wants) bool {
	return w.state == other.state && w.logs.same(other.logs) && w.messages.same(other.messages)
}

func (f filter) same(other filter) bool {
	return f.all == other.all && (f.pattern == nil) == (other.pattern == nil) && (f.pattern == nil || f.pattern.String() == other.pattern.String())
}

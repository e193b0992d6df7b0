package moonraker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// JSON-RPC 2.0, as far as it goes by itself: https://www.jsonrpc.org/specification

// asking is a message of JSON-RPC.
type asking struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// hear takes a message apart: one call, or several. An error of it ends the socket.
func (c *client) hear(ctx context.Context, text []byte) error {
	calls, fault := callsIn(text)
	if fault != nil {
		return c.k.WriteText(answer(json.RawMessage("null"), nil, fault))
	}
	for _, m := range calls {
		if err := c.take(ctx, m); err != nil {
			return err
		}
	}
	return nil
}

var (
	noJSON    = &Failure{-32700, "Parse error"}
	noRequest = &Failure{-32600, "Invalid Request"}
	noMethod  = &Failure{-32601, "Method not found"}
	noParams  = &Failure{-32602, "Invalid params"}
)

// callsIn are the calls in a message.
func callsIn(text []byte) (calls []asking, fault *Failure) {
	text = bytes.TrimSpace(text)
	if !json.Valid(text) {
		return nil, noJSON
	}
	if text[0] == '[' {
		if json.Unmarshal(text, &calls) != nil || len(calls) == 0 || len(calls) > maxBatch {
			return nil, noRequest
		}
		return calls, nil
	}
	var one asking
	if json.Unmarshal(text, &one) != nil {
		return nil, noRequest
	}
	return []asking{one}, nil
}

// params are the arguments of a call, by name.
func (m asking) params() (in asked, ok bool) {
	in = asked{}
	if len(m.Params) == 0 || string(m.Params) == "null" || string(m.Params) == "[]" {
		return in, true
	}
	return in, json.Unmarshal(m.Params, &in) == nil
}

// id is the call's, as it came: a number, a text or null. Without one it is not answered.
func (m asking) id() (json.RawMessage, bool) {
	if len(m.ID) == 0 {
		return nil, true
	}
	return m.ID, m.ID[0] != '{' && m.ID[0] != '[' && len(m.ID) <= 256
}

// answer is that of a call.
func answer(id json.RawMessage, result any, fault *Failure) []byte {
	message := object{"jsonrpc": "2.0", "id": id, "result": result}
	if fault != nil {
		message = object{"jsonrpc": "2.0", "id": id, "error": fault}
	}
	text, err := json.Marshal(message)
	if err != nil { // a number that JSON has no word for
		return answer(id, nil, &Failure{http.StatusInternalServerError, "Something went wrong inside layerd."})
	}
	return text
}

// take does one call: what is the socket's own at once, all else beside it.
func (c *client) take(ctx context.Context, m asking) error {
	id, ok := m.id()
	in, named := m.params()
	known, there := methodNamed(m.Method)
	reply := func(result any, fault *Failure) error {
		if id == nil {
			return nil
		}
		return c.k.WriteText(answer(id, result, fault))
	}
	switch {
	case !ok:
		id = json.RawMessage("null")
		return reply(nil, noRequest)
	case m.Version != "2.0" || m.Method == "":
		return reply(nil, noRequest)
	case !named:
		return reply(nil, noParams)
	}
	switch m.Method {
	case "server.connection.identify":
		return reply(object{"connection_id": c.number}, nil)
	case "server.websocket.id":
		return reply(object{"websocket_id": c.number}, nil)
	case "printer.objects.subscribe":
		result, err := c.subscribe(in)
		return reply(result, c.faultOf(err))
	}
	if !there {
		return reply(nil, noMethod)
	}
	if c.me.Role < known.least {
		return reply(nil, &Failure{http.StatusForbidden, "This needs the role of " + known.least.String() + "."})
	}
	places := c.underWay
	if m.Method == emergencyStop {
		places = c.urgent
	}
	select {
	case places <- struct{}{}:
	default:
		return reply(nil, &Failure{http.StatusServiceUnavailable, "Too many calls are under way. Wait for answers."})
	}
	c.calls.Go(func() {
		defer func() { <-places }()
		result, err := known.run(c.a, call{c.r, c.me, in})
		if id == nil {
			return
		}
		select {
		case c.answers <- answer(id, result, c.faultOf(err)):
		case <-ctx.Done():
		}
	})
	return nil
}

func (c *client) faultOf(err error) *Failure {
	if err == nil {
		return nil
	}
	f := c.a.failure(err)
	if errors.Is(err, errSelection) || errors.Is(err, errArguments) {
		f.Code = noParams.Code
	}
	return &f
}

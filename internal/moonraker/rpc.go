package moonraker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
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
	var of *batch
	if isBatch(text) {
		of = &batch{left: len(calls)}
	}
	for _, m := range calls {
		if err := c.take(ctx, m, of); err != nil {
			return err
		}
	}
	return nil
}

// batch is several calls in one message, which are answered in one.
type batch struct {
	left    int // calls that are not done yet
	answers [][]byte
}

// done is a call that is done: its answer, nil when nobody wants one, and the batch that it is of, nil when it came alone.
type done struct {
	answer []byte
	of     *batch
}

// end sends the answer of a call, or keeps it until all others of its batch are done.
func (c *client) end(d done) error {
	text := d.answer
	if b := d.of; b != nil {
		b.left--
		if text != nil {
			b.answers = append(b.answers, text)
		}
		if b.left > 0 || len(b.answers) == 0 {
			return nil
		}
		text = slices.Concat([]byte("["), bytes.Join(b.answers, []byte(",")), []byte("]"))
	}
	if text == nil {
		return nil
	}
	return c.k.WriteText(text)
}

var (
	noJSON    = &Failure{-32700, "Parse error"}
	noRequest = &Failure{-32600, "Invalid Request"}
	noMethod  = &Failure{-32601, "Method not found"}
	noParams  = &Failure{-32602, "Invalid params"}
)

// isBatch reports whether a message that is JSON has several calls.
func isBatch(text []byte) bool { return bytes.TrimSpace(text)[0] == '[' }

// callsIn are the calls in a message.
func callsIn(text []byte) (calls []asking, fault *Failure) {
	if !json.Valid(text) {
		return nil, noJSON
	}
	if isBatch(text) {
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
func (c *client) take(ctx context.Context, m asking, of *batch) error {
	id, ok := m.id()
	in, named := m.params()
	known, there := methodNamed(m.Method)
	reply := func(result any, fault *Failure) error {
		if id == nil {
			return c.end(done{nil, of})
		}
		return c.end(done{answer(id, result, fault), of})
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
	places, turns := c.accepted, c.underWay
	if m.Method == emergencyStop {
		places, turns = c.urgent, make(chan struct{}, 1)
	}
	select {
	case places <- struct{}{}:
	default:
		return reply(nil, &Failure{http.StatusServiceUnavailable, "Too many calls are under way. Wait for answers."})
	}
	c.calls.Go(func() {
		defer func() { <-places }()
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-ctx.Done():
			return
		}
		d := done{of: of}
		if result, err := known.run(c.a, call{c.r, c.me, in}); id != nil {
			d.answer = answer(id, result, c.faultOf(err))
		}
		select {
		case c.done <- d:
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

package peertest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"strings"
	"time"
)

// Peer is a server to be asked.
type Peer struct {
	URL  string // such as http://127.0.0.1:5000, without a '/' at the end
	Key  string // of somebody who may do everything
	Port string // of the printer; "" = the first that the server offers
	Say  string // begins a line by which the printer says "//" and what follows; "" = as Marlin has it
}

// ask is one request of the script. Words such as $PORT are the player's.
type ask struct {
	by   string // clients that send it
	do   string // method and path
	json string // body
	form string // body, as a browser's form: "path=there file=@peer-small.gcode"
	text string // body that is neither
	kind string // Content-Type, where it is not the body's own
	as   key

	header string // one more: "Host: localhost:5000"
	take   string // the field of the answer that becomes a word
	brief  int    // levels of the body that are looked at; 0 = all
	until  string // not a request but a wait, until the peer says this: see player.reached
}

type key int

const (
	admin key = iota
	nobody
	stranger // a wrong key
)

// name of the answer.
func (a ask) name(phase string) string {
	if a.until != "" {
		return phase + ": until " + a.until
	}
	parts := []string{phase + ":", a.do}
	for _, more := range []string{a.json, a.form, a.text, a.header, [...]string{"", "without a key", "with a wrong key"}[a.as]} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return strings.Join(parts, " ")
}

const (
	patience  = 60 * time.Second // for a state
	hurried   = 3 * time.Second  // once one was not reached, as the rest is likely to fail as well
	largest   = 16 << 20         // answer
	ownName   = "peer"           // begins the names of the files of the script
	perAnswer = 20 * time.Second
)

// Play asks a server everything, in order, and returns what it answered. It needs a printer that is a pretended one: it heats, moves and prints, for
// about two minutes. What goes wrong with one request is recorded as its answer; an error means that there is no such server.
func Play(ctx context.Context, peer Peer) (Recording, error) {
	p := newPlayer(peer)
	if err := p.begin(ctx); err != nil {
		return nil, fmt.Errorf("ask %s: %w", peer.URL, err)
	}
	if err := p.beOffline(ctx); err != nil {
		return nil, err
	}
	p.heard = p.listen(ctx)
	defer p.heard.close()
	for _, phase := range script {
		for _, a := range phase.asks {
			if err := p.play(ctx, phase.name, a); err != nil {
				return nil, err
			}
		}
		if phase.pushed {
			p.ways(ctx)
		}
	}
	p.heard.close()
	maps.Copy(p.got, p.heard.got)
	return p.got, ctx.Err()
}

type player struct {
	peer   Peer
	client *http.Client
	got    Recording
	words  map[string]string
	auth   string // what a push client says
	heard  *listener
	begun  time.Time // of the last request that did something
	hurry  bool      // see hurried
}

func newPlayer(peer Peer) *player {
	client := &http.Client{
		Timeout:       perAnswer,
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &player{peer: peer, client: client, got: make(Recording), words: map[string]string{"PORT": peer.Port, "KEY": peer.Key, "SAY": cmp.Or(peer.Say, "M118 A1 ")}}
}

// begin looks whether anybody is there, and learns the words of the script.
func (p *player) begin(ctx context.Context) error {
	if _, err := p.fetch(ctx, "GET /api/version", ""); err != nil {
		return err
	}
	if p.peer.Port == "" {
		text, err := p.fetch(ctx, "GET /api/connection", "")
		if err != nil {
			return err
		}
		var connection struct{ Options struct{ Ports []string } }
		if err := json.Unmarshal(text, &connection); err != nil {
			return fmt.Errorf("read its ports: %w", err)
		}
		if len(connection.Options.Ports) > 0 {
			p.words["PORT"] = connection.Options.Ports[0]
		}
	}
	text, err := p.fetch(ctx, "POST /api/login", `{"passive":true}`)
	if err != nil {
		return err
	}
	var me struct{ Name, Session string }
	if err := json.Unmarshal(text, &me); err != nil {
		return fmt.Errorf("read who we are: %w", err)
	}
	p.words["ME"], p.auth = me.Name, me.Name+":"+me.Session
	return nil
}

// beOffline is how all begin, also those who connect to their printer by themselves.
func (p *player) beOffline(ctx context.Context) error {
	if _, err := p.fetch(ctx, "POST /api/connection", `{"command":"disconnect"}`); err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, patience)
	defer done()
	for !p.reached(ctx, "Offline") {
		if pause(ctx); ctx.Err() != nil {
			return fmt.Errorf("wait until its printer is offline: %w", ctx.Err())
		}
	}
	return nil
}

// fetch is a request of the player's own, which must succeed.
func (p *player) fetch(ctx context.Context, do, body string) ([]byte, error) {
	response, text, err := p.send(ctx, ask{do: do, json: body})
	if err == nil && response.StatusCode/100 != 2 {
		err = errors.New(response.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", do, err)
	}
	return text, nil
}

// play records the answer to a. Its error is ctx's.
func (p *player) play(ctx context.Context, phase string, a ask) error {
	name := p.unused(a.name(phase))
	if a.until != "" {
		p.got[name] = Answer{Body: Shape{"": {p.wait(ctx, a.until)}}}
		return ctx.Err()
	}
	if !strings.HasPrefix(a.do, "GET ") {
		p.begun = time.Now()
	}
	response, body, err := p.send(ctx, a)
	if err != nil {
		p.got[name] = Answer{By: a.by, Body: Shape{"": {"nothing: " + strings.ReplaceAll(err.Error(), p.peer.URL, "BASE")}}}
		return ctx.Err()
	}
	answer := Answer{By: a.by, Status: response.StatusCode, Headers: p.headers(response, len(body) == 0), Body: make(Shape)}
	base := p.peer.URL
	switch err := answer.Body.add(body, base); {
	case len(body) == 0:
		answer.Body = nil
	case err != nil:
		answer.Body = Shape{"": {notJSON(body)}}
	}
	if a.brief > 0 {
		maps.DeleteFunc(answer.Body, func(path string, _ Kinds) bool { return strings.Count(path, ".") >= a.brief })
	}
	p.got[name] = answer
	if a.take != "" {
		var fields map[string]any
		json.Unmarshal(body, &fields) // no JSON has no such field
		p.words[strings.ToUpper(strings.ReplaceAll(a.take, "_", ""))], _ = fields[a.take].(string)
	}
	return ctx.Err()
}

// unused numbers what is asked again.
func (p *player) unused(name string) string {
	numbered := name
	for n := 2; p.got[numbered].Body != nil || p.got[numbered].Status != 0; n++ {
		numbered = fmt.Sprintf("%s (%d)", name, n)
	}
	return numbered
}

func notJSON(body []byte) string {
	for name, content := range files() {
		if bytes.Equal(body, content) {
			return "the file=" + name
		}
	}
	return "text"
}

// headers that clients read. An empty body has no type.
func (p *player) headers(response *http.Response, empty bool) map[string]string {
	kept := make(map[string]string)
	for _, name := range []string{"Location", "WWW-Authenticate", "Content-Disposition", "Content-Range", "Accept-Ranges", "Content-Type"} {
		value := response.Header.Get(name)
		if value == "" || name == "Content-Type" && empty {
			continue
		}
		if name == "Content-Type" {
			value, _, _ = mime.ParseMediaType(value)
		}
		value = strings.ReplaceAll(value, p.peer.URL, "BASE")
		if secret := p.words["APPTOKEN"]; secret != "" {
			value = strings.ReplaceAll(value, secret, "APPTOKEN")
		}
		kept[name] = value
	}
	// The token of a new app is in its own answer.
	if before, _, isApp := strings.Cut(kept["Location"], "/plugin/appkeys/request/"); isApp {
		kept["Location"] = before + "/plugin/appkeys/request/APPTOKEN"
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func (p *player) send(ctx context.Context, a ask) (*http.Response, []byte, error) {
	method, path, _ := strings.Cut(p.fill(a.do), " ")
	body, kind := []byte(p.fill(cmp.Or(a.json, a.text))), ""
	switch {
	case a.form != "":
		var err error
		if body, kind, err = form(a.form); err != nil {
			return nil, nil, err
		}
	case a.json != "":
		kind = "application/json"
	}
	request, err := http.NewRequestWithContext(ctx, method, p.peer.URL+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	if kind = cmp.Or(a.kind, kind); kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	switch name, value, _ := strings.Cut(a.header, ": "); name {
	case "":
	case "Host":
		request.Host = value
	default:
		request.Header.Set(name, p.fill(value))
	}
	switch a.as {
	case admin:
		if !strings.HasPrefix(a.header, "Authorization") && !strings.Contains(path, "apikey=") {
			request.Header.Set("X-Api-Key", p.peer.Key)
		}
	case stranger:
		request.Header.Set("X-Api-Key", "00000000000000000000000000000000")
	}
	response, err := p.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, largest))
	return response, text, err
}

// fill puts the words in.
func (p *player) fill(text string) string {
	return os.Expand(text, func(word string) string { return p.words[word] })
}

// form is a multipart body, with the parts in the order in which the client sends them.
func form(parts string) (body []byte, kind string, err error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for part := range strings.FieldsSeq(parts) {
		name, value, _ := strings.Cut(part, "=")
		if file, isFile := strings.CutPrefix(value, "@"); isFile {
			part, _ := w.CreateFormFile(name, file) // into memory: it cannot fail
			part.Write(files()[file])
		} else {
			w.WriteField(name, value)
		}
	}
	err = w.Close()
	return out.Bytes(), w.FormDataContentType(), err
}

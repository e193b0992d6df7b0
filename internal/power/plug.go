package power

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// What flows here: on, off or a question → a request of the plug's kind → an answer of at most maxAnswer → the state that it tells.
//
//	Tasmota    GET /cm?cmnd=Power1%20On      {"POWER":"ON"}; with a password also user= and password= (tasmota.github.io/docs/Commands, With Web Requests)
//	Shelly     GET /relay/0?turn=on          {"ison":true,…}; a password by Basic (shelly-api-docs.shelly.cloud/gen1, /relay/{index})
//	Shelly 2   GET /rpc/Switch.Set?id=0&on=true      {"was_on":false}
//	           GET /rpc/Switch.GetStatus?id=0        {"output":true,…}; a password by Digest with SHA-256, of the name admin (…/gen2, Switch, Authentication)

const (
	plugTime  = 5 * time.Second // for one request with its answer
	maxAnswer = 64 << 10        // bytes
	maxSaid   = 200             // of what is shown of it
)

// plug asks one plug.
type plug struct {
	way  Way
	http *http.Client
}

func newPlug(w Way) *plug {
	return &plug{way: w, http: &http.Client{
		Timeout: plugTime,
		// A redirect could lead anywhere, with our password in its hands.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// Plugs have few sockets: none is kept. No proxy is asked for what is in the same house.
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: plugTime}).DialContext, DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10, DisableCompression: true},
	}}
}

func (p *plug) close() { p.http.CloseIdleConnections() }

func (p *plug) set(ctx context.Context, on bool) error {
	target, method := "", http.MethodGet
	word, channel := "off", strconv.Itoa(p.way.Channel)
	if on {
		word = "on"
	}
	switch p.way.Kind {
	case Tasmota:
		target = p.tasmota(word)
	case Shelly:
		target = p.way.Address + "/relay/" + channel + "?turn=" + word
	case Shelly2:
		target = p.way.Address + "/rpc/Switch.Set?id=" + channel + "&on=" + strconv.FormatBool(on)
	default:
		if target = p.way.OffURL; on {
			target = p.way.OnURL
		}
		if p.way.Post {
			method = http.MethodPost
		}
	}
	body, err := p.ask(ctx, method, target)
	if err == nil && p.way.Kind == Tasmota {
		_, err = tasmotaState(body) // it says in words, with 200, that it wants a password
	}
	return err
}

func (p *plug) get(ctx context.Context) (State, string, error) {
	target, channel := p.way.StateURL, strconv.Itoa(p.way.Channel)
	switch p.way.Kind {
	case Tasmota:
		target = p.tasmota("")
	case Shelly:
		target = p.way.Address + "/relay/" + channel
	case Shelly2:
		target = p.way.Address + "/rpc/Switch.GetStatus?id=" + channel
	}
	if target == "" {
		return Unknown, "", nil
	}
	body, err := p.ask(ctx, http.MethodGet, target)
	if err != nil {
		return Unknown, "", err
	}
	now, err := p.read(body)
	return now, p.clean(body), err
}

// tasmota is the address of a command about the power; word is "on", "off", or "" for the question. Its password goes in the address, as Tasmota wants it.
func (p *plug) tasmota(word string) string {
	command := "Power"
	if p.way.Channel > 0 {
		command += strconv.Itoa(p.way.Channel)
	}
	if word != "" {
		command += " " + word
	}
	query := url.Values{"cmnd": {command}}
	if p.way.Password != "" {
		query.Set("user", p.way.User)
		if p.way.User == "" {
			query.Set("user", "admin")
		}
		query.Set("password", p.way.Password)
	}
	return p.way.Address + "/cm?" + strings.ReplaceAll(query.Encode(), "+", "%20")
}

var (
	errNoState  = errors.New("its answer does not say whether it is on")
	errPassword = errors.New("it wants a name and a password, or others than these")
)

// read is what an answer to the question tells.
func (p *plug) read(body []byte) (State, error) {
	switch p.way.Kind {
	case Tasmota:
		return tasmotaState(body)
	case Web:
		return stateOf(strings.Contains(string(body), p.way.OnText)), nil
	}
	var told struct {
		IsOn   *bool `json:"ison"`   // Shelly
		Output *bool `json:"output"` // Shelly 2
	}
	if json.Unmarshal(body, &told) != nil {
		return Unknown, errNoState
	}
	on := told.IsOn
	if p.way.Kind == Shelly2 {
		on = told.Output
	}
	if on == nil {
		return Unknown, errNoState
	}
	return stateOf(*on), nil
}

// tasmotaState reads {"POWER":"ON"}, whose key has the number of the channel where there are several.
func tasmotaState(body []byte) (State, error) {
	var told map[string]any
	if json.Unmarshal(body, &told) != nil {
		return Unknown, errNoState
	}
	if _, warned := told["WARNING"]; warned {
		return Unknown, errPassword
	}
	for key, v := range told {
		if number, ok := strings.CutPrefix(key, "POWER"); ok && strings.Trim(number, "0123456789") == "" {
			switch v {
			case "ON":
				return On, nil
			case "OFF":
				return Off, nil
			}
		}
	}
	return Unknown, errNoState
}

// ask sends a request, twice where the plug wants a Digest. No error has the address in it, which may hold a password.
func (p *plug) ask(ctx context.Context, method, target string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, plugTime)
	defer cancel()
	authorization := ""
	for try := 0; ; try++ {
		r, err := http.NewRequestWithContext(ctx, method, target, nil)
		if err != nil {
			return nil, errAddress
		}
		switch {
		case authorization != "":
			r.Header.Set("Authorization", authorization)
		case p.way.Password != "" && (p.way.Kind == Shelly || p.way.Kind == Web):
			r.SetBasicAuth(p.way.User, p.way.Password)
		}
		body, status, challenge, err := p.once(r)
		switch {
		case err != nil:
			return nil, fmt.Errorf("the plug does not answer: %w", err)
		case status == http.StatusUnauthorized && try == 0 && p.way.Password != "" && p.way.Kind == Shelly2:
			if authorization = answerDigest(challenge, "admin", p.way.Password, method, r.URL.RequestURI()); authorization == "" {
				return nil, errPassword
			}
		case status == http.StatusUnauthorized || status == http.StatusForbidden:
			return nil, errPassword
		case status/100 == 3:
			return nil, errors.New("the plug sends us to another address, which is not followed")
		case status/100 != 2:
			return nil, fmt.Errorf("the plug answers with status %d: %s", status, p.clean(body))
		default:
			return body, nil
		}
	}
}

func (p *plug) once(r *http.Request) (body []byte, status int, challenge string, err error) {
	answer, err := p.http.Do(r)
	if err != nil {
		var at *url.Error
		if errors.As(err, &at) {
			err = at.Err
		}
		return nil, 0, "", err
	}
	defer answer.Body.Close()
	body, err = io.ReadAll(io.LimitReader(answer.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		err = fmt.Errorf("its answer is longer than %d kB", maxAnswer>>10)
	}
	return body, answer.StatusCode, answer.Header.Get("WWW-Authenticate"), err
}

// clean is what an answer says, for people: one line, bounded, and without our password, which it might repeat.
func (p *plug) clean(body []byte) string {
	text := string(body[:min(len(body), 4*maxSaid)])
	if p.way.Password != "" {
		text = strings.ReplaceAll(text, p.way.Password, "…")
		text = strings.ReplaceAll(text, url.QueryEscape(p.way.Password), "…")
	}
	text = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(text, ""), func(c rune) bool { return unicode.IsSpace(c) || !unicode.IsPrint(c) }), " ")
	if len(text) > maxSaid {
		text = strings.ToValidUTF8(text[:maxSaid], "") + "…"
	}
	return text
}

package access

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func looker(ticket, authorization, cookie string) *http.Request {
	r := request(lan, authorization, cookie)
	r.URL.Path, r.URL.RawQuery = "/webcam/", url.Values{"action": {"stream"}, "view": {ticket}}.Encode()
	return r
}

func TestViewTickets(t *testing.T) {
	m := newMemory(table, Account{ID: "p", Name: "Pia", Role: Operator}, Account{ID: "q", Name: "Quirin", Role: Nobody})
	m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Owner}}
	m.sessions["of pia"] = Session{ID: "s", Of: "p"}
	g := NewGate(Config{Book: m, Demo: "ld_demo", ViewSecret: []byte("kept")})
	wanda := g.ViewTicket(Identity{ID: "3", Via: "bearer"})
	other := NewGate(Config{Book: m, ViewSecret: []byte("another")})
	for name, c := range map[string]struct {
		ticket, authorization, cookie string
		want                          Identity
		err                           error
	}{
		"a key's":                {ticket: wanda, want: Identity{ID: "3", Name: "Wanda", Role: Viewer, Via: "ticket", From: "192.168.1.7"}},
		"a person's":             {ticket: g.ViewTicket(Identity{ID: "p"}), want: Identity{ID: "p", Name: "Pia", Role: Viewer, Via: "ticket", From: "192.168.1.7"}},
		"the demo's":             {ticket: g.ViewTicket(demoOwner()), want: Identity{ID: "demo", Name: "demo", Role: Viewer, Via: "ticket", From: "192.168.1.7"}},
		"after a restart":        {ticket: NewGate(Config{Book: m, ViewSecret: []byte("kept")}).ViewTicket(Identity{ID: "3"}), want: Identity{ID: "3", Name: "Wanda", Role: Viewer, Via: "ticket", From: "192.168.1.7"}},
		"somebody without role":  {ticket: g.ViewTicket(Identity{ID: "q"}), err: ErrDenied},
		"nobody's":               {ticket: g.ViewTicket(Identity{ID: "x"}), err: ErrDenied},
		"of another layerd":      {ticket: other.ViewTicket(Identity{ID: "3"}), err: ErrDenied},
		"for another ID":         {ticket: "p" + wanda[1:], err: ErrDenied},
		"without a seal":         {ticket: "3", err: ErrDenied},
		"with an empty seal":     {ticket: "3.", err: ErrDenied},
		"with a piece of it":     {ticket: wanda[:len(wanda)-1], err: ErrDenied},
		"with more than it":      {ticket: wanda + "A", err: ErrDenied},
		"of nothing":             {ticket: "." + g.seal(""), err: ErrDenied},
		"none":                   {err: ErrDenied},
		"endless":                {ticket: strings.Repeat("3", 100_000) + ".x", err: ErrDenied},
		"beside a wrong key":     {ticket: wanda, authorization: "Bearer nonsense", err: ErrDenied},
		"beside a right key":     {ticket: wanda, authorization: "Bearer ld_o", want: Identity{ID: "2", Name: "Otto", Role: Operator, Via: "bearer", From: "192.168.1.7", Confirmed: true}},
		"beside a cookie":        {ticket: wanda, cookie: "of pia", want: Identity{ID: "p", Name: "Pia", Role: Operator, Via: "session", Session: "s", From: "192.168.1.7"}},
		"beside one that ended":  {ticket: wanda, cookie: "of nobody", want: Identity{ID: "3", Name: "Wanda", Role: Viewer, Via: "ticket", From: "192.168.1.7"}},
		"a key in its place":     {ticket: "ld_w", err: ErrDenied},
		"a session in its place": {ticket: "of pia", err: ErrDenied},
	} {
		got, err := g.IdentifyViewer(looker(c.ticket, c.authorization, c.cookie))
		if !errors.Is(err, c.err) || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v, %v", name, got, err, c.want, c.err)
		}
		g.wrong = newFailures()
	}
	if _, err := g.Identify(looker(wanda, "", "")); !errors.Is(err, ErrDenied) {
		t.Errorf("elsewhere: got %v, want ErrDenied", err)
	}
	if got := g.ViewTicket(Identity{ID: "tailnet:a@b", Via: "tailnet"}); got != "" {
		t.Errorf("to somebody on the tailnet: got %q", got)
	}
	delete(m.byID, "3")
	if _, err := g.IdentifyViewer(looker(wanda, "", "")); !errors.Is(err, ErrDenied) {
		t.Errorf("after the key was taken back: got %v, want ErrDenied", err)
	}
}

// Whoever tries tickets is stopped as one who tries keys.
func TestForgedTicketsAreCounted(t *testing.T) {
	m := newMemory(table)
	m.byID = map[string]Key{"3": {ID: "3", Name: "Wanda", Role: Owner}}
	g := NewGate(Config{Book: m})
	good := looker(g.ViewTicket(Identity{ID: "3"}), "", "")
	if _, err := g.IdentifyViewer(good); err != nil {
		t.Fatal(err)
	}
	for range maxFailures {
		g.IdentifyViewer(looker("3.forged", "", ""))
	}
	if _, err := g.IdentifyViewer(looker("3.forged", "", "")); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v, want ErrTooMany", err)
	}
	if _, err := g.IdentifyViewer(good); err != nil {
		t.Errorf("one that was right before: got %v", err)
	}
}

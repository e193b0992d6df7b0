package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"time"
)

// page is layerd as a browser sees it: with a session's cookie, over the API that the page uses.
type page struct {
	m       *machine
	browser http.Client
}

func newPage(m *machine) (*page, error) {
	jar, err := cookiejar.New(nil)
	return &page{m, http.Client{Jar: jar, Timeout: time.Minute}}, err
}

// state is what of GET /v1/state counts here.
type state struct {
	State      string
	Connection struct{ Port string }
	Job        *job
	Lost       *struct{}
	Fault      *struct{ Code, Message string }
	LastJob    *struct{ ID, Outcome string } `json:"last_job"`
	Cameras    []struct {
		ID              int
		Device, Problem string
		Live            bool
	}
	Keeper struct {
		Cooling struct {
			Idle int `json:"idle_min"`
		}
	}
	Me      struct{ Name, Role string }
	Version string
}

type job struct {
	ID, File    string
	Line, Lines int64
}

// print is a row of the history.
type print struct {
	ID, File, Outcome string
	Line, Layer       int64
	Percent           float64
}

// ask sends a request and decodes the answer, which must have the status.
func (p *page) ask(method, path string, body io.Reader, want int, answer any) error {
	r, err := http.NewRequest(method, p.m.page+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Origin", p.m.page) // as layerd's own page
	response, err := p.browser.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 64<<20))
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if response.StatusCode != want {
		return fmt.Errorf("%s %s: %s, want %d: %.400s", method, path, response.Status, want, text)
	}
	if raw, ok := answer.(*[]byte); ok {
		*raw = text
		return nil
	}
	if answer == nil {
		return nil
	}
	if err := json.Unmarshal(text, answer); err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	return nil
}

// do gives a command, which must be accepted, and returns the job of its answer.
func (p *page) do(command string, args ...any) (job string, err error) {
	var answer struct{ Job string }
	err = p.ask("POST", "/v1/do", strings.NewReader(fmt.Sprintf(command, args...)), http.StatusOK, &answer)
	return answer.Job, err
}

func (p *page) state() (s state, err error) {
	return s, p.ask("GET", "/v1/state", nil, http.StatusOK, &s)
}

// upload puts a file there, which must be new.
func (p *page) upload(name string, content []byte) error {
	return p.ask("PUT", "/v1/files/"+name, bytes.NewReader(content), http.StatusCreated, nil)
}

// row is what the history has of a print.
func (p *page) row(id string) (print, error) {
	var list struct{ Prints []print }
	if err := p.ask("GET", "/v1/prints", nil, http.StatusOK, &list); err != nil {
		return print{}, err
	}
	for _, row := range list.Prints {
		if row.ID == id {
			return row, nil
		}
	}
	return print{}, fmt.Errorf("the history has no print %s among %d", id, len(list.Prints))
}

// reach waits until the state is as wanted.
func (p *page) reach(what string, most time.Duration, ok func(s state) bool) (took time.Duration, err error) {
	return p.m.within(what, most, func() error {
		s, err := p.state()
		if err == nil && !ok(s) {
			err = fmt.Errorf("it is %q, fault %+v, job %+v, last job %+v, cameras %+v", s.State, s.Fault, s.Job, s.LastJob, s.Cameras)
		}
		return err
	})
}

func idle(s state) bool { return s.State == "idle" }

// atLine waits until the print under way has come so far.
func (p *page) atLine(line int64) error {
	_, err := p.reach(fmt.Sprintf("line %d", line), 3*time.Minute, func(s state) bool { return s.State == "printing" && s.Job != nil && s.Job.Line >= line })
	return err
}

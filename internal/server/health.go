package server

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"layerd/internal/access"
	"layerd/internal/health"
)

// What flows here: do the parts without which nothing prints answer? ─▶ /healthz, for who restarts us; how does the machine do? ─▶ the owner's page, and a
// word of it in everybody's state.

// Vital is a part without which layerd is dead.
type Vital struct {
	Name  string                          // one word, for /healthz
	Alive func(ctx context.Context) error // returns when the part has answered, or ctx ends; where it hangs in spite of that, it is not asked again meanwhile
}

const (
	pulseGood = time.Second // anybody may ask, so it is found out no more often than this
	pulseMost = 2 * time.Second
)

// pulse is what was found out last.
type pulse struct {
	at   time.Time
	dead string // the name of the part that does not answer; "" all do
}

// pulses is the newest, and who finds out the next.
type pulses struct {
	newest atomic.Pointer[pulse]
	asking chan struct{}           // holds one token while somebody does
	hung   map[string]<-chan error // parts that have not come back; who holds the token has it
}

// serveHealth answers GET /healthz: 200 and "ok", or 503 and the name of a part that does not answer. It is open to all, and tells no more.
func (s *Server) serveHealth(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	now, err := s.feelPulse(r.Context())
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	word := "ok"
	if now.dead != "" {
		word = now.dead
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	io.WriteString(w, word+"\n")
	return nil
}

// feelPulse asks the vital parts, or says what was found within the last second. However many ask, one finds out.
func (s *Server) feelPulse(ctx context.Context) (*pulse, error) {
	fresh := func() *pulse {
		if p := s.pulses.newest.Load(); p != nil && time.Since(p.at) < pulseGood {
			return p
		}
		return nil
	}
	if p := fresh(); p != nil {
		return p, nil
	}
	select {
	case s.pulses.asking <- struct{}{}:
		defer func() { <-s.pulses.asking }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if p := fresh(); p != nil {
		return p, nil
	}
	p := &pulse{}
	// Who asked may be gone soon; the others that wait want to know all the same.
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), pulseMost)
	defer cancel()
	for _, v := range s.cfg.Vital {
		if err := s.pulses.ask(within, v); err != nil {
			p.dead = v.Name
			s.log.Error("a vital part does not answer", "part", v.Name, "err", err)
			break
		}
	}
	p.at = time.Now()
	s.pulses.newest.Store(p)
	return p, nil
}

// ask asks a part, for as long as ctx lasts.
func (p *pulses) ask(ctx context.Context, v Vital) error {
	answer := p.hung[v.Name]
	if answer == nil || len(answer) > 0 { // what it has said since is old
		back := make(chan error, 1)
		answer = back
		go func() { back <- v.Alive(ctx) }()
	}
	select {
	case err := <-answer:
		delete(p.hung, v.Name)
		return err
	case <-ctx.Done():
		p.hung[v.Name] = answer
		return ctx.Err()
	}
}

// hostState is the short of what the newest report says.
func (s *Server) hostState() HostState {
	r := s.report()
	state := HostState{Level: r.Level, AtMS: r.AtMS}
	if worst := r.Worst(); r.Level == health.Bad || r.Level == health.Warn {
		state.ID, state.Name, state.Found, state.Do = worst.ID, worst.Name, worst.Found, worst.Do
	}
	return state
}

// report is the newest; an empty one while nobody has looked.
func (s *Server) report() *health.Report {
	if s.cfg.Reports != nil {
		if r, _ := s.cfg.Reports.Get(); r != nil {
			return r
		}
	}
	return &health.Report{Level: health.Unknown, Checks: []health.Check{}}
}

// serveMachine answers GET /v1/health.
func (s *Server) serveMachine(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	s.writeJSON(w, http.StatusOK, MachineHealth{Report: s.report()})
	return nil
}

package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"layerd/internal/access"
	"layerd/internal/store"
)

// What flows here: a command (perform) or a request that changes something (ServeHTTP, by the table of routes) → a deed → a bounded channel →
// keepDeeds, which writes them together: a card wears out, and nothing waits for it.

const (
	deedsEvery = 2 * time.Second // they are written, at most
	deedsLast  = time.Second     // for the last of them, when layerd ends
	deedsMost  = 512             // at once; while none can be written, what comes behind them and those that wait is lost
)

// deeds are those that are not written yet.
type deeds struct {
	waiting chan store.Deed
	lost    atomic.Int64 // that did not fit
}

// note adds a deed to the audit log, later. It never waits.
func (s *Server) note(me access.Identity, what, detail, outcome string) {
	if me.ID == "" && len(s.deeds.waiting) >= cap(s.deeds.waiting)/2 { // who is not in crowds out nobody who is
		s.deeds.lost.Add(1)
		return
	}
	d := store.Deed{AtMS: time.Now().UnixMilli(), Who: me.ID, Name: me.Name, Role: me.Role.String(), Via: me.Via, From: me.From, What: what, Detail: detail, Outcome: outcome}
	select {
	case s.deeds.waiting <- d:
	default:
		s.deeds.lost.Add(1)
	}
}

// requestNote is what a handler knows of a deed that the table of routes does not.
type requestNote struct {
	me     access.Identity // who it turned out to be
	detail string
}

type noteKey struct{}

func withNote(r *http.Request, me access.Identity) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), noteKey{}, &requestNote{me: me, detail: r.PathValue("path")}))
}

// noteOf is the note of a request. One whose route has no deed gets one that nobody reads.
func noteOf(r *http.Request) *requestNote {
	if n, ok := r.Context().Value(noteKey{}).(*requestNote); ok {
		return n
	}
	return &requestNote{}
}

// noteRequest notes what came of a request. Of people who are not in only wrong passwords, keys and set-up secrets are noted, and those only as often as may be
// tried: what is written of them pushes out nothing that others did.
func (s *Server) noteRequest(r *http.Request, route mounted, err error) {
	n := noteOf(r)
	tried := errors.Is(err, access.ErrWrongPassword) || route.least == access.Nobody && errors.Is(err, access.ErrDenied)
	if n.me.ID == "" && !tried {
		return
	}
	outcome := "ok"
	if err != nil {
		e, _ := explain(err)
		outcome = e.Code
	}
	if n.me.From == "" {
		n.me.From = s.cfg.Gate.Source(r)
	}
	s.note(n.me, route.deed, n.detail, outcome)
}

// detailOf is what is told of a command: what it is about, never what may be secret.
func detailOf(c *call) string {
	var parts []string
	if c.about != "" {
		parts = append(parts, c.about)
	}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+" "+value)
		}
	}
	number := func(name string, v *float64) {
		if v != nil {
			parts = append(parts, fmt.Sprintf("%s %g", name, *v))
		}
	}
	add("file", short(c.File))
	add("to", short(c.To))
	add("name", short(c.Name))
	add("app", short(c.App))
	add("role", short(c.Role))
	add("line", short(c.Line))
	add("port", short(c.Port))
	add("axes", short(c.Axes))
	if c.Power != nil {
		add("kind", string(c.Power.Power.Kind))
	}
	if c.Way != nil {
		add("kind", string(c.Way.Kind))
	}
	if c.Stop != nil {
		add("stop", where(*c.Stop))
	}
	if c.Overlay != nil {
		add("kind", string(c.Overlay.Kind))
		add("default_role", c.Overlay.Tailnet.DefaultRole)
	}
	for name, v := range map[string]*int{"button": c.Button, "camera_id": c.CameraID} {
		if v != nil {
			add(name, strconv.Itoa(*v))
		}
	}
	for _, v := range []struct {
		name  string
		value int64
	}{{"tool", int64(c.Tool)}, {"spool_id", c.SpoolID}, {"entry", c.Entry}, {"copies", int64(c.Copies)}, {"copy", c.Copy}} {
		if v.value != 0 {
			add(v.name, strconv.FormatInt(v.value, 10))
		}
	}
	if c.ByMM != 0 {
		number("by_mm", &c.ByMM)
	}
	number("value", c.Value)
	number("to_mm", c.ToMM)
	number("target_c", c.TargetC)
	number("percent", c.Percent)
	number("factor", c.Factor)
	number("acceleration_mm_s2", c.AccelerationMMS2)
	if c.Anyway {
		parts = append(parts, "anyway")
	}
	if c.OverLimits {
		parts = append(parts, "over_limits")
	}
	if c.On != nil {
		add("on", strconv.FormatBool(*c.On))
	}
	return strings.Join(parts, ", ")
}

// short is the beginning of a text, at most 80 characters.
func short(text string) string {
	if utf8.RuneCountInString(text) <= 80 {
		return text
	}
	return string([]rune(text)[:79]) + "…"
}

// keepDeeds writes deeds until ctx ends, and then those that are left. What a card did not take is tried again with the next.
func (s *Server) keepDeeds(ctx context.Context) {
	var left []store.Deed
	for ctx.Err() == nil {
		if len(left) == 0 {
			select {
			case d := <-s.deeds.waiting:
				left = append(left, d)
			case <-ctx.Done():
			}
		}
		select {
		case <-time.After(deedsEvery): // for others to come
		case <-ctx.Done():
		}
		left = s.writeDeeds(left)
	}
}

// writeDeeds writes a batch and all that wait behind it, and returns what could not be written.
func (s *Server) writeDeeds(batch []store.Deed) (left []store.Deed) {
	for more := true; more && len(batch) < deedsMost; {
		select {
		case d := <-s.deeds.waiting:
			batch = append(batch, d)
		default:
			more = false
		}
	}
	left = batch
	lost := s.deeds.lost.Swap(0)
	if lost > 0 {
		batch = append(batch, store.Deed{AtMS: time.Now().UnixMilli(), What: "lost", Detail: count(lost, "deed was", "deeds were") + " too many to be written down", Outcome: "ok"})
	}
	ctx, cancel := context.WithTimeout(context.Background(), deedsLast+deedsEvery)
	defer cancel()
	if err := s.cfg.People.Audit(ctx, batch); err != nil {
		s.deeds.lost.Add(lost)
		s.log.Error("what people did cannot be written down yet", "deeds", len(left), "err", err)
		return left
	}
	return nil
}

// Audit is the answer to GET /v1/audit.
type Audit struct {
	Entries []store.Deed `json:"entries"`
}

// serveAudit answers GET /v1/audit?before=&limit=, the newest first.
func (s *Server) serveAudit(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	before, limit := int64(0), 50
	query := r.URL.Query()
	var err error
	if v := query.Get("before"); v != "" {
		if before, err = strconv.ParseInt(v, 10, 64); err != nil || before < 1 {
			return badCommand("before must be the seq of an entry.")
		}
	}
	if v := query.Get("limit"); v != "" {
		if limit, err = strconv.Atoi(v); err != nil || limit < 1 || limit > 500 {
			return badCommand("limit must be 1 to 500.")
		}
	}
	entries, err := s.cfg.People.Deeds(r.Context(), before, limit)
	if err != nil {
		return err
	}
	s.writeJSON(w, http.StatusOK, Audit{Entries: entries})
	return nil
}

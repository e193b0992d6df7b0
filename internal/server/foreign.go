package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/internal/store"
)

// APIs of other programs, such as OctoPrint's: each is a package of its own that says what it is asked in our words.
//
//	request ─▶ the API's own table of routes ─▶ who and what role, as for ours ─▶ its handler ─▶ the verbs below ─▶ an answer in its shape
//
// They hold no state, and can do no more than the page can.

// Route is one thing that can be asked for of an API. Path is as in the table of ours: one that ends in '*' stands for everything beneath it. Two
// slashes count as one, and one at the end as none: clients of such APIs write both, and follow no redirect with a POST.
type Route struct {
	Method, Path string
	Least        access.Role // Nobody = open
	Deed         string      // what the audit log calls it; "" = it changes nothing, or does so by Do, which notes it
	Ticket       bool        // a ticket for pictures, Gate.ViewTicket, is as good as a viewer's key
	Apps         bool        // the page of an app may ask without a key, which a site's may not: nothing is done in anybody's name
	Serve        func(w http.ResponseWriter, r *http.Request, me access.Identity) error
}

// API is what another program's API is made of.
type API interface {
	Routes() []Route
	// Fail answers a request that could not be served, in the API's own form. Explain says what to tell.
	Fail(w http.ResponseWriter, r *http.Request, err error)
}

// Mount adds APIs. Of routes that fit the first counts, and ours before all. It is not for a Server that already serves.
func (s *Server) Mount(apis ...API) {
	for _, api := range apis {
		for _, r := range api.Routes() {
			serve := func(_ *Server, w http.ResponseWriter, q *http.Request, me access.Identity) error {
				return r.Serve(w, q, me)
			}
			page := len(s.routes) - 1
			s.routes = slices.Insert(s.routes, page, mounted{route{method: r.Method, path: r.Path, least: r.Least, deed: r.Deed, serve: serve}, api, r.Ticket, r.Apps})
		}
	}
}

// tidy is a path without double slashes and without one at its end.
func tidy(p string) string {
	if !strings.Contains(p, "//") && (p == "/" || !strings.HasSuffix(p, "/")) {
		return p
	}
	parts := strings.FieldsFunc(p, func(c rune) bool { return c == '/' })
	return "/" + strings.Join(parts, "/")
}

type foreignKey struct{}

// isForeign reports whether a request is one of another API's.
func isForeign(r *http.Request) bool { return r.Context().Value(foreignKey{}) != nil }

// takesTicket reports whether it is one for a picture.
func takesTicket(r *http.Request) bool { return r.Context().Value(foreignKey{}) == true }

// withKey makes the key that programs of other APIs show, in the address or in X-Api-Key, the Bearer of the request. It is the same key; of
// several the first of OctoPrint's order counts. No other header changes.
func withKey(r *http.Request, ticket bool) *http.Request {
	r = r.WithContext(context.WithValue(r.Context(), foreignKey{}, ticket))
	key := r.URL.Query().Get("apikey")
	if key == "" {
		key = r.Header.Get("X-Api-Key")
	}
	if key != "" {
		return WithBearer(r, key)
	}
	return r
}

// WithBearer is r as if key had been shown in its Authorization header.
func WithBearer(r *http.Request, key string) *http.Request {
	with := r.WithContext(r.Context())
	with.Header = r.Header.Clone()
	with.Header.Set("Authorization", "Bearer "+key)
	return with
}

// Identify says who a request comes from, as for routes of ours: for open routes, whose clients show it in their own time.
func (s *Server) Identify(r *http.Request) (access.Identity, error) {
	me, err := s.identify(r)
	if err != nil {
		return me, err
	}
	if me.Via == viaTailnet && !s.ourName(r.Host) {
		return access.Identity{}, errWrongHost
	}
	proven(r.Context(), me.Role)
	return me, nil
}

// Config is what the Server was made of: what there is to be read. What people have a hand in goes through Do.
func (s *Server) Config() Config { return s.cfg }

// State is everything there is to be shown, composed now, as me sees it.
func (s *Server) State(me access.Identity) State { return s.compose().as(me) }

// Asking are the programs that wait for a key, as me may see them: none but for owners.
func (s *Server) Asking(me access.Identity) []AppRequest {
	if me.Role < access.Owner {
		return []AppRequest{}
	}
	return s.apps.asked()
}

// Next waits for a state newer than seen, which is what it returned last, and 0 at first.
func (s *Server) Next(ctx context.Context, me access.Identity, seen uint64) (State, uint64, error) {
	for {
		v, seq, err := s.views.Next(ctx, seen)
		if err != nil {
			return State{}, seq, err
		}
		if seen = seq; v != nil {
			return v.as(me), seq, nil
		}
	}
}

// Do does a command for me, if his role allows it, and notes it. It is the one way by which anything is changed.
func (s *Server) Do(ctx context.Context, me access.Identity, cmd Command) Answer {
	return s.perform(ctx, me, cmd)
}

// Try is Do for who has no use for the answer but its error, which is of the form that Explain knows.
func (s *Server) Try(ctx context.Context, me access.Identity, cmd Command) error {
	if answer := s.perform(ctx, me, cmd); answer.Error != nil {
		return &told{*answer.Error}
	}
	return nil
}

// told is the error of an Answer, on its way to a client of another API.
type told struct{ what Error }

func (t *told) Error() string { return t.what.Code + ": " + t.what.Message }

// Explain is what people are told of an error, and the HTTP status that it has in our own API.
func (s *Server) Explain(err error) (Error, int) {
	e, status := explain(err)
	if status == http.StatusInternalServerError {
		s.log.Error("a request went wrong", "err", err)
	}
	return e, status
}

// Refuse is an error with a code of ours, and words of the caller's.
func Refuse(code, message string) error { return &refusal{code: code, message: message} }

// WriteJSON writes v as the whole answer.
func (s *Server) WriteJSON(w http.ResponseWriter, status int, v any) { s.writeJSON(w, status, v) }

// ReadSmall reads a body of at most max bytes, which must come within 15 s.
func ReadSmall(w http.ResponseWriter, r *http.Request, max int64) ([]byte, error) {
	readBy(w, 15*time.Second)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, max))
	if err != nil {
		return nil, err
	}
	readBy(w, 0)
	return body, nil
}

// patient lets my request's body come as slowly as uploads may. Body is then read by Put, or by who takes it apart before.
func (s *Server) patient(w http.ResponseWriter, r *http.Request, me access.Identity) io.Reader {
	writeBy(w, 0)                                                   // writeJSON sets it again
	sender := standingBody{r.Body, s.stand(r, me), access.Operator} // a thief's upload must not outlive what he came with
	return &slowBody{r: sender, allow: func(d time.Duration) { readBy(w, d) }, began: time.Now(), size: r.ContentLength}
}

// hearOut reads what is left of a patient body whose upload is refused, for so far: many programs hear an answer only when they have sent everything, and
// before that tell of nothing but a connection that ended.
func hearOut(body io.Reader) {
	const most = 256 << 20           // bytes
	io.CopyN(io.Discard, body, most) // an error changes nothing: it may have been the body that went wrong
}

// Uploading is a route's Serve that takes a file: with one of the few places for uploads, and a body that may come as slowly as they may and is heard
// out when take refuses it.
func (s *Server) Uploading(take func(w http.ResponseWriter, r *http.Request, me access.Identity, body io.Reader) error) func(http.ResponseWriter, *http.Request, access.Identity) error {
	return func(w http.ResponseWriter, r *http.Request, me access.Identity) error {
		free, err := s.TakeUpload(me)
		if err != nil {
			return err
		}
		defer free()
		body := s.patient(w, r, me)
		if err = take(w, r, me, body); err != nil {
			hearOut(body)
		}
		return err
	}
}

// TakeUpload takes one of the few places for uploads, which the caller gives back.
func (s *Server) TakeUpload(me access.Identity) (free func(), err error) {
	if err := s.uploads.takeAs(me.Role); err != nil {
		return nil, err
	}
	return s.uploads.free, nil
}

// Put keeps a file whose upload has a place, under the name that store.UploadPath makes of name. size is what was announced, -1 unknown. While a print runs it leaves that its processor.
func (s *Server) Put(ctx context.Context, name string, body io.Reader, size int64, replace bool) (file store.File, existed bool, err error) {
	if name, err = store.UploadPath(name); err != nil {
		return store.File{}, false, err
	}
	_, err = s.cfg.Files.Stat(ctx, name)
	existed = err == nil
	if existed && !replace {
		return store.File{}, true, store.ErrExists
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return store.File{}, false, err
	}
	polite := &politeBody{r: body, printing: s.printing, turn: s.working, max: 32 << 10}
	defer polite.Done()
	file, err = s.cfg.Files.PutIf(ctx, name, polite, size, replace, s.takes)
	return file, existed, err
}

// Select makes a file the one that is meant when a print is asked for without one; "" none. It is forgotten when layerd ends.
func (s *Server) Select(name string) {
	s.selected.Store(&name)
	select {
	case s.picked <- struct{}{}:
	default:
	}
}

// Selected is the file that was selected, else the one of the print under way or the last one; "" none. It need not exist any more.
func (s *Server) Selected() string {
	snap, _ := s.cfg.Printer.Snapshots().Get()
	if snap != nil && snap.Job != nil {
		return snap.Job.File
	}
	if chosen := s.selected.Load(); chosen != nil {
		return *chosen
	}
	if snap != nil && snap.LastJob != nil {
		return snap.LastJob.File
	}
	return ""
}

// CleanName is a path of a client of another API as uploads take it: without a leading slash, and with its dots resolved, which lead no higher than the top.
func CleanName(name string) (string, error) {
	return checkPath(strings.TrimPrefix(path.Join("/", strings.ReplaceAll(name, "\\", "/")), "/"))
}

// Socket is a websocket of another API: one of the places for live sockets, with the bounds and checks of ours.
type Socket struct {
	s    *Server
	conn *websocket.Conn
}

// TakeSocket takes one of the places for live sockets, for a client of a role, and gives it back.
func (s *Server) TakeSocket(role access.Role) (free func(), err error) {
	if err := s.liveSockets.takeAs(role); err != nil {
		return nil, err
	}
	return s.liveSockets.free, nil
}

// FromElsewhere reports whether a page of another site has made a request. Programs send no Origin, or what they like.
func FromElsewhere(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return false
	}
	u, err := url.Parse(origin)
	return err != nil || !strings.EqualFold(u.Host, r.Host)
}

// Upgrade makes a request a websocket. A page of another site is refused. When conn is nil, err is what is still to be answered, if anything.
func (s *Server) Upgrade(w http.ResponseWriter, r *http.Request, limit int64) (*Socket, error) {
	if FromElsewhere(r) {
		return nil, errCrossOrigin
	}
	conn, err := upgradeAny(w, r, &websocket.Upgrader{ReadBufferSize: 2048, WriteBufferSize: 4096})
	if conn == nil {
		return nil, err
	}
	listen(conn, limit)
	return &Socket{s: s, conn: conn}, nil
}

// Recheck looks again whether me may still be there, by the request that he showed his key with; when he may not it says so, and returns an error.
func (k *Socket) Recheck(r *http.Request, me access.Identity) error {
	return recheck(k.conn, k.s.stand(r, me), me)
}

// WriteText writes a message, for which the client has writeMax.
func (k *Socket) WriteText(message []byte) error {
	k.conn.SetWriteDeadline(time.Now().Add(writeMax))
	return k.conn.WriteMessage(websocket.TextMessage, message)
}

// ReadText waits for a message. What comes, comes within the socket's limits; silence ends it, but for the pongs of browsers.
func (k *Socket) ReadText() ([]byte, error) {
	kind, text, err := k.conn.ReadMessage()
	if err == nil && kind != websocket.TextMessage {
		err = errors.New("messages must be text")
	}
	k.conn.SetReadDeadline(time.Now().Add(quietMax))
	return text, err
}

// Ping has the client show that it is there: it is due more often than quietMax.
func (k *Socket) Ping() error {
	return k.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeMax))
}

// Close ends the socket, and so a ReadText under way.
func (k *Socket) Close() { k.conn.Close() }

// Bye tells the client why, and closes.
func (k *Socket) Bye(code int, why string) {
	bye(k.conn, code, why)
	k.conn.Close()
}

// Life ends with Run: sockets live in it.
func (s *Server) Life() context.Context { return s.life }

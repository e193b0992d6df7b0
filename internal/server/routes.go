package server

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"layerd/internal/access"
)

// route is one thing that can be asked for. A path that ends in '*' stands for everything beneath it, and the rest
// is r.PathValue("path"), unescaped.
type route struct {
	method string // GET answers HEAD too
	path   string
	least  access.Role // Nobody = open
	asks   asks        // whether its person must have shown again who he is
	deed   string      // what the audit log calls it; "" = it changes nothing
	serve  func(s *Server, w http.ResponseWriter, r *http.Request, me access.Identity) error
}

// mounted is a route and the API that it belongs to; nil = ours.
type mounted struct {
	route
	api    API
	ticket bool // one is as good as a viewer's key
	apps   bool // pages of apps may ask without a key
}

func ourRoutes() (all []mounted) {
	for _, r := range append(routes[:len(routes):len(routes)], pageRoute) {
		all = append(all, mounted{route: r})
	}
	return all
}

// asks is whether something is so dangerous that a stolen session must not be enough for it.
type asks bool

const (
	free  asks = false
	again asks = true
)

// routes are all there are, besides the files of the page. The first that fits counts.
var routes = []route{
	{"GET", "/healthz", access.Nobody, free, "", (*Server).serveHealth},
	{"GET", "/metrics", access.Viewer, free, "", (*Server).serveMetrics},
	{"GET", "/v1/door", access.Nobody, free, "", (*Server).serveDoor},
	{"POST", "/v1/setup", access.Nobody, free, "set_up", (*Server).serveSetUp},
	{"POST", "/v1/restore", access.Nobody, free, "restore", (*Server).serveRestore}, // with the secret of the set-up link
	{"POST", "/v1/login", access.Nobody, free, "login", (*Server).serveLogin},
	{"POST", "/v1/logout", access.Nobody, free, "logout", (*Server).serveLogout},
	{"POST", "/v1/confirm", access.Viewer, free, "confirm", (*Server).serveConfirm},
	{"POST", "/v1/password", access.Viewer, free, "set_password", (*Server).serveSetPassword},
	{"GET", "/v1/people", access.Owner, free, "", (*Server).servePeople},
	{"POST", "/v1/people", access.Owner, again, "add_person", (*Server).serveAddPerson},
	{"PUT", "/v1/people/*", access.Owner, again, "change_person", (*Server).serveChangePerson},
	{"DELETE", "/v1/people/*", access.Owner, again, "remove_person", (*Server).serveRemovePerson},
	{"GET", "/v1/tokens", access.Owner, free, "", (*Server).serveTokens},
	{"POST", "/v1/tokens", access.Owner, again, "add_key", (*Server).serveAddToken},
	{"DELETE", "/v1/tokens/*", access.Owner, again, "remove_key", (*Server).serveRemoveToken},
	{"GET", "/v1/sessions", access.Viewer, free, "", (*Server).serveSessions},
	{"DELETE", "/v1/sessions/*", access.Viewer, free, "end_session", (*Server).serveEndSession}, // it asks again for those of others
	{"GET", "/v1/audit", access.Owner, free, "", (*Server).serveAudit},
	{"GET", "/v1/backup", access.Owner, again, "backup", (*Server).serveBackup}, // it has everybody's passwords' hashes in it
	{"GET", "/v1/backup/ready", access.Owner, again, "", (*Server).serveBackupReady},
	{"GET", "/v1/state", access.Viewer, free, "", (*Server).serveState},
	{"GET", "/v1/live", access.Viewer, free, "", (*Server).serveLive},
	{"POST", "/v1/do", access.Operator, free, "", (*Server).serveDo}, // the command's own role is checked in perform
	{"GET", "/v1/files", access.Viewer, free, "", (*Server).serveFiles},
	{"GET", "/v1/files/*", access.Operator, free, "download", (*Server).serveDownload}, // the design itself, which a viewer was not given
	{"PUT", "/v1/files/*", access.Operator, free, "upload", (*Server).serveUpload},
	{"DELETE", "/v1/files/*", access.Operator, free, "delete_file", (*Server).serveDelete},
	{"GET", "/v1/thumbnails/*", access.Viewer, free, "", (*Server).serveThumbnail},
	{"GET", "/v1/toolpaths/*", access.Viewer, free, "", (*Server).serveToolpath},
	{"GET", "/v1/layers", access.Viewer, free, "", (*Server).serveLayers},
	{"GET", "/v1/times/*", access.Viewer, free, "", (*Server).serveTimes},
	{"GET", "/v1/facts/*", access.Viewer, free, "", (*Server).serveFacts},
	{"GET", "/v1/card", access.Operator, free, "", (*Server).serveCard}, // it makes the printer talk
	{"GET", "/v1/prints", access.Viewer, free, "", (*Server).servePrints},
	{"GET", "/v1/logs/*", access.Operator, free, "", (*Server).servePrintLog}, // as the console
	{"GET", "/v1/prints.csv", access.Viewer, free, "", (*Server).servePrintsCSV},
	{"GET", "/v1/totals", access.Viewer, free, "", (*Server).serveTotals},
	{"GET", "/v1/curves/*", access.Viewer, free, "", (*Server).serveCurve},
	{"GET", "/v1/pictures/*", access.Viewer, free, "", (*Server).servePicture},
	{"GET", "/v1/guard/*", access.Viewer, free, "", (*Server).serveEvidence},
	{"GET", "/v1/alarms/*", access.Viewer, free, "", (*Server).serveAlarms},
	{"GET", "/v1/recordings", access.Owner, free, "", (*Server).serveRecordings},
	{"GET", "/v1/recordings/*", access.Owner, free, "download_recording", (*Server).serveRecording},
	{"DELETE", "/v1/recordings/*", access.Owner, free, "delete_recording", (*Server).serveDeleteRecording},
	{"GET", "/v1/timelapses", access.Viewer, free, "", (*Server).serveTimelapses},
	{"GET", "/v1/timelapses/*", access.Viewer, free, "", (*Server).serveTimelapse},
	{"GET", "/v1/objects/*", access.Viewer, free, "", (*Server).serveObjects},
	{"GET", "/v1/shots/*", access.Viewer, free, "", (*Server).serveShots},
	{"GET", "/v1/heights/*", access.Viewer, free, "", (*Server).serveHeights},
	{"DELETE", "/v1/timelapses/*", access.Operator, free, "delete_timelapse", (*Server).serveDeleteTimelapse},
	{"POST", "/v1/timelapses/*", access.Operator, free, "render_timelapse", (*Server).serveRenderTimelapse},
	{"GET", "/v1/temperatures", access.Viewer, free, "", (*Server).serveTemperatures},
	{"GET", "/v1/spools", access.Viewer, free, "", (*Server).serveSpools},
	{"GET", "/v1/queue", access.Viewer, free, "", (*Server).serveQueue},
	{"GET", "/v1/choices", access.Viewer, free, "", (*Server).serveChoices},
	{"GET", "/v1/mesh", access.Viewer, free, "", (*Server).serveMesh},
	{"POST", "/v1/mesh", access.Operator, free, "read_mesh", (*Server).serveReadMesh},
	{"POST", "/v1/mesh/probe", access.Operator, free, "probe_mesh", (*Server).serveProbeMesh},
	{"GET", "/v1/eeprom", access.Owner, free, "", (*Server).serveEEPROM},
	{"GET", "/v1/eeprom/copies", access.Owner, free, "", (*Server).serveCopies},
	{"GET", "/v1/eeprom/copies/*", access.Owner, free, "", (*Server).serveCopy},
	{"DELETE", "/v1/eeprom/copies/*", access.Owner, free, "delete_copy", (*Server).serveDropCopy},
	{"GET", "/v1/profiles", access.Viewer, free, "", (*Server).serveProfiles},
	{"GET", "/v1/scripts", access.Viewer, free, "", (*Server).serveScripts},
	{"GET", "/v1/buttons", access.Viewer, free, "", (*Server).serveButtons},
	{"GET", "/v1/power", access.Owner, free, "", (*Server).servePower},
	{"POST", "/v1/power/try", access.Owner, again, "try_power", (*Server).serveTryPower},
	{"GET", "/v1/camera", access.Viewer, free, "", (*Server).serveCamera},
	{"GET", "/webcam/", access.Viewer, free, "", (*Server).serveWebcam},
	{"GET", "/webcam/*", access.Viewer, free, "", (*Server).serveWebcam},
	{"GET", "/v1/health", access.Owner, free, "", (*Server).serveMachine},
	{"GET", "/v1/overlay", access.Owner, free, "", (*Server).serveOverlay},
	{"GET", "/v1/neighbours", access.Operator, free, "", (*Server).serveNeighbours}, // whoever was shown this printer was not shown the others
	{"GET", "/v1/neighbours/*", access.Operator, free, "", (*Server).serveNeighbourPicture},
}

// pageRoute is the page and its parts: open, because it has to be there before a key can be entered.
var pageRoute = route{"GET", "/", access.Nobody, free, "", (*Server).servePage}

// match finds the route of a request. The error is errNoRoute or a *refusal with the methods that are allowed.
func (s *Server) match(r *http.Request) (mounted, error) {
	var allowed []string
	var api API
	for _, route := range s.routes {
		path, rest := r.URL.Path, ""
		if route.api != nil {
			path = tidy(path)
		}
		switch {
		case route.path == pageRoute.path:
			if !s.page.has(path) {
				continue
			}
		case strings.HasSuffix(route.path, "*"):
			if rest = strings.TrimPrefix(path, strings.TrimSuffix(route.path, "*")); rest == path || rest == "" {
				continue
			}
		case route.path != path:
			continue
		}
		if route.method == r.Method || (route.method == http.MethodGet && r.Method == http.MethodHead) {
			r.SetPathValue("path", rest)
			return route, nil
		}
		allowed, api = append(allowed, route.method), route.api
	}
	if len(allowed) == 0 {
		return mounted{}, errNoRoute
	}
	return mounted{api: api}, &refusal{code: "method", message: fmt.Sprintf("%.20q is not possible here.", r.Method), allow: strings.Join(slices.Compact(allowed), ", ")}
}

// ServeHTTP answers one request. A panic in a handler is logged and costs that one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if p := recover(); p != nil && p != http.ErrAbortHandler {
			s.log.Error("a request went wrong", "path", r.URL.Path, "panic", p, "stack", string(debug.Stack()))
			s.fail(w, r, errBroken)
		}
	}()
	setHeaders(w.Header())
	writeSized(w, 0)
	route, err := s.match(r)
	if preflight(w, r, route, err) {
		return
	}
	if route.api != nil {
		r = withKey(r, route.ticket)
		if bearer(r) != "" || route.apps && ofApp(r) {
			letSee(w.Header())
		}
	}
	var me access.Identity
	if err == nil {
		me, err = s.admit(r, route)
	}
	if byTicket(me) {
		letSee(w.Header())
	}
	if route.deed != "" {
		r = withNote(r, me)
	}
	if err == nil {
		err = route.serve(s, w, r, me)
	}
	if route.deed != "" {
		s.noteRequest(r, route, err)
	}
	if err != nil && route.api != nil {
		route.api.Fail(w, r, err)
	} else if err != nil {
		s.fail(w, r, err)
	}
}

// admit says who asks, if they may. It reads nothing of the body.
func (s *Server) admit(r *http.Request, route mounted) (me access.Identity, err error) {
	if route.least > access.Nobody {
		if me, err = s.identify(r); err != nil {
			return me, err
		}
		if me.Role < route.least {
			return me, roleTooLow(route.least)
		}
		if me.Via == viaTailnet {
			if !s.ourName(r.Host) {
				return me, errWrongHost
			}
			if otherSite(r) {
				return me, errCrossOrigin
			}
		}
		proven(r.Context(), me.Role)
		if route.asks == again && !me.Confirmed {
			return me, errConfirm
		}
	}
	// A browser adds its cookie to whatever another site makes it send, but never a Bearer. A key in the address is anybody's to write: it stands for one
	// only where it was looked at.
	if (bearer(r) == "" || route.least == access.Nobody && r.URL.Query().Has("apikey")) && !(route.apps && ofApp(r)) {
		if err := s.crossOrigin.Check(r); err != nil {
			return me, errCrossOrigin
		}
	}
	return me, nil
}

// identify asks the Gate. Clients of others' APIs may show a Digest.
func (s *Server) identify(r *http.Request) (access.Identity, error) {
	if isForeign(r) && access.ShowsDigest(r) {
		return s.cfg.Gate.IdentifyDigest(r)
	}
	if strings.HasPrefix(r.URL.Path, webcamPath) || takesTicket(r) {
		return s.cfg.Gate.IdentifyViewer(r)
	}
	return s.cfg.Gate.Identify(r)
}

// viaTailnet is the Via of those whom the network itself introduces.
const viaTailnet = "tailnet"

// ourName reports whether a Host is us. Who is introduced by his network needs no key, so a page of another site whose name was made to lead here
// (DNS rebinding) would act in his name: to the browser it is the same origin. Nobody else can own an address, a name without a dot, or ours. For all other
// callers the name does not matter: their cookie belongs to our name, and their key is not the browser's to add.
func (s *Server) ourName(host string) bool {
	name := host
	if n, _, err := net.SplitHostPort(host); err == nil {
		name = n
	}
	name = strings.TrimSuffix(name, ".")
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil || name != "" && !strings.Contains(name, ".") {
		return true
	}
	return s.cfg.Names != nil && slices.ContainsFunc(s.cfg.Names(), func(own string) bool { return strings.EqualFold(strings.TrimSuffix(own, "."), name) })
}

// otherSite reports whether a browser says that the page of another site asks. It keeps back our cookie then, also from what only reads; who is introduced
// by his network has none, and what only reads may have the printer talk, or take a stream. Over plain HTTP browsers do not say.
func otherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}

// bearer is the key in the Authorization header, "" when there is none.
func bearer(r *http.Request) string {
	scheme, key, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

func roleTooLow(least access.Role) error {
	return &refusal{code: "role_too_low", message: fmt.Sprintf("This needs the role of %s.", article(least))}
}

func article(r access.Role) string {
	if r == access.Viewer {
		return "a viewer"
	}
	return "an " + r.String()
}

func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' blob: data:; connect-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "SAMEORIGIN")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// readBy and writeBy bound how long a client may take from now on; 0 means for ever. A ResponseWriter without deadlines ignores them.
func readBy(w http.ResponseWriter, d time.Duration) {
	setDeadline(http.NewResponseController(w).SetReadDeadline, d)
}
func writeBy(w http.ResponseWriter, d time.Duration) {
	setDeadline(http.NewResponseController(w).SetWriteDeadline, d)
}

// writeSized lets a client take n bytes as slowly as bodyRate.
func writeSized(w http.ResponseWriter, n int64) {
	writeBy(w, bodyIdle+time.Duration(n)*(time.Second/bodyRate))
}

func setDeadline(set func(time.Time) error, d time.Duration) {
	var at time.Time
	if d > 0 {
		at = time.Now().Add(d)
	}
	if err := set(at); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return // the connection is gone; the next read or write says so
	}
}

// Package zerotiertest is a small zerotier-one that answers over real HTTP as the real one does (service/OneService.cpp and service/README.md of
// ZeroTierOne), and whose network's controller decides as it is told.
package zerotiertest

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Address is the node's own.
const Address = "a1b2c3d4e5"

// Service is an http.Handler. Its methods may be called from any goroutine.
type Service struct {
	token string

	mu       sync.Mutex // guards what follows
	networks map[string]*network
	verdict  string // of the controller, on any network
	loginURL string
	online   bool
	fallback bool
	assigned []string
	peers    string   // JSON
	asked    []string // requests, "GET /status"
}

// network is one that was joined.
type network struct {
	heard   bool // the controller has answered
	verdict string
	allow   map[string]bool // what the node's owner lets it do
}

// New returns a Service that is online and in no network. The controller lets nobody in until it is told to.
func New(token string) *Service {
	return &Service{token: token, networks: map[string]*network{}, verdict: "ACCESS_DENIED", online: true, assigned: []string{"fd80:56c2:e21c::1/88", "10.147.17.5/24"}, peers: "[]"}
}

// Say is what the controller answers from now on, such as OK, ACCESS_DENIED or NOT_FOUND; "" = it is silent to who joins.
func (s *Service) Say(verdict string) { s.change(func() { s.verdict = verdict }) }

// Login has the controller want a login at url, which may be "" at first.
func (s *Service) Login(url string) {
	s.change(func() { s.verdict, s.loginURL = "AUTHENTICATION_REQUIRED", url })
}

// Online connects the node with ZeroTier's roots, or cuts it off. fallback: it reaches them by TCP alone.
func (s *Service) Online(online, fallback bool) {
	s.change(func() { s.online, s.fallback = online, fallback })
}

// Assign sets the addresses that a member gets, with the lengths of their prefixes.
func (s *Service) Assign(addresses ...string) { s.change(func() { s.assigned = addresses }) }

// Peers sets the answer to /peer.
func (s *Service) Peers(json string) { s.change(func() { s.peers = json }) }

// Restart forgets what was not decided, as a restart of the service does: it knows its networks from networks.d, with what the controller last gave.
func (s *Service) Restart() {
	s.change(func() {
		for _, n := range s.networks {
			n.heard = n.verdict == "OK"
		}
	})
}

// Asked returns the requests so far that had the token, "GET /status".
func (s *Service) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Member reports whether the node is in a network, and what its owner allows that network.
func (s *Service) Member(id string) (allow map[string]bool, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.networks[id]
	if n == nil {
		return nil, false
	}
	return n.allow, true
}

func (s *Service) change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	token := r.Header.Get("X-ZT1-Auth")
	if token == "" {
		token = r.URL.Query().Get("auth")
	}
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16)) // what is cut off is no JSON, and ignored like any other
	status, answer := http.StatusUnauthorized, any(map[string]any{})
	if subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) == 1 {
		status, answer = s.serve(r.Method, r.URL.Path, body)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if answer != nil {
		json.NewEncoder(w).Encode(answer)
	}
}

func (s *Service) serve(method, path string, body []byte) (status int, answer any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, method+" "+path)
	id, aNetwork := strings.CutPrefix(path, "/network/")
	aNetwork = aNetwork && len(id) == 16 && strings.Trim(id, "0123456789abcdef") == ""
	n := s.networks[id]
	switch {
	case method == http.MethodGet && path == "/status":
		return http.StatusOK, map[string]any{"address": Address, "publicIdentity": Address + ":0:00", "online": s.online, "tcpFallbackActive": s.fallback,
			"version": "1.14.2", "versionMajor": 1, "versionMinor": 14, "versionRev": 2, "clock": 1790000000000, "planetWorldId": 149604618,
			"config": map[string]any{"settings": map[string]any{"primaryPort": 9993, "allowTcpFallbackRelay": true}}}
	case method == http.MethodGet && path == "/peer":
		return http.StatusOK, json.RawMessage(s.peers)
	case method == http.MethodGet && aNetwork && n != nil:
		answer = s.json(id, n)
		s.hear(n) // the next one who looks sees what came of it
		return http.StatusOK, answer
	case (method == http.MethodPost || method == http.MethodPut) && aNetwork:
		if n == nil {
			n = &network{allow: map[string]bool{"allowManaged": true, "allowGlobal": false, "allowDefault": false, "allowDNS": false}}
			s.networks[id] = n
		}
		var want map[string]any
		if json.Unmarshal(body, &want) == nil { // it discards what is no JSON
			for key := range n.allow {
				if allow, is := want[key].(bool); is {
					n.allow[key] = allow
				}
			}
		}
		return http.StatusOK, s.json(id, n)
	case method == http.MethodDelete && aNetwork:
		if n == nil {
			return http.StatusOK, map[string]any{}
		}
		delete(s.networks, id)
		return http.StatusOK, map[string]any{"result": true}
	}
	return http.StatusNotFound, nil
}

// hear lets the controller answer. A node that is cut off hears nothing.
func (s *Service) hear(n *network) {
	if s.online && s.verdict != "" {
		n.heard, n.verdict = true, s.verdict
	}
}

// json is the network as the service shows it: what only the controller knows is empty until it has answered.
func (s *Service) json(id string, n *network) map[string]any {
	status, name, assigned, port := "REQUESTING_CONFIGURATION", "", []string{}, 0
	if n.heard {
		status = n.verdict
	}
	switch status {
	case "OK":
		name = "workshop"
		if n.allow["allowManaged"] {
			assigned = s.assigned
		}
	case "PORT_ERROR":
		port = -1
	}
	out := map[string]any{"id": id, "nwid": id, "mac": "8e:01:02:03:04:05", "name": name, "status": status, "type": "PRIVATE", "mtu": 2800, "dhcp": false,
		"bridge": false, "broadcastEnabled": true, "portError": port, "netconfRevision": 1, "assignedAddresses": assigned, "routes": []any{},
		"portDeviceName": "ztabcdef01", "multicastSubscriptions": []any{}, "dns": map[string]any{"domain": "", "servers": []any{}}}
	for key, allow := range n.allow {
		out[key] = allow
	}
	if status == "AUTHENTICATION_REQUIRED" {
		out["ssoEnabled"], out["authenticationURL"], out["authenticationExpiryTime"] = true, s.loginURL, 0
	}
	return out
}

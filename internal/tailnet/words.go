package tailnet

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"tailscale.com/health"
	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tsconst"

	"layerd/internal/overlay"
)

// view is what is known of a node. describe makes words of it.
type view struct {
	status   *ipnstate.Status // nil = not yet known
	browse   string           // login link that the bus told of
	fault    string           // why the control server does not take us, in its words
	refused  string           // the same, of an auth key that we no longer use
	trouble  error            // what stands between us and the control server, when we looked; nil = nothing
	warnings map[health.WarnableCode]health.UnhealthyState
	https    bool   // the page is served with the tailnet's certificate
	noCert   string // why not, though there should be one
}

const (
	maxText    = 300 // characters of a text from elsewhere
	maxHealth  = 10
	maxPaths   = 20
	warnBefore = 14 * 24 * time.Hour // the node's key ends
)

func (v view) state() string {
	if v.status == nil {
		return ipn.NoState.String()
	}
	return v.status.BackendState
}

// link is where somebody has to log in; "" = nobody has to, or it is not known.
func (v view) link() string {
	if v.browse != "" || v.status == nil {
		return v.browse
	}
	return webLink(v.status.AuthURL)
}

// stuck reports whether only the way to the control server can be what is missing.
func (v view) stuck() bool {
	switch v.state() {
	case ipn.Running.String(), ipn.NeedsMachineAuth.String():
		return false
	}
	return v.link() == "" && v.fault == ""
}

// describe says it for people.
func (v view) describe(now time.Time) (s overlay.Status) {
	s = overlay.Status{Kind: overlay.Tailnet, State: overlay.Starting, Health: v.health()}
	if v.status != nil {
		s.Name = ownName(v.status)
		for _, ip := range v.status.TailscaleIPs {
			s.Addresses = append(s.Addresses, ip.String())
		}
		if t := v.status.CurrentTailnet; t != nil {
			s.Network = clean(t.Name, maxText)
		}
		if self := v.status.Self; self != nil && self.KeyExpiry != nil && !self.KeyExpiry.IsZero() {
			s.ExpiresMS = self.KeyExpiry.UnixMilli()
		}
	}
	switch state := v.state(); {
	case state == ipn.Running.String():
		v.running(&s, now)
	case state == ipn.NeedsMachineAuth.String():
		s.State = overlay.Approval
		s.Problem = "The tailnet wants each new machine approved."
		s.Next = "Somebody who administers it approves this machine at its page."
	case strings.Contains(v.fault, "requires logging"): // ipn/ipnlocal/local.go: a tailnet with flow logs
		s.State = overlay.Failed
		s.Problem = "This tailnet takes only machines that send their logs to Tailscale."
		s.Next = "Turn on “send logs to Tailscale” here, or join another tailnet."
	case v.fault != "":
		s.State = overlay.Failed
		s.Problem = sentence("The control server refuses this machine: " + v.fault)
		s.Next = "Log in again, or give a new auth key. It is tried again by itself."
	case v.link() != "":
		s.State, s.LoginURL = overlay.Login, v.link()
		v.login(&s, now)
	case v.trouble != nil:
		s.State = overlay.Failed
		s.Problem, s.Next = explain(v.trouble)
	case state == ipn.NeedsLogin.String():
		v.login(&s, now) // the link is on its way
	}
	return s
}

// login says why somebody has to log in, when he had done so before.
func (v view) login(s *overlay.Status, now time.Time) {
	switch {
	case v.refused != "":
		s.Problem = sentence("The auth key was refused: " + v.refused)
		s.Next = "Open the link to log in, or make a new key at the network's page and give it here."
	case v.status != nil && v.status.HaveNodeKey && v.status.Self != nil && len(v.status.TailscaleIPs) > 0,
		s.ExpiresMS != 0 && s.ExpiresMS <= now.UnixMilli():
		s.Problem = "This machine's key has ended or was revoked: phones cannot reach it from elsewhere."
		s.Next = "Open the link to log in again; it keeps its name and address."
	}
}

func (v view) running(s *overlay.Status, now time.Time) {
	s.State, s.LoginURL, s.Paths = overlay.Running, v.browse, v.paths()
	switch {
	case v.https && s.Name != "":
		s.URLs = []string{"https://" + s.Name + "/"}
	default:
		if s.Name != "" {
			s.URLs = []string{"http://" + s.Name + "/"}
		}
		for _, ip := range v.status.TailscaleIPs {
			if ip.Is4() {
				s.URLs = append(s.URLs, "http://"+ip.String()+"/")
			}
		}
	}
	_, lost := v.warnings[tsconst.HealthWarnableNotInMapPoll]
	switch left := time.UnixMilli(s.ExpiresMS).Sub(now); {
	case s.ExpiresMS != 0 && left <= warnBefore:
		s.Problem = fmt.Sprintf("This machine's key ends on %s; then phones cannot reach it from elsewhere.", now.Add(left).UTC().Format("Monday, 2 January 2006"))
		s.Next = "Log in again before then, or turn key expiry off for this machine at the network's page."
	case lost:
		s.Problem = "The control server does not answer at the moment. What is connected stays connected; new phones may not get in."
		s.Next = "It is tried again by itself."
	}
}

// health is what the network itself warns of, the worst first, without what is normal while it starts.
func (v view) health() (texts []string) {
	var all []health.UnhealthyState
	for code, w := range v.warnings {
		switch code {
		case tsconst.HealthWarnableWarmingUp, tsconst.HealthWarnableUpdateAvailable, tsconst.HealthWarnableWantRunningFalse,
			tsconst.HealthWarnableLoginState, tsconst.HealthWarnableIsUsingUnstableVersion:
		default:
			all = append(all, w)
		}
	}
	slices.SortFunc(all, func(a, b health.UnhealthyState) int {
		return cmp.Or(severity(b)-severity(a), strings.Compare(string(a.WarnableCode), string(b.WarnableCode)))
	})
	if v.noCert != "" {
		texts = append(texts, sentence("The page is served without the tailnet's certificate: "+v.noCert))
	}
	for _, w := range all {
		if text := clean(w.Text, maxText); text != "" && len(texts) < maxHealth {
			texts = append(texts, text)
		}
	}
	return texts
}

func severity(w health.UnhealthyState) int {
	return slices.Index([]health.Severity{health.SeverityLow, health.SeverityMedium, health.SeverityHigh}, w.Severity)
}

// paths are those to who has been here lately.
func (v view) paths() (all []overlay.Path) {
	for _, p := range v.status.Peer {
		if p.Active {
			direct := p.CurAddr != ""
			path := overlay.Path{Peer: shortName(p), Direct: direct}
			if !direct {
				path.Relay = clean(p.Relay, 40)
			}
			all = append(all, path)
		}
	}
	slices.SortFunc(all, func(a, b overlay.Path) int { return strings.Compare(a.Peer, b.Peer) })
	return all[:min(len(all), maxPaths)]
}

var fullName = regexp.MustCompile(`^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63}){0,9}$`)

// dnsName is a name from the control server without its last dot; "" when it is not one.
func dnsName(s string) string {
	s = strings.ToLower(strings.TrimSuffix(s, "."))
	if len(s) > 253 || !fullName.MatchString(s) {
		return ""
	}
	return s
}

func ownName(s *ipnstate.Status) string {
	if s.Self == nil {
		return ""
	}
	return dnsName(s.Self.DNSName)
}

// shortName is how people call a machine.
func shortName(p *ipnstate.PeerStatus) string {
	if name, _, _ := strings.Cut(dnsName(p.DNSName), "."); name != "" {
		return name
	}
	return clean(p.HostName, 63)
}

// webLink is a link that a person may be asked to open; "" when it is not one. It comes from the control server.
func webLink(s string) string {
	u, err := url.Parse(s)
	if err != nil || len(s) > 512 || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// clean makes a text from elsewhere fit for a page: one line, no marks that turn the writing round, at most limit characters.
func clean(s string, limit int) string {
	s = s[:min(len(s), 4*limit)]
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case r == unicode.ReplacementChar || !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		s = string(runes[:limit-1]) + "…"
	}
	return s
}

// sentence ends a text with a full stop.
func sentence(s string) string {
	s = clean(s, 2*maxText)
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

package zerotier

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"layerd/internal/overlay"
)

// Statuses of a network as the service names them (node/Network.hpp, and _networkToJson of service/OneService.cpp).
const (
	requesting    = "REQUESTING_CONFIGURATION"
	ok            = "OK"
	accessDenied  = "ACCESS_DENIED"
	notFound      = "NOT_FOUND"
	portError     = "PORT_ERROR"
	clientTooOld  = "CLIENT_TOO_OLD"
	loginRequired = "AUTHENTICATION_REQUIRED"
)

// silence is how long a network's controller may take before people should look for a reason.
const silence = 30 * time.Second

const byItself = "It is tried again by itself."

// words makes a Status of what the service said. waited is for how long the controller has been silent.
func (m *Member) words(me node, n network, paths []overlay.Path, waited time.Duration) overlay.Status {
	s := overlay.Status{Kind: overlay.ZeroTier, Name: me.Address, Network: n.Name, ExpiresMS: n.ExpiresMS, Paths: paths}
	for _, a := range n.addresses {
		s.Addresses = append(s.Addresses, a.String())
	}
	if me.TCPFallback {
		s.Health = append(s.Health, "Everything goes through ZeroTier's TCP relay, which is slow: something on the way blocks UDP.")
	}
	switch n.Status {
	case requesting:
		s.State = overlay.Starting
		if waited >= silence {
			s.Problem = "The network's controller has not answered yet."
			s.Next = fmt.Sprintf("Check the network's 16 digits, %s, and that its controller is on.", n.ID)
		}
	case ok:
		switch {
		case len(n.addresses) > 0:
			s.State = overlay.Running
			at := m.page.Addr().Unmap()
			for _, a := range n.addresses {
				if at.IsUnspecified() || at == a {
					s.URLs = append(s.URLs, m.scheme+"://"+netip.AddrPortFrom(a, m.page.Port()).String()+"/")
				}
			}
			if len(s.URLs) == 0 {
				s.Problem = fmt.Sprintf("This machine is in the network, but layerd serves its page on %s alone, where nobody there reaches it.", at)
				s.Next = fmt.Sprintf("Set listen to \":%d\" in layerd's configuration, and restart it.", m.page.Port())
			}
		case n.Managed != nil && !*n.Managed:
			s.State, s.Problem = overlay.Failed, "ZeroTier may not give this machine an address."
			s.Next = fmt.Sprintf("Allow it: sudo zerotier-cli set %s allowManaged=1", n.ID)
		default:
			s.State, s.Problem = overlay.Starting, "The network has let this machine in, but has not given it an address."
			s.Next = fmt.Sprintf("Turn on the assignment of addresses at the network's page, or give %s one there.", me.Address)
		}
	case accessDenied:
		s.State, s.Problem = overlay.Approval, "Waiting for authorisation."
		s.Next = fmt.Sprintf("Open https://my.zerotier.com/network/%s, or the page of your own controller, and tick \"Auth\" beside %s under \"Members\".", n.ID, me.Address)
	case notFound:
		s.State, s.Problem = overlay.Failed, "There is no ZeroTier network "+n.ID+"."
		s.Next = "Check its 16 digits."
	case portError:
		s.State, s.Problem = overlay.Failed, fmt.Sprintf("ZeroTier could not make its network device (error %d).", n.PortError)
		s.Next = "Restart it: sudo modprobe tun; sudo systemctl restart zerotier-one"
	case clientTooOld:
		s.State, s.Problem = overlay.Failed, fmt.Sprintf("The network wants a newer ZeroTier than the %s that is installed.", or(me.Version, "one"))
		s.Next = "Update it: sudo apt-get update; sudo apt-get install zerotier-one"
	case loginRequired:
		s.State, s.LoginURL, s.Problem = overlay.Login, n.LoginURL, "The network wants somebody to log in."
		s.Next = "Open the link and log in."
		if n.LoginURL == "" {
			s.Next = "ZeroTier has not given a link yet. It comes by itself, or: sudo zerotier-cli listnetworks"
		}
	default:
		s.State, s.Problem, s.Next = overlay.Failed, fmt.Sprintf("ZeroTier says %q.", or(n.Status, "nothing")), byItself
	}
	if !me.Online && (s.State == overlay.Running || s.State == overlay.Starting || s.State == overlay.Approval) {
		s.State, s.URLs = overlay.Starting, nil
		s.Problem, s.Next = "This machine does not reach ZeroTier's servers.", "Check its internet connection. It goes on by itself."
	}
	return s
}

// failure makes a Status of why the service could not be asked.
func failure(err error) overlay.Status {
	s := overlay.Status{Kind: overlay.ZeroTier, State: overlay.Failed}
	switch {
	case errors.Is(err, errNotInstalled):
		s.Problem = "ZeroTier is not installed on this machine, or has never run."
		s.Next = "Install zerotier-one as https://www.zerotier.com/download says. layerd sees it by itself, or after a restart when systemd hands it the token."
	case errors.Is(err, errNotAllowed):
		s.Problem = "layerd may not read ZeroTier's token."
		s.Next = "Run sudo systemctl edit layerd, add the lines [Service] and LoadCredential=" + credential + ":" + home + "/authtoken.secret, then sudo systemctl restart layerd"
	case errors.Is(err, errToken):
		s.Problem = "The file with ZeroTier's token has something else in it."
		s.Next = "Copy " + home + "/authtoken.secret again, or restart zerotier-one."
	case errors.Is(err, errRefused):
		s.Problem = "ZeroTier does not take the token that layerd has."
		s.Next = "It changes when ZeroTier is installed again; layerd gets the new one when it starts: sudo systemctl restart layerd"
	case errors.Is(err, errDown):
		s.Problem = "ZeroTier is not running, or does not answer."
		s.Next = "Start it: sudo systemctl start zerotier-one"
	default:
		s.Problem = "What answers at ZeroTier's port does not speak as ZeroTier does."
		s.Next = "Look what it is: sudo ss -ltnp. " + byItself
	}
	return s
}

func or(text, instead string) string {
	if text == "" {
		return instead
	}
	return text
}

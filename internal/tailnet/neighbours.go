package tailnet

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"math"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tailscale.com/ipn"
	"tailscale.com/ipn/ipnstate"
	"tailscale.com/tailcfg"

	"layerd/internal/access"
	"layerd/internal/overlay"
)

// Port is where layerds of one tailnet ask each other how they do. Only kin is answered.
const Port = 7273

const (
	askTime      = 2 * time.Second // for one neighbour
	askAtOnce    = 50              // so that all of maxPeers are asked before a page that waits gives up
	maxPeers     = 200
	maxNeighbour = 16 << 10 // bytes of an answer
	maxPicture   = 1 << 20  // bytes of a picture
	maxSide      = 8192     // of a picture, pixels
)

// answer is what one layerd tells another. The name and the address are not taken from it.
type answer struct {
	overlay.Neighbour
	HTTPS bool `json:"https"`
}

// owner is whose a node is.
type owner struct {
	tags []string
	user tailcfg.UserID
}

// kin reports whether two nodes are of one household: they share a tag, or one person has set up both for himself.
func kin(a, b owner) bool {
	if len(a.tags) == 0 && len(b.tags) == 0 {
		return a.user == b.user && !a.user.IsZero()
	}
	return slices.ContainsFunc(a.tags, func(tag string) bool { return slices.Contains(b.tags, tag) })
}

func ownerOf(p *ipnstate.PeerStatus) owner {
	o := owner{user: p.UserID}
	if p.Tags != nil {
		o.tags = p.Tags.AsSlice()
	}
	return o
}

// serveNeighbours answers other layerds until ctx ends.
func (l *life) serveNeighbours(ctx context.Context) {
	if l.node.cfg.Self == nil {
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /neighbour", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(answer{l.node.cfg.Self(), l.secure.Load()})
	})
	mux.HandleFunc("GET /picture", func(w http.ResponseWriter, r *http.Request) {
		var picture []byte
		if l.node.cfg.Picture != nil {
			picture = l.node.cfg.Picture()
		}
		if len(picture) == 0 || len(picture) > maxPicture {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "image/jpeg")
		w.Write(picture)
	})
	port := ":" + strconv.Itoa(Port)
	stop := l.serving(ctx, map[string]serveFunc{port: func(ctx context.Context, listener net.Listener) error {
		return serveHTTP(ctx, listener, l.forKin(mux), access.WithConn)
	}})
	<-ctx.Done()
	stop()
}

// forKin turns everybody else away.
func (l *life) forKin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithTimeout(r.Context(), callTime)
		defer end()
		who, err := whoIs(ctx, l.local, access.ConnOf(r.Context()).RemoteAddr())
		if err == nil && who != nil {
			var self *ipnstate.Status
			self, err = l.local.StatusWithoutPeers(ctx)
			if err == nil && self.Self != nil && !shared(who.Node) && kin(owner{who.Node.Tags, who.Node.User}, ownerOf(self.Self)) {
				w.Header().Set("Cache-Control", "no-store")
				next.ServeHTTP(w, r)
				return
			}
		}
		http.Error(w, "only for layerds of the same tag or person", http.StatusForbidden)
	})
}

// Neighbours asks other layerds on the tailnet how they do. Who does not answer in time is not listed.
func (n *Node) Neighbours(ctx context.Context) ([]overlay.Neighbour, error) {
	l, peers, err := n.kinfolk(ctx)
	if err != nil {
		return nil, err
	}
	var (
		mu    sync.Mutex // guards found
		found []overlay.Neighbour
		all   sync.WaitGroup
		slots = make(chan struct{}, askAtOnce)
	)
	for _, p := range peers {
		all.Go(func() {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-slots }()
			body, err := l.fetch(ctx, p, "/neighbour", maxNeighbour)
			if err != nil {
				return
			}
			if one, ok := told(body, p, time.Now()); ok {
				mu.Lock()
				defer mu.Unlock()
				found = append(found, one)
			}
		})
	}
	all.Wait()
	slices.SortFunc(found, func(a, b overlay.Neighbour) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.URL, b.URL))
	})
	return found, nil
}

// NeighbourPicture returns a JPEG. The error wraps overlay.ErrNotHere when there is no neighbour of that name, or he has none.
func (n *Node) NeighbourPicture(ctx context.Context, name string) ([]byte, error) {
	l, peers, err := n.kinfolk(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(peers, func(p *ipnstate.PeerStatus) bool { return shortName(p) == name })
	if i < 0 {
		return nil, fmt.Errorf("picture of a neighbour: %w", overlay.ErrNotHere)
	}
	picture, err := l.fetch(ctx, peers[i], "/picture", maxPicture)
	if err != nil {
		return nil, fmt.Errorf("picture of %s: %w", name, err)
	}
	if size, err := jpeg.DecodeConfig(bytes.NewReader(picture)); err != nil || size.Width > maxSide || size.Height > maxSide {
		return nil, fmt.Errorf("picture of %s: it is no picture", name)
	}
	return picture, nil
}

// kinfolk are the nodes that may be layerds of ours, at most maxPeers, by name.
func (n *Node) kinfolk(ctx context.Context) (*life, []*ipnstate.PeerStatus, error) {
	l, err := n.current()
	if err != nil {
		return nil, nil, err
	}
	status, err := l.local.Status(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("ask the tailnet who is there: %w", err)
	}
	if status.BackendState != ipn.Running.String() || status.Self == nil {
		return nil, nil, overlay.ErrNotHere
	}
	var peers []*ipnstate.PeerStatus
	for _, p := range status.Peer {
		if p.Online && !p.ShareeNode && p.AltSharerUserID.IsZero() && len(p.TailscaleIPs) > 0 && dnsName(p.DNSName) != "" && kin(ownerOf(status.Self), ownerOf(p)) {
			peers = append(peers, p)
		}
	}
	slices.SortFunc(peers, func(a, b *ipnstate.PeerStatus) int { return strings.Compare(a.DNSName, b.DNSName) })
	return l, peers[:min(len(peers), maxPeers)], nil
}

// fetch gets one answer of at most limit bytes. It goes to the address that the tailnet has for the node, never to a name that
// somebody else could answer for.
func (l *life) fetch(ctx context.Context, p *ipnstate.PeerStatus, path string, limit int64) ([]byte, error) {
	ctx, end := context.WithTimeout(ctx, askTime)
	defer end()
	at := netip.AddrPortFrom(p.TailscaleIPs[0], Port).String()
	client := http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true, MaxResponseHeaderBytes: 16 << 10,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return l.srv.Dial(ctx, "tcp", at) },
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotFound {
		return nil, overlay.ErrNotHere
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it says %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errors.New("it is too long")
	}
	return body, err
}

// told makes a neighbour of what a node says of itself. Its name and address are the tailnet's.
func told(body []byte, p *ipnstate.PeerStatus, now time.Time) (overlay.Neighbour, bool) {
	var a answer
	if json.Unmarshal(body, &a) != nil {
		return overlay.Neighbour{}, false
	}
	one := a.Neighbour
	one.Name, one.URL = shortName(p), "http://"+dnsName(p.DNSName)+"/"
	if a.HTTPS {
		one.URL = "https://" + dnsName(p.DNSName) + "/"
	}
	one.Online, one.CheckedMS = true, now.UnixMilli()
	one.State, one.Job = clean(one.State, 40), clean(one.Job, maxText)
	one.Percent, one.LeftS = within(one.Percent, 100), within(one.LeftS, 365*24*3600)
	return one, true
}

// within is x, or -1 when it makes no sense.
func within(x, limit float64) float64 {
	if math.IsNaN(x) || x < 0 || x > limit {
		return -1
	}
	return x
}

package server

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"reflect"
	"time"

	"rsc.io/qr"

	"layerd/internal/access"
	"layerd/internal/overlay"
)

// What flows here: the network by which phones come from elsewhere. Its settings go to the switch, and then into the store; its status goes to the pages.

// Overlay is that network; *overlay.Switch is one.
type Overlay interface {
	Statuses() *overlay.Statuses
	Settings() (s overlay.Settings, waiting bool)
	Set(s overlay.Settings, secret string) error
	Login(ctx context.Context, secret string) error
	Leave(ctx context.Context) error
	Neighbours(ctx context.Context) ([]overlay.Neighbour, error)
	NeighbourPicture(ctx context.Context, name string) ([]byte, error)
}

const (
	overlayKey    = "overlay"
	neighbourTime = 8 * time.Second // for all of them together
)

// OverlayState is what every page knows of the network.
type OverlayState struct {
	Kind      overlay.Kind  `json:"kind"`
	State     overlay.State `json:"state"`
	URL       string        `json:"url"`        // of the page there; "" none yet
	ExpiresMS int64         `json:"expires_ms"` // when somebody has to log in again, Unix ms; 0 = never or unknown
	Problem   string        `json:"problem"`    // a sentence; "" nothing
}

// OverlayAnswer is the answer of GET /v1/overlay.
type OverlayAnswer struct {
	Settings overlay.Settings `json:"settings"`
	Status   overlay.Status   `json:"status"`
	LoginQR  string           `json:"login_qr"` // picture of the login's link, as a data: address; "" none
	URLQR    string           `json:"url_qr"`   // of the page's address
	HasKey   bool             `json:"has_key"`  // an auth key is kept until it has let this machine in
}

// NeighbourList is the answer of GET /v1/neighbours.
type NeighbourList struct {
	Neighbours []overlay.Neighbour `json:"neighbours"`
}

func (s *Server) overlayState() OverlayState {
	now, _ := s.cfg.Overlay.Statuses().Get()
	state := OverlayState{Kind: now.Kind, State: now.State, ExpiresMS: now.ExpiresMS, Problem: now.Problem}
	if len(now.URLs) > 0 {
		state.URL = now.URLs[0]
	}
	return state
}

// overlayPaths counts the ways to who has been here lately.
func (s *Server) overlayPaths() (direct, relayed int) {
	now, _ := s.cfg.Overlay.Statuses().Get()
	for _, p := range now.Paths {
		if p.Direct {
			direct++
		} else {
			relayed++
		}
	}
	return direct, relayed
}

// serveOverlay answers GET /v1/overlay.
func (s *Server) serveOverlay(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	settings, waiting := s.cfg.Overlay.Settings()
	status, _ := s.cfg.Overlay.Statuses().Get()
	if settings.Tailnet.Tags == nil {
		settings.Tailnet.Tags = []string{}
	}
	for _, list := range []*[]string{&status.URLs, &status.Addresses, &status.Health} {
		if *list == nil {
			*list = []string{}
		}
	}
	if status.Paths == nil {
		status.Paths = []overlay.Path{}
	}
	answer := OverlayAnswer{Settings: settings, Status: status, HasKey: waiting, LoginQR: qrPicture(status.LoginURL)}
	if len(status.URLs) > 0 {
		answer.URLQR = qrPicture(status.URLs[0])
	}
	s.writeJSON(w, http.StatusOK, answer)
	return nil
}

// qrPicture is a text as a QR code, a PNG in a data: address; "" when there is no text, or too much of it.
func qrPicture(text string) string {
	if text == "" {
		return ""
	}
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return ""
	}
	const border, scale = 4, 6
	side := (code.Size + 2*border) * scale
	picture := image.NewPaletted(image.Rect(0, 0, side, side), color.Palette{color.White, color.Black})
	for y := range side {
		for x := range side {
			if code.Black(x/scale-border, y/scale-border) {
				picture.SetColorIndex(x, y, 1)
			}
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		return ""
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(out.Bytes())
}

// serveNeighbours answers GET /v1/neighbours: other layerds that the network's own rules let this one see.
func (s *Server) serveNeighbours(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	ctx, cancel := context.WithTimeout(r.Context(), neighbourTime)
	defer cancel()
	all, err := s.cfg.Overlay.Neighbours(ctx)
	if err != nil && !errors.Is(err, overlay.ErrNotHere) {
		return err
	}
	if all == nil {
		all = []overlay.Neighbour{}
	}
	s.writeJSON(w, http.StatusOK, NeighbourList{Neighbours: all})
	return nil
}

// serveNeighbourPicture answers GET /v1/neighbours/NAME with a JPEG.
func (s *Server) serveNeighbourPicture(w http.ResponseWriter, r *http.Request, _ access.Identity) error {
	ctx, cancel := context.WithTimeout(r.Context(), neighbourTime)
	defer cancel()
	jpeg, err := s.cfg.Overlay.NeighbourPicture(ctx, r.PathValue("path"))
	if err != nil {
		s.log.Debug("no picture of a neighbour", "err", err)
		return errNoPicture
	}
	w.Header().Set("Content-Type", "image/jpeg")
	writeSized(w, int64(len(jpeg)))
	w.Write(jpeg) // the client is gone when this fails
	return nil
}

// doSetOverlay changes to other settings, and keeps them. What the configuration says stays as it is.
func (s *Server) doSetOverlay(ctx context.Context, c *call) (uint64, error) {
	if c.Overlay == nil {
		return 0, badCommand("This command needs overlay.")
	}
	now, _ := s.cfg.Overlay.Settings()
	wanted := c.Overlay.Tidy()
	for key, same := range map[string]bool{
		"overlay":              wanted.Kind == now.Kind,
		"tailnet.name":         wanted.Tailnet.Name == now.Tailnet.Name,
		"tailnet.control_url":  wanted.Tailnet.ControlURL == now.Tailnet.ControlURL,
		"tailnet.tags":         len(wanted.Tailnet.Tags)+len(now.Tailnet.Tags) == 0 || reflect.DeepEqual(wanted.Tailnet.Tags, now.Tailnet.Tags),
		"tailnet.vendor_logs":  wanted.Tailnet.VendorLogs == now.Tailnet.VendorLogs,
		"tailnet.default_role": wanted.Tailnet.DefaultRole == now.Tailnet.DefaultRole,
		"zerotier.network":     wanted.ZeroTier.Network == now.ZeroTier.Network,
	} {
		if same {
			continue
		}
		if err := s.unlocked(key); err != nil {
			return 0, err
		}
	}
	if err := s.cfg.Overlay.Set(wanted, c.Secret); err != nil {
		return 0, err
	}
	s.overlayRev.Add(1)
	s.custom.tell()
	s.cfg.People.TellPeople() // what they may whom nobody names is set here
	if err := s.cfg.Files.SetSetting(ctx, overlayKey, wanted); err != nil {
		return 0, fmt.Errorf("keep the settings of the overlay network: %w", err)
	}
	return s.rev(), nil
}

func (s *Server) doOverlayLogin(ctx context.Context, c *call) (uint64, error) {
	return s.rev(), s.cfg.Overlay.Login(ctx, c.Secret)
}

// doOverlayLeave takes this machine out of the network, and keeps it out: made anew, a network would join again.
func (s *Server) doOverlayLeave(ctx context.Context, c *call) (uint64, error) {
	if err := s.unlocked("overlay"); err != nil {
		return 0, err
	}
	left := s.cfg.Overlay.Leave(ctx)
	if left != nil && !errors.Is(left, overlay.ErrNotTold) {
		return 0, left
	}
	now, _ := s.cfg.Overlay.Settings()
	now.Kind = overlay.None
	c.Overlay, c.Secret = &now, ""
	rev, err := s.doSetOverlay(ctx, c)
	return rev, cmp.Or(err, left)
}

// ReadOverlay is the settings that a person has made on the page; locked ones count more, which the caller adds.
func ReadOverlay(ctx context.Context, settings Settings) (s overlay.Settings, err error) {
	_, err = settings.Setting(ctx, overlayKey, &s)
	return s.Tidy(), err
}

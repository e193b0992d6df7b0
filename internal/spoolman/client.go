// Package spoolman speaks to a Spoolman, a store of filament spools on the user's own network, by its HTTP API (version 1):
//
//	GET /api/v1/spool            all spools that are not archived; 200 and a list
//	GET /api/v1/spool/ID         one; 404 when it is not there
//	PUT /api/v1/spool/ID/use     {"use_length": mm} takes filament off it; 200 and the spool as it is then
//
// (github.com/Donkie/Spoolman, spoolman/api/v1/spool.py and models.py.) Keys that are not known are absent from its answers, never null.
// What it says is hostile: bounded in size and number, and its texts are cleaned.
package spoolman

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
	"unicode"
	"unicode/utf8"
)

var (
	ErrGone    = errors.New("Spoolman has no such spool")
	ErrUnheard = errors.New("it is not known whether Spoolman did it") // the request may have arrived, and its answer did not
	ErrRefused = errors.New("Spoolman does not do that")               // it answers, but not this; nothing was done
)

const (
	patience  = 10 * time.Second // for one request with its answer
	maxAnswer = 4 << 20          // bytes; a spool is about 1 kB
	maxSpools = 1000
	maxText   = 64 // characters of a name or material, as Spoolman's own limit
)

// Client asks one Spoolman. It may be used from any goroutine.
type Client struct {
	base string
	http *http.Client
}

// New returns a Client of the Spoolman at address, such as "http://192.168.1.5:7912".
func New(address string) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%.100q is no address of a Spoolman, such as http://192.168.1.5:7912", address)
	}
	path := strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v1")
	return &Client{base: u.Scheme + "://" + u.Host + path + "/api/v1", http: &http.Client{
		Timeout: patience,
		// A redirect could lead anywhere, with our request in its hands.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: (&net.Dialer{Timeout: patience / 2}).DialContext, MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second,
			ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 32 << 10, DisableCompression: true},
	}}, nil
}

// Spool is one of its spools. -1 stands for what it does not know.
type Spool struct {
	ID          int64
	Name        string // vendor and filament
	Material    string
	Colour      string // "#rrggbb", "" unknown
	DiameterMM  float64
	DensityGCM3 float64
	WeightG     float64 // full, without the spool; 0 unknown
	SpoolG      float64 // 0 unknown
	Cost        float64 // 0 unknown
	UsedMM      float64
	LeftMM      float64 // -1 unknown
	Archived    bool
}

// answer is what we read of a spool.
type answer struct {
	ID       int64 `json:"id"`
	Filament struct {
		Name   string `json:"name"`
		Vendor struct {
			Name string `json:"name"`
		} `json:"vendor"`
		Material string  `json:"material"`
		Density  float64 `json:"density"`
		Diameter float64 `json:"diameter"`
		Weight   float64 `json:"weight"`
		SpoolG   float64 `json:"spool_weight"`
		Colour   string  `json:"color_hex"`
		Price    float64 `json:"price"`
	} `json:"filament"`
	Price    float64  `json:"price"`
	InitialG float64  `json:"initial_weight"`
	SpoolG   float64  `json:"spool_weight"`
	LeftMM   *float64 `json:"remaining_length"`
	UsedMM   float64  `json:"used_length"`
	Archived bool     `json:"archived"`
}

// Spools returns those that are not archived. What makes no sense is left out.
func (c *Client) Spools(ctx context.Context) ([]Spool, error) {
	spools := []Spool{}
	err := c.ask(ctx, http.MethodGet, "/spool", nil, func(list *json.Decoder) (err error) {
		spools, err = readSpools(list)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("ask Spoolman for its spools: %w", err)
	}
	return spools, nil
}

// readSpools reads one after another, so that a hostile list is no bigger here than maxSpools of them. What follows those is left unread.
func readSpools(list *json.Decoder) ([]Spool, error) {
	if begin, err := list.Token(); err != nil || begin != json.Delim('[') {
		return nil, errors.Join(errNoList, err)
	}
	spools := []Spool{}
	for n := 0; list.More(); n++ {
		if n == maxSpools {
			return spools, nil
		}
		var a answer
		if err := list.Decode(&a); err != nil {
			return nil, err
		}
		if s, ok := a.spool(); ok {
			spools = append(spools, s)
		}
	}
	if _, err := list.Token(); err != nil {
		return nil, err
	}
	return spools, nil
}

var errNoList = errors.New("no list")

// Spool returns one. ErrGone when it is not there, ErrRefused when Spoolman answers, but says nothing that makes sense.
func (c *Client) Spool(ctx context.Context, id int64) (Spool, error) {
	var a answer
	err := c.ask(ctx, http.MethodGet, fmt.Sprintf("/spool/%d", id), nil, func(one *json.Decoder) error { return one.Decode(&a) })
	if err != nil {
		return Spool{}, fmt.Errorf("ask Spoolman for spool %d: %w", id, err)
	}
	s, ok := a.spool()
	if !ok || s.ID != id {
		return Spool{}, fmt.Errorf("ask Spoolman for spool %d: %w: its answer makes no sense", id, ErrRefused)
	}
	return s, nil
}

// Use takes mm off a spool. ErrGone when it is not there; ErrUnheard when it may or may not have been done; any other error means that it was not,
// and ErrRefused that Spoolman did not want to.
func (c *Client) Use(ctx context.Context, id int64, mm float64) error {
	if !(mm > 0 && mm < 1e8) {
		return fmt.Errorf("use %g mm of spool %d: no such length", mm, id)
	}
	err := c.ask(ctx, http.MethodPut, fmt.Sprintf("/spool/%d/use", id), map[string]float64{"use_length": math.Round(mm*1000) / 1000}, nil)
	if err != nil {
		return fmt.Errorf("tell Spoolman of %.1f mm of spool %d: %w", mm, id, err)
	}
	return nil
}

// ask sends one request and has its answer read; nil = it is not looked at.
func (c *Client) ask(ctx context.Context, method, path string, send any, read func(*json.Decoder) error) error {
	body := io.Reader(http.NoBody)
	if send != nil {
		text, err := json.Marshal(send)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "application/json")
	if send != nil {
		r.Header.Set("Content-Type", "application/json")
		r.GetBody = nil // net/http must not send it once more by itself
	}
	response, err := c.http.Do(r)
	if err != nil {
		return unheard(err)
	}
	defer response.Body.Close()
	switch code := response.StatusCode; {
	case code == http.StatusNotFound:
		return ErrGone
	case code >= 500: // it may have failed half way
		return fmt.Errorf("%w: it answered with status %d", ErrUnheard, code)
	case code >= 300 && code <= 399:
		return fmt.Errorf("it leads elsewhere (status %d), where layerd does not follow: set spoolman.url to the address in the browser's bar", code)
	case code < 200 || code > 299:
		return fmt.Errorf("%w: it answered with status %d", ErrRefused, code)
	}
	if read == nil {
		return nil
	}
	text := &wire{from: response.Body}
	err = read(json.NewDecoder(io.LimitReader(text, maxAnswer)))
	switch {
	case err == nil:
		return nil
	case text.err != nil:
		return fmt.Errorf("read its answer: %w", inWords(text.err))
	}
	return fmt.Errorf("%w: its answer is not what a Spoolman says", ErrRefused)
}

// wire is an answer that remembers what went wrong with the connection: a decoder's errors say little of that.
type wire struct {
	from io.Reader
	err  error
}

func (w *wire) Read(into []byte) (n int, err error) {
	n, err = w.from.Read(into)
	if err != nil && err != io.EOF {
		w.err = err
	}
	return n, err
}

// unheard tells failures before anything was sent from those after.
func unheard(err error) error {
	var dial *net.OpError
	var dns *net.DNSError
	if errors.As(err, &dns) || errors.As(err, &dial) && dial.Op == "dial" || errors.Is(err, syscall.ECONNREFUSED) {
		return inWords(err)
	}
	return fmt.Errorf("%w: %w", ErrUnheard, inWords(err))
}

// trouble is a failure of the network in our own words. Go's name both ends' addresses, of which our port is another one each time: the same
// trouble would be news again and again.
type trouble struct {
	words string
	cause error
}

func (t *trouble) Error() string { return t.words }
func (t *trouble) Unwrap() error { return t.cause }

func inWords(err error) error {
	var dns *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	words := "what answers at its address cannot be understood"
	switch {
	case errors.As(err, &dns):
		words = "its name cannot be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		words = "nothing listens at its address"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		words = "no way leads to its address"
	case errors.Is(err, context.Canceled):
		words = "the request was given up"
	case errors.As(err, &timeout) && timeout.Timeout():
		words = "it does not answer in time"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		words = "it broke the connection off"
	case errors.As(err, &certificate):
		words = "its certificate is not trusted here"
	}
	return &trouble{words, err}
}

// spool cleans an answer; false when it is none.
func (a *answer) spool() (Spool, bool) {
	f := &a.Filament
	s := Spool{ID: a.ID, Material: clean(f.Material), Colour: colour(f.Colour), DiameterMM: f.Diameter, DensityGCM3: f.Density,
		WeightG: a.InitialG, SpoolG: a.SpoolG, Cost: a.Price, UsedMM: a.UsedMM, LeftMM: -1, Archived: a.Archived}
	s.Name = strings.TrimSpace(clean(f.Vendor.Name) + " " + clean(f.Name))
	if s.Name == "" {
		s.Name = strings.TrimSpace(fmt.Sprintf("%s spool %d", s.Material, s.ID))
	}
	if s.WeightG == 0 {
		s.WeightG = f.Weight
	}
	if s.SpoolG == 0 {
		s.SpoolG = f.SpoolG
	}
	if s.Cost == 0 {
		s.Cost = f.Price
	}
	if a.LeftMM != nil {
		s.LeftMM = *a.LeftMM
	}
	for _, v := range []float64{s.DiameterMM, s.DensityGCM3} {
		if v <= 0 || v > 100 {
			return s, false
		}
	}
	for _, v := range []float64{s.WeightG, s.SpoolG, s.Cost, s.UsedMM} {
		if v < 0 || v > 1e9 {
			return s, false
		}
	}
	return s, s.ID > 0 && s.LeftMM >= -1 && s.LeftMM < 1e9
}

func clean(text string) string {
	text = strings.TrimSpace(strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, text))
	if runes := []rune(text); len(runes) > maxText {
		text = string(runes[:maxText])
	}
	return text
}

// colour makes "#rrggbb" of Spoolman's six or eight digits, of which the last two are its transparency.
func colour(hex string) string {
	hex = strings.ToLower(strings.TrimPrefix(hex, "#"))
	if len(hex) != 6 && len(hex) != 8 || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return "#" + hex[:6]
}

package spoolman

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"layerd/internal/spoolman/spoolmantest"
)

func client(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(address)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestSpools(t *testing.T) {
	f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {Name: "orange", WeightG: 1000, UsedG: 250}, 7: {Name: "x\x1b[31m"}})
	for _, address := range []string{f.URL, f.URL + "/", f.URL + "/api/v1", f.URL + "/api/v1/"} {
		got, err := client(t, address).Spools(t.Context())
		if err != nil || len(got) != 2 {
			t.Fatalf("%s: got %+v, %v", address, got, err)
		}
		want := Spool{ID: 3, Name: "Acme orange", Material: "PLA", Colour: "#ff8800", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000}
		s := got[0]
		if math.Abs(s.LeftMM-251463) > 1 || math.Abs(s.UsedMM-83821) > 1 { // 750 g and 250 g at 2.9825 g/m
			t.Errorf("left %v, used %v", s.LeftMM, s.UsedMM)
		}
		s.LeftMM, s.UsedMM = 0, 0
		if s != want {
			t.Errorf("got %+v, want %+v", s, want)
		}
		if got[1].LeftMM != -1 || got[1].Name != "Acme x[31m" {
			t.Errorf("got %+v, want what is left unknown and the name clean", got[1])
		}
	}
	if _, err := client(t, f.URL).Spool(t.Context(), 8); !errors.Is(err, ErrGone) {
		t.Errorf("one that is not there: got %v, want ErrGone", err)
	}
}

func TestUse(t *testing.T) {
	f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {WeightG: 1000}})
	c := client(t, f.URL)
	if err := c.Use(t.Context(), 3, 1234.5); err != nil || f.UsedMM(3) != 1234.5 {
		t.Errorf("got %v and %v mm used, want 1234.5", err, f.UsedMM(3))
	}
	if err := c.Use(t.Context(), 9, 1); !errors.Is(err, ErrGone) {
		t.Errorf("got %v, want ErrGone", err)
	}
	for _, mm := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if err := c.Use(t.Context(), 3, mm); err == nil {
			t.Errorf("used %g mm", mm)
		}
	}
	if n := len(f.Asked()); n != 2 {
		t.Errorf("%d requests were made, want 2", n)
	}
}

// An error says whether the use may have been booked: only then it must not be told again before somebody has looked.
func TestWhetherAUseWasHeard(t *testing.T) {
	for _, c := range []struct {
		name    string
		wrong   spoolmantest.Wrong
		unheard bool
		usedMM  float64
	}{
		{"down", spoolmantest.Down, true, 0}, {"deaf", spoolmantest.Deaf, true, 100}, {"broken", spoolmantest.Broken, true, 0},
		{"busy", spoolmantest.Busy, true, 100}, {"refuses", spoolmantest.Refuses, false, 0}, {"redirect", spoolmantest.Redirect, false, 0},
	} {
		f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {}})
		f.Go("PUT", c.wrong)
		err := client(t, f.URL).Use(t.Context(), 3, 100)
		if err == nil || errors.Is(err, ErrUnheard) != c.unheard || f.UsedMM(3) != c.usedMM {
			t.Errorf("%s: got %v, unheard %v, %v mm used", c.name, err, errors.Is(err, ErrUnheard), f.UsedMM(3))
		}
		if n := len(f.Asked()); n != 1 {
			t.Errorf("%s: it was told %d times", c.name, n)
		}
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	if err := client(t, closed.URL).Use(t.Context(), 3, 1); err == nil || errors.Is(err, ErrUnheard) {
		t.Errorf("nobody listens: got %v, want an error that is sure", err)
	}
	f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {}})
	f.Go("PUT", spoolmantest.Slow)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := client(t, f.URL).Use(ctx, 3, 1); !errors.Is(err, ErrUnheard) {
		t.Errorf("no answer in time: got %v, want ErrUnheard", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, wrong := range map[string]spoolmantest.Wrong{"huge": spoolmantest.Huge, "rubbish": spoolmantest.Rubbish, "redirect": spoolmantest.Redirect,
		"broken": spoolmantest.Broken, "down": spoolmantest.Down, "refuses": spoolmantest.Refuses} {
		f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {}})
		f.Go("GET", wrong)
		if got, err := client(t, f.URL).Spools(t.Context()); err == nil {
			t.Errorf("%s: got %+v, want an error", name, got)
		}
	}
}

// The same trouble has the same words each time, and none of them is an address.
func TestTroubleInWords(t *testing.T) {
	reset := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		c.(*net.TCPConn).SetLinger(0)
		c.Close()
	}))
	defer reset.Close()
	gone := httptest.NewServer(nil)
	gone.Close()
	for address, want := range map[string]string{reset.URL: "it broke the connection off", gone.URL: "nothing listens at its address",
		strings.Replace(reset.URL, "http:", "https:", 1): ""} {
		_, err := client(t, address).Spools(t.Context())
		if err == nil || !strings.HasSuffix(err.Error(), want) || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%s: got %v, want it to end with %q and to have no address", address, err, want)
		}
	}
}

// No more is read of a list than is shown: 4 MiB of {} would be 700 MiB here.
func TestLongList(t *testing.T) {
	one := `{"id":1,"filament":{"density":1.2,"diameter":1.75}},`
	f := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "["+strings.Repeat(one, maxSpools)+"what follows is never looked at")
	}))
	defer f.Close()
	if got, err := client(t, f.URL).Spools(t.Context()); err != nil || len(got) != maxSpools {
		t.Errorf("got %d spools and %v, want %d", len(got), err, maxSpools)
	}
}

// A redirect is not followed: it could make layerd ask, and tell, hosts that nobody has configured.
func TestNoRedirectIsFollowed(t *testing.T) {
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer elsewhere.Close()
	f := spoolmantest.New(t, map[int64]*spoolmantest.Spool{3: {}})
	f.Away = elsewhere.URL
	f.Go("GET", spoolmantest.Redirect)
	f.Go("PUT", spoolmantest.Redirect)
	c := client(t, f.URL)
	_, err := c.Spools(t.Context())
	if used := c.Use(t.Context(), 3, 1); err == nil || used == nil || asked.Load() != 0 {
		t.Errorf("got %v and %v, and %d requests elsewhere", err, used, asked.Load())
	}
}

func TestAddresses(t *testing.T) {
	for _, bad := range []string{"", "spoolman", "ftp://a", "http://", "http://user:pass@a/", "http://a/?q=1", "http://a/#x", "file:///etc/passwd", "http://a b"} {
		if _, err := New(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestSpoolsThatMakeNoSense(t *testing.T) {
	for _, text := range []string{`{}`, `{"id":-1,"filament":{"density":1,"diameter":1}}`, `{"id":1,"filament":{"density":0,"diameter":1.75}}`,
		`{"id":1,"filament":{"density":1.2,"diameter":1e9}}`, `{"id":1,"filament":{"density":1.2,"diameter":1.75},"used_length":-5}`,
		`{"id":1,"filament":{"density":1.2,"diameter":1.75},"remaining_length":1e300}`, `{"id":1,"filament":{"density":1.2,"diameter":1.75},"price":-1}`} {
		var a answer
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			t.Fatal(err)
		}
		if s, ok := a.spool(); ok {
			t.Errorf("%s: taken as %+v", text, s)
		}
	}
	a := answer{ID: 4}
	a.Filament.Density, a.Filament.Diameter, a.Filament.Material, a.Filament.Colour = 1, 1, strings.Repeat("é", 99), "#12G456"
	if s, ok := a.spool(); !ok || s.Name != strings.Repeat("é", 64)+" spool 4" || s.Colour != "" {
		t.Errorf("got %+v", s)
	}
}

// FuzzSpools: whatever a Spoolman says, what is taken of it is clean, bounded, and makes sense.
func FuzzSpools(f *testing.F) {
	f.Add(`[{"id":3,"filament":{"name":"orange","vendor":{"name":"Acme"},"density":1.24,"diameter":1.75,"color_hex":"FF8800"},"remaining_length":1,"used_length":2}]`)
	f.Add(`[{"id":-1},{"id":9223372036854775807,"filament":{"density":1e-300,"diameter":99}},null,[],{"filament":null}]`)
	f.Add("[{\"id\":1,\"filament\":{\"name\":\"\\u202e\\u001b\",\"density\":1,\"diameter\":1,\"color_hex\":\"#12345678\"},\"remaining_length\":-0.0}")
	f.Fuzz(func(t *testing.T, text string) {
		spools, err := readSpools(json.NewDecoder(strings.NewReader(text)))
		if len(spools) > maxSpools || err != nil && spools != nil {
			t.Errorf("got %d spools, %v", len(spools), err)
		}
		for _, s := range spools {
			for _, word := range []string{s.Name, s.Material, s.Colour} {
				if !utf8.ValidString(word) || utf8.RuneCountInString(word) > 2*maxText+1 || strings.ContainsFunc(word, func(r rune) bool { return !unicode.IsPrint(r) }) {
					t.Errorf("got %q", word)
				}
			}
			if s.ID < 1 || s.Name == "" || s.Colour != "" && len(s.Colour) != 7 || !(s.DiameterMM > 0 && s.DensityGCM3 > 0 && s.LeftMM >= -1 && s.UsedMM >= 0 && s.WeightG >= 0) || math.IsInf(s.UsedMM+s.LeftMM, 0) {
				t.Errorf("got %+v", s)
			}
		}
	})
}

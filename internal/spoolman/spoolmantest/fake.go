// Package spoolmantest is a small Spoolman that answers over real HTTP as the real one does (github.com/Donkie/Spoolman, spoolman/api/v1/spool.py), and
// goes wrong as asked.
package spoolmantest

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Spool is one on the fake's shelf: PLA of 1.75 mm.
type Spool struct {
	Name    string
	WeightG float64 // 0: not set, so it does not say what is left
	UsedG   float64
	Gone    bool
	Refused bool // 422 to what was used of it
}

const (
	density  = 1.24
	diameter = 1.75
)

// Wrong is what goes wrong with a request.
type Wrong int

const (
	Nothing  Wrong = iota
	Down           // the connection ends before it is done
	Deaf           // it is done, and the connection ends before the answer
	Slow           // no answer comes until the test ends
	Broken         // status 500, not done
	Busy           // status 503 after it was done
	Refuses        // status 422
	Huge           // a body without end
	Redirect       // to elsewhere
	Rubbish        // no JSON
)

// Fake is the server. Its address is URL.
type Fake struct {
	*httptest.Server
	mu     sync.Mutex // guards what follows
	spools map[int64]*Spool
	wrong  map[string]Wrong // by method
	asked  []string
	done   chan struct{}
	Away   string // where Redirect leads
}

// New starts a Fake that ends with the test.
func New(t testing.TB, spools map[int64]*Spool) *Fake {
	f := &Fake{spools: spools, wrong: map[string]Wrong{}, done: make(chan struct{})}
	f.Server = httptest.NewServer(f)
	t.Cleanup(func() { close(f.done); f.Server.Close() })
	return f
}

// Go makes requests of a method go wrong.
func (f *Fake) Go(method string, wrong Wrong) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong[method] = wrong
}

// Change changes the shelf.
func (f *Fake) Change(change func(map[int64]*Spool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f.spools)
}

// UsedMM is what a spool has lost, to a tenth of a millimetre.
func (f *Fake) UsedMM(id int64) float64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return math.Round(lengthMM(f.spools[id].UsedG)*10) / 10
}

// Asked returns the requests so far, "PUT /api/v1/spool/1/use".
func (f *Fake) Asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string(nil), f.asked...)
}

// It keeps weights, and makes lengths of them as it is asked (spoolman/math.py).
func lengthMM(g float64) float64 { return g / density * 1000 / (math.Pi / 4 * diameter * diameter) }
func weightG(mm float64) float64 { return mm * math.Pi / 4 * diameter * diameter / 1000 * density }

func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked = append(f.asked, r.Method+" "+r.URL.Path)
	wrong, away := f.wrong[r.Method], f.Away
	f.mu.Unlock()
	hangUp := func() { panic(http.ErrAbortHandler) }
	switch wrong {
	case Down:
		hangUp()
	case Slow:
		select {
		case <-f.done:
		case <-r.Context().Done():
		}
		return
	case Broken:
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	case Refuses:
		http.Error(w, `{"detail":[]}`, http.StatusUnprocessableEntity)
		return
	case Redirect:
		http.Redirect(w, r, away, http.StatusTemporaryRedirect)
		return
	case Rubbish:
		fmt.Fprint(w, "<html>It works!</html>")
		return
	case Huge:
		fmt.Fprint(w, `[{"id":1,"filament":{"name":"`)
		for range 8 << 10 {
			if _, err := w.Write([]byte(strings.Repeat("x", 1<<10))); err != nil {
				return
			}
		}
		return
	}
	status, answer := f.serve(r)
	switch wrong {
	case Deaf:
		hangUp()
	case Busy:
		status, answer = http.StatusServiceUnavailable, map[string]string{"message": "busy"}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(answer)
}

func (f *Fake) serve(r *http.Request) (status int, answer any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodGet && r.URL.Path == "/api/v1/spool" {
		all := []any{}
		for id := range int64(100) {
			if s := f.spools[id]; s != nil && !s.Gone {
				all = append(all, s.json(id))
			}
		}
		return http.StatusOK, all
	}
	var id int64
	fmt.Sscanf(r.URL.Path, "/api/v1/spool/%d", &id)
	s := f.spools[id]
	if s == nil || s.Gone {
		return http.StatusNotFound, map[string]string{"message": fmt.Sprintf("No spool with ID %d found.", id)}
	}
	if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/use") {
		var body struct {
			Length *float64 `json:"use_length"`
			Weight *float64 `json:"use_weight"`
		}
		if json.NewDecoder(r.Body).Decode(&body) != nil || body.Length == nil || body.Weight != nil {
			return http.StatusBadRequest, map[string]string{"message": "Either use_weight or use_length must be specified."}
		}
		if s.Refused {
			return http.StatusUnprocessableEntity, map[string]any{"detail": []any{}}
		}
		s.UsedG += weightG(*body.Length)
	}
	return http.StatusOK, s.json(id)
}

// json is the spool as it answers. What is not set is left out.
func (s *Spool) json(id int64) map[string]any {
	out := map[string]any{"id": id, "registered": "2026-01-02T03:04:05Z", "archived": false, "used_weight": s.UsedG, "used_length": lengthMM(s.UsedG), "extra": map[string]string{},
		"filament": map[string]any{"id": 1, "name": s.Name, "vendor": map[string]any{"id": 1, "name": "Acme"}, "material": "PLA", "density": density,
			"diameter": diameter, "color_hex": "FF8800", "registered": "2026-01-02T03:04:05Z"}}
	if s.WeightG > 0 {
		left := max(s.WeightG-s.UsedG, 0)
		out["initial_weight"], out["remaining_weight"], out["remaining_length"] = s.WeightG, left, lengthMM(left)
	}
	return out
}

package server

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/access"
	"layerd/internal/health"
	"layerd/internal/latest"
)

func TestHealthzTellsTheTruth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex // guards asked, dead
		asked, dead := 0, ""
		part := func(name string) Vital {
			return Vital{name, func(ctx context.Context) error {
				mu.Lock()
				asked++
				now := dead
				mu.Unlock()
				switch {
				case now == name+" hangs":
					<-ctx.Done()
					return ctx.Err()
				case now == name:
					return errors.New("secret words")
				}
				return nil
			}}
		}
		r := newRig(t, func(c *Config) { c.Vital = []Vital{part("printer"), part("store")} })
		for _, c := range []struct {
			dead string
			code int
			word string
			took time.Duration
		}{{"", 200, "ok\n", 0}, {"printer", 503, "printer\n", 0}, {"store", 503, "store\n", 0}, {"printer hangs", 503, "printer\n", pulseMost}, {"store hangs", 503, "store\n", pulseMost}, {"", 200, "ok\n", 0}} {
			time.Sleep(pulseGood)
			mu.Lock()
			dead = c.dead
			mu.Unlock()
			begin := time.Now()
			if w := r.do("GET", "/healthz", "", nil); w.Code != c.code || w.Body.String() != c.word || time.Since(begin) != c.took {
				t.Errorf("%q: got %d %q after %v, want %d %q after %v", c.dead, w.Code, w.Body, time.Since(begin), c.code, c.word, c.took)
			}
		}
		time.Sleep(pulseGood)
		asked = 0
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if w := r.do("GET", "/healthz", "", nil); w.Code != 200 {
					t.Errorf("got %d", w.Code)
				}
			})
		}
		all.Wait()
		if asked != 2 {
			t.Errorf("the parts were asked %d times for 50 requests in one moment, want 2", asked)
		}
		r.endLife()
	})
}

// A part that hangs and hears of no end is asked once, however long it hangs, and answers again when it is back.
func TestAPartThatHangsForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hold := make(chan struct{})
		var asked atomic.Int32
		r := newRig(t, func(c *Config) {
			c.Vital = []Vital{{"printer", func(context.Context) error {
				asked.Add(1)
				<-hold
				return nil
			}}}
		})
		for range 5 {
			if w := r.do("GET", "/healthz", "", nil); w.Code != 503 || w.Body.String() != "printer\n" {
				t.Errorf("got %d %q", w.Code, w.Body)
			}
			time.Sleep(pulseGood)
		}
		if n := asked.Load(); n != 1 {
			t.Errorf("it was asked %d times", n)
		}
		close(hold)
		synctest.Wait()
		for range 2 {
			if w := r.do("GET", "/healthz", "", nil); w.Code != 200 {
				t.Errorf("it is back, and the answer is %d %q", w.Code, w.Body)
			}
			time.Sleep(pulseGood)
		}
		r.endLife()
	})
}

func TestTheMachineAsEachRoleSeesIt(t *testing.T) {
	reports := latest.New[*health.Report](nil)
	r := newRig(t, func(c *Config) { c.Reports = reports })
	state := func(role string) HostState {
		t.Helper()
		var s State
		if err := json.Unmarshal(r.do("GET", "/v1/state", role, nil).Body.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		return s.Host
	}
	if got := state("owner"); got != (HostState{Level: health.Unknown}) {
		t.Errorf("nobody has looked, and the state is %+v", got)
	}
	reports.Set(&health.Report{AtMS: 5, Level: health.Bad, Checks: []health.Check{{ID: "disk", Name: "Disk", Level: health.Bad, Found: "/home/kim is full.", Do: "Delete files."}, {ID: "wifi", Name: "Wi-Fi", Level: health.OK, Found: "Good."}}})
	if got := state("operator"); got != (HostState{health.Bad, 5, "disk", "Disk", "/home/kim is full.", "Delete files."}) {
		t.Errorf("an operator is told %+v", got)
	}
	if got := state("viewer"); got != (HostState{Level: health.Bad, AtMS: 5, ID: "disk", Name: "Disk"}) {
		t.Errorf("a viewer is told %+v", got)
	}
	if w := r.do("GET", "/v1/health", "operator", nil); w.Code != 403 {
		t.Errorf("the whole is an owner's, and an operator got %d", w.Code)
	}
	var whole MachineHealth
	if err := json.Unmarshal(r.do("GET", "/v1/health", "owner", nil).Body.Bytes(), &whole); err != nil || len(whole.Checks) != 2 || whole.Checks[1].Found != "Good." {
		t.Errorf("got %+v, %v", whole.Report, err)
	}
	reports.Set(&health.Report{AtMS: 6, Level: health.OK, Checks: []health.Check{{ID: "card", Level: health.Note, Found: "Old."}}})
	if got := state("owner"); got != (HostState{Level: health.OK, AtMS: 6}) {
		t.Errorf("all is well, and the state is %+v", got)
	}
}

// A page learns of a new report without asking.
func TestAReportWakesPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := latest.New[*health.Report](nil)
		r := newRig(t, func(c *Config) { c.Reports = reports })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go r.Run(ctx)
		time.Sleep(time.Second)
		synctest.Wait()
		reports.Set(&health.Report{AtMS: 9, Level: health.OK})
		time.Sleep(viewEvery)
		synctest.Wait()
		if v, _ := r.views.Get(); v.as(access.Identity{Role: access.Viewer}).Host.AtMS != 9 {
			t.Errorf("pages show %+v", v.state.Host)
		}
		cancel()
		synctest.Wait()
	})
}

package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"layerd/internal/access"
	"layerd/internal/overlay"
	"layerd/internal/store"
)

// A card that takes nothing holds up nobody. What was done first is written when it takes something again, and what is lost is said.
func TestAuditLosesRatherThanWaits(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ func(string, string) *phone, _ func()) {
		r.people.fail = errors.New("the disk is full")
		me := access.Identity{ID: "1", Name: "Anna", Role: access.Owner}
		for i := range 2000 {
			r.note(me, "jog", fmt.Sprint(i), "ok")
		}
		time.Sleep(10*deedsEvery + deedsEvery/2) // between two writings, so that the pause comes with the next
		r.people.mu.Lock()
		r.people.fail = nil
		r.people.mu.Unlock()
		r.note(me, "pause", "", "ok")
		time.Sleep(2 * deedsEvery)
		synctest.Wait()
		deeds, err := r.people.Deeds(t.Context(), 0, 0)
		kept := len(deeds) - 2
		if err != nil || kept < cap(r.deeds.waiting) || kept > deedsMost || deeds[0].Detail != "0" || deeds[kept].What != "pause" || deeds[kept+1].What != "lost" ||
			!strings.HasPrefix(deeds[kept+1].Detail, fmt.Sprintf("%d deeds were", 2000-kept)) {
			t.Errorf("got %d deeds that end with %+v, %v, want the first of them, the pause, and how many were lost", len(deeds), deeds[max(len(deeds)-2, 0):], err)
		}
	})
}

// What was done last is written before layerd ends, and many deeds are one writing.
func TestAuditIsWrittenAtTheEnd(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig, _ func(string, string) *phone, stop func()) {
		for i := range 3 {
			r.note(access.Identity{}, "jog", fmt.Sprint(i), "ok")
		}
		synctest.Wait()
		if deeds, _ := r.people.Deeds(t.Context(), 0, 0); len(deeds) != 0 {
			t.Errorf("%d deeds were written at once", len(deeds))
		}
		stop()
		if deeds, _ := r.people.Deeds(t.Context(), 0, 0); len(deeds) != 3 {
			t.Errorf("%d deeds were written at the end, want 3", len(deeds))
		}
	})
}

func TestDetailOf(t *testing.T) {
	for want, c := range map[string]Command{
		"":                                  {Do: "pause"},
		"file a.gcode, anyway":              {Do: "start", File: "a.gcode", Anyway: true},
		"axes x, by_mm -5":                  {Do: "jog", Axes: "x", ByMM: -5},
		"on false":                          {Do: "lamp", On: new(bool)},
		"button -1":                         {Do: "answer", Prompt: 7, Button: new(-1)},
		"tool 1, target_c 210":              {Do: "set_nozzle", Tool: 1, TargetC: new(210.0)},
		"entry 4, copies 2":                 {Do: "queue_copies", Entry: 4, Copies: 2},
		"kind tailnet, default_role viewer": {Do: "set_overlay", Overlay: &overlay.Settings{Kind: overlay.Tailnet, Tailnet: overlay.TailnetSettings{DefaultRole: "viewer"}}},
		"line " + strings.Repeat("ü", 79) + "…": {Do: "send", Line: strings.Repeat("ü", 500)},
	} {
		if got := detailOf(&call{Command: c}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := detailOf(&call{Command: Command{Do: "set_overlay", Secret: "tskey-auth-1"}}); strings.Contains(got, "tskey") {
		t.Errorf("got %q with the secret", got)
	}
}

// Which button was pressed can be read when it has been another one's for long, and passwords tried from outside are in nobody's way.
func TestWhoPressedWhat(t *testing.T) {
	r := newRig(t)
	for range cap(r.deeds.waiting) {
		r.do("POST", "/v1/login", "", strings.NewReader(`{"name":"Anna","password":"guess"}`))
	}
	guessed := len(r.deeds.waiting)
	r.command(t, "operator", `{"do":"press","button":4,"value":205}`)
	if guessed > cap(r.deeds.waiting)/2 || len(r.deeds.waiting) != guessed+1 || r.deeds.lost.Load() != int64(cap(r.deeds.waiting)-guessed) {
		t.Fatalf("%d guesses and %d deeds wait, and %d are lost, want room for others", guessed, len(r.deeds.waiting), r.deeds.lost.Load())
	}
	var last store.Deed
	for len(r.deeds.waiting) > 0 {
		last = <-r.deeds.waiting
	}
	if last.Name != "the operator" || last.What != "press" || last.Detail != "Load, button 4, value 205" || last.Outcome != "ok" {
		t.Errorf("got %+v", last)
	}
}

package printertest

import (
	"math"
	"testing"
	"time"
)

// TestHeaterFollowsItsEquation integrates C·dT/dt = power − loss in small steps and compares the closed form with it.
func TestHeaterFollowsItsEquation(t *testing.T) {
	for name, h := range map[string]heater{"hot end": hotend(1), "bed": bed(1)} {
		now, temp := time.Duration(0), ambientC
		for _, target := range []float64{60, 110, 0, 45, 20, 80, 79} {
			h.set(now, target)
			for range 300 * 100 {
				const dt = 0.01
				hold := max(target, ambientC)
				w := 0.0
				if target > ambientC {
					w = max(0, min(h.powerW, h.lossWK*(hold-ambientC)+h.gain()*(target-temp)))
				}
				temp += (w - h.lossWK*(temp-ambientC)) / h.heatJK * dt
				now += 10 * time.Millisecond
				if got := h.at(now); math.Abs(got-temp) > 0.1 {
					t.Fatalf("%s towards %v at %v: %.3f °C, want %.3f", name, target, now, got, temp)
				}
			}
		}
	}
}

func TestHeaterReachesWhenItSays(t *testing.T) {
	for _, c := range []struct {
		name         string
		h            heater
		from, target float64
		least, most  time.Duration
	}{
		{"hot end", hotend(1), ambientC, 200, 60 * time.Second, 90 * time.Second},
		{"hot end, ten times", hotend(10), ambientC, 200, 6 * time.Second, 9 * time.Second},
		{"bed", bed(1), ambientC, 60, 90 * time.Second, 130 * time.Second},
		{"cooling", hotend(1), 200, 60, 120 * time.Second, 300 * time.Second},
		{"to the room", bed(1), 60, 0, 10 * time.Minute, time.Hour},
		{"at once", hotend(0), ambientC, 200, 0, 0},
		{"a degree", hotend(1), 200, 203, 0, 5 * time.Second},
	} {
		c.h.fromC = c.from
		c.h.set(0, c.target)
		at := c.h.reaches(1)
		if at < c.least || at > c.most {
			t.Errorf("%s: reached after %v, want %v to %v", c.name, at, c.least, c.most)
		}
		if got, want := c.h.at(at), c.h.hold(); math.Abs(got-want) > 1.001 {
			t.Errorf("%s: %.3f °C when it should be within 1 of %.3f", c.name, got, want)
		}
		if at > time.Second {
			if got, want := c.h.at(at-time.Second/10), c.h.hold(); math.Abs(got-want) < 0.99 {
				t.Errorf("%s: %.3f °C already before", c.name, got)
			}
		}
	}
	h := hotend(1)
	h.set(0, 1e6)
	if h.targetC != h.maxC {
		t.Errorf("target %v, want it clipped to %v", h.targetC, h.maxC)
	}
}

// What is broken shows in what the sensor says, and the metal does what physics makes it do.
func TestBrokenHeaters(t *testing.T) {
	minute := time.Minute
	for _, c := range []struct {
		name              string
		how               Broken
		targetC           float64
		lowC, highC       float64 // of the metal, five minutes later
		lowRead, highRead float64 // of the sensor
	}{
		{"open", Open, 200, ambientC, 50, ambientC, 50},
		{"shorted, off", Shorted, 0, 380, 422, 380, 422},
		{"frozen on the way", Frozen, 200, 380, 422, 99, 140},
		{"frozen, off", Frozen, 0, ambientC, 50, 99, 140},
		{"dead", Dead, 200, 380, 422, deadC, deadC},
		{"sound", Sound, 200, 199, 201, 199, 201},
	} {
		h := hotend(1)
		h.set(0, 200)
		h.fail(minute/2, c.how)
		h.set(minute/2, c.targetC)
		later := minute/2 + 5*minute
		if m, r := h.at(later), h.reading(later); !(m >= c.lowC && m <= c.highC && r >= c.lowRead && r <= c.highRead) {
			t.Errorf("%s: the metal has %.1f °C, want %g to %g; the sensor says %.1f, want %g to %g", c.name, m, c.lowC, c.highC, r, c.lowRead, c.highRead)
		}
		h.fail(later, Sound)
		if before, after := h.at(later), h.at(later+20*minute); math.Abs(after-max(c.targetC, ambientC)) > 2 {
			t.Errorf("%s, repaired at %.1f °C: twenty minutes later it has %.1f", c.name, before, after)
		}
	}
}

package health

import (
	"fmt"
	"strconv"
	"strings"

	"layerd/internal/overlay"
)

// What flows here: how well this machine is reached: by radio, and from elsewhere.

const (
	weakDBm  = -75 // pictures stutter
	worstDBm = -85 // the page goes away now and then
)

// wifis are the network devices that are radios.
func (m *Machine) wifis() (names []string) {
	for _, name := range m.names("sys/class/net") {
		if m.exists("sys/class/net/"+name+"/wireless", "sys/class/net/"+name+"/phy80211") {
			names = append(names, name)
		}
	}
	return names
}

// signal is the strength that /proc/net/wireless tells. Kernels that are built without the old wireless extensions have no such file, and there it is
// not known.
func (m *Machine) signal() (name string, dBm float64, known bool) {
	t, _ := m.text("proc/net/wireless")
	for line := range strings.Lines(t) {
		at, rest, found := strings.Cut(strings.TrimSpace(line), ":")
		words := strings.Fields(rest)
		if !found || len(words) < 3 {
			continue
		}
		level, err := strconv.ParseFloat(strings.TrimSuffix(words[2], "."), 64) // status, link, level, noise
		if level > 63 {
			level -= 256 // some drivers give the byte as it stands
		}
		if err == nil && level < 0 && level >= -120 && (!known || level > dBm) {
			name, dBm, known = plain(at, 16), level, true
		}
	}
	return name, dBm, known
}

func (m *Machine) wifi() finding {
	radios := m.wifis()
	name, dBm, known := m.signal()
	const nearer = "Put the machine or the router nearer, away from the printer's metal; or use a network cable."
	switch {
	case !known && len(radios) == 0:
		return finding{} // a cable
	case !known && !m.up(radios):
		return ok("It is not in use.")
	case !known:
		return unknown("The kernel does not tell how strong the signal of %s is.", and(radios))
	case dBm < worstDBm:
		return finding{Warn, fmt.Sprintf("The signal of %s is very weak: %.0f dBm.", name, dBm), nearer}
	case dBm < weakDBm:
		return finding{Note, fmt.Sprintf("The signal of %s is weak: %.0f dBm.", name, dBm), nearer}
	}
	if sleeps, err := m.Kernel.Sleeps(name); err == nil && sleeps {
		return finding{Note, fmt.Sprintf("The signal of %s is good: %.0f dBm. It saves power between packets, so the page may answer late.", name, dBm),
			"Switch that off until the next start: sudo iw dev " + name + " set power_save off. For good, with NetworkManager: wifi.powersave = 2 in /etc/NetworkManager/conf.d/."}
	}
	return ok("The signal of %s is good: %.0f dBm.", name, dBm)
}

func (m *Machine) up(names []string) bool {
	for _, name := range names {
		if state, _ := m.text("sys/class/net/" + name + "/operstate"); state == "up" {
			return true
		}
	}
	return false
}

func (m *Machine) away() finding {
	if m.Overlay == nil {
		return finding{} // only layerd itself knows
	}
	return ofOverlay(m.Overlay())
}

// ofOverlay is what the network knows of itself.
func ofOverlay(s overlay.Status) finding {
	next := s.Next
	switch {
	case s.Kind == overlay.None || s.State == overlay.Off:
		return ok("It is switched off.")
	case s.State == overlay.Failed || s.Problem != "":
		return finding{Warn, s.Problem, next}
	case s.State == overlay.Login:
		return finding{Warn, "Somebody has to log this machine in.", "Settings, Away from home."}
	case s.State == overlay.Approval:
		return finding{Warn, "Somebody has to let this machine in, at the network's own page.", "Settings, Away from home."}
	case s.State == overlay.Starting:
		return finding{Note, "It connects.", ""}
	case len(s.Health) > 0:
		return finding{Note, fmt.Sprintf("This machine is reached as %s. The network says: %s", s.Name, s.Health[0]), next}
	}
	direct, relayed := 0, 0
	for _, p := range s.Paths {
		if p.Direct {
			direct++
		} else {
			relayed++
		}
	}
	if relayed > 0 {
		return finding{Note, fmt.Sprintf("This machine is reached as %s; %d directly, %d by a relay, which is slower.", s.Name, direct, relayed), ""}
	}
	return ok("This machine is reached as %s.", s.Name)
}

package discovery

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// everything is what one layerd tells of itself at once.
const everything = "PTR PTR TXT SRV NSEC PTR PTR TXT SRV NSEC A NSEC"

// TestLife: three probes, three announcements, NOTIFY every 30 s, and a goodbye.
func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(house)
		begun := time.Now()
		_, stop := h.moveIn(t, testConfig("1"), "192.168.1.5/24")
		var got []string
		var probed []time.Duration
		for _, s := range h.heard(70 * time.Second) {
			got = append(got, shown(t, s))
			if s.group == mdns {
				probed = append(probed, s.at.Sub(begun))
			}
			if s.peer != s.group.addr() {
				t.Errorf("sent to %s, want the group", s.peer)
			}
		}
		alive := []string{"NOTIFY upnp:rootdevice ssdp:alive", "NOTIFY upnp:rootdevice ssdp:alive", "NOTIFY uuid:0f8e-1 ssdp:alive", "NOTIFY uuid:0f8e-1 ssdp:alive",
			"NOTIFY urn:schemas-upnp-org:device:basic:1 ssdp:alive", "NOTIFY urn:schemas-upnp-org:device:basic:1 ssdp:alive"}
		probe := "probe layerd on pi._octoprint._tcp.local with TXT SRV TXT SRV A"
		tells := "tells " + everything + " of layerd-pi.local"
		want := slices.Concat(alive, []string{probe, probe, probe, tells, tells, tells}, alive, alive)
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if first := probed[0]; first > 250*time.Millisecond {
			t.Errorf("first probe after %v", first)
		}
		for i, after := range []time.Duration{250, 500, 750, 1750, 3750} {
			if got, want := probed[i+1]-probed[0], after*time.Millisecond; got != want {
				t.Errorf("packet %d came %v after the first, want %v", i+2, got, want)
			}
		}
		stop()
		got = nil
		for _, s := range h.heard(0) {
			got = append(got, shown(t, s))
		}
		want = []string{"takes back PTR TXT SRV NSEC PTR TXT SRV NSEC A NSEC of layerd-pi.local"}
		for _, a := range alive {
			want = append(want, strings.Replace(a, "alive", "byebye", 1))
		}
		if !slices.Equal(got, want) {
			t.Errorf("at the end: got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(h.plugs) != 0 {
			t.Errorf("%d sockets are still open", len(h.plugs))
		}
	})
}

// names are those of hosts that were announced, by address.
func names(t *testing.T, all []sent) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, s := range all {
		if s.group != mdns {
			continue
		}
		m, err := parse(s.data)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range m.answers {
			if a, ok := netip.AddrFromSlice([]byte(r.data)); ok && r.kind == typeA && m.flags&isResponse != 0 {
				found[a.String()] = text(r.name)
			}
		}
	}
	return found
}

// TestSameNames: several layerds on machines of the same name each get a name of their own, whoever comes first, or all at once; also two on one machine.
func TestSameNames(t *testing.T) {
	for _, c := range []struct {
		name  string
		pause time.Duration
		hosts []string
		want  map[string]int // how many have each name
	}{
		{"one after the other", 10 * time.Second, []string{"192.168.1.5/24", "192.168.1.6/24", "192.168.1.7/24"}, map[string]int{"layerd on pi": 1, "layerd on pi (2)": 1, "layerd on pi (3)": 1}},
		{"at once", 0, []string{"192.168.1.5/24", "192.168.1.6/24", "192.168.1.7/24"}, map[string]int{"layerd on pi": 1, "layerd on pi (2)": 1, "layerd on pi (3)": 1}},
		{"on one machine", time.Second, []string{"192.168.1.5/24", "192.168.1.5/24"}, map[string]int{"layerd on pi": 1, "layerd on pi (2)": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := new(house)
				var all []sent
				var stops []func()
				for i, address := range c.hosts {
					_, stop := h.moveIn(t, testConfig(fmt.Sprint(i)), address)
					stops = append(stops, stop)
					all = append(all, h.heard(c.pause)...)
				}
				all = append(all, h.heard(time.Minute)...)
				last := map[string]string{} // the newest name by UUID
				for _, s := range all {
					m, _ := parse(s.data)
					for _, r := range m.answers {
						if s.group == mdns && r.kind == typeTXT && m.flags&isResponse != 0 {
							last[r.data] = string(r.name[1 : 1+r.name[0]])
						}
					}
				}
				got := map[string]int{}
				for _, n := range last {
					got[n]++
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
				for _, stop := range stops {
					stop()
				}
			})
		})
	}
}

// TestTwoWaysIntoOneLAN: a Pi with cable and Wi-Fi in the same network hears itself, and is one layerd.
func TestTwoWaysIntoOneLAN(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(house)
		m, stop := h.moveIn(t, testConfig("1"), "192.168.1.5/24")
		wlan := lanAt("192.168.1.6/24")
		wlan.name, wlan.index = "wlan0", 3
		m.has(nil, lanAt("192.168.1.5/24"), wlan)
		got := names(t, h.heard(time.Minute))
		if len(got) != 2 || got["192.168.1.5"] != "layerd-pi.local" || got["192.168.1.6"] != "layerd-pi.local" {
			t.Errorf("got %v, want both addresses by one name", got)
		}
		stop()
	})
}

// TestFollows: LANs that come, change their address, cannot be used for a while, and go.
func TestFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(house)
		m, stop := h.moveIn(t, testConfig("1"), "192.168.1.5/24")
		for _, step := range []struct {
			what string
			no   error
			lans []lan
			want string
		}{
			{"at first", nil, []lan{lanAt("192.168.1.5/24")}, "map[192.168.1.5:layerd-pi.local]"},
			{"nothing is new", nil, []lan{lanAt("192.168.1.5/24")}, "map[]"},
			{"another address", nil, []lan{lanAt("192.168.1.9/24")}, "map[192.168.1.9:layerd-pi.local]"},
			{"Wi-Fi is lost", nil, nil, "map[]"},
			{"it is back, and there are no sockets", errNoBuffers, []lan{lanAt("192.168.1.9/24")}, "map[]"},
			{"there are", nil, []lan{lanAt("192.168.1.9/24")}, "map[192.168.1.9:layerd-pi.local]"},
		} {
			m.has(step.no, step.lans...)
			all := h.heard(20 * time.Second)
			if got := fmt.Sprint(names(t, all)); got != step.want {
				t.Errorf("%s: got %s, want %s", step.what, got, step.want)
			}
			if len(step.lans) == 0 && len(all) > 0 && all[len(all)-1].at.Before(time.Now().Add(-10*time.Second)) {
				t.Errorf("%s: still sent %v", step.what, all)
			}
			if want := 2 * len(step.lans); step.no == nil && len(h.plugs) != want {
				t.Errorf("%s: %d sockets are open, want %d", step.what, len(h.plugs), want)
			}
		}
		stop()
	})
}

// TestStolenName: one who says of every name that it is his cannot make us busy, and once he is quiet we have one.
func TestStolenName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(house)
		_, stop := h.moveIn(t, testConfig("1"), "192.168.1.5/24")
		h.heard(10 * time.Second)
		thief := netip.MustParseAddrPort("192.168.1.66:5353")
		claim := func(srv record) {
			srv.unique, srv.data = true, "\x00\x09"+srv.data[2:] // another priority
			h.say(mdns, thief, message{flags: isResponse, answers: []record{srv}}.bytes())
		}
		claim(testConfig("1").records(1, lanAt("192.168.1.5/24"))[3])
		var tried []string
		for range 1200 { // four minutes
			for _, s := range h.heard(200 * time.Millisecond) {
				if m, _ := parse(s.data); s.group == mdns && m.flags == 0 {
					tried = append(tried, text(m.questions[0].name))
					claim(m.authority[1])
				}
			}
		}
		if len(tried) < patience || len(tried) > patience+6 || tried[0] != "layerd on pi._octoprint._tcp.local" || tried[1] != "layerd on pi (2)._octoprint._tcp.local" {
			t.Errorf("in four minutes of theft it has tried %q", tried)
		}
		h.heard(2 * time.Minute)
		h.say(mdns, netip.MustParseAddrPort("192.168.1.9:5353"), query(question{name: named("_octoprint", "_tcp", "local"), kind: typePTR, class: classIN}))
		if got := h.heard(time.Second); len(got) == 0 {
			t.Error("once there is peace, it does not answer")
		}
		stop()
	})
}

// TestLoopbackAlone: who serves this machine alone is not announced.
func TestLoopbackAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := new(house)
		cfg := testConfig("1")
		cfg.Listen = netip.MustParseAddrPort("127.0.0.1:8080")
		_, stop := h.moveIn(t, cfg, "192.168.1.5/24")
		if got := h.heard(time.Minute); len(got) > 0 || len(h.plugs) > 0 {
			t.Errorf("sent %v", got)
		}
		stop()
	})
}

// TestFlood: whatever comes, and however much of it, what goes out is bounded.
func TestFlood(t *testing.T) {
	every := query(question{name: named("_octoprint", "_tcp", "local"), kind: typeAny, class: classAny}, question{name: named("layerd-pi", "local"), kind: typeA, class: classIN})
	search := []byte("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\nMX: 0\r\nST: ssdp:all\r\n\r\n")
	for _, c := range []struct {
		name  string
		group group
		from  string
		data  []byte
		most  int // packets in ten seconds
	}{
		{"queries", mdns, "192.168.1.9:5353", every, 22},
		{"queries of old programs", mdns, "192.168.1.9:4000", every, burst + 10*eachSecond},
		{"searches", ssdp, "192.168.1.9:4000", search, burst + 10*eachSecond},
		{"queries from elsewhere", mdns, "8.8.8.8:5353", every, 0},
		{"queries of old programs from elsewhere", mdns, "10.1.1.1:4000", every, 0},
		{"searches from elsewhere", ssdp, "192.168.2.9:4000", search, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := new(house)
				_, stop := h.moveIn(t, testConfig("1"), "192.168.1.5/24")
				h.heard(25 * time.Second)
				var got []sent
				for range 100 {
					for range 100 {
						h.say(c.group, netip.MustParseAddrPort(c.from), c.data)
					}
					got = append(got, h.heard(100*time.Millisecond)...)
				}
				got = slices.DeleteFunc(got, func(s sent) bool { return s.peer == ssdp.addr() }) // what it would have sent anyway
				if len(got) > c.most || c.most > 0 && len(got) == 0 {
					t.Errorf("%d packets went out, want some, and at most %d", len(got), c.most)
				}
				stop()
			})
		})
	}
}

func query(all ...question) []byte { return message{questions: all}.bytes() }

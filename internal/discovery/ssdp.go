package discovery

import (
	"encoding/xml"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SSDP, as OctoPrint speaks it: NOTIFY every 30 s, and an answer to who searches for a root device, for us, or for everything. All it tells is where
// the description is.

const (
	notifyEvery = 30 * time.Second
	maxSearch   = 2048 // bytes of a question
	maxReplies  = 32   // that wait on one LAN
	maxDelay    = 3 * time.Second
	basicDevice = "urn:schemas-upnp-org:device:basic:1"
	// DescriptionPath is where the page serves Config.Description to whoever asks, without a key.
	DescriptionPath = "/plugin/discovery/discovery.xml"
)

// reply is an answer to one, and when it goes.
type reply struct {
	at    time.Time
	group group
	to    netip.AddrPort
	data  []byte
}

// targets are what we are found as, each with our name as that.
func (l *link) targets() [][2]string {
	us := "uuid:" + l.cfg.UUID
	return [][2]string{{"upnp:rootdevice", us + "::upnp:rootdevice"}, {us, us}, {basicDevice, us + "::" + basicDevice}}
}

// hearSearch takes M-SEARCH; all else is other people's.
func (l *link) hearSearch(now time.Time, from netip.AddrPort, data []byte) {
	first, rest, _ := strings.Cut(string(data[:min(len(data), maxSearch)]), "\n")
	if strings.TrimRight(first, "\r") != "M-SEARCH * HTTP/1.1" {
		return
	}
	head := map[string]string{}
	for line := range strings.SplitSeq(rest, "\n") {
		if key, value, ok := strings.Cut(line, ":"); ok {
			head[strings.ToUpper(strings.TrimSpace(key))] = strings.TrimSpace(value)
		}
	}
	if head["MAN"] != `"ssdp:discover"` {
		return
	}
	wait, err := strconv.Atoi(head["MX"])
	if err != nil || wait < 0 {
		wait = 0
	}
	delay := between(0, min(time.Duration(min(wait, 60))*time.Second, maxDelay))
	for _, t := range l.targets() {
		target, usn := t[0], t[1]
		switch asked := head["ST"]; {
		case asked == "ssdp:all":
		case strings.EqualFold(asked, target):
			target = asked // it differs in capitals at most, and some compare those
		default:
			continue
		}
		if len(l.replies) >= maxReplies || !l.alone.take(now, eachSecond, burst) {
			return
		}
		l.replies = append(l.replies, reply{now.Add(delay), ssdp, from, lines("HTTP/1.1 200 OK", "CACHE-CONTROL: max-age=60", "EXT:", "LOCATION: "+l.location(),
			"SERVER: "+server, "ST: "+target, "USN: "+usn)})
	}
}

const server = "Linux UPnP/1.0 layerd"

// dueSSDP are the packets of SSDP whose time has come.
func (l *link) dueSSDP(now time.Time) (out []packet) {
	if !l.on[ssdp] {
		return nil
	}
	if !now.Before(l.nextNotify) {
		l.nextNotify = now.Add(notifyEvery)
		out = l.notify("ssdp:alive", "CACHE-CONTROL: max-age=900", "LOCATION: "+l.location(), "SERVER: "+server)
	}
	return append(out, l.dueReplies(now, ssdp)...)
}

func (l *link) goodbyeSSDP() []packet {
	if !l.on[ssdp] {
		return nil
	}
	return l.notify("ssdp:byebye")
}

// notify tells all what we are, twice: nobody asks again for what was lost.
func (l *link) notify(what string, more ...string) (out []packet) {
	to := ssdp.addr()
	for _, t := range l.targets() {
		text := lines(append([]string{"NOTIFY * HTTP/1.1", "HOST: " + to.String(), "NT: " + t[0], "NTS: " + what, "USN: " + t[1]}, more...)...)
		out = append(out, packet{place{l.key(), ssdp}, to, text}, packet{place{l.key(), ssdp}, to, text})
	}
	return out
}

// dueReplies takes the answers to one whose time has come.
func (l *link) dueReplies(now time.Time, g group) (out []packet) {
	l.replies = slices.DeleteFunc(l.replies, func(r reply) bool {
		if r.group != g || now.Before(r.at) {
			return false
		}
		out = append(out, packet{place{l.key(), g}, r.to, r.data})
		return true
	})
	return out
}

// location is where the description is, by our address on this LAN.
func (l *link) location() string {
	return l.cfg.scheme() + netip.AddrPortFrom(l.addrs[0].Addr(), l.cfg.Listen.Port()).String() + DescriptionPath
}

func (c Config) scheme() string {
	if c.TLS {
		return "https://"
	}
	return "http://"
}

func lines(all ...string) []byte { return []byte(strings.Join(all, "\r\n") + "\r\n\r\n") }

// Description is the document that LOCATION leads to, for who has asked for it at host (the Host of his request, "192.168.1.5:8080"). Home Assistant
// knows OctoPrint by manufacturer and deviceType, so these are OctoPrint's; all else says who we are.
func (c Config) Description(host string) []byte {
	if !isHost(host) {
		host = net.JoinHostPort(c.hostLabel(1)+".local", strconv.Itoa(int(c.Listen.Port())))
	}
	type text = string
	type device struct {
		DeviceType       text  `xml:"deviceType"`
		FriendlyName     text  `xml:"friendlyName"`
		Manufacturer     text  `xml:"manufacturer"`
		ManufacturerURL  text  `xml:"manufacturerURL"`
		ModelName        text  `xml:"modelName"`
		ModelDescription text  `xml:"modelDescription"`
		UDN              text  `xml:"UDN"`
		Services         *text `xml:"serviceList"`
		PresentationURL  text  `xml:"presentationURL"`
	}
	out, err := xml.MarshalIndent(struct {
		XMLName struct{} `xml:"urn:schemas-upnp-org:device-1-0 root"`
		Major   int      `xml:"specVersion>major"`
		Minor   int      `xml:"specVersion>minor"`
		Device  device   `xml:"device"`
	}{Major: 1, Device: device{"urn:schemas-upnp-org:device:Basic:1", c.Name(), "The OctoPrint Project", "https://octoprint.org/", "layerd",
		"speaks the API of OctoPrint " + c.Version, "uuid:" + c.UUID, new(text), c.scheme() + host + "/"}}, "", "  ")
	if err != nil {
		panic(err) // these fields can always be written
	}
	return append([]byte(xml.Header), append(out, '\n')...)
}

// isHost reports the name or address of a host, with a port or not.
func isHost(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._:[]", r))
	})
}

package main

import (
	"fmt"
	"math"
	"net/url"
	"strings"

	"layerd/camera"
	"layerd/internal/octofolder"
	"layerd/printer"
)

// What of OctoPrint's becomes what of ours.

// profileOf is a printer's profile. What OctoPrint does not know of a printer is as in a new profile.
func profileOf(from octofolder.Profile) printer.Profile {
	p := printer.Presets()[0]
	p.Name, p.WidthMM, p.DepthMM, p.HeightMM = from.Name, from.WidthMM, from.DepthMM, from.HeightMM
	if p.Name == "" {
		p.Name = from.ID
	}
	if p.Name == printer.Presets()[0].Name || p.Name == "Default" {
		p.Name += " (OctoPrint)"
	}
	if from.Round {
		p.Bed = "circle"
	}
	p.ParkXMM, p.ParkYMM = 5, from.DepthMM-10
	if from.Centred {
		p.Origin, p.ParkXMM, p.ParkYMM = "center", 5-from.WidthMM/2, from.DepthMM/2-10
	}
	if from.Round {
		radius := math.Min(from.WidthMM, from.DepthMM) / 2
		p.ParkXMM, p.ParkYMM = from.WidthMM/2, from.DepthMM/2+radius-20
		if from.Centred {
			p.ParkXMM, p.ParkYMM = 0, radius-20
		}
	}
	p.Nozzles, p.SharedNozzle, p.NozzleMM, p.HeatedBed, p.HeatedChamber = from.Nozzles, from.SharedNozzle, from.NozzleMM, from.HeatedBed, from.HeatedChamber
	for i, offset := range from.OffsetsMM {
		if i < p.Nozzles && !from.SharedNozzle {
			p.Tools = append(p.Tools, printer.Tool{XMM: offset[0], YMM: offset[1]})
		}
	}
	if from.TravelMMS > 0 {
		p.TravelMMS = math.Min(from.TravelMMS, 1000)
	}
	if from.LiftMMS > 0 {
		p.LiftMMS = math.Min(from.LiftMMS, 500)
	}
	p.Kinematics = "" // OctoPrint does not say: the bed does
	return p.Whole()
}

// cameraOf is the webcam, and what is said of it.
func cameraOf(from octofolder.Camera) (camera.Setup, string) {
	setup := camera.Setup{Settings: camera.Settings{FlipH: from.FlipH, FlipV: from.FlipV}, Controls: map[string]int64{}}
	if from.Rotate90CC {
		setup.Rotate = 270
	}
	for _, address := range []string{from.Stream, from.Snapshot} {
		u, err := url.Parse(address)
		if err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Hostname() != "localhost" && !strings.HasPrefix(u.Hostname(), "127.") {
			setup.Device = address
			return setup, fmt.Sprintf("the camera at %q, turned as it was", address)
		}
	}
	return setup, "how the camera hangs: layerd opens it itself, so stop mjpg-streamer or camera-streamer"
}

// events are OctoPrint's names of moments that layerd has too.
func events() map[string]printer.Event {
	return map[string]printer.Event{"afterPrinterConnected": printer.OnConnected, "beforePrintStarted": printer.OnStarted, "afterPrintPaused": printer.OnPaused,
		"beforePrintResumed": printer.OnResumed, "afterPrintCancelled": printer.OnCancelled, "afterPrintDone": printer.OnDone}
}

// scriptsOf adds to ours those scripts that layerd can have, and says of each what became of it.
func scriptsOf(ours printer.Scripts, found []octofolder.Script, take, leave func(format string, args ...any)) (printer.Scripts, bool) {
	out, changed := printer.Scripts{}, false
	for e, text := range ours {
		out[e] = text
	}
	for _, s := range found {
		e, known := events()[s.Name]
		text := strings.TrimSpace(s.Text) + "\n"
		problems := printer.Scripts{e: text}.Check()
		switch {
		case !known:
			leave("the script %q: layerd has no such moment", s.Name)
		case !s.Plain:
			leave("the script %q: it is a Jinja template; write it as plain G-code in Settings, Scripts", s.Name)
		case strings.TrimSpace(out[e]) == strings.TrimSpace(text):
			leave("the script %q: there already", s.Name)
		case strings.TrimSpace(out[e]) != "":
			leave("the script %q: layerd has another one for that moment", s.Name)
		case problems != nil:
			leave("the script %q: %v", s.Name, problems)
		default:
			out[e], changed = text, true
			take("the script %q: look at it in Settings, Scripts, since layerd parks and cools by itself", s.Name)
		}
	}
	return out, changed
}

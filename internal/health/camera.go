package health

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"layerd/camera"
)

// What flows here: layerd's own cameras where it runs, else what the kernel lists ─▶ is one there, and may it be used?

// notCameras begin the names of video nodes that are no cameras: a Pi's codecs and image processors. A camera module has its own below.
func notCameras() []string {
	return []string{"bcm2835-codec", "bcm2835-isp", "rpi-hevc", "rpivid", "pispbe"}
}

func modules() []string { return []string{"unicam", "rp1-cfe"} }

func begins(name string, with []string) bool {
	return slices.ContainsFunc(with, func(p string) bool { return strings.HasPrefix(name, p) })
}

func (m *Machine) cameras() finding {
	if m.Cameras != nil {
		return ofCameras(m.Cameras(), m.Kernel.Now())
	}
	var nodes []string
	module := false
	for _, node := range m.names("sys/class/video4linux") {
		name, _ := m.text("sys/class/video4linux/" + node + "/name")
		index, there := m.number("sys/class/video4linux/" + node + "/index") // the second node of a USB camera has no pictures
		if begins(name, modules()) {
			module = true
		}
		if strings.HasPrefix(node, "video") && !begins(name, notCameras()) && !begins(name, modules()) && (!there || index == 0) {
			nodes = append(nodes, "/dev/"+node)
		}
	}
	switch {
	case len(nodes) == 0 && module && !m.has("rpicam-vid") && !m.has("libcamera-vid"):
		return finding{Bad, "A camera module is connected, and the program for it is missing.", "sudo apt install rpicam-apps-lite"}
	case len(nodes) == 0 && module:
		return ok("A camera module is connected.")
	case len(nodes) == 0:
		return finding{Note, "No camera is there.", "To see the print from your phone, plug a USB camera in. Cameras of the network are set up in Settings."}
	}
	for _, node := range nodes {
		if m.Kernel.MayOpen(m.path(node)) != nil {
			group := m.groupOf(m.path(node))
			level := Bad
			if m.serves() {
				level = Note
			}
			return finding{level, fmt.Sprintf("%s may not be opened by this user; it belongs to the group %s.", node, group), "sudo usermod -aG " + group + " $USER, then log in again. layerd's own service has that group already."}
		}
		if by := m.holders(node); len(by) > 0 && by[0].name != "layerd" {
			return finding{Warn, fmt.Sprintf("%s is in use by %s (process %d).", node, by[0].name, by[0].pid), "Stop that program: a camera serves one at a time."}
		}
	}
	return ok("%s.", and(nodes))
}

// startWithin is how long a camera may have no picture, at its start or when it is opened again, before somebody should look at it.
const startWithin = 20 * time.Second

// ofCameras is what layerd's own know: they were opened, or it is said why not.
func ofCameras(all []camera.Status, now time.Time) finding {
	if len(all) == 0 {
		return finding{Note, "No camera is set up.", "Settings, Cameras."}
	}
	var live []string
	for _, c := range all {
		name := c.Name
		if name == "" {
			name = c.Device
		}
		switch {
		case c.Live:
			live = append(live, fmt.Sprintf("%s has %d × %d pixels, %.0f pictures a second", name, c.Width, c.Height, c.FPS))
		case c.Device == "none":
		case c.Device == "":
			return finding{Note, strings.TrimSuffix(cmp.Or(c.Problem, "No camera is found"), ".") + ".", "To see the print from your phone, plug a USB camera in."}
		case now.UnixMilli()-c.SinceMS < startWithin.Milliseconds():
			return finding{Note, fmt.Sprintf("%s has no picture yet. %s.", name, strings.TrimSuffix(c.Problem, ".")), ""}
		default:
			return finding{Warn, fmt.Sprintf("%s has no picture. %s.", name, strings.TrimSuffix(c.Problem, ".")), "Plug it in again; try another USB socket. Settings, Cameras has its settings."}
		}
	}
	if len(live) == 0 {
		return ok("It is switched off.")
	}
	return ok("%s.", and(live))
}

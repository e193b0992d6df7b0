package camera

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Looking for cameras: /dev/video* ─▶ not a codec by its name in sysfs ─▶ opened: can capture, and lists a usable format ─▶ its lasting name.
//
// Most video nodes are not cameras. A USB camera has a second node for metadata, and a Raspberry Pi has a dozen for its
// codecs and image processors; the kernel's "can capture" flag of the whole device is set on all of them.

// findAll lists the cameras of this machine. What is at a USB socket comes first, and so is what a camera without a device is: its pictures cost
// nothing, while those of a module are compressed in software. A machine with nothing but a module has that.
func findAll() ([]Device, error) {
	list, err := findDevices()
	modules, noModules := findModules("/", findProgram, outputOf)
	return append(list, modules...), errors.Join(err, noModules)
}

// inspect opens a video node, and returns its name and the formats that it lists.
type inspect func(node string) (name string, formats []fourcc, err error)

// notCameras begin the sysfs names of nodes that only look like cameras; they need not be opened.
var notCameras = []string{"bcm2835-codec", "bcm2835-isp", "rpi-hevc", "rpivid", "pispbe", "rp1-cfe", "unicam"}

// discover lists the cameras below root, which is "/" outside tests, sorted by node number. What may not be opened is
// listed too, so that the error can be seen when it is chosen. A node that cannot be inspected for another reason is
// skipped.
func discover(root string, look inspect) ([]Device, error) {
	nodes, err := filepath.Glob(filepath.Join(root, "dev/video*"))
	if err != nil {
		return nil, err
	}
	nodes = slices.DeleteFunc(nodes, func(n string) bool { return nodeNumber(n) < 0 })
	slices.SortFunc(nodes, func(a, b string) int { return nodeNumber(a) - nodeNumber(b) })
	links := lastingNames(root)
	var list []Device
	for _, node := range nodes {
		name := sysfsName(root, node)
		if slices.ContainsFunc(notCameras, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		opened, formats, err := look(node)
		if err != nil && !errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err == nil && !slices.ContainsFunc(formats, usable) {
			continue
		}
		d := Device{ID: node, Name: first(name, opened, filepath.Base(node))}
		if link := links[filepath.Base(node)]; link != "" {
			d.ID = link
		}
		list = append(list, d)
	}
	return list, nil
}

// lastingNames maps node names (video0) to udev's links, which stay the same when cameras are plugged in another order.
// by-id goes with the camera, and by-path with the socket. Two of a kind without serial numbers share one by-id link, which points to either
// of them: then by-path serves for both.
func lastingNames(root string) map[string]string {
	links := nodeLinks(root, "dev/v4l/by-path")
	byID := nodeLinks(root, "dev/v4l/by-id")
	kind := func(node, link string) string {
		return sysfsName(root, filepath.Join(root, "dev", node)) + " " + index(link)
	}
	twin := map[string]bool{} // kinds of nodes that have a by-path of their own, but no by-id
	for node, link := range links {
		if byID[node] == "" {
			twin[kind(node, link)] = true
		}
	}
	for node, link := range byID {
		if links[node] == "" || !twin[kind(node, link)] {
			links[node] = link
		}
	}
	return links
}

// nodeLinks maps node names to the links in dir, the first where there are several: newer versions of udev add one to those of older ones.
// Links that Settings would refuse are left out.
func nodeLinks(root, dir string) map[string]string {
	links := map[string]string{}
	found, _ := filepath.Glob(filepath.Join(root, dir, "*"))
	for _, link := range found {
		to, err := os.Readlink(link)
		if node := filepath.Base(to); err == nil && links[node] == "" && isVideoNode("/"+dir+"/"+filepath.Base(link)) {
			links[node] = link
		}
	}
	return links
}

// index is what udev's links end in: which of a camera's nodes it is.
func index(link string) string { return link[strings.LastIndex(link, "-")+1:] }

// claims tells whether a camera that is set to one device has another, found one: it is the same, or both lead to the same node. A node that is
// so new that it has no link yet may be that of a link that is missing.
func claims(root, setTo, found string) bool {
	if setTo == found {
		return true
	}
	if kindOf(setTo) != kindVideo || kindOf(found) != kindVideo {
		return false
	}
	node, err := filepath.EvalSymlinks(filepath.Join(root, found))
	if err != nil {
		return false
	}
	other, err := filepath.EvalSymlinks(filepath.Join(root, setTo))
	if err != nil {
		return isLink(setTo) && !isLink(found) && justBorn(node)
	}
	return node == other
}

func isLink(device string) bool { return strings.HasPrefix(device, "/dev/v4l/") }

const linkWait = time.Second // udev takes a tenth of that, on a small computer that has just begun more

// justBorn tells that udev may not have made the links of a node yet.
func justBorn(node string) bool {
	info, err := os.Stat(node)
	if err != nil {
		return false
	}
	age := time.Since(info.ModTime())
	return age >= 0 && age < linkWait // a clock that was set back makes nothing young
}

// sysfsName is what the driver calls the device behind a node or a link to one, "" when that is unknown. It opens no device.
func sysfsName(root, node string) string {
	if to, err := filepath.EvalSymlinks(node); err == nil {
		node = to
	}
	b, err := os.ReadFile(filepath.Join(root, "sys/class/video4linux", filepath.Base(node), "name"))
	if err != nil {
		return ""
	}
	return tidyName(string(b))
}

// tidyName makes a name fit for a page: USB devices may call themselves anything. Drivers of USB cameras say it twice,
// "HD Webcam: HD Webcam".
func tidyName(s string) string {
	s = strings.TrimSpace(strings.ToValidUTF8(s, "?"))
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	if a, b, ok := strings.Cut(s, ": "); ok && strings.HasPrefix(a, b) {
		s = a
	}
	if r := []rune(s); len(r) > 64 {
		s = string(r[:64])
	}
	return s
}

// nodeNumber is 3 of /dev/video3, and -1 of anything else.
func nodeNumber(node string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(node), "video"))
	if err != nil {
		return -1
	}
	return n
}

func first(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}

package camera

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Looking for cameras: /dev/video* ─▶ not a codec by its name in sysfs ─▶ opened: lists MJPG, JPEG or YUYV ─▶ its lasting name.
//
// Most video nodes are not cameras. A USB camera has a second node for metadata, and a Raspberry Pi has a dozen for its
// codecs and image processors; the kernel's "can capture" flag is set on all of them.

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

func usable(f fourcc) bool { return f == formatMJPG || f == formatJPEG || f == formatYUYV }

// lastingNames maps node names (video0) to udev's links, which stay the same when cameras are plugged in another order.
// by-id goes with the camera; two of a kind without serial numbers share one such link, and by-path, which goes with the
// socket, serves for the other.
func lastingNames(root string) map[string]string {
	links := map[string]string{}
	for _, dir := range []string{"dev/v4l/by-path", "dev/v4l/by-id"} { // the better last: it overwrites
		found, _ := filepath.Glob(filepath.Join(root, dir, "*"))
		for _, link := range found {
			if to, err := os.Readlink(link); err == nil {
				links[filepath.Base(to)] = link
			}
		}
	}
	return links
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

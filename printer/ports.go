package printer

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
)

// ListTTYs lists the USB serial ports of this machine. It reads what the kernel tells of them and opens none, because opening one can
// reset the machine on it.
func ListTTYs() ([]PortInfo, error) { return listTTYs("/") }

// listTTYs is ListTTYs below another root.
func listTTYs(root string) ([]PortInfo, error) {
	class := filepath.Join(root, "sys/class/tty")
	entries, err := os.ReadDir(class)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	byID := linksTo(filepath.Join(root, "dev/serial/by-id"))
	var ports []PortInfo
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), "ttyUSB") && !strings.HasPrefix(e.Name(), "ttyACM") {
			continue
		}
		device, err := filepath.EvalSymlinks(filepath.Join(class, e.Name(), "device"))
		if err != nil {
			continue // unplugged in this moment
		}
		p := PortInfo{Path: "/dev/" + e.Name(), Name: "/dev/" + e.Name()}
		describeUSB(&p, device, filepath.Join(root, "sys"))
		if link := byID[e.Name()]; link != "" {
			p.Path = "/dev/serial/by-id/" + link
		}
		ports = append(ports, p)
	}
	sort.Slice(ports, func(i, j int) bool { return ports[i].Path < ports[j].Path })
	return ports, nil
}

// describeUSB looks upwards from a tty's device for the USB device that it is part of.
func describeUSB(p *PortInfo, dir, top string) {
	for ; strings.HasPrefix(dir, top) && dir != top; dir = filepath.Dir(dir) {
		vendor := attribute(dir, "idVendor")
		if vendor == "" {
			continue
		}
		p.Vendor, p.Product, p.Serial = vendor, attribute(dir, "idProduct"), attribute(dir, "serial")
		p.USBPath = filepath.Base(dir)
		if name := strings.TrimSpace(attribute(dir, "manufacturer") + " " + attribute(dir, "product")); name != "" {
			p.Name = name
		}
		return
	}
}

func attribute(dir, name string) string {
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || len(b) > 512 {
		return ""
	}
	return strings.ToValidUTF8(strings.TrimSpace(string(b)), "\uFFFD")
}

// linksTo maps the last part of what the links in a folder point to, to the links' names.
func linksTo(dir string) map[string]string {
	out := map[string]string{}
	entries, _ := os.ReadDir(dir) // there is none without udev
	for _, e := range entries {
		if to, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil {
			out[filepath.Base(to)] = e.Name()
		}
	}
	return out
}

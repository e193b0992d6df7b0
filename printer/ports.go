package printer

import (
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// ListTTYs lists the USB serial ports of this machine. It reads what the kernel tells of them and opens none, because opening one can
// reset the machine on it.
func ListTTYs() ([]PortInfo, error) { return TTYsBelow("/") }

// TTYsBelow is ListTTYs for a tree that looks like this machine's root.
func TTYsBelow(root string) ([]PortInfo, error) {
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
		p, ok := describeTTY(root, e.Name())
		if !ok {
			continue // unplugged in this moment
		}
		if link := byID[e.Name()]; link != "" {
			p.Path = "/dev/serial/by-id/" + link
		}
		ports = append(ports, p)
	}
	sort.Slice(ports, func(i, j int) bool { return ports[i].Path < ports[j].Path })
	return ports, nil
}

// describeTTY is what sysfs knows of a tty, by its kernel name.
func describeTTY(root, name string) (p PortInfo, ok bool) {
	device, err := filepath.EvalSymlinks(filepath.Join(root, "sys/class/tty", name, "device"))
	if err != nil {
		return PortInfo{}, false
	}
	p = PortInfo{Path: "/dev/" + name, Name: "/dev/" + name, Driver: driverOf(device)}
	describeUSB(&p, device, filepath.Join(root, "sys"))
	return p, true
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

// driverOf is the name of the kernel's driver of a device: cdc_acm, ch341-uart, cp210x, ftdi_sio, pl2303, …
func driverOf(device string) string {
	to, err := os.Readlink(filepath.Join(device, "driver"))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// ownUSB are the USB ids of boards whose own controller is the serial port, by vendor and product. It takes no more (it answers NAK, and the
// host waits) while its ring is full. Not here, though they are cdc_acm as well: the 8U2, 16U2 and 32U2 beside the processor of an Arduino Mega
// or Uno (2341, 2a03), RAMBo (27b1) and Prusa Einsy (2c99:0001, 0002), and WCH's CH343 (1a86), which throw away what the UART behind them cannot
// take. Ids are the vendors', except that 1d50 is Openmoko's for open hardware.
var ownUSB = map[string][]string{
	"0483": {"5740"},                         // STM32 with ST's or the Arduino core's USB: SKR, Creality's newer boards, BTT Octopus, …
	"1eaf": {"0004"},                         // STM32F1 with the Maple core: SKR mini E3
	"1d50": {"6029", "60ec", "60ed", "60ee"}, // Marlin on LPC176x: SKR 1.3 and 1.4, Re-ARM; Duet
	"2341": {"003e"}, "2a03": {"003e"},       // the native port of an Arduino Due; its programming port is a 16U2
	"2c99": {"000c", "000d"}, // Prusa MINI, MK4
}

// Native reports whether bytes that the board has no room for are held back in this machine and not lost: the serial port is the board's own
// USB. A bridge chip and what is not known are not.
func (p PortInfo) Native() bool {
	return p.Driver == "cdc_acm" && slices.Contains(ownUSB[p.Vendor], p.Product)
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

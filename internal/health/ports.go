package health

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"layerd/printer"
)

// What flows here: the serial ports that the kernel knows, the USB devices that should have one, and the programs that take them away. No port is opened.

// bridges are USB devices that are serial ports, and the kernel's modules for them, by vendor and product; "*" = all of that vendor.
func bridges() map[string]string {
	return map[string]string{
		"1a86:7523": "ch341", "1a86:5523": "ch341", "1a86:7522": "ch341", "1a86:55d4": "cdc_acm", "1a86:55d3": "cdc_acm",
		"0403:6001": "ftdi_sio", "0403:6010": "ftdi_sio", "0403:6011": "ftdi_sio", "0403:6014": "ftdi_sio", "0403:6015": "ftdi_sio",
		"10c4:ea60": "cp210x", "10c4:ea70": "cp210x", "10c4:ea71": "cp210x",
		"067b:2303": "pl2303", "067b:23a3": "pl2303", "067b:23c3": "pl2303",
		"0483:5740": "cdc_acm", "1eaf:0004": "cdc_acm", "1d50:6029": "cdc_acm", "2341:*": "cdc_acm", "2a03:*": "cdc_acm", "2c99:*": "cdc_acm", "27b1:*": "cdc_acm",
	}
}

// usbDevice is one that is plugged in.
type usbDevice struct{ at, vendor, product string }

func (m *Machine) usbDevices() (all []usbDevice) {
	for _, at := range m.names("sys/bus/usb/devices") {
		vendor, there := m.text("sys/bus/usb/devices/" + at + "/idVendor")
		product, _ := m.text("sys/bus/usb/devices/" + at + "/idProduct")
		if there {
			all = append(all, usbDevice{at, plain(vendor, 8), plain(product, 8)})
		}
	}
	return all
}

// portless are devices that should be serial ports and are none, with the module that they need.
func (m *Machine) portless(ports []printer.PortInfo) (all []usbDevice, modules []string) {
	known := bridges()
	for _, d := range m.usbDevices() {
		module := known[d.vendor+":"+d.product]
		if module == "" {
			module = known[d.vendor+":*"]
		}
		if module != "" && !slices.ContainsFunc(ports, func(p printer.PortInfo) bool { return p.USBPath == d.at }) {
			all, modules = append(all, d), append(modules, module)
		}
	}
	return all, modules
}

func (m *Machine) ports() finding {
	ports, err := printer.TTYsBelow(m.Root)
	if err != nil {
		return unknown("The serial ports cannot be listed: %v.", err)
	}
	missing := m.Port != "" && !m.exists(m.Port)
	switch lacking, modules := m.portless(ports); {
	case len(lacking) > 0 && m.has("brltty"):
		return finding{Bad, fmt.Sprintf("The USB device %s:%s is a serial port, but brltty has taken it away.", lacking[0].vendor, lacking[0].product),
			"brltty is for Braille displays. If you have none: sudo apt remove brltty, then plug the printer in again."}
	case len(lacking) > 0:
		return finding{Bad, fmt.Sprintf("The USB device %s:%s is a serial port, but the kernel has no driver for it.", lacking[0].vendor, lacking[0].product),
			fmt.Sprintf("Load it: sudo modprobe %s. If that module is not found, install the kernel's extra modules, or restart after an upgrade of the kernel.", modules[0])}
	case missing:
		return finding{Bad, "The configured port " + m.Port + " is not there.", "Plug the printer in and switch it on, or take printer.port out of the configuration: layerd finds the port by itself."}
	case len(ports) == 0 && m.Port == "":
		return finding{Note, "No serial port is there.", "Connect the printer's USB cable and switch the printer on. Some cables only charge: try another one."}
	}
	if m.Port != "" {
		return m.port(m.Port, "configured")
	}
	if len(ports) == 1 {
		return m.port(ports[0].Path, ports[0].Name)
	}
	var names []string
	for _, p := range ports {
		names = append(names, p.Path)
		if f := m.port(p.Path, p.Name); f.level == Bad {
			return f
		}
	}
	return finding{Note, fmt.Sprintf("%d serial ports are there: %s.", len(ports), and(names)), "If the wrong one is used, choose it in Settings, or with printer.port in the configuration."}
}

// port says whether a port can be used, without opening it.
func (m *Machine) port(path, name string) finding {
	device := m.device(path)
	called := path
	if name != "" && name != path && name != "configured" {
		called = name + " at " + path
	}
	holders := m.holders(device)
	others := slices.DeleteFunc(slices.Clone(holders), func(p process) bool { return p.name == "layerd" })
	denied := m.Kernel.MayOpen(m.path(device))
	switch {
	case len(others) > 0:
		return finding{Bad, fmt.Sprintf("%s is in use by %s (process %d).", called, others[0].name, others[0].pid), "Stop that program. Two programs on one port ruin prints."}
	case len(holders) > 0:
		return ok("%s, in use by layerd.", called)
	case denied == nil:
		return ok("%s.", called)
	}
	group := m.groupOf(m.path(device))
	level, who := Bad, "sudo usermod -aG "+group+" $USER, then log in again. layerd's own service has that group already."
	switch {
	case m.Daemon:
		who = "Give layerd's service the group: SupplementaryGroups=" + group + " in its unit, or sudo usermod -aG " + group + " for its user; then restart it."
	case m.serves(): // what a person at the terminal may do is not what the service may
		level = Note
	}
	if group == "" || group == "root" || group == "0" {
		who = "Its udev rules are missing: install the package, or give the device the group dialout."
	}
	return finding{level, fmt.Sprintf("%s may not be opened by this user; it belongs to the group %s.", called, group), who}
}

// device is what a path such as /dev/serial/by-id/… leads to: /dev/ttyUSB0.
func (m *Machine) device(path string) string {
	if to, err := filepath.EvalSymlinks(m.path(path)); err == nil {
		if below, err := filepath.Rel(m.Root, to); err == nil && !strings.HasPrefix(below, "..") {
			return "/" + below
		}
	}
	return path
}

// running is the process of a layerd besides us; 0 none that we see.
func (m *Machine) running() int {
	for _, p := range m.processes() {
		if p.name == "layerd" {
			return p.pid
		}
	}
	return 0
}

// serves reports whether layerd runs as the service, also where processes of others are hidden (hidepid of proc(5)): then systemd has made it a folder.
func (m *Machine) serves() bool { return m.running() != 0 || m.exists("run/layerd") }

// has reports whether a program runs, or is installed: what others run is hidden from a hardened service.
func (m *Machine) has(program string) bool {
	return m.exists("usr/bin/"+program, "usr/sbin/"+program, "bin/"+program, "sbin/"+program) ||
		slices.ContainsFunc(m.processes(), func(p process) bool { return p.name == program || p.name == program[:min(len(program), 15)] })
}

// grabbers are programs that open ports of strangers by themselves. brltty's rules take some USB ids for Braille displays, which the bridges of many
// printers share.
func (m *Machine) grabbers() finding {
	rules := m.exists("etc/udev/rules.d/60-layerd.rules", "usr/lib/udev/rules.d/60-layerd.rules", "lib/udev/rules.d/60-layerd.rules")
	switch {
	case m.has("brltty"):
		return finding{Warn, "brltty, for Braille displays, is installed. It takes some printers' ports away.", "If nobody needs Braille here: sudo apt remove brltty"}
	case m.has("ModemManager") && !rules:
		return finding{Warn, "ModemManager is installed, and nothing keeps it away from the printer's port. What it says there can reset the board in mid-print.",
			"Install layerd's udev rules (60-layerd.rules), or: sudo systemctl disable --now ModemManager"}
	case m.has("ModemManager"):
		return ok("ModemManager is kept away from serial ports.")
	}
	return ok("None.")
}

// usbSleep: a port that the kernel puts to sleep may lose what comes meanwhile (Documentation/driver-api/usb/power-management.rst). Serial drivers keep an open
// one awake, so this is no more than a note.
func (m *Machine) usbSleep() finding {
	ports, _ := printer.TTYsBelow(m.Root)
	for _, p := range ports {
		control, there := m.text("sys/bus/usb/devices/" + p.USBPath + "/power/control")
		delay, _ := m.number("sys/bus/usb/devices/" + p.USBPath + "/power/autosuspend_delay_ms")
		if p.USBPath != "" && there && control == "auto" && delay >= 0 {
			return finding{Note, fmt.Sprintf("The kernel may put %s to sleep after %.1f s without use.", p.Name, float64(delay)/1000),
				"If the connection is lost now and then, switch that off: usbcore.autosuspend=-1 in the kernel's command line."}
		}
	}
	if len(ports) == 0 {
		return finding{}
	}
	return ok("The printer's port stays awake.")
}

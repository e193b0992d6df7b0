package health

import (
	"fmt"
	"strconv"
	"strings"
)

// What flows here: the Pi's firmware and the kernel's sensors ─▶ is there enough power, is it cool enough, does it run as fast as it could?

// The bits of the firmware's GET_THROTTLED, as the vendor documents them for vcgencmd get_throttled
// (raspberrypi.com/documentation/computers/os.html#get_throttled). The low ones are of now, those 16 higher of any time since the machine was started.
const (
	bitUnderVoltage = 1 << iota // below 4.63 V
	bitCapped                   // the processor's frequency is held down
	bitThrottled
	bitSoftLimit // of temperature: 60 °C on a 3 A+ and 3 B+
	sinceStart   = 16
	lasting      = 0xf << sinceStart
)

const supply = "Use the power supply that was made for this Raspberry Pi, and a short, thick cable; take off what it feeds by USB. A print ends when the machine restarts."

func (m *Machine) isPi() bool { return strings.Contains(m.model(), "Raspberry Pi") }

// model is what the machine calls itself; "" unknown.
func (m *Machine) model() string {
	for _, name := range []string{"proc/device-tree/model", "sys/firmware/devicetree/base/model", "sys/class/dmi/id/product_name"} {
		if t, there := m.text(name); there && t != "" {
			return plain(t, 80)
		}
	}
	return ""
}

// throttled are the firmware's bits, with what was seen before. The mailbox comes first: it only asks. The file in sysfs is read only where the kernel has no
// voltage driver: kernels that have one write a warning with a stack trace into their log when somebody reads it ("deprecated, use hwmon sysfs instead",
// drivers/firmware/raspberrypi.c).
func (m *Machine) throttled() (bits uint32, known bool) {
	if !m.isPi() {
		return 0, false
	}
	bits, err := m.Kernel.Firmware()
	if err != nil {
		if _, sensed := m.underVoltage(); sensed {
			return 0, false
		}
		if bits, known = m.throttledFile(); !known {
			return 0, false
		}
	}
	m.seen.Or(bits&lasting | bits<<sinceStart&lasting)
	return bits | m.seen.Load(), true
}

func (m *Machine) throttledFile() (bits uint32, known bool) {
	const driver = "sys/bus/platform/drivers/raspberrypi-firmware"
	for _, device := range append([]string{"../../../../devices/platform/soc/soc:firmware"}, m.names(driver)...) {
		if t, there := m.text(driver + "/" + device + "/get_throttled"); there {
			if n, err := strconv.ParseUint(strings.TrimPrefix(t, "0x"), 16, 32); err == nil {
				return uint32(n), true
			}
		}
	}
	return 0, false
}

// underVoltage is the alarm of the kernel's own driver, which is in every kernel and asks no permission: was the voltage too low in the last seconds?
// (docs.kernel.org/hwmon/raspberrypi-hwmon.html; the hwmon device is called rpi_volt)
func (m *Machine) underVoltage() (alarm, known bool) {
	for _, name := range m.names("sys/class/hwmon") {
		dir := "sys/class/hwmon/" + name
		if called, _ := m.text(dir + "/name"); called != "rpi_volt" {
			continue
		}
		if n, there := m.number(dir + "/in0_lcrit_alarm"); there {
			return n != 0, true
		}
	}
	return false, false
}

func (m *Machine) power() finding {
	bits, known := m.throttled()
	alarm, sensed := m.underVoltage()
	switch {
	case !known && !sensed && !m.isPi():
		return finding{} // no other machine tells
	case !known && !sensed:
		return unknown("This kernel does not tell whether the voltage is too low.")
	case bits&bitUnderVoltage != 0 || alarm:
		m.seen.Or(bitUnderVoltage << sinceStart)
		return finding{Bad, "The voltage is too low now (under 4.63 V).", supply}
	case (bits|m.seen.Load())&(bitUnderVoltage<<sinceStart) != 0:
		return finding{Warn, "The voltage was too low (under 4.63 V) since this machine was started.", supply}
	}
	return ok("The voltage is high enough.")
}

func (m *Machine) throttling() finding {
	bits, known := m.throttled()
	if !known {
		return finding{} // power says so
	}
	var now, before []string
	for _, b := range []struct {
		bit  uint32
		name string
	}{{bitThrottled, "slowed down"}, {bitCapped, "capped in its frequency"}, {bitSoftLimit, "held back for its temperature"}} {
		if bits&b.bit != 0 {
			now = append(now, b.name)
		}
		if bits&(b.bit<<sinceStart) != 0 {
			before = append(before, b.name)
		}
	}
	const cool = "It is too hot or has too little power: see there. Pictures may come late; the print has priority."
	switch {
	case len(now) > 0:
		return finding{Warn, "The processor is " + and(now) + " now.", cool}
	case len(before) > 0:
		return finding{Note, "The processor was " + and(before) + " since this machine was started.", ""}
	}
	return ok("The processor runs as fast as it can.")
}

// hottest is the highest of the sensors that are the processor's or unnamed; a PC has others, such as of its Wi-Fi.
func (m *Machine) hottest() (celsius float64, known bool) {
	for _, name := range m.names("sys/class/thermal") {
		if !strings.HasPrefix(name, "thermal_zone") {
			continue
		}
		milli, there := m.number("sys/class/thermal/" + name + "/temp")
		kind, _ := m.text("sys/class/thermal/" + name + "/type")
		c := float64(milli) / 1000
		if !there || c < -40 || c > 150 || kind == "iwlwifi_1" || strings.HasPrefix(kind, "acpi") || strings.Contains(kind, "bat") { // acpitz may say the same for ever
			continue
		}
		if !known || c > celsius {
			celsius, known = c, true
		}
	}
	return celsius, known
}

// temperature: a Pi slows down from 80 °C on, and holds at 85 (raspberrypi.com/documentation/computers/raspberry-pi.html#frequency-management-and-thermal-control).
func (m *Machine) temperature() finding {
	c, known := m.hottest()
	warn, bad := 90.0, 100.0
	if m.isPi() {
		warn, bad = 80, 85
	}
	const fan = "Give it air: a case with holes, a heat sink, a fan; keep it out of the printer's enclosure."
	found := fmt.Sprintf("The processor has %.0f °C.", c)
	switch {
	case !known:
		return unknown("This machine does not tell its temperature.")
	case c >= bad:
		return finding{Bad, found + " It slows down to save itself.", fan}
	case c >= warn:
		return finding{Warn, found, fan}
	case c >= warn-10:
		return finding{Note, found + fmt.Sprintf(" It slows down from %.0f °C on.", warn), ""}
	}
	return ok("%s", found)
}

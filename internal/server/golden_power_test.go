package server

import (
	"maps"

	"layerd/internal/power"
	"layerd/printer"
)

// goldenOff is a State in which the printer's power went off by itself.
func goldenOff() State {
	s := goldenTrouble()
	s.State, s.Fault, s.Halt = printer.Disconnected, nil, nil
	s.Power = &PowerState{On: power.Off, CoolC: 50}
	return s
}

// goldenCounting is a State in which it is about to.
func goldenCounting() State {
	s := goldenState()
	s.State, s.Job, s.Nozzles = printer.Idle, nil, []printer.Heater{{ActualC: 48.9}}
	s.Power = &PowerState{On: power.Unknown, Problem: "the plug does not answer: i/o timeout", After: power.Counting, OffMS: goldenMS + 42_000, AfterPrint: true, CoolC: 50}
	return s
}

// goldens are one example of every message, by file name without .json.
func goldens() map[string]any {
	all := messages()
	maps.Copy(all, goldenPower())
	return all
}

func goldenPower() map[string]any {
	plug := power.Settings{Power: power.Way{Kind: power.Shelly2, Address: "http://192.168.1.7"}, AfterPrint: true, AfterCancelled: true, CoolC: 50}
	line := power.Way{Kind: power.GPIO, Chip: "pinctrl-bcm2711", Line: 17, ActiveLow: true}
	return map[string]any{
		"state_off":      goldenOff(),
		"state_counting": goldenCounting(),
		"power": PowerAnswer{Settings: plug, HasPassword: true, Lamp: line, Chips: []power.Chip{{Name: "gpiochip0", Label: "pinctrl-bcm2711", Lines: 58}},
			ChipsProblem: "Look at /dev/gpiochip1: permission denied.", Machine: MachineCan{Reboot: true, Shutdown: true}},
		"power_tried":         PowerTried{On: power.Off, Said: `{"id":0,"source":"init","output":false}`},
		"command_power":       FromPage{Command: Command{ID: "c80", Do: "power", On: new(false), Anyway: true}},
		"command_power_after": FromPage{Command: Command{ID: "c81", Do: "power_after", On: new(true)}},
		"command_set_power":   FromPage{Command: Command{ID: "c82", Do: "set_power", Power: &plug}},
		"command_lamp_way":    FromPage{Command: Command{ID: "c83", Do: "set_lamp", Way: &line}},
		"command_start_off":   FromPage{Command: Command{ID: "c84", Do: "start", File: "cube.gcode", PowerOff: new(true)}},
		"command_reboot":      FromPage{Command: Command{ID: "c85", Do: "reboot"}},
		"command_shutdown":    FromPage{Command: Command{ID: "c86", Do: "shutdown"}},
		"command_restart":     FromPage{Command: Command{ID: "c87", Do: "restart"}},
	}
}

package printertest

import (
	"slices"
	"testing"
	"time"
)

// prompted is what a prompt looks like on the wire.
func prompted(text string, buttons ...string) string {
	s := "//action:prompt_end|//action:prompt_begin " + text
	for _, b := range buttons {
		s += "|//action:prompt_button " + b
	}
	return s + "|//action:prompt_show"
}

func TestFilamentChange(t *testing.T) {
	pause := "//action:paused|" + prompted("Pause", "Dismiss")
	ask := "echo:Insert filament and send M108|" + prompted("Nozzle Parked", "Continue")
	done := prompted("Paused", "PurgeMore", "Continue") + "|//action:prompt_end|//action:resumed|" + prompted("Resuming", "Dismiss")
	for name, exchanges := range map[string][]exchange{
		"by M108": {
			{"M155 S0", "ok P15 B3"}, {"M600", pause}, {"M108", ""}, {"+2s", "echo:busy: processing"}, {"+9999ms", busy(4, "processing")}, {"+1ms", "echo:busy: processing|" + ask},
			{"+2s", "echo:busy: paused for user"}, {"M108", ""}, {"+19s", busy(9, "processing")}, {"+1s", "echo:busy: processing|" + done + "|ok P15 B1|ok P15 B2|ok P15 B3"},
		},
		"by M876, which counts once": {
			{"M600", pause}, {"M876 S0", ""}, {"+11s", busy(5, "processing")}, {"+1s", "echo:busy: processing|" + ask}, {"+1s", ""}, {"M876 S0", ""},
			{"+20s", busy(10, "processing") + "|" + done + "|ok P15 B1|ok P15 B2|ok P15 B3"}, {"M876 S0", "ok P15 B3"},
		},
		"by itself, when the filament ends": {
			{"M412", "echo:Filament runout ON ; Host handling OFF|ok P15 B3"}, {"G4 S1", ""}, {"M117 next", ""},
			{"runout", prompted("FilamentRunout T0") + "|//action:paused filament_runout 0"},
			{"+1s", "ok P15 B2|" + pause}, {"runout", ""}, {"+12s", busy(5, "processing") + "|echo:busy: processing|" + ask}, {"M876 S1", ""},
			{"+20s", busy(9, "processing") + "|echo:busy: processing|" + done + "|ok P15 B2|ok P15 B3"},
		},
		"by the host, when the filament ends": {
			{"M412 H1", "ok P15 B3"}, {"M412", "echo:Filament runout ON ; Host handling ON|ok P15 B3"},
			{"runout", prompted("FilamentRunout T0") + "|//action:out_of_filament T0|//action:pause filament_runout 0"}, {"M117", "ok P15 B3"},
			{"M412 S0", "ok P15 B3"}, {"M412", "echo:Filament runout OFF ; Host handling ON|ok P15 B3"}, {"runout", ""},
		},
	} {
		t.Run(name, func(t *testing.T) { play(t, observed, exchanges) })
	}
}

// busy is n of the words that come every two seconds.
func busy(n int, with string) (s string) {
	for i := range n {
		if i > 0 {
			s += "|"
		}
		s += "echo:busy: " + with
	}
	return s
}

// TestRunoutIsNotOfTheJob: what the firmware runs on its own account is no command of the host's.
func TestRunoutIsNotOfTheJob(t *testing.T) {
	faults, err := ParseFaults("runout@2")
	if err != nil {
		t.Fatal(err)
	}
	talk(t, Config{Faults: faults, KeepExecuted: true}, func(h *host) {
		h.send(framed("1", "M117 a"), framed("2", "M117 b"), framed("3", "M117 c"))
		h.take()
		h.send("M108")
		if got := h.take(); len(got) != 15 || !slices.Equal(got[11:], []string{"ok", "ok", "ok", "ok"}) {
			t.Errorf("after the change came %q", got)
		}
		if got := h.sim.Executed(); !slices.Equal(got, []string{"M117 a", "M117 b", "M117 c", "M108"}) {
			t.Errorf("executed %q", got)
		}
		if c := h.sim.Counters(); c.Executed != 4 || c.OKs != 4 {
			t.Errorf("%d commands and %d oks were counted, want 4 of each", c.Executed, c.OKs)
		}
	})
	talk(t, Config{Firmware: "marlin1", Faults: faults}, func(h *host) { // it has no sensor
		h.send("M117", "M117", "M117")
		h.wants("ok", "ok", "ok")
	})
}

func TestKillPin(t *testing.T) {
	faults, err := ParseFaults("killpin")
	if err != nil {
		t.Fatal(err)
	}
	dead := []string{"Error:!! KILL caused by KILL button/pin", "Error:Printer halted. kill() called!", "//action:poweroff"}
	talk(t, Config{Faults: faults, ResetOnOpen: true}, func(h *host) {
		h.sleep(time.Second)
		h.wants(append(marlin2().Banner, dead...)...) // it introduces itself first
		h.send("M105")
		h.sleep(time.Minute)
		h.wants()
	})
	talk(t, Config{}, func(h *host) {
		h.sim.Inject(Trigger{Kind: KillPin})
		h.wants(dead...)
	})
}

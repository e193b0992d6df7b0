package printertest

import (
	"bytes"
	"layerd/gcode"
	"slices"
	"strings"
	"testing"
	"time"
)

// raw writes bytes as they are, and waits.
func (h *host) raw(b string) {
	h.t.Helper()
	if _, err := h.port.Write([]byte(b)); err != nil {
		h.t.Fatalf("write: %v", err)
	}
	h.sleep(0)
}

// packed is lines as a host sends them after MeatPackOn.
func packed(noSpaces bool, lines ...string) string {
	var b []byte
	for _, l := range lines {
		b = gcode.AppendMeatPack(b, []byte(l), noSpaces)
	}
	return string(b)
}

func TestMeatPack(t *testing.T) {
	talk(t, Config{MeatPack: true, KeepExecuted: true, Speed: 1, Heat: 1}, func(h *host) {
		h.raw(gcode.MeatPackQuery)
		h.wants("[MP] PV01 OFF ESP")
		h.send("M115")
		if info := h.take(); !slices.Contains(info, "Cap:MEATPACK:1") || slices.Contains(info, "Cap:MEATPACK:0") {
			t.Errorf("M115 gave %q", info)
		}
		h.raw(gcode.MeatPackOn)
		h.wants("[MP] PV01 ON ESP")
		h.raw(packed(false, framed("1", "M117 Grüße, 100 %"), framed("2", "G4 P0"), "M118 x  E\ty"))
		h.wants("ok", "ok", "x  E\ty", "ok")
		h.raw(gcode.MeatPackNoSpaces)
		h.wants("[MP] PV01 ON NSP")
		h.raw(packed(true, framed("3", string(gcode.AppendWithoutSpaces(nil, []byte("G1 X1 E.5")))), framed("4", "M118 a E")))
		h.wants("echo: cold extrusion prevented", "ok", "a E", "ok")
		h.raw(gcode.MeatPackReset)
		h.wants("[MP] PV01 OFF ESP")
		h.raw(gcode.MeatPackOn + packed(false, "M118 a b"))
		h.wants("[MP] PV01 ON ESP", "EaEb", "ok") // a reset says one thing and does another
		h.raw(gcode.MeatPackSpaces + packed(false, "M118 a b"))
		h.wants("[MP] PV01 ON ESP", "a b", "ok")
		h.raw(gcode.MeatPackOff)
		h.wants("[MP] PV01 OFF ESP")
		h.send("M117 \xff") // one alone is a byte like any other
		h.wants("ok")
		want := []string{"M115", "M117 Grüße, 100 %", "G4 P0", "M118 x  E\ty", "G1X1E.5", "M118 a E", "M118EaEb", "M118 a b", "M117 \xff"}
		if got := h.sim.Executed(); !slices.Equal(got, want) {
			t.Errorf("executed %q, want %q", got, want)
		}
		h.raw(gcode.MeatPackOn)
		h.raw("\nM112\n") // the emergency parser sees what arrives
		if got := h.take(); !slices.Contains(got, "Error:Printer halted. kill() called!") {
			t.Errorf("a plain M112 between packed lines gave %q", got)
		}
		h.sim.Inject(Trigger{Kind: BoardReset})
		h.sleep(time.Second)
		h.take()
		h.raw(gcode.MeatPackQuery)
		h.wants("[MP] PV01 OFF ESP")
	})
	talk(t, Config{Firmware: "prusa", MeatPack: true}, func(h *host) {
		h.raw(gcode.MeatPackOn)
		h.wants(" [MP] PV01 ON ESP")
	})
	talk(t, Config{}, func(h *host) { // built without it
		h.raw(gcode.MeatPackQuery + "\n")
		h.wants("echo:Unknown command: \""+gcode.MeatPackQuery+"\"", "ok")
	})
}

// TestPackedM112Waits: an emergency stop that was packed is seen when it is unpacked, which a full queue prevents.
func TestPackedM112Waits(t *testing.T) {
	talk(t, Config{MeatPack: true, Speed: 1}, func(h *host) {
		h.raw(gcode.MeatPackOn + packed(false, "G4 S1", "M117", "M117", "M117", "M112"))
		h.wants("[MP] PV01 ON ESP")
		h.sleep(time.Second)
		h.wants("ok", "ok", "ok", "ok", "echo:M112 Shutdown", "Error:Printer halted. kill() called!", "//action:poweroff")
	})
}

// TestPackedLinesArriveInTime: each at the end of its own bytes, whatever comes behind.
func TestPackedLinesArriveInTime(t *testing.T) {
	talk(t, Config{MeatPack: true, Baud: 115200}, func(h *host) {
		h.raw(gcode.MeatPackOn)
		h.sleep(time.Second)
		h.take()
		from := time.Since(h.from)
		line := packed(false, "G1 X12.5")
		h.raw(line + line + line)
		h.sleep(time.Second)
		got, at := h.takeTimed()
		for i := range got {
			bytes := len(line)*(i+1) + 3 // and "ok" with its line feed back
			if want := from + wireTime(int64(bytes), 115200); got[i] != "ok" || at[i] < want || at[i] > want+time.Microsecond {
				t.Errorf("%q at %v, want it at %v", got[i], at[i], want)
			}
		}
		if g := h.sim.Counters().Gaps; len(got) != 3 || g.Count != 2 || g.Max > wireTime(int64(len(line)), 115200) {
			t.Errorf("%q, %d gaps up to %v", got, g.Count, g.Max)
		}
	})
}

// TestPackedResend: after a bad line in a window what follows is misread, up to an unknown distance. A reset of the unpacker puts an end to it.
func TestPackedResend(t *testing.T) {
	for seed := range uint64(100) {
		cfg := Config{MeatPack: true, Baud: 115200, Seed: seed, KeepExecuted: true, Faults: Faults{FlushDelay: 4 * time.Millisecond}}
		talk(t, cfg, func(h *host) {
			h.raw(gcode.MeatPackOn)
			lines := []string{framed("1", "G1 X1 Y1"), framed("2", "G1 X2 Y2"), framed("3", "G1 X3 Y3")}
			h.raw(packed(false, append([]string{strings.Replace(lines[0], "X1", "X9", 1)}, lines[1:]...)...))
			h.sleep(time.Second)
			if got := strings.Join(h.take(), "|"); !strings.HasPrefix(got, "[MP] PV01 ON ESP|Error:checksum mismatch, Last Line: 0|Resend: 1|ok") {
				t.Errorf("seed %d: a bad line gave %q", seed, got)
			}
			before := len(h.sim.Executed())
			h.raw(gcode.MeatPackReset + gcode.MeatPackOn + packed(false, append([]string{""}, lines...)...)) // "" ends what may be there of a line
			h.sleep(time.Second)
			if got := h.sim.Executed()[before:]; !slices.Equal(got, []string{"G1 X1 Y1", "G1 X2 Y2", "G1 X3 Y3"}) {
				t.Errorf("seed %d: executed %q after %q", seed, got, h.sim.Executed()[:before])
			}
		})
	}
}

// FuzzUnpack: what the host packs the firmware unpacks, from any state that rubbish brought about, once the state is put right.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\xff\xff\xfb\x1f"), "N1 G1 X1 Y2 E3*44", false)
	f.Add([]byte("\xff"), "M117 Größe E E", true)
	f.Add([]byte("\xff\xff\xff\xf9\xff\xff\xfb\xff"), "", true)
	f.Fuzz(func(t *testing.T, rubbish []byte, text string, noSpaces bool) {
		var u unpacker
		var got []byte
		feed := func(b []byte) {
			for _, c := range b {
				u.take(c)
				got = append(got, u.out[:u.to]...)
			}
		}
		feed(rubbish)
		if len(got) > 2*len(rubbish) {
			t.Errorf("%d bytes became %d", len(rubbish), len(got))
		}
		text = strings.NewReplacer("\n", "", "\xff", "?").Replace(text)
		spaces := gcode.MeatPackSpaces
		if noSpaces {
			spaces = gcode.MeatPackNoSpaces
		}
		// Twice, for the first may be taken for the rest of something else.
		feed([]byte(gcode.MeatPackReset + gcode.MeatPackReset + gcode.MeatPackOn + spaces))
		got = nil
		feed(gcode.AppendMeatPack(nil, []byte(text), noSpaces))
		if want := []byte(text + "\n"); !bytes.Equal(got, want) {
			t.Errorf("%q came back as %q", want, got)
		}
	})
}

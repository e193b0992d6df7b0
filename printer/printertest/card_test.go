package printertest

import (
	"strings"
	"testing"
	"time"
)

// cardOf is a card with a print that moves for five seconds, and one in a folder.
func cardOf() []CardFile {
	when := time.Date(2024, 11, 22, 12, 33, 56, 0, time.UTC)
	return []CardFile{{Path: "CUBE~1.GCO", Long: "Cube 20 mm.gcode", Text: "G91 ; relative\n\n" + strings.Repeat("G1 X.2 F600\n", 200), Date: when},
		{Path: "/TOYS/A.GCO", Long: "a.gcode", Text: "M104 S200\nM400\n"}}
}

func TestCardTranscripts(t *testing.T) {
	resuming, pausing := "//action:resume|"+prompted("Resuming SD", "Dismiss"), prompted("Pause SD", "Resume")+"|//action:pause"
	opened := "echo:Now fresh file: CUBE~1.GCO|File opened: CUBE~1.GCO Size: 2416|File selected|ok"
	for name, c := range map[string]struct {
		cfg       Config
		exchanges []exchange
	}{
		"marlin2": {Config{Speed: 1, Card: cardOf()}, []exchange{
			{"M20", "Begin file list|CUBE~1.GCO 2416|/TOYS/A.GCO 15|End file list|ok"},
			{"M20 L T", "Begin file list|CUBE~1.GCO 2416 0x5976643c Cube 20 mm.gcode|/TOYS/A.GCO 15 0x00000000 Toys/a.gcode|End file list|ok"},
			{"M27", "Not SD printing|ok"}, {"M27 C", "Current file: (no file)|ok"},
			{"M23 none.gco", "echo:Now fresh file: none.gco|open failed, File: none.gco.|ok"},
			{"M23 CUBE~1.GCO", opened},
			{"M24", resuming + "|ok"}, {"M27", ""}, {"+1s", "SD printing byte 280/2416|ok"}, {"M27 C", ""}, {"+1s", "Current file: CUBE~1.GCO Cube 20 mm.gcode|ok"},
			{"+5s", "Done printing file"}, {"M27", "Not SD printing|ok"},
			{"M27 S2", "ok"}, {"+2s", "Not SD printing"}, {"M27 S0", "ok"}, {"+4s", ""},
		}},
		"paused and resumed by its own question, and stopped": {Config{Speed: 1, Card: cardOf()}, []exchange{
			{"M23 CUBE~1.GCO", opened}, {"M24", resuming + "|ok"}, {"M25", ""}, {"+500ms", pausing + "|ok"}, {"M27", "Not SD printing|ok"},
			{"M524", "ok"}, {"M27 C", "Current file: CUBE~1.GCO Cube 20 mm.gcode|ok"},
			{"M876 S0", resuming + "|ok"}, {"M27", ""}, {"+500ms", "SD printing byte 544/2416|ok"}, {"M524", ""}, {"+500ms", "ok"},
			{"M27", ""}, {"+3s", "echo:busy: processing"}, {"+5s", "echo:busy: processing|echo:busy: processing|X:0.00 Y:0.00 Z:0.00 E:0.00 Count X:0 Y:0 Z:0|Not SD printing|ok"}, {"M27 C", "Current file: (no file)|ok"},
		}},
		"no card in": {Config{Card: cardOf(), CardOut: true}, []exchange{
			{"M20", "echo:No media|ok"}, {"M21", "echo:No SD card|ok"}, {"M23 CUBE~1.GCO", "ok"}, {"M27", "Not SD printing|ok"},
		}},
		"no reader": {Config{}, []exchange{{"M20", `echo:Unknown command: "M20"|ok`}, {"M27", `echo:Unknown command: "M27"|ok`}}},
		"marlin1": {Config{Firmware: "marlin1", Speed: 1, Card: cardOf()}, []exchange{
			{"M20 L T", "Begin file list|CUBE~1.GCO 2416|/TOYS/A.GCO 15|End file list|ok"}, {"M27 C", "Not SD printing|ok"}, {"M524", `echo:Unknown command: "M524"|ok`},
			{"M23 CUBE~1.GCO", opened}, {"M24", "ok"}, {"M25", ""}, {"+500ms", "ok"}, {"M27", "Not SD printing|ok"}, {"M24", "ok"}, {"+8s", "Done printing file"},
		}},
		"prusa": {Config{Firmware: "prusa", Speed: 1, Card: cardOf()}, []exchange{
			{"M20 L T", `Begin file list|CUBE~1.GCO 2416 0x5976643c "Cube 20 mm.gcode"|DIR_ENTER: /TOYS/ "Toys"|/TOYS/A.GCO 15 0x00000000 "a.gcode"|DIR_EXIT|End file list|ok`},
			{"M23 CUBE~1.GCO", opened}, {"M24", "ok"}, {"M27 P", ""}, {"+500ms", "/CUBE~1.GCO|SD printing byte 280/2416|00:01|ok"},
			{"M27", ""}, {"+500ms", "Cube 20 mm.gcode|SD printing byte 568/2416|00:01|ok"},
			{"M25", ""}, {"+500ms", "// action:paused|ok"}, {"M27", "SD print paused|ok"}, {"M603", "ok"}, {"M27", "Not SD printing|ok"},
		}},
	} {
		t.Run(name, func(t *testing.T) { play(t, c.cfg, c.exchanges) })
	}
}

// A print from the card moves and heats the body without a word from the host, and what the host says meanwhile has its turn.
func TestCardPrintHasABody(t *testing.T) {
	files := []CardFile{{Path: "A.GCO", Text: "M104 S200\nM140 S60\nG91\nM105\n" + strings.Repeat("G1 X.2 F600\n", 200)}}
	talk(t, Config{AdvancedOK: true, Speed: 1, Heat: 1, Card: files, KeepExecuted: true}, func(h *host) {
		h.sim.Panel("print", "")
		h.sleep(2 * time.Second)
		body := h.sim.Body()
		if body.Believed[axisX] < 1 || body.NozzleTargetC != 200 || body.BedTargetC != 60 {
			t.Errorf("after two seconds: %+v", body)
		}
		h.take()
		h.send("M114")
		h.sleep(time.Second)
		if got := h.take(); len(got) != 2 || got[1][:4] != "ok P" {
			t.Errorf("asked meanwhile: got %q", got)
		}
		h.sleep(20 * time.Second)
		got := h.take()
		if len(got) < 1 || got[len(got)-1] != "Done printing file" {
			t.Errorf("at the end: got %q", got)
		}
		if n := len(h.sim.Executed()); n != 4+200+1 {
			t.Errorf("got %d commands %q", n, h.sim.Executed())
		}
	})
}

func TestCardEjectedInMidPrint(t *testing.T) {
	for firmware, want := range map[string]string{"marlin2": "//action:sd_ejected", "marlin1": "", "prusa": "echo:SD card released"} {
		talk(t, Config{Firmware: firmware, Speed: 1, Heat: 1, Card: cardOf()}, func(h *host) {
			h.sim.Panel("print", "/TOYS/A.GCO")
			h.sleep(10 * time.Millisecond)
			h.sim.Panel("print", "cube~1.gco")
			h.sleep(time.Second)
			h.take()
			h.sim.Panel("eject", "")
			got := h.take()
			if want == "" && len(got) > 0 || want != "" && (len(got) != 1 || got[0] != want) {
				t.Errorf("%s, ejected: got %q, want %q", firmware, got, want)
			}
			h.send("M27")
			h.sleep(10 * time.Second)
			if got := h.take(); len(got) < 2 || got[len(got)-2] != "Not SD printing" {
				t.Errorf("%s, then: got %q", firmware, got)
			}
			if hot := h.sim.Body().NozzleTargetC; hot != 0 && firmware == "marlin2" {
				t.Errorf("%s: the nozzle's target is %g °C after the print was lost", firmware, hot)
			}
		})
	}
}

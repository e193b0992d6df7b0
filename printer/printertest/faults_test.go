package printertest

import (
	"bytes"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseFaults(t *testing.T) {
	got, err := ParseFaults("flip=1e-4, drop=2e-4,flipback=0.5,dropback=1,lostok=1e-3,doubleok=1e-3,dupresend=0.1,stall=1e-4:8s,flushdelay=6ms," +
		"reset@500,reset@501:quiet,kill@900,silent@300,stall@40:500ms,garble,garble@20,unplug@1000,unplug@7:5s,powerloss@8,powerloss@9:1m,runout@10,runout@11:host,killpin@12,killpin,crash@13:20,panelprint@14,panelprint@15:CUBE.GCO,shift@x:-5.5:1200,lose@x:-8:1201,tooth@y:1:1202,creep@x:0.02:1203,revert@x:1204,heat@nozzle:open:14,heat@bed:dead:15,")
	if err != nil {
		t.Fatal(err)
	}
	want := Faults{Flip: 1e-4, Drop: 2e-4, FlipBack: 0.5, DropBack: 1, LostOK: 1e-3, DoubleOK: 1e-3, DupResend: 0.1, Stall: 1e-4,
		StallFor: 8 * time.Second, FlushDelay: 6 * time.Millisecond, At: []Trigger{{Kind: BoardReset, Line: 500}, {Kind: BoardReset, Line: 501, Quiet: true}, {Kind: Kill, Line: 900}, {Kind: Silent, Line: 300},
			{Kind: Stall, Line: 40, For: 500 * time.Millisecond}, {Kind: Garble}, {Kind: Garble, Line: 20}, {Kind: Unplug, Line: 1000},
			{Kind: Unplug, Line: 7, For: 5 * time.Second},
			{Kind: PowerLoss, Line: 8}, {Kind: PowerLoss, Line: 9, For: time.Minute}, {Kind: Runout, Line: 10},
			{Kind: Runout, Line: 11, Host: true}, {Kind: KillPin, Line: 12}, {Kind: KillPin}, {Kind: Crash, Line: 13, Back: 20}, {Kind: PanelPrint, Line: 14}, {Kind: PanelPrint, Line: 15, File: "CUBE.GCO"}, {Kind: Shift, Line: 1200, Axis: 'x', MM: -5.5},
			{Kind: Lose, Line: 1201, Axis: 'x', N: -8}, {Kind: Tooth, Line: 1202, Axis: 'y', N: 1}, {Kind: Creep, Line: 1203, Axis: 'x', MM: 0.02}, {Kind: Revert, Line: 1204, Axis: 'x'},
			{Kind: Heat, Line: 14, How: Open}, {Kind: Heat, Line: 15, Bed: true, How: Dead}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
	for name := range kindNames {
		if !strings.Contains(FaultForms, "\n  "+name) {
			t.Errorf("nothing tells people of %s", name)
		}
	}
	if got, err := ParseFaults(""); err != nil || !reflect.DeepEqual(got, Faults{}) {
		t.Errorf("no faults: %+v, %v", got, err)
	}
	for _, bad := range []string{"flip", "flip=", "flip=2", "flip=-1", "flip=NaN", "bogus=1", "bogus@1", "reset", "reset@0", "reset@x", "reset@1:2", "reset@1:quietly",
		"stall=0.1", "stall=0.1:x", "stall@5", "stall@5:0s", "shift@x:5", "shift@e:5:1", "shift@:5:1", "shift@x:NaN:1", "lose@x:8", "lose@x:1.5:3", "lose@e:4:3", "lose@x:99999:3", "tooth@x:1", "tooth@x::3", "creep@x:inf:3", "creep@3", "revert@3", "revert@x", "revert@x:1:3", "shift@x:5:0", "heat@5", "heat@fan:open:5", "heat@nozzle:burning:5", "heat@nozzle:open:0", "heat@bed:open", "kill@", "@", "=", "unplug@1:2s:3", "powerloss@0", "runout", "runout@1:hosts", "killpin@", "crash@5", "crash@5:0", "crash@5:x", "flushdelay=x", "flushdelay=-1s", "flushdelay@3", "unplug@1:2000000h"} {
		if _, err := ParseFaults(bad); err == nil || !strings.Contains(err.Error(), bad) {
			t.Errorf("%q: error %v, want one that names it", bad, err)
		}
	}
}

// TestAtMostOneErrorInALine is the promise that makes checksums able to see every error.
func TestAtMostOneErrorInALine(t *testing.T) {
	n := newNoise(0.05, 0.05, true, rand.New(rand.NewPCG(1, 2)))
	hits := 0
	var since []byte // what became of the bytes since the last intact line end, and what they were
	var was []byte
	const line = "N123 G1 X10.5 Y20.125 E0.0321*99\n"
	for i := range 200000 {
		c := line[i%len(line)]
		out, ok := n.pass(c)
		was = append(was, c)
		if ok {
			since = append(since, out)
		}
		if !ok || out != c {
			hits++
		}
		if ok && out == c && c == '\n' {
			if len(was)-len(since) > 1 {
				t.Fatalf("%q became %q", was, since)
			}
			if len(was) == len(since) {
				wrong := 0
				for j := range was {
					if was[j] != since[j] {
						wrong++
					}
				}
				if wrong > 1 {
					t.Fatalf("%q became %q", was, since)
				}
			}
			was, since = was[:0], since[:0]
		}
	}
	if hits < 3000 || int64(hits) != n.hits {
		t.Errorf("%d errors, counted %d", hits, n.hits)
	}
}

func TestNoiseHitsAtItsRate(t *testing.T) {
	n := newNoise(1e-3, 0, false, rand.New(rand.NewPCG(3, 4)))
	for range 1_000_000 {
		n.pass('x')
	}
	if n.hits < 850 || n.hits > 1150 {
		t.Errorf("%d hits in a million bytes at 1e-3", n.hits)
	}
}

// TestSameSeedSameFaults plays the same lines twice with one seed, in pieces of other sizes, and once with another.
func TestSameSeedSameFaults(t *testing.T) {
	play := func(seed uint64, piece int) (said []string) {
		cfg := Config{Seed: seed, Faults: Faults{Flip: 1e-3, Drop: 1e-3, FlipBack: 1e-3, DropBack: 1e-3, LostOK: 0.01, DoubleOK: 0.01, DupResend: 0.3}}
		talk(t, cfg, func(h *host) {
			for i := range 500 {
				line := framed(itoa(i+1), "G1 X"+itoa(i%200)) + "\n"
				for len(line) > 0 {
					n := min(piece, len(line))
					h.port.Write([]byte(line[:n]))
					line = line[n:]
				}
				h.sleep(time.Millisecond)
			}
			said = h.take()
		})
		return said
	}
	one, two, other := play(1, 1000), play(1, 7), play(2, 1000)
	if !slices.Equal(one, two) {
		t.Errorf("the same seed said different things:\n%q\n%q", one, two)
	}
	if slices.Equal(one, other) {
		t.Error("another seed said the same")
	}
}

func TestLostAndDoubledOKs(t *testing.T) {
	talk(t, Config{Faults: Faults{LostOK: 0.1, DoubleOK: 0.1}}, func(h *host) {
		for range 1000 {
			h.send("M117")
		}
		c := h.sim.Counters()
		oks := int64(len(h.take()))
		if c.OKs != 1000 || oks != 1000-c.LostOKs+c.DoubledOKs || c.LostOKs < 60 || c.LostOKs > 140 || c.DoubledOKs < 60 || c.DoubledOKs > 140 {
			t.Errorf("%d oks came, %d were lost, %d doubled", oks, c.LostOKs, c.DoubledOKs)
		}
	})
}

func TestDuplicateResend(t *testing.T) {
	talk(t, Config{Faults: Faults{DupResend: 1}}, func(h *host) {
		h.send("N1 M105*1")
		h.wants("Error:checksum mismatch, Last Line: 0", "Resend: 1", "ok", "Resend: 1", "ok")
	})
}

func TestFaultsAtALine(t *testing.T) {
	for spec, check := range map[string]func(h *host){
		"reset@3": func(h *host) {
			h.sleep(time.Second)
			h.wants(append([]string{"ok", "ok", "ok"}[:2], marlin2().Banner...)...)
		},
		"kill@3": func(h *host) {
			h.wants("ok", "ok", "Error:Thermal Runaway, system stopped! Heater_ID: 0", "Error:Printer halted. kill() called!")
			h.send("M105", "M112")
			h.sleep(time.Minute)
			h.wants()
			if !h.sim.Body().Halted {
				h.t.Error("not halted")
			}
		},
		"silent@3": func(h *host) {
			h.send("M105", "M112")
			h.sleep(time.Hour)
			h.wants("ok", "ok")
			h.sim.Inject(Trigger{Kind: BoardReset})
			h.sleep(time.Second)
			h.wants(marlin2().Banner...)
		},
		"stall@3:8s": func(h *host) {
			h.wants("ok", "ok")
			h.sleep(8*time.Second - time.Nanosecond)
			h.wants()
			h.sleep(time.Nanosecond)
			h.wants("ok", "ok")
		},
		"stall@2:8s": func(h *host) {
			h.wants("ok")
			h.send("M112")
			h.wants()
			h.sleep(8 * time.Second)
			h.wants("echo:M112 Shutdown", "Error:Printer halted. kill() called!", "//action:poweroff")
		},
		"shift@y:2.5:3": func(h *host) {
			h.wants("ok", "ok", "ok", "ok")
			if b := h.sim.Body(); math.Abs(b.True[1]-123.5) > 1e-9 || b.Believed[1] != 0 {
				h.t.Errorf("truly at %v, believed at %v", b.True, b.Believed)
			}
		},
		"garble@3": func(h *host) {
			h.send("M115", "M105")
			if got := h.take(); len(got) < 2 || got[0] != "ok" || strings.Contains(strings.Join(got[2:], ""), "T:") {
				h.t.Errorf("got %q", got)
			}
		},
	} {
		t.Run(spec, func(t *testing.T) {
			faults, err := ParseFaults(spec)
			if err != nil {
				t.Fatal(err)
			}
			talk(t, Config{Faults: faults}, func(h *host) {
				h.send("M117 1")
				h.send("M117 2")
				h.send("M117 3")
				h.send("M117 4")
				check(h)
			})
		})
	}
}

// FuzzFirmware feeds any bytes to each firmware, with faults: nothing panics, memory stays bounded, and the printer can always be
// brought back by a reset.
func FuzzFirmware(f *testing.F) {
	f.Add([]byte("N0 M110 N0*125\nN1 M105*38\nG28\nG1 X10 E5 F100\nG2 I5 J5\nM109 S200\nM112\n"), uint8(0), uint64(1))
	f.Add([]byte("G4 P99999999999\nG1 X1e9 F.0000001\nM220 S0\nG92 X-1E9\nM0 hello\nM108\n"), uint8(1), uint64(2))
	f.Add([]byte("FIRMWARE_RESTART\nm112\nG91\nG1 Z-5\nM410\n\x00\xff;\\\n(\n"), uint8(6), uint64(3))
	f.Add(bytes.Repeat([]byte("G1 X1 Y1\n"), 100), uint8(4), uint64(4))
	f.Add([]byte("G28\nM302 P1\nM120\nG91\nG1 X-50 Y-50 Z9 E5 F9000\nM206 X5\nG28 R3 X L1\nM211 S0\nG1 X-500 Y900 Z-9 E9\nM119\nM420 S1 Z5\n"), uint8(0), uint64(30))
	f.Add([]byte("\xff\xff\xfbN1 G1\x1d\xeb\xc2\x1fM\x50\xcc\xff\xff\xf9\xff\xff\xf7"), uint8(0), uint64(3))
	names := Firmwares()
	f.Fuzz(func(t *testing.T, data []byte, which uint8, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		sim, err := New(Config{Firmware: names[int(which)%len(names)], AdvancedOK: seed%2 == 0, Speed: float64(seed % 3), Heat: float64(seed % 5), Seed: seed,
			X:      []Switch{{}, {Max: true, SigmaMM: 0.1, HysteresisMM: 0.2, BounceMM: 0.1}, {Kind: Sensorless}, {Kind: StuckOpen}, {Kind: StuckClosed, Max: true}, {Kind: NoSwitch}}[seed%6],
			Homing: Homing{RaiseMM: float64(seed % 4), ZSafe: seed%5 == 0, Together: seed%3 == 0, YFirst: seed%2 == 0}, Head: Head{float64(seed % 40), 30, 5}, CoreXY: seed%2 == 0,
			FlowControl: seed%7 == 0, MeatPack: seed%3 == 0, Baud: []int{0, 115200}[seed%2], Faults: Faults{Flip: 0.01, Drop: 0.01, FlipBack: 0.01, LostOK: 0.1, DoubleOK: 0.1, Stall: 0.01, StallFor: time.Second}})
		if err != nil {
			t.Fatal(err)
		}
		b := sim.board
		b.opened(false)
		now := time.Duration(0)
		var sink [8192]byte
		for len(data) > 0 {
			n := min(1+r.IntN(64), len(data), b.space())
			b.write(now, data[:n])
			data = data[n:]
			now += time.Duration(r.IntN(int(time.Second)))
			b.advance(now)
			if r.IntN(4) == 0 {
				b.back.take(now, sink[:])
			}
			if n == 0 && r.IntN(50) == 0 { // it takes nothing any more
				break
			}
		}
		now += 30 * time.Second
		b.advance(now)
		if n := len(b.fw.out) + b.back.pending(); n > ttyIn+4096 {
			t.Errorf("%d bytes of replies are kept", n)
		}
		body := b.fw.body()
		for i, v := range body.True {
			if !(v >= -slackMM && v <= body.SizeMM[i]+slackMM) {
				t.Errorf("the head is at %v", body.True)
			}
		}
		b.in.drop()
		b.reset()
		now += 10 * time.Second
		b.advance(now)
		b.noiseIn.skip, b.fw.dice.rates = 1<<60, Faults{}
		b.noiseBack.skip = 1 << 60
		b.back.drop()
		b.write(now, []byte("M105\n"))
		b.advance(now + time.Second)
		if n := b.back.take(now+time.Second, sink[:]); !bytes.Contains(sink[:n], []byte("T")) {
			t.Errorf("after a reset %s said %q", b.fw.Name, sink[:n])
		}
	})
}

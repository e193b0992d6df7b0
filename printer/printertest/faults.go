package printertest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Faults is what goes wrong. Rates are probabilities from 0 to 1. The zero value is a flawless world.
type Faults struct {
	Flip, Drop         float64 // per byte host → printer; at most one a line, see the package's comment
	FlipBack, DropBack float64 // per byte printer → host
	LostOK, DoubleOK   float64 // per ok that answers a line
	DupResend          float64 // per Resend: it is said twice, each with its ok
	Stall              float64 // per line received: the firmware does nothing for StallFor
	StallFor           time.Duration
	FlushDelay         time.Duration // at most so long passes from a bad line to the flush of the receive ring; drawn anew each time
	At                 []Trigger
}

// Kind is what a Trigger does.
type Kind uint8

const (
	BoardReset Kind = iota + 1 // the board restarts by itself
	Kill                       // the firmware stops with a thermal runaway
	Silent                     // it does not answer any more, until a reset
	Stall                      // it does nothing for a while
	Garble                     // all bytes are garbage from now on, both ways
	Unplug                     // the port vanishes, and the board goes on; with For a new one comes after that time
	PowerLoss                  // the same, and the board loses its power as well: it starts anew when the port comes
	Runout                     // the filament's end comes to the sensor
	KillPin                    // the kill button is pressed, and stays so: the board dies, and dies again when it has started
	Crash                      // the head has hit something, where the firmware notices (Prusa): it homes, and asks for lines from Back ago
	PanelPrint                 // a person starts a print from the card at the panel: File, "" = the first
	Shift                      // the body of an axis moves by MM without the firmware's knowledge
	Lose                       // its motor loses N full steps
	Tooth                      // its belt skips N teeth
	Creep                      // its pulley slips by MM at each layer from now on
	Revert                     // what it lost since it was homed it finds again, and creeps no more
	Heat                       // the nozzle's heater, or the bed's, is Broken from now on
)

var kindNames = map[string]Kind{"reset": BoardReset, "kill": Kill, "silent": Silent, "stall": Stall, "garble": Garble,
	"unplug": Unplug, "powerloss": PowerLoss, "runout": Runout,
	"killpin": KillPin, "crash": Crash, "shift": Shift, "lose": Lose, "tooth": Tooth, "creep": Creep, "revert": Revert, "heat": Heat, "panelprint": PanelPrint}

// Trigger is one fault. As part of Faults it happens once, when the Line-th line since the beginning is received (1 is
// the first; 0 = from the beginning, for Garble and KillPin); with Sim.Inject it happens at once.
type Trigger struct {
	Kind  Kind
	Line  int64
	For   time.Duration // Stall, Unplug, PowerLoss
	Axis  byte          // of a loss, Shift to Revert: 'x', 'y' or 'z'
	MM    float64       // Shift, Creep
	N     int           // Lose, Tooth; negative is towards 0
	Back  int64         // Crash
	Quiet bool          // BoardReset: its first words are lost
	Host  bool          // Runout: the host is to see to it, as after M412 H1
	Bed   bool          // Heat: the bed's
	How   Broken        // Heat
	File  string        // PanelPrint
}

// FaultForms is what ParseFaults reads, for people.
const FaultForms = `items separated by commas:
  flip=1e-4 drop=1e-4          bytes from the host that are changed or lost
  flipback=1e-4 dropback=1e-4  and to the host
  lostok=1e-3 doubleok=1e-3    oks that are not said, or said twice
  dupresend=0.1                Resends that are said twice
  stall=1e-4:8s                per line: it does nothing for so long
  flushdelay=6ms               what comes within up to so long after a bad line is flushed with it
and once, when so many lines were received:
  reset@500         the board restarts; reset@500:quiet: without its first words
  kill@900          thermal runaway
  silent@300        it answers no more, until a reset
  stall@40:8s       it does nothing for so long
  garble garble@20  all is garbage, from the beginning or from that line on
  unplug@1000:5s    the cable is out for so long (without :5s for ever); the board keeps its power and goes on
  powerloss@1000:5s the cable is out and the board without power; it starts anew
  runout@900        the filament ends; runout@900:host: and the host is to see to it
  crash@900:20      the head has hit something; the firmware (prusa) homes, and asks for all from 20 lines ago on
  killpin@900       the kill button; killpin: it is shorted from the beginning
  panelprint@30     somebody starts a print from the card (--card) at the panel; panelprint@30:CUBE.GCO: that one
  shift@x:5:1200    the axis moves by so many mm, unknown to the firmware
  lose@x:8:1200     its motor loses so many full steps, of 0.2 mm in x and y; a real one loses four or a multiple
  tooth@y:1:1200    its belt skips so many teeth, of 2 mm
  creep@x:0.02:1200 its pulley slips by so many mm at each layer from there on
  revert@x:1500     and what the axis lost is found again
  heat@nozzle:open:900  the nozzle's heater, or the bed's, gets no power; or it is shorted, or its sensor is frozen or dead; sound again`

// ParseFaults reads the form of the command line, FaultForms: rates are NAME=RATE, what happens once is NAME@LINE, with more behind it where
// FaultForms shows that. Errors name the item.
func ParseFaults(spec string) (Faults, error) {
	var f Faults
	for item := range strings.SplitSeq(spec, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		var err error
		if name, value, ok := strings.Cut(item, "="); ok {
			err = f.setRate(name, value)
		} else {
			err = f.addTrigger(item)
		}
		if err != nil {
			return Faults{}, fmt.Errorf("fault %q: %w", item, err)
		}
	}
	return f, nil
}

func (f *Faults) setRate(name, value string) (err error) {
	switch name {
	case "flushdelay":
		f.FlushDelay, err = duration(value)
		return err
	case "stall":
		rate, long, ok := strings.Cut(value, ":")
		if !ok {
			return errors.New("want stall=RATE:DURATION")
		}
		if f.StallFor, err = duration(long); err != nil {
			return err
		}
		value = rate
	}
	to, ok := map[string]*float64{"flip": &f.Flip, "drop": &f.Drop, "flipback": &f.FlipBack, "dropback": &f.DropBack,
		"lostok": &f.LostOK, "doubleok": &f.DoubleOK, "dupresend": &f.DupResend, "stall": &f.Stall}[name]
	if !ok {
		return errors.New("unknown; rates are flip, drop, flipback, dropback, lostok, doubleok, dupresend and stall, and there is flushdelay")
	}
	v, err := strconv.ParseFloat(value, 64)
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("%q is no rate from 0 to 1", value)
	}
	*to = v
	return nil
}

// duration reads one that makes sense here.
func duration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > 1000*time.Hour {
		return 0, fmt.Errorf("%q is no duration such as 8s", text)
	}
	return d, nil
}

func (f *Faults) addTrigger(item string) error {
	name, where, hasWhere := strings.Cut(item, "@")
	kind, ok := kindNames[name]
	if !ok {
		return errors.New("unknown; faults at a line are reset, kill, silent, stall, garble, unplug, powerloss, runout, killpin, crash, panelprint, shift, lose, tooth, creep, revert and heat")
	}
	t := Trigger{Kind: kind}
	parts := strings.Split(where, ":")
	var err error
	switch {
	case (kind == Garble || kind == KillPin) && !hasWhere:
		f.At = append(f.At, t)
		return nil
	case kind >= Shift && kind <= Revert:
		if parts, err = t.parseLoss(parts); err != nil {
			return err
		}
	case kind == Heat:
		if len(parts) != 3 || parts[0] != "nozzle" && parts[0] != "bed" {
			return errors.New("want heat@nozzle:HOW:LINE or heat@bed:HOW:LINE")
		}
		if t.How, ok = brokenNames[parts[1]]; !ok {
			return fmt.Errorf("%q is none of open, shorted, frozen, dead and sound", parts[1])
		}
		t.Bed, parts = parts[0] == "bed", parts[2:]
	case len(parts) == 2 && (kind == Stall || kind == Unplug || kind == PowerLoss):
		if t.For, err = duration(parts[1]); err != nil {
			return err
		}
		parts = parts[:1]
	case len(parts) == 2 && kind == PanelPrint:
		t.File, parts = parts[1], parts[:1]
	case len(parts) == 2 && kind == BoardReset && parts[1] == "quiet":
		t.Quiet, parts = true, parts[:1]
	case len(parts) == 2 && kind == Runout && parts[1] == "host":
		t.Host, parts = true, parts[:1]
	case len(parts) == 2 && kind == Crash:
		if t.Back, err = strconv.ParseInt(parts[1], 10, 64); err != nil || t.Back < 1 || t.Back > 1000 {
			return fmt.Errorf("%q is no number of lines from 1 to 1000", parts[1])
		}
		parts = parts[:1]
	case kind == Crash:
		return errors.New("want crash@LINE:BACK")
	case kind == Stall:
		return errors.New("want stall@LINE:DURATION")
	}
	if len(parts) != 1 {
		return errors.New("too many parts")
	}
	if t.Line, err = strconv.ParseInt(parts[0], 10, 64); err != nil || t.Line < 1 {
		return fmt.Errorf("%q is no line number from 1", parts[0])
	}
	f.At = append(f.At, t)
	return nil
}

// dice draws the faults of firmware. Each purpose has its own stream, so that one does not disturb another and the same seed
// gives the same faults whatever the timing.
type dice struct {
	rates                                Faults
	lost, double, resend, stallAt, flush *rand.Rand
}

func newDice(rates Faults, seed uint64) *dice {
	r := func(stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }
	return &dice{rates: rates, lost: r(1), double: r(2), resend: r(3), stallAt: r(4), flush: r(5)}
}

func draw(r *rand.Rand, rate float64) bool { return rate > 0 && r.Float64() < rate }

func (d *dice) lostOK() bool    { return draw(d.lost, d.rates.LostOK) }
func (d *dice) doubleOK() bool  { return draw(d.double, d.rates.DoubleOK) }
func (d *dice) dupResend() bool { return draw(d.resend, d.rates.DupResend) }
func (d *dice) stall() bool     { return draw(d.stallAt, d.rates.Stall) }

func (d *dice) flushDelay() time.Duration {
	if d.rates.FlushDelay <= 0 {
		return 0
	}
	return time.Duration(d.flush.Int64N(int64(d.rates.FlushDelay) + 1))
}

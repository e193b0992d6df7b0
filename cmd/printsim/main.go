// Command printsim is a pretend 3D printer on a pseudo-terminal: for work on a host, for benchmarks, and for any host to be
// measured against. It says what real firmware says; package printertest is what it is made of.
//
//	printsim --link /tmp/printer --firmware marlin2 --baud 115200 --reset-on-open
//
// It prints the path of the link on standard output when a host can open it, and at SIGTERM or SIGINT what it has counted. SIGUSR1 has it
// forget how long it waited for lines until then. SIGUSR2 starts a print from its memory card (--card), as somebody at the panel would; without
// a card, all that --faults has happen once happens at once.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"layerd/printer/printertest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/pflag"
)

func main() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	if err := run(os.Args[1:], os.Stdout, signals); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "printsim:", err)
		os.Exit(1)
	}
}

// run is the whole program: it returns when a signal came, with nil, or when something failed.
func run(args []string, out io.Writer, signals <-chan os.Signal) error {
	cfg := printertest.Config{TxBuffer: -1}
	flags := pflag.NewFlagSet("printsim", pflag.ContinueOnError)
	link := flags.String("link", "", "path of the symbolic link to the pseudo-terminal (required)")
	device := flags.String("device", "", "path between link and pseudo-terminal whose %d counts how often it was plugged in, such as /tmp/ttyUSB%d:\n"+
		"the link is then what stays the same, as those in /dev/serial/by-id do")
	flags.StringVar(&cfg.Firmware, "firmware", "marlin2", "one of "+strings.Join(printertest.Firmwares(), ", "))
	flags.IntVar(&cfg.Baud, "baud", 0, "line speed, which paces both directions; hosts at another speed get garbage; 0 = unpaced, any speed")
	flags.DurationVar(&cfg.USBLatency, "usb-latency", 0, "delay of each direction, in batches, as of a USB adapter")
	flags.IntVar(&cfg.RxBuffer, "rx-buffer", 0, "bytes of the receive ring; 0 = the firmware's own")
	flags.IntVar(&cfg.BufSize, "bufsize", 0, "places in the command queue; 0 = the firmware's own")
	flags.BoolVar(&cfg.AdvancedOK, "advanced-ok", false, "oks say line number, planner room and queue room")
	flags.StringVar(&cfg.Protection, "protection", "", "what M115 says of its thermal protection: 0, 1 or none; empty = as the firmware was built")
	flags.StringVar(&cfg.Leveling, "leveling", "", "how it was built to level its bed, with a probe: bilinear, ubl; \"\" = not at all")
	flags.BoolVar(&cfg.MeatPack, "meatpack", false, "it was built with MeatPack, and unpacks lines when it is told to")
	flags.Float64Var(&cfg.Speed, "speed", 1, "how many times faster than real it moves and dwells; 0 = instantly")
	flags.Float64Var(&cfg.Heat, "heat", 1, "how many times faster than real it heats and cools; 0 = instantly")
	flags.BoolVar(&cfg.ResetOnOpen, "reset-on-open", false, "the board restarts when a host opens the port")
	switchX := flags.String("switch-x", "", "what X homes to, \"\" = a perfect switch at 0: "+printertest.SwitchForm)
	switchY := flags.String("switch-y", "", "and Y")
	homing := flags.String("homing", "", "how G28 was built: "+printertest.HomingForm)
	head := flags.String("head", "", "what collides with what was printed, besides the nozzle's tip: a box WIDTHxDEPTHxCLEAR in mm that begins CLEAR above the tip")
	flags.BoolVar(&cfg.CoreXY, "corexy", false, "both motors move both axes, so that a lost step does too")
	faults := flags.String("faults", "", "what goes wrong: "+printertest.FaultForms)
	flags.Uint64Var(&cfg.Seed, "seed", 0, "of the faults: the same seed gives the same faults")
	card := flags.String("card", "", "folder whose files are on the printer's memory card; SIGUSR2 starts the first of them at the panel")
	record := flags.String("record", "", "file for every executed command: microseconds, tab, command")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *link == "" {
		return errors.New("--link is required")
	}
	if *device != "" && (strings.Count(*device, "%") != 1 || !strings.Contains(*device, "%d")) {
		return fmt.Errorf("--device %q: want one %%d in it", *device)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	var err error
	if *device != "" { // a link's relative path would start at the link
		if *device, err = filepath.Abs(*device); err != nil {
			return err
		}
	}
	if cfg.Faults, err = printertest.ParseFaults(*faults); err != nil {
		return err
	}
	for spec, to := range map[*string]*printertest.Switch{switchX: &cfg.X, switchY: &cfg.Y} {
		if *spec != "" {
			if *to, err = printertest.ParseSwitch(*spec); err != nil {
				return err
			}
		}
	}
	if *head != "" {
		if cfg.Head, err = printertest.ParseHead(*head); err != nil {
			return err
		}
	}
	if cfg.Homing, err = printertest.ParseHoming(*homing); err != nil {
		return err
	}
	if *card != "" {
		if cfg.Card, err = cardFiles(*card); err != nil {
			return err
		}
	}
	var file *os.File
	var recorded *bufio.Writer
	if *record != "" {
		if file, err = os.Create(*record); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		defer file.Close()
		recorded = bufio.NewWriterSize(file, 64<<10)
		cfg.Record = recorded
	}
	sim, err := printertest.New(cfg)
	if err != nil {
		return err
	}
	anew := make(chan os.Signal, 1)
	signal.Notify(anew, syscall.SIGUSR1)
	go func() {
		for range anew {
			sim.ForgetGaps()
		}
	}()
	panel := make(chan os.Signal, 1)
	signal.Notify(panel, syscall.SIGUSR2)
	go func() {
		for range panel {
			if *card == "" {
				sim.Inject(cfg.Faults.At...)
				continue
			}
			sim.Inject(printertest.Trigger{Kind: printertest.PanelPrint})
		}
	}()
	l := &line{sim: sim, link: *link, device: *device, baud: cfg.Baud, record: recorded, out: out}
	err = l.serve(signals)
	fmt.Fprint(out, sim.Counters())
	err = errors.Join(err, sim.RecordErr())
	if recorded != nil {
		err = errors.Join(err, recorded.Flush(), file.Close())
	}
	return err
}

// flushEvery is how often the record is written to its file.
const flushEvery = time.Second

package power

import (
	"errors"
	"fmt"

	"layerd/printer"
)

// Settings are the power's switch and its rules, as their owner has set them.
type Settings struct {
	Power          Way     `json:"power"`
	OnConnect      bool    `json:"on_connect"`      // on, before the printer is connected by hand
	AfterPrint     bool    `json:"after_print"`     // off after a print, where nothing was chosen for that print
	AfterCancelled bool    `json:"after_cancelled"` // off also after one that was cancelled
	CoolC          float64 `json:"cool_c"`          // the nozzles are cool below it
	CutOnStop      bool    `json:"cut_on_stop"`     // an emergency stop takes the power away, too
}

// UsualSettings are those of a new installation.
func UsualSettings() Settings { return Settings{AfterCancelled: true, CoolC: hotC} }

// hotC is how hot a nozzle may be without its fan: above it what is in the cold end may soften, and a fan's power is the printer's.
const hotC = 50

// Validate says what is wrong with s, wrapped in ErrSetup.
func (s Settings) Validate() error {
	if s.CoolC < 30 || s.CoolC > 100 {
		return fmt.Errorf("%w: nozzles are cool below 30 to 100 °C", ErrSetup)
	}
	return s.Power.Validate()
}

var (
	ErrNone     = errors.New("no such switch is set up")
	ErrReach    = errors.New("the switch was not reached")
	ErrPrinting = errors.New("a print is under way")
	ErrHot      = errors.New("the nozzle is hot, and its fan would stop")
)

// mayOff is why the power may not go off now: nozzles are to be no hotter than limitC. anyway overrides heat, and nothing else.
func mayOff(snap *printer.Snapshot, limitC float64, anyway bool) error {
	switch {
	case snap == nil:
	case snap.State.HasJob() || snap.Lost != nil:
		return ErrPrinting
	case anyway || snap.State == printer.Disconnected || snap.State == printer.Connecting: // nobody knows
	default:
		for _, n := range snap.Nozzles {
			if n.ActualC > limitC || n.TargetC > limitC {
				return fmt.Errorf("%w: %.0f °C", ErrHot, n.ActualC)
			}
		}
	}
	return nil
}

package gcode

import "bytes"

// Pause is where a file waits for a person.
type Pause struct {
	Kind     string  `json:"kind"`    // PausePlain or PauseFilament
	Text     string  `json:"command"` // as it stands in the file; a comment where nothing but that announces it
	Line     int64   `json:"line"`
	Offset   int64   `json:"offset"`
	Layer    int     `json:"layer"` // index into Layers, -1 before the first
	ZMM      float64 `json:"z_mm"`
	ElapsedS float64 `json:"t"` // our own estimate of the print time up to here, in seconds
}

// Kinds of Pause.
const (
	PausePlain    = "pause"
	PauseFilament = "filament" // to be changed
)

// MaxPauses bounds a survey's memory.
const MaxPauses = 64

const maxPauseText = 80

// pauseCommand knows M0, M1 (wait for a person), M25 and M226 (RepRapFirmware: pause), M600 (change the filament), M601 (Prusa: pause), M400 U1
// (Bambu Lab: pause), @pause of OctoPrint's kind, and the macros of Klipper. "" for others.
func pauseCommand(c Command, text []byte) string {
	switch {
	case c.Letter == 'M':
		switch c.Number {
		case 0, 1, 25, 226, 601:
			return PausePlain
		case 600:
			return PauseFilament
		case 400:
			if u, ok := c.Float('U'); ok && u == 1 {
				return PausePlain
			}
		}
	case c.Letter == 0:
		word, _, _ := bytes.Cut(text, []byte{' '})
		switch {
		case bytes.EqualFold(word, []byte("PAUSE")), bytes.EqualFold(word, []byte("@pause")), bytes.EqualFold(word, []byte("PAUSE_PRINT")):
			return PausePlain
		case bytes.EqualFold(word, []byte("COLOR_CHANGE")), bytes.EqualFold(word, []byte("FILAMENT_CHANGE")):
			return PauseFilament
		}
	}
	return ""
}

// pauseComment knows how slicers announce them: ";PAUSE_PRINT" and ";COLOR_CHANGE,T0,#FF8000" of PrusaSlicer, "; PAUSE_PRINTING" of Bambu Studio.
func pauseComment(c []byte) string {
	switch {
	case bytes.HasPrefix(c, []byte("PAUSE_PRINT")):
		return PausePlain
	case bytes.HasPrefix(c, []byte("COLOR_CHANGE")):
		return PauseFilament
	}
	return ""
}

// pauses are kept in their order.
type pauses struct {
	list      []Pause
	announced bool // the last one is a comment so far
}

// announceLines is how many lines lie between a comment and its command at most: a message or two.
const announceLines = 10

func (p *pauses) take(one Pause, announced bool) {
	if n := len(p.list); !announced && p.announced && one.Line-p.list[n-1].Line <= announceLines {
		one.Kind = p.list[n-1].Kind // M601 may follow a COLOR_CHANGE
		p.list[n-1], p.announced = one, false
		return
	}
	if len(p.list) < MaxPauses {
		p.list, p.announced = append(p.list, one), announced
	}
}

// full tells that nothing more is taken.
func (p *pauses) full() bool { return len(p.list) == MaxPauses && !p.announced }

func (p *pauses) finish(mostS float64) []Pause {
	if p.list == nil {
		return []Pause{}
	}
	for i := range p.list {
		p.list[i].ElapsedS = rounded(min(p.list[i].ElapsedS, mostS))
		p.list[i].ZMM = rounded(p.list[i].ZMM)
	}
	return p.list
}

package main

import (
	"fmt"
	"io"
	"math"

	"layerd/camera/register"
)

// What flows here: the looks about each thing that went wrong ─▶ lines for whoever wants to know why.

// event is a suspicion, or a pause, where nothing was lost.
type event struct {
	what  string
	at    int             // the look
	looks []register.Look // that one, and up to five before it
}

// explain says of one scene which losses were rated visible and not found by the camera alone, what was suspected or paused for without cause, and the looks about each.
func (o *seen) explain(s *set, to io.Writer) {
	for _, p := range o.passes {
		if p.scene != s {
			continue
		}
		for _, e := range p.events {
			fmt.Fprintf(to, "%s, %s (dice %d): %s at look %d, where nothing was lost\n", s.Name, p.nuisance, p.dice, e.what, e.at)
			trace(to, e.looks)
		}
	}
	for i := range o.losses {
		l := &o.losses[i]
		if l.scene != s || !l.rated() || paused(l) {
			continue
		}
		fmt.Fprintf(to, "%s, %s: %+.1f mm of %c lost at look %d, not found by the camera alone; asked %d\n", s.Name, l.nuisance, l.loss.mm, 'x'+rune(l.loss.axis), l.loss.at, l.asked)
		trace(to, l.looks)
	}
}

func trace(to io.Writer, looks []register.Look) {
	for _, l := range looks {
		fmt.Fprintf(to, "    layer %3d  x %+6.2f ±%.2f of %5.2f %s  y %+6.2f ±%.2f of %5.2f %s  camera %4.1f px  %s", l.Layer,
			l.XMM, l.SigmaXMM, l.DetectsXMM, mark(l.SeesX), l.YMM, l.SigmaYMM, l.DetectsYMM, mark(l.SeesY), l.CameraPx, l.Why)
		if s := l.Step; s.Sure > 0 {
			fmt.Fprintf(to, "  step %s %+.2f mm since %d, sure %d, plain %v, creeps %v", s.Axis, s.MM, s.SinceLayer, s.Sure, s.Plain, s.Creeps)
		}
		fmt.Fprintln(to)
	}
}

func mark(sees bool) string {
	if sees {
		return "sees"
	}
	return "–   "
}

// last are the newest looks, as many as explain shows.
func last(looks []register.Look, n int) []register.Look { return looks[max(len(looks)-n, 0):] }

// claims reports whether a loss of so many mm is one that the axis claims to see.
func claims(l *register.Look, axis int, mm float64) bool {
	return []bool{l.SeesX, l.SeesY}[axis] && []float64{l.DetectsXMM, l.DetectsYMM}[axis] <= math.Abs(mm)+0.001
}

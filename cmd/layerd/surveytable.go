package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// table prints for people what most want to know; JSON has it all.
func (s *surveyed) table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("File", "%s, %d lines, %d commands, %.1f MB", oneLine(s.File), s.Lines, s.Commands, float64(s.Bytes)/1e6)
	row("Slicer", "%s", orNone(s.Slicer, "unknown"))
	row("Time", "%s, with limits by %s%s", span(s.TimeS), s.Limits.By, when(s.HeatS > 0, "; heating and homing about "+span(s.HeatS)+" more"))
	row("Slicer's time", "%s", orNone(when(s.SlicerTimeS > 0, span(s.SlicerTimeS)), "none"))
	row("Layers", "%d%s", s.LayerCount, when(s.LayerHeightMM > 0, fmt.Sprintf(" of %g mm", s.LayerHeightMM)))
	if e := s.Extent; e != nil {
		row("Extent", "X %.1f to %.1f, Y %.1f to %.1f, Z %.2f to %.2f mm", e.Min[0], e.Max[0], e.Min[1], e.Max[1], e.Min[2], e.Max[2])
	}
	for tool, mm := range s.FilamentMM {
		if mm > 0 {
			row(fmt.Sprintf("Filament of T%d", tool), "%.2f m%s", mm/1000, kindOf(s.FilamentTypes, tool))
		}
	}
	row("Temperatures", "nozzle %g °C, bed %g °C%s", s.MaxNozzleC, s.MaxBedC, when(s.MaxChamberC > 0, fmt.Sprintf(", chamber %g °C", s.MaxChamberC)))
	for _, p := range s.Pictures {
		row("Picture", "%d × %d, %s, %d bytes", p.Width, p.Height, p.Type, p.Bytes)
	}
	for _, text := range s.Warnings {
		row("Warning", "%s", text)
	}
	return w.Flush()
}

// span is "1h 2m 3s", as slicers write it.
func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second)).Round(time.Second)
	return strings.NewReplacer("h", "h ", "m", "m ").Replace(d.String())
}

func when(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

func orNone(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

func kindOf(types []string, tool int) string {
	if tool < len(types) && types[tool] != "" {
		return " of " + types[tool]
	}
	return ""
}

// oneLine is a name that may hold anything, as a terminal can show it.
func oneLine(name string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, name)
}

package main

import (
	"fmt"
	"io"
	"strconv"
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
	row("Made for", "%s%s%s", orNone(s.Printer, "an unknown printer"), when(s.Flavour != "", ", "+s.Flavour), when(len(s.NozzleMM) > 0, fmt.Sprintf(", nozzle %s mm", list(s.NozzleMM))))
	for tool, mm := range s.FilamentMM {
		if mm > 0 {
			row(fmt.Sprintf("Filament of T%d", tool), "%.2f m, %.1f g by %s%s", mm/1000, s.FilamentG[tool], s.FilamentGBy, kindOf(s.FilamentTypes, tool))
		}
	}
	row("Temperatures", "nozzle %g °C, first layer %g °C; bed %g °C, first layer %g °C%s", s.NozzleC, s.FirstNozzleC, s.BedC, s.FirstBedC,
		when(s.MaxChamberC > 0, fmt.Sprintf("; chamber %g °C", s.MaxChamberC)))
	row("Link", "%.0f lines a second, %.0f at most, about line %d", s.Wire.MeanLinesS, s.Wire.PeakLinesS, s.Wire.PeakLine)
	for _, f := range s.Features {
		row("Feature", "%s, %s, %.2f m", strings.ReplaceAll(f.Name, "_", " "), span(f.TimeS), f.FilamentMM/1000)
	}
	for _, o := range s.Objects {
		row("Object", "%s, %s, %.2f m", o.Name, span(o.TimeS), o.FilamentMM/1000)
	}
	for _, p := range s.Pauses {
		row("Pause", "%s, line %d, layer %d, Z %.2f mm, after %s", p.Text, p.Line, p.Layer+1, p.ZMM, span(p.ElapsedS))
	}
	if s.ToolChanges > 0 || s.Arcs > 0 {
		row("Also", "%d tool changes, %d arcs", s.ToolChanges, s.Arcs)
	}
	for _, u := range s.Unknown {
		row("Not Marlin's", "%s, %d times, first in line %d", u.Word, u.Count, u.Line)
	}
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

func list(values []float64) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = strconv.FormatFloat(v, 'g', -1, 64)
	}
	return strings.Join(words, ", ")
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

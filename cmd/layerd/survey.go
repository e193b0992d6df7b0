package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/pflag"

	"layerd/gcode"
	"layerd/internal/unpack"
)

// What flows here: a file ─▶ package unpack ─▶ gcode.SurveyFile ─▶ JSON, or a table for people (surveytable.go). Neither a daemon nor a
// configuration has a part in it.

// surveying is the command line of layerd survey.
type surveying struct{ json bool }

func (s *surveying) flags(f *pflag.FlagSet) {
	f.BoolVar(&s.json, "json", false, "print JSON")
}

// surveyed is what layerd survey prints as JSON: the survey, and what is not stored in one.
type surveyed struct {
	File   string `json:"file"`
	Packed bool   `json:"packed"` // the text was unpacked first, and all places are places in that
	gcode.Survey
	LayerCount int          `json:"layer_count"`
	Pictures   []picture    `json:"thumbnails"`        // biggest last
	Unknown    []gcode.Word `json:"unknown_to_marlin"` // commands
	Warnings   []string     `json:"warnings"`
}

// picture is a thumbnail without its data.
type picture struct {
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Type   string `json:"type"`
	Bytes  int    `json:"bytes"`
}

// survey prints what the file tells that is named; "-" is standard input. It blocks until the file is read, or ctx ends.
func (s *surveying) survey(ctx context.Context, a *invocation) error {
	name, out := a.operands[0], a.stdout
	type result struct {
		surveyed
		err error
	}
	done := make(chan result, 1)
	go func() { // whatever a read hangs in: the process ends soon after ctx
		of, err := surveyNamed(name)
		done <- result{of, err}
	}()
	var r result
	select {
	case <-ctx.Done():
		return fmt.Errorf("survey %s: %w", name, ctx.Err())
	case r = <-done:
	}
	switch {
	case r.err != nil:
		return r.err
	case s.json:
		write := json.NewEncoder(out)
		write.SetEscapeHTML(false)
		write.SetIndent("", " ")
		return write.Encode(r.surveyed)
	}
	return r.surveyed.table(out)
}

func surveyNamed(name string) (surveyed, error) {
	f := os.Stdin
	if name != "-" {
		var err error
		if f, err = os.Open(name); err != nil {
			return surveyed{}, err // it names the file
		}
		defer f.Close()
	}
	of, err := surveyOf(f)
	if err != nil && !errors.As(err, new(*os.PathError)) {
		err = fmt.Errorf("%s: %w", name, err)
	}
	of.File = name
	return of, err
}

// surveyOf surveys a file of any kind that can be unpacked. Limits that stand at its end cost a second pass, where f can be read twice.
func surveyOf(f *os.File) (of surveyed, err error) {
	begin, noPipe := f.Seek(0, io.SeekCurrent)
	of.Packed, err = readText(f, func(text io.Reader) error {
		of.Survey, err = gcode.SurveyFile(text)
		return err
	})
	if limits, late := of.Late(); err == nil && late && noPipe == nil {
		if _, err = f.Seek(begin, io.SeekStart); err == nil {
			_, err = readText(f, func(text io.Reader) error {
				of.Survey, err = gcode.SurveyWith(text, limits)
				return err
			})
		}
	}
	of.LayerCount = len(of.Layers)
	of.Pictures = []picture{}
	for _, p := range of.Thumbnails {
		of.Pictures = append(of.Pictures, picture{p.Width, p.Height, p.Type, len(p.Data)})
	}
	of.Unknown = []gcode.Word{}
	for _, w := range of.Words {
		if !gcode.MarlinKnows(w.Word) {
			of.Unknown = append(of.Unknown, w)
		}
	}
	of.Warnings = of.warn()
	return of, err
}

// readText has the text in f read, which is f itself where it is text and can be read from any place.
func readText(f *os.File, read func(io.Reader) error) (packed bool, err error) {
	begin, noPipe := f.Seek(0, io.SeekCurrent)
	text, err := unpack.Open(f, spool)
	if err != nil {
		return false, err
	}
	defer text.Close()
	if text.Packed() {
		return true, read(text)
	}
	if noPipe != nil {
		return false, read(text)
	}
	if _, err := f.Seek(begin, io.SeekStart); err != nil {
		return false, err
	}
	return false, read(f)
}

// spool makes a temporary file without a name, of which nothing remains.
func spool() (*os.File, error) {
	f, err := os.CreateTemp("", "layerd-survey-")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

const (
	usualBaud = 115200
	queueS    = 1 // seconds that a firmware's queue bridges at best
)

// warn says what a careful person would look at before printing, whatever the printer.
func (s *surveyed) warn() []string {
	list := []string{}
	say := func(when bool, format string, args ...any) {
		if when {
			list = append(list, fmt.Sprintf(format, args...))
		}
	}
	say(s.Odd > 0, "%d lines are no G-code, the first is line %d.", s.Odd, s.FirstOdd)
	say(s.Extrudes == 0, "It pushes no filament at all.")
	say(len(s.Layers) == gcode.MaxLayers, "It has more layers than the %d that are kept.", gcode.MaxLayers)
	if dense, above := s.Wire.Above(gcode.LinesAt(usualBaud)); above && dense.LongestS > queueS {
		say(true, "From about line %d on it asks for more than %g lines a second for %.0f s: no link at %d baud brings them.", dense.Line, dense.LinesS, dense.LongestS, usualBaud)
	}
	say(s.LimitsLate, "The machine's limits are at the end of the file, which cannot be read twice: time_s is for a usual machine.")
	return append(list, s.Doubts(gcode.UsualMinExtrudeC)...)
}

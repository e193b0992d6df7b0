package printer

import (
	"errors"
	"fmt"
	"layerd/gcode"
	"strings"
	"time"
)

// ScriptValue is a number that a script or button may name: {layer}.
type ScriptValue struct {
	Name  string `json:"name"`
	About string `json:"about"`
}

// value is how to find one. ok is false while nobody knows it.
type value struct {
	ScriptValue
	ofJob bool // known only during a print
	of    func(s *session, now time.Time) (v float64, ok bool)
}

// ofProfile finds a number that the profile has.
func ofProfile(of func(p *Profile) float64) func(*session, time.Time) (float64, bool) {
	return func(s *session, _ time.Time) (float64, bool) { return of(&s.profile), true }
}

func ofModal(of func(m *modal) float64) func(*session, time.Time) (float64, bool) {
	return func(s *session, _ time.Time) (float64, bool) { return of(&s.modal), true }
}

func ofPlace(of func(p *Position) float64) func(*session, time.Time) (float64, bool) {
	return func(s *session, _ time.Time) (float64, bool) {
		if s.seen.position == nil {
			return 0, false
		}
		return of(s.seen.position), true
	}
}

func ofJob(of func(j *JobStatus) float64) func(*session, time.Time) (float64, bool) {
	return func(s *session, now time.Time) (float64, bool) {
		if s.job == nil {
			return 0, false
		}
		return of(s.run.status(now, s.job.info, &s.modal)), true
	}
}

// values are all there are: numbers, never a text, so that no file's name becomes a command.
func values() []value {
	v := func(name, about string, of func(*session, time.Time) (float64, bool)) value {
		return value{ScriptValue{name, about}, false, of}
	}
	job := func(name, about string, of func(j *JobStatus) float64) value {
		return value{ScriptValue{name, about}, true, ofJob(of)}
	}
	return []value{
		v("nozzle_c", "target of the nozzle in use, °C", ofModal(func(m *modal) float64 { return m.nozzleC[m.heater(m.tool)] })),
		v("bed_c", "target of the bed, °C", ofModal(func(m *modal) float64 { return m.bedC })),
		v("chamber_c", "target of the chamber, °C", ofModal(func(m *modal) float64 { return m.chamberC })),
		v("x_mm", "where the head was last reported, X", ofPlace(func(p *Position) float64 { return p.XMM })),
		v("y_mm", "the same, Y", ofPlace(func(p *Position) float64 { return p.YMM })),
		v("z_mm", "the same, Z", ofPlace(func(p *Position) float64 { return p.ZMM })),
		v("tool", "the tool in use, from 0", ofModal(func(m *modal) float64 { return float64(m.tool) })),
		v("fan_percent", "the part fan", ofModal(func(m *modal) float64 { return m.fanPercent })),
		v("speed_percent", "the factor on speed", ofModal(func(m *modal) float64 { return m.speedPercent })),
		v("flow_percent", "the factor on flow", ofModal(func(m *modal) float64 { return m.flowPercent })),
		job("layer", "layer of the print, from 1; 0 before the first", func(j *JobStatus) float64 { return float64(j.Layer) }),
		job("layers", "how many the print has; 0 unknown", func(j *JobStatus) float64 { return float64(j.Layers) }),
		job("percent", "how much of the print is done", func(j *JobStatus) float64 { return j.Percent }),
		job("elapsed_s", "seconds of printing, without pauses", func(j *JobStatus) float64 { return j.ElapsedS }),
		v("park_x_mm", "the profile's park point, X", ofProfile(func(p *Profile) float64 { return p.ParkXMM })),
		v("park_y_mm", "the same, Y", ofProfile(func(p *Profile) float64 { return p.ParkYMM })),
		v("width_mm", "the profile's width, X", ofProfile(func(p *Profile) float64 { return p.WidthMM })),
		v("depth_mm", "the profile's depth, Y", ofProfile(func(p *Profile) float64 { return p.DepthMM })),
		v("height_mm", "the profile's height, Z", ofProfile(func(p *Profile) float64 { return p.HeightMM })),
	}
}

// ScriptValues lists the names that scripts and buttons may use, with what they mean.
func ScriptValues() []ScriptValue {
	all := values()
	out := make([]ScriptValue, 0, len(all))
	for _, v := range all {
		out = append(out, v.ScriptValue)
	}
	return out
}

func valueNamed(name string) (value, error) {
	for _, v := range values() {
		if v.Name == name {
			return v, nil
		}
	}
	return value{}, fmt.Errorf("there is no value {%.40s}", name)
}

// valueNow is a named number as it is now.
func (s *session) valueNow(now time.Time, name string) (float64, error) {
	v, err := valueNamed(name)
	if err != nil {
		return 0, err
	}
	n, ok := v.of(s, now)
	if !ok {
		return 0, fmt.Errorf("nobody knows {%s} now", name)
	}
	return n, nil
}

var errBraces = errors.New("{ and } belong around the name of a value, such as {layer}")

// fill puts a number in place of each {name}. A number never makes a command or another number: it stands behind the command's word, and neither
// behind nor before what would join it.
func fill(text string, number func(name string) (float64, error)) (string, error) {
	if !strings.ContainsAny(text, "{}") {
		return text, nil
	}
	var out strings.Builder
	first := strings.IndexByte(text, '{')
	if first < 0 {
		return "", errBraces
	}
	word := strings.TrimLeft(text[:first], " \t")
	if c := gcode.ParseCommand([]byte(word)); len(strings.TrimSpace(word)) < 2 || c.Letter == 0 && !strings.ContainsAny(word, " \t") {
		return "", errors.New("a value cannot be part of the command itself")
	}
	for text != "" {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			open = len(text)
		}
		before := text[:open]
		if strings.ContainsRune(before, '}') {
			return "", errBraces
		}
		out.WriteString(before)
		if text = text[open:]; text == "" {
			break
		}
		name, rest, found := strings.Cut(text[1:], "}")
		if !found || strings.ContainsRune(name, '{') {
			return "", errBraces
		}
		if joinsBefore(lastOf(out.String())) || joinsAfter(firstOf(rest)) {
			return "", fmt.Errorf("{%.40s} would become part of another number", name)
		}
		v, err := number(name)
		if err != nil {
			return "", err
		}
		out.Write(gcode.AppendNumber(nil, v, 3))
		text = rest
	}
	return out.String(), nil
}

// joinsBefore reports whether a number behind c would be read as one with it.
func joinsBefore(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == '}'
}

// joinsAfter reports the same of a number before c. An E makes some firmware read an exponent.
func joinsAfter(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == '{' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func firstOf(text string) byte {
	if text == "" {
		return 0
	}
	return text[0]
}

func lastOf(text string) byte {
	if text == "" {
		return 0
	}
	return text[len(text)-1]
}

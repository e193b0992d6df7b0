package power

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"
)

// board is a pretend machine with chips whose lines stand as level says.
type board struct {
	all   []Chip
	fail  error
	level map[string]bool // what stands on the line itself, by "gpiochip0 17"
	taken map[string]bool

	driven int // lines, ever
}

type pin struct {
	b      *board
	name   string
	active bool // low is on
}

func (b *board) list() ([]Chip, error) { return b.all, b.fail }

func (b *board) take(name string, line int, activeLow, look bool) (held, error) {
	key := fmt.Sprint(name, " ", line)
	if b.taken[key] {
		return nil, errors.New("another program or driver has it")
	}
	b.taken[key] = true
	if !look {
		b.driven++
	}
	return pin{b, key, activeLow}, nil
}

func (p pin) set(on bool) error  { p.b.level[p.name] = on != p.active; return nil }
func (p pin) get() (bool, error) { return p.b.level[p.name] != p.active, nil }
func (p pin) close() error       { delete(p.b.taken, p.name); return nil }

func TestALineIsTakenAsItStandsAndKept(t *testing.T) {
	b := &board{all: []Chip{{"gpiochip0", "pinctrl-bcm2711", 58}, {"gpiochip1", "raspberrypi-exp-gpio", 8}}, level: map[string]bool{"gpiochip0 17": true}, taken: map[string]bool{}}
	for _, c := range []struct {
		way   Way
		first State
	}{
		{Way{Kind: GPIO, Chip: "pinctrl-bcm2711", Line: 17}, On},
		{Way{Kind: GPIO, Chip: "gpiochip0", Line: 17, ActiveLow: true}, Off},
		{Way{Kind: GPIO, Chip: "gpiochip0", Line: 4, ActiveLow: true}, On},
	} {
		r := c.way.open(nil, b)
		if now, _, err := r.get(t.Context()); now != c.first || err != nil {
			t.Fatalf("%+v: got %s, %v, want %s", c.way, now, err, c.first)
		}
		if len(b.taken) != 1 {
			t.Errorf("%+v: taken are %v", c.way, b.taken)
		}
		for _, want := range []State{On, Off, c.first} {
			if err := r.set(t.Context(), want == On); err != nil {
				t.Fatal(err)
			}
			if now, _, err := r.get(t.Context()); now != want || err != nil {
				t.Errorf("%+v: got %s, %v, want %s", c.way, now, err, want)
			}
		}
		r.close()
		if len(b.taken) != 0 {
			t.Errorf("%+v: taken are %v, want none", c.way, b.taken)
		}
	}
	if !b.level["gpiochip0 17"] {
		t.Error("the line does not stand as before")
	}
}

// A test of a line that is not set up yet changes nothing about it.
func TestALineIsLookedAt(t *testing.T) {
	b := &board{all: []Chip{{"gpiochip0", "pinctrl-bcm2711", 58}}, level: map[string]bool{"gpiochip0 14": true}, taken: map[string]bool{}}
	g := &gpio{way: Way{Kind: GPIO, Chip: "gpiochip0", Line: 14}, chips: b, look: true}
	if now, _, err := g.get(t.Context()); now != On || err != nil || b.driven != 0 {
		t.Errorf("got %s, %v; %d lines were driven", now, err, b.driven)
	}
	if err := g.set(t.Context(), false); err == nil || !b.level["gpiochip0 14"] {
		t.Errorf("it was switched, %v", err)
	}
	if g.close(); len(b.taken) != 0 {
		t.Errorf("taken are %v", b.taken)
	}
}

func TestLinesThatCannotBeHad(t *testing.T) {
	b := &board{all: []Chip{{"gpiochip0", "pinctrl-rp1", 54}}, level: map[string]bool{}, taken: map[string]bool{"gpiochip0 3": true}}
	for _, c := range []struct {
		chip string
		line int
		fail error
		want string
	}{
		{"gpiochip7", 1, nil, "no such GPIO chip"},
		{"pinctrl-rp1", 54, nil, "lines 0 to 53"},
		{"pinctrl-rp1", 3, nil, "another program"},
		{"gpiochip7", 1, fmt.Errorf("look: %w", fs.ErrPermission), "docs/POWER.md"},
	} {
		b.fail = c.fail
		r := Way{Kind: GPIO, Chip: c.chip, Line: c.line}.open(nil, b)
		if now, _, err := r.get(t.Context()); now != Unknown || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %d: got %s, %v, want %q", c.chip, c.line, now, err, c.want)
		}
		if err := r.set(t.Context(), true); err == nil {
			t.Errorf("%s %d: it was switched", c.chip, c.line)
		}
	}
}

// A machine without chips, or with something else of that name, is no failure of ours.
func TestTheKernelsChips(t *testing.T) {
	dir := t.TempDir()
	if all, err := (kernel{dir}).list(); len(all) > 0 || err != nil {
		t.Errorf("got %v, %v, want none", all, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "gpiochip0"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if all, err := (kernel{dir}).list(); len(all) > 0 || err == nil {
		t.Errorf("a file: got %v, %v, want an error", all, err)
	}
	if _, err := (kernel{dir}).take("gpiochip0", 1, false, false); err == nil {
		t.Error("a file has no line")
	}
}

// The structs and numbers are those of linux/gpio.h, as a C compiler lays them out.
func TestTheKernelsStructs(t *testing.T) {
	var r lineRequest
	var c lineConfig
	var a lineAttribute
	var i chipInfo
	var v lineValues
	var ours, program strings.Builder
	program.WriteString("#include <stdio.h>\n#include <stddef.h>\n#include <linux/gpio.h>\nint main(void) {\n")
	for _, row := range []struct {
		c string
		n uintptr
	}{
		{"sizeof(struct gpiochip_info)", unsafe.Sizeof(i)}, {"offsetof(struct gpiochip_info, label)", unsafe.Offsetof(i.label)}, {"offsetof(struct gpiochip_info, lines)", unsafe.Offsetof(i.lines)},
		{"sizeof(struct gpio_v2_line_request)", unsafe.Sizeof(r)}, {"offsetof(struct gpio_v2_line_request, consumer)", unsafe.Offsetof(r.consumer)},
		{"offsetof(struct gpio_v2_line_request, config)", unsafe.Offsetof(r.config)}, {"offsetof(struct gpio_v2_line_request, num_lines)", unsafe.Offsetof(r.numLines)},
		{"offsetof(struct gpio_v2_line_request, fd)", unsafe.Offsetof(r.fd)},
		{"sizeof(struct gpio_v2_line_config)", unsafe.Sizeof(c)}, {"offsetof(struct gpio_v2_line_config, num_attrs)", unsafe.Offsetof(c.numAttrs)}, {"offsetof(struct gpio_v2_line_config, attrs)", unsafe.Offsetof(c.attrs)},
		{"sizeof(struct gpio_v2_line_config_attribute)", unsafe.Sizeof(a)}, {"offsetof(struct gpio_v2_line_config_attribute, attr.values)", unsafe.Offsetof(a.values)},
		{"offsetof(struct gpio_v2_line_config_attribute, mask)", unsafe.Offsetof(a.mask)}, {"sizeof(struct gpio_v2_line_values)", unsafe.Sizeof(v)}, {"offsetof(struct gpio_v2_line_values, mask)", unsafe.Offsetof(v.mask)},
		{"GPIO_GET_CHIPINFO_IOCTL", getChipInfo}, {"GPIO_V2_GET_LINE_IOCTL", getLine}, {"GPIO_V2_LINE_SET_CONFIG_IOCTL", setConfig},
		{"GPIO_V2_LINE_GET_VALUES_IOCTL", getValues}, {"GPIO_V2_LINE_SET_VALUES_IOCTL", setValues},
		{"GPIO_V2_LINE_FLAG_ACTIVE_LOW", flagActiveLow}, {"GPIO_V2_LINE_FLAG_OUTPUT", flagOutput}, {"GPIO_V2_LINE_ATTR_ID_OUTPUT_VALUES", attrValues},
		{"GPIO_V2_LINES_MAX", uintptr(len(r.offsets))}, {"GPIO_V2_LINE_NUM_ATTRS_MAX", uintptr(len(c.attrs))}, {"GPIO_MAX_NAME_SIZE", unsafe.Sizeof(r.consumer)},
	} {
		fmt.Fprintf(&program, "printf(\"%s %%llu\\n\", (unsigned long long)(%s));\n", row.c, row.c)
		fmt.Fprintf(&ours, "%s %d\n", row.c, row.n)
	}
	program.WriteString("return 0; }\n")
	source, out := filepath.Join(t.TempDir(), "gpio.c"), filepath.Join(t.TempDir(), "gpio")
	if err := os.WriteFile(source, []byte(program.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("cc", "-o", out, source).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, said)
	}
	theirs, err := exec.Command(out).Output()
	if err != nil || string(theirs) != ours.String() {
		t.Errorf("%v: the header has\n%s\nours are\n%s", err, theirs, ours.String())
	}
}

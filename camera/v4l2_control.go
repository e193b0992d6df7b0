package camera

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The controls of a V4L2 device: listed ─▶ those that are not as wished are set ─▶ listed again and shown.
//
// This file holds the thinking and compiles everywhere; v4l2_ioctl_linux.go asks the kernel.

// The kernel's structs (videodev2.h). Every field has 32 bits or is made of bytes, so that they are the same on every processor.
type (
	queryctrl struct { // v4l2_queryctrl
		id, kind            uint32
		name                [32]byte
		min, max, step, def int32
		flags               uint32
		_                   [2]uint32
	}
	querymenu struct { // v4l2_querymenu
		id, index uint32
		name      [32]byte // of a menu; the value of an integer menu is in the first 8
		_         uint32
	}
	ctrlValue struct { // v4l2_control
		id    uint32
		value int32
	}
)

const (
	kindInteger     = 1 // V4L2_CTRL_TYPE_…
	kindBoolean     = 2
	kindMenu        = 3
	kindIntegerMenu = 9

	flagDisabled   = 0x0001 // V4L2_CTRL_FLAG_…
	flagGrabbed    = 0x0002 // not now, because of what the camera does
	flagReadOnly   = 0x0004
	flagInactive   = 0x0010 // another control is in charge
	flagWriteOnly  = 0x0040
	flagHasPayload = 0x0100
	flagNext       = 0x80000000

	classMask   = 0x0fff0000
	classUser   = 0x00980000
	classCamera = 0x009a0000
)

// Limits of what a device may say of its controls, and of the time that it gets.
const (
	maxQueries = 500 // of controls, of which we want a part
	maxIndexes = 256 // of a menu that are asked for; many have holes
	maxChoices = 64
	adjustTime = 2 * time.Second // for all of them: less than the watchdog's noFrame, since there are no pictures in the meantime
)

// controlDevice is what can be asked of an open device. query with flagNext finds the next control; EINVAL means that there is none.
type controlDevice interface {
	query(*queryctrl) error
	menu(*querymenu) error
	get(*ctrlValue) error
	set(*ctrlValue) error
}

// deviceControl is a Control with the device's number for it.
type deviceControl struct {
	Control
	cid uint32
}

// listControls asks for all controls that a person may adjust. A device that makes no sense has fewer of them, or none.
func listControls(ctx context.Context, d controlDevice) (list []deviceControl) {
	q := queryctrl{}
	used := map[string]bool{}
	for range maxQueries {
		last := q.id
		q = queryctrl{id: last | flagNext}
		if ctx.Err() != nil || len(list) == maxControls || d.query(&q) != nil || q.id <= last || q.id >= flagNext {
			return list
		}
		c, ok := describe(ctx, d, q)
		if !ok {
			continue
		}
		for i, base := 2, c.ID; used[c.ID]; i++ {
			c.ID = base + "_" + strconv.Itoa(i)
		}
		used[c.ID] = true
		list = append(list, c)
	}
	return list
}

// describe makes a Control of what the device says of one, unless it is none that can be adjusted: buttons, texts, 64-bit numbers, what
// cannot be read or written, and numbers with no room between their bounds.
func describe(ctx context.Context, d controlDevice, q queryctrl) (c deviceControl, ok bool) {
	if class := q.id & classMask; class != classUser && class != classCamera {
		return c, false
	}
	if q.flags&(flagDisabled|flagReadOnly|flagWriteOnly|flagHasPayload) != 0 {
		return c, false
	}
	c = deviceControl{cid: q.id, Control: Control{
		Name: controlName(q.name, fmt.Sprintf("Control %08x", q.id)), Choices: []Choice{},
		Min: int64(q.min), Max: int64(q.max), Step: max(int64(q.step), 1), Default: int64(q.def),
		Inactive: q.flags&(flagInactive|flagGrabbed) != 0,
	}}
	c.ID = controlID(c.Name)
	switch q.kind {
	case kindInteger:
		c.Kind = "number"
	case kindBoolean:
		c.Kind, c.Min, c.Max, c.Step = "switch", 0, 1, 1
	case kindMenu, kindIntegerMenu:
		c.Kind, c.Step, c.Choices = "choice", 1, choices(ctx, d, q)
	}
	if c.Kind == "" || c.Kind == "choice" && len(c.Choices) == 0 || c.Min > c.Max || c.Min == c.Max && c.Kind == "number" {
		return c, false
	}
	if c.Kind != "choice" {
		c.Default = c.within(c.Default)
	}
	v := ctrlValue{id: q.id}
	if d.get(&v) != nil {
		return c, false
	}
	c.Value = int64(v.value)
	return c, true
}

// choices are the items of a menu.
func choices(ctx context.Context, d controlDevice, q queryctrl) []Choice {
	list := []Choice{}
	from := max(int64(q.min), 0)
	for i := from; i <= int64(q.max) && i < from+maxIndexes && len(list) < maxChoices && ctx.Err() == nil; i++ {
		m := querymenu{id: q.id, index: uint32(i)}
		if d.menu(&m) != nil {
			continue // a hole
		}
		item := Choice{Value: i, Name: controlName(m.name, strconv.FormatInt(i, 10))}
		if q.kind == kindIntegerMenu {
			item.Name = strconv.FormatInt(int64(binary.NativeEndian.Uint64(m.name[:8])), 10)
		}
		list = append(list, item)
	}
	return list
}

// controlName is a name that ends with its first zero, or other when there is none to be seen.
func controlName(name [32]byte, other string) string {
	s, _, _ := strings.Cut(string(name[:]), "\x00")
	return first(tidyName(s), other)
}

// controlID makes "exposure_time_absolute" of "Exposure Time, Absolute", as v4l2-ctl does, so that what is found on the web can be found here.
func controlID(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') })
	return first(strings.Join(words, "_"), "control")
}

// within is the value nearest to v that the control takes.
func (c Control) within(v int64) int64 {
	v = min(max(v, c.Min), c.Max)
	up := (v - c.Min + c.Step/2) / c.Step * c.Step
	if c.Min+up > c.Max {
		up -= c.Step
	}
	return c.Min + up
}

// wish is what a control shall be.
type wish struct {
	value int64
	home  bool // no value: it was wished for once, and shall be what the camera has by itself
}

// target is the value that w means for c; not ok when c has no such choice.
func (w wish) target(c Control) (value int64, ok bool) {
	if w.home {
		w.value = c.Default
	}
	if c.Kind != "choice" {
		return c.within(w.value), true
	}
	return w.value, slices.ContainsFunc(c.Choices, func(item Choice) bool { return item.Value == w.value })
}

// wishes are those of a source, from whoever calls Adjust to the goroutine that owns the device.
type wishes struct {
	mu  sync.Mutex      // guards the two below
	all map[string]wish // by Control.ID; never changed, only replaced
	seq int             // counts the replacements, from 1
}

const maxWishes = 4 * maxControls // homes are not remembered beyond this; no device has as many controls

// put takes the newest word. What was wished before and no longer is goes home.
func (w *wishes) put(wanted map[string]int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := map[string]wish{}
	for id, v := range wanted {
		all[id] = wish{value: v}
	}
	for id := range w.all {
		if _, still := wanted[id]; !still && len(all) < maxWishes {
			all[id] = wish{home: true}
		}
	}
	if !maps.Equal(all, w.all) {
		w.all = all
		w.seq++
	}
}

func (w *wishes) get() (all map[string]wish, seq int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all, w.seq
}

package camera

import (
	"context"
	"fmt"

	"layerd/internal/latest"
)

// adjuster makes the controls of one open device what is wished. It belongs to the goroutine that owns the device.
type adjuster struct {
	device controlDevice
	wishes *wishes
	shown  *latest.Value[[]Control]
	note   func(error) // of what did not work; not nil

	begun bool
	seq   int             // of the wishes that were obeyed last
	noted map[uint32]bool // controls that have failed
}

// The order in which controls are set. A mode, such as automatic exposure, is a switch or a choice, and it locks or releases numbers. So
// numbers that go home do so before a mode may lock them, and those that are wished when the modes that release them are set.
func rounds() []func(Control, wish) bool {
	return []func(Control, wish) bool{
		func(c Control, w wish) bool { return c.Kind == "number" && w.home },
		func(c Control, w wish) bool { return c.Kind != "number" },
		func(c Control, w wish) bool { return c.Kind == "number" },
	}
}

// obey is called between pictures. It does nothing unless the wishes are new or the device is; then it takes adjustTime at most, beside the
// one request that may hang in the kernel.
func (a *adjuster) obey(ctx context.Context) {
	all, seq := a.wishes.get()
	if a.begun && seq == a.seq {
		return
	}
	fresh := !a.begun
	a.begun, a.seq = true, seq
	limited, cancel := context.WithTimeout(ctx, adjustTime)
	defer cancel()
	list := listControls(limited, a.device)
	for _, due := range rounds() {
		set := false
		for _, c := range list {
			w, wished := all[c.ID]
			if !wished || !due(c.Control, w) || c.Inactive || limited.Err() != nil {
				continue
			}
			// A device that was just opened may have forgotten what the kernel remembers of it.
			if v, ok := w.target(c.Control); ok && (v != c.Value || fresh && !w.home) {
				a.set(c, v)
				set = true
			}
		}
		if set {
			list = listControls(limited, a.device)
		}
	}
	if limited.Err() != nil {
		if ctx.Err() == nil {
			a.note(fmt.Errorf("adjust: controls take longer than %v", adjustTime))
		}
		if !fresh {
			return // the list may lack some; the one that is shown has them
		}
	}
	shown := make([]Control, 0, len(list))
	for _, c := range list {
		shown = append(shown, c.Control)
	}
	a.shown.Set(shown)
}

// set sets one control. That it failed is told once; the picture matters more.
func (a *adjuster) set(c deviceControl, v int64) {
	err := a.device.set(&ctrlValue{id: c.cid, value: int32(v)})
	if err == nil || a.noted[c.cid] {
		return
	}
	if a.noted == nil {
		a.noted = map[uint32]bool{}
	}
	a.noted[c.cid] = true
	a.note(fmt.Errorf("set %s to %d: %w", c.ID, v, err))
}

// noteTo is how to tell a sink of what went wrong beside the pictures. Most do not care.
func noteTo(sink Sink, device string) func(error) {
	n, ok := sink.(interface{ Note(error) })
	if !ok {
		return func(error) {}
	}
	return func(err error) { n.Note(fmt.Errorf("%s: %w", device, err)) }
}

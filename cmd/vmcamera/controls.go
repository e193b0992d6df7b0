package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"layerd/camera"
)

const toBeSet = 3 * time.Second

// knob is a control of vivid by the ID that layerd gives it and by the driver's name for it, and what it is set to.
type knob struct {
	id, name string
	value    int64
}

func knobs() []knob {
	return []knob{{"brightness", "Brightness", 200}, {"contrast", "Contrast", 60}, {"hue", "Hue", -20}}
}

// controlsListed compares what is listed with what the driver says.
func controlsListed(c *subject, device string) (string, error) {
	list := c.Controls()
	for _, w := range knobs() {
		i := slices.IndexFunc(list, func(listed camera.Control) bool { return listed.ID == w.id })
		if i < 0 {
			return "", fmt.Errorf("%s is not among the %d listed", w.id, len(list))
		}
		value, err := driverValue(device, w.name)
		if err != nil {
			return "", err
		}
		if got := list[i]; got.Kind != "number" || got.Min >= got.Max || got.Value != value || got.Default != value {
			return "", fmt.Errorf("%s: got %+v, the driver has %d", w.id, got, value)
		}
	}
	return fmt.Sprintf("%d controls", len(list)), nil
}

// adjust sets the controls, or takes what was set back, and waits until the driver has it so.
func adjust(c *subject, device string, set bool) (string, error) {
	setup := c.Setup()
	setup.Controls = map[string]int64{}
	for _, w := range knobs() {
		if set {
			setup.Controls[w.id] = w.value
		}
	}
	began := time.Now()
	if err := c.Set(context.Background(), setup); err != nil {
		return "", err
	}
	for {
		err := asWished(c, device)
		if took := time.Since(began); err == nil || took > toBeSet {
			return fmt.Sprintf("after %v", took), err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// asWished is an error unless both the driver and layerd say that the controls are as they shall be: set, or else as the camera has them by itself.
func asWished(c *subject, device string) (err error) {
	set, list := c.Setup().Controls, c.Controls()
	for _, k := range knobs() {
		i := slices.IndexFunc(list, func(listed camera.Control) bool { return listed.ID == k.id })
		if i < 0 {
			return fmt.Errorf("%s is not listed", k.id)
		}
		want, ok := set[k.id]
		if !ok {
			want = list[i].Default
		}
		value, problem := driverValue(device, k.name)
		if err = errors.Join(err, problem); value != want || list[i].Value != want {
			err = errors.Join(err, fmt.Errorf("%s is %d, layerd says %d, want %d", k.id, value, list[i].Value, want))
		}
	}
	return err
}

func driverValue(device, name string) (int64, error) {
	n, err := openNode(device)
	if err != nil {
		return 0, err
	}
	defer n.close()
	id, err := n.control(name)
	if err != nil {
		return 0, err
	}
	value, err := n.value(id)
	return int64(value), err
}

//go:build !linux

package camera

import "context"

// findDevices finds none: layerd knows cameras of Linux only.
func findDevices() ([]Device, error) { return nil, nil }

func newV4L2(d Device, _ Settings) Source { return noV4L2{d} }

type noV4L2 struct{ device Device }

func (n noV4L2) Run(context.Context, Sink) error { return errNotFound }

func (n noV4L2) Name() string { return n.device.ID }

package main

import (
	"path/filepath"
	"time"

	"layerd/camera"
	"layerd/internal/health"
	"layerd/internal/overlay"
	"layerd/internal/server"
)

// What flows here: the machine ─▶ health.Watch, each minute ─▶ the page and /metrics. And what /healthz asks.

// lookAfter makes the watch over this machine.
func (d *parts) lookAfter() *health.Watch {
	data, err := filepath.Abs(d.cfg.Data)
	if err != nil {
		data = d.cfg.Data
	}
	m := &health.Machine{Root: "/", Data: data, Port: d.cfg.Printer.Port, Daemon: true, Kernel: health.ThisKernel(),
		Overlay: func() overlay.Status { s, _ := d.overlay.Statuses().Get(); return s },
		Cameras: func() []camera.Status { s, _ := d.cameras.Status().Get(); return s }}
	if d.cfg.Demo { // its port is pretended, and its data are to go
		m.Port, m.Data = "", ""
	}
	return health.NewWatch(m, d.log)
}

// vital are the parts without which nothing prints.
func (d *parts) vital() []server.Vital {
	return []server.Vital{{Name: "printer", Alive: d.printer.Alive}, {Name: "store", Alive: d.store.Alive}}
}

func (d *parts) figures() server.Figures {
	return server.Figures{Tally: d.printer.Tally, Cameras: d.cameras.Counts, Alarms: d.guard.Alarms, DatabaseBytes: d.store.DatabaseBytes, Since: time.Now()}
}

package main

import (
	"strings"
	"testing"

	"layerd/internal/server"
	"layerd/printer"
)

// A file that says nothing of limits is reckoned with those that the printer tells when it is connected, and one that was there before as well.
func TestThePrintersOwnLimits(t *testing.T) {
	t.Parallel()
	m := switchOn(t)
	data := t.TempDir()
	d := startDaemon(t, data, []string{"LAYERD_PRINTER_PORT=" + m.link, "LAYERD_PRINTER_BAUD=115200"})
	d.reach(printer.Idle)
	d.put("plain.gcode", []byte("G28\n"+strings.Repeat("G1 X10 F6000 E1\nG1 X20 E1\n", 50)))
	d.await("the printer's limits", func() bool { return get[server.FileTimes](d, "/v1/times/plain.gcode").LimitsBy == "printer" })
}

package main

import (
	"bytes"
	"encoding/csv"
	"image/jpeg"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"

	"layerd/internal/server"
	"layerd/internal/store"
	"layerd/internal/thermo"
	"layerd/printer"
)

// What is left of prints: of one that ran to its end picture and temperatures, and of one that a kill cut off what was written by then.
func TestWhatIsKeptOfPrints(t *testing.T) {
	t.Parallel()
	m := switchOn(t, "--speed", "15", "--heat", "100")
	data := t.TempDir()
	env := []string{"LAYERD_PRINTER_PORT=" + m.link, "LAYERD_PRINTER_BAUD=115200", "LAYERD_CAMERA_DEVICE=simulated"}
	d := startDaemon(t, data, env)
	d.reach(printer.Idle)
	d.await("a picture", func() bool { return d.state().Cameras[0].Live })
	first := d.start("tiny.gcode", []byte("M109 S200\nG28\nG1 X10 Y10 F3000\nG4 S75\nG1 X20 E1\n"))
	d.done(first)
	row := d.row(first)
	if !row.HasPicture || !row.HasCurve || row.HasLog {
		t.Errorf("of a print that is done the history has %+v", row)
	}
	status, picture := d.ask("GET", "/v1/pictures/"+first, d.token, nil)
	if _, err := jpeg.Decode(bytes.NewReader(picture)); status != http.StatusOK || err != nil {
		t.Errorf("its picture: status %d, %v", status, err)
	}
	if got := heated(get[store.Curve](d, "/v1/curves/"+first)); got < 190 {
		t.Errorf("the nozzle came to %.1f °C in its curve, want about 200", got)
	}
	if recent := get[thermo.Recent](d, "/v1/temperatures"); heated(recent.Curve) < 190 || !recent.Whole {
		t.Errorf("the last half hour is %+v", recent)
	}
	if totals := get[server.Totals](d, "/v1/totals").Months; len(totals) != 1 || totals[0].Month != time.UnixMilli(row.StartedMS).Format("2006-01") || totals[0].Done != 1 {
		t.Errorf("the totals are %+v", totals)
	}

	second := d.start("ring.gcode", ring(t))
	d.await("its first temperatures on the disk", func() bool {
		rows := d.prints()
		return rows[0].ID == second && rows[0].HasCurve && rows[0].Line > 0
	})
	d.stop(syscall.SIGKILL)
	d = startDaemon(t, data, env)
	row = d.row(second)
	if row.Outcome != "interrupted" || !row.HasCurve || row.HasPicture {
		t.Errorf("of a print that was cut off the history has %+v", row)
	}
	if curve := get[store.Curve](d, "/v1/curves/"+second); len(curve.AfterMS) == 0 || len(curve.Heaters) == 0 {
		t.Errorf("its curve is %+v", curve)
	}
	_, text := d.ask("GET", "/v1/prints.csv", d.newToken("viewer"), nil)
	rows, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(rows) != 3 || rows[1][3] != "done" || rows[2][3] != "interrupted" {
		t.Errorf("as CSV the history is %q, %v", rows, err)
	}
	d.end(5 * time.Second)
}

// heated is the highest temperature of the first nozzle, in °C; -1 when it has none.
func heated(c store.Curve) float64 {
	i := slices.IndexFunc(c.Heaters, func(h store.HeaterCurve) bool { return h.Name == "nozzle0" })
	if i < 0 {
		return -1
	}
	return float64(slices.Max(c.Heaters[i].ActualC)) / 10
}

package gcode

// heatTime says roughly how long a file waits for heaters and homing. It is shown apart from the time of the motion, because it depends
// on the room, and on whether the printer is still warm.
type heatTime struct {
	seconds     float64 // waited so far
	nozzle, bed heating
}

// heating is a heater that was told a target at a moment.
type heating struct{ fromC, targetC, sinceS float64 }

// What usual machines need: an Ender 3 takes 90 s to 200 °C and 110 s to 60 °C on the bed.
const (
	roomC       = 22.0
	nozzleRateC = 2.0 // °C a second
	bedRateC    = 0.35
	homingS     = 15.0
	levelingS   = 60.0
)

// homing is a G28 or G29.
func (h *heatTime) homing(g int) {
	if g == 29 {
		h.seconds += levelingS
		return
	}
	h.seconds += homingS
}

// set takes a target at a moment of the motion, in seconds; wait tells that the file waits for it.
func (h *heatTime) set(t Targets, wait bool, movedS float64) {
	h.one(&h.nozzle, t.NozzleC, nozzleRateC, wait, movedS)
	h.one(&h.bed, t.BedC, bedRateC, wait, movedS)
}

func (h *heatTime) one(x *heating, targetC, rate float64, wait bool, movedS float64) {
	if targetC <= 0 {
		return
	}
	nowS := movedS + h.seconds
	nowC := min(x.targetC, max(x.fromC, roomC)+rate*(nowS-x.sinceS))
	nowC = max(nowC, roomC)
	*x = heating{fromC: nowC, targetC: min(targetC, 500), sinceS: nowS}
	if wait && x.targetC > nowC {
		h.seconds += (x.targetC - nowC) / rate
	}
}

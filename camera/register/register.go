// Package register sees from pictures of a parked printer how far its head and its bed stand from where they are believed to be.
//
//	set-up:  Calibrator.Next ─▶ the head is moved, pictures taken ─▶ Add ─▶ Result: a Calibration, which is kept as JSON
//	print:   pictures at each parked pose ─▶ Decode ─▶ Watcher.Look ─▶ Look: millimetres off, how small a shift would be seen, a step if there was one
//
// The picture is cut into patches, of which the set-up has learned how far each moves in the picture per millimetre of X, Y and Z: not at all (the frame, the
// room), with the head, with the bed, whatever the machine's kinematics. A look finds the one small set of numbers that explains the places of all patches at once:
// millimetres lost in X and Y, a little of Z, and a camera that was nudged, turned or zoomed. What does not fit counts less and less (a hand, a cable, the print that
// grows over the bed). Which directions a patch can be seen to move in, and how well, goes into the sum, so the result knows its own error: a look says how small a shift it
// could have seen, and that it is blind rather than that all is well.
//
//	luma.go      JPEG ─▶ grey picture ─▶ three sizes of it
//	patch.go     a patch, and how far a picture of it is off
//	vote.go      coarse: where have they gone, within some 30 pixels
//	fit.go       fine: one robust least-squares fit of all patches
//	blocks.go    set-up: what moves with which axis
//	calibrator.go, calibration.go, watcher.go, step.go, health.go, light.go
//	projection.go, silhouette.go: a second opinion from the print itself
//
// It is arithmetic alone: no goroutine, no clock, no file.
package register

// Pose is where the firmware believes the head to be, mm.
type Pose struct {
	XMM float64 `json:"x_mm"`
	YMM float64 `json:"y_mm"`
	ZMM float64 `json:"z_mm"`
}

// Limits are the poses between which the set-up may move the head.
type Limits struct{ Min, Max Pose }

func (p Pose) minus(q Pose) [3]float64 {
	return [3]float64{p.XMM - q.XMM, p.YMM - q.YMM, p.ZMM - q.ZMM}
}

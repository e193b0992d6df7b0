package printer

import "time"

// snapshot is what the session has become, for everybody else.
func (s *session) snapshot(now time.Time) *Snapshot {
	snap := &Snapshot{AtMS: now.UnixMilli(), State: s.shown(), Connection: s.seen.conn, Profile: s.profile, Nozzles: s.seen.nozzles,
		Bed: s.seen.bed, Chamber: s.seen.chamber, TempsAtMS: unixMS(s.seen.tempsAt), Position: s.seen.position, Homed: s.allHomed(),
		FanPercent: s.modal.fanPercent, SpeedPercent: s.modal.speedPercent, FlowPercent: s.modal.flowPercent, Waiting: s.seen.waiting, Tuning: s.tuning(),
		LastJob: s.last, Fault: s.fault, Halt: s.halt, Link: s.stats, Health: s.health.status(now),
		Card: s.cardStatus(now), Prompt: s.prompt(), Notice: s.dialog.notice, Keeper: s.kept(),
		Switches: s.known(), Calibration: s.calibration(), Drilled: s.drilled, Witness: s.witnessed}
	snap.Link.InFlight, snap.Link.Bytes = len(s.aloft), s.underWay()
	snap.Link.Flow, snap.Link.WindowBytes, snap.Link.QueueLines, snap.Link.Shrinks = s.flow.state(), s.flow.allow, s.flow.queue, s.flow.shrinks
	if snap.Waiting == "" && s.waitsForHeat() {
		snap.Waiting = "heating" // Klipper does not say so
	}
	if snap.Nozzles == nil {
		snap.Nozzles = []Heater{}
	}
	if caps := s.seen.conn.Capabilities; caps != nil {
		snap.Connection.Capabilities = make(map[string]bool, len(caps)) // ours still grows while M115 is being answered
		for k, v := range caps {
			snap.Connection.Capabilities[k] = v
		}
	}
	if s.paused != nil && s.paused.why.By != "" {
		why := s.paused.why
		why.Held = s.occupied()
		snap.Pause = &why
	}
	if s.job != nil {
		snap.Job = s.run.status(now, s.job.info, &s.modal)
	}
	if l := s.lost; l != nil {
		snap.Job = l.was.run.status(now, l.was.job.info, &l.was.modal)
		snap.Lost = &LostPrint{SinceMS: l.since.UnixMilli(), Asking: s.open}
	}
	return snap
}

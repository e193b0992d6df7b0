package timelapse

import (
	"errors"
	"slices"
	"syscall"
)

var errBudget = errors.New("the timelapse has reached its size")

// problemOf says to people why no frame is kept.
func problemOf(err error) string {
	switch {
	case errors.Is(err, errTooLittle) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return "The disk is nearly full, so no more frames are kept. The print goes on; delete something to go on recording."
	case errors.Is(err, errBudget):
		return "The timelapse has reached its size, so no more frames are kept."
	}
	return "The disk refused the last frame. The print goes on."
}

// changed publishes a list in which more has changed than the frames of the recording under way.
func (o *owner) changed() {
	o.rev++
	o.publish()
}

func (o *owner) publish() {
	l := &List{Settings: o.settings, Rev: o.rev, Items: make([]Item, 0, len(o.shelf)+1), Bytes: o.total(), LimitBytes: int64(o.settings.LimitMB) * megabyte, Problem: o.problem}
	if t := o.take; t != nil && t.film != nil {
		l.Recording = t.ID
		places, bytes := t.film.all()
		it := itemOf(&t.recording)
		it.Frames, it.Bytes, it.Step = len(places), bytes, t.film.step()
		if len(places) > 0 {
			it.LastN = places[len(places)-1].n
		}
		it.Video = Video{State: VideoRecording}
		l.Items = append(l.Items, it)
	}
	for _, c := range slices.Backward(o.shelf) {
		it := itemOf(c)
		it.Video = o.video(c)
		l.Items = append(l.Items, it)
	}
	o.list.Set(l)
}

func itemOf(c *recording) Item {
	return Item{ID: c.ID, JobID: c.JobID, Name: c.Name, StartedMS: c.StartedMS, EndedMS: c.EndedMS, Mode: c.Mode, FPS: c.FPS, Outcome: c.Outcome,
		Frames: c.Frames, LastN: c.LastN, Step: c.Step, Missed: c.Missed, Bytes: c.bytes()}
}

// video is how far a recording's film is. What is on the disk says it, so a restart changes nothing.
func (o *owner) video(c *recording) Video {
	v := Video{State: VideoWaiting, Bytes: c.video}
	switch {
	case o.inUse(c.ID):
		v.State, v.Percent = VideoRendering, o.render.percent()
	case c.video > 0 && c.Failed == "":
		v.State = VideoReady
	case c.Failed != "":
		v.State, v.Reason = VideoFailed, c.Failed
	case o.ffmpeg == "":
		v.State = VideoFrames
	}
	return v
}

package timelapse

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	lookEvery = time.Minute // for ffmpeg, where there was none
	maxTries  = 3           // renderings that took the machine or the daemon with them
)

// render is a film that is being made, in a goroutine of its own.
type render struct {
	id     string
	cancel context.CancelCauseFunc
	fed    atomic.Int64
	frames int
}

// filmed is how it ended.
type filmed struct {
	id       string
	hardware hardware
	err      error
}

var errStoppedFilm = errors.New("the rendering was stopped")

func (r *render) stop() { r.cancel(errStoppedFilm) }

func (r *render) percent() float64 { return float64(100*r.fed.Load()) / float64(max(r.frames, 1)) }

// makeWay stops a rendering for a print: it begins anew when the print has ended.
func (o *owner) makeWay() {
	if o.render != nil && !o.settings.RenderAnytime {
		o.render.stop()
	}
}

// renderNext begins to make the oldest film that is missing, when nothing is in its way.
func (o *owner) renderNext(ctx context.Context, now time.Time) {
	if o.render != nil {
		if p := int(o.render.percent()); p != o.percent {
			o.percent = p
			o.publish()
		}
		return
	}
	if o.ffmpeg == "" && (o.looked.IsZero() || now.Sub(o.looked) >= lookEvery) {
		o.looked = now
		if path, ok := o.cfg.FFmpeg(); ok {
			o.ffmpeg = path
		}
		o.changed()
	}
	if o.ffmpeg == "" || o.snap == nil {
		return
	}
	if id, _ := under(o.snap); id != "" && !o.settings.RenderAnytime {
		return
	}
	for _, c := range o.shelf {
		if c.video == 0 && c.Failed == "" && c.Frames > 0 {
			o.begin(ctx, c)
			return
		}
	}
}

func (o *owner) begin(ctx context.Context, c *recording) {
	if c.Tries >= maxTries {
		o.filmFailed(c, fmt.Sprintf("It was tried %d times, and each time layerd or the machine ended meanwhile.", c.Tries))
		return
	}
	if err := o.room(0); err != nil {
		o.filmFailed(c, "The disk is nearly full.")
		return
	}
	c.Tries++
	if err := o.keepAbout(c.about); err != nil {
		c.Tries--
		o.filmFailed(c, "The disk refused to be written.")
		return
	}
	ctx, cancel := context.WithCancelCause(ctx)
	o.render, o.percent = &render{id: c.ID, cancel: cancel, frames: c.Frames}, 0
	j := filmJob{rec: o.Recorder, ffmpeg: o.ffmpeg, id: c.ID, fps: c.FPS, hardware: o.hardware, fed: &o.render.fed}
	go func() {
		hw, err := j.run(ctx)
		cancel(nil)
		o.filmed <- filmed{j.id, hw, err}
	}()
	o.changed()
}

// filmEnded takes over what became of the film.
func (o *owner) filmEnded(f filmed) {
	o.render.cancel(nil)
	o.render, o.hardware = nil, f.hardware
	defer o.changed()
	c, err := o.ended(f.id)
	if err != nil {
		return
	}
	switch {
	case f.err == nil:
		c.Tries, c.Failed, c.video = 0, "", o.size(c.ID+"/"+videoName)
		o.told("note a video", c.ID, o.keepAbout(c.about))
		o.keepLimits()
	case errors.Is(f.err, errStoppedFilm) || errors.Is(f.err, context.Canceled):
		c.Tries = 0
		o.told("note a rendering that was stopped", c.ID, o.keepAbout(c.about))
	default:
		o.log.Error("a timelapse could not be rendered", "id", c.ID, "err", f.err)
		var told *filmError
		reason := "The frames could not be read."
		if errors.As(f.err, &told) {
			reason = told.Error()
		}
		o.filmFailed(c, reason)
	}
}

// filmFailed keeps why there is no video. The frames stay.
func (o *owner) filmFailed(c *recording, reason string) {
	c.Failed, c.Tries = reason, 0
	o.told("note a rendering that failed", c.ID, o.keepAbout(c.about))
	o.changed()
}

// renderAgain puts a recording back among those that wait. Its old video goes: that there is none says that one is wanted, after a restart too.
func (o *owner) renderAgain(id string) error {
	c, err := o.ended(id)
	switch {
	case err != nil:
		return err
	case c.Frames == 0:
		return ErrNoFrames
	case o.ffmpeg == "":
		return ErrNoFFmpeg
	case o.inUse(id):
		return nil
	}
	old := c.about
	c.Failed, c.Tries = "", 0
	if err := o.keepAbout(c.about); err != nil {
		c.about = old
		return err
	}
	if c.video > 0 {
		if err := o.dir.Remove(id + "/" + videoName); err != nil {
			return fmt.Errorf("remove the old video: %w", err)
		}
		c.video = 0
	}
	o.changed()
	return nil
}

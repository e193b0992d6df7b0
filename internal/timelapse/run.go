package timelapse

import (
	"context"
	"errors"
	"fmt"
	"layerd/camera"
	"layerd/printer"
	"slices"
	"time"
)

// owner is what the goroutine in Run owns.
type owner struct {
	*Recorder
	settings  Settings
	chosenFor string // the job for which somebody chose otherwise
	chosen    Choice
	shelf     []*recording // that have ended, oldest first
	snap      *printer.Snapshot
	take      *take   // the print under way; nil without one, or when it is not recorded
	passed    string  // the print under way that is not recorded, so that it is not asked about again
	render    *render // the film that is being made
	filmed    chan filmed
	looked    time.Time // when ffmpeg was last looked for
	ffmpeg    string    // "" = there is none
	hardware  hardware
	rev       uint64
	problem   string
	percent   int    // of the film, as it was last published
	stuck     string // the recording that could not make room, which is told once
}

// take is a recording under way.
type take struct {
	recording
	film   *reel // nil before the first frame
	shots  shots
	camera Camera // nil when there is none
	frames <-chan *camera.Frame
	end    func() // of the following of its frames
	synced time.Time
}

// Run records and renders until ctx ends; what is recorded then is ended and kept. It may be called once.
func (r *Recorder) Run(ctx context.Context) error {
	defer close(r.stopped)
	o := &owner{Recorder: r, settings: r.cfg.Settings, filmed: make(chan filmed, 1)}
	shelf, err := r.find()
	if err != nil {
		r.log.Error("timelapses cannot be read", "err", err) // a print goes on without
	}
	o.shelf = shelf
	o.changed()
	following, stop := context.WithCancel(ctx)
	defer stop()
	snaps := r.cfg.Printer.Snapshots().Each(following)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var frames <-chan *camera.Frame
		if o.take != nil {
			frames = o.take.frames
		}
		select {
		case snap, ok := <-snaps:
			if ok {
				o.note(ctx, snap, time.Now())
			}
		case f, ok := <-frames:
			if ok {
				o.frame(ctx, f)
			}
		case now := <-tick.C:
			o.tick(ctx, now)
		case q := <-r.requests:
			q.done <- q.do(o)
		case f := <-o.filmed:
			o.filmEnded(f)
		case <-ctx.Done():
			stop()
			o.leave()
			return nil
		}
	}
}

// leave ends all that is under way.
func (o *owner) leave() {
	if snap, _ := o.cfg.Printer.Snapshots().Get(); snap != nil && o.take != nil && snap.LastJob != nil && snap.LastJob.ID == o.take.JobID {
		o.endTake(snap.LastJob.Outcome)
	} else {
		o.endTake("interrupted")
	}
	if o.render != nil {
		o.render.stop()
		o.filmEnded(<-o.filmed)
	}
}

// under is the print that a snapshot is of: its ID and its name, "" without one.
func under(snap *printer.Snapshot) (id, name string) {
	switch {
	case snap.Job != nil:
		return snap.Job.ID, snap.Job.Name
	case snap.Card != nil && snap.Card.Printing:
		if snap.Card.Name == "" {
			return snap.Card.ID, "From the printer's card"
		}
		return snap.Card.ID, snap.Card.Name
	}
	return "", ""
}

// note takes over what a snapshot says.
func (o *owner) note(ctx context.Context, snap *printer.Snapshot, now time.Time) {
	o.snap = snap
	id, name := under(snap)
	last := snap.LastJob
	switch t := o.take; {
	case t == nil:
	case last != nil && last.ID == t.JobID:
		o.endTake(last.Outcome)
	case id != "" && id != t.JobID: // its end was not seen
		o.endTake("interrupted")
	}
	if id != "" && o.take == nil && o.passed != id && (last == nil || last.ID != id) {
		o.beginTake(ctx, snap, id, name, now)
	}
	if id != "" {
		o.makeWay()
	}
	o.renderNext(ctx, now)
	if o.take != nil {
		o.missed(o.take.shots.heard(snap))
		o.goOn(ctx, now)
	}
}

// beginTake gets ready to record a print, if that is wished for. Nothing is written before its first frame.
func (o *owner) beginTake(ctx context.Context, snap *printer.Snapshot, id, name string, now time.Time) {
	c := o.settings.Choice
	if o.chosenFor == id {
		c = o.chosen
	}
	if snap.Job == nil && c.Mode == ByLayer {
		c.Mode = ByTime // nobody knows the layers of a print from the printer's card
	}
	o.passed = id
	if c.Mode == Off {
		return
	}
	t := &take{shots: shots{choice: c}, synced: now, end: func() {}}
	t.about = about{JobID: id, Name: name, StartedMS: now.UnixMilli(), Mode: c.Mode, FPS: o.settings.FPS, Step: 1}
	o.take = t
	o.follow(ctx)
}

// follow makes sure that the recording has the camera that there is now.
func (o *owner) follow(ctx context.Context) {
	t, c := o.take, o.cfg.Camera(o.settings.Camera)
	if c == t.camera {
		return
	}
	t.end()
	t.camera, t.frames, t.end = c, nil, func() {}
	if c == nil {
		return
	}
	following, end := context.WithCancel(ctx)
	done := c.Look()
	t.frames, t.end = c.Frames().Each(following), func() { end(); done() }
}

// frame is the camera's newest.
func (o *owner) frame(ctx context.Context, f *camera.Frame) {
	t := o.take
	w, ok := t.shots.takes(f)
	if !ok {
		return
	}
	if w.shot > 0 { // first of all: the printer stands still for it
		o.taken(ctx, w.shot)
	}
	if err := o.keep(f, w.layer, false); err != nil {
		if o.problem == "" {
			o.log.Error("a frame of the timelapse cannot be kept", "job", t.JobID, "err", err)
		}
		t.Missed++
		o.tell(problemOf(err))
		return
	}
	o.tell("")
	o.publish()
}

// goOn lets the printer go on at once when it stands for a picture that cannot come, or would be dropped.
func (o *owner) goOn(ctx context.Context, now time.Time) {
	t := o.take
	w := t.shots.want
	if w.shot == 0 {
		return
	}
	blind := t.blind(now)
	if !blind && (t.film == nil || !t.film.passes()) {
		return
	}
	o.taken(ctx, w.shot)
	t.shots.want = want{}
	o.missed(blind)
}

func (o *owner) taken(ctx context.Context, shot int) {
	if _, err := o.cfg.Printer.ShotTaken(ctx, o.take.JobID, shot); err != nil {
		o.log.Warn("the printer was not told that its picture is taken", "err", err) // it goes on by itself
	}
}

// blind reports whether there is no camera, or none that shows anything.
func (t *take) blind(now time.Time) bool {
	if t.camera == nil {
		return true
	}
	f, _ := t.camera.Frames().Get()
	return f == nil || now.Sub(f.Time) > deadAge
}

// keep puts a frame on the disk, within all limits, unless it is one of those that are dropped; the last never is.
func (o *owner) keep(f *camera.Frame, layer int, last bool) error {
	t := o.take
	if err := o.room(int64(len(f.JPEG))); err != nil {
		return err
	}
	if t.film == nil {
		t.ID = newID()
		if err := o.dir.Mkdir(t.ID, 0o700); err != nil {
			return err
		}
		if err := errors.Join(syncFolder(o.dir, "."), o.keepAbout(t.about)); err != nil {
			o.dir.RemoveAll(t.ID)
			return err
		}
		t.film = &reel{dir: o.dir, id: t.ID}
		o.index.begin(t.film)
		o.changed()
	}
	for {
		if !last && t.film.passes() {
			return nil
		}
		if _, bytes := t.film.all(); bytes+int64(len(f.JPEG)) <= int64(o.settings.BudgetMB)*megabyte {
			break
		}
		more, err := t.film.halve()
		if err != nil {
			return err
		}
		if !more {
			return errBudget
		}
		o.log.Info("every second frame of the timelapse was dropped, to stay within its budget", "id", t.ID)
	}
	err := t.film.add(picture{atMS: f.Time.UnixMilli(), layer: layer, width: f.Width, height: f.Height, turn: f.Turn, jpeg: f.JPEG})
	o.keepLimits()
	return err
}

// missed counts a frame that did not come.
func (o *owner) missed(missed bool) {
	if missed && o.take != nil {
		o.take.Missed++
		o.tell("The camera gave no picture when one was due.")
	}
}

func (o *owner) tell(problem string) {
	if o.problem != problem {
		o.problem = problem
		o.publish()
	}
}

// tick lets time pass.
func (o *owner) tick(ctx context.Context, now time.Time) {
	if t := o.take; t != nil {
		o.follow(ctx)
		if o.snap.State == printer.Printing || o.snap.State == printer.Finishing {
			layer := 0
			if o.snap.Job != nil {
				layer = o.snap.Job.Layer
			}
			o.missed(t.shots.tick(layer, now))
		}
		o.missed(t.shots.late(now))
		if t.film != nil && now.Sub(t.synced) >= syncEvery {
			t.synced = now
			if err := t.film.sync(); err != nil {
				o.log.Error("the timelapse cannot be brought to the disk", "id", t.ID, "err", err)
			}
		}
	}
	o.keepLimits() // what was played until now may go
	o.renderNext(ctx, now)
}

// endTake ends the recording of a print; a print without a single frame leaves nothing.
func (o *owner) endTake(outcome string) {
	t := o.take
	if t == nil {
		return
	}
	o.lastFrame(t)
	t.end()
	o.take, o.passed, o.problem = nil, t.JobID, ""
	defer o.changed()
	if t.film == nil {
		return
	}
	if err := t.film.close(); err != nil {
		o.log.Error("the timelapse cannot be brought to the disk", "id", t.ID, "err", err)
	}
	o.index.end(t.ID)
	if places, _ := t.film.all(); len(places) == 0 || outcome != "done" && !o.settings.KeepFailed {
		o.told("delete a timelapse", t.ID, o.remove(t.ID))
		return
	}
	// What the disk refuses here is true all the same, and the next start of the daemon finds it out by itself.
	o.told("end a timelapse", t.ID, o.finish(&t.recording, t.film, outcome, time.Now().UnixMilli()))
	o.shelf = append(o.shelf, &t.recording)
	o.keepLimits()
}

// lastFrame keeps how the print looks at its end.
func (o *owner) lastFrame(t *take) {
	if t.film == nil || t.camera == nil {
		return
	}
	places, _ := t.film.all()
	f, _ := t.camera.Frames().Get()
	if f == nil || time.Since(f.Time) > lastAge || len(places) > 0 && f.Time.UnixMilli() <= places[len(places)-1].atMS {
		return
	}
	layer := 0
	if len(places) > 0 {
		layer = places[len(places)-1].layer
	}
	if err := o.keep(f, layer, true); err != nil {
		t.Missed++
	}
}

func (o *owner) told(what, id string, err error) {
	if err != nil {
		o.log.Error("trouble with a timelapse", "doing", what, "id", id, "err", err)
	}
}

const (
	lastAge = 2 * time.Second // an older frame does not show a print's end
	deadAge = 3 * time.Second // of the newest frame of a camera that is said to have failed
)

// forget deletes a recording that has ended.
func (o *owner) forget(c *recording) error {
	if err := o.remove(c.ID); err != nil {
		return err
	}
	o.index.end(c.ID)
	o.shelf = slices.DeleteFunc(o.shelf, func(other *recording) bool { return other == c })
	return nil
}

func (o *owner) delete(id string) error {
	c, err := o.ended(id)
	if err != nil {
		return err
	}
	if o.inUse(id) {
		o.render.stop()
		o.filmEnded(<-o.filmed)
	}
	if err := o.forget(c); err != nil {
		return fmt.Errorf("delete timelapse: %w", err)
	}
	o.changed()
	return nil
}

// ended finds a recording that is not under way.
func (o *owner) ended(id string) (*recording, error) {
	if o.take != nil && o.take.ID == id && id != "" {
		return nil, ErrRunning
	}
	for _, c := range o.shelf {
		if c.ID == id {
			return c, nil
		}
	}
	return nil, ErrNotFound
}

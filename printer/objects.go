package printer

import (
	"context"
	"errors"
	"fmt"
	"layerd/gcode"
	"slices"
	"time"
)

// ErrNoObjects is what SkipObject says of a file that does not tell which lines are of which object.
var ErrNoObjects = errors.New("the file does not say which of its lines are of which object")

// SkipObject leaves out what is still to come of an object of the job under way ("" for any), by its index in the survey's Objects; with skip false it is printed
// after all, which is possible until the first of its lines has been left out. Lines that are on their way already are printed. The last object that is left
// cannot be skipped: that would be a print of nothing.
func (p *Printer) SkipObject(ctx context.Context, job string, object int, skip bool) (uint64, error) {
	return p.inJob(ctx, job, func(o *owner, _ time.Time) error {
		if err := o.job.skip.ask(object, skip); err != nil {
			return err
		}
		o.run.without(o.job, object)
		return nil
	},
		Starting, Printing, Pausing, Paused, Resuming)
}

func (k *skipper) ask(object int, skip bool) error {
	n := len(k.objects)
	switch {
	case n == 0:
		return ErrNoObjects
	case object < 0 || object >= n:
		return fmt.Errorf("%w: the file has no object %d", ErrLimit, object)
	case !skip && k.begun[object+1]:
		return fmt.Errorf("%w: parts of this object are missing already", ErrWrongState)
	case skip && !k.asked[object+1] && !k.others(object):
		return fmt.Errorf("%w: it is the last object that is printed; stop the print instead", ErrWrongState)
	}
	k.asked[object+1] = skip
	return nil
}

// others reports whether an object besides this one is printed.
func (k *skipper) others(than int) bool {
	for i, o := range k.objects {
		if i != than && o.Extent != nil && !k.asked[i+1] {
			return true
		}
	}
	return false
}

// without reckons the time of the file anew when an object is skipped from here on, or is not any more.
func (r *jobRun) without(j *job, object int) {
	r.out = slices.DeleteFunc(slices.Clone(r.out), func(l gcode.LeftOut) bool { return l.Object == object })
	if j.skip.asked[object+1] {
		r.out = append(r.out, gcode.LeftOut{Object: object, From: r.pos.end})
	}
	v := j.info.Survey.Without(r.out)
	r.times = &v
	r.eta.from = leg{} // what lies across says nothing
}

// survey is the file's, with the times of what is printed of it.
func (r *jobRun) survey(info *JobInfo) *gcode.Survey {
	if r.times != nil {
		return r.times
	}
	return &info.Survey
}

// show says in a job's status what is skipped.
func (k *skipper) show(st *JobStatus) {
	st.Skipped, st.LeftOut = numbers(&k.asked, len(k.objects)), numbers(&k.begun, len(k.objects))
}

// numbers lists those objects of which is is true, from 0.
func numbers(is *[gcode.MaxObjects + 1]bool, of int) []int {
	out := []int{}
	for i := range min(of, gcode.MaxObjects) {
		if is[i+1] {
			out = append(out, i)
		}
	}
	return out
}

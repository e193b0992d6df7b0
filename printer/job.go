package printer

import (
	"errors"
	"io"
	"layerd/gcode"
	"time"
)

// A job's lines flow like this: a goroutine of the job reads the file ahead and hands over batches; the owner takes lines
// one by one with next, which never waits. So a slow disk can starve a job, but not hold up the conversation.

// JobInfo describes a job.
type JobInfo struct {
	ID     string // unique; commands name it
	File   string // path in the store
	Name   string // for people
	By     string // who started it
	Size   int64  // bytes
	Survey gcode.Survey

	OverLimits bool // a person who may has allowed it more heat than the profile does
	Shots      Shots
	Stops      []StopAt // where it pauses by itself; more can be set while it prints
	Watch      Watch

	Arcs int64  // what is sent is a copy of File in which that many arcs stand for moves, and Size and Survey are the copy's; 0 = it is File
	Note string // how it is printed, for the console
}

// jobPos is a job line's place in its file.
type jobPos struct {
	line   int64         // from 1; 0 for a line that is not the job's
	end    int64         // byte after it
	layer  int           // index into Survey.Layers, -1 before the first
	object int           // number in Survey.Objects, from 1; 0 for none
	took   time.Duration // of its motion, as the file asks
	inside bool          // before it the head can leave the layer with no mark that anybody sees
}

type jobLine struct {
	text []byte
	pos  jobPos
}

// batch is some lines, or the error that ends them: io.EOF at the end of the file.
type batch struct {
	lines []jobLine
	err   error
}

const (
	batchLines = 128
	batchBytes = 16 << 10
)

type job struct {
	info    JobInfo
	batches chan batch
	stop    chan struct{} // closed by close, then nil
	now     batch         // being handed out
	at      int
	judged  bool      // the line at at is to go as it is
	back    []jobLine // taken, and not executed after all; or put in by skip
	skip    skipper
}

// openJob starts to read src ahead. The job closes src when it is at its end or closed.
func openJob(info JobInfo, src io.ReadCloser) *job {
	j := &job{info: info, batches: make(chan batch, 4), stop: make(chan struct{})}
	go j.read(src, j.stop)
	return j
}

// close ends the reading; once more does nothing.
func (j *job) close() {
	if j.stop != nil {
		close(j.stop)
		j.stop = nil
	}
}

func (j *job) read(src io.ReadCloser, stop <-chan struct{}) {
	defer src.Close()
	scan := gcode.NewScanner(src)
	layers, layer := j.info.Survey.Layers, -1
	pace := gcode.NewPace()
	marks := gcode.FollowObjects(j.info.Survey.ObjectsBy)
	var inside gcode.Inside
	scan.OnComment(func(comment []byte, number, offset int64) {
		marks.Comment(comment, number, offset)
		inside.Comment(comment)
	})
	for {
		b := batch{lines: make([]jobLine, 0, batchLines)}
		text := make([]byte, 0, batchBytes+gcode.MaxCommand) // the batch's lines stand in it: one allocation each 128 lines
		for len(b.lines) < batchLines && len(text) < batchBytes {
			if !scan.Scan() {
				if b.err = scan.Err(); b.err == nil {
					b.err = io.EOF
				}
				break
			}
			l := scan.Line()
			for layer+1 < len(layers) && layers[layer+1].Offset < l.End {
				layer++
			}
			c := gcode.ParseCommand(l.Text)
			marks.Command(c, l.Number, l.Offset)
			if l.Text[0] == '@' && !forHost(l.Text) || c.Is('M', 110) {
				continue // a remark to a host such as OctoPrint; a line count that is not ours
			}
			start := len(text)
			text = append(text, l.Text...)
			b.lines = append(b.lines, jobLine{text[start:len(text):len(text)], jobPos{l.Number, l.End, layer, marks.Current(), pace.Took(c), inside.Before(c)}})
		}
		select {
		case j.batches <- b:
		case <-stop:
			return
		}
		if b.err != nil {
			return
		}
	}
}

var errStarved = errors.New("the next line is not read yet")

// next returns the job's next line until it is taken, errStarved when the disk has not delivered it yet, io.EOF at the end, or why the file
// cannot be read. It never waits; when starved, feed takes the batch that comes. Lines that are skipped it does not return.
func (j *job) next() (jobLine, error) {
	for fed := false; ; {
		switch {
		case len(j.back) > 0:
			return j.back[0], nil
		case j.at < len(j.now.lines):
			l := j.now.lines[j.at]
			if j.judged {
				return l, nil
			}
			instead, asIs := j.skip.judge(l)
			if j.judged = asIs; !asIs {
				j.at++
				j.back = instead
			}
			continue
		case j.now.err != nil:
			if j.back = j.skip.finish(); j.now.err == io.EOF && len(j.back) > 0 {
				continue
			}
			return jobLine{}, j.now.err
		}
		if fed { // all of it is skipped: who else wants something comes first
			return jobLine{}, errStarved
		}
		select {
		case b := <-j.batches:
			j.feed(b)
			fed = true
		default:
			return jobLine{}, errStarved
		}
	}
}

// taken goes on from the line that next returned.
func (j *job) taken() {
	if len(j.back) > 0 {
		j.back = j.back[1:]
		return
	}
	j.at++
	j.judged = false
}

// unread puts lines back that were taken last.
func (j *job) unread(lines []jobLine) { j.back = append(lines, j.back...) }

func (j *job) feed(b batch) { j.now, j.at = b, 0 }

func (j *job) starved() bool { return len(j.back) == 0 && j.at >= len(j.now.lines) && j.now.err == nil }

package server

import (
	"testing"
	"testing/synctest"

	"layerd/printer"
)

// Who has seen that a print is over may delete its file: that its end is still being written down is waited for, but not for ever.
func TestDeleteAfterThePrint(t *testing.T) {
	for name, c := range map[string]struct {
		printing, ends bool
		want           int
		tries          int
	}{"it is let go": {ends: true, want: 204, tries: 1}, "it is not": {want: 409, tries: 1}, "it is printing": {printing: true, want: 409, tries: 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				r.files.held = "cube.gcode"
				if c.printing {
					r.printer.change(func(s *printer.Snapshot) { s.Job = &printer.JobStatus{File: "cube.gcode"} })
				}
				answer := make(chan int, 1)
				go func() { answer <- r.do("DELETE", "/v1/files/cube.gcode", "operator", nil).Code }()
				synctest.Wait()
				if c.ends {
					r.files.mu.Lock()
					r.files.held = ""
					close(r.files.changed)
					r.files.changed = make(chan struct{})
					r.files.mu.Unlock()
				}
				if got := <-answer; got != c.want || r.files.refused != c.tries {
					t.Errorf("got %d after %d tries, want %d after %d", got, r.files.refused, c.want, c.tries)
				}
			})
		})
	}
}

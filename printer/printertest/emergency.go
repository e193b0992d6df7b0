package printertest

import "bytes"

// emergencyParser looks at every byte as it arrives, ahead of ring and queue, for M108, M112, M410, M876 S… and the
// state query S000, numbered or not. The line goes into the queue all the same.
type emergencyParser struct {
	line [40]byte // the beginning is enough
	n    int
}

func (f *firmware) emergency(c byte) {
	p := &f.parser
	if c != '\n' && c != '\r' {
		if p.n < len(p.line) {
			p.line[p.n] = c
			p.n++
		}
		return
	}
	line := p.line[:p.n]
	p.n = 0
	i := 0
	for i < len(line) && line[i] == ' ' {
		i++
	}
	if i < len(line) && line[i] == 'N' {
		i++
		for i < len(line) && (line[i] == ' ' || line[i] == '-' || line[i] >= '0' && line[i] <= '9') {
			i++
		}
	}
	if line = line[i:]; len(line) < 4 {
		return
	}
	switch {
	case bytes.HasPrefix(line, []byte("M112")):
		if f.stalled != never { // nobody is there to act upon it yet
			f.killLater = true
			return
		}
		f.kill(f.KillWords)
	case f.stalled != never:
	case bytes.HasPrefix(line, []byte("M108")):
		f.heatGo, f.userGo = true, true
	case bytes.HasPrefix(line, []byte("M410")):
		f.quickStop()
	case bytes.HasPrefix(line, []byte("M876 S")):
		f.answered()
	case f.RealTimeReports && bytes.HasPrefix(line, []byte("S000")):
		f.sayPosition()
		f.say("S_XYZ:0")
	}
}

package camera

import (
	"os"
	"syscall"
)

// apart puts a child into a group of its own, so that what it starts can be ended with it, and has it killed should we die.
func apart() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// signalGroup asks a child and all that it started to end, or makes them. It may only be called until the child was waited for: later, the number
// may be another's.
func signalGroup(p *os.Process, hard bool) {
	s := syscall.SIGTERM
	if hard {
		s = syscall.SIGKILL
	}
	_ = syscall.Kill(-p.Pid, s)
}

//go:build !linux

package camera

import (
	"os"
	"syscall"
)

// apart does nothing: there are no camera modules but on Linux.
func apart() *syscall.SysProcAttr { return nil }

func signalGroup(p *os.Process, _ bool) { _ = p.Kill() }

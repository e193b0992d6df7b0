package guard

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// stepAside gives this goroutine a thread of its own, which lets the rest of the machine go first; the printer's lines above all.
func stepAside() {
	runtime.LockOSThread()                                     // and is never given back: it ends with the goroutine
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 10) // without it the work is done all the same
}

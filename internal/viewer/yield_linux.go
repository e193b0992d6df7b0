package viewer

import "golang.org/x/sys/unix"

// yieldToOthers lets the rest of the machine go before this thread; the printer's lines above all. Linux knows priorities of threads.
func yieldToOthers() {
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 10) // without it the share is kept all the same
}

// vmcamera is the only process of a virtual machine (.ci/vm), where the kernel has real V4L2 devices that nobody had to plug in: vivid, which
// draws raw pictures and can be unplugged, and v4l2loopback, which hands out the JPEGs that are written into it.
//
//	kernel → /init, this program → mounts, modules → checks of the package camera → one line for .ci/vm → reboot, which ends qemu
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

// The last line says how it went; .ci/vm looks for the first of these.
const (
	passed = "vm: passed"
	failed = "vm: FAILED"
)

func main() {
	if len(os.Args) == 3 && os.Args[1] == "watch" {
		os.Exit(watch(os.Args[2]))
	}
	if len(os.Args) == 6 && os.Args[1] == "fanout" {
		if err := fanoutHere(os.Args[2], os.Args[3], os.Args[4], os.Args[5]); err != nil {
			fmt.Fprintln(os.Stderr, "fan-out:", err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) == 3 && os.Args[1] == "feed" {
		if err := feedFor(os.Args[2], 10); err != nil {
			fmt.Fprintln(os.Stderr, "feed:", err)
			os.Exit(1)
		}
		return
	}
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "vmcamera is the first process of a virtual machine: make vm-camera")
		os.Exit(2)
	}
	if err := whole(os.Args[1:]); err != nil {
		fmt.Printf("%s: %v\n", failed, err)
	} else {
		fmt.Println(passed)
	}
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_RESTART) // qemu has -no-reboot
}

// whole is everything between the kernel's start and its end. A panic of the first process would be the kernel's.
func whole(args []string) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := startMachine(); err != nil {
		return err
	}
	if len(args) == 2 && args[0] == "fanout" {
		return fanoutThere(args[1])
	}
	s := &suite{}
	s.vivid()
	s.loopback()
	return s.verdict()
}

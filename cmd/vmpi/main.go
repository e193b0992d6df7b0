// Command vmpi puts layerd's Debian packages through their life on a Raspberry Pi that is not there: a virtual machine of arm64 with Debian's own
// kernel and systemd (.ci/vm-pi makes it).
//
//	here                                              in there
//	steps ─▶ HTTP ──────────────────────────────────▶ layerd, from its package
//	steps ─▶ HTTP ──────────────────────────────────▶ agent, this program: dpkg, systemctl, kill
//	pretend printer ─▶ socket ─▶ qemu's usb-serial ─▶ /dev/ttyUSB0 ─▶ layerd
//	disk, which forgets what was not flushed ◀─ NBD ◀─ ext4
//
// In there it is the kernel's first process too (first.go), and makes place for systemd when it has found the disk. Every step says what it has
// found and how long that took; the first that fails ends all, with what the machine in there last said.
package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"
)

func main() {
	var err error
	switch {
	case os.Getpid() == 1:
		err = first()
		fmt.Println("vm: the first process failed:", err)
		select {} // the kernel would panic, and its words hide this
	case len(os.Args) == 2 && os.Args[1] == "agent":
		err = agent()
	default:
		err = here(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "vm: FAILED:", err)
		os.Exit(1)
	}
}

// here is all that happens on this side.
func here(args []string) error {
	flags := pflag.NewFlagSet("vmpi", pflag.ContinueOnError)
	var l life
	flags.StringVar(&l.image, "image", "", "the disk, which is only read")
	flags.StringVar(&l.kernel, "kernel", "", "")
	flags.StringVar(&l.initramfs, "initramfs", "", "this program of arm64 as /init, and modules for the disk and the network")
	flags.StringVar(&l.feeder, "feeder", "", "vmcamera of arm64, which plays a camera that sends JPEGs")
	flags.StringVar(&l.file, "file", "", "what is printed")
	flags.StringVar(&l.work, "work", "", "folder for sockets and the console's words")
	flags.Uint64Var(&l.seed, "seed", 1, "of the lot that says which writes a power cut loses")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 3 {
		return fmt.Errorf("want three packages, each newer than the one before, got %q", flags.Args())
	}
	copy(l.packages[:], flags.Args())
	return l.live()
}

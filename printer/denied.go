package printer

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"unicode"

	"golang.org/x/sys/unix"
)

// What to do when a port is there and may not be opened. Two walls say so with two words: EACCES is the device's owner, group and mode; EPERM is the list of
// devices of the service's control group (DeviceAllow= in layerd.service), which goes by drivers that were loaded when the service started.

// denied completes the fault of a port that layerd may not open.
func denied(f *Fault, path string, err error) {
	f.Code, f.Message = FaultPortDenied, fmt.Sprintf("layerd may not open %s.", path)
	if !errors.Is(err, unix.EPERM) {
		f.Next = fmt.Sprintf("Add layerd's user to the group %s: sudo usermod -aG %[1]s NAME; then start layerd again.", groupOf(path))
		return
	}
	device := filepath.Base(path)
	if to, err := filepath.EvalSymlinks(path); err == nil {
		device = filepath.Base(to)
	}
	module := map[string]string{"ttyUSB": "usbserial", "ttyACM": "cdc_acm"}[strings.TrimRight(device, "0123456789")]
	if module == "" {
		f.Next = fmt.Sprintf("Its service is kept from such ports. Allow it: sudo systemctl edit layerd, below [Service] the line DeviceAllow=/dev/%s rw; then sudo systemctl restart layerd.", device)
		return
	}
	f.Next = fmt.Sprintf("Its driver was loaded after layerd: sudo systemctl restart layerd. So that this does not come back: echo %s | sudo tee /etc/modules-load.d/layerd-port.conf", module)
}

// groupOf is the group that a device belongs to, dialout when that cannot be told.
func groupOf(path string) string {
	const usual = "dialout"
	info, err := os.Stat(path)
	if err != nil {
		return usual
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok || owner.Gid == 0 { // root's: no rule of udev has been there
		return usual
	}
	group, err := user.LookupGroupId(strconv.FormatUint(uint64(owner.Gid), 10))
	if err != nil {
		return usual
	}
	return group.Name
}

// taken completes the fault of a port that another program has open.
func taken(f *Fault, path string) {
	by := ""
	if device, err := filepath.EvalSymlinks(path); err == nil {
		by = holder("/proc", device, os.Getpid())
	}
	f.Code = FaultPortBusy
	f.Message = fmt.Sprintf("Another program uses %s.", path)
	f.Next = fmt.Sprintf("Stop the other program: OctoPrint, Klipper, a slicer, ModemManager, brltty, or another layerd. “sudo fuser -v %s” says which it is.", path)
	if by != "" {
		f.Message = fmt.Sprintf("Another program uses %s: %s.", path, by)
		f.Next = "Stop that program."
	}
}

// holder names a process other than self that has device open, by its name and number; "" when there is none that we may see. A service sees its own alone.
func holder(proc, device string, self int) string {
	links, _ := filepath.Glob(filepath.Join(proc, "[0-9]*", "fd", "[0-9]*")) // those that we may look at
	for _, link := range links {
		if to, err := os.Readlink(link); err != nil || to != device {
			continue
		}
		process := filepath.Dir(filepath.Dir(link))
		pid := filepath.Base(process)
		if pid == strconv.Itoa(self) {
			continue
		}
		name, err := os.ReadFile(filepath.Join(process, "comm"))
		if err != nil {
			continue // it has just ended
		}
		return fmt.Sprintf("%s (process %s)", plainName(string(name)), pid)
	}
	return ""
}

// plainName is a process's name, which it gives itself, fit to be shown.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	return name[:min(len(name), 32)]
}

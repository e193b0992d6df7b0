package camera

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// What may be wrong with a source, beside the errors of the system. A Source may wrap them.
var (
	errNotFound = errors.New("no camera found")
	errNoFormat = errors.New("no pictures of a usable format")
	errStalled  = errors.New("no picture in time")
	errDamaged  = errors.New("only damaged pictures")
	errTooBig   = errors.New("too many pixels")
	errStuck    = errors.New("the source does not stop")
	errPanic    = errors.New("the source panicked")
)

const (
	problemStarting = "The camera is starting"
	problemOff      = "The camera is switched off"
)

// problem is err in one sentence for people. name is the camera's, "" when none was found. The causes are those that
// people meet: unplugged, taken by another program, not allowed, too much for the USB bus, asleep.
func problem(name string, err error) string {
	is := func(target error) bool { return errors.Is(err, target) }
	if web := (*webError)(nil); errors.As(err, &web) {
		if said := webProblem(name, err); said != "" {
			return said
		}
	}
	switch {
	case is(errNotFound):
		return "No camera was found"
	case is(ErrSettings):
		return "The camera's settings make no sense (" + err.Error() + ")"
	case is(errNoProgram):
		return "The Raspberry Pi's camera needs a program that is not installed: sudo apt install rpicam-apps"
	case is(errNoModule):
		return fmt.Sprintf("There is no camera at the Pi's ribbon cable for %s: switch off, look at the cable, switch on", name)
	case is(errNoFrames):
		return "There are no pictures, *.jpg, in the folder of " + name
	case is(fs.ErrNotExist):
		return fmt.Sprintf("The camera %s was not found", name)
	case isGone(err):
		return fmt.Sprintf("The camera %s was unplugged", name)
	case is(syscall.EBUSY):
		return fmt.Sprintf("The camera %s is in use by another program: sudo fuser -v /dev/video* says which", name)
	case is(syscall.EPERM): // the service's list of devices, which goes by drivers that were loaded when it started
		return fmt.Sprintf("layerd's service may not open the camera %s, because its driver was loaded later: sudo systemctl restart layerd", name)
	case is(fs.ErrPermission): // the device's group and mode
		return fmt.Sprintf("layerd may not open the camera %s: its user needs the group video", name)
	case is(syscall.ENOSPC):
		return fmt.Sprintf("The USB bus has no room for the camera %s: choose a smaller picture or another socket", name)
	case is(errNoFormat):
		return fmt.Sprintf("The camera %s offers no kind of picture that layerd can use", name)
	case is(errTooBig):
		return fmt.Sprintf("The camera %s sends pictures of more than %d megapixels: choose a smaller picture", name, maxPixels/1_000_000)
	case is(errDamaged):
		return fmt.Sprintf("The camera %s sends only damaged pictures", name)
	case is(errStalled), is(errEnded):
		return fmt.Sprintf("The camera %s stopped sending pictures", name)
	case is(errNoPicture):
		return fmt.Sprintf("The camera %s sends something that is no picture", name)
	case is(errTooLong):
		return fmt.Sprintf("The camera %s sends pictures of more than %d MB: choose a smaller picture", name, maxPicture>>20)
	case is(errStuck):
		return fmt.Sprintf("The camera %s does not answer: unplug it and plug it in again", name)
	}
	if child := (*childError)(nil); errors.As(err, &child) {
		return fmt.Sprintf("The camera %s failed; its program said: %s", name, child.said)
	}
	return fmt.Sprintf("The camera %s failed", name)
}

// isGone tells whether the device was pulled out from under an open file.
func isGone(err error) bool {
	return errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.ENXIO)
}

// isCheap tells whether it costs a device nothing to be tried again: it is not there, or may not be opened, as in the moment after it was
// plugged in.
func isCheap(err error) bool { return isAbsent(err) || isGone(err) || errors.Is(err, fs.ErrPermission) }

// isAbsent tells whether there is no device to open.
func isAbsent(err error) bool { return errors.Is(err, errNotFound) || errors.Is(err, fs.ErrNotExist) }

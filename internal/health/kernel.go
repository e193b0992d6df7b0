package health

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ThisKernel is the one that runs us. No call of it changes anything.
func ThisKernel() Kernel {
	return Kernel{Now: time.Now, Disk: diskOf, MayOpen: mayOpen, Owner: groupIDOf, Synced: synced, Firmware: askFirmware, Sleeps: radioSleeps, PID: os.Getpid()}
}

func diskOf(dir string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Disk{}, err
	}
	block := int64(st.Bsize)
	return Disk{Free: int64(st.Bavail) * block, Total: int64(st.Blocks) * block, FreeInodes: int64(st.Ffree), AllInodes: int64(st.Files)}, nil
}

// mayOpen asks by faccessat(2), which opens nothing: opening a serial port can reset the board on it.
func mayOpen(path string) error {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.R_OK|unix.W_OK, unix.AT_EACCESS)
}

func groupIDOf(path string) (int, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, fmt.Errorf("the group of %s is not known", path)
	}
	return int(st.Gid), nil
}

// synced asks the kernel whether somebody (systemd-timesyncd, chrony, ntpd) tells it the time: adjtimex(2), with no modes, changes nothing.
func synced() (bool, error) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return false, err
	}
	return state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0, nil
}

// The Pi's mailbox: a message is a buffer of words, the request for a property one tag in it (github.com/raspberrypi/firmware/wiki/Mailbox-property-interface).
// _IOWR(100, 0, char *) of drivers/char/broadcom/vcio.c.
const (
	mailbox         = 3<<30 | unsafe.Sizeof(uintptr(0))<<16 | 100<<8
	tagCommand      = 0x00030080 // a command in words, as vcgencmd sends it (github.com/raspberrypi/utils, vcgencmd.c)
	tagGetThrottled = 0x00030046 // RPI_FIRMWARE_GET_THROTTLED of include/soc/bcm2835/raspberrypi-firmware.h
	firmwareAnswers = 0x80000000
	wordsBytes      = 1024 // of a command and its answer
)

// askFirmware asks the Pi's firmware for the bits in power.go: by vcgencmd's command, which knows what has been since the start, else by the tag, of which the
// kernel's voltage driver has that forgotten every few seconds. Neither makes it forget anything. Newer kernels have a device for vcgencmd alone.
func askFirmware() (uint32, error) {
	fd, err := unix.Open("/dev/vcio_gencmd", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		if fd, err = unix.Open("/dev/vcio", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0); err != nil {
			return 0, fmt.Errorf("open /dev/vcio: %w", err)
		}
	}
	defer unix.Close(fd)
	ask := func(message unsafe.Pointer) error {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(mailbox), uintptr(message)); errno != 0 {
			return os.NewSyscallError("ioctl", errno)
		}
		return nil
	}
	command := [6 + wordsBytes/4 + 1]uint32{(6 + wordsBytes/4 + 1) * 4, 0, tagCommand, wordsBytes}
	text := (*[wordsBytes]byte)(unsafe.Pointer(&command[6]))
	copy(text[:], "get_throttled")
	if ask(unsafe.Pointer(&command)) == nil && command[1] == firmwareAnswers && command[5] == 0 {
		if bits, err := throttledText(unix.ByteSliceToString(text[:])); err == nil {
			return bits, nil
		}
	}
	tag := [8]uint32{8 * 4, 0, tagGetThrottled, 4}
	if err := ask(unsafe.Pointer(&tag)); err != nil {
		return 0, err
	}
	if tag[1] != firmwareAnswers {
		return 0, fmt.Errorf("the firmware answers %#x", tag[1])
	}
	return tag[5], nil
}

// throttledText reads "throttled=0x50005".
func throttledText(s string) (uint32, error) {
	hex, found := strings.CutPrefix(strings.TrimSpace(s), "throttled=0x")
	if !found {
		return 0, fmt.Errorf("the firmware answers %.40q", s)
	}
	bits, err := strconv.ParseUint(hex, 16, 32)
	return uint32(bits), err
}

// wirelessRequest is linux/wireless.h's struct iwreq with a struct iw_param in it. Its union has room for 16 bytes.
type wirelessRequest struct {
	name            [unix.IFNAMSIZ]byte
	value           int32
	fixed, disabled uint8
	flags           uint16
	_               [8]byte
}

const getRadioPower = 0x8b2d // SIOCGIWPOWER of linux/wireless.h

// radioSleeps asks whether a radio saves power between packets (net/wireless/wext-compat.c, cfg80211_wext_giwpower). Kernels without the old wireless extensions do not say.
func radioSleeps(name string) (bool, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false, fmt.Errorf("ask for the power of %s: %w", name, err)
	}
	defer unix.Close(fd)
	var r wirelessRequest
	copy(r.name[:unix.IFNAMSIZ-1], name)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), getRadioPower, uintptr(unsafe.Pointer(&r))); errno != 0 {
		return false, os.NewSyscallError("ioctl", errno)
	}
	return r.disabled == 0, nil
}

// Usage is what this process has used.
type Usage struct {
	CPU      time.Duration // of all its threads, since it began
	Resident int64         // bytes of memory
}

// OwnUsage asks the kernel; false where it does not tell.
func OwnUsage() (u Usage, known bool) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return Usage{}, false
	}
	var size, resident int64
	var used unix.Rusage
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil || unix.Getrusage(unix.RUSAGE_SELF, &used) != nil {
		return Usage{}, false
	}
	return Usage{CPU: time.Duration(used.Utime.Nano() + used.Stime.Nano()), Resident: resident * int64(os.Getpagesize())}, true
}

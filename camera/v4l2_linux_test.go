package camera

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/blackjack/webcam"
	"github.com/blackjack/webcam/ioctl"
)

// The clean-up after the library reads two of its unexported fields. Another version of it must fail here, not leak.
func TestLibraryStillHasTheFields(t *testing.T) {
	of := reflect.TypeOf(webcam.Webcam{})
	for name, want := range map[string]reflect.Type{"fd": reflect.TypeFor[uintptr](), "buffers": reflect.TypeFor[[][]byte]()} {
		if f, ok := of.FieldByName(name); !ok || f.Type != want {
			t.Errorf("field %s: got %v, want %v", name, f.Type, want)
		}
	}
	unmap(new(webcam.Webcam)) // nothing mapped: nothing happens
	hidden := struct{ b [][]byte }{[][]byte{{1, 2}}}
	if got := reflect.ValueOf(hidden).Field(0).Index(0).Bytes(); len(got) != 2 {
		t.Errorf("bytes of an unexported field: got %v", got)
	}
}

// The kernel's structs, as on 64-bit processors so on ARMv6; and its request numbers, which hold the sizes.
func TestStructsAreTheKernels(t *testing.T) {
	for _, s := range []struct {
		name             string
		got, want        uintptr
		request, encoded uintptr
	}{
		{"v4l2_capability", unsafe.Sizeof(capability{}), 104, vidiocQuerycap, ioctl.IoR('V', 0, 104)},
		{"v4l2_queryctrl", unsafe.Sizeof(queryctrl{}), 68, vidiocQueryctrl, ioctl.IoRW('V', 36, 68)},
		{"v4l2_querymenu", unsafe.Sizeof(querymenu{}), 44, vidiocQuerymenu, ioctl.IoRW('V', 37, 44)},
		{"v4l2_control", unsafe.Sizeof(ctrlValue{}), 8, vidiocGCtrl, ioctl.IoRW('V', 27, 8)},
		{"v4l2_control", unsafe.Sizeof(ctrlValue{}), 8, vidiocSCtrl, ioctl.IoRW('V', 28, 8)},
	} {
		if s.got != s.want || s.request != s.encoded {
			t.Errorf("%s: got %d bytes and request %x, want %d and %x", s.name, s.got, s.request, s.want, s.encoded)
		}
	}
	for name, at := range map[string][2]uintptr{
		"queryctrl.name": {unsafe.Offsetof(queryctrl{}.name), 8}, "queryctrl.min": {unsafe.Offsetof(queryctrl{}.min), 40}, "queryctrl.flags": {unsafe.Offsetof(queryctrl{}.flags), 56},
		"querymenu.name": {unsafe.Offsetof(querymenu{}.name), 8}, "capability.own": {unsafe.Offsetof(capability{}.own), 88},
	} {
		if at[0] != at[1] {
			t.Errorf("%s is at %d, want %d", name, at[0], at[1])
		}
	}
}

// A node of a camera for its metadata can capture no pictures, though the camera as a whole can.
func TestANodeIsJudgedByWhatItCanDoItself(t *testing.T) {
	const metadata = 0x00800000
	for _, tc := range []struct {
		name string
		c    capability
		want bool
	}{
		{"pictures", capability{physical: capOwn | capCapture | capStreaming | metadata, own: capCapture | capStreaming}, true},
		{"metadata", capability{physical: capOwn | capCapture | capStreaming | metadata, own: capStreaming | metadata}, false},
		{"read only", capability{physical: capOwn | capCapture | capStreaming, own: capCapture}, false},
		{"an old kernel", capability{physical: capCapture | capStreaming}, true},
	} {
		if got := tc.c.captures(); got != tc.want {
			t.Errorf("%s: got %v, want %v", tc.name, got, tc.want)
		}
	}
}

// A camera that was plugged in again has another number, and the same link.
func TestALinkIsFollowedAtEachOpening(t *testing.T) {
	link := filepath.Join(t.TempDir(), "usb-C920-video-index0")
	s := newV4L2(Device{ID: link}, Settings{})
	for _, tc := range []struct {
		to   string
		want error
	}{{"/dev/video-none", fs.ErrNotExist}, {"/dev/null", syscall.ENOTTY}, {t.TempDir(), syscall.EISDIR}} {
		_ = os.Remove(link)
		if err := os.Symlink(tc.to, link); err != nil {
			t.Fatal(err)
		}
		if err := s.Run(t.Context(), put(nil)); !errors.Is(err, tc.want) {
			t.Errorf("to %s: got %v, want %v", tc.to, err, tc.want)
		}
	}
}

func TestOpenWhatIsNoCamera(t *testing.T) {
	emit := put(func([]byte, time.Time) { t.Error("a picture") })
	if err := newV4L2(Device{ID: "/dev/video-none"}, Settings{}).Run(t.Context(), emit); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such node: got %v, want %v", err, fs.ErrNotExist)
	}
	if err := newV4L2(Device{ID: "/dev/null"}, Settings{}).Run(t.Context(), emit); !errors.Is(err, syscall.ENOTTY) {
		t.Errorf("/dev/null: got %v, want %v", err, syscall.ENOTTY)
	}
	if got := newV4L2(Device{ID: "/dev/null"}, Settings{}).Name(); got != "/dev/null" {
		t.Errorf("name of a device without one: got %q, want its path", got)
	}
}

func TestOpenErrorHasACause(t *testing.T) {
	if err := openError(errors.New("Not a video capture device")); !errors.Is(err, errNoFormat) {
		t.Errorf("words: got %v, want %v", err, errNoFormat)
	}
	if err := openError(syscall.EBUSY); err != syscall.EBUSY {
		t.Errorf("the system's: got %v, want it unchanged", err)
	}
}

func TestStartErrorKeepsTheCause(t *testing.T) {
	for text, want := range map[string]error{
		"Failed to start streaming: " + syscall.ENOSPC.Error():    syscall.ENOSPC,
		"Failed to map request buffers: " + syscall.EBUSY.Error(): syscall.EBUSY,
	} {
		if err := startError(errors.New(text)); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", text, err, want)
		}
	}
	if other := errors.New("Already streaming"); startError(other) != other {
		t.Error("an error without a cause was changed")
	}
}

package camera

import (
	"errors"
	"io/fs"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/blackjack/webcam"
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

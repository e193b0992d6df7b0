package camera

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// machine is a directory with what discover reads.
type machine struct {
	t    *testing.T
	root string
}

func (m machine) path(name string) string {
	m.t.Helper()
	p := filepath.Join(m.root, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		m.t.Fatal(err)
	}
	return p
}

// node makes a video node that has been there for so long.
func (m machine) node(name, called string, old time.Duration) {
	m.t.Helper()
	then := time.Now().Add(-old)
	sysfs := m.path("sys/class/video4linux/" + name + "/name")
	err := errors.Join(os.WriteFile(m.path("dev/"+name), nil, 0o644), os.Chtimes(m.path("dev/"+name), then, then), os.WriteFile(sysfs, []byte(called+"\n"), 0o644))
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m machine) link(name, node string) {
	m.t.Helper()
	if err := os.Symlink("../../"+node, m.path("dev/v4l/"+name)); err != nil {
		m.t.Fatal(err)
	}
}

// ids are those of the cameras found, all of whose nodes deliver MJPG.
func (m machine) ids() string {
	m.t.Helper()
	found, err := discover(m.root, func(string) (string, []fourcc, error) { return "", []fourcc{formatMJPG}, nil })
	if err != nil {
		m.t.Fatal(err)
	}
	var ids []string
	for _, d := range found {
		ids = append(ids, strings.TrimPrefix(strings.TrimPrefix(d.ID, m.root+"/dev/"), "v4l/"))
	}
	return strings.Join(ids, " ")
}

func TestDiscover(t *testing.T) {
	m := machine{t, t.TempDir()}
	root := m.root
	for node, name := range map[string]string{
		"video0": "HD Pro Webcam C920", "video1": "HD Pro Webcam C920", // pictures, metadata
		"video2": "Cheap: Cheap", "video10": "bcm2835-codec-decode", "video4": "Locked", "video5": "Broken", "video20": "bad\x00\xffname\n",
		"video": "", "videofoo": "",
	} {
		m.node(node, name, time.Hour)
	}
	m.link("by-id/usb-046d_C920_1234-video-index0", "video0")
	m.link("by-path/pci-0000-usb-0:1:1.0-video-index0", "video0")
	m.link("by-path/pci-0000-usb-0:2:1.0-video-index0", "video2")
	var opened []string
	got, err := discover(root, func(node string) (string, []fourcc, error) {
		base := filepath.Base(node)
		opened = append(opened, base)
		switch base {
		case "video1":
			return "HD Pro Webcam C920", nil, nil
		case "video4":
			return "", nil, fmt.Errorf("open: %w", syscall.EACCES)
		case "video5":
			return "", nil, syscall.EIO
		}
		return "from the driver", []fourcc{formatYUYV, formatMJPG}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []Device{
		{root + "/dev/v4l/by-id/usb-046d_C920_1234-video-index0", "HD Pro Webcam C920"},
		{root + "/dev/v4l/by-path/pci-0000-usb-0:2:1.0-video-index0", "Cheap"},
		{root + "/dev/video4", "Locked"},
		{root + "/dev/video20", "bad?name"},
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got, want := strings.Join(opened, " "), "video0 video1 video2 video4 video5 video20"; got != want {
		t.Errorf("opened %s, want %s", got, want)
	}
	if got := sysfsName(root, root+"/dev/v4l/by-path/pci-0000-usb-0:2:1.0-video-index0"); got != "Cheap" {
		t.Errorf("name through a link: got %q, want Cheap", got)
	}
	if got, err := discover(t.TempDir(), nil); len(got) != 0 || err != nil {
		t.Errorf("nothing there: got %v, %v", got, err)
	}
}

// Two of a kind share one by-id link, which is that of whichever came first or last.
func TestTwinsAreToldApartByTheirSockets(t *testing.T) {
	m := machine{t, t.TempDir()}
	for i := range 4 {
		m.node(fmt.Sprint("video", i), "USB 2.0 Camera", time.Hour)
		m.link(fmt.Sprintf("by-path/pci-0000-usb-0:%d:1.0-video-index%d", i/2, i%2), fmt.Sprint("video", i))
		m.link(fmt.Sprintf("by-path/pci-0000-usbv2-0:%d:1.0-video-index%d", i/2, i%2), fmt.Sprint("video", i))
	}
	m.node("video8", "C920", time.Hour)
	m.link("by-path/pci-0000-usb-0:8:1.0-video-index0", "video8")
	m.link("by-id/usb-C920_1-video-index0", "video8")
	m.link("by-id/usb-Camera-video-index0", "video2")
	m.link("by-id/usb-Camera-video-index1", "video3")
	want := "by-path/pci-0000-usb-0:0:1.0-video-index0 by-path/pci-0000-usb-0:0:1.0-video-index1 " +
		"by-path/pci-0000-usb-0:1:1.0-video-index0 by-path/pci-0000-usb-0:1:1.0-video-index1 by-id/usb-C920_1-video-index0"
	if got := m.ids(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A camera that was found must not be one that another camera of the rig is set to, by whatever name.
func TestClaims(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // its clock stands still
		m := machine{t, t.TempDir()}
		m.node("video0", "C920", time.Hour)
		m.node("video1", "C920", time.Hour)
		m.node("video2", "just plugged in", time.Second/10)
		m.node("video3", "no udev here", 2*time.Second)
		m.node("video4", "the clock was set back", -time.Second/2)
		m.node("video5", "just plugged in, with links", time.Second/10)
		m.link("by-id/usb-C920-video-index0", "video0")
		m.link("by-path/pci-1-video-index0", "video0")
		m.link("by-path/pci-2-video-index0", "video1")
		m.link("by-path/pci-5-video-index0", "video5")
		const byID, absent = "/dev/v4l/by-id/usb-C920-video-index0", "/dev/v4l/by-id/usb-absent-video-index0"
		for _, tc := range []struct {
			setTo, found string
			want         bool
		}{
			{"/dev/video0", "/dev/video0", true},
			{"/dev/video0", byID, true},
			{"/dev/v4l/by-path/pci-1-video-index0", byID, true},
			{"/dev/v4l/by-path/pci-2-video-index0", byID, false},
			{byID, "/dev/video2", false},   // it is another
			{absent, "/dev/video2", true},  // its link may be on its way
			{absent, "/dev/video3", false}, // no more
			{absent, "/dev/video4", false},
			{absent, "/dev/v4l/by-path/pci-5-video-index0", false},
			{"/dev/video9", "/dev/video2", false},
			{absent, "/dev/video9", false},
			{"http://cam/1", "http://cam/2", false},
			{"/etc/../etc/passwd", "/etc/passwd", false}, // not looked at
			{"", "/dev/video0", false},
		} {
			if got := claims(m.root, tc.setTo, tc.found); got != tc.want {
				t.Errorf("set to %q, found %q: got %v, want %v", tc.setTo, tc.found, got, tc.want)
			}
		}
	})
}

func TestLinksThatSettingsRefuseAreLeftOut(t *testing.T) {
	m := machine{t, t.TempDir()}
	m.node("video3", "evil", time.Hour)
	m.link("by-id/usb-\nevil-video-index0", "video3")
	if got, want := m.ids(), "video3"; got != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestTidyName(t *testing.T) {
	for in, want := range map[string]string{
		"UVC Camera (046d:0825)\n": "UVC Camera (046d:0825)",
		"HD Webcam: HD Webcam":     "HD Webcam",
		"HD Webcam C525: HD Webca": "HD Webcam C525",
		"Logi: Left eye":           "Logi: Left eye",
		"\x1b[31mred":              "[31mred",
		strings.Repeat("ü", 100):   strings.Repeat("ü", 64),
	} {
		if got := tidyName(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

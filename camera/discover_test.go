package camera

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestDiscover(t *testing.T) {
	root := t.TempDir()
	write := func(path, content string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	link := func(path, to string) {
		t.Helper()
		path = filepath.Join(root, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	for node, name := range map[string]string{
		"video0": "HD Pro Webcam C920", "video1": "HD Pro Webcam C920", // pictures, metadata
		"video2": "Cheap: Cheap", "video10": "bcm2835-codec-decode", "video4": "Locked", "video5": "Broken", "video20": "bad\x00\xffname\n",
	} {
		write("dev/"+node, "")
		write("sys/class/video4linux/"+node+"/name", name+"\n")
	}
	write("dev/video", "")
	write("dev/videofoo", "")
	link("dev/v4l/by-id/usb-046d_C920_1234-video-index0", "../../video0")
	link("dev/v4l/by-path/pci-0000-usb-0:1:1.0-video-index0", "../../video0")
	link("dev/v4l/by-path/pci-0000-usb-0:2:1.0-video-index0", "../../video2")
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

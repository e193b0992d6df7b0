package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// Where the two servers of a comparison get their pictures from:
//
//	in the virtual machine    one writer → two v4l2loopback devices → each server reads its own, through V4L2
//	here, where no V4L2 is    the same pictures → .ci/v4l2shim.c → ustreamer, which takes it for a device
//	                                            → a stream over HTTP → layerd, as from a camera on the network
//
// The first is the whole way, but what an emulated processor needs for a system call or a copy says little of a real one. The second has
// the real costs of sending; what it costs to get a picture in differs, and is the same however many look.

// fanoutThere measures in the virtual machine.
func fanoutThere(text string) error {
	p, err := parsePlan(text)
	if err != nil {
		return err
	}
	pictures, err := largePictures()
	if err != nil {
		return err
	}
	feeding, stop := context.WithCancel(context.Background())
	defer stop()
	fed, err := feedDevices(feeding, pictures, p.fps, nodeA, nodeB)
	if err != nil {
		return err
	}
	if err := fanout([]server{ustreamer("/bin/ustreamer", nodeA, 8081), layerd("/bin/layerd", nodeB, "/tmp/layerd", 8080)}, p); err != nil {
		return err
	}
	select {
	case err := <-fed:
		return fmt.Errorf("the pictures stopped: %w", err)
	default:
		return nil
	}
}

// fanoutHere measures on this machine.
func fanoutHere(text, layerdProgram, ustreamerProgram, shim string) error {
	p, err := parsePlan(text)
	if err != nil {
		return err
	}
	pictures, err := largePictures()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "fanout-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	camera := filepath.Join(dir, "camera")
	files := map[string][]byte{camera: nil}
	for i, picture := range pictures {
		stamp(picture, 0, time.Time{}) // the shim fills it in
		files[fmt.Sprintf("%s.%d", camera, i)] = picture
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	web := &http.Server{Handler: networkCamera(pictures, p.fps)}
	defer web.Close()
	go web.Serve(l)
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	there := ustreamer(ustreamerProgram, camera, ports[0])
	there.env = []string{"LD_PRELOAD=" + shim, "SHIM_CAMERA=" + camera, "SHIM_FPS=" + strconv.Itoa(p.fps)}
	return fanout([]server{there, layerd(layerdProgram, "http://"+l.Addr().String()+"/", filepath.Join(dir, "data"), ports[1])}, p)
}

// freePorts are some that nobody listened on a moment ago.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// networkCamera sends the pictures in turn to whoever asks, each with a stamp.
func networkCamera(pictures [][]byte, fps int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=picture")
		out := http.NewResponseController(w)
		tick := time.NewTicker(time.Second / time.Duration(fps))
		defer tick.Stop()
		for n := uint32(1); ; n++ {
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
			picture := slices.Clone(pictures[int(n)%len(pictures)])
			stamp(picture, n, time.Now())
			fmt.Fprintf(w, "--picture\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(picture))
			w.Write(picture)
			w.Write([]byte("\r\n"))
			if out.Flush() != nil {
				return
			}
		}
	}
}

// largePictures are some of the size that a camera sends, with room for a stamp.
func largePictures() (all [][]byte, err error) {
	total := 0
	for i := range 6 {
		p, err := base(wide, high, 46+6*i, uint64(i))
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Insert(p, commentAt, make([]byte, commentEnd-commentAt)...))
		total += len(all[i])
	}
	fmt.Printf("vm: pictures of %d to %d kB, on average %d\n", len(all[0])/1000, len(all[5])/1000, total/6000)
	return all, nil
}

// feedDevices writes the same picture into each device, fps times a second, until ctx ends. The channel tells if it fails.
func feedDevices(ctx context.Context, pictures [][]byte, fps int, devices ...string) (<-chan error, error) {
	var nodes []node
	for _, d := range devices {
		n, err := openFeed(d, wide, high)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	failed := make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Second / time.Duration(fps))
		defer tick.Stop()
		for n := uint32(1); ctx.Err() == nil; n++ {
			<-tick.C
			picture := pictures[int(n)%len(pictures)]
			stamp(picture, n, time.Now())
			for _, to := range nodes {
				if err := to.write(picture); err != nil {
					failed <- err
					return
				}
			}
		}
	}()
	return failed, nil
}

// feedFor plays a camera that sends JPEGs, until it fails.
func feedFor(device string, fps int) error {
	pictures, err := largePictures()
	if err != nil {
		return err
	}
	failed, err := feedDevices(context.Background(), pictures, fps, device)
	if err != nil {
		return err
	}
	return <-failed
}

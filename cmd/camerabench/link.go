package main

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A link between two network namespaces, each with a TUN device of its own. The kernel's TCP runs at both ends; between them a packet waits for
// those before it at the link's rate, is lost now and then, and arrives after the delay:
//
//	namespace near ─▶ tun ─▶ lane ─▶ tun ─▶ namespace far
//
// The kernel's own netem would do, where it is built in.

// shape is one kind of link, the same both ways.
type shape struct {
	name      string
	bytesPerS float64       // 0 = no limit
	delay     time.Duration // one way
	loss      float64       // share of packets
}

// deep is how much waits in a lane before packets are dropped: base stations and routers hold a lot.
const deep = 256 << 10

const (
	near, far         = "layerd-bench-near", "layerd-bench-far"
	nearAddr, farAddr = "10.211.77.1", "10.211.77.2"
	mtu               = 1500
)

// link is both namespaces and what is between them. Ending ctx ends the forwarding; close removes the namespaces.
type link struct {
	mu    sync.Mutex // guards shape and waits
	shape shape
	waits []float64 // ms that each packet to the phone stood in the queue
	tuns  []*os.File
	ended sync.WaitGroup
}

// newLink makes the namespaces, which takes root.
func newLink(ctx context.Context) (*link, error) {
	l := &link{}
	for i, ns := range []string{near, far} {
		_ = ip("netns", "del", ns) // of a run that was killed
		if err := ip("netns", "add", ns); err != nil {
			l.close()
			return nil, err
		}
		tun, err := openTUN(ns)
		if err != nil {
			l.close()
			return nil, err
		}
		l.tuns = append(l.tuns, tun)
		address := [...]string{nearAddr, farAddr}[i]
		for _, args := range [][]string{{"link", "set", "lo", "up"}, {"addr", "add", address + "/24", "dev", "bench0"}, {"link", "set", "bench0", "mtu", fmt.Sprint(mtu), "up"}} {
			if err := ip(append([]string{"-n", ns}, args...)...); err != nil {
				l.close()
				return nil, err
			}
		}
		// A Pi has cubic; some servers have others.
		_ = exec.Command("ip", "netns", "exec", ns, "sh", "-c", "echo cubic > /proc/sys/net/ipv4/tcp_congestion_control").Run()
	}
	for i := range 2 {
		in, out := l.tuns[i], l.tuns[1-i]
		l.ended.Go(func() { l.forward(ctx, in, out, i == 0) })
	}
	return l, nil
}

func (l *link) close() {
	for _, t := range l.tuns {
		t.Close()
	}
	l.ended.Wait()
	for _, ns := range []string{near, far} {
		_ = ip("netns", "del", ns)
	}
}

func (l *link) set(s shape) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shape = s
}

// stood returns how long packets to the phone have stood in the queue since it was last asked, in ms.
func (l *link) stood() []float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	waits := l.waits
	l.waits = nil
	return waits
}

func (l *link) get() shape {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.shape
}

// packet is one on its way.
type packet struct {
	data []byte
	due  time.Time
}

// forward is one lane: it reads packets, and writes each when it is due.
func (l *link) forward(ctx context.Context, in io.Reader, out io.Writer, toPhone bool) {
	var mu sync.Mutex // guards waiting
	waiting := list.New()
	more := make(chan struct{}, 1)
	ctx, end := context.WithCancel(ctx)
	defer end()
	l.ended.Go(func() {
		for ctx.Err() == nil {
			mu.Lock()
			first := waiting.Front()
			if first != nil && !time.Now().Before(first.Value.(packet).due) {
				waiting.Remove(first)
				mu.Unlock()
				_, _ = out.Write(first.Value.(packet).data) // a closed end is the end of the run
				continue
			}
			mu.Unlock()
			if first == nil {
				select {
				case <-more:
				case <-ctx.Done():
				}
				continue
			}
			time.Sleep(time.Until(first.Value.(packet).due))
		}
	})
	var free time.Time // when the link has sent what it has
	buffer := make([]byte, 64<<10)
	for {
		n, err := in.Read(buffer)
		if err != nil {
			return
		}
		s, now := l.get(), time.Now()
		if free.Before(now) {
			free = now
		}
		if s.bytesPerS > 0 {
			if queued := free.Sub(now).Seconds() * s.bytesPerS; queued > deep || rand.Float64() < s.loss {
				continue
			}
			if toPhone {
				l.mu.Lock()
				l.waits = append(l.waits, ms(free.Sub(now)))
				l.mu.Unlock()
			}
			free = free.Add(time.Duration(float64(n) / s.bytesPerS * float64(time.Second)))
		}
		mu.Lock()
		waiting.PushBack(packet{append([]byte(nil), buffer[:n]...), free.Add(s.delay)})
		mu.Unlock()
		select {
		case more <- struct{}{}:
		default:
		}
	}
}

// openTUN makes the device bench0 in a namespace. The thread that went there does not come back: it ends with its goroutine.
func openTUN(ns string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() {
		runtime.LockOSThread()
		file, err := openTUNIn(ns)
		done <- result{file, err}
	}()
	r := <-done
	return r.file, r.err
}

func openTUNIn(ns string) (*os.File, error) {
	there, err := os.Open("/run/netns/" + ns)
	if err != nil {
		return nil, fmt.Errorf("open the namespace: %w", err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter %s: %w", ns, err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	name, err := unix.NewIfreq("bench0")
	if err == nil {
		name.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, name)
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("make a tun device: %w", err)
	}
	return os.NewFile(uintptr(fd), "tun"), nil
}

func ip(args ...string) error {
	out, err := exec.Command("ip", args...).CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return errors.New("ip of Debian's iproute2 is needed")
	}
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// inNamespace is a command that runs there.
func inNamespace(ctx context.Context, ns, program string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", ns, program}, args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(unix.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

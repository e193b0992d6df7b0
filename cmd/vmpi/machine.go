package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// machine is the Raspberry Pi: switched on, and off without a word. Its disk and its USB socket outlast that.
type machine struct {
	kernel, initramfs string
	work              string // folder for sockets and the console's words
	disk              *disk
	lot               *rand.Rand
	boots             int

	cmd  *exec.Cmd
	gone chan struct{} // closed when qemu has ended
	hand hand
	page string // http://127.0.0.1:PORT, of layerd
}

func (m *machine) usb() string     { return filepath.Join(m.work, "usb") }
func (m *machine) console() string { return filepath.Join(m.work, fmt.Sprintf("console.%d", m.boots)) }

// switchOn returns when the agent answers, which is before most of the system is there.
func (m *machine) switchOn() error {
	m.boots++
	ports, err := freePorts(2)
	if err != nil {
		return err
	}
	m.page, m.hand = fmt.Sprintf("http://127.0.0.1:%d", ports[0]), hand{fmt.Sprintf("http://127.0.0.1:%d", ports[1])}
	nbd := filepath.Join(m.work, fmt.Sprintf("disk.%d", m.boots))
	l, err := net.Listen("unix", nbd)
	if err != nil {
		return err
	}
	go func() {
		defer l.Close()
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if err := m.disk.serve(c); err != nil {
			fmt.Fprintln(os.Stderr, "vm: the disk:", err)
		}
	}()
	m.cmd = exec.Command("qemu-system-aarch64", "-M", "virt", "-cpu", "cortex-a72", "-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024",
		"-display", "none", "-monitor", "none", "-no-reboot", "-serial", "file:"+m.console(),
		"-kernel", m.kernel, "-initrd", m.initramfs, "-append", "console=ttyAMA0 loglevel=4 net.ifnames=0 panic=-1",
		"-drive", "if=none,id=disk,format=raw,cache=writeback,file.driver=nbd,file.server.type=unix,file.server.path="+nbd, "-device", "virtio-blk-pci,drive=disk",
		"-netdev", fmt.Sprintf("user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:%d-:8080,hostfwd=tcp:127.0.0.1:%d-:7000", ports[0], ports[1]), "-device", "virtio-net-pci,netdev=net",
		"-device", "qemu-xhci", "-chardev", "socket,id=usb,server=on,wait=off,path="+m.usb(), "-device", "usb-serial,chardev=usb")
	m.cmd.Stderr = os.Stderr
	if err := m.cmd.Start(); err != nil {
		return err
	}
	gone := make(chan struct{})
	m.gone = gone
	go func(cmd *exec.Cmd) {
		cmd.Wait() // how it ended does not matter: it was killed, or its console says more
		close(gone)
	}(m.cmd)
	return m.await("the machine to answer", 5*time.Minute, func() error { _, err := m.hand.run("true"); return err })
}

// switchOff is a power cut. It says what became of what was not flushed.
func (m *machine) switchOff() string {
	m.cmd.Process.Kill()
	<-m.gone
	lost, unsafe := m.disk.cut(m.lot)
	return fmt.Sprintf("of %d blocks that were written and not flushed %d are lost", unsafe, lost)
}

// await tries ok again until it is content. It fails with ok's last error after so long, or at once when the machine is gone.
func (m *machine) await(what string, most time.Duration, ok func() error) error {
	for deadline := time.Now().Add(most); ; {
		err := ok()
		if err == nil {
			return nil
		}
		select {
		case <-m.gone:
			return fmt.Errorf("wait for %s: the machine has ended", what)
		case <-time.After(100 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("wait for %s: not in %v: %w", what, most, err)
		}
	}
}

// within is await for what is a promise: it returns how long it took.
func (m *machine) within(what string, most time.Duration, ok func() error) (time.Duration, error) {
	began := time.Now()
	err := m.await(what, most, ok)
	return time.Since(began).Round(10 * time.Millisecond), err
}

// freePorts are some that nobody listened on a moment ago.
func freePorts(n int) (ports []int, err error) {
	for range n {
		l, e := net.Listen("tcp", "127.0.0.1:0")
		if e != nil {
			return nil, errors.Join(err, e)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

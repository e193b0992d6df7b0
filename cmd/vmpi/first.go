package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// What flows here: the kernel → modules → the disk → /run, with the agent → systemd.
//
// A Raspberry Pi needs none of this; Debian's kernel for arm64 has the drivers of virtual disks as modules. What is ours lies in /run, so that the
// disk stays plain Debian.

const newRoot = "/disk"

// first is the kernel's first process. It returns only an error.
func first() error {
	for _, m := range [][2]string{{"proc", "/proc"}, {"sysfs", "/sys"}, {"devtmpfs", "/dev"}} {
		if err := os.MkdirAll(m[1], 0o755); err != nil {
			return err
		}
		if err := unix.Mount(m[0], m[1], m[0], 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mount %s: %w", m[1], err)
		}
	}
	if err := loadModules(); err != nil {
		return err
	}
	for range 200 { // its partition table is read by and by
		if _, err := os.Stat("/dev/vda"); err == nil {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := os.MkdirAll(newRoot, 0o755); err != nil {
		return err
	}
	if err := unix.Mount("/dev/vda", newRoot, "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	if err := layRun(filepath.Join(newRoot, "run")); err != nil {
		return fmt.Errorf("lay what is ours into /run: %w", err)
	}
	return enter()
}

// loadModules loads what the list names, each after those that it needs.
func loadModules() error {
	list, err := os.Open("/modules/list")
	if err != nil {
		return err
	}
	defer list.Close()
	for lines := bufio.NewScanner(list); lines.Scan(); {
		f, err := os.Open("/modules/" + lines.Text())
		if err != nil {
			return err
		}
		err = unix.FinitModule(int(f.Fd()), "", 0)
		f.Close()
		if err != nil {
			return fmt.Errorf("load %s: %w", lines.Text(), err)
		}
	}
	return nil
}

const agentUnit = `[Unit]
Description=the tests' hand in this machine
DefaultDependencies=no
[Service]
ExecStart=/run/vm/vmpi agent
Restart=always
[Install]
WantedBy=sysinit.target
`

// layRun makes /run, which systemd takes as it is, with this program and a unit that starts it.
func layRun(run string) error {
	if err := unix.Mount("tmpfs", run, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
		return err
	}
	wants := filepath.Join(run, "systemd/system/sysinit.target.wants")
	for _, dir := range []string{wants, filepath.Join(run, "vm")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	program, err := os.ReadFile("/init")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(run, "vm/vmpi"), program, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(run, "systemd/system/vmpi.service"), []byte(agentUnit), 0o644); err != nil {
		return err
	}
	return os.Symlink("../vmpi.service", filepath.Join(wants, "vmpi.service"))
}

// enter makes the disk the root of all, and systemd the first process.
func enter() error {
	for _, dir := range []string{"/proc", "/sys", "/dev"} {
		if err := unix.Mount(dir, newRoot+dir, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("move %s: %w", dir, err)
		}
	}
	if err := os.Chdir(newRoot); err != nil {
		return err
	}
	if err := os.Remove("/init"); err != nil { // it takes memory until the end
		return err
	}
	if err := unix.Mount(newRoot, "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("move the disk: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return unix.Exec("/sbin/init", []string{"/sbin/init"}, []string{"HOME=/", "TERM=linux", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"})
}

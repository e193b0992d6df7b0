package health

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// What flows here: memory, clock, load, and what the machine is.

// memory: a process that the kernel kills is layerd's ffmpeg first, and a print's own last; but then everything is slow.
func (m *Machine) memory() finding {
	info := m.fields("proc/meminfo") // kB
	total, available := info["MemTotal"]<<10, info["MemAvailable"]<<10
	swap := (info["SwapTotal"] - info["SwapFree"]) << 10
	kills := m.fields("proc/vmstat")["oom_kill"] // since 4.13
	if total <= 0 {
		return unknown("The kernel does not tell.")
	}
	found := fmt.Sprintf("%s of %s are free for programs", size(available), size(total))
	if swap > 0 {
		found += fmt.Sprintf(", %s are swapped out", size(swap))
	}
	found += "."
	const less = "Stop what else runs here; make timelapses smaller or later."
	switch {
	case kills > 0:
		return finding{Warn, found + fmt.Sprintf(" It was so short that the kernel killed programs, %d times since this machine was started.", kills), less}
	case available*20 < total || available < 32<<20:
		return finding{Warn, found, less}
	case available*10 < total || swap > total/4:
		return finding{Note, found, ""}
	}
	return ok("%s", found)
}

// earliest is before this program was made: no clock that is right is before it.
func earliest() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) }

func (m *Machine) clock() finding {
	now := m.Kernel.Now()
	synced, err := m.Kernel.Synced()
	if err != nil && m.exists("/run/systemd/timesync/synchronized") { // the service may not ask the kernel; systemd-timesyncd makes this when it has set the clock
		synced, err = true, nil
	}
	const set = "Connect it to the internet, and switch the time service on: sudo timedatectl set-ntp true"
	switch {
	case now.Before(earliest()):
		return finding{Bad, fmt.Sprintf("The clock says %s, which cannot be. Logins and the history go wrong by it.", now.UTC().Format("2 January 2006")), set}
	case err != nil:
		return unknown("The clock says %s UTC; the kernel does not tell whether it is kept right.", now.UTC().Format("15:04"))
	case !synced:
		return finding{Note, fmt.Sprintf("The clock says %s UTC, and nobody keeps it right.", now.UTC().Format("2 January 2006 15:04")), set}
	}
	return ok("It is kept right.")
}

// load1 is how many programs wanted to run or waited for the disk, on average of the last minute.
func (m *Machine) load1() (float64, bool) {
	t, _ := m.text("proc/loadavg")
	first, _, _ := strings.Cut(t, " ")
	v, err := strconv.ParseFloat(first, 64)
	return v, err == nil && v >= 0
}

// processors are those that the kernel counts in /proc/stat.
func (m *Machine) processors() (n int) {
	t, _ := m.text("proc/stat")
	for line := range strings.Lines(t) {
		if strings.HasPrefix(line, "cpu") && !strings.HasPrefix(line, "cpu ") {
			n++
		}
	}
	return n
}

func (m *Machine) load() finding {
	v, known := m.load1()
	n := m.processors()
	if !known || n == 0 {
		return unknown("The kernel does not tell.")
	}
	found := fmt.Sprintf("%.1f on %d processors.", v, n)
	if n == 1 {
		found = fmt.Sprintf("%.1f on one processor.", v)
	}
	if v > float64(3*n) {
		return finding{Warn, found + " More wants to run than can.", "See with top what it is. layerd's print has priority, its pictures have not."}
	}
	return ok("%s", found)
}

func (m *Machine) about() finding {
	kernel, _ := m.text("proc/sys/kernel/osrelease")
	arch := runtime.GOARCH
	if m.Root != "/" {
		arch, _ = m.text("proc/sys/kernel/arch")
	} else if u := (unix.Utsname{}); unix.Uname(&u) == nil {
		arch = unix.ByteSliceToString(u.Machine[:])
	}
	words := []string{m.model(), "Linux " + plain(kernel, 64), plain(arch, 16)}
	if words[0] == "" {
		words = words[1:]
	}
	if name := m.osName(); name != "" {
		words = append(words, name)
	}
	return ok("%s.", strings.Join(words, ", "))
}

func (m *Machine) osName() string {
	t, _ := m.text("etc/os-release")
	for line := range strings.Lines(t) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); found {
			return plain(strings.Trim(name, `"'`), 64)
		}
	}
	return ""
}

// daemon says whether layerd runs, for whoever asks from a terminal.
func (m *Machine) daemon() finding {
	if m.Daemon {
		return finding{}
	}
	said, err := "", error(nil)
	if m.Page != nil {
		said, err = m.Page()
	}
	pid := m.running()
	const alone = " Its ports and cameras were left alone; its page has more: Settings, Health."
	switch {
	case said == "ok":
		return ok("It runs, and its page answers.%s", alone)
	case said != "" && (pid != 0 || said == "printer" || said == "store"):
		return finding{Bad, fmt.Sprintf("It runs, but says that it is not well: %q.", plain(said, 40)), "Look at its log: journalctl -u layerd -n 50. If it stays so: sudo systemctl restart layerd"}
	case pid != 0 && err != nil:
		return finding{Warn, fmt.Sprintf("It runs (process %d), and its page does not answer at the configured address.", pid), "Look at its log: journalctl -u layerd -n 50"}
	case pid != 0:
		return ok("It runs (process %d).%s", pid, alone)
	}
	do := "Start it: layerd"
	if m.exists("usr/lib/systemd/system/layerd.service", "lib/systemd/system/layerd.service", "etc/systemd/system/layerd.service") {
		do = "Start it: sudo systemctl start layerd. If it ends again: journalctl -u layerd -n 50"
	}
	return finding{Note, "It does not run, as far as this user can see.", do}
}

// measure is the numbers that graphs are made of.
func (m *Machine) measure() (n Numbers) {
	set := func(to **float64, v float64, known bool) {
		if known {
			*to = &v
		}
	}
	c, known := m.hottest()
	set(&n.TemperatureC, c, known)
	if bits, known := m.throttled(); known {
		n.Throttled = &bits
	}
	if alarm, known := m.underVoltage(); known {
		n.UnderVoltage = &alarm
	}
	_, dBm, known := m.signal()
	set(&n.SignalDBm, dBm, known)
	load, known := m.load1()
	set(&n.Load1, load, known)
	if info := m.fields("proc/meminfo"); info["MemTotal"] > 0 {
		available, swap := info["MemAvailable"]<<10, (info["SwapTotal"]-info["SwapFree"])<<10
		n.AvailableBytes, n.SwapBytes = &available, &swap
	}
	if kills, there := m.fields("proc/vmstat")["oom_kill"]; there {
		n.OOMKills = &kills
	}
	if room, err := m.Kernel.Disk(m.Data); err == nil && m.Data != "" {
		n.DiskFree, n.DiskTotal = &room.Free, &room.Total
	}
	return n
}

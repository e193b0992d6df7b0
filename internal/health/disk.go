package health

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// What flows here: the data directory ─▶ the file system that it lies on ─▶ room, whether it can be written, and how worn the card is.

const (
	littleFree = 1 << 30   // warn
	noFree     = 200 << 20 // what uploads leave by default
)

// mount is a line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	device  string // "179:2"
	point   string
	options []string // of this mount
	kind    string
	source  string   // "/dev/mmcblk0p2"
	super   []string // options of the file system
}

// mountOf is the mount that a directory lies on.
func (m *Machine) mountOf(dir string) (on mount, known bool) {
	t, _ := m.text("proc/self/mountinfo")
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(t) {
		before, after, found := strings.Cut(line, " - ")
		own, fs := strings.Fields(before), strings.Fields(after)
		if !found || len(own) < 6 || len(fs) < 3 {
			continue
		}
		point := unescape.Replace(own[4])
		inside := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if inside && len(point) >= len(on.point) { // a later one of the same place lies above
			on = mount{own[2], point, strings.Split(own[5], ","), fs[0], fs[1], strings.Split(fs[2], ",")}
			known = true
		}
	}
	return on, known
}

func (m *Machine) disk() finding {
	if m.Data == "" {
		return unknown("It is not known where layerd keeps its data.")
	}
	dir := m.Data
	room, err := m.Kernel.Disk(dir)
	for (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) && dir != filepath.Dir(dir) { // not yet there, or not for our eyes
		dir = filepath.Dir(dir)
		room, err = m.Kernel.Disk(dir)
	}
	if err != nil {
		return unknown("The data directory %s cannot be looked at: %v.", m.Data, err)
	}
	found := fmt.Sprintf("%s of %s are free at %s.", size(room.Free), size(room.Total), dir)
	if to, err := filepath.EvalSymlinks(dir); err == nil { // of a DynamicUser it lies in /var/lib/private
		dir = to
	}
	on, known := m.mountOf(dir)
	counted := m.diskErrors(on)
	switch {
	case known && slices.Contains(on.super, "ro"):
		return finding{Bad, fmt.Sprintf("The file system of %s is read-only.%s The kernel does so after errors.", m.Data, counted), "Save what matters, and put in a new card or disk. Nothing can be stored meanwhile: no upload, no history. The kernel's words: sudo dmesg | grep -i -e ext4 -e mmc"}
	case known && slices.Contains(on.options, "ro") && m.Kernel.MayOpen(dir) != nil: // a service may have a mount of its own there, above one that is read-only for it
		return finding{Bad, m.Data + " is mounted read-only.", "Mount it for writing, or choose another directory with --data."}
	case m.Kernel.MayOpen(m.Data) != nil && m.Daemon:
		return finding{Bad, m.Data + " cannot be written.", "Give it to the user that layerd runs as."}
	case known && (on.kind == "tmpfs" || on.kind == "ramfs"):
		return finding{Bad, m.Data + " lies in memory: it is lost when the machine restarts.", "Choose a directory on a disk or card with --data."}
	case room.Free < noFree:
		return finding{Bad, found + " Uploads are refused.", "Delete files and timelapses on the page, or put in a bigger card."}
	case room.AllInodes > 0 && room.FreeInodes*50 < room.AllInodes:
		return finding{Bad, fmt.Sprintf("The file system of %s has room for %d more files only.", m.Data, room.FreeInodes), "Delete what consists of many small files."}
	case counted != "":
		return finding{Warn, found + counted, "The card or disk may be dying. Make a backup, and have the file system checked: add fsck.mode=force to the kernel command line (cmdline.txt) for one start"}
	case room.Free < littleFree || room.Free*20 < room.Total:
		return finding{Warn, found, "Delete files and timelapses on the page before there is no room for uploads."}
	}
	return ok("%s", found)
}

// diskErrors is what ext4 has counted since its last check (Documentation/ABI/testing/sysfs-fs-ext4); "" none, or not known.
func (m *Machine) diskErrors(on mount) string {
	if n, there := m.number("sys/fs/ext4/" + filepath.Base(on.source) + "/errors_count"); there && n > 0 {
		return fmt.Sprintf(" It has counted %d errors.", n)
	}
	return ""
}

// wear: only eMMC says how worn it is (JESD84-B51, EXT_CSD 267 to 269; Documentation/driver-api/mmc/mmc-dev-attrs.rst). An SD card does not.
func (m *Machine) wear() finding {
	disks := slices.DeleteFunc(m.names("sys/block"), func(name string) bool {
		return !strings.HasPrefix(name, "mmcblk") || strings.Contains(name, "boot") || strings.Contains(name, "rpmb")
	})
	const spare = "Make a backup, and put in a new one before it fails."
	worst := finding{}
	take := func(f finding) {
		if worst.level == "" || rank(f.level) < rank(worst.level) {
			worst = f
		}
	}
	for _, name := range disks {
		dir := "sys/block/" + name + "/device/"
		life, told := m.text(dir + "life_time")
		eol, _ := m.text(dir + "pre_eol_info")
		if !told {
			take(unknown("The SD card %s does not tell how worn it is; none does.", name))
			continue
		}
		var used int64
		for _, w := range strings.Fields(life) { // "0x01 0x02": tenths of its life, of two kinds of memory; 11 = more than planned
			if n, err := strconv.ParseInt(strings.TrimPrefix(w, "0x"), 16, 64); err == nil && n >= 0 && n <= 11 {
				used = max(used, n)
			}
		}
		n, _ := strconv.ParseInt(strings.TrimPrefix(eol, "0x"), 16, 64)
		found := fmt.Sprintf("%s has used up to %d %% of its life.", name, used*10)
		switch {
		case used > 10 || n == 3:
			take(finding{Bad, found + " Its reserve is nearly gone.", spare})
		case used >= 9 || n == 2:
			take(finding{Warn, found, spare})
		case used == 0:
			take(unknown("%s does not say how worn it is.", name))
		default:
			take(ok("%s", found))
		}
	}
	return worst
}

package health

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What flows here: a name below the root ─▶ its text, its folder, its link; each bounded, and empty when it is not there.

const (
	mostBytes     = 64 << 10
	mostEntries   = 4096
	mostProcesses = 8192
	mostFiles     = 256 // open ones of a process that are looked at
)

func (m *Machine) path(name string) string { return filepath.Join(m.Root, name) }

// text is a small file without the white space around it. It opens nothing that could hang as a pipe or do something as a device.
func (m *Machine) text(name string) (string, bool) {
	f, err := os.OpenFile(m.path(name), os.O_RDONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return "", false
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", false
	}
	b, err := io.ReadAll(io.LimitReader(f, mostBytes))
	if err != nil {
		return "", false
	}
	return strings.TrimSpace(strings.Trim(string(b), "\x00")), true
}

// number is a small file with one whole number.
func (m *Machine) number(name string) (int64, bool) {
	t, there := m.text(name)
	n, err := strconv.ParseInt(t, 10, 64)
	return n, there && err == nil
}

// names are what is in a folder, sorted.
func (m *Machine) names(dir string) []string {
	f, err := os.Open(m.path(dir))
	if err != nil {
		return nil
	}
	defer f.Close()
	names, _ := f.Readdirnames(mostEntries)
	slices.SortFunc(names, func(a, b string) int { // video2 before video10
		return cmp.Or(len(a)-len(b), strings.Compare(a, b))
	})
	return names
}

func (m *Machine) exists(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		_, err := os.Stat(m.path(name))
		return err == nil
	})
}

// link is the last part of what a link points to; "" when it is none.
func (m *Machine) link(name string) string {
	to, err := os.Readlink(m.path(name))
	if err != nil {
		return ""
	}
	return filepath.Base(to)
}

// fields are the numbers of a file of lines such as "MemFree:  123 kB".
func (m *Machine) fields(name string) map[string]int64 {
	out := map[string]int64{}
	t, _ := m.text(name)
	for line := range strings.Lines(t) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		if n, err := strconv.ParseInt(words[1], 10, 64); err == nil {
			out[strings.TrimSuffix(words[0], ":")] = n
		}
	}
	return out
}

// process is one that runs. Its name is its own choice.
type process struct {
	pid  int
	name string
}

// processes are those that we are let see, without ourselves; under a hardened unit only our own.
func (m *Machine) processes() (all []process) {
	for _, name := range m.names("proc") {
		pid, err := strconv.Atoi(name)
		if err != nil || pid == m.Kernel.PID || len(all) >= mostProcesses {
			continue
		}
		if comm, there := m.text("proc/" + name + "/comm"); there {
			all = append(all, process{pid, plain(comm, 32)})
		}
	}
	return all
}

// holders says who has a device open, as far as we are let see it: as root of everybody, else of our own user.
func (m *Machine) holders(device string) []process {
	if strings.HasPrefix(device, "/dev/pts/") {
		return nil // a pseudo-terminal is held by who made it
	}
	return slices.DeleteFunc(m.processes(), func(p process) bool {
		dir := "proc/" + strconv.Itoa(p.pid) + "/fd"
		names := m.names(dir)
		return !slices.ContainsFunc(names[:min(len(names), mostFiles)], func(fd string) bool {
			to, err := os.Readlink(m.path(dir + "/" + fd))
			return err == nil && to == device
		})
	})
}

// groupOf is the name of a file's group, else its number; "" when there is no such file.
func (m *Machine) groupOf(path string) string {
	gid, err := m.Kernel.Owner(path)
	if err != nil {
		return ""
	}
	groups, _ := m.text("etc/group")
	for line := range strings.Lines(groups) {
		if words := strings.Split(strings.TrimSpace(line), ":"); len(words) >= 3 && words[2] == strconv.Itoa(gid) {
			return plain(words[0], 32)
		}
	}
	return strconv.Itoa(gid)
}

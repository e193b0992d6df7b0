package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// What flows here: printsim on a pseudo-terminal → the record of what it executed → what a test says about it.

// machine is a pretend printer.
type machine struct {
	*child
	link, record string
}

// switchOn starts a pretend printer on a new link, and waits until a host can open it.
func switchOn(t *testing.T, args ...string) *machine {
	t.Helper()
	return switchOnAt(t, filepath.Join(t.TempDir(), "printer"), args...)
}

func switchOnAt(t *testing.T, link string, args ...string) *machine {
	t.Helper()
	m := &machine{link: link, record: filepath.Join(t.TempDir(), "record")}
	m.child = begin(t, plain(t), printsimProgram, append([]string{"--link", m.link, "--record", m.record}, args...)...)
	m.await("the printer's port", func() bool { return strings.HasPrefix(m.out.String(), m.link+"\n") })
	return m
}

// executed is what the printer has executed so far, in order; the newest second may be missing until it is switched off.
func (m *machine) executed() []string {
	m.t.Helper()
	raw, err := os.ReadFile(m.record)
	if err != nil {
		m.t.Fatal(err)
	}
	raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	var all []string
	for line := range strings.Lines(string(raw)) {
		_, text, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if !ok {
			m.t.Fatalf("a line of the record is %q", line)
		}
		all = append(all, text)
	}
	return all
}

// switchOff ends the printer and returns all that it has executed.
func (m *machine) switchOff() []string {
	m.t.Helper()
	if code, _ := m.stop(syscall.SIGTERM); code != 0 {
		m.t.Errorf("printsim ended with %d", code)
	}
	return m.executed()
}

// unplug takes the port away without a word. The link goes first: its pseudo-terminal's number may be another printer's in a moment.
func (m *machine) unplug() {
	m.t.Helper()
	if err := os.Remove(m.link); err != nil {
		m.t.Error(err)
	}
	m.stop(syscall.SIGKILL)
}

// mark puts a command into the record by the port itself, past the daemon.
func (m *machine) mark(command string) {
	m.t.Helper()
	fd, err := unix.Open(m.link, unix.O_WRONLY|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		m.t.Fatal(err)
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte("\n"+command+"\n")); err != nil {
		m.t.Fatal(err)
	}
	m.await(command+" in the record", func() bool { return slices.Contains(m.executed(), command) })
}

// word is the command's word: "G1" of "G1 X5".
func word(command string) string {
	w, _, _ := strings.Cut(command, " ")
	return w
}

// asks are the commands that only ask, and move and heat nothing.
var asks = []string{"M105", "M110", "M114", "M115", "M118", "M155", "M876"}

// withoutAsking leaves out what only asks, and M400, which only waits.
func withoutAsking(commands []string) []string {
	return slices.DeleteFunc(slices.Clone(commands), func(c string) bool { return word(c) == "M400" || slices.Contains(asks, word(c)) })
}

// realFile is a slicer's file: name in the shared corpus where that is there, else the small one of this repository.
func realFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../../../shared/corpus", name))
	if os.IsNotExist(err) {
		t.Logf("no ../shared/corpus/%s here: printing testdata/small.gcode in its place", name)
		return ring(t)
	}
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// ring is the small file: thirty layers, about seven minutes on a real printer.
func ring(t *testing.T) []byte {
	t.Helper()
	content, err := os.ReadFile("../../testdata/small.gcode")
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// commandsOf are the commands of a file as slicers write them: ';' begins a comment.
func commandsOf(content []byte) []string {
	var all []string
	for line := range strings.Lines(string(content)) {
		line, _, _ = strings.Cut(line, ";")
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// same fails the test at the first difference between what was executed and what should have been.
func same(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d commands were executed, want %d; the first that differs is number %d: got %q, want %q",
				len(got), len(want), i+1, got[min(i, len(got)):min(i+4, len(got))], want[min(i, len(want)):min(i+4, len(want))])
		}
	}
}

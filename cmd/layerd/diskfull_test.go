package main

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"layerd/internal/server"
	"layerd/printer"
)

// The disk fills up in mid-print, to its last byte: the print goes on, taps are taken, what cannot be kept is refused and not said to be kept, and when there is
// room again all that was acknowledged is there, and the history has the whole print.
func TestADiskThatFillsUpInMidPrint(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=8m"); err != nil {
		t.Logf("no small disk can be mounted here (%v): the tests of internal/store stand for it", err)
		return
	}
	t.Cleanup(func() { unix.Unmount(disk, unix.MNT_DETACH) })
	m := switchOn(t, "--speed", "40", "--heat", "100", "--advanced-ok")
	d := startDaemon(t, filepath.Join(disk, "data"), port(m.link, "LAYERD_FILES_MIN_FREE_MB=1"))
	content := ring(t)
	d.reach(printer.Idle)
	token := d.newToken("operator")
	job := d.start("ring.gcode", content)
	d.until("some lines", func(s server.State) bool { return s.Job != nil && s.Job.Line > 100 })

	filler := fill(t, disk)
	d.until("a page that says so", func(s server.State) bool { return s.FreeBytes >= 0 && s.FreeBytes < 1<<20 })
	if status, body := d.ask("PUT", "/v1/files/more.gcode", d.token, strings.NewReader("G28\n")); status != http.StatusInsufficientStorage {
		t.Errorf("an upload onto a full disk: status %d, %s", status, body)
	}
	if status, a := d.try(token, `{"do":"pause","job":%q}`, job); status != http.StatusOK {
		t.Errorf("Pause beside a full disk: status %d, %+v", status, a)
	}
	d.reach(printer.Paused)
	if status, a := d.try(token, `{"do":"resume","job":%q}`, job); status != http.StatusOK {
		t.Errorf("Resume beside a full disk: status %d, %+v", status, a)
	}
	if s := d.until("end of the print", func(s server.State) bool { return s.Job == nil }); s.LastJob == nil || s.LastJob.Outcome != "done" || s.Fault != nil {
		t.Errorf("it ended as %+v, fault %+v", s.LastJob, s.Fault)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if row := d.row(job); row.Outcome != "done" || row.Percent != 100 {
		t.Errorf("with room again the history has %+v", row)
	}
	if files := d.files(); len(files) != 1 || files[0].Path != "ring.gcode" || files[0].Bytes != int64(len(content)) {
		t.Errorf("the files are %+v", files)
	}
	d.end(5 * time.Second)
	// Where it paused, the head parks and comes back: that is between two lines of the file, which are all there.
	got, want := m.switchOff(), commandsOf(content)
	for _, line := range got {
		if len(want) > 0 && line == want[0] {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		t.Errorf("%d lines were not printed, from %q on; the printer had %d, and home %v", len(want), want[0], len(got), slices.Contains(got, "G28"))
	}
}

// fill leaves no byte free, and returns the file that takes them.
func fill(t *testing.T, disk string) string {
	t.Helper()
	name := filepath.Join(disk, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for chunk := make([]byte, 4096); err == nil; {
		_, err = f.Write(chunk)
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return name
}

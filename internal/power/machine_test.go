package power

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheMachineIsAskedByAFile(t *testing.T) {
	dir, wants := t.TempDir(), t.TempDir()
	m := Machine{Dir: dir, Units: []string{filepath.Join(wants, "*.wants")}}
	if m.Can(Reboot) || m.Can(Shutdown) || !errors.Is(m.Do(t.Context(), Reboot), ErrMachine) {
		t.Error("without its units it can be asked")
	}
	if err := os.Mkdir(filepath.Join(wants, "paths.target.wants"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/lib/systemd/system/layerd-reboot.path", filepath.Join(wants, "paths.target.wants/layerd-reboot.path")); err != nil {
		t.Fatal(err)
	}
	if !m.Can(Reboot) || m.Can(Shutdown) || m.Can("../../etc/passwd") || (Machine{Units: m.Units}).Can(Reboot) {
		t.Errorf("got reboot %v, shutdown %v, want the one whose unit is there", m.Can(Reboot), m.Can(Shutdown))
	}
	synctest.Test(t, func(t *testing.T) {
		done := make(chan error)
		go func() { done <- m.Do(t.Context(), Reboot) }()
		synctest.Wait()
		if _, err := os.Stat(filepath.Join(dir, "reboot")); err != nil {
			t.Error(err)
		}
		os.Remove(filepath.Join(dir, "reboot")) // as the unit does
		if err := <-done; err != nil {
			t.Errorf("heard: got %v", err)
		}
		before := time.Now()
		if err := m.Do(t.Context(), Reboot); !errors.Is(err, ErrMachine) || time.Since(before) != heardWithin {
			t.Errorf("not heard: got %v after %v", err, time.Since(before))
		}
		if _, err := os.Stat(filepath.Join(dir, "reboot")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the wish is still there: %v", err)
		}
	})
}

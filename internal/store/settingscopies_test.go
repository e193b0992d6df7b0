package store

import (
	"errors"
	"fmt"
	"testing"
)

func TestSettingsCopies(t *testing.T) {
	s := open1(t)
	keep := func(text, firmware string) SettingsCopy {
		t.Helper()
		c, err := s.KeepSettings(t.Context(), SettingsCopy{AtMS: 5, Firmware: firmware, Machine: "Ender-3", Why: "before '; DROP", Text: text})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := keep("M92 X80\nM500\n", "Marlin 2.1")
	if first.ID == 0 || first.Lines != 2 || len(first.SHA256) != 64 {
		t.Errorf("got %+v", first)
	}
	if again := keep("M92 X80\nM500\n", "Marlin 2.1"); again != first {
		t.Errorf("the same again: got %+v, want %+v", again, first)
	}
	if other := keep("M92 X80\nM500\n", "Marlin 2.2"); other.ID == first.ID {
		t.Error("the same text of another firmware was taken for the same")
	}
	got, err := s.SettingsCopy(t.Context(), first.ID)
	if err != nil || got != first || got.Text != "M92 X80\nM500\n" {
		t.Errorf("got %+v, %v", got, err)
	}
	if err := s.DropSettingsCopy(t.Context(), first.ID); err != nil {
		t.Error(err)
	}
	if _, err := s.SettingsCopy(t.Context(), first.ID); !errors.Is(err, ErrNoCopy) {
		t.Errorf("a deleted one: %v", err)
	}
	if err := s.DropSettingsCopy(t.Context(), first.ID); !errors.Is(err, ErrNoCopy) {
		t.Errorf("deleted twice: %v", err)
	}
	for i := range keptCopies + 5 {
		keep(fmt.Sprintf("M92 X%d\n", i), "Marlin 2.1")
	}
	all, err := s.SettingsCopies(t.Context())
	if err != nil || len(all) != keptCopies || all[0].Text != fmt.Sprintf("M92 X%d\n", keptCopies+4) || all[keptCopies-1].Text != "M92 X5\n" {
		t.Errorf("got %d copies, %v, the newest %+v", len(all), err, all[0])
	}
}

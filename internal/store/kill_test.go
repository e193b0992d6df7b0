package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// This test program, started again with killedDir set, is the daemon that gets killed.
const killedDir = "STORE_TEST_KILLED_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		fmt.Fprintln(os.Stderr, printUntilKilled(dir))
		os.Exit(1)
	}
	if dir := os.Getenv(powerDir); dir != "" {
		if err := stepUntilDone(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// printUntilKilled stores a file, begins a print and journals it for ever, saying each line when it is kept. Meanwhile an upload is half way.
func printUntilKilled(dir string) error {
	ctx := context.Background()
	s, err := Open(dir, Limits{MinFreeBytes: 1})
	if err != nil {
		return err
	}
	text := part(50)
	if _, err := s.Put(ctx, "whole.gcode", strings.NewReader(text), int64(len(text)), false); err != nil {
		return err
	}
	halfway := make(chan struct{})
	source, came := endlessGCode(), 0
	go s.Put(ctx, "half.gcode", readFunc(func(b []byte) (int, error) {
		if came++; came == 50 {
			close(halfway)
			select {}
		}
		return source.Read(b)
	}), -1, false)
	<-halfway
	id, err := s.SaveSpool(ctx, SpoolEdit{Name: "red", DiameterMM: 1.75, DensityGCM3: 1.24, WeightG: 1000})
	if err != nil {
		return err
	}
	if err := s.PutOn(ctx, ActiveSpool{Spool: id, Name: "red", GPerM: 3}); err != nil {
		return err
	}
	if _, err := s.AddToQueue(ctx, "whole.gcode", 2, "Anna"); err != nil {
		return err
	}
	p := Print{ID: "killed", File: "whole.gcode", By: "Anna", Entry: 1}
	if err := s.BeginPrint(ctx, p); err != nil {
		return err
	}
	for p.Line = 1; ; p.Line++ {
		p.Offset = 100 * p.Line
		p.FilamentMM, p.ToolsMM = float64(10*p.Line), []float64{float64(10 * p.Line)}
		if err := s.Journal(ctx, p); err != nil {
			return err
		}
		fmt.Println(p.Line)
	}
}

func TestKilledInMidPrint(t *testing.T) {
	dir := t.TempDir()
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(os.Environ(), killedDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var kept int64
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if _, err := fmt.Sscan(lines.Text(), &kept); err != nil {
			t.Fatal(err)
		}
		if kept == 10 {
			if _, err := Open(dir, Limits{}); err == nil {
				t.Error("the directory of a running daemon was opened")
			}
			child.Process.Kill()
		}
	}
	if err := child.Wait(); err == nil || kept < 10 {
		t.Fatalf("the child ended by itself after %d lines", kept)
	}

	s := openIn(t, dir)
	p, found, err := s.LastPrint(t.Context())
	if err != nil || !found || p.ID != "killed" || p.By != "Anna" || p.Outcome != interrupted || p.Reason != stoppedPrinting || p.EndedMS < p.StartedMS {
		t.Errorf("got %+v, %v, want it interrupted", p, err)
	}
	if p.Line < kept || p.Offset != 100*p.Line {
		t.Errorf("journal: got line %d, offset %d, want line %d or later", p.Line, p.Offset, kept)
	}
	// The spool has lost exactly what the journal says, and the copy that was not done is still to be printed.
	if spools, err := s.Spools(t.Context()); err != nil || len(spools) != 1 || spools[0].UsedMM != 10*float64(p.Line) || p.FilamentMM != spools[0].UsedMM {
		t.Errorf("got spools %+v, %v, want %d mm used", spools, err, 10*p.Line)
	}
	if q, err := s.Queue(t.Context()); err != nil || len(q) != 1 || q[0].Copies != 2 || q[0].Print != "" {
		t.Errorf("got queue %+v, %v", q, err)
	}
	if got := strings.Join(leftBehind(t, s), " "); got != "files/whole.gcode" {
		t.Errorf("on the disk: %s, want the whole file alone", got)
	}
	if readBack(t, s, "whole.gcode") != part(50) {
		t.Error("the file is not whole")
	}
	if f, err := s.Stat(t.Context(), "whole.gcode"); err != nil || f.SHA256 != p.SHA256 || f.LastOutcome != interrupted || f.Layers != 50 {
		t.Errorf("got %+v, %v", f, err)
	}
	if err := s.Delete(t.Context(), "whole.gcode"); err != nil {
		t.Errorf("the file of a print that is over: %v", err)
	}
}

package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"layerd/gcode"
)

// What is measured is processor time of this process, all of it, while it may use one processor: that is the time of one core, whatever others have
// of the machine meanwhile. The best of a few rounds counts.

const (
	rounds     = 3
	roundBytes = 12 << 20 // as often as needed for so much
	weighty    = 500_000  // bytes; of smaller files the beginning is all: pictures are decoded, buffers are made
)

const (
	surveyGoal = 80e6 // bytes a second
	scanGoal   = 300e6
	unpackGoal = 100e6
)

// rate is how many bytes a second work does, each time of which yields bytes.
func rate(bytes int64, work func() error) (perSecond float64, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	times := max(1, roundBytes/bytes)
	best := math.Inf(1)
	for range rounds {
		runtime.GC() // what was left by others
		before := usedTime()
		for range times {
			if err := work(); err != nil {
				return 0, err
			}
		}
		best = min(best, (usedTime() - before).Seconds())
	}
	return float64(times*bytes) / best, nil
}

// usedTime is what this process has used of processors.
func usedTime() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// speed surveys every file from the disk, and scans it.
func (b *bench) speed() error {
	fmt.Println("\n## Survey with time model, and scan only: plain text from the disk's cache, one core")
	var t table
	t.add("file", "bytes", "survey MB/s", "scan MB/s")
	slowest, slowestScan, weighed := math.Inf(1), math.Inf(1), 0
	for _, f := range b.files {
		survey, err := rate(f.size, f.survey)
		if err != nil {
			return err
		}
		scan, err := rate(f.size, f.scan)
		if err != nil {
			return err
		}
		t.add(f.name, f.size, whole(survey/1e6), whole(scan/1e6))
		if f.size >= weighty {
			slowest, slowestScan = min(slowest, survey), min(slowestScan, scan)
			weighed++
		}
	}
	t.print()
	if weighed > 0 {
		goal(fmt.Sprintf("survey ≥ %.0f MB/s", surveyGoal/1e6), fmt.Sprintf("%.0f MB/s, the slowest of files of 500 kB and more", slowest/1e6), slowest >= surveyGoal)
		goal(fmt.Sprintf("scan only ≥ %.0f MB/s", scanGoal/1e6), fmt.Sprintf("%.0f MB/s, the slowest", slowestScan/1e6), slowestScan >= scanGoal)
	}
	return nil
}

func (f file) survey() error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	if _, err := gcode.SurveyFile(in); err != nil {
		return fmt.Errorf("survey %s: %w", f.name, err)
	}
	return nil
}

func (f file) scan() error {
	in, err := os.Open(f.path)
	if err != nil {
		return err
	}
	defer in.Close()
	s := gcode.NewScanner(in)
	for s.Scan() {
	}
	return s.Err()
}

// drain reads all there is, and says how much that was.
func drain(r io.Reader) (int64, error) { return io.Copy(io.Discard, r) }

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// life is what the packages are put through, in the order of live.
type life struct {
	image, kernel, initramfs, feeder, file, work string
	seed                                         uint64
	packages                                     [3]string // each newer than the one before

	*machine
	*page
	board *board
	want  []string  // commands of the file that is printed
	began time.Time // when this machine was switched on last
}

// The board moves so many times faster than a real one: the file, seven minutes long, takes one.
const boardSpeed = 8

func (l *life) live() error {
	content, err := os.ReadFile(l.file)
	if err != nil {
		return err
	}
	l.want = commandsOf(content)
	disk, err := openDisk(l.image)
	if err != nil {
		return err
	}
	l.machine = &machine{kernel: l.kernel, initramfs: l.initramfs, work: l.work, disk: disk, lot: rand.New(rand.NewPCG(l.seed, 0))}
	if l.page, err = newPage(l.machine); err != nil {
		return err
	}
	ctx, end := context.WithCancel(context.Background())
	defer end()
	if l.board, err = switchOnBoard(ctx, boardSpeed); err != nil {
		return err
	}
	all := time.Now()
	for _, part := range []func() error{l.install, l.printWell, l.stuck, l.upgrade, l.powerCuts, l.lookBack, l.byThePage, l.remove} {
		if err := part(); err != nil {
			l.tell()
			return err
		}
	}
	l.cmd.Process.Kill()
	<-l.gone
	fmt.Printf("vm: passed, in %v; %d MiB were written\n", time.Since(all).Round(time.Second), disk.written())
	return nil
}

// step does one thing, and says what it found and how long it took.
func (l *life) step(name string, do func() (found string, err error)) error {
	began := time.Now()
	found, err := do()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	fmt.Printf("vm: %-48s ok  %6.1f s  %s\n", name, time.Since(began).Seconds(), found)
	return nil
}

// steps are done until one fails.
type steps []struct {
	name string
	do   func() (string, error)
}

func (l *life) all(list steps) error {
	for _, s := range list {
		if err := l.step(s.name, s.do); err != nil {
			return err
		}
	}
	return nil
}

// tell shows what the machine said, for whoever has to find out.
func (l *life) tell() {
	if l.cmd == nil {
		return
	}
	for boot := range l.boots {
		text, err := os.ReadFile(strings.TrimSuffix(l.console(), fmt.Sprint(l.boots)) + fmt.Sprint(boot+1))
		fmt.Fprintf(os.Stderr, "--- the console of boot %d (%v):\n%s\n", boot+1, err, lastLines(string(text), 60))
	}
	for _, look := range [][]string{{"journalctl", "-b", "--no-pager", "-n", "120", "-o", "short-monotonic"}, {"systemctl", "status", "--no-pager", "-n", "0", "layerd"}, {"systemctl", "--failed", "--no-pager"}} {
		got, err := l.hand.try(look...)
		fmt.Fprintf(os.Stderr, "--- %s (%v):\n%s\n", strings.Join(look, " "), err, got.Out)
	}
	executed := l.board.executed(0)
	fmt.Fprintf(os.Stderr, "--- the printer, last:\n%s\n", strings.Join(executed[max(0, len(executed)-10):], "\n"))
	l.cmd.Process.Kill()
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// property is what systemd says of layerd's unit.
func (l *life) property(name string) (string, error) {
	return l.hand.run("systemctl", "show", "layerd.service", "--value", "--property="+name)
}

// sinceBoot is the machine's own clock.
func (l *life) sinceBoot() (string, error) {
	up, err := l.hand.run("cat", "/proc/uptime")
	seconds, _, _ := strings.Cut(up, " ")
	return seconds + " s after the kernel began", err
}

// served waits until the page answers.
func (l *life) served() (string, error) {
	took, err := l.within("the page", 5*time.Minute, func() error {
		var text []byte
		if err := l.ask("GET", "/", nil, 200, &text); err != nil {
			return err
		}
		if !strings.Contains(string(text), "<html") && !strings.Contains(string(text), "<!doctype") {
			return fmt.Errorf("no page: %.100s", text)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	up, err := l.sinceBoot()
	return fmt.Sprintf("after %v, %s", took, up), err
}

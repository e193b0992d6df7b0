package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// What happens to a Pi: a daemon that is stuck, new versions, power cuts. All in mid-print.

// stuck stops the daemon dead. The unit's WatchdogSec is waited for, and what an emulated processor needs to dump and to start.
func (l *life) stuck() error {
	var job, pid string
	mark := 0
	return l.all(steps{
		{"the daemon is stopped dead in mid-print", func() (string, error) {
			var err error
			if job, mark, err = l.printing(700); err != nil {
				return "", err
			}
			if pid, err = l.property("MainPID"); err != nil {
				return "", err
			}
			_, err = l.hand.run("sh", "-c", "kill -STOP "+pid)
			return "process " + pid, err
		}},
		{"the watchdog ends it and starts another", func() (string, error) {
			took, err := l.restarted(pid, 4*time.Minute)
			if err != nil {
				return "", err
			}
			words, err := l.hand.run("sh", "-c", "journalctl --unit=layerd --no-pager --output=cat | grep -i watchdog")
			first, _, _ := strings.Cut(words, "\n")
			return fmt.Sprintf("after %v: %s", took, first), err
		}},
		{"the page is served", l.served},
		{"the print is shown as broken off", func() (string, error) { return l.interrupted(job, mark) }},
		{"the printer is found again, and cooled by hand", l.cool},
	})
}

// printing starts a print and waits until it has come to a line.
func (l *life) printing(line int64) (job string, mark int, err error) {
	mark = l.board.mark()
	if job, err = l.do(`{"do":"start","file":"small.gcode","anyway":true}`); err != nil {
		return "", 0, err
	}
	return job, mark, l.atLine(line)
}

// restarted waits until the unit is active with another process.
func (l *life) restarted(pid string, most time.Duration) (time.Duration, error) {
	return l.within("another process", most, func() error {
		now, err := l.property("MainPID")
		if err != nil {
			return err
		}
		active, err := l.property("ActiveState")
		if err == nil && (now == pid || now == "0" || active != "active") {
			err = fmt.Errorf("process %s, %s", now, active)
		}
		return err
	})
}

// cool turns the heaters off, as a person would after a print that was broken off: nothing does that by itself at once.
func (l *life) cool() (string, error) {
	took, err := l.reach("the printer", time.Minute, idle)
	if err != nil {
		return "", err
	}
	for _, command := range []string{`{"do":"set_nozzle","target_c":0}`, `{"do":"set_bed","target_c":0}`} {
		if _, err := l.do("%s", command); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("after %v", took), nil
}

// upgrade installs the second package while nothing is printed, and the third in mid-print.
func (l *life) upgrade() error {
	var job, pid, before string
	mark := 0
	return l.all(steps{
		{"an upgrade while nothing is printed restarts it", func() (string, error) {
			if err := l.unbusy(); err != nil {
				return "", err
			}
			pid, err := l.property("MainPID")
			if err != nil {
				return "", err
			}
			if before, err = l.dpkg(1); err != nil {
				return "", err
			}
			took, err := l.restarted(pid, time.Minute)
			if err != nil {
				return "", err
			}
			if _, err := l.served(); err != nil {
				return "", err
			}
			s, err := l.state()
			return fmt.Sprintf("%s: the page says %s, %v later", before, s.Version, took), err
		}},
		{"an upgrade in mid-print leaves that alone", func() (string, error) {
			if _, err := l.reach("the printer", time.Minute, idle); err != nil {
				return "", err
			}
			var err error
			if job, mark, err = l.printing(500); err != nil {
				return "", err
			}
			if pid, err = l.property("MainPID"); err != nil {
				return "", err
			}
			installed, err := l.dpkg(2)
			if err != nil {
				return "", err
			}
			now, err := l.property("MainPID")
			if err == nil && now != pid {
				err = fmt.Errorf("process %s has become %s", pid, now)
			}
			s, e := l.state()
			if err = errors.Join(err, e); err == nil && (s.Job == nil || s.Job.ID != job) {
				err = fmt.Errorf("the print is gone: %+v", s.Job)
			}
			return fmt.Sprintf("%s; the page still says %s", installed, s.Version), err
		}},
		{"that print ends well, each line once", func() (string, error) { return l.printed(job, mark) }},
		{"then the new version takes over by itself", func() (string, error) {
			took, err := l.restarted(pid, 3*time.Minute)
			if err != nil {
				return "", err
			}
			if _, err := l.served(); err != nil {
				return "", err
			}
			s, err := l.state()
			return fmt.Sprintf("%v later the page says %s", took, s.Version), err
		}},
	})
}

// unbusy waits until a restart would hurt nothing.
func (l *life) unbusy() error {
	return l.await("the printer to be cold", time.Minute, func() error {
		got, err := l.hand.try("test", "-e", "/run/layerd/busy")
		if err == nil && got.Code == 0 {
			err = errors.New("/run/layerd/busy is there")
		}
		return err
	})
}

// powerCuts takes the power away in mid-print and in mid-upload, once what was changed just before has been acknowledged.
func (l *life) powerCuts() error {
	content, err := os.ReadFile(l.file)
	if err != nil {
		return err
	}
	kept := append([]byte("; kept\n"), content...)
	var job string
	mark, minutes := 0, 77
	return l.all(steps{
		{"in mid-print and mid-upload the power goes", func() (string, error) {
			if _, err := l.reach("the printer", time.Minute, idle); err != nil {
				return "", err
			}
			var err error
			if job, mark, err = l.printing(700); err != nil {
				return "", err
			}
			under := l.slowUpload("cut.gcode")
			if _, err := l.do(`{"do":"set_cooling","cooling":{"standing_nozzle_min":5,"standing_bed_min":60,"idle_min":%d}}`, minutes); err != nil {
				return "", err
			}
			if err := l.upload("kept.gcode", kept); err != nil {
				return "", err
			}
			found := l.switchOff() // at once: what is lost was not acknowledged
			l.board.unplug()
			return found, <-under
		}},
		{"switched on again", l.boot},
		{"the page is served", l.served},
		{"the drivers are loaded, with nothing plugged in", l.modulesLoaded},
		{"nothing is broken on the disk", func() (string, error) {
			got, err := l.hand.try("sh", "-c", "dmesg | grep -E 'EXT4-fs (error|warning)'")
			if err == nil && got.Out != "" {
				err = errors.New(got.Out)
			}
			if err != nil {
				return "", err
			}
			return l.hand.run("sh", "-c", "dmesg | grep -o 'EXT4-fs (vda): .*' | head -n 1")
		}},
		{"who was logged in still is", func() (string, error) {
			s, err := l.state()
			if err == nil && s.Me.Role != "owner" {
				err = fmt.Errorf("it is %+v", s.Me)
			}
			return s.Me.Name + ", " + s.Me.Role, err
		}},
		{"the file that was acknowledged is whole", func() (string, error) { return l.whole("kept.gcode", kept) }},
		{"the older one, too", func() (string, error) { return l.whole("small.gcode", content) }},
		{"the one that was cut off has left nothing", l.cutOff},
		{"the setting is as it was acknowledged", func() (string, error) {
			s, err := l.state()
			if got := s.Keeper.Cooling.Idle; err == nil && got != minutes {
				err = fmt.Errorf("idle_min is %d, want %d", got, minutes)
			}
			return fmt.Sprintf("idle_min %d", minutes), err
		}},
		{"the printer is plugged in, a camera is, too", func() (string, error) {
			if err := l.board.plugIn(l.machine); err != nil {
				return "", err
			}
			took, err := l.reach("the printer", time.Minute, idle)
			if err != nil {
				return "", err
			}
			if _, err := l.hand.run("modprobe", "vivid", "n_devs=1"); err != nil {
				return "", err
			}
			camera, err := l.live1(0)
			return fmt.Sprintf("printer after %v; %s", took, camera), err
		}},
		{"the print is shown as broken off", func() (string, error) { return l.interrupted(job, mark) }},
		{"cooled by hand", l.cool},
	})
}

// slowUpload begins one that will not end. The channel says whether it was refused, which it must not be.
func (l *life) slowUpload(name string) <-chan error {
	begun, over := make(chan struct{}), make(chan error, 1)
	reader, writer := io.Pipe()
	go func() {
		for n := range 4000 {
			if _, err := fmt.Fprintf(writer, "G1 X%d Y%d E0.1 ; %s\n", n%200, n%190, strings.Repeat("x", 200)); err != nil {
				return
			}
			if n == 2000 {
				close(begun)
			}
			if n > 2000 {
				time.Sleep(10 * time.Millisecond)
			}
		}
	}()
	go func() {
		r, err := http.NewRequest("PUT", l.page.m.page+"/v1/files/"+name, reader)
		if err != nil {
			over <- err
			return
		}
		r.Header.Set("Origin", l.page.m.page)
		response, err := l.browser.Do(r)
		if err == nil {
			response.Body.Close()
			over <- fmt.Errorf("the upload that was to be cut off was answered %s", response.Status)
			return
		}
		over <- nil
	}()
	<-begun
	return over
}

// cutOff is an error if anything of the upload is there that had no answer.
func (l *life) cutOff() (string, error) {
	var list struct{ Files []struct{ Path string } }
	if err := l.ask("GET", "/v1/files", nil, http.StatusOK, &list); err != nil {
		return "", err
	}
	for _, f := range list.Files {
		if f.Path == "cut.gcode" {
			return "", errors.New("it is listed")
		}
	}
	left, err := l.hand.run("find", "/var/lib/private/layerd/tmp", "-type", "f")
	if err == nil && left != "" {
		err = fmt.Errorf("left: %s", left)
	}
	return fmt.Sprintf("%d files are listed", len(list.Files)), err
}

func (l *life) modulesLoaded() (string, error) {
	loaded, err := l.hand.run("cat", "/proc/devices")
	for _, name := range []string{"ttyUSB", "ttyACM", "video4linux"} {
		if err == nil && !strings.Contains(loaded, name) {
			err = fmt.Errorf("%s is not there", name)
		}
	}
	return "by the package's modules-load.d", err
}

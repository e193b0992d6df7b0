package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	vivid  = "/sys/bus/platform/drivers/vivid/"
	goesOn = 10 * time.Second // a promise of layerd: a print goes on by itself when the cable is back so soon
)

// printWell is a print that ends well, whatever is pulled out meanwhile.
func (l *life) printWell() error {
	var content []byte
	var job string
	mark := 0
	return l.all(steps{
		{"a camera that sends JPEGs (v4l2loopback)", l.secondCamera},
		{"a file is uploaded", func() (string, error) {
			var err error
			if content, err = os.ReadFile(l.file); err != nil {
				return "", err
			}
			return l.uploaded("small.gcode", content)
		}},
		{"a print starts", func() (string, error) {
			mark = l.board.mark()
			var err error
			if job, err = l.do(`{"do":"start","file":"small.gcode","anyway":true}`); err != nil {
				return "", err
			}
			return "job " + job, l.atLine(400)
		}},
		{"memory while it prints, two cameras", l.memory},
		{"the cable is pulled and put back in mid-print", func() (string, error) { return l.pullCable(job) }},
		{"the camera is unplugged in mid-print", func() (string, error) {
			if _, err := l.hand.run("sh", "-c", "echo vivid.0 > "+vivid+"unbind"); err != nil {
				return "", err
			}
			took, err := l.reach("the camera to be missed", 20*time.Second, func(s state) bool { return !s.Cameras[0].Live && s.Cameras[0].Problem != "" })
			s, e := l.state()
			if err = errors.Join(err, e); err != nil {
				return "", err
			}
			if s.Job == nil || s.Job.ID != job {
				err = fmt.Errorf("the print is gone: %+v", s.Job)
			}
			return fmt.Sprintf("after %v it says %q", took, s.Cameras[0].Problem), err
		}},
		{"the camera comes back", func() (string, error) {
			if _, err := l.hand.run("sh", "-c", "echo vivid.0 > "+vivid+"bind"); err != nil {
				return "", err
			}
			return l.live1(0)
		}},
		{"every line was printed once, in order", func() (string, error) { return l.printed(job, mark) }},
	})
}

// secondCamera starts one that writes JPEGs, and tells layerd of it.
func (l *life) secondCamera() (string, error) {
	if err := l.hand.put(l.feeder, "/run/vm/vmcamera"); err != nil {
		return "", err
	}
	for _, args := range [][]string{
		{"modprobe", "v4l2loopback", "video_nr=20", "exclusive_caps=1", "card_label=jpegs"},
		{"systemd-run", "--unit=feeder", "/run/vm/vmcamera", "feed", "/dev/video20"},
	} {
		if _, err := l.hand.run(args...); err != nil {
			return "", err
		}
	}
	if _, err := l.do(`{"do":"set_camera","camera":{"id":-1,"name":"jpegs","device":"/dev/video20","width":0,"height":0,"fps":0,"rotate":0,"flip_h":false,"flip_v":false,"controls":null}}`); err != nil {
		return "", err
	}
	return l.live1(1)
}

// uploaded uploads a file, and reads it back.
func (l *life) uploaded(name string, content []byte) (string, error) {
	if err := l.upload(name, content); err != nil {
		return "", err
	}
	return l.whole(name, content)
}

// whole is an error unless layerd has the file, byte for byte.
func (l *life) whole(name string, content []byte) (string, error) {
	var got []byte
	if err := l.ask("GET", "/v1/files/"+name, nil, http.StatusOK, &got); err != nil {
		return "", err
	}
	if sha256.Sum256(got) != sha256.Sum256(content) {
		return "", fmt.Errorf("%s has %d bytes, and is not the same as the %d that were uploaded", name, len(got), len(content))
	}
	return fmt.Sprintf("%d bytes, SHA-256 %.8x", len(got), sha256.Sum256(got)), nil
}

// memory is what systemd's cgroup counts, and what the process itself holds.
func (l *life) memory() (string, error) {
	all, err := l.property("MemoryCurrent")
	if err != nil {
		return "", err
	}
	pid, err := l.property("MainPID")
	if err != nil {
		return "", err
	}
	rss, err := l.hand.run("awk", "/^(RssAnon|RssFile|VmHWM)/ {printf \"%s %.1f MiB, \", $1, $2/1024}", "/proc/"+pid+"/status")
	if err != nil {
		return "", err
	}
	bytes, err := strconv.ParseFloat(all, 64)
	if err != nil {
		return "", fmt.Errorf("MemoryCurrent is %q: the kernel does not count it", all)
	}
	return fmt.Sprintf("MemoryCurrent %.1f MiB; %s", bytes/(1<<20), strings.TrimSuffix(rss, ",")), nil
}

// pullCable pulls it for two seconds. The board keeps its place.
func (l *life) pullCable(job string) (string, error) {
	if err := l.board.pull(l.machine, 2*time.Second); err != nil {
		return "", err
	}
	lost := false
	took, err := l.reach("the print to go on", goesOn, func(s state) bool {
		lost = lost || s.Lost != nil
		return lost && s.State == "printing" && s.Job != nil && s.Job.ID == job && s.Lost == nil
	})
	return fmt.Sprintf("goes on %v after it was back", took), err
}

// ended is an error unless the history has the print's end so.
func (l *life) ended(job, outcome string) error {
	return l.await("the history", 20*time.Second, func() error {
		row, err := l.row(job)
		if err == nil && row.Outcome != outcome {
			err = fmt.Errorf("the history has the print as %+v, want %q", row, outcome)
		}
		return err
	})
}

// interrupted is an error unless a print is shown as broken off, with its place, and the board was told nothing since.
func (l *life) interrupted(job string, mark int) (string, error) {
	if err := l.ended(job, "interrupted"); err != nil {
		return "", err
	}
	row, err := l.row(job)
	if err != nil {
		return "", err
	}
	if row.File == "" || row.Line == 0 || row.Layer == 0 {
		return "", fmt.Errorf("it does not say where: %+v", row)
	}
	got := l.board.executed(mark)
	if len(got) == 0 || len(got) >= len(l.want) {
		return "", fmt.Errorf("the printer has executed %d of %d commands", len(got), len(l.want))
	}
	return fmt.Sprintf("%s, layer %d, line %d, %.0f %%; %d commands, each once, and none since", row.File, row.Layer, row.Line, row.Percent, len(got)), onceInOrder(got, l.want, true)
}

// printed waits for the end of a print, of which the board must have executed each line once, in order, since mark.
func (l *life) printed(job string, mark int) (string, error) {
	if _, err := l.reach("the end of the print", 4*time.Minute, func(s state) bool { return s.Job == nil }); err != nil {
		return "", err
	}
	if err := l.ended(job, "done"); err != nil {
		return "", err
	}
	got := l.board.executed(mark)
	return fmt.Sprintf("%d commands", len(got)), onceInOrder(got, l.want, false)
}

package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
)

// What flows here: what stands in a scene ─▶ a line of JSON ─▶ Blender, which waits for the next ─▶ a rendering.

// blenderScript is what Blender is told to do with the lines. It is ours, and part of the name of each rendering.
//
//go:embed blender.py
var blenderScript string

// lamp is one of the three; it shines from a rectangle. How bright it is is how much light it casts upon the middle of the bed.
type lamp struct {
	At     vec        `json:"at"`
	Size   [2]float64 `json:"size"` // mm
	Bright float64    `json:"bright"`
}

// lamps are of the ceiling, the printer and the window: in POV-Ray's scenes where its lamps are.
func (s *scene) lamps() [3]lamp {
	return [3]lamp{
		{s.Ceiling, [2]float64{600, 150}, 1.5},
		{vec{bedSize / 2, lampY(s), lampZ(s)}, [2]float64{160, 12}, 1.2},
		{s.Window, [2]float64{900, 1200}, 1.5},
	}
}

// blender is the scene with all that stands in it, as a line of JSON.
func (s *scene) blender(things []thing) string {
	text, err := json.Marshal(map[string]any{"eye": s.Eye, "at": s.At, "angle": s.Angle, "middle": vec{bedSize / 2, bedSize / 2, 0}, "lamps": s.lamps(), "things": things})
	if err != nil {
		panic(err) // numbers that are none
	}
	return string(text)
}

// MarshalJSON is the bead as bottom, top and then points, to a hundredth of a mm.
func (b bead) MarshalJSON() ([]byte, error) {
	round := func(v float64) float64 { return math.Round(v*100) / 100 }
	list := []float64{round(b.Bottom), round(b.Top)}
	for _, p := range b.Points {
		list = append(list, round(p.x), round(p.y))
	}
	return json.Marshal(list)
}

// studio is a Blender that waits for scenes; it is one goroutine's at a time.
type studio struct {
	dir  string
	cmd  *exec.Cmd
	in   io.WriteCloser
	told *os.File
	done *bufio.Reader // a line for each picture, from told
}

// newStudio starts one, which takes two seconds, with a directory of its own within another. It ends with ctx, or when it is closed.
func newStudio(ctx context.Context, within string) (*studio, error) {
	dir, err := os.MkdirTemp(within, "blender")
	if err != nil {
		return nil, err
	}
	s := &studio{dir: dir}
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("run blender: %w", err), os.RemoveAll(dir))
	}
	return s, nil
}

func (s *studio) start(ctx context.Context) error {
	script := filepath.Join(s.dir, "draw.py")
	if err := os.WriteFile(script, []byte(blenderScript), 0o600); err != nil {
		return err
	}
	said, err := os.Create(filepath.Join(s.dir, "said"))
	if err != nil {
		return err
	}
	defer said.Close()
	told, tells, err := os.Pipe()
	if err != nil {
		return err
	}
	defer tells.Close()
	s.told, s.done = told, bufio.NewReader(told)
	s.cmd = exec.CommandContext(ctx, "blender", "--background", "--factory-startup", "--threads", "1", "--python-exit-code", "1", "--python", script)
	s.cmd.Stdout, s.cmd.Stderr, s.cmd.ExtraFiles = said, said, []*os.File{tells}
	if s.in, err = s.cmd.StdinPipe(); err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		told.Close()
	}
	return err
}

// draw has a scene drawn, and returns the file's name.
func (s *studio) draw(text string, w, h int, seed uint32) (string, error) {
	name := filepath.Join(s.dir, "scene.png")
	job, err := json.Marshal(map[string]any{"to": name, "w": w, "h": h, "seed": seed, "scene": json.RawMessage(text)})
	if err != nil {
		return "", err
	}
	if _, err = s.in.Write(append(job, '\n')); err == nil {
		_, err = s.done.ReadString('\n')
	}
	if err != nil {
		said, _ := os.ReadFile(filepath.Join(s.dir, "said"))
		return "", fmt.Errorf("have blender draw: %w: %s", err, said[max(len(said)-1500, 0):])
	}
	return name, nil
}

// close ends it: there are no more lines.
func (s *studio) close() error {
	s.in.Close()
	s.told.Close()
	return errors.Join(s.cmd.Wait(), os.RemoveAll(s.dir))
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"layerd/internal/benchrun"
	"layerd/internal/octoprint/peertest"
	"layerd/internal/store"
)

// startLayerd runs layerd on a pretend printer that moves as a real one does, and is hot at once.
func startLayerd(ctx context.Context, bin string) (_ *host, err error) {
	dir, err := os.MkdirTemp("", "judged-")
	if err != nil {
		return nil, err
	}
	h := &host{end: []func(){func() { os.RemoveAll(dir) }}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	link, card := filepath.Join(dir, "printer"), filepath.Join(dir, "card")
	if err := os.Mkdir(card, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(card, "peer-c.gcode"), []byte("G28\n"), 0o600); err != nil {
		return nil, err
	}
	if _, err := h.run(exec.CommandContext(ctx, filepath.Join(bin, "printsim"), "--link", link, "--baud", "115200", "--heat", "0", "--card", card), link); err != nil {
		return nil, fmt.Errorf("the pretend printer: %w", err)
	}
	config := filepath.Join(dir, "empty.yaml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	if err := addPerson(ctx, data); err != nil {
		return nil, fmt.Errorf("add a person: %w", err)
	}
	where := []string{"--config", config, "--data", data}
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
	layerd := exec.CommandContext(ctx, filepath.Join(bin, "layerd"), append(where, "--listen", "127.0.0.1:0")...)
	layerd.Env = append(env, "LAYERD_PRINTER_PORT="+link, "LAYERD_PRINTER_BAUD=115200", "LAYERD_CAMERA_DEVICE=simulated", "LAYERD_LOG_LEVEL=error")
	const serves = "serves its page on "
	line, err := h.run(layerd, serves)
	if err != nil {
		return nil, err
	}
	_, url, _ := strings.Cut(line, serves)
	makeKey := exec.CommandContext(ctx, filepath.Join(bin, "layerd"), append([]string{"token", "create"}, append(where, "--name", "owner", "--role", "owner")...)...)
	makeKey.Env = env
	said, err := makeKey.Output()
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	h.peer = peertest.Peer{URL: strings.TrimSuffix(strings.TrimSpace(url), "/"), Key: lines[len(lines)-1]}
	return h, nil
}

// addPerson gives layerd somebody to list among its users, before it starts: over the network he would have to be added by who has just shown a password.
func addPerson(ctx context.Context, data string) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	s, err := store.Open(data, store.Limits{})
	if err != nil {
		return err
	}
	_, err = s.AddPerson(ctx, store.Person{Name: "owner", Role: "owner", Tailnet: true})
	return errors.Join(err, s.Close())
}

// run starts a program, and returns the line of its output that holds text. It ends with the host.
func (h *host) run(cmd *exec.Cmd, text string) (string, error) {
	return benchrun.Begin(cmd, func() error {
		err := cmd.Start()
		if err == nil {
			h.end = append(h.end, func() {
				cmd.Process.Kill()
				cmd.Wait()
			})
		}
		return err
	}, text)
}

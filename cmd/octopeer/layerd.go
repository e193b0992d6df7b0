package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"layerd/internal/octoprint/peertest"
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
	link := filepath.Join(dir, "printer")
	if _, err := h.run(exec.CommandContext(ctx, filepath.Join(bin, "printsim"), "--link", link, "--baud", "115200", "--heat", "0"), link); err != nil {
		return nil, fmt.Errorf("the pretend printer: %w", err)
	}
	config := filepath.Join(dir, "empty.yaml")
	if err := os.WriteFile(config, []byte("{}\n"), 0o600); err != nil {
		return nil, err
	}
	where := []string{"--config", config, "--data", filepath.Join(dir, "data")}
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

// run starts a program, and returns the line of its output that holds text. It ends with the host.
func (h *host) run(cmd *exec.Cmd, text string) (string, error) {
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := cmd.Start(); err != nil {
		return "", err
	}
	h.end = append(h.end, func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	out := bufio.NewReader(pipe)
	for {
		line, err := out.ReadString('\n')
		if strings.Contains(line, text) {
			go io.Copy(io.Discard, out) // ends with the program
			return line, nil
		}
		if err != nil {
			return "", fmt.Errorf("it has not said %q: %w", text, err)
		}
	}
}

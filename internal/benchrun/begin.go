package benchrun

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// Begin starts a program by start, such as its own Start, and returns the line of its output that holds text; it waits until there is one, or the program ends. What the program complains of
// is shown, unless cmd says otherwise. It dies with us, by SIGKILL unless cmd says otherwise.
func Begin(cmd *exec.Cmd, start func() error, text string) (string, error) {
	if cmd.Stderr == nil {
		cmd.Stderr = os.Stderr
	}
	cmd.SysProcAttr = cmp.Or(cmd.SysProcAttr, &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL})
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := start(); err != nil {
		return "", err
	}
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

package benchrun

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Tailnet is a running tailnetsim.
type Tailnet struct {
	Control, Proxy string // URLs of its control server, and of the proxy by which its phone goes
	cmd            *exec.Cmd
	in             io.WriteCloser
	out            *bufio.Reader
}

// StartTailnet starts the tailnetsim in the directory bin, with more variables in its environment. It blocks until the phone has joined; End ends it.
func StartTailnet(ctx context.Context, bin string, env ...string) (_ *Tailnet, err error) {
	n := &Tailnet{cmd: exec.CommandContext(ctx, filepath.Join(bin, "tailnetsim"))}
	n.cmd.Env = append(os.Environ(), env...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if n.in, err = n.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the pretend tailnet: %w", err)
	}
	n.out = bufio.NewReader(out)
	for phone := ""; phone == ""; {
		line, err := n.out.ReadString('\n')
		if err != nil {
			n.End()
			return nil, fmt.Errorf("the pretend tailnet: %w", err)
		}
		for prefix, to := range map[string]*string{"control=": &n.Control, "proxy=": &n.Proxy, "phone=": &phone} {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), prefix); ok {
				*to = value
			}
		}
	}
	return n, nil
}

// End ends it.
func (n *Tailnet) End() {
	n.in.Close()
	n.cmd.Process.Kill()
	n.cmd.Wait()
}

// Admit approves the login of a layerd, and blocks until the phone reaches it. ask asks layerd's API over the LAN, reach asks for it by the phone's proxy.
// url is layerd's on the tailnet, without a '/' at the end.
func (n *Tailnet) Admit(ctx context.Context, ask func(path string, answer any) error, reach func(url string) error) (url string, err error) {
	approved := ""
	for {
		var now struct {
			Status struct {
				State    string
				LoginURL string `json:"login_url"`
				URLs     []string
			}
		}
		if err := ask("/v1/overlay", &now); err != nil {
			return "", err
		}
		switch s := now.Status; {
		case s.State == "running" && len(s.URLs) > 0:
			if url = strings.TrimSuffix(s.URLs[0], "/"); reach(url) == nil { // else the phone has not heard of it yet
				return url, nil
			}
		case s.LoginURL != "" && s.LoginURL != approved:
			approved = s.LoginURL
			fmt.Fprintln(n.in, "approve", approved)
			if said, err := n.out.ReadString('\n'); err != nil || !strings.HasPrefix(said, "ok") {
				return "", fmt.Errorf("approve the login: %q, %w", said, errors.Join(err))
			}
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"layerd/internal/octoprint/peertest"
)

// octoPrintPatience is how long OctoPrint may take to come up on a busy machine.
const octoPrintPatience = 3 * time.Minute

// startOctoPrint runs the OctoPrint of an environment with its own pretend printer. It announces itself on loopback alone, and has no news fetched.
func startOctoPrint(ctx context.Context, env string) (_ *host, err error) {
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
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	config, err := json.Marshal(octoPrintConfig(port)) // which is YAML as well
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "config.yaml"), config, 0o600); err != nil {
		return nil, err
	}
	octoprint := filepath.Join(env, "bin", "octoprint")
	key := rand.Text()
	addUser := exec.CommandContext(ctx, octoprint, "--basedir", dir, "--iknowwhatimdoing", "user", "add", "owner", "--password", rand.Text(), "--admin")
	if said, err := addUser.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("add its user: %w: %s", err, said)
	}
	if err := giveKey(filepath.Join(dir, "users.yaml"), key); err != nil {
		return nil, err
	}
	serve := exec.CommandContext(ctx, octoprint, "serve", "--basedir", dir, "--iknowwhatimdoing", "--host", "127.0.0.1", "--port", fmt.Sprint(port))
	serve.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := serve.Start(); err != nil {
		return nil, err
	}
	h.end = append(h.end, func() {
		serve.Process.Kill() // nothing of it is kept
		serve.Wait()
	})
	h.peer = peertest.Peer{URL: fmt.Sprintf("http://127.0.0.1:%d", port), Key: key, Port: "VIRTUAL", Say: "!!DEBUG:send //"}
	if err := answers(ctx, h.peer); err != nil {
		said, _ := os.ReadFile(filepath.Join(dir, "logs", "octoprint.log"))
		return nil, fmt.Errorf("%w; its log ends with\n%s", err, said[max(0, len(said)-4000):])
	}
	return h, nil
}

func octoPrintConfig(port int) map[string]any {
	type m = map[string]any
	return m{
		"server": m{
			"host": "127.0.0.1", "port": port, "firstRun": false,
			"onlineCheck": m{"enabled": false}, "pluginBlacklist": m{"enabled": false},
			// They show what such commands look like; nothing in the script calls them.
			"commands": m{"serverRestartCommand": "true", "systemRestartCommand": "true", "systemShutdownCommand": "true"},
		},
		"serial": m{"port": "VIRTUAL", "baudrate": 115200, "autoconnect": false, "blacklistedPorts": []string{"/dev/*"}},
		// Without a camera it would record nothing, whatever it is told to. It does not fetch this picture while nothing is recorded.
		"webcam": m{"stream": "/webcam/?action=stream", "snapshot": "http://127.0.0.1:9/webcam/?action=snapshot", "ffmpeg": "/bin/true"},
		"plugins": m{
			"virtual_printer":       m{"enabled": true},
			"discovery":             m{"interfaces": []string{"lo"}},
			"action_command_prompt": m{"enable": "always"}, // its pretend printer does not say that it asks questions
			"_disabled":             []string{"announcements", "errortracking", "firmware_check", "pi_support", "tracking"},
		},
	}
}

// giveKey writes a key to the only user of OctoPrint's file: its commands cannot.
func giveKey(users, key string) error {
	text, err := os.ReadFile(users)
	if err != nil {
		return err
	}
	none := []byte("apikey: null")
	if bytes.Count(text, none) != 1 {
		return fmt.Errorf("OctoPrint's users are kept otherwise than expected: no %q in %s", none, users)
	}
	return os.WriteFile(users, bytes.Replace(text, none, []byte("apikey: "+key), 1), 0o600)
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// answers waits until the server does.
func answers(ctx context.Context, peer peertest.Peer) error {
	ctx, done := context.WithTimeout(ctx, octoPrintPatience)
	defer done()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, peer.URL+"/api/version", nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-Api-Key", peer.Key)
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", ctx.Err())
		case <-time.After(time.Second):
		}
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// The agent is root's hand in there: it runs programs, and takes files. It listens on the machine's one network, which leads nowhere but to qemu.

// ran is what came of a program.
type ran struct {
	Out  string // standard output and errors, as they came
	Code int
}

// agent serves until systemd stops it. The network is set up here, so that nothing on the disk has to.
func agent() error {
	for _, args := range [][]string{{"link", "set", "lo", "up"}, {"link", "set", "eth0", "up"}, {"addr", "replace", "10.0.2.15/24", "dev", "eth0"}, {"route", "replace", "default", "via", "10.0.2.2"}} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", args, err, out)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /run", runProgram)
	mux.HandleFunc("PUT /file", takeFile)
	return http.ListenAndServe(":7000", mux)
}

func runProgram(w http.ResponseWriter, r *http.Request) {
	var args []string
	if err := json.NewDecoder(r.Body).Decode(&args); err != nil || len(args) == 0 {
		http.Error(w, "want a program and its arguments", http.StatusBadRequest)
		return
	}
	cmd := exec.CommandContext(r.Context(), args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "LC_ALL=C", "DEBIAN_FRONTEND=noninteractive", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0")
	out, err := cmd.CombinedOutput()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	json.NewEncoder(w).Encode(ran{string(out), cmd.ProcessState.ExitCode()}) // the other side is gone when this fails
}

func takeFile(w http.ResponseWriter, r *http.Request) {
	f, err := os.OpenFile(r.URL.Query().Get("path"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err == nil {
		_, err = io.Copy(f, r.Body)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// hand is the agent as it is seen from here.
type hand struct{ url string }

// run runs a program in there, which must end well, and returns what it said.
func (h hand) run(args ...string) (string, error) {
	got, err := h.try(args...)
	if err == nil && got.Code != 0 {
		err = fmt.Errorf("%s: exit code %d: %s", strings.Join(args, " "), got.Code, strings.TrimSpace(got.Out))
	}
	return strings.TrimSpace(got.Out), err
}

// try runs a program in there, however it ends.
func (h hand) try(args ...string) (got ran, err error) {
	body, err := json.Marshal(args)
	if err != nil {
		return got, err
	}
	err = h.ask("POST", "/run", strings.NewReader(string(body)), &got)
	if err != nil {
		err = fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return got, err
}

// put copies a file there.
func (h hand) put(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	return h.ask("PUT", "/file?path="+url.QueryEscape(to), f, nil)
}

func (h hand) ask(method, path string, body io.Reader, answer any) error {
	ctx, end := context.WithTimeout(context.Background(), 3*time.Minute)
	defer end()
	r, err := http.NewRequestWithContext(ctx, method, h.url+path, body)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return fmt.Errorf("the agent answers %s: %s", response.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

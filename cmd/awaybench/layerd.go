package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"layerd/internal/benchrun"
)

// What flows here: tailnetsim and layerd, as they were built → a login approved → requests over the LAN, and by the phone's proxy.

const fileBytes = 25 << 20

// net is a running tailnetsim.
type net struct {
	*benchrun.Tailnet
	started int  // layerds, each with a name of its own there
	relayed bool // nothing goes from machine to machine but by the relay
}

// relay is what has a node do without UDP, as behind a firewall that lets none through.
const relay = "TS_DEBUG_ALWAYS_USE_DERP=true"

func joinNet(ctx context.Context, bin string, relayed bool) (_ *net, err error) {
	n := &net{relayed: relayed}
	var env []string
	if relayed {
		env = []string{relay}
	}
	n.Tailnet, err = benchrun.StartTailnet(ctx, bin, env...)
	return n, err
}

// daemon is a running layerd.
type daemon struct {
	net       *net
	cmd       *exec.Cmd
	lan, away *client
	answered  time.Duration // from its start to its first answer
}

// start runs layerd with its pretend printer. limit is GOMEMLIMIT; "" = layerd's own.
func (n *net) start(ctx context.Context, bin string, on bool, limit string) (*daemon, error) {
	d := &daemon{net: n, cmd: exec.CommandContext(ctx, filepath.Join(bin, "layerd"), "--demo", "--listen", "127.0.0.1:0")}
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LAYERD_LOG_LEVEL=error", "LAYERD_TAILNET_CONTROL_URL=" + n.Control, "GOMEMLIMIT=" + limit}
	n.started++
	if on {
		d.cmd.Env = append(d.cmd.Env, "LAYERD_OVERLAY=tailnet", fmt.Sprint("LAYERD_TAILNET_NAME=layerd-", n.started))
	}
	way := "tailnet"
	if n.relayed {
		d.cmd.Env, way = append(d.cmd.Env, relay), "relayed"
	}
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start layerd: %w", err)
	}
	for lines := bufio.NewReader(out); d.lan == nil; {
		line, err := lines.ReadString('\n')
		if err != nil {
			d.end()
			return nil, fmt.Errorf("layerd printed no address: %w", err)
		}
		if address, key, ok := strings.Cut(strings.TrimSpace(line), "/#token="); ok {
			proxy, err := url.Parse(n.Proxy)
			if err != nil {
				d.end()
				return nil, err
			}
			d.lan = &client{way: "LAN", url: address, key: key, http: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
			d.away = &client{way: way, key: key, http: &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}}}
		}
	}
	if err := d.lan.ask(ctx, "GET", "/healthz", nil, nil); err != nil {
		d.end()
		return nil, err
	}
	d.answered = time.Since(began)
	return d, nil
}

func (d *daemon) end() {
	d.cmd.Process.Signal(syscall.SIGTERM)
	d.cmd.Wait()
}

// join waits until the phone reaches layerd, and approves its login.
func (d *daemon) join(ctx context.Context) error {
	_, err := d.net.Admit(ctx, func(path string, answer any) error { return d.lan.ask(ctx, "GET", path, nil, answer) }, func(url string) error {
		d.away.url = url
		return d.away.ask(ctx, "GET", "/v1/state", nil, nil)
	})
	return err
}

// asMeant makes sure that packets went the way that was measured. layerd looks every few seconds.
func (d *daemon) asMeant(ctx context.Context) error {
	ctx, end := context.WithTimeout(ctx, 20*time.Second)
	defer end()
	for {
		var now struct {
			Status struct{ Paths []struct{ Direct bool } }
		}
		if err := d.lan.ask(ctx, "GET", "/v1/overlay", nil, &now); err != nil {
			return err
		}
		for _, p := range now.Status.Paths {
			if p.Direct != d.net.relayed {
				return nil
			}
		}
		if rest(ctx, 200*time.Millisecond) != nil {
			return fmt.Errorf("packets do not go by the way that is called %s: %v", d.away.way, now.Status.Paths)
		}
	}
}

// print starts a long print, and uploads a file to be fetched.
func (d *daemon) print(ctx context.Context) error {
	if err := d.until(ctx, "idle"); err != nil {
		return err
	}
	job := "G28\n" + strings.Repeat("G1 X10 Y10 F3000\nG1 X14 Y14\n", 50_000) // short moves: a pause waits for those that are planned
	big := bytes.Repeat([]byte("G1 X10.123 Y10.456 E0.01234 ; a line of a file\n"), fileBytes/48)
	for name, body := range map[string][]byte{"job.gcode": []byte(job), "big.gcode": big} {
		if err := d.lan.ask(ctx, "PUT", "/v1/files/"+name, body, nil); err != nil {
			return err
		}
	}
	if err := d.lan.do(ctx, `{"do":"start","file":"job.gcode","anyway":true}`); err != nil {
		return err
	}
	return d.until(ctx, "printing")
}

func (d *daemon) until(ctx context.Context, want string) error { return d.lan.until(ctx, want) }

// client asks layerd by one way. Each request has a connection of its own, as a tap of a phone that was away has.
type client struct {
	way      string // for people
	url, key string
	http     *http.Client
}

func (c *client) ask(ctx context.Context, method, path string, body []byte, answer any) error {
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	response, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		said, err := io.ReadAll(io.LimitReader(response.Body, 1<<10))
		return fmt.Errorf("%s %s: %s, %w", method, path, said, errors.Join(err))
	}
	if answer == nil {
		_, err := io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

func (c *client) do(ctx context.Context, command string) error {
	return c.ask(ctx, "POST", "/v1/do", []byte(command), nil)
}

func (c *client) until(ctx context.Context, want string) error {
	for {
		var now struct{ State string }
		if err := c.ask(ctx, "GET", "/v1/state", nil, &now); err != nil {
			return err
		}
		if now.State == want {
			return nil
		}
		if err := rest(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// tap taps Pause, and Resume when the head is parked; it took Pause so long to be taken.
func (c *client) tap(ctx context.Context) (took time.Duration, err error) {
	began := time.Now()
	if err := c.do(ctx, `{"do":"pause"}`); err != nil {
		return 0, err
	}
	took = time.Since(began)
	if err := c.until(ctx, "paused"); err != nil {
		return 0, err
	}
	if err := c.do(ctx, `{"do":"resume"}`); err != nil {
		return 0, err
	}
	return took, c.until(ctx, "printing")
}

// fetch downloads the big file, and returns MB/s.
func (c *client) fetch(ctx context.Context, n int) (float64, error) {
	began := time.Now()
	for range n {
		if err := c.ask(ctx, "GET", "/v1/files/big.gcode", nil, nil); err != nil {
			return 0, err
		}
	}
	return float64(n) * fileBytes / 1e6 / time.Since(began).Seconds(), nil
}

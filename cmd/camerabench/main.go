// Command camerabench measures the picture on a bad link: how old it is on the screen, and how long a tap on Pause takes beside it.
//
//	camerabench            both tables, on standard output; takes root, for two network namespaces
//
// A pretend printer prints, its camera takes 1280×720 pictures, 15 a second, and a phone looks over a link that is shaped packet by packet: by layerd's
// own protocol, and beside it by a server that pushes each picture as it comes. docs/PERFORMANCE.md says how to read it.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/benchrun"
)

const (
	port     = "8080"
	pushPort = "8081"
)

// shapes are the links: a phone at the edge of the network, and the same room.
var shapes = []shape{
	{name: "500 kbit/s, 150 ms, 1 % loss", bytesPerS: 500_000 / 8, delay: 75 * time.Millisecond, loss: 0.01},
	{name: "unshaped"},
}

func main() { benchrun.Main("camerabench", run) }

func run(ctx context.Context, args []string) error {
	flags := pflag.NewFlagSet("camerabench", pflag.ContinueOnError)
	bin := flags.String("bin", "", "`DIR` of layerd; default: where camerabench is")
	span := flags.Duration("span", time.Minute, "how long each is looked at")
	as := flags.String("as", "", "be one `PART` of it; the bench starts itself so")
	host := flags.String("host", "", "where that part finds its server")
	listen := flags.String("listen", "", "where push listens")
	if err := flags.Parse(args); err != nil {
		return err
	}
	token := os.Getenv("CAMERABENCH_TOKEN")
	switch *as {
	case "":
		return bench(ctx, *bin, *span)
	case "push":
		return push(ctx, *listen, *host, token)
	case "prepare":
		return prepare(ctx, *host, token)
	}
	var s seen
	var err error
	switch *as {
	case "look":
		s, err = look(ctx, *host, token, *span)
	case "stare":
		s, err = stare(ctx, *host, *span)
	case "tap":
		s, err = tap(ctx, *host, token, *span)
	default:
		return fmt.Errorf("there is no part %q", *as)
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

// rig is layerd and what is beside it, while they run.
type rig struct {
	ctx   context.Context
	self  string
	token string
	span  time.Duration
}

func bench(ctx context.Context, bin string, span time.Duration) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if bin == "" {
		bin = filepath.Dir(self)
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	l, err := newLink(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	r := &rig{ctx: ctx, self: self, span: span}
	stop, err := r.startLayerd(filepath.Join(bin, "layerd"))
	if err != nil {
		return err
	}
	defer stop()
	pusher := inNamespace(ctx, near, self, "--as", "push", "--listen", nearAddr+":"+pushPort, "--host", nearAddr+":"+port)
	pusher.Env = append(os.Environ(), "CAMERABENCH_TOKEN="+r.token)
	if err := pusher.Start(); err != nil {
		return err
	}
	defer pusher.Wait()
	defer end()

	fmt.Printf("%-30s %-14s %9s %9s %9s %8s %10s %8s %10s\n", "link", "protocol", "age p50", "age p95", "age max", "per s", "kB/min", "smaller", "queue p95")
	for _, s := range shapes {
		l.set(s)
		for _, part := range []string{"look", "stare"} {
			name, host := "layerd", nearAddr+":"+port
			if part == "stare" {
				name, host = "naive push", nearAddr+":"+pushPort
			}
			got, err := r.part(part, host)
			if err != nil {
				return err
			}
			fmt.Printf("%-30s %-14s %6.0f ms %6.0f ms %6.0f ms %8.1f %10.0f %7.0f%% %7.0f ms\n", s.name, name, percentile(got.AgesMS, 0.5), percentile(got.AgesMS, 0.95), percentile(got.AgesMS, 1),
				float64(len(got.AgesMS))/span.Seconds(), float64(got.Bytes)/1000/span.Minutes(), 100*float64(got.Smaller)/float64(max(len(got.AgesMS), 1)), percentile(l.stood(), 0.95))
		}
	}
	l.set(shapes[0])
	return r.taps(l)
}

// taps measures taps on Pause and Resume, alone on the link, beside layerd's pictures and beside pushed ones.
func (r *rig) taps(l *link) error {
	limit := 1.5*2*ms(shapes[0].delay) + 50
	fmt.Printf("\n%-44s %6s %9s %9s %9s %10s   p95 at most %.0f ms\n", "tap to answer, on the first link, beside", "taps", "p50", "p95", "max", "queue p95", limit)
	l.stood()
	for _, beside := range []struct{ name, part, port string }{{"nothing", "", ""}, {"layerd's pictures", "look", port}, {"a naive push", "stare", pushPort}} {
		var looking sync.WaitGroup
		ctx, end := context.WithCancel(r.ctx)
		if beside.part != "" {
			looking.Go(func() {
				of := *r
				of.ctx, of.span = ctx, 4*r.span
				_, _ = of.part(beside.part, nearAddr+":"+beside.port) // ended when the taps are done
			})
		}
		of := *r
		of.span = 3 * r.span
		got, err := of.part("tap", nearAddr+":"+port)
		end()
		looking.Wait()
		if err != nil {
			return err
		}
		fmt.Printf("%-44s %6d %6.0f ms %6.0f ms %6.0f ms %7.0f ms\n", beside.name, len(got.TapsMS), percentile(got.TapsMS, 0.5), percentile(got.TapsMS, 0.95), percentile(got.TapsMS, 1),
			percentile(l.stood(), 0.95))
	}
	return nil
}

// part runs a part of the bench in the far namespace and reads what it has seen.
func (r *rig) part(part, host string) (s seen, err error) {
	cmd := inNamespace(r.ctx, far, r.self, "--as", part, "--host", host, "--span", r.span.String())
	cmd.Env = append(os.Environ(), "CAMERABENCH_TOKEN="+r.token)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return s, fmt.Errorf("%s: %w", part, err)
	}
	return s, json.Unmarshal(out, &s)
}

// startLayerd starts the demo in the near namespace, with the bench's camera, and a print that lasts.
func (r *rig) startLayerd(program string) (stop func(), err error) {
	ctx, end := context.WithCancel(r.ctx)
	cmd := inNamespace(ctx, near, program, "--demo", "--listen", nearAddr+":"+port)
	cmd.Env = append(os.Environ(), "LAYERD_DISCOVERY=false") // the link is measured
	var log bytes.Buffer                                     // for when it does not start
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		end()
		return nil, fmt.Errorf("start layerd: %w", err)
	}
	stop = func() { end(); _ = cmd.Wait() }
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, token, ok := strings.Cut(lines.Text(), "#token="); ok {
			r.token = token
			break
		}
	}
	if r.token == "" {
		stop()
		return nil, fmt.Errorf("layerd did not print its key: %s", log.String())
	}
	prepare := inNamespace(ctx, near, r.self, "--as", "prepare", "--host", nearAddr+":"+port)
	prepare.Env, prepare.Stderr = append(os.Environ(), "CAMERABENCH_TOKEN="+r.token), os.Stderr
	if err := prepare.Run(); err != nil {
		stop()
		return nil, fmt.Errorf("start a print: %w", err)
	}
	time.Sleep(20 * time.Second) // it heats, homes and prints, and the camera has begun anew
	return stop, nil
}

// prepare gives layerd the bench's camera and a print that lasts.
func prepare(ctx context.Context, host, token string) error {
	// A printer that parks beside the print and at once, so that there are many taps in a short time.
	profile := `{"name":"bench","width_mm":220,"depth_mm":220,"height_mm":250,"bed":"rectangle","origin":"corner","nozzles":1,"nozzle_mm":0.4,"heated_bed":true,` +
		`"max_nozzle_c":260,"max_bed_c":110,"park_x_mm":90,"park_y_mm":120,"travel_mm_s":300,"lift_mm_s":20,"extrude_mm_s":30}`
	for _, step := range []struct{ method, path, body string }{
		{"POST", "/v1/do", `{"do":"set_profile","profile":` + profile + `}`},
		{"PUT", "/v1/files/bench.gcode", longPrint()},
		{"POST", "/v1/do", `{"do":"set_camera","camera":{"id":0,"device":"","width":1280,"height":720,"fps":15}}`},
		{"POST", "/v1/do", `{"do":"start","file":"bench.gcode","anyway":true}`},
	} {
		err := ask(ctx, step.method, "http://"+host+step.path, token, step.body)
		for try := 0; err != nil && try < 20; try++ { // the printer has to be found first
			time.Sleep(500 * time.Millisecond)
			err = ask(ctx, step.method, "http://"+host+step.path, token, step.body)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func ask(ctx context.Context, method, url, token, body string) error {
	q, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, url, res.Status)
	}
	return nil
}

// longPrint is a tower that takes hours.
func longPrint() string {
	var b strings.Builder
	b.WriteString("G28\nM104 S200\nM109 S200\nG90\nM83\n")
	for layer := range 400 {
		fmt.Fprintf(&b, ";LAYER:%d\nG1 Z%.2f F600\n", layer, 0.2*float64(layer+1))
		for i := range 400 { // short moves: a pause waits for those that the printer has already
			fmt.Fprintf(&b, "G1 X%d Y%d E0.1 F6000\n", 100+5*(i%2), 100+i%40)
		}
	}
	return b.String()
}

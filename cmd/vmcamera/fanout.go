package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// What flows here: pictures that look like a camera's → layerd, or ustreamer → its viewers → what it cost that server's process. Both get the same
// pictures, and are measured in turn, several times. feeds.go says where the pictures come from.

// plan is what to measure.
type plan struct {
	rounds  int
	span    time.Duration // that is measured, after settle
	settle  time.Duration
	fps     int
	viewers []int
}

// reading is one server with so many viewers.
type reading struct {
	server    string
	viewers   int
	cpu       float64 // ms of processor time a second
	rss, peak float64 // MiB
	seen      seen    // by all viewers
}

// parsePlan reads rounds=3,span=8s,fps=15,viewers=0+1+10+50, any of which may be left out.
func parsePlan(text string) (plan, error) {
	p := plan{rounds: 3, span: 8 * time.Second, settle: 4 * time.Second, fps: 15, viewers: []int{0, 1, 10, 50}}
	for part := range strings.SplitSeq(text, ",") {
		key, value, _ := strings.Cut(part, "=")
		var err error
		switch key {
		case "":
		case "rounds":
			p.rounds, err = strconv.Atoi(value)
		case "fps":
			p.fps, err = strconv.Atoi(value)
		case "span":
			p.span, err = time.ParseDuration(value)
		case "viewers":
			p.viewers = nil
			for n := range strings.SplitSeq(value, "+") {
				var viewers int
				viewers, err = strconv.Atoi(n)
				p.viewers = append(p.viewers, viewers)
			}
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return p, fmt.Errorf("plan %q: %w", part, err)
		}
	}
	if p.rounds < 1 || p.fps < 1 || p.span < time.Second {
		return p, fmt.Errorf("plan %q measures nothing", text)
	}
	return p, nil
}

// fanout measures the servers as planned and prints what it found.
func fanout(servers []server, p plan) error {
	var all []reading
	for round := range p.rounds {
		slices.Reverse(servers) // neither is always the first
		for _, viewers := range p.viewers {
			for _, s := range servers {
				r, err := measure(s, viewers, p)
				if err != nil {
					return fmt.Errorf("%s with %d viewers: %w", s.name, viewers, err)
				}
				fmt.Printf("vm: round %d %s\n", round+1, r)
				all = append(all, r)
			}
		}
	}
	printTable(all, p)
	return nil
}

func measure(s server, viewers int, p plan) (r reading, err error) {
	running, err := s.start()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, running.stop()) }()
	crowd := watchAll(s, viewers)
	defer crowd.leave()
	if err := crowd.allSee(20 * time.Second); err != nil {
		return r, err
	}
	time.Sleep(p.settle)
	crowd.forget()
	before, err := running.used()
	if err != nil {
		return r, err
	}
	began := time.Now()
	time.Sleep(p.span)
	after, err := running.used()
	took := time.Since(began)
	if err != nil {
		return r, err
	}
	r = reading{server: s.name, viewers: viewers, seen: crowd.seen(took), rss: after.rss, peak: after.peak}
	r.cpu = 1000 * float64(after.cpu-before.cpu) / float64(took)
	return r, crowd.problem()
}

func (r reading) String() string {
	return fmt.Sprintf("%-9s %2d viewers: %6.1f ms/s, %5.1f MiB, %4.1f fps (least %4.1f), %.1f %% dropped, p95 age %v",
		r.server, r.viewers, r.cpu, r.rss, r.seen.fps, r.seen.least, 100*r.seen.dropped, r.seen.age.Round(time.Millisecond))
}

// printTable prints the medians of all rounds, and how layerd does beside the other.
func printTable(all []reading, p plan) {
	fmt.Println("vm: | server | viewers | CPU ms/s | per viewer | µs a picture | RSS MiB | more than idle | peak MiB | fps at a viewer | dropped | age p95 |")
	fmt.Println("vm: |---|---|---|---|---|---|---|---|---|---|---|")
	perPicture := map[string]map[int]float64{}
	for _, name := range []string{"ustreamer", "layerd"} {
		perPicture[name] = map[int]float64{}
		idle := mid(all, name, 0)
		for _, viewers := range p.viewers {
			r, per := mid(all, name, viewers), "– | –"
			if viewers > 0 {
				each := (r.cpu - idle.cpu) / float64(viewers)
				perPicture[name][viewers] = 1000 * each / r.seen.fps
				per = fmt.Sprintf("%.2f | %.0f", each, perPicture[name][viewers])
			}
			fmt.Printf("vm: | %s | %d | %.1f | %s | %.1f | %+.1f | %.1f | %.1f | %.1f %% | %d ms |\n", name, viewers, r.cpu, per, r.rss, r.rss-idle.rss, r.peak,
				r.seen.fps, 100*r.seen.dropped, r.seen.age.Milliseconds())
		}
	}
	for _, viewers := range p.viewers {
		if viewers > 0 {
			fmt.Printf("vm: %d viewers: layerd needs %.2f × ustreamer's processor time for each picture at a viewer\n", viewers, perPicture["layerd"][viewers]/perPicture["ustreamer"][viewers])
		}
	}
}

// mid is the median of each figure over the rounds.
func mid(all []reading, name string, viewers int) reading {
	var these []reading
	for _, r := range all {
		if r.server == name && r.viewers == viewers {
			these = append(these, r)
		}
	}
	if len(these) == 0 {
		return reading{}
	}
	return reading{
		server: name, viewers: viewers,
		cpu:  median(these, func(r reading) float64 { return r.cpu }),
		rss:  median(these, func(r reading) float64 { return r.rss }),
		peak: median(these, func(r reading) float64 { return r.peak }),
		seen: seen{
			fps:     median(these, func(r reading) float64 { return r.seen.fps }),
			least:   median(these, func(r reading) float64 { return r.seen.least }),
			dropped: median(these, func(r reading) float64 { return r.seen.dropped }),
			age:     median(these, func(r reading) time.Duration { return r.seen.age }),
		},
	}
}

func median[T cmp.Ordered](these []reading, of func(reading) T) T {
	var values []T
	for _, r := range these {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

package octoprint

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"layerd/internal/access"
	"layerd/printer"
)

// benchStage prints, and its console is full.
func benchStage(b *testing.B) *stage {
	g := newStage(b)
	g.Keep(b, "sub/big.gcode", "G28\nG1 X1 E5 F600\n")
	g.Change(startBig)
	g.Change(in(printer.Printing))
	lines := make([]printer.Entry, 150) // of half a second
	for i := range lines {
		lines[i] = printer.Entry{Seq: uint64(i + 1), Dir: "out", Text: "N123456 G1 X123.456 Y123.456 E1.23456*99"}
	}
	g.Console.Lines.Set(lines)
	return g
}

// What one current costs: for somebody who only looks, and with the console of a print.
func BenchmarkCurrent(b *testing.B) {
	for _, role := range []access.Role{access.Viewer, access.Operator} {
		b.Run(role.String(), func(b *testing.B) {
			g := benchStage(b)
			c := &client{a: g.api, line: &taker{}, wants: everything(), me: access.Identity{Role: role}}
			c.now = g.api.momentAfter(moment{}, g.Shown())
			size := 0
			for b.Loop() {
				c.logged, c.tempsMS = 0, 0
				text, err := json.Marshal(c.current())
				if err != nil {
					b.Fatal(err)
				}
				size = len(text)
			}
			b.ReportMetric(float64(size), "B/message")
		})
	}
}

// What one view costs for one client, most of which are not sent.
func BenchmarkView(b *testing.B) {
	g := benchStage(b)
	c := &client{a: g.api, line: &taker{}, wants: everything()}
	c.now = g.api.momentAfter(moment{}, g.Shown())
	st := g.Shown()
	for b.Loop() {
		if err := c.see(st); err != nil {
			b.Fatal(err)
		}
	}
}

// What twenty clients cost while it prints, over loopback: an op is a second of ten views. The processor's time is both ends'.
func BenchmarkTwentyClients(b *testing.B) {
	g := benchStage(b)
	host := g.Listen(b)
	for range 20 {
		conn, _, err := websocket.DefaultDialer.Dial("ws://"+host+"/sockjs/websocket?apikey=operator", nil)
		if err != nil {
			b.Fatal(err)
		}
		defer conn.Close()
		go (&app{t: b, conn: conn}).drain()
	}
	began, used := time.Now(), cpu(b)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for b.Loop() {
		for range 10 {
			<-tick.C
			g.Change(func(s *printer.Snapshot) {
				j := *s.Job
				j.Offset++
				s.Job, s.TempsAtMS = &j, s.TempsAtMS+100
			})
		}
	}
	b.ReportMetric(float64((cpu(b)-used).Milliseconds())/time.Since(began).Seconds(), "cpu-ms/s")
}

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

package printertest

import (
	"bytes"
	"context"
	"io"
	"testing"
)

// job is n lines of a print, framed and numbered from 1.
func job(n int) [][]byte {
	lines := make([][]byte, n)
	for i := range lines {
		x, y := 50+i%100, 50+(i/100)%100
		lines[i] = []byte(framed(itoa(i+1), "G1 X"+itoa(x)+".125 Y"+itoa(y)+".5 E0.0321") + "\n")
	}
	return lines
}

// BenchmarkFirmware is the pure core: lines through ring, checks, queue, parser, body and reply.
func BenchmarkFirmware(b *testing.B) {
	for _, name := range []string{"clean", "faults"} {
		b.Run(name, func(b *testing.B) {
			cfg := Config{AdvancedOK: true, Record: io.Discard}
			if name == "faults" {
				cfg.Faults = Faults{Flip: 1e-5, Drop: 1e-5, FlipBack: 1e-5, LostOK: 1e-5}
			}
			sim, err := New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			board := sim.board
			board.opened(false)
			board.fw.nozzle.set(0, 200)
			lines := job(5000)
			var sink [4096]byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if i%len(lines) == 0 {
					board.fw.lastN = 0
				}
				board.write(0, lines[i%len(lines)])
				board.advance(0)
				board.back.take(0, sink[:])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// BenchmarkPort is a whole conversation through Port: the next line goes out when ok came, with so many lines in flight.
func BenchmarkPort(b *testing.B) {
	for _, window := range []int{1, 4} {
		b.Run("window "+itoa(window), func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			sim, err := New(Config{})
			if err != nil {
				b.Fatal(err)
			}
			go sim.Run(ctx)
			port := sim.Open()
			lines := job(5000)
			credit := make(chan int, 64)
			go func() {
				var buf [4096]byte
				for {
					n, err := port.Read(buf[:])
					if err != nil {
						return
					}
					if oks := bytes.Count(buf[:n], []byte("ok")); oks > 0 {
						credit <- oks
					}
				}
			}()
			credit <- window
			free, sent := 0, 0
			for b.Loop() {
				for free == 0 {
					free = <-credit
				}
				line := lines[sent%len(lines)]
				if sent++; sent%len(lines) == 0 {
					line = []byte("M110 N0\n")
				}
				free--
				if _, err := port.Write(line); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

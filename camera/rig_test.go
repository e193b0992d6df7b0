package camera

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// rigged runs a Rig whose devices are scripts, by their ID, for the length of a test in a bubble.
func rigged(t *testing.T, sources map[string]*script, setups ...Setup) *Rig {
	find := func() ([]Device, error) {
		var found []Device
		for id := range sources {
			found = append(found, Device{ID: id, Name: id})
		}
		slices.SortFunc(found, func(a, b Device) int { return bytes.Compare([]byte(a.ID), []byte(b.ID)) })
		return found, nil
	}
	r := NewRig(RigConfig{Setups: setups, Config: Config{Find: find, OpenSource: func(d Device, _ Settings) Source { return sources[d.ID] }}})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return r
}

func statuses(r *Rig) []Status {
	synctest.Wait()
	s, _ := r.Status().Get()
	return s
}

func TestRigKeepsCamerasApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		every := 100 * time.Millisecond
		r := rigged(t, map[string]*script{
			"/dev/video0": newScript(steadily(pic, every, 0, nil)),
			"/dev/video2": newScript(steadily(pic, every, 2*time.Second, errors.New("broken")), steadily(pic, every, 0, nil)),
		}, Setup{ID: 0, Settings: Settings{Device: "/dev/video0"}}, Setup{ID: 3, Name: "Nozzle", Settings: Settings{Device: "/dev/video2"}})
		time.Sleep(2100 * time.Millisecond)
		s := statuses(r)
		if len(s) != 2 || !s[0].Live || s[1].Live || s[1].ID != 3 || s[1].Name != "Nozzle" || s[1].Problem != "The camera Nozzle failed" {
			t.Fatalf("one has failed: got %+v", s)
		}
		before, _ := r.Camera(0).Frames().Get()
		time.Sleep(3 * time.Second)
		after, _ := r.Camera(0).Frames().Get()
		if s := statuses(r); !s[1].Live || after.Seq < before.Seq+29 {
			t.Errorf("later: got %+v, frames %d to %d of the other one", s, before.Seq, after.Seq)
		}
		if r.First() != r.Camera(0) || r.Camera(1) != nil {
			t.Error("the cameras are not found by their IDs")
		}

		// The order, a name, and a removal: none of them disturbs a camera that stays.
		if err := r.Set(t.Context(), []Setup{{ID: 3, Name: "Side", Settings: Settings{Device: "/dev/video2"}}}); err != nil {
			t.Fatal(err)
		}
		if s := statuses(r); len(s) != 1 || s[0].ID != 3 || s[0].Name != "Side" || !s[0].Live || r.Camera(0) != nil {
			t.Errorf("one was removed: got %+v", s)
		}
	})
}

func TestRigFindsADeviceThatNobodyHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pic := picture(t, 320, 240, 1)
		live := func() *script { return newScript(steadily(pic, 100*time.Millisecond, 0, nil)) }
		r := rigged(t, map[string]*script{"/dev/video0": live(), "/dev/video2": live()}, Setup{ID: 0}, Setup{ID: 1, Settings: Settings{Device: "/dev/video0"}})
		time.Sleep(time.Second)
		if s := statuses(r); s[0].Device != "/dev/video2" || s[1].Device != "/dev/video0" || !s[0].Live || !s[1].Live {
			t.Errorf("got %+v", s)
		}
	})
}

func TestRigRefuses(t *testing.T) {
	r := NewRig(RigConfig{})
	for _, setups := range [][]Setup{
		{{ID: -1}}, {{ID: MaxCameras}}, {{ID: 1}, {ID: 1, Settings: Settings{Device: "none"}}}, {{ID: 0}, {ID: 1}}, {{Name: "a\nb"}},
		{{Settings: Settings{Device: "simulated"}}}, make([]Setup, MaxCameras+1),
	} {
		if err := r.Set(t.Context(), setups); !errors.Is(err, ErrSettings) {
			t.Errorf("%+v: got %v, want %v", setups, err, ErrSettings)
		}
	}
	if err := r.Check([]Setup{{ID: 0, Settings: Settings{Device: "none"}}, {ID: 1, Settings: Settings{Device: "none"}}}); err != nil {
		t.Errorf("two that are off: %v", err)
	}
}

func TestNobodyLooks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := make(chan bool, 100)
		src := sourceFunc(func(ctx context.Context, sink Sink) error {
			for ctx.Err() == nil {
				idle <- sink.Idle()
				pause(ctx, time.Second)
			}
			return nil
		})
		c := running(t, src)
		synctest.Wait()
		done := c.Look()
		time.Sleep(1500 * time.Millisecond)
		again := c.Look()
		done()
		done() // once more does nothing
		time.Sleep(time.Second)
		again()
		time.Sleep(time.Second)
		for i, want := range []bool{true, false, false, true} {
			if got := <-idle; got != want {
				t.Errorf("second %d: idle %v, want %v", i, got, want)
			}
		}
	})
}

type sourceFunc func(ctx context.Context, sink Sink) error

func (sourceFunc) Name() string { return "func" }

func (f sourceFunc) Run(ctx context.Context, sink Sink) error { return f(ctx, sink) }

// TestTurn compares what Exif's values mean, spelled out pixel by pixel, with what the settings promise.
func TestTurn(t *testing.T) {
	// at is the pixel of the camera's picture, w by h, that an orientation shows at x, y (Exif 2.32, 4.6.4: where row 0 and column 0 are).
	at := map[Turn]func(x, y, w, h int) (int, int){
		1: func(x, y, w, h int) (int, int) { return x, y },
		2: func(x, y, w, h int) (int, int) { return w - 1 - x, y },
		3: func(x, y, w, h int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y, w, h int) (int, int) { return x, h - 1 - y },
		5: func(x, y, w, h int) (int, int) { return y, x },
		6: func(x, y, w, h int) (int, int) { return y, h - 1 - x },
		7: func(x, y, w, h int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y, w, h int) (int, int) { return w - 1 - y, x },
	}
	const w, h = 3, 2
	for _, rotate := range []int{0, 90, 180, 270} {
		for _, flips := range [][2]bool{{}, {true, false}, {false, true}, {true, true}} {
			s := Settings{Rotate: rotate, FlipH: flips[0], FlipV: flips[1]}
			clockwise, mirrored := s.turn().Apart()
			for x := range w {
				for y := range h {
					wantX, wantY := place(x, y, w, h, rotate, flips[0], flips[1])
					if gotX, gotY := place(x, y, w, h, clockwise, mirrored, false); gotX != wantX || gotY != wantY {
						t.Errorf("%+v apart: pixel %d,%d goes to %d,%d, want %d,%d", s, x, y, gotX, gotY, wantX, wantY)
					}
					if fromX, fromY := at[s.turn()](wantX, wantY, w, h); fromX != x || fromY != y {
						t.Errorf("%+v as %d: at %d,%d stands pixel %d,%d, want %d,%d", s, s.turn(), wantX, wantY, fromX, fromY, x, y)
					}
				}
			}
		}
	}
}

// place is where a pixel goes: flips first, then the rotation.
func place(x, y, w, h, rotate int, flipH, flipV bool) (int, int) {
	if flipH {
		x = w - 1 - x
	}
	if flipV {
		y = h - 1 - y
	}
	for range rotate / 90 {
		x, y, w, h = h-1-y, x, h, w
	}
	return x, y
}

func TestTurnedPictures(t *testing.T) {
	pic := picture(t, 320, 240, 1)
	plain, _, _, err := complete(pic, upright)
	if err != nil || !bytes.Equal(plain, pic) {
		t.Fatalf("upright: got another picture, %v", err)
	}
	turned, w, h, err := complete(pic, 6)
	if err != nil || w != 320 || h != 240 || len(turned) != len(pic)+exifLen || !bytes.Equal(turned[2+exifLen:], pic[2:]) {
		t.Fatalf("turned: got %d bytes of %d, %dx%d, %v", len(turned), len(pic), w, h, err)
	}
	if again, _, _, err := complete(turned, 8); err != nil || len(again) != len(turned) || again[2+29] != 8 {
		t.Errorf("turned again: got %d bytes, %v: want the segment in the old one's place", len(again), err)
	}
	// What a camera says by itself would turn the whole picture and not the smaller ones, and nobody could set it right.
	if own, _, _, err := complete(turned, 0); err != nil || len(own) != len(turned) || own[2+29] != byte(upright) {
		t.Errorf("a camera's own turn: got %d bytes, %v: want it as the settings say", len(own), err)
	}
	jfif := slices.Insert(slices.Clone(pic), 2, []byte{0xff, 0xe0, 0, 4, 1, 2}...)
	behind := slices.Insert(slices.Clone(jfif), 8, append([]byte{0xff, markerAPP1, 0, 8, 'h', 't', 't', 'p', ':', '/'}, Turn(6).exif()...)...)
	if got, _, _, err := complete(behind, 3); err != nil || len(got) != len(behind) || got[8+10+29] != 3 {
		t.Errorf("behind others: got %d bytes, %v: want the segment in the old one's place", len(got), err)
	}
	if _, err := jpeg.Decode(bytes.NewReader(turned)); err != nil {
		t.Errorf("decode: %v", err)
	}
}

func TestTooManyPixels(t *testing.T) {
	big := image.NewGray(image.Rect(0, 0, 7680, 5208)) // 40 megapixels
	big.Set(3, 3, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, big, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := complete(b.Bytes(), 0); !errors.Is(err, errTooBig) {
		t.Errorf("got %v, want %v", err, errTooBig)
	}
	synctest.Test(t, func(t *testing.T) {
		c := running(t, newScript(steadily(b.Bytes(), time.Second, 0, nil)))
		time.Sleep(5200 * time.Millisecond)
		if s := statusOf(c); s.Live || s.Problem != "The camera Test Cam sends pictures of more than 16 megapixels: choose a smaller picture" {
			t.Errorf("got %+v", s)
		}
	})
}

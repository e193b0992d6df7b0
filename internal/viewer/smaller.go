package viewer

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"layerd/camera"
	"layerd/internal/latest"
)

// Smaller makes the smaller pictures of all cameras: once for all viewers of a size, only while there are any, one at a time, with no more than a
// share of one processor for each size of a camera, at low priority. All methods may be called from any goroutine.
type Smaller struct {
	Log *slog.Logger // nil = discarded

	making sync.Mutex // held while one is made: eight cameras must not take all processors

	mu   sync.Mutex // guards all
	made map[*latest.Value[*camera.Frame]]*[sizes]*workshop
}

// workshop makes the pictures of one size of one camera.
type workshop struct {
	out     *latest.Value[*camera.Frame]
	viewers int
	stop    context.CancelFunc
}

const (
	share      = 4                      // a fourth of one processor's time, at most
	fastest    = 150 * time.Millisecond // between two pictures, however fast the processor is
	mostPixels = 4_300_000              // of a picture that is made smaller: decoded it takes up to 6 bytes each
)

// how big and how good the pictures of a size are.
var shapes = [sizes]struct{ side, quality int }{Small: {640, 50}, Stills: {320, 40}}

// Join returns where the newest picture of the size is, until leave is called. The value is nil until the first was made. With Full it is frames.
func (s *Smaller) Join(frames *latest.Value[*camera.Frame], size Size) (out *latest.Value[*camera.Frame], leave func()) {
	if size == Full {
		return frames, func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.made == nil {
		s.made = map[*latest.Value[*camera.Frame]]*[sizes]*workshop{}
	}
	of := s.made[frames]
	if of == nil {
		of = new([sizes]*workshop)
		s.made[frames] = of
	}
	w := of[size]
	if w == nil {
		ctx, stop := context.WithCancel(context.Background())
		w = &workshop{out: latest.New[*camera.Frame](nil), stop: stop}
		of[size] = w
		go w.run(ctx, frames, size, shrinker{log: s.Log}, &s.making)
	}
	w.viewers++
	return w.out, sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if w.viewers--; w.viewers > 0 {
			return
		}
		w.stop()
		if of[size] = nil; *of == [sizes]*workshop{} {
			delete(s.made, frames)
		}
	})
}

// run makes the newest frame smaller, again and again, until ctx ends. Its thread is given up with it, and so is the low priority.
func (w *workshop) run(ctx context.Context, frames *latest.Value[*camera.Frame], size Size, img shrinker, making *sync.Mutex) {
	if runtime.GOMAXPROCS(0) > 1 { // else the printer's goroutine would have to wait for a thread that waits for all other programs
		runtime.LockOSThread()
		yieldToOthers()
	}
	for seq := uint64(0); ; {
		f, n, err := frames.Next(ctx, seq)
		if err != nil {
			return
		}
		seq = n
		if f == nil {
			w.out.Set(nil)
			continue
		}
		making.Lock()
		began := time.Now()
		made := img.smaller(f, shapes[size].side, shapes[size].quality)
		making.Unlock()
		w.out.Set(made)
		rest := time.NewTimer(max(time.Since(began)*(share-1), fastest-time.Since(began)))
		select {
		case <-rest.C:
		case <-ctx.Done():
			rest.Stop()
			return
		}
	}
}

// shrinker makes pictures smaller, in buffers that it uses again.
type shrinker struct {
	img    *image.YCbCr
	out    bytes.Buffer
	log    *slog.Logger // nil = discarded
	broken bool         // it has panicked before
}

// smaller is f with at most side pixels either way. A picture that cannot be made smaller, or is small already, is passed on as it is.
func (s *shrinker) smaller(f *camera.Frame, side, quality int) (g *camera.Frame) {
	defer func() { // a bug in the decoder, which a camera's bytes have found, may cost the small picture, and not the print
		if p := recover(); p != nil {
			if s.log != nil && !s.broken {
				s.log.Error("a picture cannot be made smaller", "panic", p, "stack", string(debug.Stack()))
			}
			s.img, s.broken, g = nil, true, f
		}
	}()
	if f.Width*f.Height > mostPixels || max(f.Width, f.Height) <= side {
		return f
	}
	picture, err := jpeg.Decode(bytes.NewReader(f.JPEG))
	if err != nil {
		return f
	}
	small := s.shrink(picture, side)
	if small == nil {
		return f
	}
	s.out.Reset()
	if jpeg.Encode(&s.out, small, &jpeg.Options{Quality: quality}) != nil || s.out.Len() >= len(f.JPEG) {
		return f
	}
	made := *f
	g = &made
	g.JPEG = camera.Turned(s.out.Bytes(), f.Turn)
	g.Width, g.Height = small.Bounds().Dx(), small.Bounds().Dy()
	if f.Turn.Sideways() {
		g.Width, g.Height = g.Height, g.Width
	}
	return g
}

// shrink makes the picture at most side pixels either way; each pixel is the mean of those that it stands for. nil: not a kind that it knows.
func (s *shrinker) shrink(picture image.Image, side int) image.Image {
	w, h := picture.Bounds().Dx(), picture.Bounds().Dy()
	long := max(w, h)
	w, h = max(w*side/long, 1), max(h*side/long, 1)
	switch from := picture.(type) {
	case *image.YCbCr:
		if s.img == nil || s.img.Rect != image.Rect(0, 0, w, h) {
			s.img = image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
		}
		fw, fh := from.Rect.Dx(), from.Rect.Dy()
		cw, ch := chroma(from.SubsampleRatio, fw, fh)
		mean(s.img.Y, s.img.YStride, w, h, from.Y, from.YStride, fw, fh)
		mean(s.img.Cb, s.img.CStride, (w+1)/2, (h+1)/2, from.Cb, from.CStride, cw, ch)
		mean(s.img.Cr, s.img.CStride, (w+1)/2, (h+1)/2, from.Cr, from.CStride, cw, ch)
		return s.img
	case *image.Gray:
		small := image.NewGray(image.Rect(0, 0, w, h))
		mean(small.Pix, small.Stride, w, h, from.Pix, from.Stride, from.Rect.Dx(), from.Rect.Dy())
		return small
	}
	return nil
}

// chroma is the size of the colour planes of a picture of w by h.
func chroma(r image.YCbCrSubsampleRatio, w, h int) (cw, ch int) {
	across, down := 1, 1
	switch r {
	case image.YCbCrSubsampleRatio422:
		across = 2
	case image.YCbCrSubsampleRatio420:
		across, down = 2, 2
	case image.YCbCrSubsampleRatio440:
		down = 2
	case image.YCbCrSubsampleRatio411:
		across = 4
	case image.YCbCrSubsampleRatio410:
		across, down = 4, 2
	}
	return (w + across - 1) / across, (h + down - 1) / down
}

// mean fills a plane of w by h with the means of the pixels of another, fw by fh.
func mean(to []byte, stride, w, h int, from []byte, fromStride, fw, fh int) {
	for y := range h {
		top := y * fh / h
		bottom := max((y+1)*fh/h, top+1)
		row := to[y*stride : y*stride+w]
		for x := range row {
			left := x * fw / w
			right := max((x+1)*fw/w, left+1)
			sum := 0
			for v := top; v < bottom; v++ {
				for _, p := range from[v*fromStride+left : v*fromStride+right] {
					sum += int(p)
				}
			}
			n := (bottom - top) * (right - left)
			row[x] = byte((sum + n/2) / n)
		}
	}
}

package camera

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// pieces are copies of all that a splitter makes of a stream, and its error.
func pieces(from io.Reader) (list [][]byte, err error) {
	s := newSplitter(from)
	for {
		p, err := s.next()
		if err != nil {
			return list, err
		}
		list = append(list, bytes.Clone(p))
	}
}

// withThumbnail puts a whole picture into an APP1 segment of another.
func withThumbnail(pic, thumbnail []byte) []byte {
	n := len(thumbnail) + 8
	return slices.Insert(bytes.Clone(pic), 2, slices.Concat([]byte{0xff, markerAPP1, byte(n >> 8), byte(n), 'E', 'x', 'i', 'f', 0, 0}, thumbnail)...)
}

// withSize is pic with another size in its frame header; the rest stays.
func withSize(t testing.TB, pic []byte, w, h int) []byte {
	t.Helper()
	pic = bytes.Clone(pic)
	begin, _ := segmentAt(t, pic, markerSOF0)
	copy(pic[begin+5:], []byte{byte(h >> 8), byte(h), byte(w >> 8), byte(w)})
	return pic
}

func TestSplitter(t *testing.T) {
	a, b := picture(t, 160, 120, 1), picture(t, 320, 240, 2)
	thumbnail := withThumbnail(a, picture(t, 64, 48, 3))
	huge := withSize(t, a, 8000, 5000)
	scan, _ := segmentAt(t, a, markerSOS)
	inData, inHeader := a[:len(a)-500], a[:scan-20]
	part := []byte("\r\n--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 99999\r\n\r\n")
	restarts := slices.Concat(a[:len(a)-2], []byte{0xff, markerRST0, 1, 2, 0xff, 0xff, 0xff, markerRST7, 3, 0xff, 0, 4}, []byte{0xff, markerEOI})
	endless := slices.Concat(a[:scan], bytes.Repeat([]byte{0xff, markerAPP1, 0xff, 0xff}, 3), make([]byte, maxPicture))
	for name, c := range map[string]struct {
		stream []byte
		want   [][]byte
		err    error
	}{
		"nothing":                     {nil, nil, io.EOF},
		"one":                         {a, [][]byte{a}, io.EOF},
		"two glued":                   {slices.Concat(a, b), [][]byte{a, b}, io.EOF},
		"garbage between":             {slices.Concat([]byte("xx\xff\xd8xx\xff"), a, []byte("\xff\xff\x00"), b, []byte("\xff\xd8")), [][]byte{a, b}, io.EOF},
		"multipart":                   {slices.Concat(part, a, part, b, part, a, []byte("\n--frame--")), [][]byte{a, b, a}, io.EOF},
		"a thumbnail":                 {slices.Concat(thumbnail, b), [][]byte{thumbnail, b}, io.EOF},
		"restarts and fill bytes":     {slices.Concat(restarts, a), [][]byte{restarts, a}, io.EOF},
		"40 megapixels":               {slices.Concat(huge, b), [][]byte{huge, b}, io.EOF},
		"cut off in its data":         {slices.Concat(inData, part, b), [][]byte{slices.Concat(inData, part), b}, io.EOF},
		"cut off at the stream's end": {slices.Concat(b, inData), [][]byte{b, inData}, io.EOF},
		"no such segment":             {slices.Concat(a[:scan], []byte{0xff, markerAPP1, 0, 1}, b), [][]byte{a[:scan], b}, io.EOF},
		"too short for a picture":     {slices.Concat(a[:2], []byte{0xff, markerAPP1, 0, 1}, b), [][]byte{b}, io.EOF},
		"only beginnings":             {bytes.Repeat(a[:2], maxPicture), nil, errNoPicture},
		"an endless segment":          {endless, nil, nil},
		"only garbage":                {make([]byte, 2*maxPicture), nil, errNoPicture},
		"a picture without end":       {slices.Concat(a[:len(a)-2], make([]byte, maxPicture)), nil, errTooLong},
	} {
		got, err := pieces(bytes.NewReader(c.stream))
		if c.err != nil && (!errors.Is(err, c.err) || !slices.EqualFunc(got, c.want, bytes.Equal)) {
			t.Errorf("%s: got %d pieces, %v, want %d, %v", name, len(got), err, len(c.want), c.err)
		}
		if c.err == nil && err == nil {
			t.Errorf("%s: got no error", name)
		}
		if len(c.stream) > 1<<20 {
			continue
		}
		for _, slow := range []io.Reader{iotest.OneByteReader(bytes.NewReader(c.stream)), iotest.DataErrReader(bytes.NewReader(c.stream))} {
			if again, _ := pieces(slow); !slices.EqualFunc(got, again, bytes.Equal) {
				t.Errorf("%s: got %d pieces from a slow reader, want %d", name, len(again), len(got))
			}
		}
	}
	// Cut off in a segment, it takes some of the next with it, and nothing of the one after that.
	got, _ := pieces(bytes.NewReader(slices.Concat(inHeader, b, a)))
	if len(got) < 2 || !bytes.Equal(got[len(got)-1], a) {
		t.Errorf("cut off in a header: got %d pieces, want the last to be whole", len(got))
	}
}

// A picture is handed out when its last byte has come, not when the next begins.
func TestSplitterDoesNotWaitForTheNext(t *testing.T) {
	pic := picture(t, 160, 120, 1)
	both := slices.Concat(pic, pic)
	s := newSplitter(io.MultiReader(bytes.NewReader(both), iotest.ErrReader(errStalled)))
	for i := range 2 {
		if got, err := s.next(); err != nil || !bytes.Equal(got, pic) {
			t.Errorf("picture %d: got %d bytes, %v, want %d", i, len(got), err, len(pic))
		}
	}
	if _, err := s.next(); !errors.Is(err, errStalled) {
		t.Errorf("got %v, want the reader's error", err)
	}
}

// slow reads seven bytes at a time.
type slow struct{ from io.Reader }

func (s slow) Read(p []byte) (int, error) { return s.from.Read(p[:min(len(p), 7)]) }

func FuzzSplitter(f *testing.F) {
	a := picture(f, 64, 48, 1)
	f.Add(slices.Concat(a, []byte("garbage"), a))
	f.Add(slices.Concat(a[:300], a))
	f.Add(withThumbnail(a, a))
	f.Add([]byte(strings.Repeat("\xff\xd8\xff\xe1\x00\x04", 1000)))
	f.Fuzz(func(t *testing.T, stream []byte) {
		list, err := pieces(bytes.NewReader(stream))
		if err != io.EOF {
			t.Fatalf("got %v, want the stream's end", err)
		}
		rest := stream
		for _, p := range list {
			i := bytes.Index(rest, p)
			if i < 0 || !bytes.HasPrefix(p, []byte{0xff, markerSOI}) {
				t.Fatalf("% x is no piece of the stream", p[:min(len(p), 20)])
			}
			rest = rest[i+len(p):]
		}
		again, _ := pieces(slow{bytes.NewReader(stream)})
		if !slices.EqualFunc(list, again, bytes.Equal) {
			t.Fatalf("got %d pieces, and %d from a slow reader", len(list), len(again))
		}
		// Whatever came before, a picture behind enough zeros is found.
		list, _ = pieces(io.MultiReader(bytes.NewReader(stream), bytes.NewReader(make([]byte, 1<<16+4)), bytes.NewReader([]byte{0xff, markerEOI}), bytes.NewReader(a)))
		if len(list) == 0 || !bytes.Equal(list[len(list)-1], a) {
			t.Fatal("the last picture was not found")
		}
	})
}

// BenchmarkSplitter goes through streams that make a splitter look twice if any does.
func BenchmarkSplitter(b *testing.B) {
	pic := picture(b, 1280, 720, 1)
	for name, stream := range map[string][]byte{
		"pictures":   bytes.Repeat(pic, 1+(4<<20)/len(pic)),
		"beginnings": bytes.Repeat([]byte{0xff, markerSOI, 0xff, markerAPP1, 0, 3}, 4<<20/6),
		"restarts":   append(bytes.Clone(pic[:len(pic)-2]), bytes.Repeat([]byte{0xff, markerRST0}, 2<<20)...),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			for b.Loop() {
				s := newSplitter(bytes.NewReader(stream))
				for {
					if _, err := s.next(); err != nil {
						break
					}
				}
			}
		})
	}
}

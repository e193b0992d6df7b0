package timelapse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"layerd/camera"
	"math/bits"
	"os"
	"slices"
	"strconv"
)

// The frames of one print lie in a few files that only grow. A frame goes into the file of how often two divides its number:
//
//	0.frames  1 3 5 7 9 …    a half of all
//	1.frames  2 6 10 14 …    a quarter
//	2.frames  4 12 20 …      an eighth, and so on
//
// So every second frame is dropped by removing one file: nothing is copied while a print runs, no room is needed for it, and a kill cannot come
// in the middle. What is left still covers the whole print, and each frame keeps its number.

const (
	files       = 8 // the last takes all numbers that 128 divides, and is never dropped
	headBytes   = 36
	recordMagic = 0x314c544c // "LTL1"
	maxPicture  = 16 << 20   // bytes; what claims to be longer is damage
)

// picture is one frame as it is kept.
type picture struct {
	n             int // its number in the recording
	atMS          int64
	layer         int
	width, height int // as it is to be seen
	turn          camera.Turn
	jpeg          []byte
}

// place is where a frame lies.
type place struct {
	n             int
	file          int
	offset        int64 // of its record
	length        int   // of its JPEG
	atMS          int64
	layer         int
	width, height int
	turn          camera.Turn
}

// fileOf is the file that a number belongs to.
func fileOf(n int) int {
	if n == 0 {
		return files - 1
	}
	return min(bits.TrailingZeros(uint(n)), files-1)
}

func framesName(id string, file int) string { return id + "/" + strconv.Itoa(file) + ".frames" }

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errTorn    = errors.New("the frame is damaged")
)

// recordOf is what goes to the disk for a picture: a head of fixed size, guarded by a sum together with the JPEG behind it.
func recordOf(p picture) []byte {
	b := make([]byte, headBytes, headBytes+len(p.jpeg))
	binary.LittleEndian.PutUint32(b[0:], recordMagic)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(p.jpeg)))
	binary.LittleEndian.PutUint64(b[12:], uint64(p.atMS))
	binary.LittleEndian.PutUint32(b[20:], uint32(p.n))
	binary.LittleEndian.PutUint32(b[24:], uint32(p.layer))
	binary.LittleEndian.PutUint16(b[28:], uint16(p.width))
	binary.LittleEndian.PutUint16(b[30:], uint16(p.height))
	b[32] = byte(p.turn)
	b = append(b, p.jpeg...)
	binary.LittleEndian.PutUint32(b[4:], crc32.Checksum(b[8:], castagnoli))
	return b
}

// parseHead reads a record's head; the sum is not looked at.
func parseHead(b []byte, file int, offset int64) (place, error) {
	p := place{
		file: file, offset: offset,
		length: int(int32(binary.LittleEndian.Uint32(b[8:]))), // an int may have no more than 32 bits
		atMS:   int64(binary.LittleEndian.Uint64(b[12:])),
		n:      int(int32(binary.LittleEndian.Uint32(b[20:]))),
		layer:  int(int32(binary.LittleEndian.Uint32(b[24:]))),
		width:  int(binary.LittleEndian.Uint16(b[28:])), height: int(binary.LittleEndian.Uint16(b[30:])),
		turn: camera.Turn(b[32]),
	}
	if binary.LittleEndian.Uint32(b[0:]) != recordMagic || p.length <= 0 || p.length > maxPicture || p.n < 0 || fileOf(p.n) != file {
		return place{}, errTorn
	}
	return p, nil
}

// readPicture reads one frame and checks its sum.
func readPicture(f io.ReaderAt, at place) (picture, error) {
	b := make([]byte, headBytes+at.length)
	if _, err := f.ReadAt(b, at.offset); err != nil {
		return picture{}, fmt.Errorf("read frame %d: %w", at.n, err)
	}
	if got, err := parseHead(b, at.file, at.offset); err != nil || got != at || binary.LittleEndian.Uint32(b[4:]) != crc32.Checksum(b[8:], castagnoli) {
		return picture{}, fmt.Errorf("read frame %d: %w", at.n, errTorn)
	}
	return picture{n: at.n, atMS: at.atMS, layer: at.layer, width: at.width, height: at.height, turn: at.turn, jpeg: b[headBytes:]}, nil
}

// walk returns the places of all whole frames of a recording, in order of their numbers. Only heads are read, and of each file the last
// frame: what a kill has torn is the end. Where cut is set, such an end is cut off.
func walk(dir *os.Root, id string, cut bool) ([]place, error) {
	var all []place
	for file := range files {
		places, err := walkFile(dir, id, file, cut)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", framesName(id, file), err)
		}
		all = append(all, places...)
	}
	slices.SortFunc(all, func(a, b place) int { return a.n - b.n })
	return all, nil
}

func walkFile(dir *os.Root, id string, file int, cut bool) ([]place, error) {
	flag := os.O_RDONLY
	if cut {
		flag = os.O_RDWR
	}
	f, err := dir.OpenFile(framesName(id, file), flag, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // dropped, or none yet
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var places []place
	var end int64
	var head [headBytes]byte
	for end+headBytes <= info.Size() {
		if _, err := f.ReadAt(head[:], end); err != nil {
			return nil, err
		}
		p, err := parseHead(head[:], file, end)
		if err != nil || end+headBytes+int64(p.length) > info.Size() {
			break
		}
		places = append(places, p)
		end += headBytes + int64(p.length)
	}
	for len(places) > 0 { // a power cut may leave the length of a file, and zeros where its end was not written yet
		last := places[len(places)-1]
		if _, err := readPicture(f, last); err == nil {
			break
		}
		places, end = places[:len(places)-1], last.offset
	}
	if cut && end < info.Size() {
		if err := f.Truncate(end); err != nil {
			return nil, fmt.Errorf("cut off its torn end: %w", err)
		}
	}
	return places, nil
}

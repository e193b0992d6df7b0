package unpack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

type entry struct {
	name string
	data []byte
}

// archived is a zip archive: as writers make it that cannot go back (with sizes behind the data), compressed or not.
func archived(t testing.TB, method uint16, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err == nil {
			_, err = f.Write(e.data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func picture(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noise does not compress.
func noise(n int) []byte {
	b, random := make([]byte, n), rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(random.Uint32())
	}
	return b
}

func TestOpen(t *testing.T) {
	text := print(2000)
	ufp := []entry{{"/3D/model.gcode", []byte(text)}, {"/Metadata/thumbnail.png", picture(t, 30, 20)}, {"[Content_Types].xml", []byte("<Types/>")}}
	bgcode := fileOf(true, blockOf(t, codeBlock, heatshrunk12, meatOf(text, true), meatPackComments))
	for _, c := range []struct {
		name   string
		file   []byte
		packed bool
		before string // the text begins with it
		want   string // and then this comes
	}{
		{"text", []byte(text), false, "", text},
		{"nothing", nil, false, "", ""},
		{"less than is looked at", []byte("G1"), false, "", "G1"},
		{"gzip", zipped(t, []byte(text)), true, "", text},
		{"two gzips in a row", append(zipped(t, []byte(text)), zipped(t, []byte("G28\n"))...), true, "", text + "G28\n"},
		{"gzip of nothing", zipped(t, nil), true, "", ""},
		{"binary", bgcode, true, "\n", text},
		{"binary in gzip", zipped(t, bgcode), true, "\n", text},
		{"ufp", archived(t, zip.Deflate, ufp...), true, "\n;\n; thumbnail begin 30x20 ", text},
		{"ufp that is stored", archived(t, zip.Store, ufp...), true, "\n;\n; thumbnail begin 30x20 ", text},
		{"ufp without a picture", archived(t, zip.Deflate, ufp[0]), true, "", text},
		{"ufp with a picture that is none", archived(t, zip.Deflate, ufp[0], entry{"/Metadata/thumbnail.png", []byte("<html>")}), true, "", text},
		{"ufp with too large a picture", archived(t, zip.Deflate, ufp[0], entry{"/Metadata/thumbnail.png", append(picture(t, 30, 20), noise(maxThumbnail)...)}), true, "", text},
		{"ufp of another writer", archived(t, zip.Deflate, entry{"3D\\Model.gcode", []byte(text)}), true, "", text},
		{"ufp whose name comes twice", archived(t, zip.Deflate, ufp[0], entry{"/3D/model.gcode", []byte("G28\n")}), true, "", text},
		{"sliced 3mf", archived(t, zip.Deflate, entry{"3D/3dmodel.model", []byte("<model/>")}, entry{"Metadata/plate_2.gcode", []byte(text)}, entry{"Metadata/plate_2.png", picture(t, 9, 8)}),
			true, "\n;\n; thumbnail begin 9x8 ", text},
		{"one file in a zip", archived(t, zip.Deflate, entry{"read me.txt", []byte("x")}, entry{"Parts/", nil}, entry{"Parts/Cube.GCODE", []byte(text)}, entry{"__MACOSX/Parts/._Cube.GCODE", noise(9)}),
			true, "", text},
	} {
		t.Run(c.name, func(t *testing.T) {
			opened, err := Open(iotest.DataErrReader(bytes.NewReader(c.file)), tempFile)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(opened)
			if err != nil || opened.Packed() != c.packed || !strings.HasPrefix(string(got), c.before) || !strings.HasSuffix(string(got), c.want) {
				t.Errorf("%v, packed %v, %d bytes of text: %.40q", err, opened.Packed(), len(got), got)
			}
			if extra := strings.TrimSuffix(string(got), c.want); strings.HasSuffix(c.before, "begin 30x20 ") {
				if !strings.HasSuffix(extra, "\n; thumbnail end\n;\n") {
					t.Errorf("before the G-code: %q", extra)
				}
			} else if c.before == "" && extra != "" {
				t.Errorf("before the G-code: %q", extra)
			}
			if err := opened.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	text := []byte(print(100))
	gz, model := zipped(t, text), archived(t, zip.Deflate, entry{"3D/model.gcode", text})
	wrongSum := bytes.Clone(gz)
	wrongSum[len(gz)-6] ^= 1
	unknown := archived(t, zip.Store, entry{"3D/model.gcode", text})
	for _, at := range []int{8, bytes.LastIndex(unknown, []byte("PK\x01\x02")) + 10} {
		unknown[at] = 99
	}
	encrypted := bytes.Clone(model)
	encrypted[bytes.LastIndex(model, []byte("PK\x01\x02"))+8] |= 1
	wrongData := archived(t, zip.Store, entry{"3D/model.gcode", text})
	wrongData[200] ^= 1
	var many []entry
	for range maxEntries + 1 {
		many = append(many, entry{"a", nil})
	}
	for _, c := range []struct {
		name string
		file []byte
		says string
	}{
		{"gzip with a wrong sum", wrongSum, "checksum"},
		{"gzip and rubbish behind it", append(bytes.Clone(gz), "G28\nG1 X1 Y1\n"...), "gzip: invalid header"},
		{"gzip in gzip", zipped(t, gz), "packed again"},
		{"zip in gzip", zipped(t, model), "packed again"},
		{"an empty zip", archived(t, zip.Store), "no G-code"},
		{"a zip of other things", archived(t, zip.Store, entry{"readme.txt", text}, entry{"a.gcode/a.txt", text}), "no G-code"},
		{"a zip of two files", archived(t, zip.Store, entry{"a.gcode", text}, entry{"b/a.GCO", text}), "2 files"},
		{"a 3mf that is not sliced", archived(t, zip.Deflate, entry{"3D/3dmodel.model", text}), "not sliced"},
		{"a 3mf of two plates", archived(t, zip.Deflate, entry{"Metadata/plate_1.gcode", text}, entry{"Metadata/plate_2.gcode", text}), "2 plates"},
		{"a zip that is encrypted", encrypted, "encrypted"},
		{"a zip whose compression nobody knows", unknown, "unsupported"},
		{"a zip with a wrong sum", wrongData, "checksum"},
		{"a zip of very many", archived(t, zip.Store, many...), "too much"},
		{"a zip with a long table of contents", archived(t, zip.Store, longNames(40)...), "too long"},
		{"a zip whose offsets lead out of it", []byte("PK\x03\x04PK\x01\x02000000000000000000000000\x16\x00\x00\x00\x00\x00000000000\x00\x00\x00MetAdAtA/plAte_0.gCodePK\x05\x06000000\x01\x00D\x00\x00\x007000\x00\x00"),
			"not a valid zip"},
		{"a zip of 64 bits", append(bytes.Clone(model[:len(model)-6]), 0xff, 0xff, 0xff, 0xff, 0, 0), "too much"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, err := textOf(t, c.file); !errors.Is(err, ErrPacked) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "zip: zip:") {
				t.Errorf("%d bytes of text, %v, want an error with %q", len(got), err, c.says)
			}
		})
	}
	for _, whole := range [][]byte{gz, model} {
		for n := 4; n < len(whole); n++ {
			if _, err := textOf(t, whole[:n]); !errors.Is(err, ErrPacked) || errors.Is(err, io.ErrUnexpectedEOF) {
				t.Fatalf("%.2q cut off at %d of %d: %v", whole, n, len(whole), err)
			}
		}
	}
}

// longNames make a table of contents of n times 64 KiB.
func longNames(n int) (entries []entry) {
	for range n {
		entries = append(entries, entry{strings.Repeat("a", 1<<16-1), nil})
	}
	return entries
}

// A table of contents that says of itself what is not so is not believed: archive/zip would make room for what its end speaks of.
func TestZipThatLiesOfItsContents(t *testing.T) {
	honest := archived(t, zip.Store, entry{"3D/model.gcode", []byte("G28\n")})
	lying := bytes.Clone(honest)
	binary.LittleEndian.PutUint16(lying[len(lying)-12:], maxEntries+1)
	if _, err := textOf(t, honest); err != nil {
		t.Error(err)
	}
	if _, err := textOf(t, lying); !errors.Is(err, ErrPacked) || !strings.Contains(err.Error(), "too much") {
		t.Errorf("%d entries that are one: %v", maxEntries+1, err)
	}
	var many []entry
	for range 1 << 16 { // in 16 bits that is none, and archive/zip would believe it
		many = append(many, entry{"a", nil})
	}
	whole := archived(t, zip.Store, many...)
	end := bytes.LastIndex(whole, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(whole[end+10:], 0)
	binary.LittleEndian.PutUint32(whole[end+12:], uint32(1<<16*47))
	binary.LittleEndian.PutUint32(whole[end+16:], uint32(bytes.Index(whole, []byte("PK\x01\x02"))))
	if _, err := textOf(t, whole); !errors.Is(err, ErrPacked) || !strings.Contains(err.Error(), "too long") {
		t.Errorf("65536 entries that are none: %v", err)
	}
}

// Errors of the reader and of the disk come as they are: they say nothing of the file.
func TestErrorsThatAreNotTheFiles(t *testing.T) {
	away := errors.New("the phone went out of range")
	for name, whole := range map[string][]byte{
		"text":   []byte(print(2000)),
		"gzip":   zipped(t, []byte(print(20000))),
		"binary": fileOf(true, blockOf(t, codeBlock, deflated, []byte(print(20000)), 0)),
		"zip":    archived(t, zip.Deflate, entry{"3D/model.gcode", []byte(print(2000))}),
	} {
		for _, n := range []int{0, 2, 5, 15, len(whole) / 2, len(whole)} {
			text, err := Open(io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(away)), tempFile)
			if err == nil {
				_, err = io.ReadAll(text)
				text.Close()
			}
			if err != away {
				t.Errorf("%s after %d bytes: %v", name, n, err)
			}
		}
	}
	full := &os.PathError{Op: "write", Path: "spool", Err: errors.New("no space left on device")}
	_, err := Open(bytes.NewReader(archived(t, zip.Store)), func() (*os.File, error) { return nil, full })
	if err != full {
		t.Errorf("a spool that cannot be made: %v", err)
	}
}

// A bomb goes off only as far as somebody reads, and in memory that does not grow with it.
func TestBombs(t *testing.T) {
	zeros := make([]byte, 16<<20)
	packed := blockOf(t, codeBlock, heatshrunk12, meatOf(strings.Repeat("00000000", 1<<17), true), meatPackComments)
	for name, file := range map[string][]byte{
		"gzip":       zipped(t, zeros),
		"binary":     fileOf(true, blockOf(t, codeBlock, deflated, zeros, 0)),
		"zip":        archived(t, zip.Deflate, entry{"3D/model.gcode", zeros}),
		"heatshrink": fileOf(true, slices.Repeat([][]byte{packed}, 16)...),
	} {
		came := &counting{r: bytes.NewReader(file)}
		text, err := Open(came, tempFile)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(text, make([]byte, 1<<10)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name != "zip" && came.n > 2*pieceBytes {
			t.Errorf("%s: %d bytes were read for 1 KiB of text", name, came.n)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		n, err := io.Copy(io.Discard, text)
		runtime.ReadMemStats(&after)
		if spent := after.TotalAlloc - before.TotalAlloc; err != nil || n < 15<<20 || spent > 1<<20 {
			t.Errorf("%s: %d bytes of text took %d of memory, %v", name, n, spent, err)
		}
		text.Close()
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

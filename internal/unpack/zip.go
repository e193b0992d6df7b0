package unpack

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/png"
	"io"
	"os"
	"path"
	"strings"
)

// A zip archive's table of contents is at its end, so it waits in a file until all of it is there. Three kinds have G-code in them:
//
//	/3D/model.gcode, /Metadata/thumbnail.png           Cura's Ultimaker Format Package (libCharon, docs/ufp.md)
//	/Metadata/plate_1.gcode, /Metadata/plate_1.png     a 3MF project that was sliced, of Bambu Studio and OrcaSlicer
//	cube.gcode                                         what a person has packed: one file of G-code, wherever in it

const (
	maxEntries  = 1000
	maxContents = 1 << 20 // bytes of the table of contents
)

// openZip copies r into the empty file f and returns the text in it, the picture first.
func openZip(r io.Reader, f *os.File) (io.Reader, error) {
	size, err := io.Copy(f, r)
	if err != nil {
		return nil, err
	}
	archive, err := readContents(f, size)
	if err != nil {
		return nil, err
	}
	code, picture, err := find(archive)
	if err != nil {
		return nil, err
	}
	if code.Flags&1 != 0 {
		return nil, errors.New("it is encrypted")
	}
	text, err := code.Open()
	if err != nil {
		return nil, err
	}
	return io.MultiReader(bytes.NewReader(thumbnailOf(picture)), text), nil
}

// readContents reads the table of contents, of which archive/zip would take gigabytes into memory, or make room for what only the end of the
// archive speaks of.
func readContents(f *os.File, size int64) (*zip.Reader, error) {
	const end, endBytes, window = "PK\x05\x06", 22, 65 << 10 // where archive/zip looks for it
	tail := make([]byte, min(size, window))
	if _, err := f.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return nil, err
	}
	for rest := tail; ; rest = rest[1:] {
		i := bytes.Index(rest, []byte(end))
		if i < 0 || len(rest)-i < endBytes {
			break
		}
		rest = rest[i:]
		entries, length, offset := binary.LittleEndian.Uint16(rest[10:]), binary.LittleEndian.Uint32(rest[12:]), binary.LittleEndian.Uint32(rest[16:])
		if entries > maxEntries || length == 0xffff || offset == 0xffffffff { // the last two may mean that numbers of 64 bits are elsewhere
			return nil, errors.New("there is too much in it")
		}
	}
	limit := &limitedAt{r: f, left: maxContents}
	archive, err := zip.NewReader(limit, size)
	limit.left = 1 << 62
	return archive, err
}

// limitedAt lets so many bytes be read.
type limitedAt struct {
	r    io.ReaderAt
	left int64
}

func (l *limitedAt) ReadAt(p []byte, at int64) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errors.New("its table of contents is too long")
	}
	if at < 0 { // offsets that lie; the disk would be blamed
		return 0, zip.ErrFormat
	}
	return l.r.ReadAt(p, at)
}

// find returns the one file that is G-code, and its picture or nil.
func find(archive *zip.Reader) (code, picture *zip.File, err error) {
	files := make(map[string]*zip.File)
	plates, others := 0, 0
	var other *zip.File
	for _, f := range archive.File {
		name := strings.ToLower(strings.TrimLeft(strings.ReplaceAll(f.Name, `\`, "/"), "/"))
		if files[name] != nil {
			continue
		}
		files[name] = f
		if ok, _ := path.Match("metadata/plate_*.gcode", name); ok {
			code, plates = f, plates+1
		} else if isText(name) {
			other, others = f, others+1
		}
	}
	switch model := files["3d/model.gcode"]; {
	case model != nil:
		return model, files["metadata/thumbnail.png"], nil
	case plates == 1:
		name := strings.ToLower(path.Base(code.Name))
		return code, files["metadata/"+strings.TrimSuffix(name, ".gcode")+".png"], nil
	case plates > 1:
		return nil, nil, fmt.Errorf("there are %d plates in it: export the one to be printed", plates)
	case files["3d/3dmodel.model"] != nil:
		return nil, nil, errors.New("it is a 3MF model that is not sliced: slice it first")
	}
	switch others {
	case 0:
		return nil, nil, errors.New("there is no G-code in it")
	case 1:
		return other, nil, nil
	}
	return nil, nil, fmt.Errorf("there are %d files of G-code in it: send the one to be printed", others)
}

// isText knows the names of G-code, in lower case. What a Mac adds to each file begins with "._".
func isText(name string) bool {
	switch path.Ext(name) {
	case ".gcode", ".gco", ".g", ".gc", ".nc":
		return !strings.HasPrefix(path.Base(name), "._")
	}
	return false
}

// thumbnailOf is a picture as comments, empty when there is none that can be used: a print does not need it.
func thumbnailOf(f *zip.File) []byte {
	if f == nil {
		return nil
	}
	r, err := f.Open()
	if err != nil {
		return nil
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxThumbnail+1))
	if err != nil || len(data) > maxThumbnail {
		return nil
	}
	size, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil || size.Width > 1<<16-1 || size.Height > 1<<16-1 {
		return nil
	}
	return appendThumbnail(nil, thumbnailTag(0), uint16(size.Width), uint16(size.Height), data)
}

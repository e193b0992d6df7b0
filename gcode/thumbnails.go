package gcode

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/jpeg"
	"image/png"
	"slices"
)

const (
	maxThumbnails     = 8
	maxThumbnailBytes = 512 << 10
	maxThumbnailSide  = 2048 // px

	typeQOI = "image/qoi" // until list
)

// thumbnails collects the pictures that slicers put into comments:
//
//	; thumbnail begin 220x124 12345      (also thumbnail_PNG, thumbnail_JPG, thumbnail_QOI)
//	; iVBORw0KGgoAAAANSUhEUgAA…          base64
//	; thumbnail end
//
// What is no PNG, JPEG or QOI, too big or damaged is left out without a word: a print does not need its picture.
type thumbnails struct {
	kept   []Thumbnail // by area, biggest last
	open   bool
	broken bool
	base64 []byte
}

// read takes one comment, trimmed, and reports whether it was part of a picture.
func (t *thumbnails) read(c []byte) bool {
	if rest, ok := bytes.CutPrefix(c, []byte("thumbnail")); ok {
		if kind, after, _ := bytes.Cut(rest, []byte(" ")); len(kind) == 0 || kind[0] == '_' {
			switch {
			case isWord(after, "begin"):
				t.begin(kind)
				return true
			case isWord(after, "end"):
				t.end()
				return true
			}
		}
	}
	if !t.open {
		return false
	}
	// A file that was cut or put together by hand may lack the end: what is no base64 is no picture.
	if bytes.IndexByte(c, ' ') >= 0 || bytes.IndexByte(c, ':') >= 0 {
		t.open = false
		return false
	}
	if len(t.base64)+len(c) > base64.StdEncoding.EncodedLen(maxThumbnailBytes) {
		t.broken = true
	}
	if !t.broken {
		t.base64 = append(t.base64, c...)
	}
	return true
}

func (t *thumbnails) begin(kind []byte) {
	t.open, t.base64 = true, t.base64[:0]
	t.broken = !slices.Contains([]string{"", "_PNG", "_JPG", "_JPEG", "_QOI"}, string(kind))
}

func (t *thumbnails) end() {
	if !t.open || t.broken {
		t.open = false
		return
	}
	t.open = false
	data := make([]byte, base64.StdEncoding.DecodedLen(len(t.base64)))
	n, err := base64.StdEncoding.Decode(data, t.base64)
	if err != nil {
		return
	}
	picture, ok := checkThumbnail(data[:n])
	if !ok {
		return
	}
	area := picture.Width * picture.Height
	at := len(t.kept)
	for at > 0 && t.kept[at-1].Width*t.kept[at-1].Height > area {
		at--
	}
	t.kept = slices.Insert(t.kept, at, picture)
	if len(t.kept) > maxThumbnails {
		t.kept = slices.Delete(t.kept, 0, 1)
	}
}

// list returns what was kept, all as PNG or JPEG. Only now is a QOI unpacked, so that a file costs eight of them at most.
func (t *thumbnails) list() (list []Thumbnail) {
	var qoi qoiDecoder
	for _, picture := range t.kept {
		if picture.Type == typeQOI {
			data, err := qoi.toPNG(picture.Data)
			if err != nil || len(data) > maxThumbnailBytes {
				continue
			}
			picture.Type, picture.Data = "image/png", data
		}
		list = append(list, picture)
	}
	return list
}

// checkThumbnail reads the header of a picture. The size that counts is the one in there, not the comment's.
func checkThumbnail(data []byte) (Thumbnail, bool) {
	var (
		config image.Config
		err    error
		kind   string
	)
	switch {
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		kind = "image/png"
		config, err = png.DecodeConfig(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		kind = "image/jpeg"
		config, err = jpeg.DecodeConfig(bytes.NewReader(data))
	case bytes.HasPrefix(data, []byte(qoiMagic)):
		kind = typeQOI
		config, err = qoiSize(data)
	default:
		return Thumbnail{}, false
	}
	if err != nil || config.Width < 1 || config.Height < 1 || config.Width > maxThumbnailSide || config.Height > maxThumbnailSide {
		return Thumbnail{}, false
	}
	return Thumbnail{Width: config.Width, Height: config.Height, Type: kind, Data: data}, true
}

package store

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A name comes from a phone, a script or a slicer and is not trusted. CleanPath makes it safe before anything is written
// under it; checkExtension keeps out what is no print file, on upload and on rename alike (a file uploaded as .gcode and
// renamed to .html would be a page of our own origin); reachable says which names, put there by hand, may be shown.

const (
	maxPart  = 120  // bytes of one cleaned part
	maxDepth = 8    // parts of a cleaned path
	maxPath  = 4096 // bytes of a path as the client sent it
)

// extensions of files that can be printed, lower case.
var extensions = [...]string{".gcode", ".gco", ".g", ".gc", ".nc"}

// packedExtensions are of files that have one of the former in them; the name of a gzip must say which.
var packedExtensions = [...]string{".bgcode", ".bgc", ".ufp", ".3mf", ".zip"}

const gzipExtension = ".gz"

// CleanPath turns a client's path into a safe one: '/' separated, each part free of control characters, leading dots, and
// characters that a file system or a URL trips over; Unicode is kept (NFC). ErrName when nothing is left, a part is ".." or it is too long.
//
// Characters that nobody can see (direction marks, zero width) are dropped, those that other systems reserve (<>:"|?*\)
// become '_'. The result is at most maxDepth parts of maxPart bytes, and cleaning it again changes nothing.
func CleanPath(path string) (string, error) {
	if len(path) > maxPath {
		return "", fmt.Errorf("%w: it is longer than %d bytes", ErrName, maxPath)
	}
	if !utf8.ValidString(path) {
		return "", fmt.Errorf("%w: it is not valid UTF-8", ErrName)
	}
	parts := strings.Split(path, "/")
	if len(parts) > maxDepth {
		return "", fmt.Errorf("%w: more than %d folders deep", ErrName, maxDepth-1)
	}
	for i, part := range parts {
		switch part {
		case "":
			return "", fmt.Errorf("%w: a part of %q is empty", ErrName, path)
		case ".", "..":
			return "", fmt.Errorf("%w: %q in it leads elsewhere", ErrName, part)
		}
		clean := cleanPart(part)
		if clean == "" {
			return "", fmt.Errorf("%w: nothing usable is left of %q", ErrName, part)
		}
		if len(clean) > maxPart {
			return "", fmt.Errorf("%w: %.20q… is longer than %d bytes", ErrName, clean, maxPart)
		}
		parts[i] = clean
	}
	return strings.Join(parts, "/"), nil
}

// cleanPart cleans one part of a path. It may come out empty.
func cleanPart(part string) string {
	// Invisible characters go first, because what they kept apart may compose; the others are replaced once more after
	// composing, because NFC turns some look-alikes into plain characters (U+037E into ';').
	part = strings.Map(cleanRune, part)
	part = norm.NFC.String(part)
	part = strings.Map(cleanRune, part)
	part = strings.TrimLeft(part, ". ")
	return strings.TrimRight(part, ". ")
}

func cleanRune(r rune) rune {
	switch {
	case strings.ContainsRune(`<>:"|?*\/`, r):
		return '_'
	case unicode.IsSpace(r) && !unicode.IsControl(r) && !unicode.In(r, unicode.Zl, unicode.Zp):
		return ' '
	case invisible(r):
		return -1
	}
	return r
}

// invisible reports control characters (Cc), format characters (Cf: direction overrides, zero width, byte order mark) and
// line and paragraph separators.
func invisible(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }

// Printable is nil for the name of a file that can be printed by how it ends, else ErrEnding.
func Printable(name string) error { return checkExtension(name) }

// checkExtension refuses names that do not end like a file that can be printed.
func checkExtension(name string) error {
	if slices.Contains(extensions[:], strings.ToLower(path.Ext(name))) {
		return nil
	}
	return fmt.Errorf("%w: it must end in one of %s", ErrEnding, strings.Join(extensions[:], " "))
}

// UploadPath returns the path under which Put stores what is uploaded as path: cleaned, and with the ending of the text that is in a packed
// file: cube.bgcode, cube.ufp and cube.gcode.gz all become cube.gcode. ErrName as CleanPath says, and for what can be no print by its name.
func UploadPath(name string) (string, error) {
	clean, err := CleanPath(name)
	if err != nil {
		return "", err
	}
	stem, ext := cutExtension(clean)
	if ext == gzipExtension {
		stem, ext = cutExtension(stem)
	}
	switch {
	case slices.Contains(extensions[:], ext):
		return stem + clean[len(stem):len(stem)+len(ext)], nil // in the case that it came in
	case !slices.Contains(packedExtensions[:], ext):
		return "", fmt.Errorf("%w: it must end in one of %s, or be packed: %s %s%s%s", ErrEnding, strings.Join(extensions[:], " "),
			strings.Join(packedExtensions[:], " "), extensions[0], gzipExtension, sliceFirst(ext))
	case checkExtension(stem) != nil: // else it is cube.gcode.3mf
		stem += extensions[0]
	}
	return CleanPath(stem) // it may have become too long
}

// cutExtension returns the ending in lower case.
func cutExtension(name string) (stem, ext string) {
	ext = path.Ext(name)
	return name[:len(name)-len(ext)], strings.ToLower(ext)
}

// sliceFirst is advice for models.
func sliceFirst(ext string) string {
	if slices.Contains([]string{".stl", ".obj", ".step", ".stp", ".amf"}, ext) {
		return "; a model must be sliced first"
	}
	return ""
}

// reachable reports whether a path that exists may be shown and opened under exactly this name. It is laxer than CleanPath, since
// people copy files into the directory by hand, but it lets nothing through that is hidden, invisible or leads elsewhere.
func reachable(name string) bool {
	if name == "" || len(name) > maxPath || !utf8.ValidString(name) || strings.ContainsFunc(name, invisible) {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' {
			return false
		}
	}
	return true
}

package main

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// file is one of the corpus, as plain text on the disk.
type file struct {
	name string // without ".gcode" and what is behind
	path string
	size int64
}

// large is the file that others are compared with.
const large = "ps_large2_benchy200"

// openCorpus finds all text of the corpus, the largest file last, and unpacks into dir what is packed.
func openCorpus(corpus, dir string) (all []file, err error) {
	for _, pattern := range []string{"*.gcode", "*.gcode.gz", "public/gp_*.gcode", "public/mini_cube_ps2.8.1.gcode"} {
		found, err := filepath.Glob(filepath.Join(corpus, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range found {
			f := file{path: path}
			f.name, _, _ = strings.Cut(filepath.Base(path), ".gcode")
			if strings.HasSuffix(path, ".gz") {
				f.path = filepath.Join(dir, f.name+".gcode")
				if err := unzip(path, f.path); err != nil {
					return nil, err
				}
			}
			info, err := os.Stat(f.path)
			if err != nil {
				return nil, err
			}
			f.size = info.Size()
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no slicers' files in %s: --corpus says where they are", corpus)
	}
	slices.SortStableFunc(all, func(a, b file) int { return int(a.size - b.size) })
	return all, nil
}

func unzip(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	text, err := gzip.NewReader(in)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", from, err)
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := io.Copy(out, text); err != nil {
		return fmt.Errorf("unpack %s: %w", from, err)
	}
	return out.Close()
}

// named returns the files with these names, in that order; those that are not there are left out.
func (b *bench) named(names ...string) (found []file) {
	for _, name := range names {
		if i := slices.IndexFunc(b.files, func(f file) bool { return f.name == name }); i >= 0 {
			found = append(found, b.files[i])
		}
	}
	return found
}

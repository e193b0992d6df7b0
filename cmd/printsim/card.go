package main

import (
	"fmt"
	"layerd/printer/printertest"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxCard bounds what a pretend memory card holds, in bytes.
const maxCard = 256 << 20

// cardFiles reads the G-code files of a folder, the newest first, and gives them DOS names, as FAT does.
func cardFiles(dir string) ([]printertest.CardFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("card: %w", err)
	}
	files, size := []printertest.CardFile{}, 0
	taken := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() || !strings.HasPrefix(strings.ToLower(filepath.Ext(e.Name())), ".g") {
			continue
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("card: %w", err)
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, fmt.Errorf("card: %w", err)
		}
		if size += len(text); size > maxCard {
			return nil, fmt.Errorf("card: %s holds more than %d bytes", dir, maxCard)
		}
		name := dosName(e.Name(), taken)
		taken[name] = true
		files = append(files, printertest.CardFile{Path: name, Long: e.Name(), Text: string(text), Date: info.ModTime()})
	}
	slices.SortStableFunc(files, func(a, b printertest.CardFile) int { return b.Date.Compare(a.Date) })
	return files, nil
}

// dosName makes a name of eight and three characters that is not taken: "3D Benchy.gcode" → "3DBENC~1.GCO".
func dosName(name string, taken map[string]bool) string {
	plain := func(s string) string {
		return strings.Map(func(r rune) rune {
			if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
				return r
			}
			return -1
		}, strings.ToUpper(s))
	}
	ext := filepath.Ext(name)
	stem, end := plain(strings.TrimSuffix(name, ext)), plain(ext)
	end = end[:min(3, len(end))]
	if stem == "" {
		stem = "FILE"
	}
	if len(stem) <= 8 && len(plain(ext)) <= 3 && !taken[stem+"."+end] {
		return stem + "." + end
	}
	for n := 1; ; n++ {
		tail := fmt.Sprintf("~%d", n)
		if dos := stem[:min(len(stem), 8-len(tail))] + tail + "." + end; !taken[dos] {
			return dos
		}
	}
}

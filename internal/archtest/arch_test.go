package archtest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const top = "../.."

// repository reads every file that we wrote: no dependencies, and nothing that is built.
func repository(t *testing.T) (files []file) {
	t.Helper()
	notOurs := []string{".git", "bin", "dist", ".cache", "webui/node_modules", "webui/dist", "webui/e2e/out"}
	err := fs.WalkDir(os.DirFS(top), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains(notOurs, name):
			return fs.SkipDir
		case !entry.Type().IsRegular() || generated(name):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(top, name))
		if err != nil {
			return err
		}
		f, err := newFile(name, text)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// generated knows what tools write, and what running the tests leaves behind.
func generated(name string) bool {
	switch path.Base(name) {
	case "go.sum", "package-lock.json":
		return true
	}
	return slices.Contains([]string{".test", ".prof", ".png", ".jpg"}, path.Ext(name))
}

func TestRepository(t *testing.T) {
	files := repository(t)
	packages := make(map[string]bool)
	for _, f := range files {
		packages[f.pkg] = true
	}
	for _, pkg := range []string{"layerd/gcode", "layerd/printer", "layerd/camera", "layerd/internal/store", "layerd/internal/archtest"} {
		if !packages[pkg] {
			t.Fatalf("%s was not found: the checks would look at nothing", pkg)
		}
	}
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			for _, wrong := range check(files) {
				t.Error(wrong)
			}
		})
	}
	t.Run("rules", func(t *testing.T) { testRulesNameWhatExists(t, files) })
}

// checks by name. Each takes all files.
var checks = map[string]func([]file) []string{
	"imports":  each(checkImports),
	"one file": checkOneFile,
	"code":     each(checkCode),
	"gofmt":    each(checkFormat),
	"length":   each(checkLength),
	"words":    each(checkWords),
	"shown by": checkShownBy,
}

func each(check func(file) []string) func([]file) []string {
	return func(files []file) (wrong []string) {
		for _, f := range files {
			wrong = append(wrong, check(f)...)
		}
		return wrong
	}
}

// importing is a Go file in dir that imports these paths.
func importing(paths ...string) string {
	text := "package p\n"
	for _, p := range paths {
		text += "\nimport _ \"" + p + "\"\n"
	}
	return text
}

// TestChecksCanFail gives each check files that break it and files that nearly do.
func TestChecksCanFail(t *testing.T) {
	for _, c := range []struct {
		check, path, text string
		wrong             bool
	}{
		{"imports", "gcode/a.go", importing("bytes", "io"), false},
		{"imports", "gcode/a.go", importing("layerd/internal/latest"), true},
		{"imports", "gcode/a.go", importing("layerd/gcode/inner"), false},
		{"imports", "gcode/inner/a.go", importing("layerd/gcode"), false},
		{"imports", "gcode/a.go", importing("os"), true},
		{"imports", "gcode/a_test.go", importing("os"), false},
		{"imports", "gcode/a.go", importing("net"), true},
		{"imports", "gcode/a.go", importing("log/slog"), true},
		{"imports", "internal/latest/a.go", importing("layerd/gcode"), true},
		{"imports", "printer/a.go", importing("layerd/gcode", "layerd/internal/latest", "log/slog"), false},
		{"imports", "printer/a.go", importing("layerd/internal/store"), true},
		{"imports", "printer/a.go", importing("layerd/internal/config"), true},
		{"imports", "printer/a_test.go", importing("layerd/internal/store"), true},
		{"imports", "printer/a.go", importing("net/http"), true},
		{"imports", "printer/printertest/a.go", importing("net/http"), true},
		{"imports", "printer/a.go", importing("layerd/camera"), true},
		{"imports", "printer/a.go", importing("layerd/printer/printertest"), true},
		{"imports", "printer/a_test.go", importing("layerd/printer/printertest"), false},
		{"imports", "printer/printertest/a.go", importing("layerd/printer"), false},
		{"imports", "camera/a.go", importing("layerd/printer"), true},
		{"imports", "camera/a.go", importing("layerd/printer/printertest"), true},
		{"imports", "camera/a.go", importing("layerd/internal/server"), true},
		{"imports", "camera/a.go", importing("layerd/internal/latest", "net/http"), false},
		{"imports", "camera/register/a.go", importing("layerd/gcode"), true},
		{"imports", "camera/register/a_test.go", importing("layerd/camera"), false},
		{"imports", "internal/store/a.go", importing("layerd/gcode", "modernc.org/sqlite/lib"), false},
		{"imports", "internal/store/a.go", importing("layerd/printer"), true},
		{"imports", "internal/access/a.go", importing("layerd/internal/store"), true},
		{"imports", "internal/config/a.go", importing("github.com/spf13/viper"), false},
		{"imports", "internal/server/a.go", importing("github.com/spf13/viper"), true},
		{"imports", "cmd/layerd/main.go", importing("github.com/spf13/viper"), true},
		{"imports", "internal/server/a.go", importing("layerd/internal/config"), true},
		{"imports", "internal/server/a.go", importing("go.bug.st/serial/enumerator"), true},
		{"imports", "printer/printertest/a.go", importing("go.bug.st/serial"), true},
		{"imports", "printer/a.go", importing("go.bug.st/serial"), false},
		{"imports", "printer/a.go", importing("go.bug.st/serialised"), false},
		{"imports", "internal/server/a.go", importing("github.com/blackjack/webcam"), true},
		{"imports", "cmd/layerd/main.go", importing("tailscale.com/tsnet"), true},
		{"imports", "internal/tailnet/a.go", importing("tailscale.com/tsnet"), false},
		{"imports", "internal/octoprint/a.go", importing("layerd/internal/server"), false},
		{"imports", "internal/store/a.go", importing("layerd/internal/server"), true},
		{"imports", "internal/octoprint/a.go", importing("github.com/gorilla/websocket"), true},
		{"imports", "cmd/layerd/main_test.go", importing("github.com/gorilla/websocket"), false},
		{"imports", "cmd/layerd/main.go", importing("layerd/internal/server", "layerd/printer/printertest"), false},
		{"imports", "internal/server/a.go", importing("layerd/printer/printertest"), true},
		{"imports", "internal/server/a.go", importing("database/sql"), true},
		{"imports", "internal/server/a.go", importing("layerd/cmd/layerd"), true},
		{"imports", "camera/a.go", importing("C"), true},
		{"imports", "internal/server/a.go", importing("unsafe"), true},
		{"imports", "webui/embed.go", importing("embed", "io/fs"), false},

		{"code", "a.go", "package p\n\nfunc init() {}\n", true},
		{"code", "a.go", "package p\n\nfunc (t T) init() {}\n", false},
		{"code", "a.go", "package p\n\n// func init() {}\n", false},
		{"code", "a_test.go", "package p\n\nfunc TestA(t *testing.T) { t.Skip(\"later\") }\n", true},
		{"code", "a_test.go", "package p\n\nfunc TestA(t *testing.T) { t.SkipNow() }\n", true},
		{"code", "a_test.go", "package p\n\nfunc TestA(t *testing.T) { t.Skipf(\"no %s\", \"../shared/corpus\") }\n", false},

		{"gofmt", "a.go", "package p\n\nvar a  = 1\n", true},
		{"gofmt", "a.go", "package p\n\nvar a = 1\n", false},
		{"gofmt", "a.ts", "let a  = 1", false},

		{"length", "a.go", "package p\n" + strings.Repeat("//\n", 400), true},
		{"length", "a.go", "package p\n" + strings.Repeat("//\n", 399), false},
		{"length", "a_test.go", "package p\n" + strings.Repeat("//\n", 599), false},
		{"length", "a_test.go", "package p\n" + strings.Repeat("//\n", 600), true},
		{"length", "a.tsx", strings.Repeat("\n", 401), true},
		{"length", "a.gcode", strings.Repeat("\n", 9000), false},
		{"length", "a.go", "package p\n\n// This file is long: it is a table.\n" + strings.Repeat("//\n", 400), false},
		{"length", "a.go", "package p\n" + strings.Repeat("//\n", 400) + "// This file is long, but says so too late.\n", true},

		{"words", "README.md", "layerd prints; the session numbers the lines of a job.\n", false},
		{"words", "README.md", "as in " + "issue" + " #2\n", true},
		{"words", "a.ts", "// see " + "Issue" + " 14\n", true},
		{"words", "README.md", "an issue of 12 pages\n", false},
		{"words", "a.go", "package p\n\n// made by " + rot13("pynhqr") + "\n", true},
		{"words", "a.go", "package p\n\n// " + strings.ToUpper(rot13("gbqb")) + ": finish\n", true},
		{"words", "Makefile", "# " + rot13("pungtcg") + "\n", true},
		{"words", "a.png", "\x00" + rot13("pungtcg"), false},
	} {
		f, err := newFile(c.path, []byte(c.text))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := checks[c.check]([]file{f}); (len(wrong) > 0) != c.wrong {
			t.Errorf("%s: %s %.60q: got %q, want a complaint: %v", c.check, c.path, c.text, wrong, c.wrong)
		}
	}
}

func TestShownByCanFail(t *testing.T) {
	page, err := newFile("docs/A.md", []byte("| it | `TestA/sub`, transcript `talk` |"))
	if err != nil {
		t.Fatal(err)
	}
	test, err := newFile("a_test.go", []byte("package p\n\nfunc TestA(t *testing.T) {}\n"))
	if err != nil {
		t.Fatal(err)
	}
	talk, err := newFile("printer/testdata/talk.txt", nil)
	if err != nil {
		t.Fatal(err)
	}
	for n, files := range [][]file{{page, test, talk}, {page, talk}, {page, test}} {
		if wrong := checkShownBy(files); (len(wrong) > 0) != (n > 0) {
			t.Errorf("%d: got %q", n, wrong)
		}
	}
}

func TestOneFileCanFail(t *testing.T) {
	var files []file
	for _, name := range []string{"printer/tty.go", "printer/tty_test.go", "printer/list.go"} {
		f, err := newFile(name, []byte(importing("go.bug.st/serial")))
		if err != nil {
			t.Fatal(err)
		}
		if wrong := checkOneFile(append(files, f)); (len(wrong) > 0) != (name == "printer/list.go") {
			t.Errorf("with %s: got %q", name, wrong)
		}
		files = append(files, f)
	}
}

// testRulesNameWhatExists: every rule is about something that could be. A pattern with a slip in it would forbid nothing.
func testRulesNameWhatExists(t *testing.T, files []file) {
	exists := func(pattern string) bool {
		return slices.ContainsFunc(files, func(f file) bool { return f.tree != nil && matches(pattern, f.pkg) })
	}
	for _, r := range never {
		for _, pattern := range append([]string{r.who}, r.but...) {
			if !exists(pattern) {
				t.Errorf("no package is %s", pattern)
			}
		}
	}
	mod, err := os.ReadFile(filepath.Join(top, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range only {
		name := strings.TrimSuffix(r.what, "/...")
		domain, _, _ := strings.Cut(name, "/")
		if strings.Contains(domain, ".") && name != "tailscale.com" && !strings.Contains(string(mod), name) {
			t.Errorf("go.mod does not know %s", name)
		}
	}
}

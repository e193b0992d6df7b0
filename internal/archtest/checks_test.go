package archtest

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// file is one file of the repository.
type file struct {
	path string // from the top, with '/'
	text []byte

	// Of Go files:
	pkg     string // import path of its directory
	imports []string
	tree    *ast.File
}

// newFile parses what is Go.
func newFile(name string, text []byte) (file, error) {
	f := file{path: name, text: text}
	if path.Ext(name) != ".go" {
		return f, nil
	}
	tree, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return f, err
	}
	f.tree, f.pkg = tree, strings.TrimSuffix("layerd/"+path.Dir(name), "/.")
	for _, spec := range tree.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, p)
	}
	return f, nil
}

func (f file) isTest() bool { return strings.HasSuffix(f.path, "_test.go") }

// matches reports whether an import path is what a pattern means.
func matches(pattern, importPath string) bool {
	if top, below := strings.CutSuffix(pattern, "/..."); below {
		return importPath == top || strings.HasPrefix(importPath, top+"/")
	}
	return importPath == pattern
}

func anyMatches(patterns []string, importPath string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, importPath) })
}

// checkImports returns what is wrong with the imports of one file.
func checkImports(f file) (wrong []string) {
	for _, imported := range f.imports {
		for _, r := range never {
			own := imported == f.pkg || strings.HasPrefix(f.pkg, imported+"/") || strings.HasPrefix(imported, f.pkg+"/")
			if matches(r.who, f.pkg) && matches(r.what, imported) && !anyMatches(r.but, imported) && !own && !(r.tests && f.isTest()) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", f.path, imported, r.why))
			}
		}
		for _, r := range only {
			if matches(r.what, imported) && !anyMatches(r.who, f.pkg) && !(r.tests && f.isTest()) {
				wrong = append(wrong, fmt.Sprintf("%s imports %s: %s", f.path, imported, r.why))
			}
		}
	}
	return wrong
}

// checkOneFile returns packages that more files import than may. Tests count for nothing.
func checkOneFile(files []file) (wrong []string) {
	for _, pattern := range oneFile {
		var importers []string
		for _, f := range files {
			if !f.isTest() && slices.ContainsFunc(f.imports, func(p string) bool { return matches(pattern, p) }) {
				importers = append(importers, f.path)
			}
		}
		if len(importers) > 1 {
			wrong = append(wrong, fmt.Sprintf("%s is imported by %s: one file is enough", pattern, strings.Join(importers, " and ")))
		}
	}
	return wrong
}

// checkCode looks into the declarations of a Go file.
func checkCode(f file) (wrong []string) {
	if f.tree == nil {
		return nil
	}
	for _, decl := range f.tree.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			wrong = append(wrong, f.path+" has an init function: main wires")
		}
	}
	if !f.isTest() {
		return wrong
	}
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && isSkip(call) && !mentions(call, "corpus") && !mentions(call, "registry") {
			wrong = append(wrong, f.path+" skips a test for another reason than a corpus that is absent: a skipped test hides a failure")
		}
		return true
	})
	return wrong
}

// isSkip knows t.Skip, b.Skipf and their like.
func isSkip(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	return ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, selector.Sel.Name)
}

func mentions(call *ast.CallExpr, word string) (found bool) {
	ast.Inspect(call, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && strings.Contains(literal.Value, word) {
			found = true
		}
		return !found
	})
	return found
}

func checkFormat(f file) []string {
	if f.tree == nil {
		return nil
	}
	gofmt := exec.Command("gofmt") // without the race detector it takes a tenth
	gofmt.Stdin = bytes.NewReader(f.text)
	if formatted, err := gofmt.Output(); err != nil || !bytes.Equal(formatted, f.text) {
		return []string{f.path + " is not as gofmt writes it"}
	}
	return nil
}

func checkLength(f file) []string {
	limit := maxLines
	switch path.Ext(f.path) {
	case ".go", ".ts", ".tsx", ".css", ".js", ".mjs", ".sh":
	default:
		return nil
	}
	if f.isTest() || strings.Contains(f.path, ".test.") {
		limit = maxTestLines
	}
	lines := bytes.Count(f.text, []byte("\n"))
	if lines <= limit {
		return nil
	}
	for i, line := range bytes.Split(f.text, []byte("\n")) {
		if i < longMarkIn && bytes.Contains(line, []byte(longMark)) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s has %d lines, more than %d: split it by topic, or say near the top %q and why", f.path, lines, limit, longMark)}
}

// banned is a word that does not belong here, and the small letters that it begins with: where those are not, and nearly everywhere they are not,
// nothing slower has to look for it.
type banned struct {
	begins []byte
	word   *regexp.Regexp
}

var forbidden = func() (list []banned) {
	words := []string{aNumberedIssue}
	for _, w := range inWords {
		words = append(words, rot13(w))
	}
	for _, w := range words {
		begins, _ := regexp.MustCompile(w).LiteralPrefix()
		list = append(list, banned{[]byte(begins), regexp.MustCompile(`(?i)\b` + w + `\b`)})
	}
	return list
}()

func checkWords(f file) (wrong []string) {
	if bytes.IndexByte(f.text, 0) >= 0 { // a picture
		return nil
	}
	small := bytes.ToLower(f.text)
	for _, b := range forbidden {
		if !bytes.Contains(small, b.begins) {
			continue
		}
		for i, line := range bytes.Split(f.text, []byte("\n")) {
			if word := b.word.Find(line); word != nil {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %q does not belong here", f.path, i+1, word))
			}
		}
	}
	return wrong
}

// Docs name tests as `TestName`, `TestName/sub`, and transcripts of printer/testdata as "transcript `name`".
var (
	namedTest       = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]*)[`/]")
	namedTranscript = regexp.MustCompile("transcript `([a-z0-9-]+)`")
)

// checkShownBy: what the docs say is shown by a test is.
func checkShownBy(files []file) (wrong []string) {
	var tests, transcripts []string
	for _, f := range files {
		if path.Dir(f.path) == "printer/testdata" {
			transcripts = append(transcripts, strings.TrimSuffix(path.Base(f.path), ".txt"))
		}
		if f.tree == nil || !f.isTest() {
			continue
		}
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				tests = append(tests, fn.Name.Name)
			}
		}
	}
	missing := func(f file, what *regexp.Regexp, there []string) {
		for _, found := range what.FindAllSubmatch(f.text, -1) {
			if name := string(found[1]); !slices.Contains(there, name) {
				wrong = append(wrong, fmt.Sprintf("%s names %s, which is not there", f.path, name))
			}
		}
	}
	for _, f := range files {
		if path.Ext(f.path) == ".md" {
			missing(f, namedTest, tests)
			missing(f, namedTranscript, transcripts)
		}
	}
	return wrong
}

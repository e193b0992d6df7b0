package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"layerd/internal/config"
)

func TestTheManualNamesEverything(t *testing.T) {
	page := commandPage()
	for _, v := range verbs() {
		if !strings.Contains(page, ".B "+roff(strings.TrimSpace("layerd "+v.name))+"\n") {
			t.Errorf("layerd(1) does not name %q", v.name)
		}
	}
	for _, f := range flagWords() {
		if !strings.Contains(page, roff("--"+f.text)) {
			t.Errorf("layerd(1) does not name --%s", f.text)
		}
	}
	keys := configPage()
	for _, k := range config.Describe() {
		if !strings.Contains(keys, ".B "+roff(k.Name)+"\n") || !strings.Contains(keys, roff(k.Env)) {
			t.Errorf("layerd.yaml(5) does not name %s", k.Name)
		}
	}
	for _, line := range strings.Split(page+keys, "\n") { // a line that begins so is a command of man's
		if strings.HasPrefix(line, ".") && !regexp.MustCompile(`^\.(TH|SH|TP|B|BR|I|br|PP|EX|EE|RS|RE)( |$)`).MatchString(line) {
			t.Errorf("man does not know %q", line)
		}
	}
}

// The example sets nothing as it is, and is right when its # are taken away.
func TestTheExampleOfAConfiguration(t *testing.T) {
	t.Parallel()
	example := exampleConfig()
	bare := regexp.MustCompile(`(?m)^#( *[a-z])`).ReplaceAllStringFunc(example, func(s string) string {
		if strings.HasPrefix(s, "# ") && !strings.HasPrefix(s, "#  ") {
			return s // a sentence
		}
		return s[1:]
	})
	bare = regexp.MustCompile(`(?m)^  +[^:\n]*; allowed: .*\n`).ReplaceAllString(bare, "") // sentences of the second level
	for name, text := range map[string]string{"as it is": example, "bare": bare} {
		file := filepath.Join(t.TempDir(), "layerd.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if is := runLayerd(t, plain(t), "check-config", "--config", file); is.code != 0 {
			t.Errorf("%s: %s\n%s", name, is.err, text)
		}
	}
	for _, k := range config.Describe() {
		_, last, nested := strings.Cut(k.Name, ".")
		if !nested {
			last = k.Name
		}
		if !regexp.MustCompile(`(?m)^ *` + last + `:`).MatchString(bare) {
			t.Errorf("the example lacks %s:\n%s", k.Name, bare)
		}
	}
}

func TestBashCompletes(t *testing.T) {
	for words, want := range map[string][]string{
		"layerd che":         {"check-config"},
		"layerd token ":      {"create"},
		"layerd completion ": {"bash", "zsh", "fish"},
		"layerd --da":        {"--data"},
	} {
		split := strings.Split(words, " ")
		script := forBash() + "\nCOMP_WORDS=(" + strings.Join(split[:len(split)-1], " ") + " '" + split[len(split)-1] + "')\nCOMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n_layerd\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n"
		out, err := exec.Command("bash", "-c", script).Output()
		if got := strings.Fields(string(out)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", words, got, err, want)
		}
	}
}

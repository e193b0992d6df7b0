package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"layerd/internal/config"
)

// completion writes what a shell needs to complete layerd's command lines. The scripts hold words and no programs: nothing runs when Tab is pressed.
func completion(_ context.Context, a *invocation) error {
	shells := map[string]func() string{"bash": forBash, "zsh": forZsh, "fish": forFish}
	script, ok := shells[a.operands[0]]
	if !ok {
		return usageError{fmt.Errorf("there is nothing for the shell %q; there are bash, zsh and fish", a.operands[0])}
	}
	_, err := io.WriteString(a.stdout, script())
	return err
}

// term is a word that may come first, and what it says: the first line of its verb's.
type term struct{ text, about string }

// firstWords are those with which a command line can begin; of two verbs with one first word the former speaks.
func firstWords() (all []term) {
	for _, v := range verbs() {
		name, _, _ := strings.Cut(v.name, " ")
		about, _, _ := strings.Cut(v.about, "\n")
		if name != "" && !slices.ContainsFunc(all, func(w term) bool { return w.text == name }) {
			all = append(all, term{name, about})
		}
	}
	return all
}

// secondWords are the words that follow a first one, which is a part of a verb's name or names the operand.
func secondWords(first string) (all []string) {
	for _, v := range verbs() {
		name, rest, _ := strings.Cut(v.name, " ")
		if name == first && rest != "" {
			all = append(all, rest)
		}
		if v.name == first && len(v.choices) > 0 {
			all = append(all, v.choices...)
		}
	}
	return all
}

// flagWords are all flags, of the configuration first.
func flagWords() (all []term) {
	add := func(f *pflag.Flag) {
		if _, about := pflag.UnquoteUsage(f); !slices.ContainsFunc(all, func(w term) bool { return w.text == f.Name }) {
			all = append(all, term{f.Name, about})
		}
	}
	shared := newFlags()
	config.Flags(shared)
	shared.VisitAll(add)
	for _, v := range verbs() {
		v.own().VisitAll(add)
	}
	return all
}

func forBash() string {
	var first, flags, cases []string
	for _, w := range firstWords() {
		first = append(first, w.text)
		if second := secondWords(w.text); len(second) > 0 {
			cases = append(cases, fmt.Sprintf("    %s) COMPREPLY=($(compgen -W '%s' -- \"$now\")) ;;\n", w.text, strings.Join(second, " ")))
		}
	}
	for _, w := range flagWords() {
		flags = append(flags, "--"+w.text)
	}
	return fmt.Sprintf(`# bash completion for layerd
_layerd() {
  local now=${COMP_WORDS[COMP_CWORD]}
  COMPREPLY=()
  if [[ $now == -* ]]; then
    COMPREPLY=($(compgen -W '%s' -- "$now"))
    return
  fi
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W '%s' -- "$now"))
    return
  fi
  case ${COMP_WORDS[1]} in
%s  esac
}
complete -o default -F _layerd layerd
`, strings.Join(flags, " "), strings.Join(first, " "), strings.Join(cases, ""))
}

// quoted is text between single quotes, for zsh and fish alike; what would end them is left out.
func quoted(text string) string {
	return "'" + strings.NewReplacer("'", "", `\`, "").Replace(text) + "'"
}

func forZsh() string {
	var b strings.Builder
	b.WriteString("#compdef layerd\n_layerd() {\n  if [[ ${words[CURRENT]} == -* ]]; then\n    local -a flags=(\n")
	plain := strings.NewReplacer(":", "", "[", "(", "]", ")")
	for _, w := range flagWords() {
		fmt.Fprintf(&b, "      %s\n", quoted("--"+w.text+":"+plain.Replace(w.about)))
	}
	b.WriteString("    )\n    _describe 'flag' flags -o\n    return\n  fi\n  if ((CURRENT == 2)); then\n    local -a verbs=(\n")
	for _, w := range firstWords() {
		fmt.Fprintf(&b, "      %s\n", quoted(w.text+":"+plain.Replace(w.about)))
	}
	b.WriteString("    )\n    _describe 'command' verbs\n    return\n  fi\n  case ${words[2]} in\n")
	for _, w := range firstWords() {
		if second := secondWords(w.text); len(second) > 0 {
			fmt.Fprintf(&b, "    %s) compadd %s ;;\n", w.text, strings.Join(second, " "))
		}
	}
	b.WriteString("    *) _files ;;\n  esac\n}\n_layerd \"$@\"\n")
	return b.String()
}

func forFish() string {
	var b strings.Builder
	b.WriteString("# fish completion for layerd\n")
	for _, w := range firstWords() {
		fmt.Fprintf(&b, "complete -c layerd -n __fish_use_subcommand -a %s -d %s\n", w.text, quoted(w.about))
		if second := secondWords(w.text); len(second) > 0 {
			fmt.Fprintf(&b, "complete -c layerd -f -n '__fish_seen_subcommand_from %s' -a %s\n", w.text, quoted(strings.Join(second, " ")))
		}
	}
	for _, w := range flagWords() {
		fmt.Fprintf(&b, "complete -c layerd -l %s -d %s\n", w.text, quoted(w.about))
	}
	return b.String()
}

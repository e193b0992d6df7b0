package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"layerd/internal/config"
)

// verb is one thing that layerd can be asked to do. Usage, manual and completion come from the list of them.
type verb struct {
	name     string               // as it is typed, such as "token create"; "" is the daemon
	args     string               // what follows the name in the usage, its flags included
	about    string               // says what it does, in small letters; lines below the first are more of it
	operands int                  // how many words follow the name
	choices  []string             // what the operand may be, when it is one of a few
	flags    func(*pflag.FlagSet) // its own; nil none. Those of the configuration belong to every verb
	run      func(context.Context, *invocation) error
}

// invocation is a command line, read.
type invocation struct {
	flags          *pflag.FlagSet
	operands       []string
	stdout, stderr io.Writer
}

// config reads the configuration.
func (a *invocation) config() (config.Config, error) {
	cfg, err := config.Load(a.flags)
	if err != nil {
		return cfg, usageError{fmt.Errorf("the configuration is wrong:\n%w", err)}
	}
	return cfg, nil
}

// verbs are all there are, each with flags of its own to be read into. They are made anew for each command line.
func verbs() []verb {
	var wrong demoFaults
	var key newKey
	var pictures recording
	var file surveying
	var arcs fitting
	return []verb{
		{name: "", args: "[flags]", about: "run the daemon", flags: wrong.flags, run: wrong.serve},
		{name: "check-config", args: "[flags]", about: "say whether the configuration is right, and what it comes to", run: checkConfig},
		{name: "token create", args: "--name NAME --role ROLE", about: "make a key; it is printed alone on the last line\n" +
			"ROLE is viewer (look), operator (print) or owner (everything)\n" +
			"Who has forgotten a password gets in with one of an owner", flags: key.flags, run: key.create},
		{name: "record", args: "--to FOLDER [--from CAMERA] [--every TIME] [--frames NUMBER]", about: "write a camera's pictures into a folder; a daemon must not have it",
			flags: pictures.flags, run: pictures.record},
		{name: "survey", args: "[--json] FILE", about: "say what a file tells: slicer, layers, time, filament, warnings; - is standard input.\n" +
			"FILE is G-code, or binary G-code, gzip, zip, UFP or sliced 3MF", operands: 1, flags: file.flags, run: file.survey},
		{name: "fit-arcs", args: "[--arc-tolerance MM] FILE OUT", about: "write FILE with runs of moves made arcs to the new file OUT", operands: 2, flags: arcs.flags, run: arcs.fitArcs},
		{name: "manual", args: "layerd|layerd.yaml|example", about: "write a page of the manual, as man reads it, or an example of the configuration", operands: 1,
			choices: []string{"layerd", "layerd.yaml", "example"}, run: manual},
		{name: "completion", args: "bash|zsh|fish", about: "write what a shell needs to complete command lines", operands: 1, choices: []string{"bash", "zsh", "fish"}, run: completion},
		{name: "version", about: "print the version", run: func(_ context.Context, a *invocation) error {
			_, err := fmt.Fprintln(a.stdout, version)
			return err
		}},
	}
}

// command does what a command line asks for.
func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	all := verbs()
	every := flagSet(all...)
	switch err := every.Parse(args); {
	case errors.Is(err, pflag.ErrHelp):
		return writeUsage(stdout, all)
	case err != nil:
		return usageError{fmt.Errorf("%w; see layerd --help", err)}
	}
	v, operands, err := find(all, every.Args())
	if err != nil {
		return err
	}
	flags := flagSet(v)
	if err := flags.Parse(args); err != nil { // a flag that only others have, since all were good above
		return usageError{belongs(all, every, flags)}
	}
	return v.run(ctx, &invocation{flags: flags, operands: operands, stdout: stdout, stderr: stderr})
}

// flagSet has the flags of the configuration and of these verbs. Verbs may share a flag of one kind; the first one's is read.
func flagSet(of ...verb) *pflag.FlagSet {
	flags := newFlags()
	config.Flags(flags)
	for _, v := range of {
		flags.AddFlagSet(v.own())
	}
	return flags
}

func newFlags() *pflag.FlagSet {
	flags := pflag.NewFlagSet("layerd", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.SortFlags = false
	return flags
}

// own are the flags that are a verb's alone.
func (v verb) own() *pflag.FlagSet {
	flags := newFlags()
	if v.flags != nil {
		v.flags(flags)
	}
	return flags
}

// find finds the verb that words begin with, and the operands behind it.
func find(all []verb, words []string) (verb, []string, error) {
	for _, v := range all {
		name := strings.Fields(v.name)
		if len(words) < len(name) || !slices.Equal(words[:len(name)], name) || (len(name) == 0 && len(words) > 0) {
			continue
		}
		operands := words[len(name):]
		switch {
		case len(operands) == v.operands:
			return v, operands, nil
		case v.operands > 0:
			return v, nil, usageError{fmt.Errorf("%s needs %s; see layerd --help", v.name, v.args)}
		}
	}
	return verb{}, nil, usageError{fmt.Errorf("there is no command %q; see layerd --help", strings.Join(words, " "))}
}

// belongs names the verbs of the first flag that was given and is not among those of a verb.
func belongs(all []verb, given, flags *pflag.FlagSet) error {
	var of []string
	var name string
	given.Visit(func(f *pflag.Flag) {
		if name != "" || flags.Lookup(f.Name) != nil {
			return
		}
		name = f.Name
		for _, v := range all {
			if v.own().Lookup(name) != nil {
				of = append(of, strings.TrimSpace("layerd "+v.name))
			}
		}
	})
	return fmt.Errorf("--%s belongs to %s", name, strings.Join(of, " and "))
}

const usageColumn = 48

// writeUsage tells all verbs and flags.
func writeUsage(w io.Writer, all []verb) error {
	var b strings.Builder
	b.WriteString("layerd prints, watches and lets you leave the house.\n\nUsage:\n")
	for _, v := range all {
		line := "  " + strings.Join(strings.Fields("layerd "+v.name+" "+v.args), " ")
		if len(line) >= usageColumn-1 {
			b.WriteString(line + "\n")
			line = ""
		}
		for text := range strings.SplitSeq(v.about, "\n") {
			fmt.Fprintf(&b, "%-*s%s\n", usageColumn, line, text)
			line = ""
		}
	}
	shared := newFlags()
	config.Flags(shared)
	b.WriteString("\nFlags, before or after the command:\n" + shared.FlagUsages())
	for _, v := range all {
		if own := v.own(); own.HasAvailableFlags() {
			fmt.Fprintf(&b, "\nof %s:\n%s", strings.TrimSpace("layerd "+v.name), own.FlagUsages())
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

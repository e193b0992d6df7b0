package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"layerd/internal/config"
)

// What layerd says of itself for packages: its manual pages and an example of its configuration. All of it comes from the list of verbs and the keys.

// manual writes one of them.
func manual(_ context.Context, a *invocation) error {
	pages := map[string]func() string{"layerd": commandPage, "layerd.yaml": configPage, "example": exampleConfig}
	page, ok := pages[a.operands[0]]
	if !ok {
		return usageError{fmt.Errorf("there is no page %q; there are layerd, layerd.yaml and example", a.operands[0])}
	}
	_, err := io.WriteString(a.stdout, page())
	return err
}

// roff keeps text from being taken for a command of man's.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "…", "...", "─", `\-`).Replace(text)
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, ".") {
			lines[i] = `\&` + line
		}
	}
	return strings.Join(lines, "\n")
}

// commandPage is layerd(1).
func commandPage() string {
	var b strings.Builder
	b.WriteString(".TH LAYERD 1 \"\" \"layerd\" \"User Commands\"\n.SH NAME\nlayerd \\- 3D printer host with camera and phone page\n.SH SYNOPSIS\n")
	for i, v := range verbs() {
		if i > 0 {
			b.WriteString(".br\n")
		}
		fmt.Fprintf(&b, ".B %s\n%s\n", roff(strings.TrimSpace("layerd "+v.name)), roff(v.args))
	}
	b.WriteString(".SH DESCRIPTION\nlayerd prints from slicers' files over USB, shows the camera and the controls on a phone, and keeps the print safe when something goes wrong.\n" +
		"Without a command it is the daemon; as a service it is started by\n.BR systemd (1).\n.SH COMMANDS\n")
	for _, v := range verbs() {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(strings.TrimSpace("layerd "+v.name)), roff(strings.ReplaceAll(v.about, "\n", ".\n")+"."))
		v.own().VisitAll(func(f *pflag.Flag) { b.WriteString(".RS\n" + flagItem(f) + ".RE\n") })
	}
	b.WriteString(".SH OPTIONS\nThey may stand before or after the command. What they do not set comes from the environment, then from the configuration file.\n")
	shared := newFlags()
	config.Flags(shared)
	shared.VisitAll(func(f *pflag.Flag) { b.WriteString(flagItem(f)) })
	b.WriteString(".SH EXIT STATUS\n0: well. 1: it failed while running. 2: the command line or the configuration is wrong. " +
		"75: the daemon asks to be started again, as a new version.\n" +
		".SH FILES\n.TP\n.I /etc/layerd/layerd.yaml\nThe configuration, see\n.BR layerd.yaml (5).\n" +
		".TP\n.I /var/lib/private/layerd\nFiles, history, settings and keys of the service.\n" +
		".SH EXAMPLES\nThe link with which the first owner is made:\n.PP\n.EX\nsudo journalctl \\-u layerd \\-o cat | grep \\(aq#setup=\\(aq | tail \\-n 1\n.EE\n" +
		".PP\nA key for who has forgotten the password:\n.PP\n.EX\nsudo layerd token create \\-\\-data /var/lib/private/layerd \\-\\-name phone \\-\\-role owner\n.EE\n" +
		".SH SEE ALSO\n.BR layerd.yaml (5),\n.I /usr/share/doc/layerd/INSTALL.md\n")
	return b.String()
}

// flagItem is a flag in a list.
func flagItem(f *pflag.Flag) string {
	value, about := pflag.UnquoteUsage(f)
	return fmt.Sprintf(".TP\n.B %s\n%s\n", roff(strings.TrimSpace("--"+f.Name+" "+value)), roff(about))
}

// configPage is layerd.yaml(5).
func configPage() string {
	var b strings.Builder
	b.WriteString(".TH LAYERD.YAML 5 \"\" \"layerd\" \"File Formats\"\n.SH NAME\nlayerd.yaml \\- configuration of layerd\n.SH DESCRIPTION\n" +
		"Everything has a default. What the file, the environment or a flag sets wins, and is shown on the page as locked; the rest is set on the page.\n" +
		"A dot in a key is a level of the file.\n.B layerd check\\-config\nsays whether all is right. layerd reads the file when it starts.\n.SH KEYS\n")
	for _, k := range config.Describe() {
		fmt.Fprintf(&b, ".TP\n.B %s\n%s.\n.br\nAllowed: %s.\n.br\nDefault: %s. Environment:\n.BR %s .\n", roff(k.Name), roff(k.Meaning), roff(k.Allowed), roff(k.Default), roff(k.Env))
	}
	b.WriteString(".SH EXAMPLE\n.EX\nlisten: \":8080\"\nprinter:\n  port: /dev/serial/by\\-id/usb\\-1a86_USB_Serial\\-if00\\-port0\n  baud: 115200\ncamera:\n  device: /dev/video0\n.EE\n.SH SEE ALSO\n.BR layerd (1)\n")
	return b.String()
}

// exampleConfig is a configuration that sets nothing: every key is there, commented out by one '#'.
func exampleConfig() string {
	var b strings.Builder
	b.WriteString("# /etc/layerd/layerd.yaml: what is set here wins over what is set on the page, and is shown there as locked.\n" +
		"# Take the # from a setting and from its group, and give it a value; then: layerd check-config && sudo systemctl restart layerd\n# man layerd.yaml says more.\n")
	group := ""
	for _, k := range config.Describe() {
		above, name, nested := strings.Cut(k.Name, ".")
		indent := ""
		switch {
		case !nested:
			above, name = "", k.Name
		case above != group:
			fmt.Fprintf(&b, "\n#%s:\n", above)
		}
		if nested {
			indent = "  "
		} else {
			b.WriteString("\n")
		}
		group = above
		fmt.Fprintf(&b, "# %s%s; allowed: %s; default: %s\n#%s%s:\n", indent, k.Meaning, k.Allowed, k.Default, indent, name)
	}
	return b.String()
}

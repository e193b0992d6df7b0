package printertest

import (
	"slices"
	"strings"
)

// withCapability is the answer to M115 of a firmware that was built otherwise; value "none" leaves the capability out.
func withCapability(info []string, name, value string) []string {
	prefix := "Cap:" + name + ":"
	out := slices.DeleteFunc(slices.Clone(info), func(line string) bool { return strings.HasPrefix(line, prefix) })
	if value != "none" {
		out = append(out, prefix+value)
	}
	return out
}

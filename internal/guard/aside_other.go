//go:build !linux

package guard

func stepAside() {}

package main

import (
	"net"
	"testing"

	"layerd/internal/store"
)

// TestIdentity: an installation has one UUID, for as long as its data; one that is none is replaced.
func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	open := func() *parts {
		s, err := store.Open(dir, store.Limits{MaxFileBytes: 1 << 20, MinFreeBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		return &parts{store: s}
	}
	identity := func(d *parts) string {
		id, err := d.identity(t.Context())
		if err != nil || !isUUID(id) {
			t.Fatalf("got %q, %v", id, err)
		}
		return id
	}
	d := open()
	first := identity(d)
	d.store.Close()
	d = open()
	defer d.store.Close()
	if again := identity(d); again != first {
		t.Errorf("got %s after %s", again, first)
	}
	if err := d.store.SetSetting(t.Context(), "uuid", "<mine>"); err != nil {
		t.Fatal(err)
	}
	if second := identity(d); second == first || second != identity(d) {
		t.Errorf("got %s after one that was none, and then another", second)
	}
}

// TestNotAnnounced: whose configuration says so is not announced, and ends at once.
func TestNotAnnounced(t *testing.T) {
	d := new(parts)
	if err := d.announceTo(&net.TCPAddr{IP: net.IPv4zero, Port: 8080})(t.Context()); err != nil {
		t.Error(err)
	}
}

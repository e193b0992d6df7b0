package octoprint

import (
	"testing"

	"layerd/internal/access"
	"layerd/internal/octoprint/peertest"
	"layerd/internal/store"
)

// Whatever the known clients ask, in all states of a printer, is answered as a real OctoPrint 1.11.8 has answered it: nothing is missing and nothing is
// of another type, but for what docs/OCTOPRINT.md explains.
func TestAsTheOriginal(t *testing.T) {
	t.Parallel() // it waits for a printer most of the time
	original, err := peertest.Load("testdata/octoprint-1.11.8.json")
	if err != nil {
		t.Fatal(err)
	}
	explained, err := peertest.LoadExplained("../../docs/OCTOPRINT.md")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, 40)
	if _, err := r.store.AddPerson(t.Context(), store.Person{Name: "Vera", Role: "owner", Tailnet: true}); err != nil {
		t.Fatal(err)
	}
	ours, err := peertest.Play(t.Context(), peertest.Peer{URL: r.url, Key: r.keys[access.Owner]})
	if err != nil {
		t.Fatal(err)
	}
	fields := peertest.Compare(original, ours, explained)
	for _, wrong := range peertest.Unexplained(fields) {
		t.Error(wrong)
	}
	for _, idle := range peertest.Idle(fields, explained) {
		t.Errorf("nothing differs any more that %q %q explains", idle.Answers, idle.Fields)
	}
}

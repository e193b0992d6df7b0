package overlay

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"unicode/utf8"
)

// FuzzSettings: whatever settings the page sends or keeps, they are tidied once and for all, and either right or wrong for a reason that people can read.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"kind":"tailnet","tailnet":{"name":" Printer ","control_url":"https://headscale.example.com/ /","tags":["tag:printer"],"default_role":"nobody"}}`))
	f.Add([]byte(`{"kind":"zerotier","zerotier":{"network":" 8056C2E21C000001\n"}}`))
	f.Add([]byte(`{"kind":"vpn","tailnet":{"name":"-","control_url":"http://[::1","tags":[""]}}`))
	f.Add([]byte(`{"tailnet":{"control_url":"https://u@h"},"zerotier":{"network":"İİİİİİİİİİİİİİİİ"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var s Settings
		if json.Unmarshal(text, &s) != nil {
			return
		}
		tidy := s.Tidy()
		if again := tidy.Tidy(); !reflect.DeepEqual(again, tidy) {
			t.Errorf("tidied twice: got %+v, want %+v", again, tidy)
		}
		s.Validate() // before it was tidied, too
		err := tidy.Validate()
		if err != nil {
			if !errors.Is(err, ErrSettings) || !utf8.ValidString(err.Error()) || len(err.Error()) > 200 {
				t.Errorf("got %q, want a short reason that wraps ErrSettings", err)
			}
			return
		}
		kept, err := json.Marshal(tidy)
		if err != nil {
			t.Fatal(err)
		}
		var back Settings
		if err := json.Unmarshal(kept, &back); err != nil || !reflect.DeepEqual(back, tidy) || back.Validate() != nil {
			t.Errorf("kept and read again: got %+v, %v, want %+v", back, err, tidy)
		}
	})
}

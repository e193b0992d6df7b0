package tailnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// The state file of tsnet is an object of names and base64: the machine's key, which profile is current, and the profiles, each a
// network that this machine was enrolled in (ipn/store.go, ipn/ipnlocal/profiles.go).
const (
	stateFile   = "tailscaled.state"
	machineKey  = "_machinekey"
	profilesKey = "_profiles"
	maxState    = 4 << 20 // bytes; certificates are elsewhere
)

func readState(dir string) (map[string][]byte, error) {
	name := filepath.Join(dir, stateFile)
	if info, err := os.Stat(name); err == nil && info.Size() > maxState {
		return nil, fmt.Errorf("read the tailnet's state: %d bytes are too many", info.Size())
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tailnet's state: %w", err)
	}
	var state map[string][]byte
	if err := json.Unmarshal(b, &state); err != nil {
		return nil, fmt.Errorf("read the tailnet's state: %w", err)
	}
	return state, nil
}

// enrolled reports whether dir knows a network. A state that cannot be read knows none: tsnet will say what is wrong with it.
func enrolled(dir string) bool {
	state, _ := readState(dir)
	var profiles map[string]json.RawMessage
	return json.Unmarshal(state[profilesKey], &profiles) == nil && len(profiles) > 0
}

// forgetProfiles makes the node one that was never enrolled. The machine's key stays, so that the control server knows the
// machine again and gives it its old address.
func forgetProfiles(dir string) error {
	state, err := readState(dir)
	if err != nil || state == nil {
		return err
	}
	kept := map[string][]byte{}
	if key, ok := state[machineKey]; ok {
		kept[machineKey] = key
	}
	b, err := json.Marshal(kept)
	if err != nil {
		return fmt.Errorf("forget the tailnet's profile: %w", err)
	}
	name := filepath.Join(dir, stateFile)
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return fmt.Errorf("forget the tailnet's profile: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("forget the tailnet's profile: %w", err)
	}
	return nil
}

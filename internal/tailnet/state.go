package tailnet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"tailscale.com/ipn"
)

// The state file of tsnet is an object of names and base64: the machine's key, which profile is current, and the profiles, each a
// network that this machine was enrolled in (ipn/store.go, ipn/ipnlocal/profiles.go).
const (
	stateFile   = "tailscaled.state"
	machineKey  = "_machinekey"
	profilesKey = "_profiles"
	maxState    = 4 << 20 // bytes; certificates are elsewhere
)

// readState sets aside a state that is damaged, as a card does that loses its power: nothing else could be done about it.
func readState(dir string) (map[string][]byte, error) {
	name := filepath.Join(dir, stateFile)
	if info, err := os.Stat(name); err == nil && info.Size() > maxState {
		return nil, setAside(name)
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tailnet's state: %w", err)
	}
	var state map[string][]byte
	if json.Unmarshal(b, &state) != nil || state == nil { // the library cannot do with null
		return nil, setAside(name)
	}
	return state, nil
}

func setAside(name string) error {
	if err := os.Rename(name, name+".damaged"); err != nil {
		return fmt.Errorf("set aside the tailnet's damaged state: %w", err)
	}
	return nil
}

// enrolled reports whether dir knows a network of this control server.
func enrolled(dir, control string) (bool, error) {
	state, err := readState(dir)
	if err != nil {
		return false, err
	}
	var profiles map[string]ipn.LoginProfile
	if json.Unmarshal(state[profilesKey], &profiles) != nil {
		return false, nil
	}
	for _, p := range profiles {
		if p.ControlURL == "" || p.ControlURL == control || ipn.IsLoginServerSynonym(p.ControlURL) && ipn.IsLoginServerSynonym(control) {
			return true, nil
		}
	}
	return false, nil
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
	if err := replace(filepath.Join(dir, stateFile), b); err != nil {
		return fmt.Errorf("forget the tailnet's profile: %w", err)
	}
	return nil
}

// replace writes a file anew; a power cut leaves the old one or, from when it returns, the new one.
func replace(name string, b []byte) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(name+".new", name)
	}
	if err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

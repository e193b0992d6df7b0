package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"layerd/internal/access"
	"layerd/internal/config"
	"layerd/internal/store"
)

// createToken makes a key in the data directory, also while a daemon uses it.
func createToken(ctx context.Context, cfg config.Config, name, role string, out io.Writer) error {
	if cfg.Data == "" {
		return usageError{errors.New("the demo keeps no keys; its address has one in it")}
	}
	if name == "" || role == "" {
		return usageError{errors.New("token create needs --name and --role")}
	}
	if _, err := access.ParseRole(role); err != nil {
		return usageError{err}
	}
	s, err := store.OpenShared(cfg.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	secret, t, err := s.CreateToken(ctx, name, role)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Key for %s, %s. It cannot be shown again; on a phone, open the page's address with #token= and the key behind it.\n%s\n", t.Name, t.Role, secret)
	return nil
}

// keys looks up the store's tokens for the gate.
func keys(s *store.Store) access.Keys {
	return access.KeysFunc(func(ctx context.Context, secret string) (id, name string, role access.Role, err error) {
		t, err := s.TokenBySecret(ctx, secret)
		if errors.Is(err, store.ErrNoToken) {
			return "", "", access.Nobody, access.ErrDenied
		}
		if err != nil {
			return "", "", access.Nobody, err
		}
		role, err = access.ParseRole(t.Role)
		return t.ID, t.Name, role, err
	})
}

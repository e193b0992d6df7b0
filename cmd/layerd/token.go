package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"layerd/internal/access"
	"layerd/internal/store"
)

// newKey is a key as the command line wants it.
type newKey struct {
	name, role string
	expires    time.Duration
	link       bool
}

func (k *newKey) flags(flags *pflag.FlagSet) {
	flags.StringVar(&k.name, "name", "", "`NAME` of the person or program that gets the key")
	flags.StringVar(&k.role, "role", "", "`ROLE` of the key: viewer, operator or owner")
	flags.DurationVar(&k.expires, "expires", 0, "`TIME` after which the key ends, such as 720h; 0 = never")
	flags.BoolVar(&k.link, "link", false, "make a link that only looks; it needs --expires, at most 2160h")
}

// create makes the key in the data directory, also while a daemon uses it.
func (k *newKey) create(ctx context.Context, a *invocation) error {
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if cfg.Data == "" {
		return usageError{errors.New("the demo keeps no keys; its address has one in it")}
	}
	if k.link && k.role == "" {
		k.role = access.Viewer.String()
	}
	if k.name == "" || k.role == "" {
		return usageError{errors.New("token create needs --name and --role")}
	}
	if _, err := access.ParseRole(k.role); err != nil {
		return usageError{err}
	}
	if k.expires < 0 {
		return usageError{errors.New("--expires must be a time to come, such as 720h")}
	}
	if k.link && (k.role != access.Viewer.String() || k.expires == 0) {
		return usageError{errors.New("a link only looks and ends: --link goes with --role viewer and --expires")}
	}
	var ends int64
	until := ""
	if k.expires > 0 {
		at := time.Now().Add(k.expires)
		ends, until = at.UnixMilli(), ", until "+at.Format("2006-01-02 15:04")
	}
	s, err := store.OpenShared(cfg.Data)
	if err != nil {
		return err
	}
	defer s.Close()
	secret, t, err := s.CreateToken(ctx, store.Token{Name: k.name, Role: k.role, ExpiresMS: ends, Link: k.link})
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "Key for %s, %s%s. It cannot be shown again; on a phone, open the page's address with #token= and the key behind it.\n%s\n", t.Name, t.Role, until, secret)
	return nil
}

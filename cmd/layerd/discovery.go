package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"regexp"

	"layerd/internal/discovery"
)

// speaks is the version of OctoPrint whose API clients find here.
const speaks = "1.11.8"

// announced is what the local network is told of this layerd. Where it listens is known once it does.
func (d *parts) announced(ctx context.Context, host string) (discovery.Config, error) {
	id, err := d.identity(ctx)
	return discovery.Config{Host: host, TLS: d.cfg.TLS.Cert != "", UUID: id, Version: speaks, Log: d.log}, err
}

// identity is this installation's UUID, made once: clients know it again by that when it has another address.
func (d *parts) identity(ctx context.Context) (id string, err error) {
	found, err := d.store.Setting(ctx, "uuid", &id)
	if err != nil || found && isUUID(id) {
		return id, err
	}
	var b [16]byte
	rand.Read(b[:])         // never fails
	b[6] = b[6]&0x0f | 0x40 // version 4: random
	b[8] = b[8]&0x3f | 0x80 // of RFC 9562
	id = fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	return id, d.store.SetSetting(ctx, "uuid", id)
}

func isUUID(s string) bool {
	return regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString(s)
}

// announceTo tells the local network, unless it shall not or could not come in anyway.
func (d *parts) announceTo(a net.Addr) func(context.Context) error {
	listen, err := netip.ParseAddrPort(a.String())
	if err != nil || !d.cfg.Discovery {
		return func(context.Context) error { return nil }
	}
	told := d.told
	told.Listen = listen
	return discovery.New(told).Run
}

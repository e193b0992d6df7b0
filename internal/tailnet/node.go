// Package tailnet makes layerd a node of a Tailscale or Headscale network.
package tailnet

import (
	_ "golang.org/x/crypto/argon2"
	_ "rsc.io/qr"
	_ "tailscale.com/tsnet"
)

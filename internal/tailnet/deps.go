package tailnet

// Held here until the packages that use them are: the password hash, and the pictures of login links.
import (
	_ "golang.org/x/crypto/argon2"
	_ "rsc.io/qr"
)

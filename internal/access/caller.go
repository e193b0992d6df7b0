package access

import (
	"context"
	"net"
)

// Caller is what a network says of who is at the other end of a connection, by the keys that its packets are signed with. It is
// not what the caller says of himself.
type Caller struct {
	Login  string // of the person, such as alice@example.com, in lower case; "" = nobody in particular: a tagged device, or somebody from outside
	Name   string // of the person, for people
	Device string // that he uses
	Role   Role   // that the network's own policy grants him; Nobody when it says nothing
	Guest  bool   // he is of another network, with which this machine is shared
}

// Introducer is a connection whose network knows the caller. Caller is asked again and again over the connection's life, and answers
// quickly; an error means that he is not known at the moment.
type Introducer interface {
	Caller(ctx context.Context) (Caller, error)
}

type connKey struct{}

// WithConn makes the connection of a request known to Identify. It is for http.Server.ConnContext.
func WithConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// ConnOf is the connection that WithConn was given, nil when there is none.
func ConnOf(ctx context.Context) net.Conn {
	c, _ := ctx.Value(connKey{}).(net.Conn)
	return c
}

// callerOf asks the network that a request came by. ok is false when that network knows nobody, as a LAN.
func callerOf(ctx context.Context) (who Caller, ok bool, err error) {
	for c := ConnOf(ctx); c != nil; {
		if i, is := c.(Introducer); is {
			who, err = i.Caller(ctx)
			return who, true, err
		}
		inner, is := c.(interface{ NetConn() net.Conn }) // TLS
		if !is {
			break
		}
		c = inner.NetConn()
	}
	return Caller{}, false, nil
}

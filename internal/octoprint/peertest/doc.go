// Package peertest judges an OctoPrint-compatible API by what a real OctoPrint answers.
//
//	Play: the requests of known clients ─▶ any server ─▶ Recording: status, headers, and the shape of each answer
//	Compare: a real OctoPrint's Recording and another's ─▶ what is missing, what differs, what is more
//	Explained: a table of Markdown, of differences that are meant and why
//
// A shape says which fields there are and of which JSON types. Values are kept only where clients compare them: states, flags, types, paths. So two
// recordings of the same server are equal, whatever the time and the ports.
package peertest

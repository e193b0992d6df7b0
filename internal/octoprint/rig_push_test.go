package octoprint

import (
	"testing"

	"layerd/internal/server/servertest"
)

// stage is a servertest.Stage with this API.
type stage struct {
	*servertest.Stage
	api *API
}

func newStage(t testing.TB) *stage {
	g := &stage{Stage: servertest.New(t)}
	g.api = New(g.Server)
	g.Mount(g.api)
	return g
}
